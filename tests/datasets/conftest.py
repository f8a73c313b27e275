"""Fixtures for what is fetched from public homes."""

import pytest

from paperlib.datasets.homes import raw_files
from paperlib.lab import paths
from tests.datasets.homes.web import Web


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A server that stands in for all public homes, and an empty repository."""
    repository = tmp_path / "repository"
    (repository / "data" / "recipes").mkdir(parents=True)
    for name in ("PAPERLIB_DATA", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PAPERLIB_ROOT", str(repository))
    monkeypatch.setattr(paths, "check_installation", lambda: None)
    monkeypatch.setattr(raw_files, "RETRIES", 1)
    monkeypatch.setattr(raw_files, "BACKOFF", 0.0)
    there = Web(tmp_path / "web")
    server = there.start()
    monkeypatch.setenv("PAPERLIB_MIRROR", there.address)
    there.repository = repository
    yield there
    server.shutdown()
    server.server_close()

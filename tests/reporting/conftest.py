import importlib.util
from pathlib import Path

import pytest

from paperlib.lab.results import Results

_spec = importlib.util.spec_from_file_location("synthetic_results", Path(__file__).with_name("synthetic_results.py"))
synthetic_results = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(synthetic_results)


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """An empty repository with made-up results of every notebook, as a laptop run would leave them."""
    return synthetic_results.write_repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(autouse=True)
def _inside_the_repository(monkeypatch, repository):
    monkeypatch.setenv("PAPERLIB_ROOT", str(repository))


@pytest.fixture(scope="session")
def results(repository):
    return Results(repository / "data" / "results")


@pytest.fixture(scope="session")
def smoke_results(tmp_path_factory):
    """The same of a smoke run, with few classes in the attribution maps."""
    return Results(synthetic_results.write_results(tmp_path_factory.mktemp("smoke"), "smoke", classes=9))

"""Registered data files: the order in which they are looked for, and what happens to a corrupt one."""

import functools
import hashlib
import http.server
import socket
import threading

import pytest

from paperlib.lab import fetch
from paperlib.lab.content import content_digest
from paperlib.lab.fetch import ChecksumError, Entry

NAME = "structures/crystals.csv"
GOOD = b"number,symbol\n225,Fm-3m\n"
SHA = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """An empty repository without an offline folder or a proxy."""
    folder = tmp_path / "repository"
    (folder / "data").mkdir(parents=True)
    monkeypatch.setenv("PAPERLIB_ROOT", str(folder))
    for name in ("PAPERLIB_DATA", "PAPERLIB_MIRROR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    """A folder, the address where a local web server offers it, and the paths that were asked for."""
    folder, asked = tmp_path / "web", []
    folder.mkdir()

    class Handler(_Quiet):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def put(folder, content=GOOD):
    path = folder / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def write_registry(repository, *lines):
    (repository / "data" / "registry.txt").write_text("\n".join(lines) + "\n")


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_registry_is_read_with_and_without_addresses(repository):
    write_registry(repository, "# a comment", "", f"a.csv {SHA}", f"b/c.npz  {SHA}  https://example.org/c.npz")
    assert fetch.registry() == {"a.csv": Entry(SHA, None), "b/c.npz": Entry(SHA, "https://example.org/c.npz")}


@pytest.mark.parametrize(
    "line, named",
    [
        ("a.csv", "line 2 .* 'a.csv'"),
        (f"a.csv {SHA} https://a https://b", "line 2 .* 'a.csv .* https://b'"),
        ("'a.csv", "No closing quotation"),
        ("a.csv 123abc", "'a.csv 123abc'"),
        (f"a.csv {SHA[:-1]}g", f"'a.csv {SHA[:-1]}g'"),
        (f"{SHA} a.csv", f"'{SHA} a.csv'"),
        (f"a.csv {SHA} content:12", r"'content:12' of a\.csv"),
    ],
)
def test_a_registry_line_that_cannot_be_read_is_named(repository, line, named):
    write_registry(repository, "# name sha256 url", line)
    with pytest.raises(ValueError, match=rf"registry\.txt: expected `name sha256.*{named}"):
        fetch.registry()
    with pytest.raises(FileNotFoundError):
        fetch.registry(repository / "nothing.txt")


def test_the_offline_folder_comes_first_then_data_raw_then_the_download(repository, tmp_path, monkeypatch, web):
    offered, address, asked = web
    write_registry(repository, f"{NAME} {SHA} {address}/{NAME}")
    put(offered)
    offline = put(tmp_path / "offline")
    raw = put(repository / "data" / "raw")
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "offline"))
    assert fetch.fetch(NAME) == offline
    offline.unlink()
    assert fetch.fetch(NAME) == raw and not asked
    raw.unlink()
    assert not fetch.at_hand(NAME)
    assert fetch.fetch(NAME) == raw and raw.read_bytes() == GOOD
    assert asked == [f"/{NAME}"]
    assert fetch.at_hand(NAME)
    fetch.fetch(NAME)
    assert len(asked) == 1, "what has been downloaded is not downloaded again"


def test_the_offline_folder_may_be_given_relative_to_the_repository(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAPERLIB_DATA", "../offline")
    path = put(tmp_path / "offline")
    write_registry(repository, f"{NAME} {SHA}")
    assert fetch.fetch(NAME).resolve() == path


def test_a_mirror_on_a_disk_serves_too(repository, tmp_path):
    mirror = put(tmp_path / "a mirror")
    entries = {NAME: Entry(SHA, mirror.as_uri())}
    path = fetch.fetch(NAME, entries)
    assert path == repository / "data" / "raw" / NAME and path.read_bytes() == GOOD
    assert mirror.is_file()


@pytest.mark.parametrize("kind", ["http", "file"])
def test_a_corrupt_download_is_refused_and_nothing_is_kept(repository, web, kind):
    offered, address, _ = web
    path = put(offered, GOOD[:-3])
    url = f"{address}/{NAME}" if kind == "http" else path.as_uri()
    with pytest.raises(ChecksumError, match="Nothing was kept; try again") as error:
        fetch.fetch(NAME, {NAME: Entry(SHA, url)})
    assert NAME in str(error.value) and url in str(error.value)
    assert not files_below(repository)


@pytest.mark.parametrize("place", ["PAPERLIB_DATA", "data/raw"])
def test_a_corrupt_file_at_hand_is_named_and_not_replaced(repository, tmp_path, monkeypatch, web, place):
    offered, address, asked = web
    put(offered)
    if place == "PAPERLIB_DATA":
        monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path / "offline"))
        path = put(tmp_path / "offline", b"garbage")
    else:
        path = put(repository / "data" / "raw", b"garbage")
    with pytest.raises(ChecksumError, match="replace it") as error:
        fetch.fetch(NAME, {NAME: Entry(SHA, f"{address}/{NAME}")})
    assert str(path) in str(error.value) and SHA[:12] in str(error.value)
    assert path.read_bytes() == b"garbage" and not asked


def test_an_unknown_name_lists_the_known_ones(repository):
    write_registry(repository, f"a.csv {SHA}", f"b.csv {SHA}")
    with pytest.raises(KeyError, match=r"c\.csv.*a\.csv, b\.csv"):
        fetch.fetch("c.csv")


@pytest.mark.parametrize(
    "entry, says", [(Entry(SHA), "computed for the paper"), (Entry(SHA, content=SHA), f"`paperlib data fetch {NAME}`")]
)
def test_a_file_that_no_home_offers_as_it_is_says_what_to_do(repository, entry, says):
    with pytest.raises(
        FileNotFoundError, match=f"{NAME} is not .*{says}.* put it under data/raw, or set PAPERLIB_DATA"
    ):
        fetch.fetch(NAME, {NAME: entry})


def test_missing_files_are_the_registered_ones_that_are_nowhere(repository):
    write_registry(repository, f"{NAME} {SHA}", f"b.csv {SHA} https://example.org/b.csv")
    assert fetch.missing([NAME, "prototypes", "b.csv", "my/own.cif", NAME]) == [NAME, "b.csv"]
    put(repository / "data" / "raw")
    assert fetch.missing([NAME]) == []
    assert len(fetch.remedy([NAME, "b.csv"]).splitlines()) == 2


def test_a_mirror_stands_in_for_every_address(repository, web, monkeypatch):
    offered, address, _ = web
    put(offered)
    monkeypatch.setenv("PAPERLIB_MIRROR", f"{address}/")
    assert fetch.fetch(NAME, {NAME: Entry(SHA, f"https://example.org/{NAME}")}).read_bytes() == GOOD


REBUILT = b'"number","symbol"\r\n225,Fm-3m\r\n'


@pytest.mark.parametrize("place", ["PAPERLIB_DATA", "data/raw"])
def test_a_file_with_the_registered_content_counts_as_the_registered_file(repository, tmp_path, monkeypatch, place):
    home = repository / "data" / "raw"
    if place == "PAPERLIB_DATA":
        home = tmp_path / "offline"
        monkeypatch.setenv("PAPERLIB_DATA", "../offline")
    path = put(home)
    write_registry(repository, f"{NAME} {SHA} content:{content_digest(path)}")
    assert fetch.identity_of(path) == SHA, "the registered file itself"
    put(home, REBUILT)
    assert fetch.fetch(NAME).samefile(path) and fetch.identity_of(path) == SHA
    own = put(tmp_path / "elsewhere", REBUILT)
    assert fetch.identity_of(own) == hashlib.sha256(REBUILT).hexdigest(), "a file of one's own is itself"
    for other in (REBUILT.replace(b"225", b"221"), b"\xff"):
        put(home, other)
        assert fetch.identity_of(path) == hashlib.sha256(other).hexdigest()
        with pytest.raises(ChecksumError, match=r"corrupt.*and another content; replace it"):
            fetch.fetch(NAME)


@pytest.mark.parametrize("fault", ["closed port", "not there", "bad address", "no such mirror"])
def test_a_download_that_cannot_be_made_says_what_else_to_do(repository, tmp_path, web, fault):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    url = {
        "closed port": closed,
        "not there": f"{web[1]}/nothing",
        "bad address": "http://:80/x",
        "no such mirror": (tmp_path / "nothing").as_uri(),
    }[fault]
    with pytest.raises(FileNotFoundError, match="cannot download") as error:
        fetch.fetch(NAME, {NAME: Entry(SHA, url)})
    assert url in str(error.value) and str(repository / "data" / "raw" / NAME) in str(error.value)
    assert not files_below(repository)


def test_only_sets_that_come_with_a_package_are_embedded():
    assert fetch.is_embedded("prototypes")
    assert not fetch.is_embedded(NAME) and not fetch.is_embedded("")


def test_the_registry_of_the_repository_agrees_with_the_data(data_folder, root):
    entries = fetch.registry(root / "data" / "registry.txt")
    assert entries
    for name in entries:
        assert fetch.fetch(name, entries).samefile(data_folder / name)

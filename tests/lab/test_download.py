"""Downloads from a server that breaks off, refuses, knows no ranges, or offers something else."""

import contextlib
import fcntl
import hashlib
import math
import socket
import subprocess
import time
from email.utils import formatdate

import pytest

from paperlib.lab.asking import CHUNK, Manners, RefusedError, answer
from paperlib.lab.download import digest_of, download, kept
from paperlib.lab.fetch import ChecksumError
from paperlib.lab.locks import BusyError
from tests.lab.homes_server import Server

CONTENT = bytes(range(256)) * 5000
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    there = Server()
    there.content["/a.zip"] = CONTENT
    yield there
    there.close()


def quick(retries=0):
    return Manners(rate=math.inf, retries=retries, backoff=0.0, timeout=5)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".download.lock")


def test_a_file_comes_whole_under_its_name_and_the_server_is_told_who_asks(server, tmp_path):
    path = download(f"{server.address}/a.zip", tmp_path / "deep" / "a.zip", f"sha256:{SHA}", len(CONTENT), quick())
    assert path.read_bytes() == CONTENT and names(path.parent) == ["a.zip"]
    ((_, headers),) = server.asked
    assert "paperlib" in headers["User-Agent"] and headers["Accept-Encoding"] == "identity"


def test_what_broke_off_is_gone_on_with_in_the_same_call(server, tmp_path):
    server.faults["/a.zip"] = [("cut", 10 * CHUNK), ("cut", 2 * CHUNK + 5)]
    path = download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick(retries=2))
    assert path.read_bytes() == CONTENT and names(tmp_path) == ["a.zip"]
    ranges = [headers.get("Range") for _, headers in server.asked]
    assert ranges == [None, f"bytes={10 * CHUNK}-", f"bytes={12 * CHUNK}-"]
    assert server.asked[1][1]["If-Range"] == '"1"'


def test_what_was_interrupted_is_gone_on_with_by_the_next_call(server, tmp_path):
    server.faults["/a.zip"] = [("cut", CHUNK)]
    with pytest.raises(ConnectionError, match=r"does not answer.*what came is kept: run this again"):
        download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick())
    assert names(tmp_path) == ["a.zip.part", "a.zip.part.json"]
    assert download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick()).read_bytes() == CONTENT
    assert server.asked[-1][1]["Range"] == f"bytes={CHUNK}-"


def test_two_processes_do_not_download_into_one_folder(server, tmp_path):
    with open(tmp_path / ".download.lock", "w") as other:
        other.write("4711")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match=rf"something is downloaded into {tmp_path} in another process, 4711"):
            download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick())
    assert download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick()).read_bytes() == CONTENT


def test_what_the_user_interrupted_is_gone_on_with(server, tmp_path, monkeypatch):
    class Bar(contextlib.AbstractContextManager):
        n = 0

        def __exit__(self, *_):
            pass

        def update(self, n):
            self.n += n
            if self.n:
                raise KeyboardInterrupt

    with monkeypatch.context() as watched, pytest.raises(KeyboardInterrupt):
        watched.setattr("paperlib.lab.download.progress", lambda **options: Bar())
        download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick(), what="a.zip")
    path = download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick(), what="a.zip")
    assert path.read_bytes() == CONTENT and server.asked[-1][1]["Range"] == f"bytes={CHUNK}-"


@pytest.mark.parametrize("change", ["no ranges", "another version", "another address", "version unknown"])
def test_a_part_that_does_not_fit_is_begun_again(server, tmp_path, change):
    server.faults["/a.zip"] = [("cut", CHUNK)]
    server.tag = "" if change == "version unknown" else server.tag
    with pytest.raises(ConnectionError):
        download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick())
    other, path = CONTENT[::-1], "/b.zip" if change == "another address" else "/a.zip"
    server.content[path], server.ranges = other, change != "no ranges"
    server.tag = '"2"' if change == "another version" else server.tag
    assert download(f"{server.address}{path}", tmp_path / "a.zip", manners=quick()).read_bytes() == other
    assert len(server.asked) == 2


def test_a_part_of_unknown_version_is_gone_on_with_where_a_checksum_decides(server, tmp_path):
    server.tag, server.faults["/a.zip"] = "", [("cut", CHUNK)]
    path = download(f"{server.address}/a.zip", tmp_path / "a.zip", f"sha256:{SHA}", manners=quick(retries=1))
    assert path.read_bytes() == CONTENT and server.asked[1][1]["Range"] == f"bytes={CHUNK}-"


def test_a_part_that_was_complete_is_only_renamed_and_a_longer_one_thrown_away(server, tmp_path):
    for extra in (b"", b"more"):
        server.faults["/a.zip"] = [("cut", CHUNK)]
        with pytest.raises(ConnectionError):
            download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick())
        (tmp_path / "a.zip.part").write_bytes(CONTENT + extra)
        path = download(f"{server.address}/a.zip", tmp_path / "a.zip", f"sha256:{SHA}", manners=quick(retries=1))
        assert path.read_bytes() == CONTENT
        path.unlink()


@pytest.mark.parametrize("kind", ["sha256", "md5", "git", "size"])
def test_another_content_is_refused_and_not_kept(server, tmp_path, kind):
    checksum, size = ("", 7) if kind == "size" else (f"{kind}:{'0' * 32}", None)
    with pytest.raises(ChecksumError, match=r"nothing of it is kept.*put a good copy at") as error:
        download(f"{server.address}/a.zip", tmp_path / "a.zip", checksum, size, quick())
    found = f"{len(CONTENT):,} bytes, expected 7"
    if kind != "size":
        found = f"{kind} {digest_of_content(kind)}, expected {'0' * 32}"
    assert found in str(error.value) and f"a.zip from {server.address}/a.zip" in str(error.value)
    assert names(tmp_path) == []


def digest_of_content(kind):
    if kind == "git":
        return hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    return hashlib.new(kind, CONTENT).hexdigest()


def test_the_name_of_a_file_is_the_one_that_git_gives(tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    done = subprocess.run(["git", "hash-object", "a"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert digest_of(tmp_path / "a", "git") == done.stdout.strip()


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_is_waited_for(server, tmp_path, status):
    server.faults["/a.zip"] = [(status, {"Retry-After": "1"})]
    begun = time.monotonic()
    download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick(retries=1))
    assert time.monotonic() - begun >= 1 and len(server.asked) == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_a_server_that_asks_to_be_left_alone_is(server, tmp_path, as_date):
    hint = formatdate(time.time() + 7200, usegmt=True) if as_date else "7200"
    server.faults["/a.zip"] = [(429, {"Retry-After": hint})] * 5
    with pytest.raises(RefusedError, match=r"429.*asks to wait (7,200|7,1..) s"):
        download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick(retries=4))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "status, error, asked", [(404, FileNotFoundError, 1), (400, RefusedError, 1), (500, RefusedError, 3)]
)
def test_only_what_may_pass_is_asked_for_again(server, tmp_path, status, error, asked):
    server.faults["/a.zip"] = [status] * 5
    with pytest.raises(error, match=rf"{status} ") as raised:
        download(f"{server.address}/a.zip", tmp_path / "a.zip", manners=quick(retries=2))
    assert len(server.asked) == asked and str(tmp_path / "a.zip") in str(raised.value)


@pytest.mark.parametrize("place", ["closed port", "no address"])
def test_without_a_network_the_way_by_hand_is_said(tmp_path, place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.zip" if place == "closed port" else "http://:80/a.zip"
    target = tmp_path / "a.zip"
    with pytest.raises(ConnectionError, match=r"fetch .* elsewhere") as error:
        download(url, target, manners=quick(retries=1))
    assert not isinstance(error.value, RefusedError)
    assert f"fetch {url} elsewhere, put it at {target}, and run this again" in str(error.value)


def test_a_folder_on_a_disk_is_a_home_too(tmp_path):
    (tmp_path / "a zip").write_bytes(CONTENT)
    url = (tmp_path / "a zip").as_uri()
    assert download(url, tmp_path / "b.zip", f"sha256:{SHA}").read_bytes() == CONTENT
    with pytest.raises(ChecksumError, match="md5"):
        download(url, tmp_path / "c.zip", "md5:12")
    with pytest.raises(FileNotFoundError, match="there is no file://"):
        download(f"{url}s", tmp_path / "c.zip")
    assert answer(url) == CONTENT and names(tmp_path) == ["a zip", "b.zip"]


def test_what_is_kept_is_recorded_and_checked_at_each_use(server, tmp_path):
    url, path = f"{server.address}/a.zip", tmp_path / "a.zip"
    assert kept(url, path, manners=quick()) == path
    done = subprocess.run(["sha256sum", "-c", "a.zip.sha256"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    kept(url, path, manners=quick())
    assert len(server.asked) == 1
    path.write_bytes(CONTENT[:-1])
    found = hashlib.sha256(CONTENT[:-1]).hexdigest()
    with pytest.raises(ChecksumError, match=f"a.zip has changed .*{found}, recorded {SHA}; delete it and run again"):
        kept(url, path, manners=quick())
    path.unlink()
    assert kept(url, path, manners=quick()).read_bytes() == CONTENT


def test_what_was_put_there_by_hand_is_taken_and_compared_where_a_checksum_is_known(server, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(CONTENT)
    kept(f"{server.address}/a.zip", path, f"sha256:{SHA}", manners=quick())
    assert server.asked == [] and names(tmp_path) == ["a.zip", "a.zip.sha256"]
    (tmp_path / "b.zip").write_bytes(b"no")
    with pytest.raises(ChecksumError, match=rf"b\.zip is not the file at .*expected {SHA}; delete it"):
        kept(f"{server.address}/a.zip", tmp_path / "b.zip", f"sha256:{SHA}", manners=quick())


def test_requests_are_made_at_a_steady_rate():
    manners = Manners(rate=20)
    begun = time.monotonic()
    for _ in range(5):
        manners.wait()
    assert 0.2 <= time.monotonic() - begun < 2
    with pytest.raises(ValueError, match="got 0"):
        Manners(rate=0)


def test_an_answer_is_read_whole_and_tried_again(server):
    server.content["/api?x=1"], server.faults["/api?x=1"] = b'{"a": 1}', [503, ("cut", 3)]
    assert answer(f"{server.address}/api?x=1", quick(retries=2)) == b'{"a": 1}'
    with pytest.raises(FileNotFoundError, match=r"404.*ask elsewhere"):
        answer(f"{server.address}/nothing", quick(), "ask elsewhere")

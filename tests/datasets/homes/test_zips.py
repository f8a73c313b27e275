"""Archives from anywhere: nothing is written, nothing swells, what is refused is named."""

import stat
import zipfile

import pytest

from paperlib.datasets.homes import zips
from paperlib.datasets.homes.zips import LeftOut, leads_out, members
from tests.datasets.homes.packed import zipped


@pytest.fixture
def put(tmp_path):
    def write(content):
        path = tmp_path / "a.zip"
        path.write_bytes(zipped(content) if isinstance(content, dict) else content)
        return path

    return write


def test_members_come_in_the_order_of_their_names_and_of_one_kind(put):
    path = put({"b/2.TXT": "two", "a/1.txt": "one", "c.html": "no", "d/": ""})
    assert list(members(path, ".txt")) == [("a/1.txt", b"one"), ("b/2.TXT", b"two")]


@pytest.mark.parametrize("name", ["../x.txt", "/etc/x.txt", "a/../../x.txt", "..\\x.txt", "C:\\x.txt", "C:x.txt"])
def test_a_name_that_leads_out_is_refused(put, tmp_path, name):
    assert leads_out(name)
    found = list(members(put({name: "out", "in.txt": "in"}), ".txt"))
    assert [item for item in found if isinstance(item, LeftOut)] == [
        LeftOut(name, "a name that leads out of the archive")
    ]
    assert ("in.txt", b"in") in found and [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_names_inside_are_not(tmp_path):
    assert not any(leads_out(name) for name in ("a.txt", "a/b..c.txt", "a/.b/c"))
    assert leads_out("")


def test_links_and_encrypted_members_are_named(put):
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = put({})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("secret.txt", "x")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    found = list(members(put(bytes(content)), ".txt"))
    assert found == [LeftOut("link.txt", "a link is not followed"), LeftOut("secret.txt", "encrypted")]


def test_a_member_that_swells_is_not_taken(put, monkeypatch):
    monkeypatch.setattr(zips, "MEMBER", 2**20)
    path = put({"bomb.txt": bytes(3 * 2**20), "bomb2.txt": bytes(3 * 2**20), "good.txt": "1"})
    with pytest.raises(ValueError, match=r"a\.zip unpacks to more than 50 times its size"):
        list(members(path, ".txt"))
    monkeypatch.setattr(zips, "RATIO", 10_000)
    swollen = [LeftOut(name, "more than 1 MiB unpacked") for name in ("bomb.txt", "bomb2.txt")]
    assert list(members(path, ".txt")) == [*swollen, ("good.txt", b"1")]


@pytest.mark.parametrize("damage", ["cut", "no archive", "bytes"])
def test_a_damaged_archive_is_named_with_the_remedy(put, damage):
    whole = bytearray(zipped({"a.txt": "one two three four " * 50}))
    whole[40:60] = bytes(20) if damage == "bytes" else whole[40:60]
    path = put({"cut": bytes(whole[:-30]), "no archive": b"<html>", "bytes": bytes(whole)}[damage])
    with pytest.raises(ValueError, match=r"a\.zip is no complete archive .*delete it and run again"):
        list(members(path, ".txt"))

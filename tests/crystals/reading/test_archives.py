"""Archives: members that cannot be read are named, the others are read, and an archive that is cut is noticed."""

import gzip
import io
import tarfile
import tracemalloc
import zipfile

import pytest

from paperlib.crystals.reading import archives, files
from paperlib.crystals.sources import load_crystals
from tests.crystals.reading.test_cif import GOOD


def loaded(path):
    """Names that were read, and (name, reason) of the others."""
    found = load_crystals(path)
    return found.crystals.source_id.tolist(), [(entry.name, entry.reason) for entry in found.skipped], found


def zipped(path, *members, packed=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tarred(*members, end=True) -> bytes:
    """A tar archive of (name, content) or of whole headers."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in members:
            header = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
        length = archive.offset
    return raw.getvalue() if end else raw.getvalue()[:length]


TWO = (("a.cif", GOOD.encode()), ("b.cif", GOOD.encode()))


def patched(path, name: str, offset: int, value: bytes):
    """Change the entry of a member in the list of a .zip archive."""
    data = bytearray(path.read_bytes())
    where = data.rindex(name.encode()) - 46 + offset
    data[where : where + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (8, b"\x01\x00", "entry encrypted"),
        (10, b"\x09\x00", "way of packing not supported"),  # Deflate64
        (10, b"\x63\x00", "way of packing not supported"),
        (16, b"\x00\x00\x00\x00", "file cannot be read"),  # checksum
        (38, b"\x00\x00\xff\xa1", "a link is not followed"),
    ],
)
def test_one_member_of_a_zip_that_cannot_be_read_is_named(tmp_path, offset, value, reason):
    path = patched(zipped(tmp_path / "set.zip", *TWO, ("c.cif", GOOD)), "b.cif", offset, value)
    assert loaded(path)[:2] == (["a", "c"], [("b", reason)])


def test_two_members_of_one_name_are_both_read(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "set.zip", ("a.cif", GOOD), ("a.cif", GOOD.replace("Na", "Li")))
    names, skipped, found = loaded(path)
    assert names == ["a", "a"] and found.crystals.formula.tolist() == ["Na", "Li"] and skipped == []
    assert [(remark.name, remark.kind) for remark in found.remarks] == [("a", "id used more than once")]
    (tmp_path / "set.tar").write_bytes(tarred(TWO[0], ("a.cif", GOOD.replace("Na", "Li").encode())))
    assert loaded(tmp_path / "set.tar")[2].crystals.formula.tolist() == ["Na", "Li"]


def test_a_zip_whose_list_is_shorter_than_it_states_is_noticed(tmp_path):
    data = bytearray(zipped(tmp_path / "set.zip", *TWO).read_bytes())
    size = int.from_bytes(data[-10:-6], "little")
    data[-10:-6] = (size // 2).to_bytes(4, "little")  # as long as one entry
    start = int.from_bytes(data[-6:-2], "little")
    data[-6:-2] = (start + size // 2).to_bytes(4, "little")
    (tmp_path / "set.zip").write_bytes(data)
    names, skipped, found = loaded(tmp_path / "set.zip")
    assert len(names) == 1 and skipped == [("set.zip", "archive damaged")]
    assert "1 members found, 2 stated" in found.skipped[0].detail


CUTS = {
    "within a header": lambda data: data[:-612],
    "within a content": lambda data: data[: -1024 - 100],
    "at the end of a member": lambda data: data[:-1024],
    "a header with a wrong checksum": lambda data: data.replace(b"b.cif\0", b"B.cif\0"),
    "members of another archive behind the end": lambda data: data + data,
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("cut", CUTS)
def test_a_tar_that_is_not_whole_never_reads_as_whole(tmp_path, cut, packed):
    data = tarred(*TWO, end=True)
    data = data[: data.rindex(GOOD.encode()[-20:]) // 512 * 512 + 512] + bytes(1024)  # no more than two blocks of end
    data = CUTS[cut](data) if cut != "within a header" else data[: 1024 + 512 * (len(GOOD) // 512) + 100]
    path = tmp_path / ("set.tgz" if packed else "set.tar")
    path.write_bytes(gzip.compress(data) if packed else data)
    names, skipped, found = loaded(path)
    assert names[0] == "a" and skipped[-1] == (path.name, "archive damaged")
    assert "what follows is not read. Download or pack it again" in found.skipped[-1].detail


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-6], lambda data: data[:-8] + b"\0" * 8], ids=["cut", "checksum"]
)
def test_the_end_of_a_packed_tar_is_compared(tmp_path, damage):
    (tmp_path / "set.tgz").write_bytes(damage(gzip.compress(tarred(*TWO))))
    names, skipped, _ = loaded(tmp_path / "set.tgz")
    assert names == ["a", "b"] and skipped == [("set.tgz", "archive damaged")]


def special(name, kind, target=""):
    header = tarfile.TarInfo(name)
    header.type, header.linkname = kind, target
    return header, b""


def test_links_and_devices_lead_nowhere(tmp_path):
    members = (
        special("up.cif", tarfile.SYMTYPE, "../../etc/passwd"),
        special("round.cif", tarfile.SYMTYPE, "round.cif"),
        special("same.cif", tarfile.LNKTYPE, "a.cif"),
        special("pipe.cif", tarfile.FIFOTYPE),
        special("zero.cif", tarfile.CHRTYPE),
    )
    (tmp_path / "set.tar").write_bytes(tarred(TWO[0], *members, TWO[1]))
    names, skipped, _ = loaded(tmp_path / "set.tar")
    assert names == ["a", "b"]
    link, other = "a link is not followed", "not a regular file"
    assert skipped == [("up", link), ("round", link), ("same", link), ("pipe", other), ("zero", other)]


@pytest.mark.parametrize(
    "name", ["../../up.cif", "/etc/x.cif", "a b.cif", "new\nline.cif", "\x1b[31m.cif", "gr\udcfcn.cif"]
)
def test_names_are_names_and_no_paths(tmp_path, name):
    before = sorted(tmp_path.parent.iterdir())
    (tmp_path / "set.tar").write_bytes(tarred((name, GOOD.encode())))
    names, skipped, _ = loaded(tmp_path / "set.tar")
    assert skipped == [] and names == [files.stem(name).encode("unicode_escape").decode()]
    assert [path.name for path in tmp_path.iterdir()] == ["set.tar"] and sorted(tmp_path.parent.iterdir()) == before


def test_what_is_in_an_archive_and_is_not_read_is_mentioned(tmp_path):
    within = (("more/other.zip", b"PK"), ("deep.tar.gz", b""), ("lines.jsonl", b"{}"), ("a.txt", b""), ("b.txt", b""))
    members = (*TWO, *within, ("README", b""), ("._a.cif", b""))
    zipped(tmp_path / "set.zip", *members)
    (tmp_path / "set.tar").write_bytes(tarred(*members))
    for name in ("set.zip", "set.tar"):
        names, skipped, found = loaded(tmp_path / name)
        assert names == ["a", "b"]
        assert sorted(skipped) == [
            ("deep.tar.gz", "an archive among CIFs is not read"),
            ("lines.jsonl", "JSON lines among CIFs are not read"),
            ("more/other.zip", "an archive among CIFs is not read"),
        ]
        (remark,) = found.remarks
        assert remark.kind == files.OTHER_FILES and remark.name == name
        assert remark.detail == "1 ._* (of macOS), 2 .txt, 1 without suffix"


def test_bombs_are_refused_without_being_unpacked(tmp_path, monkeypatch):
    limit = 50_000
    for module in (files, archives):
        monkeypatch.setattr(module, "MAX_ENTRY", limit)
    bomb = bytes(400 * limit)
    zipped(tmp_path / "set.zip", TWO[0], ("bomb.cif", bomb), ("z.cif", GOOD))
    (tmp_path / "set.tgz").write_bytes(gzip.compress(tarred(TWO[0], ("bomb.cif", bomb), ("z.cif", GOOD.encode()))))
    zipped(tmp_path / "packed.zip", TWO[0], ("bomb.cif.gz", gzip.compress(bomb)), ("z.cif", GOOD))
    (tmp_path / "bomb.cif.gz").write_bytes(gzip.compress(b" " * len(bomb)))
    (tmp_path / "whole.cif").write_bytes(GOOD.encode() + b" " * (limit - len(GOOD)))
    load_crystals(tmp_path / "whole.cif")  # what is imported and compiled on the way counts for itself
    del bomb
    tracemalloc.start()
    for name in ("set.zip", "set.tgz", "packed.zip"):
        assert loaded(tmp_path / name)[:2] == (["a", "z"], [("bomb", "entry too large")])
    assert loaded(tmp_path / "bomb.cif.gz")[:2] == ([], [("bomb", "entry too large")])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * limit
    assert loaded(tmp_path / "whole.cif")[:2] == (["whole"], []), "as large as it may be"


def test_a_header_that_claims_gigabytes_is_not_believed(tmp_path):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 2**33 - 512
    (tmp_path / "set.tar").write_bytes(tarred(TWO[0], end=False) + header.tobuf() + bytes(2048))
    names, skipped, found = loaded(tmp_path / "set.tar")
    assert names == ["a"] and skipped == [("set.tar", "archive damaged")]
    assert "claims 8,589,934,080 bytes" in found.skipped[0].detail

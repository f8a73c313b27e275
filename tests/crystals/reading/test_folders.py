"""Folders: what stands beside the CIFs and is not read is mentioned, and nothing is followed in a circle."""

import gzip
import os

from paperlib.crystals.reading.folders import listed
from paperlib.crystals.sources import load_crystals
from tests.crystals.reading.test_cif import GOOD


def test_everything_that_is_not_read_is_mentioned(tmp_path):
    folder = tmp_path / "cifs"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.cif").write_text(GOOD)
    (folder / "a.cif.gz").write_bytes(gzip.compress(GOOD.encode()))
    (folder / "deep/gone.cif").symlink_to("nowhere.cif")
    (folder / "deep/round.cif").symlink_to("round.cif")
    (folder / "deep/up").symlink_to(folder)
    (folder / "linked.cif").symlink_to(folder / "a.cif")
    os.mkfifo(folder / "pipe.cif")
    (folder / "zero.cif").symlink_to("/dev/zero")
    (folder / "other.zip").write_bytes(b"")
    (folder / "LINES.JSONL").write_text("")
    (folder / "POSCAR").write_text("")
    found = load_crystals(folder)
    assert found.crystals.source_id.tolist() == ["a", "a", "linked"]
    assert [(entry.name, entry.reason) for entry in found.skipped] == [
        ("deep/gone", "broken link"),
        ("deep/round", "broken link"),
        ("deep/up", "a link to a folder is not followed"),
        ("pipe", "not a regular file"),
        ("zero", "not a regular file"),
        ("LINES.JSONL", "JSON lines among CIFs are not read"),
        ("other.zip", "an archive among CIFs is not read"),
    ]
    assert [(remark.name, remark.kind, remark.detail) for remark in found.remarks] == [
        ("cifs", "files that are no CIFs", "1 without suffix"),
        ("a", "id used more than once", "2 crystals are called this"),
    ]


def test_a_folder_that_cannot_be_opened_is_mentioned(tmp_path, monkeypatch):
    (tmp_path / "locked").mkdir()
    (tmp_path / "a.cif").write_text(GOOD)
    scandir = os.scandir

    def refused(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    names, _, notes = listed(tmp_path)
    assert names == ["a.cif"]
    assert [(n.name, n.reason, n.detail) for n in notes] == [("locked", "folder cannot be read", "Permission denied")]

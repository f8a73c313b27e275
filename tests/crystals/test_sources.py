"""Folders, archives, JSON lines and the embedded library: what is kept, what is skipped, what is counted."""

from __future__ import annotations

import gzip
import json
import tarfile
import zipfile
from dataclasses import fields

import numpy as np
import pytest

from paperlib.crystals.crystal_set import DEUTERIUM, CrystalSet
from paperlib.crystals.reading import loading
from paperlib.crystals.sources import Remark, load_crystals, prototype_structures, read_cifs, read_jsonl
from tests.crystals.conftest import misfit
from tests.crystals.reading.test_cif import BROKEN, GOOD


def equal(a: CrystalSet, b: CrystalSet) -> bool:
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in fields(CrystalSet)]
    return all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in pairs)  # NaN: a B that is not known


@pytest.fixture
def folder(tmp_path):
    """Two good CIFs, one packed and in a subfolder; a bad one; files that are no CIFs."""
    folder = tmp_path / "cifs"
    (folder / "deep").mkdir(parents=True)
    (folder / "salt.CIF").write_text(GOOD)
    (folder / "deep/iron.cif.gz").write_bytes(gzip.compress(GOOD.replace("Na1 Na", "Fe1 Fe").encode()))
    (folder / "deep/bad.cif").write_text(BROKEN["total occupancy above 1"])
    (folder / "deep/._salt.cif").write_bytes(b"\x00\x05")
    (folder / "notes.txt").write_text("nothing")
    return folder


def packed(folder, kind: str):
    path = folder.parent / f"set{kind}"
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    if kind == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
    else:
        with tarfile.open(path, "w" if kind == ".tar" else "w:gz") as archive:
            for file in files:
                archive.add(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("kind", ["folder", ".zip", ".tar", ".tgz", ".tar.gz"])
def test_folders_and_archives_give_the_same(folder, kind):
    loaded = load_crystals(str(folder if kind == "folder" else packed(folder, kind)))
    assert sorted(loaded.crystals.source_id.tolist()) == ["deep/iron", "salt"]
    assert loaded.declared_space_group.tolist() == [221, 221]
    assert [(entry.name, entry.reason) for entry in loaded.skipped] == [("deep/bad", "total occupancy above 1")]
    assert "1.5" in loaded.skipped[0].detail
    assert loaded.summary() == {
        "read": 3,
        "kept": 2,
        "skipped": {"total occupancy above 1": 1},
        "remarks": {"files that are no CIFs": 1},
        "declared": 2,
        "disagreements": 0,
    }
    assert [remark.detail for remark in loaded.remarks] == ["1 ._* (of macOS), 1 .txt"]


def test_a_single_file_and_a_saved_set(folder):
    loaded = load_crystals(folder / "salt.CIF")
    assert loaded.crystals.source_id.tolist() == ["salt"]
    loaded.crystals.save(folder / "set.npz")
    again = load_crystals(folder / "set.npz")
    assert equal(again.crystals, loaded.crystals) and again.summary()["declared"] == 0


def test_disagreement_with_the_declared_group_is_counted(tmp_path):
    (tmp_path / "low.cif").write_text(GOOD.replace("P m -3 m", "P 4 3 2"))
    loaded = read_cifs(tmp_path)
    assert loaded.crystals.space_group.tolist() == [221] and loaded.declared_space_group.tolist() == [207]
    assert loaded.summary()["disagreements"] == 1
    table = loaded.disagreements()
    assert table.columns.tolist() == ["source_id", "formula", "declared", "found"]
    assert table.values.tolist() == [["low", "Na", 207, 221]]


def test_files_that_cannot_be_read_are_reported_and_the_rest_goes_on(folder):
    (folder / "cut.cif.gz").write_bytes(gzip.compress(GOOD.encode())[:30])
    loaded = read_cifs(folder)
    assert len(loaded.crystals) == 2
    assert ("cut", "file cannot be read") in [(entry.name, entry.reason) for entry in loaded.skipped]


@pytest.mark.parametrize("kind", [".zip", ".tar", ".tgz"])
def test_an_archive_of_which_nothing_can_be_read_is_an_error_that_names_it(folder, kind):
    path = packed(folder, kind)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=rf"set\{kind} is not a complete archive .*again"):
        read_cifs(path)


def test_paths_without_crystals_are_errors_with_the_remedy(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ValueError, match=r"holds no file that ends in \.cif.*put CIFs there"):
        load_crystals(tmp_path)
    (tmp_path / "none.jsonl").write_text("\n")
    with pytest.raises(ValueError, match=r"notes\.txt is neither a folder, a CIF, an archive"):
        load_crystals(tmp_path / "notes.txt")
    with pytest.raises(ValueError, match=r"none\.jsonl holds no line"):
        load_crystals(tmp_path / "none.jsonl")
    with pytest.raises(ValueError, match=r"none\.jsonl holds JSON lines.*read_jsonl"):
        read_cifs(tmp_path / "none.jsonl")
    with pytest.raises(ValueError, match=r"notes\.txt does not end in \.jsonl"):
        read_jsonl(tmp_path / "notes.txt")
    for name in ("absent", "absent.jsonl", "absent.npz"):
        with pytest.raises(FileNotFoundError, match=f"{name} does not exist; give"):
            load_crystals(tmp_path / name)


SALT = {"id": "s-1", "lattice": [[3, 0, 0], [0, 3, 0], [0, 0, 3]], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]]}


def write_lines(path, lines: list[str]):
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.mark.parametrize("name", ["set.jsonl", "set.jsonl.gz"])
def test_json_lines(tmp_path, name):
    mixture = {"Fe": 0.5, "Al": 0.25}
    entries = [
        SALT | {"el": ["Cs", "Cl"], "sg_given": 221},
        SALT | {"id": "s-2", "occ": [mixture, mixture], "sg_0.01": 1},
        SALT | {"id": 3, "el": ["D", "H"], "sg_given": None},
        SALT | {"id": "s-4", "el": ["Cs", "Cl"], "sg_given": "221"},
    ]
    loaded = read_jsonl(write_lines(tmp_path / name, [json.dumps(entry) for entry in entries]))
    assert loaded.crystals.space_group.tolist() == [221, 229, 221, 221]
    assert loaded.declared_space_group.tolist() == [221, 1, 0, 221]
    assert loaded.crystals.source_id.tolist() == ["s-1", "s-2", "3", "s-4"]
    assert loaded.summary()["declared"] == 3 and loaded.summary()["disagreements"] == 1
    assert DEUTERIUM in loaded.crystals[2].species and loaded.crystals.occupancy.min() == 0.25


def test_bad_lines_are_named_and_counted(tmp_path):
    good = json.dumps(SALT | {"el": ["Cs", "Cl"]})
    lines = [
        good,
        '{"id": "cut", ',
        json.dumps({key: value for key, value in SALT.items() if key != "id"} | {"el": ["Cs", "Cl"]}),
        json.dumps(SALT | {"el": ["Cs", "Wat"]}),
        json.dumps(SALT | {"el": ["Cs"]}),
        json.dumps(SALT | {"occ": [{"Cs": None}, {"Cl": 1}]}),
        json.dumps(SALT | {"occ": [{"Cs": 1.5}, {"Cl": 1}]}),
        json.dumps(SALT | {"el": ["Cs", "Cl"], "frac": [[0, 0, 0], [0, 0, float("nan")]]}),
        json.dumps(SALT | {"el": ["Cs", "Cl"], "lattice": [[3, 0], [0, 3], [0, 0, 3]]}),
        "[1, 2]",
        good,
    ]
    loaded = read_jsonl(write_lines(tmp_path / "set.jsonl", lines))
    assert loaded.crystals.source_id.tolist() == ["s-1", "s-1"]
    assert loaded.remarks == (Remark("s-1", "id used more than once", "2 crystals are called this"),)
    assert loaded.summary()["skipped"] == {
        "arrays do not fit together": 1,
        "coordinates not finite": 1,
        "field missing or of another kind": 4,
        "not valid JSON": 1,
        "total occupancy above 1": 1,
        "unknown element": 1,
    }
    assert [entry.name for entry in loaded.skipped[:3]] == ["set.jsonl:2", "set.jsonl:3", "s-1"]
    noise = np.random.default_rng(0)  # so that the file is not packed into a few blocks
    texts = [json.dumps(SALT | {"id": i, "el": ["K", "I"], "note": noise.bytes(300).hex()}) for i in range(300)]
    whole = write_lines(tmp_path / "set.jsonl.gz", texts)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    cut = read_jsonl(whole)
    assert 100 < len(cut.crystals) < 200
    (entry,) = cut.skipped
    assert (entry.name, entry.reason) == ("set.jsonl.gz", "archive damaged")
    assert f"after {len(cut.crystals)} lines; what follows is not read" in entry.detail
    whole.write_bytes(whole.read_bytes()[:20])
    with pytest.raises(ValueError, match=r"set\.jsonl\.gz is not a complete gzip file"):
        read_jsonl(whole)


def test_several_workers_give_the_same_in_the_same_order(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 7)
    lines = [json.dumps(SALT | {"id": f"s-{i}", "el": ["Cs", "Wat" if i % 10 == 3 else "Cl"]}) for i in range(50)]
    path = write_lines(tmp_path / "set.jsonl", lines)
    alone, together = read_jsonl(path, workers=1), read_jsonl(path, workers=2)
    assert equal(alone.crystals, together.crystals) and alone.skipped == together.skipped
    assert np.array_equal(alone.declared_space_group, together.declared_space_group)
    assert len(alone.crystals) == 45 and alone.crystals.source_id[-1] == "s-49"
    with pytest.raises(ValueError, match="workers must be at least 1"):
        read_jsonl(path, workers=0)


def test_the_embedded_library_needs_no_file():
    loaded = prototype_structures()
    assert loaded.summary() == {
        "read": 288,
        "kept": 288,
        "skipped": {},
        "remarks": {},
        "declared": 288,
        "disagreements": 3,
    }
    assert len(set(loaded.crystals.source_id.tolist())) == 288 and loaded.crystals.standard.all()
    assert misfit(loaded.crystals) < 1e-6
    known = dict(zip(loaded.crystals.source_id.tolist(), loaded.crystals.formula.tolist(), strict=True))
    assert known["AB_hP6_154_a_b"] == "HgS"


def test_open_chemistry_files(data_folder):
    loaded = load_crystals(str(data_folder / "structures/openchemistry_cifs_524.tar.gz"))
    summary = loaded.summary()
    assert summary["read"] == 524 and summary["kept"] >= 515
    assert summary["disagreements"] <= 0.03 * summary["kept"]
    close = [entry for entry in loaded.skipped if entry.reason == "atoms too close"]
    # the file's H at z = 0.476 has its image across the plane z = 1/2; brucite's hydrogen is at 0.43
    assert [entry.name for entry in close] == ["hydroxides/Mg(OH)2-Brucite"] and "0.222 Å" in close[0].detail
    assert {entry.reason for entry in loaded.skipped} <= {
        "atoms too close",
        "cell does not fit its symmetry",
        "total occupancy above 1",
        "unknown element",
    }

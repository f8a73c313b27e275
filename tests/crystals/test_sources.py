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
from paperlib.crystals.sources import load_crystals, prototype_structures, read_cifs, read_jsonl
from tests.crystals.conftest import misfit
from tests.crystals.reading.test_cif import BROKEN, GOOD


def equal(a: CrystalSet, b: CrystalSet) -> bool:
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(CrystalSet))


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
        "declared": 2,
        "disagreements": 0,
    }


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


def test_files_that_cannot_be_read_are_reported_and_the_rest_goes_on(folder):
    (folder / "cut.cif.gz").write_bytes(gzip.compress(GOOD.encode())[:30])
    loaded = read_cifs(folder)
    assert len(loaded.crystals) == 2
    assert ("cut", "file cannot be read") in [(entry.name, entry.reason) for entry in loaded.skipped]


@pytest.mark.parametrize("kind", [".zip", ".tgz"])
def test_a_damaged_archive_is_an_error_that_names_it(folder, kind):
    path = packed(folder, kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"set\{kind} is not a complete archive .*again"):
        read_cifs(path)


def test_paths_without_crystals_are_errors_with_the_remedy(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "none.jsonl").write_text("\n")
    with pytest.raises(ValueError, match=r"holds no file that ends in \.cif.*put CIFs there"):
        load_crystals(tmp_path)
    with pytest.raises(ValueError, match=r"notes\.txt is neither a folder, a CIF nor an archive"):
        load_crystals(tmp_path / "notes.txt")
    with pytest.raises(ValueError, match=r"none\.jsonl holds no line"):
        load_crystals(tmp_path / "none.jsonl")
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
        SALT | {"id": "s-3", "el": ["D", "H"], "sg_given": None},
    ]
    loaded = read_jsonl(write_lines(tmp_path / name, [json.dumps(entry) for entry in entries]))
    assert loaded.crystals.space_group.tolist() == [221, 229, 221]
    assert loaded.declared_space_group.tolist() == [221, 1, 0]
    assert loaded.summary()["declared"] == 2 and loaded.summary()["disagreements"] == 1
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
    assert loaded.summary()["skipped"] == {
        "arrays do not fit together": 1,
        "coordinates not finite": 1,
        "field missing or of another kind": 4,
        "not valid JSON": 1,
        "total occupancy above 1": 1,
        "unknown element": 1,
    }
    assert [entry.name for entry in loaded.skipped[:3]] == ["set.jsonl:2", "set.jsonl:3", "s-1"]
    cut = write_lines(tmp_path / "set.jsonl.gz", lines)
    cut.write_bytes(cut.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"set\.jsonl\.gz is not a complete gzip file"):
        read_jsonl(cut)


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
    assert loaded.summary() == {"read": 288, "kept": 288, "skipped": {}, "declared": 288, "disagreements": 3}
    assert len(set(loaded.crystals.source_id.tolist())) == 288 and loaded.crystals.standard.all()
    assert misfit(loaded.crystals) < 1e-6
    known = dict(zip(loaded.crystals.source_id.tolist(), loaded.crystals.formula.tolist(), strict=True))
    assert known["AB_hP6_154_a_b"] == "HgS"


def test_open_chemistry_files(data_folder):
    loaded = load_crystals(str(data_folder / "structures/openchemistry_cifs_524.tar.gz"))
    summary = loaded.summary()
    assert summary["read"] == 524 and summary["kept"] >= 515
    assert summary["disagreements"] <= 0.03 * summary["kept"]
    assert set(summary["skipped"]) == {
        "cell does not fit its symmetry",
        "total occupancy above 1",
        "unknown element",
    }

"""A database read into shards: what load_crystals reads, a run of entries at a time, resumed where it stopped."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
import weakref
import zipfile
from collections import Counter
from dataclasses import astuple, fields

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading import ingest, json_lines, loading, opened
from paperlib.crystals.reading.ingest import entry_remarks, read_into_shards, skipped_entries
from paperlib.crystals.shards import write_sharded
from paperlib.crystals.sources import load_crystals
from tests.crystals.reading.test_cif import BROKEN, GOOD, cif

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

ELEMENTS = ("Na", "K", "Rb", "Cs", "Fe", "Co", "Ni", "Cu", "Zn", "Al")

NAMES = ("b.cif", "a.cif", "a-1.cif", "a/x.cif", "a/deep/y.cif.gz", "a.b/z.CIF", "a1/w.cif", "c.cif", "d.cif", "e.cif")
"""Names that sort in another way as texts than as paths, part by part."""


def crystal(i: int, name: str = "test") -> str:
    """A simple cubic crystal that no other number gives."""
    element = ELEMENTS[i % len(ELEMENTS)]
    return cif(f"{3 + i / 10} {3 + i / 10} {3 + i / 10} 90 90 90", "P m -3 m", f"X1 {element} 0 0 0", name=name)


def write(path, text: str):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def assert_same(a: CrystalSet, b: CrystalSet):
    for column in (f.name for f in fields(CrystalSet)):
        np.testing.assert_array_equal(getattr(a, column), getattr(b, column), err_msg=column)


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path):
    """Ten good CIFs with subfolders, two bad ones, one of two blocks; files that are no CIFs."""
    folder = tmp_path / "cifs"
    for i, name in enumerate(NAMES):
        write(folder / name, crystal(i))
    write(folder / "a/bad.cif", BROKEN["total occupancy above 1"])
    write(folder / "b0.cif", "<html>404</html>")
    write(folder / "a2.cif", crystal(10, "first") + crystal(11, "second"))
    write(folder / "a/._x.cif", "\x00\x05")
    write(folder / "notes.txt", "nothing")
    (folder / "gone.cif").symlink_to(folder / "nowhere.cif")
    (folder / "folder.cif").mkdir()
    return folder


def packed(folder, kind: str):
    """The same crystals as an archive, as JSON lines or as one file."""
    path = folder.parent / f"set{kind}"
    if kind in (".cif", ".cif.gz"):
        write(path, crystal(0, "one") + crystal(1, "two"))
    elif kind.startswith(".jsonl"):
        cell = {"lattice": (3 * np.eye(3)).tolist(), "frac": [[0, 0, 0], [0.5, 0.5, 0.5]]}
        lines = [json.dumps({"id": f"s-{i}", "el": [ELEMENTS[i % 10], "Cl"], "sg_given": 221} | cell) for i in range(9)]
        write(path, "\n".join([*lines[:4], '{"id": "cut", ', "", *lines[4:]]) + "\n")
    else:
        files = [p for p in folder.rglob("*") if p.is_file()]
        if kind == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                for file in files:
                    archive.write(file, file.relative_to(folder))
        else:
            with tarfile.open(path, "w" if kind == ".tar" else "w:gz") as archive:
                for file in files:
                    archive.add(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize(
    "kind", ["folder", ".zip", ".tar", ".tar.gz", ".tgz", ".jsonl", ".jsonl.gz", ".cif", ".cif.gz"]
)
def test_crystals_and_their_order_are_those_of_load_crystals(folder, tmp_path, kind):
    source = folder if kind == "folder" else packed(folder, kind)
    whole = load_crystals(source)
    assert len(whole.crystals) == {".jsonl": 9, ".jsonl.gz": 9, ".cif": 2, ".cif.gz": 2}.get(kind, 12)
    made = read_into_shards(str(source), str(tmp_path / "set"), shard_size=4)
    assert_same(made[:], whole.crystals)
    assert list(made.index["id"]) == whole.crystals.source_id.tolist() and made.damaged() == []
    assert list(skipped_entries(made).itertuples(index=False, name=None)) == [astuple(s) for s in whole.skipped]
    remarks = [astuple(r) for r in whole.remarks if r.kind != "files that are no CIFs"]
    assert list(entry_remarks(made).itertuples(index=False, name=None)) == remarks
    declared = [number for shard in made.about["shards"] for number in shard["extra"]["declared"]]
    assert declared == whole.declared_space_group.tolist()


def test_a_shard_holds_the_crystals_of_its_entries(folder, tmp_path):
    made = read_into_shards(folder, tmp_path / "set", shard_size=4)
    assert [shard.source_id.tolist() for shard in made.shards()] == [
        ["a/deep/y", "a/x", "a-1"],  # and a/bad
        ["a.b/z", "a", "a1/w", "a2#first", "a2#second"],
        ["b", "c", "d"],  # and b0
        ["e"],
    ]
    assert [shard["extra"]["skipped"][:1] for shard in made.about["shards"]] == [
        [["a/bad", "total occupancy above 1", "site 0 holds {'Na': 1.5}, 1.5000 in all"]],
        [],
        [skipped_entries(made).iloc[1].tolist()],
        [["gone", "broken link", "No such file or directory"]],
    ]


def test_symprec_decides_what_counts_as_symmetric(tmp_path):
    nearly = "4 4 4 90 90 90", "P 1", "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.51"
    write(tmp_path / "cifs/salt.cif", cif(*nearly))
    groups = {s: read_into_shards(tmp_path / "cifs", tmp_path / str(s), s)[:].space_group[0] for s in (0.001, 0.1)}
    assert groups == {0.001: 99, 0.1: 221}


def test_several_workers_write_the_same_bytes(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 3)
    for workers in (1, 2):
        read_into_shards(folder, tmp_path / f"by {workers}", shard_size=20, workers=workers)
    assert contents(tmp_path / "by 1") == contents(tmp_path / "by 2")


def test_shards_in_which_everything_is_bad(tmp_path):
    cifs = tmp_path / "cifs"
    for i, reason in enumerate(BROKEN):
        write(cifs / f"{i}.cif", BROKEN[reason])
    none = read_into_shards(cifs, tmp_path / "none", shard_size=3)
    assert len(none) == len(none.index) == len(none[:]) == 0 and len(none.about["shards"]) == 3
    assert skipped_entries(none)["reason"].tolist() == list(BROKEN)
    write(cifs / "0good.cif", GOOD)
    write(cifs / "9good.cif", GOOD)
    some = read_into_shards(cifs, tmp_path / "some", shard_size=3)
    assert [len(shard) for shard in some.shards()] == [1, 0, 0, 1]
    assert some[[1, 0]].source_id.tolist() == ["9good", "0good"]
    assert some.index["space_group"].tolist() == [221, 221] and some.index["class_absences"].dtype == np.int64


def test_a_reader_that_fails_loses_one_file_and_says_so(folder, tmp_path, monkeypatch):
    parse = opened.cif_entry

    def failing(name, content):
        if name == "a/x.cif":
            raise ZeroDivisionError("by nought")
        return parse(name, content)

    whole = load_crystals(folder)
    monkeypatch.setattr(opened, "cif_entry", failing)
    made = read_into_shards(folder, tmp_path / "set")
    assert made[:].source_id.tolist() == [name for name in whole.crystals.source_id.tolist() if name != "a/x"]
    assert ["a/x.cif", "reader failed: ZeroDivisionError", "by nought"] in skipped_entries(made).values.tolist()


def test_names_that_come_again_in_another_shard_are_remarked_on(tmp_path):
    lines = [
        json.dumps({"id": i % 3, "lattice": (3 * np.eye(3)).tolist(), "frac": [[0, 0, 0]], "el": ["Na"]})
        for i in range(4)
    ]
    (tmp_path / "set.jsonl").write_text("\n".join(lines))
    made = read_into_shards(tmp_path / "set.jsonl", tmp_path / "set", shard_size=3)
    repeated = ["0", "id used more than once", "2 crystals are called this"]
    assert entry_remarks(made).values.tolist() == [repeated]
    assert all(shard["extra"]["remarks"] == [] for shard in made.about["shards"])
    old = write_sharded(tmp_path / "old", made[:], {"kind": "test"})
    assert entry_remarks(old).values.tolist() == [repeated], "sets that were written without remarks have none"


def test_names_that_are_not_utf8_are_written_with_escapes(tmp_path):
    cifs = tmp_path / "cifs"
    write(cifs / "salt.cif", GOOD)
    try:
        for name, text in ((b"gr\xfcn.cif", GOOD), (b"r\xf6t.cif", BROKEN["no atoms"])):
            with open(os.path.join(os.fsencode(cifs), name), "w") as file:
                file.write(text)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    made = read_into_shards(cifs, tmp_path / "set")
    assert list(made.index["id"]) == made[:].source_id.tolist() == ["gr\\udcfcn", "salt"]
    assert skipped_entries(made)["name"].tolist() == ["r\\udcf6t"]


@pytest.fixture
def parsed(monkeypatch):
    """Names of the entries that have been parsed."""
    names, parse = [], opened.cif_entry

    def counted(name, content):
        names.append(name)
        return parse(name, content)

    monkeypatch.setattr(opened, "cif_entry", counted)
    return names


@pytest.mark.parametrize("kind", ["folder", ".zip", ".tgz"])
@pytest.mark.parametrize("where", ["parser", "write_shard"])
def test_an_interrupted_run_reads_what_is_missing_and_ends_with_the_same_bytes(
    folder, tmp_path, monkeypatch, parsed, kind, where
):
    source = folder if kind == "folder" else packed(folder, kind)
    whole = read_into_shards(source, tmp_path / "whole", shard_size=3)
    order = parsed.copy()
    assert len(order) == 13

    def stopped(*arguments):
        if arguments[:1] == (order[7],) or arguments[1:2] == (2,):
            raise KeyboardInterrupt
        return original(*arguments)

    owner, name = (opened, "cif_entry") if where == "parser" else (ingest, "write_shard")
    original = getattr(owner, name)
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, stopped)
        with pytest.raises(KeyboardInterrupt):
            read_into_shards(source, tmp_path / "set", shard_size=3)
    there = {f"0000{k}.{suffix}" for k in (0, 1) for suffix in ("npz", "json")}
    assert set(contents(tmp_path / "set")) == there | {"plan.json", "code.json"}
    times = {name: (tmp_path / "set" / name).stat().st_mtime_ns for name in there}
    parsed.clear()
    read_into_shards(source, tmp_path / "set", shard_size=3)
    assert parsed == order[6:]
    assert contents(tmp_path / "set") == contents(whole.folder)
    assert times == {name: (tmp_path / "set" / name).stat().st_mtime_ns for name in there}


def test_a_finished_set_is_opened_and_only_what_is_damaged_is_made_again(folder, tmp_path, parsed):
    made = read_into_shards(folder, tmp_path / "set", shard_size=4)
    before = contents(made.folder)
    order = parsed.copy()
    written = (made.folder / "set.json").stat().st_mtime_ns
    read_into_shards(folder, made.folder, shard_size=4)
    assert (made.folder / "set.json").stat().st_mtime_ns == written
    for name, expected in (("00001.npz", order[4:8]), ("00003.json", []), ("index.csv", [])):
        parsed.clear()
        (made.folder / name).write_bytes(before[name][:-1])
        assert_same(read_into_shards(folder, made.folder, shard_size=4)[:], made[:])
        assert parsed == expected
    (made.folder / "set.json").unlink()
    (made.folder / "00003.json").write_bytes(before["00003.json"])
    read_into_shards(folder, made.folder, shard_size=4)
    assert contents(made.folder) == before and parsed == []


def test_raw_contents_and_crystals_of_one_run_at_a_time_are_in_memory(folder, tmp_path, monkeypatch):
    alive, crystals, peaks = Counter(), [], []

    class Content(bytes):
        def __init__(self, *_):
            alive["now"] += 1
            alive["peak"] = max(alive.values())

        def __del__(self):
            alive["now"] -= 1

    def lines(path):
        line = json.dumps({"lattice": (3 * np.eye(3)).tolist(), "frac": [[0, 0, 0]], "el": ["Na"], "id": "salt"})
        return ((f"{path.name}:{i}", Content(line.encode())) for i in range(60))

    def watched(*arguments, **options):
        peaks.append(sum(reference() is not None for reference in crystals))
        loaded = loading.load_entries(*arguments, **options)
        crystals.append(weakref.ref(loaded.crystals))
        return loaded

    monkeypatch.setattr(json_lines, "lines", lines)
    monkeypatch.setattr(ingest, "load_entries", watched)
    made = read_into_shards(packed(folder, ".jsonl"), tmp_path / "set", shard_size=6)
    assert len(made) == 60 and peaks == [0] * 10
    # the run, the very first entry, and the one that begins the next run
    assert 6 <= alive["peak"] <= 8


def later(path):
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: later(folder / "a/x.cif"),
        lambda folder: write(folder / "a/new.cif", GOOD),
        lambda folder: (folder / "a/x.cif").unlink(),
        lambda folder: (folder / "a/x.cif").rename(folder / "a/renamed.cif"),
    ],
    ids=["time", "added", "removed", "renamed"],
)
def test_a_folder_that_changed_is_refused_with_the_remedy(folder, tmp_path, change):
    made = read_into_shards(folder, tmp_path / "set", shard_size=4)
    before = contents(made.folder)
    change(folder)
    with pytest.raises(ValueError, match=r"holds another set of crystals \(files_sha256.*choose another folder or del"):
        read_into_shards(folder, made.folder, shard_size=4)
    assert contents(made.folder) == before


def test_a_folder_that_changed_in_size_only_is_refused(folder, tmp_path):
    made = read_into_shards(folder, tmp_path / "set")
    before = (folder / "a.cif").stat().st_mtime_ns
    write(folder / "a.cif", crystal(1) + "\n")
    os.utime(folder / "a.cif", ns=(before, before))
    with pytest.raises(ValueError, match="holds another set of crystals"):
        read_into_shards(folder, made.folder)


def test_what_is_not_a_cif_and_where_the_folder_lies_do_not_matter(folder, tmp_path, parsed):
    made = read_into_shards(folder, folder / "set")
    write(folder / "notes.txt", "something")
    moved = folder.rename(tmp_path / "moved")
    parsed.clear()
    assert len(read_into_shards(moved, moved / "set")) == len(made) and parsed == []


def test_another_file_tolerance_or_shard_size_is_refused(folder, tmp_path):
    archive = packed(folder, ".zip")
    made = read_into_shards(archive, tmp_path / "set", shard_size=4)
    before = contents(made.folder)
    for options in ({"symprec": 0.1}, {"shard_size": 5}):
        with pytest.raises(ValueError, match=rf"holds another set of crystals \({next(iter(options))}: .* there"):
            read_into_shards(archive, made.folder, **({"shard_size": 4} | options))
    later(archive)
    assert len(read_into_shards(archive, made.folder, shard_size=4)) == len(made), "the content of a file counts"
    write(folder / "a/new.cif", GOOD)
    packed(folder, ".zip")
    with pytest.raises(ValueError, match=r"holds another set of crystals \(sha256"):
        read_into_shards(archive, made.folder, shard_size=4)
    assert contents(made.folder) == before


def test_sources_that_cannot_be_read_are_errors_with_the_remedy_and_leave_nothing(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "none.jsonl").write_text("\n")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("notes.txt", "")
    cut = packed(folder, ".zip")
    cut.write_bytes(cut.read_bytes()[:200])
    CrystalSet.empty().save(tmp_path / "set.npz")
    for name, message in (
        ("set.npz", r"set\.npz is a set that CrystalSet.save wrote; store it with write_sharded"),
        ("empty", r"empty holds no file that ends in \.cif.*put CIFs there"),
        ("none.zip", r"none\.zip holds no file that ends in \.cif"),
        ("none.jsonl", r"none\.jsonl holds no line; download"),
        ("cifs/notes.txt", r"notes\.txt is neither a folder, a CIF, an archive \(.*\.zip.*\) of CIFs nor JSON lines"),
        ("set.zip", r"set\.zip is not a complete archive .*again"),
    ):
        with pytest.raises(ValueError, match=message):
            read_into_shards(tmp_path / name, tmp_path / "set")
    for name in ("absent", "absent.zip", "absent.jsonl"):
        with pytest.raises(FileNotFoundError, match=f"{name} does not exist; give"):
            read_into_shards(tmp_path / name, tmp_path / "set")
    with pytest.raises(ValueError, match="shard_size=0 must be at least 1"):
        read_into_shards(folder, tmp_path / "set", shard_size=0)
    assert not (tmp_path / "set").exists()


def test_a_set_that_was_not_read_from_files_has_no_skipped_entries(folder, tmp_path):
    table = skipped_entries(write_sharded(tmp_path / "set", load_crystals(folder).crystals, {"kind": "test"}))
    assert table.columns.tolist() == ["name", "reason", "detail"] and len(table) == 0

"""Crystals and patterns prepared once: kept work answers with the same content, and only when it may."""

import errno
import gzip
import pickle

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets import prepared
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab import stages
from paperlib.lab.store import DiskFullError, read_json, write_json
from tests.crystals.reading.test_cif import cif

INSTRUMENT = Instrument(n_points=500)


def caesium_chloride(name, a, x):
    """CsCl with its chlorine at ``x`` along the first axis."""
    return cif(f"{a} {a} {a} 90 90 90", "P 1", f"Cs1 Cs 0 0 0\nCl1 Cl {x} 0.5 0.5", name=name)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """An empty folder of stages, in a repository root of its own."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    return tmp_path / "data" / "work" / "stages"


@pytest.fixture(scope="module")
def crystals():
    """CsCl, Cu and Si."""
    return CrystalSet.from_structures(
        [
            Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
            Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.61), ["Cu"], [[0, 0, 0]]),
            Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.43), ["Si"], [[0, 0, 0]]),
        ]
    )


@pytest.fixture
def cifs(tmp_path):
    """A folder with CsCl, CsCl displaced along x, and a file that is no CIF."""
    folder = tmp_path / "cifs"
    folder.mkdir()
    (folder / "cubic.cif").write_text(caesium_chloride("cubic", 4.12, 0.5))
    (folder / "polar.cif").write_text(caesium_chloride("polar", 4.12, 0.47))
    (folder / "notes.cif").write_text("this is no crystal\n")
    return folder


def forbid(monkeypatch, name):
    """Make a function of the module fail when it is called again."""

    def called(*_, **__):
        pytest.fail(f"{name} was called again")

    monkeypatch.setattr(prepared, name, called)


def entries(kept, stage):
    """Names of what a stage made."""
    return {path.name for path in (kept / stage).glob("[!.]*")}


def fields(crystals):
    return {name: getattr(crystals, name) for name in CrystalSet.__dataclass_fields__}


def test_crystals_are_read_once_and_come_back_the_same(kept, cifs, monkeypatch):
    first = prepared.prepared_crystals(str(cifs))
    assert sorted(first.crystals.space_group.tolist()) == [99, 221] and len(first.skipped) == 1
    forbid(monkeypatch, "load_crystals")
    again = prepared.prepared_crystals(str(cifs))
    for name in CrystalSet.__dataclass_fields__:
        before = getattr(first.crystals, name)
        assert np.array_equal(getattr(again.crystals, name), before, equal_nan=before.dtype.kind == "f"), name
    assert again.declared_space_group.tolist() == first.declared_space_group.tolist()
    assert again.skipped == first.skipped and again.summary() == first.summary()
    assert "notes" in again.skipped[0].name


def test_remarks_are_kept_and_come_to_what_was_kept_without_them(kept, cifs, monkeypatch):
    (cifs / "readme.txt").write_text("CsCl twice")
    first = prepared.prepared_crystals(str(cifs))
    assert [(remark.kind, remark.detail) for remark in first.remarks][-1] == ("files that are no CIFs", "1 .txt")
    (cifs / "polar.cif.gz").write_bytes(gzip.compress((cifs / "polar.cif").read_bytes()))
    first = prepared.prepared_crystals(str(cifs))
    assert "polar" in [remark.name for remark in first.remarks], "two crystals of that name"
    assert prepared.prepared_crystals(str(cifs)).remarks == first.remarks
    for path in (kept / "crystals").glob("*/about.json"):
        write_json(path, {name: value for name, value in read_json(path).items() if name != "remarks"})
    old = prepared.prepared_crystals(str(cifs))
    assert old.remarks == () and old.skipped == first.skipped
    monkeypatch.setenv(stages.REMAKE, "9999")
    assert prepared.prepared_crystals(str(cifs)).remarks == first.remarks


def test_other_data_or_another_tolerance_are_read_anew(kept, cifs):
    first = prepared.prepared_crystals(str(cifs))
    loose = prepared.prepared_crystals(str(cifs), symprec=0.3)
    assert len(entries(kept, "crystals")) == 2
    assert loose.crystals.space_group.tolist() == [221, 221], "0.12 Å is within 0.3 Å"
    (cifs / "cubic.cif").write_text(caesium_chloride("cubic", 4.2, 0.5))
    changed = prepared.prepared_crystals(str(cifs))
    assert len(entries(kept, "crystals")) == 3
    assert changed.crystals.cell[:, 0].max() == pytest.approx(4.2)
    assert first.crystals.cell[:, 0].max() == pytest.approx(4.12)


def test_a_reading_that_was_interrupted_is_made_again(kept, cifs):
    first = prepared.prepared_crystals(str(cifs))
    (name,) = entries(kept, "crystals")
    (kept / "crystals" / name / "record.json").unlink()
    again = prepared.prepared_crystals(str(cifs))
    assert np.array_equal(again.crystals.cell, first.crystals.cell)
    assert entries(kept, "crystals") == {name} and (kept / "crystals" / name / "record.json").is_file()


def test_patterns_are_those_of_the_simulator_and_are_computed_once(kept, crystals, monkeypatch):
    monkeypatch.setattr(prepared, "BATCH", 2)
    first = prepared.prepared_patterns(crystals, INSTRUMENT)
    assert np.array_equal(first.patterns, powder_patterns(crystals, INSTRUMENT).numpy())
    assert first.patterns.dtype == np.float32 and first.patterns.shape == (3, 500) and first.dropped == ()
    forbid(monkeypatch, "powder_patterns")
    again = prepared.prepared_patterns(crystals, INSTRUMENT)
    assert np.array_equal(again.patterns, first.patterns)
    assert again.crystals.source_id.tolist() == crystals.source_id.tolist()


def test_another_instrument_makes_another_file(kept, crystals):
    instruments = [
        INSTRUMENT,
        Instrument(n_points=501),
        Instrument(n_points=500, wavelength=0.7),
        Instrument(n_points=500, radiation="neutron"),
        Instrument(n_points=500, two_theta=(10, 90)),
    ]
    for count, instrument in enumerate(instruments, start=1):
        patterns = prepared.prepared_patterns(crystals, instrument).patterns
        assert patterns.shape == (3, instrument.n_points)
        assert len(entries(kept, "patterns")) == count


def test_what_a_pattern_depends_on_names_its_file_and_a_label_does_not(kept, crystals):
    prepared.prepared_patterns(crystals, INSTRUMENT)
    renamed = CrystalSet(**fields(crystals) | {"source_id": np.array(["a", "b", "c"])})
    assert prepared.prepared_patterns(renamed, INSTRUMENT).crystals.source_id.tolist() == ["a", "b", "c"]
    assert len(entries(kept, "patterns")) == 1
    warmer = CrystalSet(**fields(crystals) | {"b_iso": np.full_like(crystals.b_iso, 0.5)})
    prepared.prepared_patterns(warmer, INSTRUMENT)
    prepared.prepared_patterns(crystals[1:], INSTRUMENT)
    assert len(entries(kept, "patterns")) == 3


def test_digests_see_what_scatters_and_neither_names_nor_the_last_digits(crystals):
    reference = prepared.item_digests(crystals)
    assert len(set(reference)) == 3 and reference[1:].tolist() == prepared.item_digests(crystals[1:]).tolist()
    same = {"source_id": np.array(["a", "b", "c"]), "cell": crystals.cell * (1 + 1e-14), "frac": -crystals.frac * -1}
    for name, values in same.items():
        assert np.array_equal(prepared.item_digests(CrystalSet(**fields(crystals) | {name: values})), reference), name
    # an unknown displacement is simulated as 0
    known = CrystalSet(**fields(crystals) | {"b_iso": np.zeros_like(crystals.b_iso)})
    assert np.isnan(crystals.b_iso).all() and np.array_equal(prepared.item_digests(known), reference)
    for name in ("cell", "frac", "occupancy", "b_iso", "species"):
        values = getattr(crystals, name).copy()
        values[0] = 0.1 if name == "b_iso" else values[0] + (1 if name == "species" else 1e-4)
        changed = prepared.item_digests(CrystalSet(**fields(crystals) | {name: values})) != reference
        assert changed.tolist() == [True, False, False], name


@pytest.mark.parametrize("error, equal", [(3e-6, True), (3e-3, False)])
def test_changed_code_computes_again_and_compares_within_the_tolerance(
    kept, crystals, monkeypatch, capsys, error, equal
):
    before = prepared.prepared_patterns(crystals, INSTRUMENT).patterns.copy()
    monkeypatch.setattr(stages, "code_of", lambda stage: "other code")
    monkeypatch.setattr(prepared, "powder_patterns", lambda *a, **k: powder_patterns(*a, **k) * (1 - error))
    patterns = prepared.prepared_patterns(crystals, INSTRUMENT).patterns
    said = capsys.readouterr().out
    assert ("all 3 items are as before" in said) is equal and ("3 of 3 items differ" in said) is not equal
    assert np.array_equal(patterns, before) is equal, "what is equal stays as it was, to the last bit"
    assert len(entries(kept, "patterns")) == 1


def test_the_recipe_of_rows_knows_crystals_order_instrument_and_version(kept, crystals, monkeypatch):
    made = prepared.prepared_patterns(crystals, INSTRUMENT)
    rows = np.array([0, 1])
    reference = made.recipe(rows)
    patterns = np.nextafter(made.patterns, np.float32(2))
    assert prepared.Prepared(**vars(made) | {"patterns": patterns}).recipe(rows) == reference, "the last bits are free"
    others = [made.recipe(np.array([0, 2])), made.recipe(rows[::-1]), made.recipe(rows[:1])]
    others += [prepared.prepared_patterns(crystals, Instrument(n_points=500, eta=0.3)).recipe(rows)]
    version = stages.Stage("patterns", prepared.PATTERNS.version + 1, "paperlib.diffraction.simulate")
    monkeypatch.setattr(prepared, "PATTERNS", version)
    others += [made.recipe(rows)]
    assert all(other != reference for other in others)
    assert made.recipe(rows) == prepared.prepared_patterns(crystals, INSTRUMENT).recipe(rows)


def test_prepared_patterns_go_to_another_process_as_a_mapped_file(kept, crystals):
    made = prepared.prepared_patterns(crystals, INSTRUMENT)
    sent = pickle.dumps(made)
    assert len(sent) < made.patterns.nbytes
    there = pickle.loads(sent)
    assert isinstance(there.patterns, np.memmap) and np.array_equal(there.patterns, made.patterns)
    assert there.recipe(np.arange(3)) == made.recipe(np.arange(3)) and there.instrument == INSTRUMENT


def test_a_crystal_without_a_pattern_is_dropped_and_named_and_the_rest_keeps_its_rows(kept, crystals):
    cell = crystals.cell.copy()
    cell[1, :3] = np.nan
    names = np.array(["caesium chloride", "no cell", "silicon"])
    done = prepared.prepared_patterns(CrystalSet(**fields(crystals) | {"cell": cell, "source_id": names}), INSTRUMENT)
    assert done.crystals.source_id.tolist() == ["caesium chloride", "silicon"]
    assert [entry.name for entry in done.dropped] == ["no cell"] and "cell" in done.dropped[0].reason
    assert np.array_equal(done.patterns, powder_patterns(crystals[[0, 2]], INSTRUMENT).numpy())


def test_a_computation_that_fails_leaves_no_file(kept, crystals, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("out of memory")

    with monkeypatch.context() as change:
        change.setattr(prepared, "powder_patterns", broken)
        with pytest.raises(RuntimeError, match="out of memory"):
            prepared.prepared_patterns(crystals, INSTRUMENT)
    assert not entries(kept, "patterns")
    assert prepared.prepared_patterns(crystals, INSTRUMENT).patterns.max() == pytest.approx(1)


def test_the_patterns_cannot_be_changed_by_mistake(kept, crystals):
    patterns = prepared.prepared_patterns(crystals, INSTRUMENT).patterns
    with pytest.raises(ValueError, match="read-only"):
        patterns[0, 0] = 1
    assert pd.Series(patterns.max(axis=1)).between(0.999, 1.0).all()


def test_a_disk_without_room_is_found_before_patterns_are_computed(kept, crystals, monkeypatch):
    """A full disk under a memory-mapped file would kill the process."""

    def no_room(descriptor, offset, size):
        assert size > 4 * 500 * len(crystals)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(prepared.os, "posix_fallocate", no_room)
    with pytest.raises(DiskFullError, match=r"patterns\.npy"):
        prepared.prepared_patterns(crystals, INSTRUMENT)
    assert not list(kept.rglob("*.npy*"))

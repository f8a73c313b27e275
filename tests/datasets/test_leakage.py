"""Leakage reports: zero where they must be, counts by hand, distances against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from scipy.spatial.distance import cdist

from paperlib.crystals.sources import load_crystals
from paperlib.crystals.standardise import from_structures
from paperlib.datasets import leakage
from paperlib.datasets.leakage import (
    KINDS,
    NOTHING,
    closest_kind,
    leakage_report,
    leakage_units,
    nearest_patterns,
    overlap,
    units_of,
)
from paperlib.datasets.splits import grouped_split, joint_units

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

UNITS = {
    "exact": np.array([0, 0, 1, 2, 3, 4]),
    "near": np.array([0, 0, 1, 1, 2, 3]),
    "structure type": np.array(["a", "a", "b", "b", "b", "c"]),
}
TRAIN, TEST = np.array([0, 2]), np.array([1, 3, 4, 5])


def test_what_is_shared_is_counted_by_hand():
    report = leakage_report(UNITS, TRAIN, TEST, distance=np.array([0.0, 0.1, 0.3, 0.8])).set_index("kind")
    assert report["test_entries"].to_dict() == {"exact": 1, "near": 2, "structure type": 3, NOTHING: 1}
    assert report["train_entries"].to_dict() == {"exact": 1, "near": 2, "structure type": 2, NOTHING: 0}
    assert report["share"].to_dict() == {"exact": 0.25, "near": 0.5, "structure type": 0.75, NOTHING: 0.25}
    assert report["median_distance"].to_dict() == {"exact": 0.0, "near": 0.1, "structure type": 0.3, NOTHING: 0.8}
    assert closest_kind(overlap(UNITS, TRAIN, TEST)).tolist() == ["exact", "near", "structure type", NOTHING]


def test_an_entry_on_both_sides_is_refused():
    with pytest.raises(ValueError, match=r"1 entries \(first: number 2\) are in training and in test"):
        overlap(UNITS, TRAIN, np.array([2, 3]))


@pytest.fixture(scope="module")
def prototypes():
    """Real structures, each with a copy that is strained by 0.3 %, under another name."""
    structures = load_crystals("prototypes").crystals[:60].to_structures()
    copies = []
    for structure in structures:
        copy = structure.copy()
        copy.scale_lattice(1.009 * copy.volume)
        copy.properties = {"source_id": f"copy of {structure.properties['source_id']}"}
        copies.append(copy)
    return from_structures([*structures, *copies])


def test_a_random_split_leaks_copies_and_a_split_by_units_leaks_none(prototypes):
    units = leakage_units(prototypes)
    assert (units["near"][:60] == units["near"][60:]).all(), "a copy is near its original"
    random = grouped_split(prototypes.source_id.astype(str), seed=0)
    assert leakage_report(units, random.train, random.test).set_index("kind").test_entries["near"] > 5
    for kind in KINDS:
        split = grouped_split(units[kind], seed=0)
        report = leakage_report(units, split.train, split.test).set_index("kind")
        assert report.test_entries[kind] == report.train_entries[kind] == 0
    both = grouped_split(joint_units(units["near"], units["structure type"]), seed=0)
    report = leakage_report(units, both.train, both.test).set_index("kind")
    assert report.test_entries[list(KINDS)].tolist() == [0, 0, 0] and report.test_entries[NOTHING] == len(both.test)


def test_every_exact_copy_is_a_near_copy(prototypes):
    units = leakage_units(prototypes)
    for group in np.unique(units["exact"]):
        assert len(set(units["near"][units["exact"] == group])) == 1


def test_doped_variants_are_near_copies_and_not_exact_ones():
    salt = Structure.from_spacegroup(225, Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    doped = salt.copy()
    doped.replace_species({"Na": {"Na": 0.98, "K": 0.02}})
    units = leakage_units(from_structures([salt, doped]))
    assert units["near"].tolist() == [0, 0] and units["exact"].tolist() == [0, 1]


def test_stored_units_serve_only_the_entries_that_they_belong_to(prototypes):
    stored = {kind: np.arange(len(prototypes)) for kind in KINDS} | {"id": prototypes.source_id.astype(str)}
    assert all((units_of(prototypes, stored)[kind] == stored[kind]).all() for kind in KINDS)
    computed = units_of(prototypes[:10], stored)
    assert {kind: unit.tolist() for kind, unit in computed.items()} == {
        kind: unit.tolist() for kind, unit in leakage_units(prototypes[:10]).items()
    }


def test_nearest_patterns_are_those_of_brute_force(monkeypatch):
    generator = np.random.default_rng(1)
    train, test = generator.random((53, 40)).astype(np.float32), generator.random((31, 40)).astype(np.float32)
    test[5] = 7 * train[11]  # the same pattern at another scale
    expected = cdist(test, train, "cosine")
    for block in (8192, 7):
        monkeypatch.setattr(leakage, "_BLOCK", block)
        distance, which = nearest_patterns(train, test)
        assert distance == pytest.approx(expected.min(axis=1), abs=1e-6)
        assert (expected[np.arange(31), which] <= expected.min(axis=1) + 1e-6).all()
        assert which[5] == 11 and distance[5] == pytest.approx(0, abs=1e-6)


def test_patterns_that_have_no_distance_are_named(monkeypatch):
    good = np.ones((3, 5), dtype=np.float32)
    for bad in (np.zeros(5), np.full(5, np.nan)):
        with pytest.raises(ValueError, match="training pattern 1 is zero or not finite"):
            nearest_patterns(np.stack([good[0], bad]), good)
        with pytest.raises(ValueError, match="test pattern 0 is zero or not finite"):
            nearest_patterns(good, bad[None])
    with pytest.raises(ValueError, match=r"train.shape=\(3, 5\)"):
        nearest_patterns(good, np.ones((2, 4)))
    monkeypatch.setattr(leakage, "_BLOCK", 2)
    with pytest.raises(ValueError, match="training pattern 5 is zero or not finite"):
        nearest_patterns(np.concatenate([good, good[:2], np.zeros((1, 5))]), good)

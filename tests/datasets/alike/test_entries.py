"""What is compared of entries; those that cannot be are named, stand alone and disturb no other."""

import re
import warnings
from dataclasses import fields, replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.saved_columns import checked_columns
from paperlib.crystals.shards import write_sharded
from paperlib.crystals.standardise import crystal_from_sites, from_structures, sites_from_structure
from paperlib.datasets.alike import entries
from paperlib.datasets.alike.entries import chunks, comparable, entry_problems, read_entries
from paperlib.datasets.duplicates import RULES, find_duplicates
from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS
from tests.crystals.conftest import class_lengths, primitive_vectors
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


def changed(column, row, value):
    """A fault: one value of one column of rock salt."""

    def spoil(crystal):
        values = getattr(crystal, column).copy()
        values[row] = value
        return replace(crystal, **{column: values})

    return spoil


def split_site(crystal):
    """Kept as given, with two halves of an atom as sites of their own at one place: spglib finds no symmetry."""
    frac, occupancy = crystal.frac.copy(), crystal.occupancy.copy()
    frac[2], occupancy[[0, 2]] = frac[0], 0.5
    return replace(crystal, frac=frac, occupancy=occupancy, standard=np.array([False]))


FAULTS = {
    "no atoms": (lambda crystal: planted.without_atoms(crystal, str(crystal.source_id[0])), "has no atoms"),
    "no formula": (changed("formula", 0, ""), "has no formula"),
    "no occupancy": (changed("occupancy", 5, 0.0), r"occupancy 0 of site 5 is not in \(0, 1\]"),
    "too much occupancy": (changed("occupancy", 5, 1.2), r"occupancy 1.2 of site 5 is not in \(0, 1\]"),
    "coordinate": (changed("frac", (2, 1), np.nan), r"fractional coordinates \(.*nan.*\) are not finite"),
    "two atoms at one place": (changed("frac", 1, (0, 0, 0)), "occupancies at .* add up to 2"),
    "impossible angles": (changed("cell", (0, slice(3, 6)), (150, 20, 20)), "encloses no volume: no three axes"),
    "edge": (changed("cell", (0, 1), 0.0), "encloses no volume: edges must be positive"),
    "cell not finite": (changed("cell", (0, 4), np.nan), "is not finite"),
    "enormous cell": (changed("cell", (0, slice(0, 3)), 5000.0), "is too large"),
    "cell of another system": (changed("cell", (0, 2), 5.7), "does not have the metric of space group 225"),
    "unknown element": (changed("species", 3, 120), "no .* for species code 120"),
    "no element": (changed("species", 3, 0), "no .* for species code 0"),
    "unknown group": (changed("space_group", 0, 231), "space group 231 does not exist"),
    "no symmetry": (split_site, "no symmetry found: spglib fails"),
}
"""What can be wrong with an entry, and what is then said of it."""


def spoiled(fault, name="bad"):
    return FAULTS[fault][0](planted.rock_salt(name))


@pytest.fixture(scope="module")
def all_faults():
    return CrystalSet.concatenate(spoiled(fault, fault) for fault in FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_listed_with_number_id_and_reason(fault):
    crystals = CrystalSet.concatenate([planted.rock_salt("good"), spoiled(fault), planted.rock_salt("good too")])
    (problem,) = entry_problems(crystals).itertuples(index=False)
    assert (problem.index, problem.source_id, problem.compared) == (1, "bad", False)
    assert re.search(FAULTS[fault][1], problem.problem)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("fault", FAULTS)
def test_an_entry_that_cannot_be_compared_stands_alone_and_is_counted(rule, fault):
    crystals = CrystalSet.concatenate(
        [planted.rock_salt("a"), spoiled(fault), planted.rock_salt("b"), spoiled(fault, "bad too")]
    )
    with pytest.warns(
        UserWarning, match=rf"2 of 4 entries cannot be compared and stand alone \(first: bad: .*{FAULTS[fault][1]}"
    ):
        found = find_duplicates(crystals, rule)
    assert found.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("rule", RULES)
def test_the_rest_is_compared_as_if_they_were_not_there(rule, all_faults):
    crystals = planted.zoo()
    places = np.sort(np.random.default_rng(0).choice(len(crystals) + len(all_faults), len(all_faults), replace=False))
    mixed = np.insert(np.arange(len(crystals)), places - np.arange(len(places)), len(crystals) + np.arange(len(places)))
    together = CrystalSet.concatenate([crystals, all_faults])[mixed]
    with pytest.warns(UserWarning, match=f"{len(all_faults)} of {len(together)} entries"):
        found = find_duplicates(together, rule)
    good = mixed < len(crystals)
    assert planted.same_partition(found[good], find_duplicates(crystals, rule))
    assert len(np.unique(found)) == len(np.unique(found[good])) + len(all_faults)


def test_problems_are_listed_by_number_through_all_pieces_of_a_set(all_faults, tmp_path, monkeypatch):
    known = all_faults[all_faults.space_group < 231]
    crystals = CrystalSet.concatenate([planted.rock_salt("a"), known, planted.rock_salt("b")])
    listed = entry_problems(crystals)
    assert listed["index"].tolist() == list(range(1, len(FAULTS)))
    assert listed["source_id"].tolist() == known.source_id.tolist()
    monkeypatch.setattr(entries, "CHUNK", 4)
    stored = known[np.array([_can_be_stored(known[i]) for i in range(len(known))])]
    assert len(stored) > 4
    crystals = CrystalSet.concatenate([planted.rock_salt("a"), stored, planted.rock_salt("b")])
    on_disk = write_sharded(tmp_path, crystals, {}, shard_size=3)
    assert entry_problems(on_disk).equals(entry_problems(crystals))


def _can_be_stored(crystal: CrystalSet) -> bool:
    """Whether a file may hold it: NaN in a cell, say, is refused when a file is opened."""
    try:
        checked_columns({f.name: getattr(crystal, f.name) for f in fields(crystal)})
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("rule", RULES)
def test_entries_that_share_an_id_are_named_and_compared_all_the_same(rule):
    crystals = CrystalSet.concatenate(
        [planted.rock_salt("twice"), planted.rock_salt("once", 6.2), planted.rock_salt("twice")]
    )
    problems = entry_problems(crystals)
    assert problems["index"].tolist() == [0, 2] and problems["compared"].all()
    assert set(problems["problem"]) == {"id is that of 2 entries"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = find_duplicates(crystals, rule)
    assert found[0] == found[2]


def test_good_crystals_have_no_problems():
    assert len(entry_problems(planted.zoo())) == 0
    assert list(entry_problems(CrystalSet.empty()).columns) == ["index", "source_id", "problem", "compared"]


def test_shares_are_those_of_all_atoms_of_an_element():
    """Mixed, partly vacant and deuterated places; deuterium counts as hydrogen."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]]
    mixed = [{"Fe": 0.25, "Co": 0.75}, {"O": 0.5}, {"D": 0.5, "H": 0.25}]
    structures = [Structure(Lattice.cubic(4), mixed, places), Structure(Lattice.cubic(4), ["Cl", "Cs"], places[:2])]
    found = read_entries(from_structures(structures))
    assert found.start.tolist() == [0, 4, 6]
    assert found.element.tolist() == [1, 8, 26, 27, 17, 55]
    np.testing.assert_allclose(found.fraction * np.repeat([2.25, 2], [4, 2]), [0.75, 0.5, 0.25, 0.75, 1, 1])


def test_lengths_are_those_of_the_primitive_lattice():
    crystals = planted.zoo()
    found = read_entries(crystals).lengths
    for i in range(len(crystals)):
        lattice = primitive_vectors(int(crystals.space_group[i])) @ planted.lattice_of(crystals.cell[i])
        np.testing.assert_allclose(np.sort(found[i]), np.sort(class_lengths(lattice)), rtol=1e-9)


def test_a_crystal_kept_as_given_has_the_entries_of_its_standard_form():
    crystals = planted.zoo()[:40]
    rng = np.random.default_rng(1)
    given = (sites_from_structure(structure, "raw") for structure in crystals.to_structures())
    moved = (planted.other_basis(sites, rng, str(name)) for sites, name in zip(given, crystals.source_id, strict=True))
    raw = CrystalSet.concatenate(crystal_from_sites(sites, standardise=False) for sites in moved)
    found, expected = read_entries(raw), read_entries(crystals)
    for column in ("usable", "space_group", "formula", "start", "element"):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))
    np.testing.assert_allclose(found.fraction, expected.fraction)
    np.testing.assert_allclose(np.sort(found.lengths, axis=1), np.sort(expected.lengths, axis=1), rtol=1e-5)


def test_the_two_hands_of_a_group_count_as_one():
    for left, right in ENANTIOMORPHIC_PAIRS:
        assert entries.ONE_HAND[left] == entries.ONE_HAND[right] == left
    assert len(np.unique(entries.ONE_HAND[1:])) == 219


def test_the_rank_of_an_entry_does_not_depend_on_the_order():
    crystals = planted.zoo()
    rank = read_entries(crystals).rank
    assert sorted(rank.tolist()) == list(range(len(crystals)))
    order = np.random.default_rng(0).permutation(len(crystals))
    np.testing.assert_array_equal(read_entries(crystals[order]).rank, rank[order])


def test_a_set_in_shards_is_read_in_pieces(tmp_path, monkeypatch):
    crystals = planted.zoo()
    expected = read_entries(crystals)
    monkeypatch.setattr(entries, "CHUNK", 23)
    stored = write_sharded(tmp_path, crystals, {}, shard_size=31)
    sizes = [(first, len(part)) for first, part in chunks(stored)]
    assert sizes == [(first, min(23, len(crystals) - first)) for first in range(0, len(crystals), 23)]
    for column, value in read_entries(stored)._asdict().items():
        if column == "problems":
            assert value.equals(expected.problems)
        else:
            np.testing.assert_array_equal(value, getattr(expected, column))


def test_comparable_crystals_are_standard_and_numbered(all_faults):
    crystals = CrystalSet.concatenate(
        [
            all_faults[:3],
            planted.rock_salt("a"),
            all_faults[3:],
            replace(planted.rock_salt("b"), standard=np.array([False])),
        ]
    )
    numbers, ready, faults = comparable(crystals)
    assert numbers.tolist() == [3, len(crystals) - 1] and ready.standard.all()
    assert ready.source_id.tolist() == ["a", "b"]
    assert sorted([*numbers.tolist(), *faults]) == list(range(len(crystals)))

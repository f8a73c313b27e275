"""Random crystals that follow a database, without copying it."""

import dataclasses
import itertools
from collections import Counter

import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.database_statistics import DatabaseStatistics
from paperlib.crystals.occupied_positions import occupied_positions
from paperlib.crystals.sources import prototype_structures
from paperlib.crystals.synthesis import balanced_space_groups, random_crystals, rules_from, synthesise

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


@pytest.fixture(scope="module")
def rock_salts():
    """60 random crystals of two groups with oxygen as the main element: a database that is easy to know."""
    made = random_crystals([62, 225] * 30, 1, elements=("O", "Ti", "Na"), n_species=(2, 2), max_atoms=48)
    return made


@pytest.fixture(scope="module")
def learnt(rock_salts):
    return DatabaseStatistics.learn(rock_salts)


def test_elements_and_positions_are_those_of_the_database(rock_salts, learnt):
    made = synthesise([62, 225] * 40, 5, rules_from(composition="database", statistics=learnt))
    assert set(made.crystals.species) <= {8, 11, 22}
    assert {len(set(one.species)) for one in map(made.crystals.__getitem__, range(80))} == {2}
    known = occupied_positions(rock_salts)
    for group in (62, 225):
        sizes = Counter(np.diff(known.start)[rock_salts.space_group == group])
        assert set(np.diff(made.site_start)[made.crystals.space_group == group]) <= set(sizes)


def test_labels_are_true_as_ever(learnt):
    groups = balanced_space_groups(230)
    crystals = random_crystals(groups, 3, composition="database", statistics=learnt)
    wrong = 0
    for i, group in enumerate(groups):
        one = crystals[i]
        lattice = Lattice.from_parameters(*one.cell[0]).matrix
        wrong += spglib.get_symmetry_dataset((lattice, one.frac, one.species), 0.01).number != group
    assert wrong <= 1


def test_groups_that_the_database_lacks_are_drawn_from_related_ones(learnt):
    assert learnt.patterns[62] != learnt.patterns[225]
    assert learnt.patterns[59] == learnt.patterns[62], "the same point group"
    assert set(learnt.patterns[143]) == set(learnt.patterns[62]) | set(learnt.patterns[225])


def test_volumes_follow_the_database():
    database = prototype_structures().crystals
    statistics = DatabaseStatistics.learn(database)
    assert np.median(statistics.volume_ratio) == pytest.approx(1, abs=0.2)
    made = random_crystals(
        database.space_group[:200], 2, composition="database", statistics=statistics, n_species=(1, 6)
    )

    def per_atom(crystals):
        volumes = [Lattice.from_parameters(*cell).volume for cell in crystals.cell]
        return np.median(volumes / crystals.n_sites)

    assert per_atom(made) == pytest.approx(per_atom(database), rel=0.35)


def test_no_crystal_of_the_database_is_copied(rock_salts, learnt):
    made = random_crystals([62, 225] * 30, 1, composition="database", statistics=learnt)
    cells = {tuple(cell.round(6)) for cell in rock_salts.cell}
    assert not cells & {tuple(cell.round(6)) for cell in made.cell}


def test_items_are_independent(learnt):
    rules = {"composition": "database", "statistics": learnt}
    groups = balanced_space_groups(60)
    whole, part = random_crystals(groups, 9, **rules), random_crystals(groups[20:25], 9, first=20, **rules)
    np.testing.assert_array_equal(whole[20:25].frac, part.frac)
    np.testing.assert_array_equal(whole[20:25].cell, part.cell)


def test_rules_hold_for_database_compositions_too(learnt):
    rules = rules_from(composition="database", statistics=learnt, elements=("O", "Ti"), n_species=(2, 2), max_atoms=40)
    made = synthesise([62, 225] * 10, 4, rules)
    assert set(made.crystals.species) == {8, 22} and made.crystals.n_sites.max() <= 40


def test_the_checksum_tells_statistics_apart(rock_salts, learnt):
    assert learnt.checksum() == DatabaseStatistics.learn(rock_salts).checksum()
    changed = dataclasses.replace(learnt, volume_ratio=learnt.volume_ratio * 1.01)
    assert changed.checksum() != learnt.checksum()


def test_too_few_crystals_are_refused(rock_salts):
    with pytest.raises(ValueError, match=r"5 of 5 crystals are ordered.*at least 20"):
        DatabaseStatistics.learn(rock_salts[:5])
    with pytest.raises(ValueError, match="0 of 0 crystals"):
        DatabaseStatistics.learn(CrystalSet.empty())


def test_elements_are_as_frequent_as_in_the_database():
    statistics = DatabaseStatistics.learn(prototype_structures().crystals)
    rules = rules_from(composition="database", statistics=statistics, n_species=(1, 4))
    crystals = synthesise(balanced_space_groups(690), 1, rules).crystals
    holds = np.zeros(120)
    for a, b in itertools.pairwise(crystals.site_start):
        holds[np.unique(crystals.species[a:b])] += 1
    learnt = statistics.main_element + statistics.other_element
    assert np.corrcoef(holds, learnt)[0, 1] > 0.9
    assert holds[learnt == 0].sum() == 0

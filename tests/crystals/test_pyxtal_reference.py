"""PyXtal's own generator: same signature and compositions, and no hang."""

import numpy as np
import pytest

from paperlib.crystals import pyxtal_reference, synthesis
from paperlib.crystals.rules import rules_from
from tests.crystals.conftest import misfit

GROUPS = [2, 14, 62, 166, 225]
SMALL = {"atoms_per_lattice_point": (3, 6), "max_atoms": 40, "elements": ("Na", "Cl", "Ti", "O")}


@pytest.fixture(scope="module")
def reference():
    return pyxtal_reference.synthesise(GROUPS, 1, rules_from(**SMALL))


def test_crystals_obey_the_operations_of_the_group_asked_for(reference):
    np.testing.assert_array_equal(reference.crystals.space_group, GROUPS)
    assert misfit(reference.crystals) < 1e-3


def test_compositions_are_those_of_our_own_generator(reference):
    own = synthesis.random_crystals(GROUPS, 1, **SMALL)
    first_try = reference.trial == 0
    assert first_try.any() and np.mean(own.formula == reference.crystals.formula) >= 0.4


def test_occupied_positions_account_for_all_atoms(reference):
    sums = np.add.reduceat(reference.multiplicity, reference.site_start[:-1])
    np.testing.assert_array_equal(sums, reference.crystals.n_sites)


def test_a_structure_that_takes_too_long_is_given_up():
    with pytest.raises(synthesis.ImpossibleRulesError, match=r"time limit reached': 2.*raise time_limit"):
        pyxtal_reference.random_crystals([227], 0, time_limit=0.01, max_compositions=2, elements=("C", "O", "Na", "K"))


def test_rules_that_pyxtal_does_not_have_are_refused():
    with pytest.raises(ValueError, match="no rule n_sites"):
        pyxtal_reference.random_crystals([2], 0, n_sites=(1, 3))
    with pytest.raises(ValueError, match="time_limit"):
        pyxtal_reference.random_crystals([2], 0, time_limit=0)

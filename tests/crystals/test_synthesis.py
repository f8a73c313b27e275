"""Random crystals: the symmetry that spglib finds, distances that pymatgen finds, independence of the items."""

import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice
from pyxtal.tolerance import Tol_matrix

from paperlib.crystals.species import species_symbol
from paperlib.crystals.synthesis import (
    ImpossibleRulesError,
    balanced_space_groups,
    random_crystals,
    rules_from,
    synthesise,
)
from paperlib.symmetry.extinction import class_of_space_group, extinction_classes
from paperlib.symmetry.groups import SPACE_GROUPS, conforming_cell, wyckoff_positions
from tests.crystals.conftest import misfit

PER_GROUP = 4

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


@pytest.fixture(scope="module")
def balanced():
    return synthesise(balanced_space_groups(230 * PER_GROUP), 17, rules_from())


def assert_same(a, b):
    for name in ("cell", "space_group", "site_start", "frac", "species", "formula", "source_id"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def found_groups(crystals, symprec):
    numbers = []
    for i in range(len(crystals)):
        one = crystals[i]
        lattice = Lattice.from_parameters(*one.cell[0]).matrix
        numbers.append(spglib.get_symmetry_dataset((lattice, one.frac, one.species), symprec).number)
    return np.array(numbers)


@pytest.mark.parametrize("symprec", [0.01, 0.1])
def test_spglib_finds_the_space_group_that_was_asked_for(balanced, symprec):
    found, asked = found_groups(balanced.crystals, symprec), balanced.crystals.space_group
    assert set(asked) == set(SPACE_GROUPS)
    wrong = [(int(a), int(f)) for a, f in zip(asked, found, strict=True) if a != f]
    assert len(wrong) <= 0.005 * len(asked), wrong
    classes = class_of_space_group()
    assert np.mean(classes[found] == classes[asked]) >= 0.999


def test_the_operations_of_the_group_map_each_crystal_onto_itself(balanced):
    small = np.flatnonzero(balanced.crystals.n_sites <= 24)[::5]
    assert len(small) > 50 and misfit(balanced.crystals[small]) < 1e-7


def test_cells_have_the_metric_of_the_group(balanced):
    for number in SPACE_GROUPS:
        cells = balanced.crystals.cell[balanced.crystals.space_group == number]
        assert np.all(conforming_cell(number, cells, tolerance=1e-12)), number


def test_no_two_atoms_are_closer_than_pyxtal_allows(balanced):
    tolerances, closest = Tol_matrix(prototype="atomic"), np.inf
    for structure in balanced.crystals[::7].to_structures():
        symbols = [site.specie.symbol for site in structure]
        centres, partners, _, distances = structure.get_neighbor_list(2.6)
        for i, j, distance in zip(centres, partners, distances, strict=True):
            margin = distance - tolerances.get_tol(symbols[i], symbols[j])
            assert margin > -1e-6, (structure.properties, symbols[i], symbols[j], distance)
            closest = min(closest, margin)
    assert closest < 0.05, "the rule is felt"


def test_an_item_does_not_depend_on_the_others(balanced):
    groups = balanced.crystals.space_group
    for start, stop in ((0, 40), (333, 334), (900, 920)):
        alone = random_crystals(groups[start:stop], 17, first=start)
        assert_same(alone, balanced.crystals[start:stop])
    other_seed = random_crystals(groups[:5], 18)
    assert not np.array_equal(other_seed.cell, balanced.crystals.cell[:5])


def test_another_group_for_one_item_leaves_the_rest_alone(balanced):
    groups = balanced.crystals.space_group[:30].copy()
    groups[11] = 225
    changed = random_crystals(groups, 17)
    rest = np.array([i for i in range(30) if i != 11])
    assert_same(changed[rest], balanced.crystals[rest])
    assert changed.space_group[11] == 225


def test_occupied_positions_account_for_all_atoms(balanced):
    crystals = balanced.crystals
    for i in range(0, len(crystals), 3):
        positions = wyckoff_positions(int(crystals.space_group[i]))
        rows = balanced.position[balanced.site_start[i] : balanced.site_start[i + 1]]
        assert sum(positions[row].multiplicity for row in rows) == crystals.n_sites[i]
        fixed = [row for row in rows if positions[row].degrees_of_freedom == 0]
        assert len(set(fixed)) == len(fixed), "a point without freedom is occupied once"


def test_special_positions_are_used_as_well_as_general_ones(balanced):
    crystals = balanced.crystals
    general = np.concatenate(
        [balanced.position[a:b] == 0 for a, b in zip(balanced.site_start, balanced.site_start[1:], strict=False)]
    )
    assert 0.2 < general.mean() < 0.8
    volumes = np.linalg.det([Lattice.from_parameters(*cell).matrix for cell in crystals.cell]) / crystals.n_sites
    assert 15 < np.median(volumes) < 45, "Å³ per atom"


def test_rejections_are_counted_by_reason_and_group(balanced):
    assert balanced.rejections["a rotation beyond the group"].sum() > 0
    assert balanced.rejections["a translation beyond the group"].sum() > 0
    for counts in balanced.rejections.values():
        assert counts.shape == (231,) and counts.min() >= 0
    # Pm-3m has no supergroup on its own lattice
    alone = synthesise([221] * 30, 0, rules_from())
    assert alone.rejections["a rotation beyond the group"].sum() == 0


def test_rules_are_kept():
    rules = {
        "elements": ("Na", "Cl", "O"),
        "n_species": (3, 3),
        "max_atoms": 40,
        "n_sites": (3, 5),
        "volume_per_atom": (10.0, 25.0),
        "axial_ratio": 1.5,
        "angles": (80.0, 100.0),
        "shortest_edge": 4.0,
    }
    made = synthesise([1, 2, 5, 14, 62, 87, 148, 166, 198] * 6, 3, rules_from(**rules))
    crystals = made.crystals
    assert set(crystals.species) == {8, 11, 17}
    assert crystals.n_sites.max() <= 40
    n_positions = np.diff(made.site_start)
    assert n_positions.min() >= 3 and n_positions.max() <= 5
    for structure in crystals.to_structures():
        assert len(structure.composition) == 3
        assert 10 <= structure.volume / len(structure) <= 25
        edges, angles = np.array(structure.lattice.abc), np.array(structure.lattice.angles)
        assert edges.min() >= 4 and edges.max() / edges.min() < 1.5
        assert np.all((angles > 80) & (angles < 100) | np.isclose(angles, 120))


def test_minimum_distances_can_be_set():
    far = random_crystals(
        [2, 33, 136], 5, elements=("Si", "O"), n_species=(2, 2), min_distances={("O", "O"): 2.3}, volume_factor=2.0
    )
    for structure in far.to_structures():
        oxygen = structure.copy()
        oxygen.remove_species(["Si"])
        assert len(oxygen.get_neighbor_list(2.3 - 1e-6)[0]) == 0


def test_a_larger_margin_keeps_further_from_higher_symmetry():
    groups = balanced_space_groups(230)
    narrow = random_crystals(groups, 29, symmetry_margin=0.01)
    assert np.mean(found_groups(narrow, 0.001) == groups) > 0.99
    assert np.mean(found_groups(narrow, 0.15) == groups) < np.mean(
        found_groups(random_crystals(groups, 29, symmetry_margin=0.2), 0.15) == groups
    )


@pytest.mark.parametrize("scheme", ["absences", "crystal_system"])
def test_balance_over_extinction_classes_is_even_in_classes_and_within_them(scheme):
    classes = extinction_classes(scheme)
    groups = balanced_space_groups(len(classes) * 24, "extinction_class", scheme)
    per_class = np.bincount(class_of_space_group(scheme)[groups])
    assert np.all(per_class == 24)
    for members in classes:
        counts = np.bincount(groups, minlength=231)[list(members)]
        assert counts.max() - counts.min() <= 1 or len(members) > 24


def test_balance_over_groups_starts_anywhere():
    whole = balanced_space_groups(500)
    np.testing.assert_array_equal(balanced_space_groups(100, first=321), whole[321:421])
    np.testing.assert_array_equal(balanced_space_groups(4, among=(225, 2)), [225, 2, 225, 2])
    np.testing.assert_array_equal(np.bincount(whole[:460])[1:], 2)


def test_no_groups_make_an_empty_set():
    assert len(random_crystals([], 0)) == 0


def test_rules_that_no_crystal_meets_end_with_the_rejections_counted():
    with pytest.raises(
        ImpossibleRulesError, match=r"space group 225 .*in 3 compositions.*no composition fits"
    ) as caught:
        random_crystals([225, 225], 0, max_atoms=7, max_compositions=3)
    assert "no composition fits the group: 3" in str(caught.value)
    # every cell is too small for the distances, though they pass the check on close packing
    with pytest.raises(ImpossibleRulesError, match=r"no place found|its own image"):
        random_crystals([221], 0, elements=("C", "O"), n_species=(2, 2), distance_factor=5.0, max_compositions=2)


@pytest.mark.parametrize("groups", [[0], [231], [225, -1], [1.5], [[1, 2]], ["P1"]])
def test_groups_that_do_not_exist_are_refused(groups):
    with pytest.raises(ValueError, match=r"space.group"):
        random_crystals(groups, 0)


def test_unknown_balance_is_refused():
    with pytest.raises(ValueError, match="balance='lattice'"):
        balanced_space_groups(3, "lattice")
    with pytest.raises(ValueError, match="among names no space group"):
        balanced_space_groups(3, among=())


def test_larger_cells_can_be_asked_for():
    crystals = random_crystals([1, 62, 227], 0, max_atoms=700, atoms_per_lattice_point=(90, 150))
    assert crystals.n_sites.min() > 60 and crystals.n_sites.max() > 250


def test_formulas_name_what_is_in_the_cell(balanced):
    for i in (0, 100, 500):
        one = balanced.crystals[i]
        symbols = {species_symbol(int(code)) for code in one.species}
        assert all(symbol in one.formula[0] for symbol in symbols)

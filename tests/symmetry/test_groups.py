"""The 230 groups as arrays: group axioms, metrics, orbits and absences, from physics and from other programs."""

import gemmi
import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.symmetry import groups

NUMBERS = st.integers(1, 230)
# Edges and angles without accidental symmetry.
GENERIC = np.array([5.1, 7.3, 9.7, 81.0, 97.0, 103.0])
SITE_SYMMETRY_ORDER = {
    **{"1": 1, "-1": 2, "2": 2, "m": 2, "2/m": 4, "222": 4, "mm2": 4, "mmm": 8, "4": 4, "-4": 4, "4/m": 8},
    **{"422": 8, "4mm": 8, "-42m": 8, "4/mmm": 16, "3": 3, "-3": 6, "32": 6, "3m": 6, "-3m": 12, "6": 6},
    **{"-6": 6, "6/m": 12, "622": 12, "6mm": 12, "-62m": 12, "6/mmm": 24, "23": 12, "m-3": 24, "432": 24},
    **{"-43m": 24, "m-3m": 48},
}
ORIENTED_SITE_SYMMETRY = {"m2m": "mm2", "2mm": "mm2", "-4m2": "-42m", "-6m2": "-62m"}

# spglib announces a change of its error handling on every call.
pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


def box(n):
    indices = np.arange(-n, n + 1)
    return np.stack(np.meshgrid(indices, indices, indices, indexing="ij"), axis=-1).reshape(-1, 3)


def conforming(number, cell=GENERIC):
    """A cell with the metric of the group and no other accident."""
    constraints = groups.cell_constraints(number)
    edges = cell[:3][list(constraints.equal_edge)]
    return np.array([*edges, *(a if f is None else f for a, f in zip(cell[3:], constraints.fixed_angle, strict=True))])


def metric_tensor(cell):
    cosines = np.cos(np.radians(cell[3:]))
    gram = np.array([[1, cosines[2], cosines[1]], [cosines[2], 1, cosines[0]], [cosines[1], cosines[0], 1]])
    return gram * np.outer(cell[:3], cell[:3])


def operation_keys(rotations, translations):
    shifts = np.rint(translations * 24).astype(int) % 24
    return {tuple(row) for row in np.concatenate([rotations.reshape(-1, 9), shifts], axis=1).tolist()}


def test_operations_form_a_group_with_the_identity_first():
    for number in groups.SPACE_GROUPS:
        rotations, translations = groups.operations(number)
        np.testing.assert_array_equal(rotations[0], np.eye(3))
        np.testing.assert_array_equal(translations[0], 0)
        r = rotations.astype(int)
        products = (r[:, None] @ r[None]).reshape(-1, 3, 3)
        shifts = (np.einsum("aij,bj->abi", r, translations) + translations[:, None]).reshape(-1, 3)
        assert operation_keys(products, shifts) == operation_keys(r, translations), number


def test_coset_representatives_come_first_then_repeat_for_every_centring_vector():
    lattice_points = {"P": 1, "A": 2, "C": 2, "I": 2, "R": 3, "F": 4}
    for number in groups.SPACE_GROUPS:
        blocks = groups.operations(number).rotations.reshape(lattice_points[groups.centring(number)], -1, 3, 3)
        assert np.all(blocks == blocks[:1])
        assert len(np.unique(blocks[0].reshape(-1, 9), axis=0)) == len(blocks[0])


def test_origin_choice_2_puts_an_inversion_centre_at_the_origin():
    for number in groups.SPACE_GROUPS:
        rotations, translations = groups.operations(number)
        inversions = translations[np.all(rotations == -np.eye(3), axis=(1, 2))]
        if len(inversions):
            assert np.any(np.all(inversions == 0, axis=1)), number
    assert (groups.hall_number(227), groups.hall_number(68), groups.hall_number(166)) == (526, 323, 458)


def test_laue_rotations_are_the_class_of_their_name_and_a_group():
    orders = {"-1": 2, "2/m": 4, "mmm": 8, "4/m": 8, "4/mmm": 16, "-3": 6, "-3m": 12, "6/m": 12, "6/mmm": 24}
    orders |= {"m-3": 24, "m-3m": 48}
    for number in groups.SPACE_GROUPS:
        rotations = groups.laue_rotations(number).astype(int)
        rows = {tuple(r) for r in rotations.reshape(-1, 9).tolist()}
        products = (rotations[:, None] @ rotations[None]).reshape(-1, 9)
        assert len(rotations) == len(rows) == orders[groups.laue_class(number)]
        assert {tuple(r) for r in products.tolist()} == rows
        assert tuple((-np.eye(3, dtype=int)).ravel()) in rows


@given(NUMBERS, st.lists(st.floats(2.0, 20.0), min_size=3, max_size=3), st.floats(70.0, 110.0))
@settings(max_examples=60, deadline=None)
def test_conforming_cells_are_those_whose_metric_the_group_keeps(number, edges, angle):
    cell = conforming(number, np.array([*edges, angle, angle + 1, angle + 3]))
    tensor = metric_tensor(cell)
    for rotation in groups.laue_rotations(number):
        np.testing.assert_allclose(rotation.T @ tensor @ rotation, tensor, rtol=1e-9, atol=1e-9 * tensor.max())
    assert groups.conforming_cell(number, cell)


def test_a_strain_that_breaks_the_metric_is_seen_and_one_that_does_not_is_not():
    strains = 0.01 * np.concatenate([np.diag(GENERIC), -np.diag(GENERIC)])
    for number in groups.SPACE_GROUPS:
        cells = conforming(number) + strains
        kept = [
            all(np.allclose(r.T @ g @ r, g, rtol=1e-6, atol=1e-6 * g.max()) for r in groups.laue_rotations(number))
            for g in map(metric_tensor, cells)
        ]
        np.testing.assert_array_equal(groups.conforming_cell(number, cells), kept, err_msg=str(number))


def test_conforming_cell_counts_tolerance_as_strain():
    assert groups.conforming_cell(225, [5.0, 5.0, 5.004, 90.0, 90.0, 90.05], tolerance=1e-3)
    assert not groups.conforming_cell(225, [5.0, 5.0, 5.006, 90.0, 90.0, 90.0], tolerance=1e-3)
    assert not groups.conforming_cell(225, [5.0, 5.0, 5.0, 90.0, 90.0, 90.06], tolerance=1e-3)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        groups.conforming_cell(225, [5.0, 5.0, 5.0])


@pytest.mark.parametrize(
    ("number", "absent", "present"),
    [
        (227, [(2, 0, 0), (2, 2, 1), (4, 2, 0), (6, 0, 0)], [(1, 1, 1), (2, 2, 0), (4, 0, 0), (2, 2, 2)]),
        (14, [(1, 0, 1), (0, 0, 1), (0, 1, 0), (0, 3, 0)], [(1, 0, 2), (1, 0, 0), (0, 2, 0), (0, 1, 1)]),
        (169, [(0, 0, n) for n in (1, 2, 3, 4, 5, 7)], [(0, 0, 6), (0, 0, 12), (1, 0, 1)]),
        (220, [(1, 0, 0), (2, 0, 0), (1, 1, 0), (2, 2, 2), (3, 3, 0)], [(2, 1, 1), (2, 2, 0), (4, 0, 0), (3, 1, 0)]),
        (167, [(1, 0, 1), (0, 0, 3), (-1, 0, 1), (1, 1, 1)], [(0, 1, 2), (1, 0, 4), (1, 1, 0), (0, 0, 6), (1, 1, 3)]),
        (76, [(0, 0, 1), (0, 0, 2), (0, 0, 6)], [(0, 0, 4), (0, 1, 1)]),
        (61, [(0, 1, 2), (1, 0, 1), (1, 2, 0)], [(0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 1, 1)]),
        (225, [(1, 0, 0), (2, 1, 1)], [(1, 1, 1), (2, 0, 0), (4, 2, 0)]),
        (1, [], [(1, 0, 0), (0, 0, 1)]),
    ],
)
def test_absences_known_by_hand(number, absent, present):
    np.testing.assert_array_equal(
        groups.is_absent(number, np.array([*absent, *present])), [True] * len(absent) + [False] * len(present)
    )


def test_absences_agree_with_gemmi_for_all_groups():
    hkl = box(7)
    for number in groups.SPACE_GROUPS:
        theirs = gemmi.get_spacegroup_reference_setting(number).operations().systematic_absences(hkl.astype(np.int32))
        np.testing.assert_array_equal(groups.is_absent(number, hkl), theirs, err_msg=str(number))


def test_absent_reflections_are_those_to_which_no_general_orbit_scatters():
    hkl = box(4)
    points = np.random.default_rng(7).random((3, 3))
    for number in groups.SPACE_GROUPS:
        rotations, translations = groups.operations(number)
        orbit = np.einsum("nij,pj->pni", rotations, points) + translations
        amplitude = np.abs(np.exp(2j * np.pi * (orbit @ hkl.T)).sum(axis=1)).max(axis=0)
        np.testing.assert_array_equal(groups.is_absent(number, hkl), amplitude < 1e-9, err_msg=str(number))


@given(NUMBERS, st.lists(st.tuples(*[st.integers(-40, 40)] * 3), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_absence_is_the_same_for_laue_equivalent_reflections(number, hkl):
    hkl = np.array(hkl)
    expected = groups.is_absent(number, hkl)
    for rotation in groups.laue_rotations(number):
        np.testing.assert_array_equal(groups.is_absent(number, hkl @ rotation.astype(int)), expected)


@pytest.mark.parametrize("hkl", [np.zeros((2, 3)), np.zeros((2, 4), int), np.zeros(3, int)])
def test_indices_that_are_no_integer_triples_are_refused(hkl):
    with pytest.raises(ValueError, match="integers of shape"):
        groups.is_absent(62, hkl)


def test_wyckoff_orbits_are_closed_and_their_site_symmetry_has_the_right_order():
    free = np.array([0.1234567, 0.3141593, 0.6180340])
    for number in groups.SPACE_GROUPS:
        rotations, translations = groups.operations(number)
        positions = groups.wyckoff_positions(number)
        assert positions[0].degrees_of_freedom == 3 and positions[0].multiplicity == len(rotations)
        assert len({p.letter for p in positions}) == len(positions) and positions[-1].letter == "a"
        for position in positions:
            site = position.representative[:, :3] @ free + position.representative[:, 3]
            everything = (rotations @ site + translations + 1e-9) % 1.0
            orbit = (rotations[position.orbit] @ site + translations[position.orbit] + 1e-9) % 1.0
            distinct = {tuple(p) for p in np.round(everything, 6).tolist()}
            assert {tuple(p) for p in np.round(orbit, 6).tolist()} == distinct
            assert len(distinct) == position.multiplicity == len(position.orbit)
            stabiliser = np.linalg.norm((everything - orbit[0] + 0.5) % 1.0 - 0.5, axis=1) < 1e-6
            symbol = position.site_symmetry.replace(".", "")
            order = SITE_SYMMETRY_ORDER[ORIENTED_SITE_SYMMETRY.get(symbol, symbol)]
            assert order == stabiliser.sum() == len(rotations) // position.multiplicity, (number, position.letter)
            assert np.linalg.matrix_rank(position.representative[:, :3]) == position.degrees_of_freedom


@pytest.mark.parametrize("number", groups.SPACE_GROUPS)
def test_spglib_finds_each_wyckoff_position_on_a_crystal_with_one_atom_on_each(number):
    # The origin may be one of several that the normaliser allows, which permutes letters but not the whole list.
    # Groups without special positions need more than one general orbit: a single one has a higher symmetry.
    rotations, translations = groups.operations(number)
    positions = groups.wyckoff_positions(number)
    rng = np.random.default_rng(number)
    points, species = [], []
    for i, position in enumerate([*positions, *positions[:1] * 2]):
        site = position.representative[:, :3] @ rng.random(3) + position.representative[:, 3]
        points.append(rotations[position.orbit] @ site + translations[position.orbit])
        species += [i + 1] * position.multiplicity
    cell = conforming(number) * np.array([10, 10, 10, 1, 1, 1])
    lattice = np.linalg.cholesky(metric_tensor(cell))
    found = spglib.get_symmetry_dataset(
        (lattice, np.concatenate(points), species), symprec=1e-4, hall_number=groups.hall_number(number)
    )
    assert found.number == number
    theirs = set(zip(found.wyckoffs, (s.replace(".", "") for s in found.site_symmetry_symbols), strict=True))
    assert theirs == {(p.letter, p.site_symmetry.replace(".", "")) for p in positions}


def test_the_tetrahedral_site_of_fluorite():
    eight_c = groups.wyckoff_positions(225)[-3]
    assert (eight_c.letter, eight_c.multiplicity, eight_c.site_symmetry) == ("c", 8, "-43m")
    np.testing.assert_array_equal(eight_c.representative[:, 3], 0.25)
    assert eight_c.degrees_of_freedom == 0


def test_enantiomorphic_pairs_are_the_groups_that_inversion_turns_into_another():
    pairs = set()
    for number in groups.SPACE_GROUPS:
        rotations, translations = groups.operations(number)
        mirrored = spglib.get_spacegroup_type_from_symmetry(rotations.astype(int), -translations)
        if mirrored.number != number:
            pairs.add(tuple(sorted((number, mirrored.number))))
    assert pairs == set(groups.ENANTIOMORPHIC_PAIRS)


@pytest.mark.parametrize("number", [0, 231, -1, 3.5, "62"])
@pytest.mark.parametrize(
    "function",
    [groups.symbol, groups.operations, groups.laue_rotations, groups.cell_constraints, groups.wyckoff_positions],
)
def test_a_number_outside_1_to_230_is_named(function, number):
    with pytest.raises(ValueError, match=f"{number!r} does not exist; give an integer from 1 to 230"):
        function(number)


def test_cached_arrays_cannot_be_changed():
    for array in (*groups.operations(14), groups.laue_rotations(14), groups.wyckoff_positions(14)[0].orbit):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1

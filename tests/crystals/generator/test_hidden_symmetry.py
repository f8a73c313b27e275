"""The symmetry search: hand-known crystals, and lattices whose isometries are counted in any textbook."""

import numpy as np
import pytest

from paperlib.crystals.cell_geometry import lattice_of, nearest, new_frame, reduced_basis, set_frame
from paperlib.crystals.generator.hidden_symmetry import NONE, ROTATION, TRANSLATION, hidden_symmetry, isometries
from paperlib.symmetry.wyckoff_tables import wyckoff_tables


def frame_of(group, cell):
    frame = new_frame()
    assert set_frame(np.array(cell, dtype=float), wyckoff_tables().primitive[group], frame)
    return frame


def verdict(group, cell, atoms, margin=0.05):
    """Of atoms {species: fractional coordinates in the cell}, all of one primitive cell."""
    frame = frame_of(group, cell)
    points = np.concatenate([np.array(places, dtype=float) for places in atoms.values()])
    kinds = np.repeat(np.arange(len(atoms)), [len(places) for places in atoms.values()])
    fractions = points @ frame.from_cell
    return hidden_symmetry(wyckoff_tables(), group, fractions, kinds, len(points), len(atoms), frame, margin)


@pytest.mark.parametrize(
    ("group", "cell", "order"),
    [
        (1, (5.1, 6.3, 7.7, 81, 96, 103), 2),
        (3, (5.1, 6.3, 7.7, 90, 107, 90), 4),
        (16, (5.1, 6.3, 7.7, 90, 90, 90), 8),
        (21, (5.1, 6.3, 7.7, 90, 90, 90), 8),
        (75, (5.1, 5.1, 7.7, 90, 90, 90), 16),
        (79, (5.1, 5.1, 7.7, 90, 90, 90), 16),
        (143, (5.1, 5.1, 7.7, 90, 90, 120), 24),
        (146, (5.1, 5.1, 7.7, 90, 90, 120), 12),
        (195, (5.1, 5.1, 5.1, 90, 90, 90), 48),
        (196, (5.1, 5.1, 5.1, 90, 90, 90), 48),
        (197, (5.1, 5.1, 5.1, 90, 90, 90), 48),
        # accidents: a triclinic cell that is cubic, an orthorhombic one that is tetragonal, an R lattice that is cubic
        (1, (5.1, 5.1, 5.1, 90, 90, 90), 48),
        (16, (5.1, 5.13, 7.7, 90, 90, 90), 16),
        (146, (5.1, 5.1, 5.1 * np.sqrt(6), 90, 90, 120), 48),
    ],
)
def test_isometries_of_the_14_lattices_and_of_accidents(group, cell, order):
    found = isometries(frame_of(group, cell).lattice, 0.05)
    assert len(found) == order == len(np.unique(found.reshape(-1, 9), axis=0))
    assert np.all(np.abs(np.linalg.det(found)).round(9) == 1)


def test_reduced_basis_spans_the_same_lattice_with_shortest_vectors():
    rng = np.random.default_rng(0)
    for _ in range(50):
        short = rng.normal(size=(3, 3)) + 3 * np.eye(3)
        mix = np.array([[1, rng.integers(-3, 4), rng.integers(-3, 4)], [0, 1, rng.integers(-3, 4)], [0, 0, 1]])
        basis = reduced_basis(mix @ short)
        change = basis @ np.linalg.inv(short)
        np.testing.assert_allclose(change, change.round(), atol=1e-9)
        assert abs(round(np.linalg.det(change))) == 1
        grid = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), axis=-1).reshape(-1, 3)
        lengths = np.sort(np.linalg.norm(grid @ basis, axis=1))
        own = np.linalg.norm(basis, axis=1)
        assert own[0] == pytest.approx(lengths[1]) and np.all(np.diff(own) >= -1e-9)


def test_nearest_agrees_with_a_search_over_many_images():
    rng, image = np.random.default_rng(1), np.zeros(3, dtype=np.int64)
    shifts = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3), axis=-1).reshape(-1, 3)
    for cell in ((3.0, 8.0, 4.0, 90, 40, 90), (2.0, 2.0, 15.0, 90, 90, 120), (5.0, 6.0, 7.0, 70, 50, 80)):
        frame = frame_of(1, cell)
        for difference in rng.uniform(-1, 1, (40, 3)):
            squares = np.sum(((difference + shifts) @ frame.lattice) ** 2, axis=1)
            expected = squares.min() if squares.min() < 2.5**2 else np.inf
            assert nearest(*difference, frame, 2.5, image) == pytest.approx(expected)


def test_the_frame_keeps_distances():
    for group, cell in (
        (196, (5.1, 5.1, 5.1, 90, 90, 90)),
        (146, (5.1, 5.1, 9.7, 90, 90, 120)),
        (5, (9, 5, 7, 90, 130, 90)),
    ):
        frame, lattice = frame_of(group, cell), lattice_of(np.array(cell, dtype=float))
        vector = np.array([0.13, 0.41, 0.77])
        inside = vector @ frame.from_cell @ frame.lattice
        assert np.linalg.norm(inside) == pytest.approx(np.linalg.norm(vector @ lattice))


CUBIC = (4.2, 4.2, 4.2, 90, 90, 90)


def test_caesium_chloride_is_not_p23():
    atoms = {"Cs": [(0, 0, 0)], "Cl": [(0.5, 0.5, 0.5)]}
    assert verdict(195, CUBIC, atoms) == ROTATION
    assert verdict(221, CUBIC, atoms) == NONE


def test_the_same_atom_in_the_corner_and_the_centre_is_body_centred():
    atoms = {"W": [(0, 0, 0), (0.5, 0.5, 0.5)]}
    assert verdict(221, CUBIC, atoms) == TRANSLATION
    assert verdict(229, CUBIC, {"W": [(0, 0, 0)]}) == NONE


def test_zinc_blende_with_one_element_is_diamond():
    quarter = (0.25, 0.25, 0.25)
    assert verdict(216, (5.4,) * 3 + (90,) * 3, {"Zn": [(0, 0, 0)], "S": [quarter]}) == NONE
    assert verdict(216, (5.4,) * 3 + (90,) * 3, {"C": [(0, 0, 0), quarter]}) == ROTATION


def test_two_like_atoms_always_have_a_centre_but_two_and_a_third_need_not():
    cell = (5.1, 6.3, 7.7, 81, 96, 103)
    assert verdict(1, cell, {"C": [(0.1, 0.2, 0.3), (0.6, 0.5, 0.1)]}) == ROTATION
    assert verdict(1, cell, {"C": [(0.1, 0.2, 0.3), (0.6, 0.5, 0.1)], "O": [(0.9, 0.3, 0.8)]}) == NONE


@pytest.mark.parametrize(("z", "expected"), [(0.002, ROTATION), (0.03, NONE)])
def test_coordinates_near_a_special_value_count_within_the_margin(z, expected):
    cell = (6.3, 6.3, 8.7, 90, 90, 90)
    atoms = {"Ti": [(0, 0, 0)], "Ba": [(0.5, 0.5, 0.5 + z)], "O": [(0, 0, 0.5)]}  # P4mm, P4/mmm at z = 0
    assert verdict(99, cell, atoms, margin=0.05) == expected


@pytest.mark.parametrize(("b", "expected"), [(5.12, ROTATION), (5.4, NONE)])
def test_a_metric_accident_counts_where_the_atoms_comply(b, expected):
    atoms = {"Na": [(0, 0, 0)], "Cl": [(0.5, 0.5, 0.5)]}
    assert verdict(47, (5.1, b, 7.7, 90, 90, 90), atoms) == expected
    along_x = {"Na": [(0.0, 0, 0)], "Cl": [(0.5, 0, 0)]}
    assert verdict(47, (5.1, b, 7.7, 90, 90, 90), along_x) == NONE

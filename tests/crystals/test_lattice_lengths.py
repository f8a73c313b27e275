"""Lengths of a lattice: the same whatever cell describes it, known for the textbook lattices, never jumping."""

import itertools

import numpy as np
import pytest
import spglib
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice

from paperlib.crystals.lattice_lengths import lattice_lengths, relabellings
from paperlib.symmetry.groups import crystal_system
from tests.crystals.conftest import CELLS, class_lengths, primitive_vectors

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

seeds = st.integers(0, 2**32 - 1)


def lengths_of(lattice):
    """Lengths of a lattice given by any three vectors that span it."""
    return lattice_lengths(np.array([Lattice(lattice).parameters]), np.array([1]))[0]


def difference(first, second):
    """Largest difference of the logarithms under the best relabelling."""
    return np.abs(np.log(second[relabellings()] / first)).max(axis=1).min()


def random_lattice(rng):
    """Rows of a triclinic lattice, up to rather oblique ones."""
    return rng.uniform(3, 9, (3, 1)) * (np.eye(3) + rng.uniform(-0.6, 0.6, (3, 3)))


def random_basis(rng, n_shears=6):
    """(3, 3) of whole numbers with determinant 1 or -1."""
    matrix = np.eye(3, dtype=int)[rng.permutation(3)]
    for _ in range(n_shears):
        i, j = rng.permutation(3)[:2]
        matrix[i] += rng.integers(-2, 3) * matrix[j]
    return matrix


@pytest.mark.parametrize(
    ("number", "cell", "expected"),
    [
        (221, (4, 4, 4, 90, 90, 90), [4] * 3 + [4 * 2**0.5] * 3 + [4 * 3**0.5]),
        (225, (4, 4, 4, 90, 90, 90), [4 / 2**0.5] * 6 + [4]),
        (229, (4, 4, 4, 90, 90, 90), [4 * 3**0.5 / 2] * 4 + [4] * 3),
        (191, (3, 3, 5, 90, 90, 120), [3] * 3 + [5] + [34**0.5] * 3),
        (47, (3, 4, 12, 90, 90, 90), [3, 4, 5, 12, 153**0.5, 160**0.5, 13]),
    ],
    ids=["primitive cube", "face-centred cube", "body-centred cube", "hexagonal", "orthorhombic"],
)
def test_textbook_lattices(number, cell, expected):
    found = lattice_lengths(np.array([cell], float), np.array([number]))
    np.testing.assert_allclose(np.sort(found[0]), expected, rtol=1e-12)


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_each_length_is_the_shortest_of_all_vectors_of_its_class(seed):
    lattice = random_lattice(np.random.default_rng(seed))
    # lengths along other edges differ in the digits that their sums cancel, a few in some lattices
    assert difference(lengths_of(lattice), class_lengths(lattice)) < 1e-7


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_every_basis_of_a_lattice_gives_the_same_lengths(seed):
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng)
    assert difference(lengths_of(lattice), lengths_of(random_basis(rng) @ lattice)) < 1e-6


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_another_lattice_has_other_lengths(seed):
    """A sublattice of index 2 differs, though it shares most of its vectors with the lattice."""
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng)
    doubled = np.diag(rng.permutation([2, 1, 1])) @ random_basis(rng) @ lattice
    assert difference(lengths_of(lattice), lengths_of(doubled)) > 0.01


def test_a_centred_cell_and_its_primitive_cell_are_one_lattice():
    rng = np.random.default_rng(0)
    for number in range(1, 231):
        cell = np.array(CELLS[crystal_system(number)])
        cell[:3] *= rng.uniform(0.8, 1.2)
        centred = lattice_lengths(cell[None], np.array([number]))[0]
        primitive = primitive_vectors(number) @ Lattice.from_parameters(*cell).matrix
        assert difference(centred, lengths_of(primitive)) < 1e-9, number


@settings(max_examples=150, deadline=None)
@given(seeds, st.floats(1e-5, 0.2))
def test_a_strain_moves_no_length_by_more_than_its_size(seed, size):
    rng = np.random.default_rng(seed)
    lattice = random_lattice(rng)
    turns = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2)]
    stretch = 1 + size * rng.uniform(0, 1, 3)  # each vector becomes longer, by the factor 1 + size at most
    strained = lattice @ turns[0] @ np.diag(stretch) @ turns[1]
    assert difference(lengths_of(lattice), lengths_of(strained)) <= np.log1p(size) + 1e-9


def test_lengths_hardly_change_where_the_niggli_cell_jumps():
    """An angle passes 90 degrees, and spglib turns a cell with an angle of 60 degrees into one with 120."""
    before, after = (Lattice.from_parameters(4, 5, 7, 89.99, 90 + step, 65).matrix for step in (-0.01, 0.01))
    angles = [Lattice(spglib.niggli_reduce(lattice)).angles for lattice in (before, after)]
    assert np.abs(np.subtract(*angles)).max() > 30
    assert difference(lengths_of(before), lengths_of(after)) < 1e-3


def test_the_relabellings_are_the_group_of_the_invertible_matrices_modulo_2():
    found = {tuple(row) for row in relabellings().tolist()}
    assert len(found) == len(relabellings()) == 168
    assert tuple(range(7)) in found
    for a, b in itertools.product(found, repeat=2):
        assert tuple(a[k] for k in b) in found
    matrices = (np.array(bits).reshape(3, 3) for bits in itertools.product((0, 1), repeat=9))
    assert sum(round(np.linalg.det(matrix)) % 2 for matrix in matrices) == 168


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_a_change_of_basis_exchanges_the_classes_as_a_relabelling_does(seed):
    matrix = random_basis(np.random.default_rng(seed))
    bits = np.array([[p & 1, p >> 1 & 1, p >> 2] for p in range(1, 8)])
    images = bits @ matrix % 2 @ [1, 2, 4] - 1
    assert images.tolist() in relabellings().tolist()


@pytest.mark.parametrize(
    "cell",
    [
        (5, 5, 5, 150, 20, 20),
        (5, 5, 5, 60, 60, 120),
        (0, 5, 5, 90, 90, 90),
        (np.nan, 5, 5, 90, 90, 90),
        (5, 0, 5, 90, 90, 90),
        (5, -5, -5, 90, 90, 90),
        (5, np.inf, 5, 90, 90, 90),
        (5, 5, np.nan, 90, 90, 90),
        (5, 5, 5, np.nan, 90, 90),
        (5, 5, 5, 90, 270, 100),
    ],
)
def test_a_cell_without_volume_has_no_lengths_and_disturbs_no_other(cell):
    good = (4, 5, 6, 80, 85, 95)
    found = lattice_lengths(np.array([good, cell, good], float), np.array([1, 1, 1]))
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[0], found[2])
    assert np.isfinite(found[0]).all()


def test_no_cells_have_no_lengths():
    assert lattice_lengths(np.zeros((0, 6)), np.zeros(0, dtype=int)).shape == (0, 7)

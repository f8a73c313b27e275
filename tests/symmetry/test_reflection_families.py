"""Families of reflections: multiplicities that every crystallographer knows, and settings of orthorhombic groups."""

import numpy as np
import pytest

from paperlib.symmetry.extinction import class_members, class_of_space_group
from paperlib.symmetry.groups import SPACE_GROUPS, is_absent, laue_rotations
from paperlib.symmetry.reflection_families import axes_of_class, equivalents, is_forbidden, representatives

BOX = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize(
    ("number", "hkl", "called", "multiplicity"),
    [
        (225, (-1, 3, 1), (3, 1, 1), 24),
        (225, (0, 0, -2), (2, 0, 0), 6),
        (205, (0, 1, 2), (2, 1, 0), 24),  # m-3 keeps 120 and 210 apart, no powder pattern does
        (85, (1, 2, 0), (2, 1, 0), 8),  # nor 4/m
        (62, (-1, 2, -3), (1, 2, 3), 8),
        (14, (1, -1, 1), (1, 1, 1), 4),
        (14, (-1, 0, 2), (1, 0, -2), 2),  # h0l and h0-l are two lines of a monoclinic cell
        (191, (2, -1, 0), (1, 1, 0), 6),
        (166, (1, 0, -2), (0, 1, 2), 6),  # obverse: 012 is there, 102 is not
        (2, (-1, -2, -3), (1, 2, 3), 2),
    ],
)
def test_known_families(number, hkl, called, multiplicity):
    assert tuple(representatives(number, np.array([hkl]))[0]) == called
    assert len(np.unique(equivalents(number, np.array([hkl]))[:, 0], axis=0)) == multiplicity


@pytest.mark.parametrize("number", [2, 14, 62, 88, 136, 148, 160, 205, 227])
def test_laue_equivalents_have_one_name_and_it_names_itself(number):
    called = representatives(number, BOX)
    for rotation in laue_rotations(number).astype(np.int64):
        np.testing.assert_array_equal(representatives(number, BOX @ rotation), called)
    np.testing.assert_array_equal(representatives(number, called), called)


def test_mixed_indices_are_forbidden_by_f_and_odd_sums_by_i():
    odd = BOX % 2
    mixed = ~((odd[:, 0] == odd[:, 1]) & (odd[:, 1] == odd[:, 2]))
    np.testing.assert_array_equal(is_forbidden(225, BOX), mixed)
    np.testing.assert_array_equal(is_forbidden(229, BOX), BOX.sum(1) % 2 == 1)
    assert not is_forbidden(221, BOX).any()


def test_the_d_glide_of_diamond_forbids_200_and_420_and_allows_400_and_220():
    assert is_forbidden(227, np.array([[2, 0, 0], [4, 2, 0], [4, 0, 0], [2, 2, 0]])).tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert not is_forbidden(225, np.array([[2, 0, 0], [4, 2, 0]])).any()


def test_a_family_of_pa3_is_forbidden_only_where_none_of_it_is_there():
    assert is_absent(205, np.array([[0, 1, 2], [0, 2, 1]])).tolist() == [True, False]
    assert is_forbidden(205, np.array([[0, 1, 2], [0, 1, 0], [0, 1, 1]])).tolist() == [False, True, True]


@pytest.mark.parametrize("scheme", ["absences", "published", "crystal_system"])
def test_in_the_setting_of_its_class_every_group_has_the_absences_of_the_first(scheme):
    turned = 0
    for number in SPACE_GROUPS:
        axes = axes_of_class(number, scheme)
        first = class_members(number, scheme)[0]
        np.testing.assert_array_equal(is_absent(first, BOX[:, axes]), is_absent(number, BOX))
        turned += axes != (0, 1, 2)
    assert turned > 5


def test_pma2_is_turned_to_pmc21_and_fits_as_it_stands_where_it_can():
    assert class_of_space_group()[28] == class_of_space_group()[26]
    assert axes_of_class(28) == (2, 1, 0)  # h0l: h = 2n becomes h0l: l = 2n
    assert axes_of_class(26) == axes_of_class(22) == axes_of_class(225) == (0, 1, 2)

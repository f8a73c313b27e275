"""Which classes allow what a group forbids: cases that Tables A show at a glance, and the order itself."""

import numpy as np
import pytest

from paperlib.symmetry.absence_order import (
    KINDS,
    classes_that_allow,
    kinds_of_absence,
    looser_classes,
    stricter_classes,
)
from paperlib.symmetry.extinction import class_of_space_group
from paperlib.symmetry.groups import crystal_family, is_absent

CLASS = class_of_space_group("absences")
INDICES = np.arange(-6, 7)
BOX = np.stack(np.meshgrid(INDICES, INDICES, INDICES, indexing="ij"), axis=-1).reshape(-1, 3)
SOME = (1, 14, 15, 19, 62, 63, 70, 88, 136, 141, 148, 161, 167, 176, 205, 221, 225, 227, 229, 230)


def looser(number):
    return {related.index: related for related in looser_classes(number)}


@pytest.mark.parametrize(
    ("own", "other", "kind"),
    [(225, 221, "centring"), (229, 221, "centring"), (227, 225, "glide"), (4, 3, "screw"), (14, 4, "glide"),
     (14, 7, "screw"), (166, 191, "centring"), (176, 191, "screw"), (167, 166, "glide"), (205, 221, "glide")],
)  # fmt: skip
def test_what_two_classes_differ_by(own, other, kind):
    assert looser(own)[CLASS[other]].kind == kind


def test_a_primitive_cube_without_glides_has_no_looser_class_and_forbids_nothing():
    assert looser_classes(221) == () and not is_absent(221, BOX).any()
    assert {CLASS[225], CLASS[229], CLASS[205], CLASS[230]} <= {related.index for related in stricter_classes(221)}


def test_face_centring_does_not_contain_the_body_centring():
    # 111 is allowed by F and not by I, 110 by I and not by F
    assert CLASS[229] not in looser(225) and CLASS[225] not in looser(229)


def test_fm3m_with_100_put_in_fits_p_and_what_allows_100():
    # the screw axes of P2_1 and P4_2 forbid 100, the planes of Pn and Pa do not all
    allow = classes_that_allow(225, np.array([[1, 0, 0]]))
    assert CLASS[221] in allow and CLASS[198] not in allow and CLASS[208] not in allow
    assert classes_that_allow(225, np.array([[1, 0, 0], [1, 1, 0], [2, 1, 0]])) == (CLASS[221],)


@pytest.mark.parametrize("number", SOME)
def test_looser_classes_allow_more_and_stricter_ones_less(number):
    own = is_absent(number, BOX)
    for related in looser_classes(number):
        theirs = related.absent(BOX)
        assert not (theirs & ~own).any() and (own & ~theirs).any()
        assert crystal_family(related.member) == crystal_family(number) and related.index == CLASS[related.member]
    for related in stricter_classes(number):
        theirs = related.absent(BOX)
        assert not (own & ~theirs).any() and (theirs & ~own).any()


@pytest.mark.parametrize("number", [n for n in SOME if looser_classes(n)])
def test_both_directions_tell_the_same_pairs(number):
    for related in looser_classes(number):
        assert CLASS[number] in {back.index for back in stricter_classes(related.member)}


@pytest.mark.parametrize("number", SOME)
def test_every_absence_has_a_kind_and_nothing_else_does(number):
    kinds = kinds_of_absence(number, BOX)
    np.testing.assert_array_equal(kinds != "", is_absent(number, BOX))
    assert set(kinds) <= {"", *KINDS}


def test_kinds_of_single_reflections():
    # P2_1/c: h0l needs l even (plane), 0k0 k even (axis); Fd-3m: 200 needs h = 4n, which the d planes demand
    assert list(kinds_of_absence(14, np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1]]))) == ["glide", "screw", ""]
    assert list(kinds_of_absence(227, np.array([[1, 0, 0], [2, 0, 0], [4, 0, 0]]))) == ["centring", "glide", ""]


def test_the_order_of_orthorhombic_axes_does_not_matter():
    # Pnma: n in 0kl and a in hk0; of the classes with one n plane the one is found whatever plane it names
    related = looser(62)[CLASS[31]]
    assert (
        related.axes != (0, 1, 2)
        and related.absent(np.array([[0, 1, 0]]))[0] == is_absent(62, np.array([[0, 1, 0]]))[0]
    )


def test_a_group_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="space group 231"):
        looser_classes(231)

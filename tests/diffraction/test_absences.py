import itertools

import gemmi
import numpy as np
import pytest

from paperlib.diffraction.absences import (
    EXAMPLES,
    PERIOD,
    holohedry,
    multiplicities,
    oriented_laue_class,
    present_codes,
    reflection_codes,
)
from paperlib.diffraction.hkl import in_asymmetric_unit
from paperlib.symmetry import extinction, groups

CUBE = np.indices((15, 15, 15)).reshape(3, -1).T - 7
CUBE = CUBE[CUBE.any(axis=1)]


def test_orientations_of_the_trigonal_classes():
    """International Tables A: P312, P31m and P-31m against P321, P3m1 and P-3m1; R groups have the axes of -3m1."""
    first = {number: oriented_laue_class(number) for number in (149, 151, 153, 157, 159, 162, 163)}
    second = {number: oriented_laue_class(number) for number in (150, 152, 154, 155, 156, 158, 160, 161, 164, 167)}
    assert set(first.values()) == {"-31m"}
    assert set(second.values()) == {"-3m1"}


def test_examples_are_of_their_class():
    assert {oriented_laue_class(number) for number in range(1, 231)} == set(EXAMPLES)
    for laue, number in EXAMPLES.items():
        assert oriented_laue_class(number) == laue
        assert len(groups.operations(number).rotations) == len(groups.laue_rotations(number))


@pytest.mark.parametrize("number", range(1, 231))
def test_absences_and_multiplicities_against_gemmi(number):
    """All reflections of the asymmetric unit up to 7 and a few far out; gemmi knows absences by its own code."""
    laue = oriented_laue_class(number)
    far = np.array([[29, 13, 8], [24, 24, 7], [30, 17, 17], [0, 0, 35], [40, 0, 0], [28, 28, 28], [26, 15, 0]])
    hkl = np.concatenate([CUBE, far])
    hkl = hkl[in_asymmetric_unit(laue, hkl)]
    rotations, translations = groups.operations(number)
    triplets = [gemmi.Op(_triplet(r, t)) for r, t in zip(rotations.tolist(), translations.tolist(), strict=True)]
    expected = ~gemmi.GroupOps(triplets).systematic_absences(hkl.astype(np.int32))
    codes = reflection_codes(*hkl.T)
    assert np.array_equal(present_codes(number, laue)[codes], expected)
    orbits = np.einsum("ri,mij->rmj", hkl, groups.laue_rotations(number).astype(int))
    packed = np.sort(orbits @ [10**6, 10**3, 1], axis=1)
    size = 1 + np.count_nonzero(np.diff(packed, axis=1), axis=1)
    assert np.array_equal(multiplicities(laue)[codes // PERIOD**3], size)


def _triplet(rotation, translation):
    rows = []
    for row, shift in zip(rotation, translation, strict=True):
        terms = "".join(f"{'+' if x > 0 else '-'}{name}" for x, name in zip(row, "xyz", strict=True) if x)
        rows.append(f"{terms}+{round(shift * 24)}/24")
    return ",".join(rows)


def test_lines_of_the_lattice():
    """In Pa-3 0kl needs k even: 210 is absent and 120 present, so the line of the cubic lattice is there."""
    code = {name: reflection_codes(*(np.array([int(x)]) for x in name)) for name in ("210", "100", "110", "200", "321")}
    lines = present_codes(205, holohedry(205))
    assert {name: bool(lines[i][0]) for name, i in code.items()} == {
        "210": True, "100": False, "110": False, "200": True, "321": True,
    }  # fmt: skip
    # P4/n and P4/nmm: 210 and 120 have one length; hk0 needs h + k even in both
    for number in (85, 129):
        assert holohedry(number) == "4/mmm"
        assert present_codes(number, "4/mmm")[code["110"]] and not present_codes(number, "4/mmm")[code["210"]]


def test_groups_of_one_class_show_the_same_lines_of_their_lattice():
    """Up to the order of the axes, where the class joins settings that differ in it; and no other group does."""
    lines = {}
    for number in range(1, 231):
        laue = holohedry(number)
        orders = itertools.permutations(range(3)) if laue == "mmm" else [(0, 1, 2)]
        hkl = CUBE[in_asymmetric_unit(laue, CUBE)]
        table = present_codes(number, laue)
        lines[number] = (laue, min(table[reflection_codes(*hkl[:, order].T)].tobytes() for order in orders))
    classes = extinction.extinction_classes("absences")
    assert all(len({lines[number] for number in members}) == 1 for members in classes)
    assert len(set(lines.values())) == len(classes) == 97

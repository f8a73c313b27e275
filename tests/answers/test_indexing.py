"""Reflections of a known cell at lines: which there are, and which class forbids them."""

import numpy as np
import pytest

from paperlib.answers.indexing import index_lines, parse_cell, reflections
from paperlib.answers.lines import Line
from paperlib.symmetry.groups import is_absent

WAVELENGTH = 1.5406


def line(d):
    angle = 2 * np.degrees(np.arcsin(WAVELENGTH / 2 / d))
    return Line(0, float(angle), d, 1.0, 0.1, (0, 1))


def at(cell, hkl, numbers):
    """What is said of the one reflection ``hkl``."""
    every, d = reflections(np.array(cell, dtype=float), 0.9)
    own = next(i for i, row in enumerate(every.tolist()) if row == list(hkl) or [-x for x in row] == list(hkl))
    (found,) = index_lines([line(float(d[own]))], np.array(cell, dtype=float), WAVELENGTH, numbers)
    return {one.hkl: one for one in found}


def test_reflections_of_a_triclinic_cell_by_the_metric():
    cell = np.array([5.0, 6.0, 7.0, 80.0, 95.0, 105.0])
    hkl, d = reflections(cell, 1.5)
    a, b, c = np.radians(cell[3:])
    lattice = np.zeros((3, 3))
    lattice[0, 0] = 5
    lattice[1, :2] = 6 * np.cos(c), 6 * np.sin(c)
    x, y = np.cos(b), (np.cos(a) - np.cos(b) * np.cos(c)) / np.sin(c)
    lattice[2] = 7 * x, 7 * y, 7 * np.sqrt(1 - x * x - y * y)
    expected = 1 / np.linalg.norm(hkl @ np.linalg.inv(lattice).T, axis=1)
    np.testing.assert_allclose(d, expected)
    assert d.min() >= 1.5 and len({tuple(row) for row in hkl.tolist()} & {tuple(-row) for row in hkl}) == 0
    volume = abs(np.linalg.det(lattice))
    assert len(hkl) == pytest.approx(2 / 3 * np.pi * volume / 1.5**3, rel=0.1)


def test_rock_salt_forbids_what_primitive_allows():
    found = at((5.64, 5.64, 5.64, 90, 90, 90), (1, 0, 0), (221, 225))
    assert list(found) == [(1, 0, 0)], "one of the six"
    one = found[1, 0, 0]
    assert one.allowed == (True, False) and one.forbidden_by == ("", "hkl: h + k, h + l, k + l = 2n")
    assert at((5.64, 5.64, 5.64, 90, 90, 90), (1, 1, 1), (221, 225))[1, 1, 1].allowed == (True, True)


def test_a_cell_of_another_metric_says_nothing_of_the_class():
    one = at((4.4, 5.4, 3.4, 90, 90, 90), (0, 0, 2), (62, 225))[0, 0, 2]
    assert one.allowed[1] is None and one.forbidden_by[1] == ""


def test_glides_and_screws_of_a_monoclinic_class():
    cell = (8.0, 6.0, 10.0, 90, 105, 90)
    lines = [
        line(float(d))
        for hkl, d in zip(*reflections(np.array(cell), 2.0), strict=True)
        if not is_absent(14, hkl[None])[0]
    ]
    said = index_lines(lines, np.array(cell, dtype=float), WAVELENGTH, (14, 3))
    assert all(any(one.allowed[0] for one in near) for near in said)
    named = {one.hkl: one for near in said for one in near}
    assert named[1, 1, 0].allowed == (True, True)


def test_axes_of_an_orthorhombic_cell_are_named_as_given():
    """A crystal of Pnma with its axes in another order: the class is the same, and so is what it allows."""
    cell = np.array([5.4, 7.7, 5.2, 90, 90, 90.0])
    hkl, d = reflections(cell, 1.6)
    present = ~is_absent(62, hkl)
    for order in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
        turned = np.concatenate([cell[list(order)], cell[3:]])
        lines = [line(float(x)) for x in d[present]]
        said = index_lines(lines, turned, WAVELENGTH, (62, 47))
        own = {one.hkl: one for near in said for one in near}
        for row in np.abs(hkl[present]).tolist():
            assert own[tuple(row[i] for i in order)].allowed == (True, True)
        forbidden = [one for one in own.values() if one.allowed[0] is False]
        for one in forbidden:
            zone, _, _ = one.forbidden_by[0].partition(":")
            assert all(index == 0 or letter != "0" for index, letter in zip(one.hkl, zone, strict=True))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5 5 5", "six numbers"),
        ("a b c", "six numbers"),
        ("5 5 5 90 90 nan", "six numbers"),
        ("0 5 5 90 90 90", "no cell"),
        ("5 5 5 20 20 170", "no cell"),
        ("5 5 5 90 90 180", "no cell"),
    ],
)
def test_texts_that_are_no_cell(text, says):
    with pytest.raises(ValueError, match=says):
        parse_cell(text)
    np.testing.assert_array_equal(parse_cell("5.64, 5.64, 5.64, 90, 90, 90"), [5.64] * 3 + [90] * 3)


def test_no_lines_have_no_reflections():
    assert index_lines([], np.array([5.0, 5, 5, 90, 90, 90]), WAVELENGTH, (1, 2)) == ()

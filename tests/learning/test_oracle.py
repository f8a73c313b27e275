"""The rival that is given the cell: hand-known lattices, overlap, what nobody can see, and its score on reflection
data."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.datasets.labels import IMPOSSIBLE, Labels
from paperlib.diffraction import ideal
from paperlib.diffraction.absences import reflection_codes
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.profile import draw_peaks
from paperlib.learning import oracle_kernels
from paperlib.learning.made_arms import ReflectionData
from paperlib.learning.oracle import read_absences, reasons
from paperlib.learning.oracle_lines import FAMILIES, family_of_cell, hypotheses
from paperlib.learning.ranked import ranked

LABELS = Labels("published")
INSTRUMENT = Instrument()
RIGHT = [90.0, 90.0, 90.0]


def made(groups, cells, instrument=INSTRUMENT, seed=0):
    """Reflection data of given cells."""
    groups, cells = np.array(groups), np.array(cells, dtype=float)
    more = (instrument, seed, "cpu", "line", np.arange(len(groups)), torch.float64, 2**28)
    patterns = torch.cat([draw_peaks(lines, instrument) for lines, _ in ideal._lines(groups, cells, *more)])
    return (patterns / patterns.amax(1, keepdim=True)).numpy(), cells


def chance(log_p, group, row=0):
    return float(np.exp(log_p[row, LABELS.of([group])[0]]))


def test_there_are_as_many_hypotheses_as_extinction_symbols():
    """International Tables A, table 3.1.4.1: 111 orthorhombic and 14 monoclinic symbols over all settings."""
    n = {family: len(hypotheses(family).extinction_class) for family in FAMILIES}
    assert n == {
        "cubic": 17, "hexagonal": 9, "tetragonal": 31, "orthorhombic": 111, "monoclinic": 14, "triclinic": 1,
    }  # fmt: skip
    classes = [set(hypotheses(family).extinction_class.tolist()) for family in FAMILIES]
    assert sum(map(len, classes)) == len(set().union(*classes)) == 97


def test_a_rhombohedral_lattice_brings_reflections_together_that_are_not_equivalent():
    of_family = hypotheses("hexagonal")
    (row,) = of_family.heights[of_family.extinction_class == Labels("absences").of([146])[0]]
    hkl = np.array([[1, 0, 1], [1, 0, 0], [1, 1, 0], [3, 0, 3], [4, 1, 3], [1, 1, 3]])
    assert row[reflection_codes(*hkl.T)].tolist() == [1, 0, 1, 2, 2, 1]


def test_a_cell_shows_its_family():
    cells = [
        [5, 5, 5, *RIGHT], [5, 5, 7, *RIGHT], [5, 5, 7, 90, 90, 120], [5, 6, 7, *RIGHT],
        [5, 6, 7, 90, 100, 90], [5, 6, 7, 80, 100, 95], [5, 5.1, 5, *RIGHT],
    ]  # fmt: skip
    names = ["cubic", "tetragonal", "hexagonal", "orthorhombic", "monoclinic", "triclinic", "orthorhombic"]
    assert family_of_cell(np.array(cells, dtype=float)).tolist() == names


def test_cubic_lattices_are_told_apart_and_other_families_are_out():
    groups = [221, 229, 225, 2]
    log_p = read_absences(*made(groups, [[6.1, 6.1, 6.1, *RIGHT]] * 3 + [[5, 6, 7, 80, 100, 95]]), INSTRUMENT, LABELS)
    assert all(chance(log_p, group, row) > 0.999 for row, group in enumerate(groups))
    cubic = LABELS.classes_in(Labels("crystal_family")) == 5
    assert (log_p[:3, ~cubic] == IMPOSSIBLE).all() and (log_p[:3, cubic] > IMPOSSIBLE).all()
    assert np.exp(log_p).sum(1) == pytest.approx(1)


def test_a_screw_axis_whose_only_line_is_overlapped_cannot_be_seen():
    """Up to 58° a tetragonal cell with c = 3.1 Å has one line 00l, 001, which 4₂ (and 4₁) forbids. With a = √5 c the
    line 210 stands at the same place; with a = 2.3 c nothing does."""
    short = Instrument(two_theta=(5, 58), n_points=624)
    hidden, alone = [3.1 * 5**0.5, 3.1 * 5**0.5, 3.1, *RIGHT], [7.13, 7.13, 3.1, *RIGHT]
    log_p = read_absences(*made([75, 77, 75, 77], [hidden, hidden, alone, alone], short), short, LABELS)
    p4, screws = (sum(np.exp(log_p[:, LABELS.of([g])[0]]) for g in groups) for groups in ((75,), (76, 77)))
    assert p4 + screws == pytest.approx(1, abs=1e-3)
    assert (p4[:2] > 0.05).all() and (p4[:2] < 0.95).all() and p4[2] > 0.999 and p4[3] < 0.001
    assert log_p[3, LABELS.of([76])[0]] == pytest.approx(log_p[3, LABELS.of([77])[0]]), "002 is out of range"
    said = LABELS.of([76] * 4)
    assert reasons(said, np.array([75, 77, 75, 77]), [hidden, hidden, alone, alone], short, LABELS).tolist() == [
        "overlap or noise", "same lines in the range", "overlap or noise", "same lines in the range",
    ]  # fmt: skip


def test_a_line_below_the_noise_excludes_nothing():
    """P4₂ against P4 with a strong 00l line, a weak one and noise."""
    patterns, cells = made([75], [[7.13, 7.13, 3.1, *RIGHT]])
    clean, noisy = (read_absences(patterns, cells, INSTRUMENT, LABELS, noise) for noise in (1e-6, 0.5))
    assert chance(clean, 75) > 0.999 > chance(noisy, 75)
    assert chance(noisy, 77) > 0.01


def test_classes_with_the_same_absences_share_what_they_have_by_the_prior():
    patterns, cells = made([144, 208], [[7.2, 7.2, 11.3, 90, 90, 120], [7.3, 7.3, 7.3, *RIGHT]])
    log_p = read_absences(patterns, cells, INSTRUMENT, LABELS)
    for row, pair in enumerate([(144, 171), (198, 208)]):
        assert [chance(log_p, group, row) for group in pair] == pytest.approx([0.5, 0.5], abs=1e-6)
    prior = np.bincount(LABELS.of(np.arange(1, 231))) / 230
    told = read_absences(patterns, cells, INSTRUMENT, LABELS, prior=prior)
    assert [chance(told, group) for group in (144, 171)] == pytest.approx([0.6, 0.4], abs=1e-6)
    groups = read_absences(patterns, cells, INSTRUMENT, Labels("space_group"))
    assert np.allclose(np.exp(groups[0, 143 + np.array([0, 1, 7, 8, 9, 10, 27, 28, 36, 37])]), 0.1)


def test_axes_bring_nothing_with_them():
    """The orders of orthorhombic axes, and the cell choices of a monoclinic cell."""
    patterns, cells = made([33, 62, 9, 14], [[5.1, 9.3, 7.2, *RIGHT]] * 2 + [[6.3, 8.1, 7.7, 90, 104, 90]] * 2)
    turned = cells.copy()
    turned[:2, :3] = cells[:2, [2, 0, 1]]
    a, c, cosine = 6.3, 7.7, np.cos(np.radians(104))
    diagonal = np.sqrt(a * a + c * c + 2 * a * c * cosine)  # the axes c, b and -a-c
    turned[2:] = [c, 8.1, diagonal, 90, np.degrees(np.arccos(-(a * cosine + c) / diagonal)), 90]
    assert cell_volume(turned) == pytest.approx(cell_volume(cells))
    one, other = (read_absences(patterns, x, INSTRUMENT, LABELS) for x in (cells, turned))
    assert (np.abs(np.exp(one) - np.exp(other)) < 1e-3).all()
    assert (one.argmax(1) == LABELS.of([33, 62, 9, 14])).all()


def test_the_density_is_that_of_the_dense_covariance():
    draws = np.random.default_rng(0)
    first, profile, heights = np.array([0, 2, 3, 9]), draws.random((4, 4)), np.array([1, 2, 0, 1], dtype=np.uint8)
    lines = np.zeros((4, 12))
    for r, start in enumerate(first):
        lines[r, start : start + 4] = profile[r, : 12 - start]
    pattern, mean, covariance = draws.random(12), np.empty(12), np.empty((12, 4))
    oracle_kernels._sum_lines(first, profile, heights, mean, covariance)
    work = np.empty((12, 4)), np.empty(12)
    found = oracle_kernels._log_likelihood(pattern, mean, covariance, 0.7, 0.5, 0.1, *work)
    dense = 0.35**2 * (lines.T * heights) @ lines + 0.01 * np.eye(12)
    expected = multivariate_normal(0.7 * heights @ lines, dense).logpdf(pattern) + 6 * np.log(2 * np.pi)
    assert found == pytest.approx(expected)


def test_reflection_data_are_read_up_to_their_ceiling():
    test = ReflectionData(LABELS, INSTRUMENT, 64, 99, balance="classes").test("ideal", 99)
    items, cells = test.items(0), test.cells()
    log_p = read_absences(items.patterns, cells, INSTRUMENT, LABELS)
    assert ranked(log_p, LABELS.of(items.space_group)).hit(3).mean() == 1
    why = reasons(log_p.argmax(1), items.space_group, cells, INSTRUMENT, LABELS)
    assert (why == "right").sum() >= 95 and (why == "same absences").sum() == 2
    assert "overlap or noise" not in why and "another family" not in why
    assert reasons(LABELS.of([2]), np.array([221]), cells[-1:] * 0 + [5, 5, 5, *RIGHT], INSTRUMENT, LABELS) == [
        "another family"
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"patterns": np.ones((2, 1000))}, r"\(2, 1000\)"),
        ({"patterns": np.zeros((1, 1000))}, "pattern 0 has the maximum 0"),
        ({"instrument": Instrument(eta=0.5)}, "Gaussians"),
        ({"labels": Labels("crystal_family")}, "does not collapse to absences"),
        ({"prior": np.zeros(99)}, "positive probability"),
    ],
)
def test_what_cannot_be_read_is_refused(change, message):
    given = {"patterns": np.ones((1, 1000)), "cells": np.array([[5.0, 5, 5, *RIGHT]]), "instrument": INSTRUMENT}
    with pytest.raises(ValueError, match=message):
        read_absences(**given | {"labels": LABELS} | change)

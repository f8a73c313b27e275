"""Altered patterns: as they were where nothing is altered, and what each alteration does to lines and points."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from paperlib.diffraction.altered import Alteration, altered_patterns
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.simulate import powder_patterns

SPOILT = Imperfections(zero_shift=(-0.05, 0.05), crystallite_size=(50, 500), background=(0, 0.05), gaussian_noise=0.01)
FINE = replace(CU_KALPHA, two_theta=(5, 120), n_points=11501)
"""Lines of halite stand apart in it, and 333 and 511 are one of them."""


@pytest.fixture(scope="module")
def salt(build, halite):
    return build(halite)


@pytest.fixture(scope="module")
def lines(salt):
    """Positions and intensities of the lines of halite, reflections of one spacing together."""
    found = powder_reflections(salt, FINE)
    position, place = np.unique(np.round(found.two_theta.numpy(), 6), return_inverse=True)
    assert len(position) < len(place) and np.diff(position).min() > 2, "one line of two reflections, none that overlap"
    return position, np.bincount(place, found.intensity.numpy())


def areas(pattern, position, instrument=FINE):
    """Shares of the lines at ``position`` in the area of a pattern."""
    edges = np.concatenate([[0], (position[1:] + position[:-1]) / 2, [180]])
    found = np.histogram(instrument.grid(), edges, weights=pattern)[0]
    return found / found.sum()


@pytest.mark.parametrize("imperfections", [None, SPOILT], ids=["clean", "spoilt"])
def test_nothing_altered_changes_nothing(build, halite, triclinic, symmetric, imperfections):
    rng = np.random.default_rng(1)
    crystals = build(halite, triclinic, *(symmetric(number, rng) for number in (14, 62, 139, 194, 227)))
    drawn = {"seed": 5, "items": np.arange(7, 7 + len(crystals))}
    same = altered_patterns(crystals, CU_KALPHA, Alteration(), imperfections=imperfections, **drawn)
    plain = powder_patterns(crystals, CU_KALPHA, imperfections=imperfections, **(drawn if imperfections else {}))
    assert torch.allclose(same, plain, atol=2e-6)


def test_weak_lines_go_and_the_others_stay(salt, lines):
    position, heights = lines
    strong = heights >= 0.1 * heights.max()
    assert 3 < strong.sum() < len(strong) - 3
    (pattern,) = altered_patterns(salt, FINE, Alteration(weakest=0.1), seed=0).numpy()
    assert np.allclose(areas(pattern, position), np.where(strong, heights, 0) / heights[strong].sum(), atol=1e-5)


def test_heights_change_places_and_lines_keep_theirs(salt, lines):
    position, heights = lines
    three, expected = salt[np.zeros(3, dtype=int)], heights / heights.sum()
    first, again, other = (
        np.stack([areas(pattern, position) for pattern in altered_patterns(three, FINE, permuted, seed=0, items=items)])
        for permuted, items in zip([Alteration(permuted=True)] * 3, ([4, 5, 6], [4, 5, 6], [5, 6, 7]), strict=True)
    )
    assert np.array_equal(first, again) and np.allclose(first[1:], other[:2], atol=1e-6), "an item has its own order"
    assert np.abs(first - expected).max(1).min() > 0.05 and np.abs(first[0] - first[1]).max() > 0.05
    assert np.allclose(np.sort(first), np.sort(expected), atol=1e-5)


def test_a_bin_is_the_mean_of_its_points_and_holds_a_line_wherever_it_stands(salt, lines):
    u, v, w = CU_KALPHA.resolution
    narrow = replace(CU_KALPHA, resolution=(u / 4, v / 4, w / 4))
    fine = Alteration(finer=5).grid_of(narrow)
    assert fine.n_points == 5000 and np.allclose(fine.grid().reshape(1000, 5).mean(1), narrow.grid())
    expected = powder_patterns(salt, fine).reshape(1000, 5).mean(1)
    (found,) = altered_patterns(salt, narrow, Alteration(finer=5), seed=0)
    assert torch.allclose(found, expected / expected.max(), atol=1e-5)
    # while all lines move over the points, their shares in the sum over points change where peaks are that narrow
    position = lines[0][lines[0] < 90]
    changes = {}
    for finer in (1, 5):
        shifts = [Imperfections(zero_shift=x) for x in np.linspace(0, narrow.step, 8, endpoint=False)]
        moved = [altered_patterns(salt, narrow, Alteration(finer=finer), seed=0, imperfections=s)[0] for s in shifts]
        shares = np.array([areas(pattern.numpy(), position, narrow) for pattern in moved])
        changes[finer] = (np.ptp(shares, axis=0) / shares.mean(0)).max()
    assert changes[1] > 0.2 and changes[5] < 1e-3


def test_what_cannot_be_altered_is_refused(salt):
    for wrong in ({"weakest": 1.0}, {"weakest": -0.1}, {"finer": 0}, {"finer": 2.5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Alteration(**wrong)
    with pytest.raises(ValueError, match=r"NaCl.*no line of it"):
        altered_patterns(salt, replace(CU_KALPHA, two_theta=(5, 20)), Alteration(), seed=0)

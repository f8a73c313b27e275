"""What is taken away from a pattern is its background, and nothing of its lines."""

import numpy as np
import pytest
import torch

from paperlib.diffraction.baseline import NOT_MEASURED, above_baseline, is_measured

STEP = 0.04
GRID = torch.arange(5.0, 90.0, STEP, dtype=torch.float64)


def peaks(*centres, fwhm=0.2, heights=None):
    """Gaussian lines on nothing, (1, n) float32."""
    heights = heights or [1.0] * len(centres)
    lines = [h * 2.0 ** (-4 * ((GRID - c) / fwhm) ** 2) for c, h in zip(centres, heights, strict=True)]
    return sum(lines)[None].float()


def test_lines_without_background_stay_as_they_are():
    pattern = peaks(20.0, 35.0, 60.0, heights=[1.0, 0.3, 0.01])
    assert torch.allclose(above_baseline(pattern, STEP), pattern, atol=1e-5)


@pytest.mark.parametrize(
    "background", [torch.full_like(GRID, 0.2), 0.3 - 0.002 * GRID, 0.1 + 0.05 * torch.cos(GRID / 15)]
)
def test_a_slow_background_goes(background):
    pattern = peaks(20.0, 35.0, 60.0, heights=[1.0, 0.5, 0.2])
    found = above_baseline((pattern + background.float()) / 1.3, STEP)
    # the baseline is the lowest within two degrees: what a slope changes there is left
    assert torch.allclose(found, pattern, atol=0.015)


def test_a_hump_of_glass_goes_for_the_most_part():
    hump = 0.3 * 2.0 ** (-4 * ((GRID - 24) / 9) ** 2)
    pattern = peaks(40.0)
    left = above_baseline(pattern + hump.float(), STEP)
    assert left[0, (GRID - 24).abs() < 8].max() < 0.12
    assert left[0].argmax() == pattern[0].argmax()


def test_scale_does_not_matter():
    pattern = peaks(20.0, 35.0, heights=[1.0, 0.4]) + 0.1
    assert torch.allclose(above_baseline(pattern, STEP), above_baseline(pattern / 1.1, STEP), atol=1e-6)


def test_the_lowest_noise_does_not_hold_the_baseline_down():
    noise = 0.01 * torch.from_numpy(np.random.default_rng(0).normal(size=(50, len(GRID)))).float()
    found = above_baseline(peaks(30.0) + 0.1 + noise, STEP)
    empty = found[:, (GRID - 30).abs() > 2]
    assert 0.0 < empty.mean() < 0.015, "a little below the mean of the noise, which has a deviation of 0.01"


def test_what_was_not_measured_is_nothing_and_bends_nothing():
    whole = peaks(20.0, 35.0, 60.0) + 0.2
    part = whole.clone()
    outside = (GRID < 12) | (GRID > 70)
    part[0, outside] = NOT_MEASURED
    assert torch.equal(is_measured(part)[0], ~outside)
    found = above_baseline(part, STEP)
    assert (found[0, outside] == 0).all()
    assert torch.allclose(found[0, ~outside], above_baseline(whole, STEP)[0, ~outside], atol=0.02)


def test_an_empty_pattern_stays_empty():
    assert (above_baseline(torch.zeros(2, len(GRID)), STEP) == 0).all()

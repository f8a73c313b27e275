"""Peaks of a pattern: where they are, how high, which count; and 1/d² with its Fourier features."""

import math

import numpy as np
import pytest
import torch

from paperlib.learning.peaks import PeakList, PeakListSize, PeakReader, find_peaks

from .problems import gaussian


def _pattern(places, heights):
    return torch.from_numpy((gaussian(places) * np.asarray(heights)[:, None]).sum(0, keepdims=True))


def test_gaussians_are_found_between_the_points_and_ranked_by_height():
    places, heights, present = find_peaks(_pattern([30.3, 70.0, 111.6], [0.5, 0.2, 1.0]), 3)
    assert present.all()
    assert torch.allclose(places, torch.tensor([[111.6, 30.3, 70.0]], dtype=places.dtype), atol=1e-3)
    shares = [math.exp(-0.5 * (off / 1.2) ** 2) for off in (0.4, 0.3, 0.0)]
    assert heights[0].tolist() == pytest.approx([1.0 * shares[0], 0.5 * shares[1], 0.2 * shares[2]], abs=1e-6)


def test_there_may_be_fewer_peaks_than_asked_for_or_none():
    both = torch.cat([_pattern([30.0, 70.0], [1.0, 0.5]), torch.zeros(1, 160, dtype=torch.float64)])
    places, heights, present = find_peaks(both, 5)
    assert present.sum(1).tolist() == [2, 0] and present[0, :2].all()
    assert (heights[~present] == 0).all() and torch.isfinite(places).all()


def test_weak_maxima_are_no_peaks_where_a_share_of_the_highest_is_asked_for():
    pattern = _pattern([30.0, 70.0, 110.0], [1.0, 0.01, 0.0005])
    assert [int(find_peaks(scale * pattern, 5, 1e-3)[2].sum()) for scale in (1.0, 40.0)] == [2, 2]
    assert int(find_peaks(pattern, 5)[2].sum()) == 3


@pytest.mark.parametrize(
    "points, expected",
    [
        ([0, 0, 1, 0, 0], [2.0]),  # neighbours without a logarithm
        ([0, 0, 1, 1, 0, 0], [2.5]),  # two points of one height are one peak
        ([3, 2, 1, 1, 2, 3], []),  # no end of the pattern is a peak
        ([0, -1, 0, 0, 0], []),
        ([2, 2, 2, 2, 2], []),
    ],
)
def test_places_that_have_no_parabola(points, expected):
    places, _, present = find_peaks(torch.tensor([points], dtype=torch.float32), 4)
    assert places[present].tolist() == pytest.approx(expected, abs=1e-6)


def test_gradients_come_back_through_the_heights_alone():
    pattern = _pattern([30.3, 70.0], [0.5, 1.0]).requires_grad_()
    places, heights, _ = find_peaks(pattern, 4)
    assert not places.requires_grad
    slope = torch.autograd.grad(heights.sum(), pattern)[0][0]
    assert slope.nonzero()[:, 0].tolist() == [30, 70] and (slope[[30, 70]] == 1).all()


def test_a_line_has_its_bragg_angle():
    """Silicon (a = 5.4311 Å) with Cu Kα1: 111 at 28.44°, 220 at 47.30°, the tabulated angles."""
    size = PeakListSize(wavelength=1.540593, two_theta=(10.0, 80.0), n_peaks=2)
    reader = PeakReader(701, size)
    points = np.arange(701)
    pattern = sum(np.exp(-0.5 * ((points - (angle - 10.0) * 10) / 1.2) ** 2) for angle in (28.442, 47.302))
    found = reader(torch.from_numpy(pattern)[None].float()).inverse_d_squared[0].sort().values
    assert (found * 5.4311**2).tolist() == pytest.approx([3, 8], abs=2e-3)


def test_features_are_waves_of_the_periods_asked_for():
    reader = PeakReader(100, PeakListSize(n_frequencies=3, longest_period=4.0, shortest_period=0.04))
    peaks = PeakList(torch.tensor([[0.3, 0.31]]), torch.tensor([[0.25, 0.0]]), torch.tensor([[True, True]]))
    features = reader.features(peaks)[0]
    assert features.shape == (2, reader.n_features) == (2, 8)
    for row, q in enumerate((0.3, 0.31)):
        waves = [f(2 * math.pi * q / period) for f in (math.sin, math.cos) for period in (4.0, 0.4, 0.04)]
        assert features[row, :7].tolist() == pytest.approx([*waves, q], abs=1e-5)
    assert features[:, 7].tolist() == pytest.approx([0.5, 0.0], abs=2e-4)


@pytest.mark.parametrize(
    "size, message",
    [
        ({"n_peaks": 0}, "a peak and two frequencies"),
        ({"n_frequencies": 1}, "a peak and two frequencies"),
        ({"min_height": 1.0}, "min_height=1.0"),
        ({"two_theta": (0.0, 90.0)}, "0 < first < last < 180"),
        ({"two_theta": (90.0, 5.0)}, "0 < first < last < 180"),
        ({"wavelength": 0.0}, "wavelength is 0.0 Å"),
        ({"longest_period": 0.001}, "shortest < longest"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_values_that_describe_no_list(size, message):
    with pytest.raises(ValueError, match=message):
        PeakListSize(**size)


def test_two_points_have_no_peak():
    with pytest.raises(ValueError, match="three points, got n_points=2"):
        PeakReader(2, PeakListSize())

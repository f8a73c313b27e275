"""Patterns as lists of peaks: where the highest maxima lie, in 1/d², and how high they are, as numbers for a network.

1/d² is what adds up in a lattice: it is a quadratic form of the indices of a reflection, so that lines of a cubic cell
are whole multiples of one number. What matters are differences of a thousandth of its range, which a network that is
given the bare number is slow to see: it could not even learn 700 patterns by heart. Sines and cosines of it, with
periods from the whole range down to a few points, show them (Fourier features; Tancik et al., arXiv:2006.10739).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from paperlib.learning.parts import check_dropout


class PeakList(NamedTuple):
    """Up to k peaks of n patterns, the highest first."""

    inverse_d_squared: Tensor
    """(n, k) 1/d² in Å⁻²; no gradient comes back through it."""
    height: Tensor
    """(n, k); 0 where there is no peak."""
    present: Tensor
    """(n, k) bool: the pattern has so many peaks."""


@dataclass(frozen=True)
class PeakListSize:
    """What a network on lists of peaks has to know. Raises ValueError for values that describe no list."""

    n_peaks: int = 64
    """Peaks that are kept of a pattern, the highest ones."""
    min_height: float = 1e-3
    """Maxima below this share of the highest are no peaks."""
    wavelength: float = 1.541838
    """Å, of the instrument that measured the patterns."""
    two_theta: tuple[float, float] = (5.0, 90.0)
    """First and last point of the patterns in degrees; the points between are equidistant."""
    n_frequencies: int = 32
    """Sines and cosines of 1/d², with periods in a geometric series."""
    longest_period: float = 4.0
    """Å⁻²."""
    shortest_period: float = 0.004
    """Å⁻²; by default three steps of 1000 points between 5° and 90°."""
    dropout: float = 0.1
    """Probability of dropping one number of a layer."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "two_theta", tuple(float(v) for v in self.two_theta))
        if self.n_peaks < 1 or self.n_frequencies < 2 or not 0 <= self.min_height < 1:
            raise ValueError(
                f"give a peak and two frequencies at least, and a share: {self.n_peaks=}, {self.n_frequencies=}, "
                f"{self.min_height=}"
            )
        if len(self.two_theta) != 2 or not 0 < self.two_theta[0] < self.two_theta[1] < 180:
            raise ValueError(f"two_theta is {self.two_theta}°; give (first, last) with 0 < first < last < 180 degrees")
        if not 0.1 <= self.wavelength < 10:
            raise ValueError(f"wavelength is {self.wavelength} Å; give it in Å, between 0.1 and 10")
        if not 0 < self.shortest_period < self.longest_period:
            raise ValueError(f"give 0 < shortest < longest: {self.shortest_period=}, {self.longest_period=} (Å⁻²)")
        check_dropout(self.dropout)


def find_peaks(patterns: Tensor, n_peaks: int, min_height: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Places (in points, counted from 0), heights, and which there are, of the ``n_peaks`` highest maxima of patterns
    (n, n_points); each (n, k), where k is ``n_peaks``, or all inner points where these are fewer.

    A peak is higher than the point before and not lower than the one behind, and has at least ``min_height`` of the
    highest point. Its place is the vertex of the parabola through the logarithms of the three points, which is exact
    for a Gaussian; its height is that of the point. Gradients come back through the heights alone.
    """
    values = patterns.detach()
    left, middle, right = values[:, :-2], values[:, 1:-1], values[:, 2:]
    lowest = min_height * values.amax(1, keepdim=True)
    is_peak = (middle > left) & (middle >= right) & (middle > 0) & (middle >= lowest)
    ranked, index = torch.where(is_peak, middle, -torch.inf).topk(min(n_peaks, middle.shape[1]), dim=1)
    present = ranked > -torch.inf
    # Zeros beside a peak have no logarithm; a millionth of its height leaves the vertex where it is.
    top = ranked.where(present, 1.0)[..., None]
    around = torch.stack([part.gather(1, index) for part in (left, middle, right)], -1)
    a, b, c = torch.maximum(around.where(present[..., None], 1.0), 1e-6 * top).log().unbind(-1)
    curvature = 2 * b - a - c
    shift = torch.where(curvature > 0, (c - a) / (2 * curvature).clamp(min=1e-12), 0.0).clamp(-0.5, 0.5)
    height = patterns[:, 1:-1].gather(1, index)
    return index + 1 + shift, height.where(present, 0.0), present


class PeakReader(nn.Module):
    """From patterns to lists of peaks, and from these to (n, k, ``n_features``) numbers for a network. It has no
    weights. Raises ValueError for patterns of fewer than three points, which have no inner maximum."""

    def __init__(self, n_points: int, size: PeakListSize) -> None:
        super().__init__()
        if n_points < 3:
            raise ValueError(f"a peak needs three points, got {n_points=}")
        self.n_points, self.size = n_points, size
        self.n_features = 2 * size.n_frequencies + 2
        exponents = torch.linspace(0, 1, size.n_frequencies, dtype=torch.float64)
        periods = size.longest_period * (size.shortest_period / size.longest_period) ** exponents
        self.register_buffer("rates", (2 * math.pi / periods).float(), persistent=False)

    def forward(self, patterns: Tensor) -> PeakList:
        """The peaks of (n, n_points) patterns."""
        first, last = self.size.two_theta
        places, height, present = find_peaks(patterns, self.size.n_peaks, self.size.min_height)
        two_theta = first + places * ((last - first) / (self.n_points - 1))
        return PeakList((2 / self.size.wavelength * torch.deg2rad(two_theta / 2).sin()).square(), height, present)

    def features(self, peaks: PeakList) -> Tensor:
        """(n, k, n_features): sines and cosines of 1/d², 1/d² itself, and the root of the height."""
        angles = peaks.inverse_d_squared[..., None] * self.rates
        # The slope of the root is infinite at 0, where absent peaks stand.
        root = (peaks.height.clamp(min=0.0) + 1e-8).sqrt() - 1e-4
        return torch.cat([angles.sin(), angles.cos(), peaks.inverse_d_squared[..., None], root[..., None]], -1)

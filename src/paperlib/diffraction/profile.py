"""Peaks on a grid: from line lists to patterns.

A line of intensity I at 2θ_0 becomes I Φ(2θ - 2θ_0) with the pseudo-Voigt function of unit area over 2θ in degrees,

    Φ(x) = (1 - η) √(4 ln 2 / π) / w exp(-4 ln 2 x² / w²) + η (2 / π w) / (1 + 4 x² / w²),

w the full width at half maximum of both parts (Wertheim et al., 1974), sampled at the points of the grid.
Gaussians are cut off at 2.5 FWHM, where 4e-9 of the area lies outside; with a Lorentzian part every line is
drawn over the whole pattern.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from paperlib.diffraction.instrument import GAUSSIAN_REACH, Instrument
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections

_BYTES_PER_POINT = 40
"""Position, value and intermediates of one line at one point."""


def pseudo_voigt(x: Tensor, fwhm: Tensor, eta: float) -> Tensor:
    """Φ(x) per degree at ``x`` degrees from the centre, of unit area; ``x`` and ``fwhm`` (degrees) broadcast."""
    squared = (x / fwhm) ** 2
    value = torch.exp(-4 * math.log(2) * squared) * ((1 - eta) * math.sqrt(4 * math.log(2) / math.pi))
    if eta > 0:
        value = value + (2 * eta / math.pi) / (1 + 4 * squared)
    return value / fwhm


def draw_peaks(reflections: Reflections, instrument: Instrument, memory_budget: int = MEMORY_BUDGET) -> Tensor:
    """(n, n_points) patterns of the n crystals of ``reflections``, on their device and in the type of their
    intensities: intensity per degree 2θ, so that the sum times the step is the sum of the intensities.

    Lines are worked off in blocks whose arrays stay under ``memory_budget`` bytes.
    """
    intensity = reflections.intensity
    n, n_points = len(reflections.start) - 1, int(instrument.n_points)
    if instrument.eta > 0:
        width = n_points
    else:
        width = min(n_points, 2 * math.floor(instrument.reach / instrument.step) + 2)
    patterns = torch.zeros(n * n_points, dtype=intensity.dtype, device=intensity.device)
    offset = torch.arange(width, device=intensity.device)
    block = max(1, memory_budget // (_BYTES_PER_POINT * width))
    for begin in range(0, len(intensity), block):
        rows = slice(begin, begin + block)
        centre = reflections.two_theta[rows]
        fwhm = instrument.fwhm(centre)
        position = (centre - instrument.two_theta[0]) / instrument.step
        first = torch.ceil(position - GAUSSIAN_REACH * fwhm / instrument.step).to(torch.int64)
        first = first.clamp(0, n_points - width)
        # The distance is taken in float64: in the type of the intensities 2θ would be good to 1e-5 degrees only.
        x = ((first - position)[:, None] + offset) * instrument.step
        value = pseudo_voigt(x.to(intensity.dtype), fwhm.to(intensity.dtype)[:, None], instrument.eta)
        target = (reflections.crystal[rows] * n_points + first)[:, None] + offset
        patterns.index_add_(0, target.flatten(), (value * intensity[rows, None]).flatten())
    return patterns.view(n, n_points)

"""What the detector makes of a pattern: background, range, step and noise, point by point.

1. y = pattern / its strongest point + Chebyshev background + Gaussian hump.
2. The detector measures every m-th point of the grid, from the first inside its range; m is its step in whole steps of
   the grid, so that a measured point is never an interpolated one.
3. With N counts at the strongest measured point, each point becomes a Poisson number of mean y N / max(y), divided by
   N / max(y) again. Normally distributed noise comes on top, so that values below zero occur.
4. Points between measured ones are interpolated linearly; points outside are 0.
"""

from __future__ import annotations

import torch
from torch import Tensor

from paperlib.diffraction.draws import Draws
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.noise import normal_quantile, poisson_quantile, uniforms
from paperlib.diffraction.reflections import MEMORY_BUDGET

_BYTES_PER_POINT = 200

_CPU_BLOCK_BYTES = 16 * 2**20


def detector_points(draws: Draws, instrument: Instrument) -> tuple[Tensor, Tensor, Tensor]:
    """First and last measured point of the grid and the number of grid steps between measured points, each (n,)
    int64. The last is before the first where no point of the grid is measured."""
    origin, step, n_points = instrument.two_theta[0], instrument.step, int(instrument.n_points)
    # an end that falls on a point counts as inside, whatever the rounding
    first = torch.ceil((draws.detector_start - origin) / step - 1e-6).to(torch.int64).clamp(min=0)
    end = torch.floor((draws.detector_end - origin) / step + 1e-6).to(torch.int64).clamp(max=n_points - 1)
    stride = torch.round(draws.detector_step / step).to(torch.int64).clamp(min=1)
    return first, first + torch.div(end - first, stride, rounding_mode="floor") * stride, stride


def detector_mask(draws: Draws, instrument: Instrument) -> Tensor:
    """(n, n_points) bool: which points of the patterns come from the detector; the others are 0."""
    first, last, _ = detector_points(draws, instrument)
    point = torch.arange(int(instrument.n_points), device=first.device)
    return (point >= first[:, None]) & (point <= last[:, None])


def check_detector(imperfections: Imperfections, instrument: Instrument) -> None:
    """Raise ValueError where a detector range could be drawn that holds less than two points of the pattern."""
    start = max(imperfections.detector_start[1], instrument.two_theta[0])
    end = min(imperfections.detector_end[0], instrument.two_theta[1])
    needed = max(imperfections.detector_step[1], instrument.step)
    if end - start < 2 * needed:
        raise ValueError(
            f"detector_start goes up to {imperfections.detector_start[1]:g}° and detector_end down to "
            f"{imperfections.detector_end[0]:g}°, which leaves less than two points of the instrument's range of "
            f"{instrument.two_theta[0]:g}° to {instrument.two_theta[1]:g}°; move them apart"
        )


def background(draws: Draws, instrument: Instrument) -> Tensor:
    """(n, n_points) float64: polynomial and hump in units of the strongest point of the crystalline pattern."""
    grid = torch.linspace(*instrument.two_theta, int(instrument.n_points), dtype=torch.float64)
    grid = grid.to(draws.background.device)
    first, last = instrument.two_theta
    order = draws.background.shape[1]
    polynomial = [torch.ones_like(grid), x := 2 * (grid - first) / (last - first) - 1]
    while len(polynomial) < order:
        polynomial.append(2 * x * polynomial[-1] - polynomial[-2])
    distance = (grid - draws.hump_centre[:, None]) / draws.hump_width[:, None]
    return draws.background @ torch.stack(polynomial[:order]) + draws.hump[:, None] * 2.0 ** (-4 * distance.square())


def measure(
    patterns: Tensor,
    instrument: Instrument,
    imperfections: Imperfections,
    draws: Draws,
    seed: int,
    items: Tensor,
    normalise: str,
    memory_budget: int = MEMORY_BUDGET,
) -> Tensor:
    """(n, n_points) float32: the patterns (n, n_points) of noise-free specimens as they are measured.

    ``items`` (n,) number the random streams. ``normalise`` is ``"max"`` (maximum 1) or ``"none"`` (the scale of the
    input). A pattern in which no measured point holds anything stays 0. Blocks stay under ``memory_budget`` bytes.
    """
    if patterns.device.type == "cpu":
        memory_budget = min(memory_budget, _CPU_BLOCK_BYTES)
    block = max(1, memory_budget // (_BYTES_PER_POINT * int(instrument.n_points)))
    measured = torch.empty_like(patterns, dtype=torch.float32)
    for begin in range(0, len(patterns), block):
        rows = slice(begin, begin + block)
        part = Draws(*(column[rows] for column in draws))
        measured[rows] = _block(patterns[rows], instrument, imperfections, part, seed, items[rows], normalise)
    return measured


def _block(
    patterns: Tensor,
    instrument: Instrument,
    imperfections: Imperfections,
    draws: Draws,
    seed: int,
    items: Tensor,
    normalise: str,
) -> Tensor:
    n_points = int(instrument.n_points)
    y = patterns.to(torch.float64)
    scale = y.amax(dim=1, keepdim=True)
    y = y / torch.where(scale > 0, scale, 1)
    if imperfections.has("background") or imperfections.has("hump"):
        y = y + background(draws, instrument)

    first, last, stride = (t[:, None] for t in detector_points(draws, instrument))
    point = torch.arange(n_points, device=y.device)
    inside = (point >= first) & (point <= last)
    is_measured = inside & ((point - first) % stride == 0)
    strongest = torch.where(is_measured, y, 0).amax(dim=1, keepdim=True)
    noisy = y
    if imperfections.has("counts"):
        rate = draws.counts[:, None] / torch.where(strongest > 0, strongest, 1)
        noisy = poisson_quantile(uniforms(seed, "counts", items, n_points), y * rate) / rate
    if imperfections.has("gaussian_noise"):
        normal = normal_quantile(uniforms(seed, "gaussian noise", items, n_points))
        noisy = noisy + draws.gaussian_noise[:, None] * strongest * normal
    if imperfections.has("detector_step"):
        left = (point - first).clamp(min=0) // stride * stride + first
        left = left.clamp(max=n_points - 1)
        share = (point - left) / stride
        right = torch.minimum(left + stride, last.clamp(min=0))
        noisy = noisy.gather(1, left) * (1 - share) + noisy.gather(1, right) * share
    noisy = torch.where(inside, noisy, 0)
    if normalise == "max":
        top = noisy.amax(dim=1, keepdim=True)
        return (noisy / torch.where(top > 0, top, 1)).to(torch.float32)
    return (noisy * scale).to(torch.float32)

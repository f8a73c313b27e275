"""The inner loops of drawing peaks, compiled for the CPU (:mod:`paperlib.diffraction.cpu`)."""

from __future__ import annotations

import math

import numpy as np

from paperlib.diffraction.cpu import compiled, fast


@compiled
def add_gaussians(
    patterns: np.ndarray,
    order: np.ndarray,
    start: np.ndarray,
    position: np.ndarray,
    width: np.ndarray,
    height: np.ndarray,
    reach: float,
    begin: int,
    end: int,
) -> None:
    """Add height exp(-4 ln 2 (x - position)² / width²) to the patterns ``begin`` to ``end``, at the points (counted
    from 0) within ``reach`` widths. The lines of pattern i are ``order[start[i]:start[i + 1]]``.

    From the centre outwards each value is the one before times a ratio, and each ratio the one before times a constant.
    """
    n_points = patterns.shape[1]
    for i in range(begin, end):
        pattern = patterns[i]
        for r in order[start[i] : start[i + 1]]:
            p, w = position[r], width[r]
            c = 4 * math.log(2) / (w * w)
            first, last = max(0, math.ceil(p - reach * w)), min(n_points - 1, math.floor(p + reach * w))
            if last < first:
                continue
            middle = min(max(round(p), first), last)
            x = middle - p
            peak = height[r] * math.exp(-c * x * x)
            constant = math.exp(-2 * c)
            up, down = math.exp(-c * (1 + 2 * x)), math.exp(-c * (1 - 2 * x))
            pattern[middle] += peak
            value, ratio = peak, up
            for k in range(middle + 1, last + 1):
                value *= ratio
                ratio *= constant
                pattern[k] += value
            value, ratio = peak, down
            for k in range(middle - 1, first - 1, -1):
                value *= ratio
                ratio *= constant
                pattern[k] += value


@fast
def _add_core(pattern: np.ndarray, u: float, slope: float, height: float, c4: float) -> None:
    number = pattern.dtype.type
    for k in range(len(pattern)):
        u2 = (u + number(k) * slope) ** 2
        pattern[k] += height * (c4 - u2 * number(0.25)) / ((u2 + number(0.25)) * (u2 * u2 + c4))


@fast
def _add_tail(pattern: np.ndarray, u: float, slope: float, height: float, c4: float) -> None:
    number = pattern.dtype.type
    for k in range(len(pattern)):
        u2 = (u + number(k) * slope) ** 2
        pattern[k] += height * u2 / (u2 * u2 + c4)


@compiled
def add_cores(
    patterns: np.ndarray,
    order: np.ndarray,
    start: np.ndarray,
    position: np.ndarray,
    width: np.ndarray,
    height: np.ndarray,
    core: float,
    reach: float,
    begin: int,
    end: int,
) -> None:
    """Like :func:`add_gaussians` for the cores of Lorentzians, see :mod:`paperlib.diffraction.profile`."""
    n_points, number = patterns.shape[1], patterns.dtype.type
    for i in range(begin, end):
        for r in order[start[i] : start[i + 1]]:
            p, w = position[r], width[r]
            first, last = max(0, math.ceil(p - reach * w)), min(n_points - 1, math.floor(p + reach * w))
            if last >= first:
                scaled = number(height[r] / (2 * math.pi))
                u, slope = number((first - p) / w), number(1 / w)
                _add_core(patterns[i, first : last + 1], u, slope, scaled, number(core**4))


@compiled
def add_tails(
    coarse: np.ndarray,
    first: int,
    stride: int,
    order: np.ndarray,
    start: np.ndarray,
    position: np.ndarray,
    width: np.ndarray,
    height: np.ndarray,
    core: float,
    begin: int,
    end: int,
) -> None:
    """Add the tails of Lorentzians to coarse grids with the points ``first`` + k ``stride``."""
    number = coarse.dtype.type
    for i in range(begin, end):
        for r in order[start[i] : start[i + 1]]:
            w = width[r]
            u, slope = number((first - position[r]) / w), number(stride / w)
            _add_tail(coarse[i], u, slope, number(height[r] / (2 * math.pi)), number(core**4))


@compiled
def add_interpolated(
    patterns: np.ndarray, coarse: np.ndarray, stride: int, weights: np.ndarray, begin: int, end: int
) -> None:
    """Add coarse grids to the patterns ``begin`` to ``end``: point q ``stride`` + t takes Σ ``weights[t, i]`` times the
    coarse value q + i."""
    n_points, n_nodes = patterns.shape[1], weights.shape[1]
    for p in range(begin, end):
        for point in range(n_points):
            q, t = point // stride, point % stride
            value = 0.0
            for i in range(n_nodes):
                value += weights[t, i] * coarse[p, q + i]
            patterns[p, point] += value

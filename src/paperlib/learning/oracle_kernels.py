"""The inner loops of the rival that is given the cell, compiled for the CPU (:mod:`paperlib.diffraction.cpu`)."""

from __future__ import annotations

import math

import numpy as np

from paperlib.diffraction.cpu import compiled

_GRID = np.linspace(-4.0, 4.0, 17)
"""Where the integral over the scale of a pattern is sampled, in standard deviations of its first estimate."""


@compiled
def _sum_lines(
    first: np.ndarray, profile: np.ndarray, heights: np.ndarray, mean: np.ndarray, covariance: np.ndarray
) -> None:
    """Of lines with ``heights`` (r,) independent heights each, of mean and variance 1: the expected pattern and the
    lower band of its covariance, (n_points, width). Line r stands at the points from ``first[r]`` on, ``profile[r]``
    (width,) high, and is 0 beyond the end of the pattern."""
    mean[:] = 0.0
    covariance[:] = 0.0
    n_points, width = covariance.shape
    for r in range(len(first)):
        if heights[r] == 0:
            continue
        times = float(heights[r])
        for p in range(min(width, n_points - first[r])):
            value = times * profile[r, p]
            mean[first[r] + p] += value
            row = covariance[first[r] + p]
            for q in range(p + 1):
                row[q] += value * profile[r, p - q]


@compiled
def _log_likelihood(
    pattern: np.ndarray,
    mean: np.ndarray,
    covariance: np.ndarray,
    scale: float,
    spread: float,
    noise: float,
    factor: np.ndarray,
    solved: np.ndarray,
) -> float:
    """Logarithm, but for -n_points/2 ln 2π, of the normal density of ``pattern`` with the mean scale × ``mean`` and the
    covariance (scale × spread)² × ``covariance``, plus noise² on its diagonal: a Cholesky factor of the band, row by
    row, and the solution of the triangular system along with it."""
    variance = (scale * spread) ** 2
    n_points, width = covariance.shape
    total = 0.0
    for i in range(n_points):
        reach = min(i, width - 1)
        for d in range(reach, -1, -1):
            value = variance * covariance[i, d]
            if d == 0:
                value += noise * noise
            for e in range(d + 1, reach + 1):
                value -= factor[i, e] * factor[i - d, e - d]
            factor[i, d] = math.sqrt(value) if d == 0 else value / factor[i - d, 0]
        rest = pattern[i] - scale * mean[i]
        for d in range(1, reach + 1):
            rest -= factor[i, d] * solved[i - d]
        solved[i] = rest / factor[i, 0]
        total -= 0.5 * solved[i] * solved[i] + math.log(factor[i, 0])
    return total


@compiled
def log_evidences(
    pattern: np.ndarray,
    first: np.ndarray,
    profile: np.ndarray,
    heights: np.ndarray,
    weight: np.ndarray,
    spread: float,
    noise: float,
    margin: float,
    result: np.ndarray,
) -> None:
    """Logarithms of the evidence of each hypothesis, (H,), about one pattern, into ``result``; see
    :mod:`paperlib.learning.oracle` for the model. ``heights`` (H, r) says how many independent heights each line has
    under each hypothesis, of mean 1 and standard deviation ``spread``.

    The scale is first estimated from the sum of the pattern times ``weight`` (n_points,), which makes lines of all
    angles count alike; over some standard deviations of that estimate it is integrated out, with density 1 / scale, for
    hypotheses within ``margin`` of the best one."""
    n_points, width = len(pattern), profile.shape[1]
    mean, solved = np.empty(n_points), np.empty(n_points)
    covariance, factor = np.empty((n_points, width)), np.empty((n_points, width))
    area = np.zeros(len(first))
    for r in range(len(first)):
        for p in range(min(width, n_points - first[r])):
            area[r] += weight[first[r] + p] * profile[r, p]
    measured = 0.0
    for i in range(n_points):
        measured += weight[i] * pattern[i]
    scale, deviation = np.empty(len(heights)), np.empty(len(heights))
    for h in range(len(heights)):
        expected, variance = 0.0, 0.0
        for r in range(len(first)):
            expected += heights[h, r] * area[r]
            variance += heights[h, r] * area[r] * area[r]
        if expected == 0.0:
            # no line in the range: every intensity is noise
            scale[h], deviation[h] = 0.0, 0.0
        else:
            scale[h], deviation[h] = measured / expected, spread * math.sqrt(variance) / expected
        _sum_lines(first, profile, heights[h], mean, covariance)
        result[h] = _log_likelihood(pattern, mean, covariance, scale[h], spread, noise, factor, solved)
    best = result.max()
    for h in range(len(heights)):
        if result[h] < best - margin or deviation[h] == 0.0:
            continue
        _sum_lines(first, profile, heights[h], mean, covariance)
        values = np.empty(len(_GRID))
        for g in range(len(_GRID)):
            s = scale[h] * math.exp(_GRID[g] * deviation[h])
            values[g] = _log_likelihood(pattern, mean, covariance, s, spread, noise, factor, solved)
        top = values.max()
        result[h] = top + math.log(np.exp(values - top).sum() * deviation[h] * (_GRID[1] - _GRID[0]))

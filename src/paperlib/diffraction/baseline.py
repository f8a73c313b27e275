"""The background of a pattern, taken away from measured and simulated ones in the same way.

The baseline is what a line of a certain length reaches when it is slid along the pattern from below (a morphological
opening; Sonneveld and Visser, J. Appl. Cryst. 8 (1975) 1, had the like), of the pattern averaged over a few points so
that it does not follow the noise, and then smoothed. A peak narrower than the line stands above it; a hump of glass,
wider than the line, is taken away, and so is whatever somebody else subtracted or added before.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

NOT_MEASURED = -1.0
"""In a pattern of maximum 1: at this point nothing was measured. Noise does not reach so low."""

AVERAGED = 0.2
"""Degrees 2θ over which a pattern is averaged before its baseline is looked for."""
LINE = 4.0
"""Degrees 2θ: the length of the line. Peaks of crystallites down to some 5 nm are narrower."""


def is_measured(patterns: Tensor) -> Tensor:
    """(n, n_points) bool: where something was measured (:data:`NOT_MEASURED`)."""
    return patterns > 0.5 * NOT_MEASURED


def above_baseline(patterns: Tensor, step: float) -> Tensor:
    """(n, n_points) ``patterns``, of maximum 1 and points ``step`` degrees apart, without their background and with a
    maximum of 1 again; 0 where nothing was measured, and below 0 where noise goes below the baseline."""
    measured = is_measured(patterns)
    averaged, line = (max(1, round(length / step) // 2 * 2 + 1) for length in (AVERAGED, LINE))
    weight = measured.to(patterns.dtype)
    # what was not measured neither holds the line down nor, afterwards, carries it
    lowest = -_highest(-_mean(patterns.clamp(min=0.0), weight, averaged).masked_fill(~measured, 1.0), line)
    opened = _highest(lowest.masked_fill(~measured, 0.0), line)
    peaks = (patterns - _mean(opened, weight, line)).masked_fill(~measured, 0.0)
    return peaks / peaks.amax(dim=1, keepdim=True).clamp(min=1e-6)


def _highest(patterns: Tensor, window: int) -> Tensor:
    return F.max_pool1d(patterns[:, None], window, 1, window // 2)[:, 0]


def _mean(patterns: Tensor, weight: Tensor, window: int) -> Tensor:
    """Over those points of a window that have ``weight`` 1, not 0."""
    sums, counts = (
        F.avg_pool1d(t[:, None], window, 1, window // 2, count_include_pad=False)[:, 0]
        for t in (patterns * weight, weight)
    )
    return sums / counts.clamp(min=0.5 / window)

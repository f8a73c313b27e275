"""What a network makes of patterns before its first layer, in numpy: the twin of ``learning.parts.transformed`` and of
:mod:`paperlib.diffraction.baseline`, for a command that should not load torch.

Both give the same numbers but for rounding; tests hold them against one another.
"""

from __future__ import annotations

import numpy as np

from paperlib.diffraction.without_torch import AVERAGED, LINE, NOT_MEASURED

INPUTS = ("linear", "square_root", "above_baseline")
ROUNDED = 1e-3
"""Share of the maximum below which the root with a sign is straight."""


def is_measured(patterns: np.ndarray) -> np.ndarray:
    """(n, n_points) bool: where something was measured."""
    return patterns > 0.5 * NOT_MEASURED


def baseline(patterns: np.ndarray, step: float) -> np.ndarray:
    """(n, n_points) float64: the background under ``patterns`` (n, n_points), of maximum 1 and points ``step`` degrees
    apart; meaningless where nothing was measured."""
    measured = is_measured(patterns)
    averaged, line = (max(1, round(length / step) // 2 * 2 + 1) for length in (AVERAGED, LINE))
    # what was not measured neither holds the line down nor, afterwards, carries it
    smooth = np.where(measured, _mean(np.maximum(patterns, 0.0), measured, averaged), 1.0)
    opened = _highest(np.where(measured, -_highest(-smooth, line), 0.0), line)
    return _mean(opened, measured, line)


def above_baseline(patterns: np.ndarray, step: float) -> np.ndarray:
    """(n, n_points) float64: ``patterns`` without their background and with a maximum of 1 again; 0 where nothing was
    measured."""
    peaks = np.where(is_measured(patterns), patterns - baseline(patterns, step), 0.0)
    return peaks / np.maximum(peaks.max(axis=1, keepdims=True), 1e-6)


def lines_of(patterns: np.ndarray, kind: str, step: float) -> np.ndarray:
    """(n, n_points) float64: the first half of what ``kind``, one of :data:`INPUTS`, does to ``patterns`` (n,
    n_points): the background away, where it is one that does that. Lines can be taken out of the result one by one
    while the scale stays."""
    return above_baseline(patterns, step) if kind == "above_baseline" else np.asarray(patterns, dtype=np.float64)


def weighed(lines: np.ndarray, kind: str) -> np.ndarray:
    """(n, n_points) float64: the second half: how much weak lines count beside strong ones."""
    if kind == "above_baseline":
        return lines / np.sqrt(np.abs(lines) + ROUNDED)
    if kind == "square_root":
        return np.sqrt(np.maximum(lines, 0.0) + 1e-8) - 1e-4
    return lines


def windows(values: np.ndarray, window: int) -> np.ndarray:
    """(..., n - window + 1, window): a view of all stretches of ``window`` numbers of ``values`` (..., n)."""
    return np.lib.stride_tricks.sliding_window_view(values, window, axis=-1)


def _highest(patterns: np.ndarray, window: int) -> np.ndarray:
    padded = np.pad(patterns, ((0, 0), (window // 2, window // 2)), constant_values=-np.inf)
    return windows(padded, window).max(axis=-1)


def _mean(patterns: np.ndarray, measured: np.ndarray, window: int) -> np.ndarray:
    """Over those points of a window that were ``measured``; 0 where none was."""
    n = patterns.shape[1]
    first = np.maximum(np.arange(n) - window // 2, 0)
    last = np.minimum(np.arange(n) + window // 2 + 1, n)
    start = np.zeros((len(patterns), 1))
    sums, counts = (
        np.concatenate([start, np.cumsum(t, axis=1, dtype=np.float64)], axis=1)
        for t in (np.where(measured, patterns, 0.0), measured)
    )
    return (sums[:, last] - sums[:, first]) / np.maximum(counts[:, last] - counts[:, first], 1.0)

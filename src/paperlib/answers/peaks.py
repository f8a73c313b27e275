"""Maxima of one row of numbers, how far each rises and how wide it is: what ``scipy.signal`` has for it, in numpy.

Loading ``scipy.signal`` takes longer than everything else that an answer needs together. Tests hold both against one
another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Peaks(NamedTuple):
    """Maxima in order."""

    point: np.ndarray
    """(k,) int64."""
    prominence: np.ndarray
    """(k,) by how much each rises over the higher of the two valleys that part it from higher ground."""
    width: np.ndarray
    """(k,) points, at half of the prominence."""


def find_peaks(values: np.ndarray, least: float) -> Peaks:
    """The local maxima of ``values`` (n,) that rise by ``least`` or more; of a flat top its middle point."""
    tops = _maxima(values)
    found = [(top, *_valleys(values, top)) for top in tops.tolist()]
    found = [one for one in found if values[one[0]] - max(values[one[1]], values[one[2]]) >= least]
    points = np.array([top for top, _, _ in found], dtype=np.int64)
    rise = np.array([values[top] - max(values[left], values[right]) for top, left, right in found])
    widths = np.array([_width(values, *one) for one in found])
    return Peaks(points, rise, widths)


def _maxima(values: np.ndarray) -> np.ndarray:
    """Middles of the runs of equal values that have lower ones on both sides."""
    first = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    last = np.append(first[1:], len(values)) - 1
    level = values[first]
    higher = np.zeros(len(first), dtype=bool)
    higher[1:-1] = (level[1:-1] > level[:-2]) & (level[1:-1] > level[2:])
    return (first[higher] + last[higher]) // 2


def _valleys(values: np.ndarray, top: int) -> tuple[int, int]:
    """The lowest points between a maximum and higher ground, or the end, on its left and on its right."""
    higher = np.flatnonzero(values > values[top])
    place = int(np.searchsorted(higher, top))
    start = int(higher[place - 1]) + 1 if place else 0
    stop = int(higher[place]) if place < len(higher) else len(values)
    # the lowest that is nearest
    left = top - int(np.argmin(values[start : top + 1][::-1]))
    return left, top + int(np.argmin(values[top:stop]))


def _width(values: np.ndarray, top: int, left: int, right: int) -> float:
    """Points between where a maximum has fallen by half of its prominence, interpolated."""
    half = values[top] - (values[top] - max(values[left], values[right])) / 2
    below = values[left : right + 1] < half
    middle = top - left
    before = np.flatnonzero(below[:middle])
    behind = np.flatnonzero(below[middle:])
    first, last = float(left), float(right)
    if before.size:
        i = left + int(before[-1])
        first = i + (half - values[i]) / (values[i + 1] - values[i])
    if behind.size:
        i = top + int(behind[0])
        last = i - (half - values[i]) / (values[i - 1] - values[i])
    return last - first

"""The points of a pattern put in order: what is missing, out of order, repeated, negative or flat."""

from __future__ import annotations

import numpy as np

from paperlib.datasets.patterns_read.opened import EXPORT, Opened
from paperlib.datasets.patterns_read.scan import Scan

MIN_POINTS = 100
"""Fewer points have no room for the lines of a pattern: 15 degrees with a point in the width of a line have more."""

MAX_MISSING = 0.1
"""Share of points without a value above which the file was not understood, or the measurement failed."""

MAX_TURNS = 0.1
"""Share of points at which x may turn back; several ranges in one file have a few, a column that is no axis many."""

UNEVEN = 1.5
"""Steps by which x may lie off the even grid between its ends: rounded numbers lie off by half a step."""


def complete(source: Opened, scan: Scan) -> tuple[Scan, list[str]]:
    """The scan without points that miss x or y, and warnings. Raises PatternError where more than :data:`MAX_MISSING`
    do, where there are less than :data:`MIN_POINTS`, and where x jumps to and fro."""
    keep = np.isfinite(scan.x) & np.isfinite(scan.y)
    missing = len(keep) - int(keep.sum())
    if missing > MAX_MISSING * len(keep):
        raise source.error(f"{missing} of {len(keep)} points have no value; {EXPORT}")
    enough(source, int(keep.sum()))
    steps = np.diff(scan.x[keep])
    ahead, back = int(np.sum(steps > 0)), int(np.sum(steps < 0))
    if min(ahead, back) > MAX_TURNS * len(steps):
        raise source.error(f"x goes up {ahead} times and down {back} times, so it is no axis; {EXPORT}")
    warnings = [f"{missing} points without a value are left out"] if missing else []
    return Scan(scan.format, scan.x[keep], scan.y[keep], scan.axis, scan.beam), warnings


def enough(source: Opened, n: int) -> None:
    """Raise PatternError for less than :data:`MIN_POINTS` points."""
    if n < MIN_POINTS:
        raise source.error(
            f"{n} point{'' if n == 1 else 's'}; a pattern with less than {MIN_POINTS} cannot be classified; give the "
            "measured pattern, not a list of peaks"
        )


def ordered(source: Opened, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The points by increasing x, the mean of y where x repeats, and warnings. Raises PatternError where most values of
    x repeat."""
    warnings, steps = [], np.diff(x)
    ahead, back = int(np.sum(steps > 0)), int(np.sum(steps < 0))
    if back:
        warnings.append("x decreases; sorted" if not ahead else f"x turns back at {min(ahead, back)} points; sorted")
    values, place, times = np.unique(x, return_inverse=True, return_counts=True)
    if 2 * len(values) < len(x):
        raise source.error(
            f"x has only {len(values)} different values at {len(x)} points (are commas both decimal marks and "
            f"separators, or are scans repeated?); {EXPORT}"
        )
    if len(values) < len(x):
        warnings.append(f"{len(x) - len(values)} points repeat an angle; the mean is taken")
    return values, np.bincount(place, y) / times, warnings


def counted(source: Opened, y: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The intensity with what is below zero set to 0, and warnings. Raises PatternError where most of it is, and where
    there is no peak because all is the same."""
    if np.ptp(y) == 0:
        raise source.error(f"the intensity is {y[0]:g} everywhere, without a peak; measure or export it again")
    below = int(np.sum(y < 0))
    if 2 * below > len(y) or y.max() <= 0:
        raise source.error(
            f"{below} of {len(y)} intensities are negative; give counts, not a difference or a logarithm of patterns"
        )
    warnings = [f"{below} of {len(y)} intensities are negative and set to 0"] if below else []
    return np.maximum(y, 0.0), warnings


def stepping(x: np.ndarray) -> list[str]:
    """A warning where the steps of x differ by more than the rounding of written numbers."""
    steps = np.diff(x)
    off = np.abs(x - np.linspace(x[0], x[-1], len(x))).max()
    if off <= UNEVEN * np.median(steps):
        return []
    return [f"the step is not constant: {steps.min():.4g} to {steps.max():.4g} degrees"]

"""A measured pattern on the points of an instrument: averaged where it is finer, interpolated where it is coarser."""

from __future__ import annotations

import numpy as np

FINER = 0.75
"""Measured steps below this part of a grid step are averaged; larger ones are interpolated, so that a pattern on the
grid stays as it is."""

GAP = 3.0
"""Measured or grid steps, whichever is larger: a wider distance between two points was left out of the measurement."""


def at_wavelength(two_theta: np.ndarray, measured: float, wanted: float) -> np.ndarray:
    """(n,) degrees 2θ at which a beam of ``wanted`` Å shows what one of ``measured`` Å shows at ``two_theta``: the same
    d, sin θ' = (λ'/λ) sin θ. NaN for what it cannot show."""
    if measured == wanted:
        return np.asarray(two_theta, dtype=np.float64)
    sine = np.sin(np.radians(two_theta) / 2) * (wanted / measured)
    return 2 * np.degrees(np.arcsin(np.where(sine < 1, sine, np.nan)))


def on_grid(x: np.ndarray, y: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intensity (m,) float64, 0 where nothing was measured, and where it was (m,) bool, on an equidistant ``grid``.

    ``x`` (n,) increases. A bin reaches half a grid step to each side of its point; its value is the integral of the
    lines between the measured points over the part of it that was measured, by the length of that part. Where the
    measured points lie further apart than :data:`FINER` grid steps the value is that of the line at the grid point.
    """
    step = grid[1] - grid[0]
    spacing = np.diff(x)
    left, right = np.maximum(grid - step / 2, x[0]), np.minimum(grid + step / 2, x[-1])
    area = np.concatenate([[0.0], np.cumsum(spacing * (y[1:] + y[:-1]) / 2)])
    length = np.where(right > left, right - left, 1.0)
    mean = (_integral(x, y, area, right) - _integral(x, y, area, left)) / length
    here = np.clip(np.searchsorted(x, grid, side="right") - 1, 0, len(spacing) - 1)
    fine = np.interp(grid, (x[1:] + x[:-1]) / 2, spacing) < FINER * step
    value = np.where(fine & (right > left), mean, np.interp(grid, x, y))
    tolerance = step / 2
    measured = (grid >= x[0] - tolerance) & (grid <= x[-1] + tolerance)
    nearest = np.minimum(np.abs(grid - x[here]), np.abs(grid - x[here + 1]))
    measured &= (spacing[here] <= GAP * max(step, float(np.median(spacing)))) | (nearest <= tolerance)
    return np.where(measured, value, 0.0), measured


def _integral(x: np.ndarray, y: np.ndarray, area: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The integral of the lines between the points from the first point to ``ends``, exact within a line."""
    at = np.clip(np.searchsorted(x, ends, side="right") - 1, 0, len(x) - 2)
    beyond = np.clip(ends, x[0], x[-1]) - x[at]
    slope = (y[at + 1] - y[at]) / (x[at + 1] - x[at])
    return area[at] + beyond * (y[at] + slope * beyond / 2)

"""The lines of one measured pattern: where they stand, how high and wide they are, and the pattern without them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from paperlib.answers.network_input import windows
from paperlib.answers.peaks import find_peaks
from paperlib.diffraction.without_torch import Diffractometer

LEAST = 0.003
"""Share of the highest line below which nothing is called a line."""
OVER_NOISE = 6.0
"""Standard deviations of the noise by which a line rises out of its surroundings."""
OVER_MIDDLE = 7.0
"""Standard deviations by which it stands above the middle of all points. The highest of 2000 numbers that are nothing
but noise stands 4 above theirs, and the noise is known to a fifth only."""
AROUND = 401
"""Points that the noise is taken of."""
_QUARTILE = 0.3186
"""Lower quartile of the absolute value of a normal number with a standard deviation of 1."""
OF_ITS_HEIGHT = 0.03
"""Share of its height by which it rises as well: the noise of counts is larger on the slope of a strong line."""
PARTNER = 0.2, 0.8
"""Height of the second line of a doublet, relative to the first, between which it is taken for it."""
REACH = 2.0
"""Widths at half maximum from the middle of a line to its feet, where no neighbour comes first."""


@dataclass(frozen=True)
class Doublet:
    """Two wavelengths of one beam."""

    relative: float
    """By how much the second is longer, relative to the first."""
    first: float
    """Å: the first, where the angles are those of the mean wavelength of the instrument."""


@dataclass(frozen=True)
class Line:
    """One peak, and of a doublet that is resolved both."""

    point: int
    """Of the instrument, counted from 0."""
    two_theta: float
    """Degrees, at the instrument's wavelength."""
    d: float
    """Å."""
    height: float
    """Relative to the highest line."""
    fwhm: float
    """Degrees 2θ."""
    feet: tuple[int, int]
    """The points between which the pattern is that of the line."""


def angle_of(d: np.ndarray | float, wavelength: float) -> np.ndarray:
    """Degrees 2θ at which lines of ``d`` in Å stand; 180 where they have no angle at ``wavelength`` (Å)."""
    return 2 * np.degrees(np.arcsin(np.minimum(wavelength / (2 * np.asarray(d)), 1.0)))


def noise_of(above: np.ndarray, measured: np.ndarray, lag: int = 1) -> np.ndarray:
    """(n_points,) the standard deviation of the noise around each point of a pattern ``above`` its baseline.

    It is that of the second differences of ``measured`` points ``lag`` apart within :data:`AROUND`, where counts are as
    high; by their lower quartile, since lines move the others. 0 where there are none.
    """
    parts = [slice(None, -2 * lag), slice(lag, -lag), slice(2 * lag, None)]
    left, middle, right = (above[part] for part in parts)
    there = np.flatnonzero(np.logical_and.reduce([measured[part] for part in parts]))
    if not there.size:
        return np.zeros(len(above))
    differences = np.abs(left - 2 * middle + right)[there]
    around = min(AROUND, (len(differences) - 1) // 2 * 2 + 1)
    quartile = np.percentile(windows(np.pad(differences, around // 2, mode="reflect"), around), 25, axis=-1)
    return np.interp(np.arange(len(above)), there + lag, quartile / _QUARTILE / math.sqrt(6))


def find_lines(
    above: np.ndarray, measured: np.ndarray, instrument: Diffractometer, doublet: Doublet | None, lag: int = 1
) -> tuple[Line, ...]:
    """The lines of a pattern ``above`` its baseline (n_points,), of maximum 1, by rising angle.

    ``measured`` (n_points,) says which points were; what these cut, at less than a width from its middle, is no
    line: the air scatter of a first point stands as high. The second peaks of a ``doublet`` are no lines of their own;
    ``lag`` is the distance of measured points in points of the ``instrument``.
    """
    noise = noise_of(above, measured, lag)
    points, prominence, widths = find_peaks(above, LEAST)
    noise = noise[points]
    middle = float(np.median(above[measured])) if measured.any() else 0.0
    good = prominence >= OVER_NOISE * noise + OF_ITS_HEIGHT * above[points]
    good &= above[points] - middle >= np.maximum(LEAST, OVER_MIDDLE * noise)
    good &= np.array([_whole(measured, *one) for one in zip(points, widths, strict=True)], dtype=bool)
    points, widths = points[good], widths[good]
    grid = instrument.grid()
    relative = doublet.relative if doublet else 0.0
    beside = np.degrees(2 * relative * np.tan(np.radians(grid / 2))) / instrument.step
    partner = _partners(above, points, beside) if doublet else {}
    seconds = set(partner.values())
    found = []
    for i, point in enumerate(points.tolist()):
        if point in seconds:
            continue
        wavelength = doublet.first if doublet and point in partner else instrument.mean_wavelength
        before = points[i - 1] if i else 0
        own = partner.get(point, point)
        behind = next((p for p in points.tolist() if p > own), len(above) - 1)
        reach = math.ceil(REACH * widths[i])
        left = max(point - reach, before + int(np.argmin(above[before : point + 1])))
        right = min(point + math.ceil(beside[point]) + reach, own + int(np.argmin(above[own : behind + 1])))
        two_theta = float(grid[point]) + _beyond(above, point) * instrument.step
        d = wavelength / (2 * math.sin(math.radians(two_theta / 2)))
        fwhm, feet = float(widths[i]) * instrument.step, (int(left), int(max(right, own)))
        found.append(Line(point, two_theta, d, float(above[point]), fwhm, feet))
    return tuple(found)


def without(above: np.ndarray, line: Line) -> np.ndarray:
    """(n_points,) ``above`` with ``line`` cut down to the straight line between its feet."""
    left, right = line.feet
    cut = above.copy()
    straight = np.linspace(above[left], above[right], right - left + 1)
    cut[left : right + 1] = np.minimum(cut[left : right + 1], straight)
    return cut


def _whole(measured: np.ndarray, point: int, width: float) -> bool:
    """Whether all points within a ``width`` of ``point`` lie in the range and were measured."""
    first, last = point - math.ceil(width), point + math.ceil(width)
    return first >= 0 and last < len(measured) and bool(measured[first : last + 1].all())


def _beyond(above: np.ndarray, point: int) -> float:
    """From a maximum to the vertex of the parabola through the logarithms of it and its neighbours, in points."""
    left, top, right = np.log(np.maximum(above[point - 1 : point + 2], 1e-6))
    return float(np.clip((left - right) / (2 * (left - 2 * top + right)), -0.5, 0.5)) if 2 * top > left + right else 0.0


def _partners(above: np.ndarray, points: np.ndarray, beside: np.ndarray) -> dict[int, int]:
    """For first lines of resolved doublets, the point of the second."""
    found: dict[int, int] = {}
    for point in sorted(points.tolist(), key=lambda p: -above[p]):
        if point in found.values():
            continue
        near = np.abs(points - point - beside[point]) <= 1 + 0.15 * beside[point]
        ratio = above[points] / above[point]
        fits = points[near & (points > point) & (ratio >= PARTNER[0]) & (ratio <= PARTNER[1])]
        if fits.size:
            found[point] = int(fits[0])
    return found

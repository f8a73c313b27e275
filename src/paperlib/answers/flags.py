"""What in a measured pattern makes an answer about it doubtful, in words.

A wrong wavelength is told by :mod:`paperlib.answers.anode`. No test tells a mixture: with unknown cells it is a pattern
of some crystal, and what would tell it is an indexing, which is not done here. Tried, with 30-50 % of a second phase:
the number of lines (an area under the curve of 0.66 on simulated and 0.69 on sums of two measured patterns), the spread
of their widths (0.59 on the sums), the entropy of the answer (0.54), and a linear classifier of what the last layer of
the network sees, trained on 2,600 crystals alone and mixed (0.81 simulated, 0.68 on the sums: where 5 % of measured
patterns are warned of, 14 % of the sums are). A warning that is right so rarely would say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from paperlib.answers.lines import Line, noise_of
from paperlib.answers.network_input import baseline, is_measured
from paperlib.diffraction.without_torch import Broadening, Diffractometer

HUMP = 0.9
"""Share of the intensity in humps from which on a pattern is called largely amorphous. Patterns of the training, which
has weak humps and wavy backgrounds, have 0.3 to 0.5, and of 864 of them none more than 0.85."""
NOISY = 0.04
"""Standard deviation of the noise, relative to the highest line. In 288 patterns of the training it is 0.009, and never
more than 0.022; in a measurement of lines that are buried in noise, even its highest points are noise."""
COVERED = 0.5
"""Share of the instrument's range."""
WIDER = 2.0
"""Times the widest line of the training, which its patterns do not reach."""
NARROWER = 1.0
"""Times the narrowest one, without doublet and sampling. Patterns of the training have 1.2 at least, points 0.8."""
STRONGEST = 8
"""Lines that the width is taken of."""
_SCHERRER_K = 0.9


def flags(
    pattern: np.ndarray,
    above: np.ndarray,
    lines: Sequence[Line],
    instrument: Diffractometer,
    trained: Broadening,
    lag: int = 1,
) -> list[str]:
    """Warnings about a ``pattern`` (n_points,) of maximum 1 on the points of ``instrument``, ``NOT_MEASURED`` where it
    was not measured, that is (n_points,) ``above`` its baseline and has ``lines``; ``trained`` is what the network has
    seen, ``lag`` the distance of measured points in points of the instrument."""
    measured = is_measured(pattern)
    found = []
    if not lines:
        found.append("no line stands out of the noise: the specimen is amorphous, or the counting time too short")
    elif (share := hump_share(pattern, above, instrument.step, lag)) > HUMP:
        found.append(f"{100 * share:.0f} % of the intensity stands in broad humps: the specimen is largely amorphous")
    if lines and (noise := float(np.median(noise_of(above, measured, lag)[measured]))) > NOISY:
        found.append(
            f"the noise is {100 * noise:.0f} % of the highest line: lines cannot be told from it; count longer"
        )
    if (covered := measured.mean()) < COVERED:
        first, last = instrument.two_theta
        wavelength = f"{instrument.wavelength:.4g} Å"
        found.append(f"only {100 * covered:.0f} % of the range {first:.0f}–{last:.0f}° ({wavelength}) was measured")
    return found + _widths(lines, instrument, trained)


def hump_share(pattern: np.ndarray, above: np.ndarray, step: float, lag: int = 1) -> float:
    """Share (0-1) of the intensity of a pattern, its smooth background left out, that stands in humps wider than lines.

    Air scatter and fluorescence fall or rise without a bulge: they are the lower convex hull of the baseline, and a
    hump is what of the baseline stands above it.
    """
    under, measured = baseline(pattern[None], step)[0], is_measured(pattern)
    inside = np.flatnonzero(measured)
    if inside.size < 3:
        return 0.0
    bulge = float((under[inside] - _lower_hull(inside, under[inside])).sum())
    scale = float((pattern - under)[measured].max())
    stands = above[inside] > 3 * noise_of(above, measured, lag)[inside]
    crystalline = scale * float(np.maximum(above[inside], 0.0)[stands].sum())
    return bulge / (bulge + crystalline) if bulge + crystalline > 0 else 0.0


def trained_widths(two_theta: np.ndarray, instrument: Diffractometer, trained: Broadening) -> np.ndarray:
    """(2, n) the least and the greatest full width at half maximum in degrees that lines at ``two_theta`` (n,) have in
    a training with the broadening ``trained``; of the greatest an upper bound, the sum of all widths."""
    theta = np.radians(np.asarray(two_theta, dtype=float) / 2)
    u, v, w = instrument.resolution
    gauss = np.sqrt((u * np.tan(theta) + v) * np.tan(theta) + w)
    x, y = instrument.lorentzian
    least = np.maximum(gauss, x * np.tan(theta) + y / np.cos(theta))
    smallest, strain = trained.crystallite_size[0], trained.microstrain[1]
    y += math.degrees(_SCHERRER_K * instrument.wavelength / 10 / smallest)
    x += math.degrees(4 * strain)
    if instrument.second_wavelength:
        x += math.degrees(2 * abs(instrument.second_wavelength / instrument.wavelength - 1))
    return np.stack([least, gauss + x * np.tan(theta) + y / np.cos(theta)])


def _widths(lines: Sequence[Line], instrument: Diffractometer, trained: Broadening) -> list[str]:
    strongest = sorted(lines, key=lambda line: -line.height)[:STRONGEST]
    if len(strongest) < 3:
        return []
    width = np.array([line.fwhm for line in strongest])
    least, greatest = trained_widths(np.array([line.two_theta for line in strongest]), instrument, trained)
    typical = f"{np.median(width):.2g}° wide; in the training {least.min():.2g}–{greatest.max():.2g}°"
    if np.median(width / greatest) > WIDER:
        return [f"the lines are much wider than in the training ({typical})"]
    if np.median(width / least) < NARROWER:
        return [f"the lines are single points ({typical}): measure in finer steps, or is it a list of lines?"]
    return []


def _lower_hull(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The lower convex hull of points (n,) with rising ``x``, at these points."""
    hull: list[int] = []
    for i in range(len(x)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[i] - x[a]) < (y[i] - y[a]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(i)
    return np.interp(x, x[hull], y[hull])

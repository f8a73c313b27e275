"""What separates a measured powder pattern from a calculated one, as ranges to draw from.

Each parameter of :class:`Imperfections` is physical and has a unit. It is drawn anew for every pattern, uniformly
between the ends of its range or uniformly in the logarithm where the field says so. What is drawn for item i is a
function of (seed, i) alone; switching one effect on does not change what is drawn for the others.

:func:`paperlib.diffraction.draws.draw` draws; what the effects do to a pattern stands in
:mod:`~paperlib.diffraction.specimen` (lines) and :mod:`~paperlib.diffraction.measurement` (points).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet

Range = float | tuple[float, float]
"""(low, high), or a single number for a value that is always the same."""

MAX_BACKGROUND_ORDER = 12


class Rule(NamedTuple):
    """What holds for a range."""

    unit: str
    least: float
    most: float
    example: str
    """A sensible range, for error messages."""
    log: bool = False
    """Uniform in the logarithm."""
    off: float = 0.0
    """The value that stands for no effect, allowed even where it is out of bounds; nan where there is none."""


RULES = {
    "zero_shift": Rule("degrees 2θ", -2, 2, "(-0.05, 0.05)"),
    "displacement": Rule("mm", -5, 5, "(-0.1, 0.1)"),
    "texture": Rule("(March's r, no unit)", 0.05, 20, "(0.7, 1.4), or 1 for none", log=True, off=1.0),
    "crystallite_size": Rule("nm", 1, 1e5, "(20, 200), or 0 for none", log=True),
    "microstrain": Rule("(relative, no unit)", 0, 0.05, "(0, 0.001); 0.001 is 0.1 %"),
    "background": Rule("of the strongest point", 0, 10, "(0.01, 0.1)"),
    "background_variation": Rule("of the mean background", 0, 1, "(0, 1)"),
    "hump": Rule("of the strongest point", 0, 10, "(0, 0.1)"),
    "hump_centre": Rule("degrees 2θ", 0, 180, "(18, 30)"),
    "hump_width": Rule("degrees 2θ", 1, 90, "(5, 12)", off=math.nan),
    "second_phase": Rule("of the volume", 0, 0.99, "(0, 0.1)"),
    "counts": Rule("counts", 10, 1e9, "(1000, 100000), or 0 for no counting noise", log=True),
    "gaussian_noise": Rule("of the strongest point", 0, 1, "(0, 0.005)"),
    "detector_start": Rule("degrees 2θ", 0, 180, "(5, 15)"),
    "detector_end": Rule("degrees 2θ", 0, 180, "(75, 90), or 180 for the whole range", off=180.0),
    "detector_step": Rule("degrees 2θ", 0, 5, "(0.01, 0.05)"),
    "overall_b": Rule("Å²", 0, 20, "(0.3, 2)"),
}
"""In the order of the columns that are drawn: new parameters go to the end, so that old draws stay what they are."""


@dataclass(frozen=True)
class Imperfections:
    """Ranges of what spoils a pattern; by default nothing does.

    Raises ValueError, naming field, value, unit and remedy, for a range that is empty or out of bounds, and for a
    second phase without a pool to take it from.
    """

    zero_shift: Range = 0.0
    """Degrees 2θ added to every line."""
    displacement: Range = 0.0
    """mm by which the specimen lies behind the axis of a Bragg–Brentano goniometer (negative: before it)."""
    goniometer_radius: float = 200.0
    """mm from specimen to detector; scales the displacement."""
    texture: Range = 1.0
    """March's r, log-uniform: below 1 for platelets that lie flat on a flat specimen, above 1 for needles, 1 for
    grains in all orientations."""
    texture_axis: tuple[int, int, int] | None = None
    """Indices hkl of the planes whose normals are aligned; None draws from the low-index planes 100, 110
    and 111 in all orientations."""
    crystallite_size: Range = 0.0
    """Scherrer size in nm, log-uniform; 0 for crystallites too large to broaden lines."""
    microstrain: Range = 0.0
    """ε = Δd / d, no unit; lines broaden by 4 ε tan θ."""
    background: Range = 0.0
    """Mean of the smooth background in units of the strongest point of the crystalline pattern."""
    background_variation: Range = (0.0, 1.0)
    """How far the background may swing about its mean, 0 (flat) to 1 (down to zero)."""
    background_order: int = 5
    """Degree of the Chebyshev polynomial that is the background."""
    hump: Range = 0.0
    """Height of a Gaussian hump, as glass and polymers give, in units of the strongest point of the crystalline
    pattern."""
    hump_centre: Range = (18.0, 30.0)
    """Degrees 2θ."""
    hump_width: Range = (5.0, 12.0)
    """Full width at half maximum in degrees 2θ."""
    second_phase: Range = 0.0
    """Share of another phase in the volume of all crystallites (not in their weight)."""
    impurities: CrystalSet | None = None
    """The crystals that second phases are drawn from, each with the same probability."""
    counts: Range = 0.0
    """Counts at the strongest point, log-uniform, for Poisson noise; 0 for none."""
    gaussian_noise: Range = 0.0
    """Standard deviation of normally distributed noise in units of the strongest point."""
    detector_start: Range = 0.0
    """Degrees 2θ where the measurement begins; the pattern is 0 before it."""
    detector_end: Range = 180.0
    """Degrees 2θ where the measurement ends; the pattern is 0 behind it."""
    detector_step: Range = 0.0
    """Degrees 2θ between measured points, rounded to whole steps of the instrument's grid, one at least; values
    between them are interpolated."""
    overall_b: Range = 0.0
    """Å²: B of a factor exp(-2 B sin²θ / λ²) on all intensities, beside the displacements that sites have of their
    own. Calculated structures have none."""

    def __post_init__(self) -> None:
        for name, rule in RULES.items():
            object.__setattr__(self, name, _checked_range(name, getattr(self, name), rule))
        if not (_is_number(self.goniometer_radius) and 10 <= self.goniometer_radius <= 10000):
            raise ValueError(f"goniometer_radius is {self.goniometer_radius!r} mm; give 10 to 10000 mm, e.g. 200")
        if not (_is_integer(self.background_order) and 0 <= self.background_order <= MAX_BACKGROUND_ORDER):
            raise ValueError(
                f"background_order is {self.background_order!r}; give a whole number from 0 to {MAX_BACKGROUND_ORDER}"
            )
        axis = self.texture_axis
        if axis is not None:
            if not (isinstance(axis, Sequence) and len(axis) == 3 and all(map(_is_integer, axis)) and any(axis)):
                raise ValueError(f"texture_axis is {axis!r}; give three whole numbers h, k, l, not all 0, or None")
            object.__setattr__(self, "texture_axis", tuple(int(x) for x in axis))
        if self.second_phase[1] > 0 and (self.impurities is None or len(self.impurities) == 0):
            raise ValueError(
                f"second_phase is {self.second_phase} of the volume, but there is nothing to take it from; give a "
                "CrystalSet as impurities, or second_phase=0"
            )

    def has(self, name: str) -> bool:
        """Whether the effect that the field ``name`` gives the range of can occur at all."""
        return getattr(self, name) != (RULES[name].off,) * 2


def _checked_range(name: str, value: object, rule: Rule) -> tuple[float, float]:
    ends = (value, value) if _is_number(value) else value
    if not (isinstance(ends, Sequence) and len(ends) == 2 and all(map(_is_number, ends))):
        raise ValueError(f"{name} is {value!r}; give a number or (low, high) in {rule.unit}, e.g. {rule.example}")
    low, high = float(ends[0]), float(ends[1])
    if (low, high) == (rule.off, rule.off):
        return low, high
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(
            f"{name} is ({low:g}, {high:g}) {rule.unit}; give finite numbers, the lower first, e.g. {rule.example}"
        )
    if not rule.least <= low <= high <= rule.most:
        raise ValueError(
            f"{name} is ({low:g}, {high:g}) {rule.unit}; it must lie between {rule.least:g} and {rule.most:g}, "
            f"e.g. {rule.example}"
        )
    return low, high


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)

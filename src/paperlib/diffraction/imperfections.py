"""What separates a measured powder pattern from a calculated one, as ranges to draw from.

Each parameter of :class:`Imperfections` is physical and has a unit. It is drawn anew for every pattern, uniformly
between the ends of its range or uniformly in the logarithm where the field says so. What is drawn for item i is a
function of (seed, i) alone; switching one effect on does not change what is drawn for the others.

What the effects do to a pattern stands in :mod:`~paperlib.diffraction.specimen` (lines) and
:mod:`~paperlib.diffraction.measurement` (points).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.lab import rng

Range = float | tuple[float, float]
"""(low, high), or a single number for a value that is always the same."""

LOW_INDEX_AXES = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)),
    *((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)),
)
"""Lattice planes that a texture axis is drawn from: 100, 110 and 111 in all their orientations."""

MAX_BACKGROUND_ORDER = 12


class _Rule(NamedTuple):
    unit: str
    least: float
    most: float
    example: str
    log: bool = False
    off: float = 0.0


_RULES = {
    "zero_shift": _Rule("degrees 2θ", -2, 2, "(-0.05, 0.05)"),
    "displacement": _Rule("mm", -5, 5, "(-0.1, 0.1)"),
    "texture": _Rule("(March's r, no unit)", 0.05, 20, "(0.7, 1.4), or 1 for none", log=True, off=1.0),
    "crystallite_size": _Rule("nm", 1, 1e5, "(20, 200), or 0 for none", log=True),
    "microstrain": _Rule("(relative, no unit)", 0, 0.05, "(0, 0.001); 0.001 is 0.1 %"),
    "background": _Rule("of the strongest point", 0, 10, "(0.01, 0.1)"),
    "background_variation": _Rule("of the mean background", 0, 1, "(0, 1)"),
    "hump": _Rule("of the strongest point", 0, 10, "(0, 0.1)"),
    "hump_centre": _Rule("degrees 2θ", 0, 180, "(18, 30)"),
    "hump_width": _Rule("degrees 2θ", 1, 90, "(5, 12)"),
    "second_phase": _Rule("of the volume", 0, 0.99, "(0, 0.1)"),
    "counts": _Rule("counts", 10, 1e9, "(1000, 100000), or 0 for no counting noise", log=True),
    "gaussian_noise": _Rule("of the strongest point", 0, 1, "(0, 0.005)"),
    "detector_start": _Rule("degrees 2θ", 0, 180, "(5, 15)"),
    "detector_end": _Rule("degrees 2θ", 0, 180, "(75, 90), or 180 for the whole range", off=180.0),
    "detector_step": _Rule("degrees 2θ", 0, 5, "(0.01, 0.05)"),
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
    """Indices hkl of the planes whose normals are aligned; None draws from ``LOW_INDEX_AXES`` for each pattern."""
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

    def __post_init__(self) -> None:
        for name, rule in _RULES.items():
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
        return getattr(self, name) != (_RULES[name].off,) * 2


class Draws(NamedTuple):
    """What was drawn for n items; float64 where nothing else is said, units as in :class:`Imperfections`."""

    zero_shift: Tensor
    """(n,)"""
    displacement: Tensor
    """(n,)"""
    texture: Tensor
    """(n,)"""
    texture_axis: Tensor
    """(n, 3) int64."""
    crystallite_size: Tensor
    """(n,); 0 for no broadening."""
    microstrain: Tensor
    """(n,)"""
    background: Tensor
    """(n, order + 1): coefficients of the Chebyshev polynomials T_0, T_1, ... over the range of the instrument."""
    hump: Tensor
    """(n,)"""
    hump_centre: Tensor
    """(n,)"""
    hump_width: Tensor
    """(n,)"""
    second_phase: Tensor
    """(n,)"""
    impurity: Tensor
    """(n,) int64: row of ``impurities``."""
    counts: Tensor
    """(n,); 0 for no counting noise."""
    gaussian_noise: Tensor
    """(n,)"""
    detector_start: Tensor
    """(n,)"""
    detector_end: Tensor
    """(n,)"""
    detector_step: Tensor
    """(n,)"""


def draw(
    imperfections: Imperfections,
    seed: int,
    items: Tensor | np.ndarray | Sequence[int],
    device: torch.device | str = "cpu",
) -> Draws:
    """The parameters of the patterns ``items`` ((n,) numbers from 0), on ``device``: a function of (seed, item).

    Uniforms are bit-identical on all devices; values made from them by a logarithm agree to float64's rounding.
    The k-th coefficient of the background is uniform within ± (1/k) / Σ(1/j) of its mean times its variation, so
    that the polynomial never falls below zero. Raises ValueError for items that are no (n,) integers from 0.
    """
    numbers = torch.as_tensor(items, device=device)
    if numbers.ndim != 1 or (len(numbers) and (numbers.is_floating_point() or numbers.dtype == torch.bool)):
        raise ValueError(f"items must be (n,) whole numbers from 0, got {numbers.dtype} of {tuple(numbers.shape)}")
    order = imperfections.background_order
    n_columns = len(_RULES) + 2 + order
    u = rng.uniform(seed, "imperfections", numbers, n_columns) if len(numbers) else numbers.new_zeros((0, n_columns))
    u = u.to(torch.float64)
    values = {}
    for column, (name, rule) in enumerate(_RULES.items()):
        low, high = getattr(imperfections, name)
        # where the range is a point, either formula gives it exactly
        values[name] = low * (high / low) ** u[:, column] if rule.log and low > 0 else low + (high - low) * u[:, column]

    axes = LOW_INDEX_AXES if imperfections.texture_axis is None else (imperfections.texture_axis,)
    axis = (u[:, len(_RULES)] * len(axes)).to(torch.int64)
    pool = 1 if imperfections.impurities is None else len(imperfections.impurities)
    share = 1 / torch.arange(1, order + 1, dtype=torch.float64, device=u.device)
    swing = (2 * u[:, len(_RULES) + 2 :] - 1) * (share / share.sum()) * values.pop("background_variation")[:, None]
    values["background"] = values["background"][:, None] * torch.cat([torch.ones_like(u[:, :1]), swing], dim=1)
    return Draws(
        texture_axis=torch.tensor(axes, device=u.device)[axis],
        impurity=(u[:, len(_RULES) + 1] * pool).to(torch.int64),
        **values,
    )


def _checked_range(name: str, value: object, rule: _Rule) -> tuple[float, float]:
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

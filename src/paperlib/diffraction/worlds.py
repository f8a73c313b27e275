"""The worlds that a network may live in: an instrument, what spoils its patterns, and what else is changed.

:func:`one_change_each` has the clean patterns of the published study and patterns that differ from them by one thing,
at graded levels, and by everything; :func:`samplings` has patterns of one and the same imperfect measurement with other
points, widths of the peaks and ranges.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.altered import Alteration
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.laboratory import LABORATORY, LABORATORY_INSTRUMENT
from paperlib.diffraction.simulate import validate

DRAWN = Imperfections(
    zero_shift=(-0.05, 0.05),
    displacement=(-0.1, 0.1),
    crystallite_size=(50.0, 5000.0),
    background=(0.0, 0.05),
    gaussian_noise=(0.0, 0.01),
)
"""What is drawn for each pattern of a training with imperfections. Small crystallites make the peaks at most 1.8 times
as wide, with Lorentzian tails; half of the draws leave them within 6 % of the instrument's width."""

INSIDE, PARTLY, OUTSIDE = "inside", "width inside, shape outside", "outside"
"""Whether a training with :data:`DRAWN` has met the like of a test."""

SAMPLING_STEPS = {
    "points_full": ("full_4250", "full_1000"),
    "points_half": ("half_4250", "half_1000"),
    "fewer_full": ("full_500", "full_1000"),
    "width_1000": ("half_1000", "full_1000"),
    "width_4250": ("half_4250", "full_4250"),
    "bins_full": ("full_500_bins", "full_500"),
    "bins_half": ("half_1000_bins", "half_1000"),
    "short_range": ("short_range", "full_1000"),
    "long_range": ("long_range", "full_1000"),
}
"""Pairs of :func:`samplings` that differ by one thing: the changed one, and what it is held against."""

BIN_POINTS = 5
"""Points over which a bin is averaged: enough where peaks are at least 0.8 bins wide."""


@dataclass(frozen=True)
class World:
    """Where patterns come from."""

    instrument: Instrument
    imperfections: Imperfections | None = None
    alteration: Alteration | None = None
    change: str = "clean"
    """What differs from clean patterns; worlds with the same change differ in its level."""
    level: float = math.nan
    """How much of it, in the unit of the change."""
    drawn: str = INSIDE
    """:data:`INSIDE`, :data:`PARTLY` or :data:`OUTSIDE`."""

    def sampling(self) -> dict[str, float]:
        """How the patterns are sampled: ``n_points``; ``first``, ``last``, ``step`` and ``fwhm``, the width of the
        narrowest peak, in degrees; and ``in_bin``, the points that a bin is averaged over."""
        instrument, (first, last) = self.instrument, self.instrument.two_theta
        fwhm = float(instrument.fwhm(torch.from_numpy(instrument.grid())).min())
        in_bin = 1 if self.alteration is None else self.alteration.finer
        points = {"n_points": int(instrument.n_points), "first": first, "last": last, "step": instrument.step}
        return points | {"fwhm": fwhm, "in_bin": in_bin}


def one_change_each(instrument: Instrument = CU_KALPHA) -> dict[str, World]:
    """Clean patterns of ``instrument``, and patterns that differ by one thing, by name.

    Noise (standard deviation) and background in units of the strongest point, width as a factor on that of the peaks,
    shift in degrees, displacement in mm, the weakest line that is left in units of the strongest.
    """
    worlds = {"clean": World(instrument)}
    for digits in (5, 4, 3, 2):
        level = 10.0**-digits
        worlds[f"noise_{digits}"] = World(instrument, Imperfections(gaussian_noise=level), None, "noise", level)
    for thousandths in (1, 10, 50):
        level = thousandths / 1000
        worlds[f"background_{thousandths}"] = World(
            instrument, Imperfections(background=level), None, "background", level
        )
    for tenths in (11, 12, 15):
        wider = _broadened(instrument, tenths / 10)
        worlds[f"width_{tenths}"] = World(wider, None, None, "width", tenths / 10, PARTLY)
    worlds["zero_shift"] = World(instrument, Imperfections(zero_shift=0.05), None, "zero_shift", 0.05)
    worlds["displacement"] = World(instrument, Imperfections(displacement=0.1), None, "displacement", 0.1)
    laboratory = LABORATORY_INSTRUMENT
    doublet = replace(
        instrument, wavelength=laboratory.wavelength, second_wavelength=laboratory.second_wavelength, second_ratio=0.5
    )
    worlds["doublet"] = World(doublet, None, None, "doublet", 0.5, OUTSIDE)
    unpolarised = replace(instrument, polarisation=False)
    worlds["unpolarised"] = World(unpolarised, None, None, "unpolarised", drawn=OUTSIDE)
    worlds["strong_lines"] = World(instrument, None, Alteration(weakest=0.01), "strong_lines", 0.01, OUTSIDE)
    worlds["permuted"] = World(instrument, None, Alteration(permuted=True), "permuted", drawn=OUTSIDE)
    worlds["drawn"] = World(instrument, DRAWN, None, "drawn")
    worlds["laboratory"] = World(doublet, LABORATORY, None, "laboratory", drawn=OUTSIDE)
    return worlds


def samplings() -> dict[str, World]:
    """One imperfect measurement (zero shift, background, noise) with other points, widths and ranges, by name.

    The time of measurement per degree is the same in all: where points lie closer, each has the noise of a shorter
    time. ``full`` peaks are as wide as published, ``half`` ones half of that; ``bins`` integrate from half-way to the
    point before to half-way to the next.
    """
    narrow = _broadened(CU_KALPHA, 0.5)
    worlds = {f"full_{n}": replace(CU_KALPHA, n_points=n) for n in (500, 1000, 2000, 4250)}
    worlds |= {f"half_{n}": replace(narrow, n_points=n) for n in (1000, 2000, 4250)}
    worlds["short_range"] = replace(CU_KALPHA, n_points=500, two_theta=(5.0, 47.5))
    worlds["long_range"] = replace(CU_KALPHA, n_points=1500, two_theta=(5.0, 132.5))
    made = {key: World(instrument, _measured(instrument)) for key, instrument in worlds.items()}
    for key in ("full_500", "half_1000"):
        made[f"{key}_bins"] = replace(made[key], alteration=Alteration(finer=BIN_POINTS))
    return made


def _broadened(instrument: Instrument, factor: float) -> Instrument:
    """``instrument`` with Gaussian peaks that are ``factor`` times as wide."""
    u, v, w = instrument.resolution
    return replace(instrument, resolution=(factor**2 * u, factor**2 * v, factor**2 * w))


def _measured(instrument: Instrument) -> Imperfections:
    noise = DRAWN.gaussian_noise[1] * math.sqrt(CU_KALPHA.step / instrument.step)
    return Imperfections(zero_shift=DRAWN.zero_shift, background=DRAWN.background, gaussian_noise=(0.0, noise))


def seen_in_all(crystals: CrystalSet, worlds: Iterable[World]) -> np.ndarray:
    """(m,) int64: which of the crystals have a pattern on the instrument of every one of ``worlds``."""
    instruments = (world.instrument for world in worlds)
    # points and widths do not matter for that
    kinds = {(i.wavelength, i.second_wavelength, i.two_theta): i for i in instruments}
    unseen = [index for instrument in kinds.values() for index, _ in validate(crystals, instrument)]
    return np.setdiff1d(np.arange(len(crystals)), unseen)

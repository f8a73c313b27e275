"""A typical laboratory diffractometer and what is usually wrong with a pattern from it, each number with its source.

"read" in a source stands beside what was read there; "chosen" marks a bound that is our judgement.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument


class LaboratoryRow(NamedTuple):
    """One row of ``LABORATORY_TABLE``."""

    parameter: str
    """Field of :class:`~paperlib.diffraction.imperfections.Imperfections`."""
    low: float
    high: float
    unit: str
    source: str


_ANALYZER = "XRD-AutoAnalyzer (Szymanski et al., 2021)"

LABORATORY_TABLE = (
    LaboratoryRow(
        "zero_shift",
        -0.03,
        0.03,
        "° 2θ",
        "chosen: 0.02° read in the abstract of Thermal and mechanical instabilities in the alignment of Bragg-Brentano "
        "parafocussing powder diffractometers (Powder Diffr.); 0.1° is the default in the code of SimXRD-4M",
    ),
    LaboratoryRow("displacement", -0.15, 0.15, "mm", f"chosen: up to 0.09° in all; {_ANALYZER} shifts by up to 0.5°"),
    LaboratoryRow("goniometer_radius", 200, 200, "mm", "default of GSAS-II, read in its code"),
    LaboratoryRow(
        "texture",
        0.7,
        1.4,
        "March's r",
        "chosen: lines along the axis change by 2.9 to 0.36, lines across it by 0.59 to 1.7; "
        f"{_ANALYZER} weakens lines to 0.5 or 0.4",
    ),
    LaboratoryRow(
        "crystallite_size",
        20,
        200,
        "nm",
        f"20-100 read in ML4pXRDs (Schopmans et al., 2023), 5-30 and 1-100 in {_ANALYZER}; 200 chosen",
    ),
    LaboratoryRow("microstrain", 0, 0.001, "Δd / d", "chosen"),
    LaboratoryRow("background", 0.01, 0.15, "of the maximum", "chosen around 0.05, read in the code of SimXRD-4M"),
    LaboratoryRow("background_variation", 0, 1, "of its mean", "all that keeps the background positive"),
    LaboratoryRow("hump", 0, 0.1, "of the maximum", "chosen"),
    LaboratoryRow("hump_centre", 18, 30, "° 2θ", "chosen: glass and polymers, Cu Kα"),
    LaboratoryRow("hump_width", 5, 12, "° 2θ", "chosen"),
    LaboratoryRow(
        "second_phase",
        0,
        0.1,
        "of the volume",
        f"chosen, and only with a pool of impurities; {_ANALYZER} goes up to 0.7",
    ),
    LaboratoryRow(
        "counts",
        1e3,
        2e5,
        "counts",
        "2e5 at the maximum read in Powder Diffr. (see zero_shift); 1e3 chosen: the noise of "
        "3 % stands beside 0-1.5 % of base noise in ML4pXRDs",
    ),
    LaboratoryRow(
        "gaussian_noise",
        0,
        0.005,
        "of the maximum",
        f"chosen: 0.0025 read in {_ANALYZER}, 0-0.015 in ML4pXRDs, 0.02 in SimXRD-4M",
    ),
    LaboratoryRow("detector_start", 5, 15, "° 2θ", f"chosen around 10°, read in {_ANALYZER}"),
    LaboratoryRow("detector_end", 75, 90, "° 2θ", f"chosen around 80°, read in {_ANALYZER}"),
    LaboratoryRow("detector_step", 0.01, 0.05, "° 2θ", "chosen"),
)
"""Ranges of the preset "laboratory". The programs are named by their public code, in which the values were read."""

_GSAS_WIDTH = 8 * math.log(2) * 1e-4
"""GSAS-II gives Gaussian variances in (0.01°)²; times 8 ln 2 they are squares of widths at half maximum."""

LABORATORY_INSTRUMENT = Instrument(
    wavelength=1.540593,
    second_wavelength=1.5444256,
    second_ratio=0.5,
    two_theta=(5.0, 90.0),
    n_points=4251,
    resolution=(2 * _GSAS_WIDTH, -2 * _GSAS_WIDTH, 5 * _GSAS_WIDTH),
    lorentzian=(math.degrees(2 * 2.264 / 8047.8), 0.0),
)
"""Bragg–Brentano diffractometer with a copper tube, 5–90° in steps of 0.02°, peaks of 0.05–0.08°. U, V, W (2, -2, 5)
and the ratio of 0.5 are those of GSAS-II's "CuKa lab data"; Kα1 at the usual 1.540593 Å, Kα2 at 1.5444256 Å from
Maskil and Deutsch, Phys. Rev. A 38 (1988) 2947; x is the natural width of Kα1, 2.264 eV (Ito et al., J. Anal. At.
Spectrom., 2024) of 8047.8 eV: a spectral line of relative width δ broadens by 2 δ tan θ. f' and f'' are left out: their
tables end with uranium."""


def imperfections(name: str, impurities: CrystalSet | None = None) -> Imperfections:
    """The preset called ``name``; the only one is ``"laboratory"``, the ranges of ``LABORATORY_TABLE``.

    Second phases occur where ``impurities`` gives a pool to draw them from. Raises ValueError for another name.
    """
    if name != "laboratory":
        raise ValueError(f"there are no imperfections called {name!r}; use 'laboratory', or build Imperfections(...)")
    ranges = {row.parameter: (row.low, row.high) for row in LABORATORY_TABLE}
    ranges["goniometer_radius"] = ranges["goniometer_radius"][0]
    if impurities is None:
        del ranges["second_phase"]
    return Imperfections(impurities=impurities, **ranges)


LABORATORY = imperfections("laboratory")
"""The preset "laboratory" without second phases."""

"""Patterns as a laboratory takes them of well-crystallised specimens, such as the minerals of the RRUFF collection.

The ranges were chosen by what told simulated patterns from measured ones (:mod:`paperlib.learning.simulation_gap`) in
one part of the open RRUFF patterns: what "laboratory" has (:mod:`paperlib.diffraction.laboratory`) gives lines more
than twice as wide as theirs, other backgrounds, and no displacement of atoms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.laboratory import LABORATORY_INSTRUMENT

MINERAL_INSTRUMENT = replace(LABORATORY_INSTRUMENT, two_theta=(5.02, 89.98), n_points=2125)
"""The laboratory diffractometer, read every 0.04°: patterns measured every 0.01° or 0.02° are averaged."""

MINERALS = Imperfections(
    zero_shift=(-0.05, 0.05),
    displacement=(-0.15, 0.15),
    texture=(0.5, 2.0),
    crystallite_size=(60.0, 5000.0),
    microstrain=(0.0, 0.0005),
    overall_b=(0.0, 4.0),
    background=(0.0, 0.03),
    hump=(0.0, 0.03),
    counts=(100.0, 1e6),
    gaussian_noise=(0.0, 0.015),
    detector_start=(0.0, 10.0),
    detector_end=(70.0, 110.0),
)
"""What is drawn for each pattern, but for second phases. A quarter of the patterns has the whole range."""

SECOND_PHASE = (0.0, 0.2)
"""Of the volume."""

CHANGES: Mapping[str, Mapping[str, Any]] = {
    "shift": {"zero_shift": 0.0, "displacement": 0.0},
    "texture": {"texture": 1.0},
    "width": {"crystallite_size": 0.0, "microstrain": 0.0},
    "overall_b": {"overall_b": 0.0},
    "background": {"background": 0.0, "hump": 0.0},
    "noise": {"counts": 0.0, "gaussian_noise": 0.0},
    "range": {"detector_start": 0.0, "detector_end": 180.0},
    "second_phase": {"second_phase": 0.0, "impurities": None},
}
"""Imperfections that can be left out of :func:`minerals`, by name, and the fields that do it."""


def minerals(impurities: CrystalSet | None = None, without: str = "") -> Imperfections:
    """:data:`MINERALS`, with second phases drawn from ``impurities`` where these are given, ``without`` one of
    :data:`CHANGES`. Raises ValueError for another."""
    if without and without not in CHANGES:
        raise ValueError(f"without is {without!r}; choose one of {', '.join(CHANGES)}")
    phases: dict[str, Any] = {"second_phase": SECOND_PHASE, "impurities": impurities} if impurities is not None else {}
    return replace(MINERALS, **(phases | dict(CHANGES.get(without, {}))))

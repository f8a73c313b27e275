"""Powder patterns of crystals: the one call that notebooks and streams use."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.problems import crystal_problems, raise_problems
from paperlib.diffraction.profile import draw_peaks
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, powder_reflections
from paperlib.diffraction.scattering import ScatteringTable, scattering_table

_BATCH = 4096
"""Crystals whose line lists are held at a time."""


def powder_patterns(
    crystals: CrystalSet,
    instrument: Instrument,
    device: torch.device | str = "cpu",
    normalise: str = "max",
    *,
    dtype: torch.dtype = torch.float32,
    memory_budget: int = MEMORY_BUDGET,
) -> Tensor:
    """(n, n_points) float32 powder patterns of ``crystals`` on the grid of ``instrument``, on ``device``.

    ``normalise="max"`` scales each pattern to a maximum of 1, the usual input of a network; ``"none"`` leaves
    multiplicity × |F|² × Lorentz(–polarisation) factor per degree 2θ (electrons² or fm² per degree, for the
    conventional cell). Lines just outside the range contribute their tails. Structure factors and peaks are computed
    in ``dtype``, positions and phases always in float64; a pattern does not depend on the others of its set beyond
    the rounding of ``dtype``.

    Raises ValueError, naming each crystal by index and source id, for crystals that :func:`validate` lists, and
    for another ``normalise``.
    """
    if normalise not in ("max", "none"):
        raise ValueError(f"normalise is {normalise!r}; use 'max' or 'none'")
    raise_problems(crystals, crystal_problems(crystals, instrument, _table(instrument)))
    patterns = torch.empty((len(crystals), int(instrument.n_points)), dtype=torch.float32, device=device)
    dark: list[tuple[int, str]] = []
    for begin in range(0, len(crystals), _BATCH):
        reflections = powder_reflections(
            crystals[begin : begin + _BATCH],
            instrument,
            device,
            dtype,
            margin=instrument.reach,
            memory_budget=memory_budget,
        )
        dark += [(begin + i, reason) for i, reason in _without_lines(reflections, instrument)]
        batch = draw_peaks(reflections, instrument, memory_budget)
        if normalise == "max":
            batch = batch / batch.amax(dim=1, keepdim=True)
        patterns[begin : begin + _BATCH] = batch
    raise_problems(crystals, dark)
    return patterns


def validate(crystals: CrystalSet, instrument: Instrument) -> list[tuple[int, str]]:
    """(index, reason) of every crystal that :func:`powder_patterns` would refuse, by index.

    Reasons name the value and its unit: a cell without volume, too large, or not of the metric of its space group;
    coordinates that are not finite; an element without form factor or scattering length; an occupancy outside
    (0, 1]; no reflection, or none with any intensity, in the range of the instrument.
    """
    problems = crystal_problems(crystals, instrument, _table(instrument))
    good = np.setdiff1d(np.arange(len(crystals)), [i for i, _ in problems])
    for begin in range(0, len(good), _BATCH):
        batch = good[begin : begin + _BATCH]
        reflections = powder_reflections(crystals[batch], instrument, dtype=torch.float32)
        problems += [(int(batch[i]), reason) for i, reason in _without_lines(reflections, instrument)]
    return sorted(problems)


def _table(instrument: Instrument) -> ScatteringTable:
    wavelength = instrument.wavelength if instrument.anomalous else None
    return scattering_table(instrument.radiation, wavelength, instrument.anomalous)


def _without_lines(reflections: Reflections, instrument: Instrument) -> list[tuple[int, str]]:
    """(index, reason) of crystals without a reflection, or without intensity, inside the range."""
    n = len(reflections.start) - 1
    first, last = instrument.two_theta
    inside = (reflections.two_theta >= first) & (reflections.two_theta <= last)
    count = torch.bincount(reflections.crystal[inside], minlength=n).cpu()
    total = torch.zeros(n, dtype=torch.float64, device=reflections.intensity.device)
    total.index_add_(0, reflections.crystal[inside], reflections.intensity[inside].to(torch.float64))
    place = f"between 2θ = {first:g}° and {last:g}° at {instrument.wavelength:g} Å"
    dark = [(int(i), f"no reflection lies {place}") for i in (count == 0).nonzero()]
    empty = (count > 0) & (total.cpu() == 0)
    return dark + [(int(i), f"no reflection {place} has any intensity") for i in empty.nonzero()]

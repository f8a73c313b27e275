"""Patterns whose lines or points are changed in a way that is no imperfection of a specimen or a diffractometer.

They ask what a network reads: the weakest lines (left out), the heights (handed round among the lines), or the sampling
(a bin integrated instead of a point read). With peaks as narrow as the points are far apart, what points read of a line
depends on where between them it lies; bins hold all of it wherever it lies, if not always in the same of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.draws import draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.measurement import measure
from paperlib.diffraction.problems import raise_problems
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, powder_reflections
from paperlib.diffraction.specimen import margin, specimen_patterns
from paperlib.lab import rng

SAME_LINE = 1e-6
"""Relative difference of two spacings below which two reflections are one line of a pattern."""

VISIBLE = 1e-6
"""Share of the strongest line that a line needs to take part where heights change places."""


@dataclass(frozen=True)
class Alteration:
    """What is changed. Raises ValueError for numbers that make no sense."""

    weakest: float = 0.0
    """Lines below this share of the strongest line in the range are left out."""
    permuted: bool = False
    """The heights (intensities) of the visible lines in the range change places, in an order drawn for the item."""
    finer: int = 1
    """Points over which a bin is averaged: they divide the distance of two points into equal parts, centred on the
    point. Background and noise come after it."""

    def __post_init__(self) -> None:
        if not 0 <= self.weakest < 1:
            raise ValueError(f"weakest is {self.weakest!r}; give a share of the strongest line, at least 0 and below 1")
        if isinstance(self.finer, bool) or int(self.finer) != self.finer or self.finer < 1:
            raise ValueError(f"finer is {self.finer!r}; give the number of points in a bin, at least 1")

    def grid_of(self, instrument: Instrument) -> Instrument:
        """``instrument`` with the points that bins are averaged from."""
        if self.finer == 1:
            return instrument
        beside = instrument.step * (self.finer - 1) / (2 * self.finer)
        ends = instrument.two_theta[0] - beside, instrument.two_theta[1] + beside
        return replace(instrument, two_theta=ends, n_points=self.finer * int(instrument.n_points))


def altered_patterns(
    crystals: CrystalSet,
    instrument: Instrument,
    alteration: Alteration,
    device: torch.device | str = "cpu",
    *,
    seed: int,
    items: Tensor | np.ndarray | Sequence[int] | None = None,
    imperfections: Imperfections | None = None,
    memory_budget: int = MEMORY_BUDGET,
) -> Tensor:
    """(n, n_points) float32 patterns of maximum 1, as :func:`paperlib.diffraction.simulate.powder_patterns` makes them
    but for the ``alteration``. ``seed``, ``items`` and ``imperfections`` as there; the order in which heights change
    places is a function of (seed, item) too.

    Raises ValueError, naming each crystal, for crystals that cannot be simulated or show no line.
    """
    spoilt, fine = imperfections or Imperfections(), alteration.grid_of(instrument)
    numbers = torch.arange(len(crystals)) if items is None else torch.as_tensor(items)
    draws, wide = draw(spoilt, seed, numbers.to(device), device), margin(spoilt, fine)
    lines = powder_reflections(crystals, fine, device, torch.float32, margin=wide, memory_budget=memory_budget)
    if alteration.weakest or alteration.permuted:
        lines = _changed(lines, instrument, alteration, seed, numbers.tolist())
    patterns = specimen_patterns(lines, crystals, fine, spoilt, draws, memory_budget)
    dark = (patterns.amax(1) == 0).nonzero().flatten().tolist()
    raise_problems(crystals, [(i, "no line of it lies on the pattern") for i in dark])
    patterns = patterns.unflatten(1, (int(instrument.n_points), alteration.finer)).mean(2)
    return measure(patterns, instrument, spoilt, draws, seed, numbers.to(device), "max", memory_budget)


def _changed(
    reflections: Reflections, instrument: Instrument, alteration: Alteration, seed: int, items: list[int]
) -> Reflections:
    """``reflections`` with other intensities; that of a line stands with its first reflection, the others have 0."""
    crystal, spacing = (t.cpu().numpy() for t in (reflections.crystal, reflections.d))
    begins = np.ones(len(crystal), dtype=bool)
    begins[1:] = (crystal[1:] != crystal[:-1]) | (spacing[:-1] > spacing[1:] * (1 + SAME_LINE))
    first = np.flatnonzero(begins)
    heights = np.add.reduceat(reflections.intensity.cpu().numpy().astype(np.float64), first)
    two_theta, owner = reflections.two_theta.cpu().numpy()[first], crystal[first]
    inside = (two_theta >= instrument.two_theta[0]) & (two_theta <= instrument.two_theta[1])
    strongest = np.zeros(len(items))
    np.maximum.at(strongest, owner[inside], heights[inside])
    heights[heights < alteration.weakest * strongest[owner]] = 0
    if alteration.permuted:
        taking_part = inside & (heights > VISIBLE * strongest[owner])
        for i, item in enumerate(items):
            rows = np.flatnonzero(taking_part & (owner == i))
            heights[rows] = heights[rows][rng.permutation(seed, "heights", item, len(rows))]
    intensity = np.zeros(len(crystal))
    intensity[first] = heights
    changed = torch.from_numpy(intensity).to(reflections.intensity)
    return replace(reflections, intensity=changed)

"""Patterns with lines put in or taken away, in the world that a network lives in: clean, or as measured.

A pattern is fixed + height × changed: both parts are drawn without noise, with the profiles that the instrument (and
the specimen) gives, and what the detector makes of a pattern comes after they are added. A pattern and its changed
versions have the same specimen, background and noise.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.draws import Draws, draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import of_unit_height, single_lines
from paperlib.diffraction.measurement import measure
from paperlib.diffraction.mineral_world import MINERALS
from paperlib.diffraction.profile import draw_peaks, peak_shape
from paperlib.diffraction.reflections import Reflections, powder_reflections
from paperlib.diffraction.specimen import line_shape, margin, specimen_patterns
from paperlib.learning.insertions import Trials

WHOLE_MINERALS = dataclasses.replace(MINERALS, texture=1.0, overall_b=0.0, detector_start=0.0, detector_end=180.0)
"""The measured world without what would change the heights of lines one by one, and with the whole range, so that the
height of a line that is put in is what it is said to be."""


@dataclass(frozen=True, eq=False)
class TrialWorld:
    """Where the patterns of ``crystals`` and of trials with them are made.

    Without ``imperfections`` patterns are clean; with them, they are drawn by ``seed`` and the number of each crystal
    in ``items`` (n,), by default its row.
    """

    crystals: CrystalSet
    instrument: Instrument
    imperfections: Imperfections | None = None
    seed: int = 0
    items: np.ndarray | None = None

    def __post_init__(self) -> None:
        wide = margin(self.imperfections, self.instrument) if self.imperfections else self.instrument.reach
        if self.items is None:
            object.__setattr__(self, "items", np.arange(len(self.crystals)))
        lines = powder_reflections(self.crystals, self.instrument, margin=wide)
        rows = np.arange(len(self.crystals))
        base = self._drawn(lines, rows)
        object.__setattr__(self, "_scale", base.amax(1))
        object.__setattr__(self, "base", base / base.amax(1, keepdim=True))

    base: Tensor = dataclasses.field(init=False)
    """(n, n_points) float64: the patterns of the crystals, noise-free, maximum 1."""
    _scale: Tensor = dataclasses.field(init=False)

    def part(self, rows: np.ndarray) -> TrialWorld:
        """The world of some of the crystals, whose patterns stay what they are."""
        assert self.items is not None
        return TrialWorld(self.crystals[rows], self.instrument, self.imperfections, self.seed, self.items[rows])

    def patterns(self, crystals: np.ndarray | None = None) -> Tensor:
        """(n, n_points) float32: the patterns of some crystals (rows; by default all), nothing changed."""
        rows = np.arange(len(self.crystals)) if crystals is None else np.asarray(crystals)
        return self._finished(self.base[rows], rows)

    def parts(self, trials: Trials, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """The fixed and the changed parts of ``chosen`` trials (c,), each (c, n_points) float64, in units of the
        strongest point of the crystal's pattern. Lines that are put in have the height 1 in the second; lines that are
        taken away stand there as they were, and are missing in the first."""
        lines, crystal = chosen_lines(trials, chosen, self.instrument), trials.table["crystal"].to_numpy()[chosen]
        given = torch.from_numpy(trials.intensity[np.isin(trials.trial, chosen)])
        taken = torch.isfinite(given)
        if taken.any():
            lines = dataclasses.replace(lines, intensity=given)
            changed = self._drawn(lines, crystal) / self._scale[crystal, None]
            rest = self.base[crystal] - changed
            # what is left where nothing is left are differences in the last digit
            return torch.where(rest > 1e-12, rest, 0), changed
        shape = peak_shape(self.instrument, lines.two_theta)
        if self.imperfections is not None:
            shape = line_shape(lines, self._draws(crystal), self.instrument)
        return self.base[crystal], self._drawn(of_unit_height(lines, *shape), crystal)

    def made(self, fixed: Tensor, changed: Tensor, height: float, crystals: np.ndarray) -> Tensor:
        """(c, n_points) float32 patterns of ``crystals`` (c,), their row numbers, with the changed part ``height``
        times as high as :meth:`parts` gave it, maximum 1."""
        return self._finished(fixed + height * changed, crystals)

    def noise(self) -> np.ndarray:
        """(n,) standard deviation of the noise of each pattern where it has no line, in units of its strongest point: 0
        for clean ones. It is that of the quarter of the points that lie lowest."""
        if self.imperfections is None:
            return np.zeros(len(self.crystals))
        rows = np.arange(len(self.crystals))
        quiet = dataclasses.replace(self.imperfections, counts=0.0, gaussian_noise=0.0)
        still = self._measured(quiet, self.base, rows).numpy()
        difference = self.patterns().numpy() - still
        low = still <= np.quantile(still, 0.25, axis=1, keepdims=True)
        return np.array([row[where].std() for row, where in zip(difference, low, strict=True)])

    def _draws(self, crystals: np.ndarray) -> Draws:
        assert self.imperfections is not None and self.items is not None
        return draw(self.imperfections, self.seed, self.items[crystals])

    def _drawn(self, lines: Reflections, crystals: np.ndarray) -> Tensor:
        if self.imperfections is None:
            return draw_peaks(lines, self.instrument)
        some = self.crystals[crystals]
        return specimen_patterns(lines, some, self.instrument, self.imperfections, self._draws(crystals))

    def _finished(self, patterns: Tensor, crystals: np.ndarray) -> Tensor:
        if self.imperfections is None:
            return (patterns / patterns.amax(1, keepdim=True)).float()
        return self._measured(self.imperfections, patterns, crystals)

    def _measured(self, imperfections: Imperfections, patterns: Tensor, crystals: np.ndarray) -> Tensor:
        assert self.items is not None
        items = torch.from_numpy(np.asarray(self.items[crystals], dtype=np.int64))
        draws = draw(imperfections, self.seed, items)
        return measure(patterns, self.instrument, imperfections, draws, self.seed, items, "max")


def chosen_lines(trials: Trials, chosen: np.ndarray, instrument: Instrument) -> Reflections:
    """The lines of some trials (c,), rising, as those of patterns 0 … c - 1, of height 1."""
    rows = np.isin(trials.trial, chosen)
    item = np.searchsorted(chosen, trials.trial[rows])
    return single_lines(item, trials.hkl[rows], trials.two_theta[rows], len(chosen), instrument)

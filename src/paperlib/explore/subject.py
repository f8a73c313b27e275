"""What stands on the bench: a crystal or a measured pattern, the settings of the sliders, lines that somebody has put
in or taken away, and the pattern that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from paperlib.answers.lines import Doublet
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.measured import MeasuredPattern
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import Reflections

COPPER = 1.540593
"""Å, Kα1: where the sliders begin, and the only wavelength with the second line of a doublet."""
SAME = 1e-6
"""Relative difference of two spacings below which they are one line."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A crystal to be simulated, or a pattern that was measured: one of both."""

    name: str
    crystal: CrystalSet | None = None
    """Of one crystal."""
    measured: MeasuredPattern | None = None
    truth: int = 0
    """The number of its space group, 0 where it is not known."""
    note: str = ""
    """What should be known of it: remarks of the reader, whether a network has seen it."""


@dataclass(frozen=True)
class Settings:
    """The sliders; they hold for crystals, since a measurement has its own."""

    wavelength: float = COPPER
    """Å."""
    crystallite_size: float = 0.0
    """nm, 0 for large ones, whose lines are as wide as the instrument makes them."""
    noise: float = 0.0
    """Standard deviation, over the highest point."""
    seed: int = 0


@dataclass(frozen=True)
class Edits:
    """Lines by their spacing in Å, so that they keep their place in the crystal when the wavelength changes."""

    taken: tuple[float, ...] = ()
    put: tuple[tuple[float, float], ...] = ()
    """Spacing, and height over that of the highest line."""

    def take(self, d: float) -> Edits:
        """With the line at ``d`` Å taken away; back where it had been taken away; gone where it had been put in."""
        kept = tuple(one for one in self.put if not _same(one[0], d))
        if len(kept) < len(self.put):
            return replace(self, put=kept)
        rest = tuple(one for one in self.taken if not _same(one, d))
        return replace(self, taken=rest if len(rest) < len(self.taken) else (*self.taken, d))

    def insert(self, d: float, height: float) -> Edits:
        """With a line at ``d`` Å; gone again where one of this height had been put there, and where a line had been
        taken away, back."""
        if any(_same(one, d) for one in self.taken):
            return self.take(d)
        rest = tuple(one for one in self.put if not _same(one[0], d))
        return replace(self, put=rest if (d, height) in self.put else (*rest, (d, height)))


@dataclass(frozen=True, eq=False)
class Shown:
    """A pattern as it is drawn, and as a network reads it."""

    two_theta: np.ndarray
    """(n,) degrees, at ``wavelength``."""
    intensity: np.ndarray
    """(n,) of maximum 1; NaN where nothing was measured."""
    wavelength: float
    """Å, the mean of a doublet."""
    pattern: np.ndarray
    """(n_points,) float32 on the points of the network, ``NOT_MEASURED`` where nothing was measured."""
    reflections: Reflections | None
    """Of a crystal, as they are without edits."""
    instrument: Instrument
    """Of ``two_theta``."""
    doublet: Doublet | None
    """The two wavelengths of the beam, where they are known."""


def _same(one: float, other: float) -> bool:
    return abs(one / other - 1) < SAME

"""Sets of patterns that show given crystals several times, each time with other imperfections, and are kept.

To draw imperfections anew for every pattern that a training sees costs more than the training. A few patterns of each
crystal, made once, do nearly the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.generated_streams import checksum_of, recipe_of
from paperlib.datasets.pattern_sets import PatternSet
from paperlib.datasets.prepared import PATTERNS
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.lab import rng
from paperlib.lab.stages import Stage

DRAWN_PATTERNS = Stage("drawn patterns", 1, "paperlib.datasets.drawn_sets", cheap=False)
"""Patterns with imperfections; the crystals behind them are kept elsewhere."""


@dataclass(frozen=True, eq=False)
class DrawnSet(PatternSet):
    """``times`` patterns of each of ``known`` crystals, in as many rounds: each shows all of them once, in an order of
    its own. Crystals without a pattern on ``instrument`` have to be left out before
    (:func:`paperlib.diffraction.simulate.validate`)."""

    STAGE: ClassVar[Stage] = DRAWN_PATTERNS
    NOUN: ClassVar[str] = "imperfect patterns"

    known: CrystalSet
    times: int
    seed: int
    instrument: Instrument
    imperfections: Imperfections | None
    n: int = field(init=False)
    """Patterns in all."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", self.times * len(self.known))

    def identity(self) -> dict[str, Any]:
        """Plain values that tell its items, whatever their number, from those of any other set."""
        spoilt = None if self.imperfections is None else recipe_of(self.imperfections)
        what = {"crystals": self._checksum, "seed": self.seed, "instrument": repr(self.instrument)}
        versions = [DRAWN_PATTERNS.version, PATTERNS.version]
        return {"kind": type(self).__name__, "imperfections": spoilt, "versions": versions} | what

    def rows(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: which crystal each of ``items`` (n,) shows."""
        round_of, place = np.divmod(np.asarray(items, dtype=np.int64), len(self.known))
        rows = np.empty_like(place)
        for number in np.unique(round_of):
            here = round_of == number
            rows[here] = rng.permutation(self.seed, "drawn set/order", int(number), len(self.known))[place[here]]
        return rows

    def labels(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: the space group of the crystal of each of ``items`` (n,)."""
        return self.known.space_group[self.rows(items)].astype(np.int64)

    def crystals(self, items: np.ndarray) -> tuple[CrystalSet, np.ndarray]:
        """The crystals of ``items`` (n,); none is replaced."""
        return self.known[self.rows(items)], items[:0]

    @cached_property
    def _checksum(self) -> str:
        return checksum_of(self.known)

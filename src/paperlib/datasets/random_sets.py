"""Sets of patterns of random crystals that are known by their recipe.

Item i is the space group that was asked for, which is its label, the one that its crystal has, the crystal and the
pattern. A shorter set is the beginning of a longer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.production import RANDOM_SHARDS
from paperlib.crystals.rules import Rules
from paperlib.crystals.synthesis import synthesise
from paperlib.datasets.asked_groups import AskedGroups
from paperlib.datasets.generated_streams import recipe_of
from paperlib.datasets.pattern_sets import PatternSet
from paperlib.datasets.prepared import PATTERNS
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import validate
from paperlib.lab.stages import Stage
from paperlib.lab.store import sha256_of_text

RANDOM_PATTERNS = Stage("random patterns", 1, "paperlib.datasets.random_sets", cheap=False)
"""Patterns of random crystals, of which only the recipe is kept beside them."""

_AGAIN = 2**40
"""Added to the number of an item for its second crystal, and so on: no set has as many items."""


@dataclass(frozen=True, eq=False)
class RandomSet(PatternSet):
    """``n`` random crystals with the space groups ``asked``, and their powder patterns on ``instrument``, with
    ``imperfections`` drawn for each.

    ``learnt`` names what the statistics of the ``rules`` were learnt from (a checksum of the crystals; "" where there
    are none): the statistics themselves are floats whose last digits differ between machines.
    """

    STAGE: ClassVar[Stage] = RANDOM_PATTERNS
    NOUN: ClassVar[str] = "random crystals"

    asked: AskedGroups
    seed: int
    n: int
    rules: Rules
    learnt: str
    instrument: Instrument
    imperfections: Imperfections | None = None

    def identity(self) -> dict[str, Any]:
        """Plain values that tell its items, whatever their number, from those of any other set."""
        plain = self.rules.described() | {"statistics": self.learnt}
        rules = sha256_of_text(repr(sorted(plain.items())))
        versions = [RANDOM_PATTERNS.version, RANDOM_SHARDS.version, PATTERNS.version]
        what = {"seed": self.seed, "rules": rules, "instrument": repr(self.instrument), "versions": versions}
        # trainings that are kept came before these patterns could be spoilt
        what |= {} if self.imperfections is None else {"imperfections": recipe_of(self.imperfections)}
        return {"kind": type(self).__name__, "asked": self.asked.identity()} | what

    def labels(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: the space group that each of ``items`` (n,) is labelled with."""
        return self.asked.labels(items, self.seed)

    def crystals(self, items: np.ndarray) -> tuple[CrystalSet, np.ndarray]:
        """The crystals of consecutive ``items`` (n,), and the numbers of those among them for which another one was
        drawn because the first has no pattern on the instrument. Raises ValueError for items that are not
        consecutive, and where ten crystals of an item have none."""
        if (np.diff(items) != 1).any():
            raise ValueError("crystals are made of consecutive items")
        groups = self.asked.crystals(items, self.seed)
        crystals = synthesise(groups, self.seed, self.rules, first=int(items[0])).crystals
        dark = [i for i, _ in validate(crystals, self.instrument)]
        if not dark:
            return crystals, items[:0]
        parts = {i: self._another(int(items[i]), int(groups[i])) for i in dark}
        pieces = [parts[i] if i in parts else crystals[i : i + 1] for i in range(len(crystals))]
        return CrystalSet.concatenate(pieces), items[dark]

    def _another(self, item: int, group: int) -> CrystalSet:
        for attempt in range(1, 10):
            crystal = synthesise([group], self.seed, self.rules, first=item + attempt * _AGAIN).crystals
            if not validate(crystal, self.instrument):
                return crystal
        raise ValueError(f"ten crystals of space group {group} have no pattern (item {item}); widen the instrument")

"""What can be chosen: space groups and extinction classes, what they demand of reflections, crystals that show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.symmetry.conditions import reflection_conditions
from paperlib.symmetry.extinction import class_of_space_group, class_symbols, extinction_classes
from paperlib.symmetry.groups import SPACE_GROUPS, crystal_system, symbol

SCHEME = "published"
"""Of the extinction classes: the one that the released networks answer with."""
EXAMPLES = 3
"""Crystals that are shown of a group or class."""


@dataclass(frozen=True)
class Choice:
    """A space group, or an extinction class of :data:`SCHEME`."""

    number: int
    """1-230 of a space group; of a class its place, from 0."""
    is_class: bool = False

    @property
    def members(self) -> tuple[int, ...]:
        """The space groups that no powder pattern tells from one another by absences, the chosen one among them."""
        return extinction_classes(SCHEME)[self.class_index]

    @property
    def class_index(self) -> int:
        """The place of its extinction class."""
        return self.number if self.is_class else int(class_of_space_group(SCHEME)[self.number])

    @property
    def class_name(self) -> str:
        """The extinction symbol."""
        return class_symbols(SCHEME)[self.class_index]

    @property
    def name(self) -> str:
        """The symbol that it was chosen by."""
        return self.class_name if self.is_class else f"{symbol(self.number)} ({self.number})"

    @property
    def systems(self) -> str:
        """The crystal system, or the two of a class."""
        numbers = self.members if self.is_class else (self.number,)
        return ", ".join(dict.fromkeys(crystal_system(number) for number in numbers))

    @property
    def conditions(self) -> tuple[str, ...]:
        """The reflection conditions in words; those of a class on the axes of its first member."""
        return reflection_conditions(self.members[0] if self.is_class else self.number)


def choices(classes: bool) -> list[tuple[str, Choice]]:
    """All extinction classes, or all space groups, with the texts of a list to choose from."""
    if classes:
        found = [Choice(i, is_class=True) for i in range(len(extinction_classes(SCHEME)))]
        return [(f"{one.name} · {one.systems}", one) for one in found]
    return [(f"{number} · {symbol(number)}", Choice(number)) for number in SPACE_GROUPS]


def examples(crystals: CrystalSet, choice: Choice) -> np.ndarray:
    """(k,) int64, k at most :data:`EXAMPLES`: rows of ``crystals`` that have the chosen group, or one of the class, in
    the standard setting; of different formulas first, then those of few atoms. Empty where there is none."""
    wanted = choice.members if choice.is_class else (choice.number,)
    rows = np.flatnonzero(np.isin(crystals.space_group, wanted) & crystals.standard)
    rows = rows[np.argsort(crystals.n_sites[rows], kind="stable")]
    _, first = np.unique(crystals.formula[rows], return_index=True)
    repeated = np.ones(len(rows), dtype=bool)
    repeated[first] = False
    return rows[np.argsort(repeated, kind="stable")][:EXAMPLES].astype(np.int64)


def counts(crystals: CrystalSet) -> np.ndarray:
    """(231,) int64: how many of ``crystals`` have each space group, by number."""
    return np.bincount(crystals.space_group, minlength=len(SPACE_GROUPS) + 1)

"""Which space groups a set of random crystals is asked for, and which its crystals have: how wrong its labels are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from paperlib.lab import rng
from paperlib.lab.store import sha256_of_text
from paperlib.symmetry.groups import SPACE_GROUPS

VERSION = 1
"""Of what is drawn: raised when it is meant to change, it starts trainings anew."""


@dataclass(frozen=True)
class AskedGroups:
    """Which space groups a set is asked for, and which its crystals have.

    Without ``histogram`` (230,) the 230 groups come in turn, in steps of 97 so that consecutive items are of all
    crystal systems; with it each item draws its group with these weights. ``found`` lists (asked, found, count): where
    a group is asked for that is listed, the crystal is of one of the groups that were found for it, as often as they
    were, and so its label is as wrong as theirs. Raises ValueError for weights and counts that are none.
    """

    histogram: tuple[float, ...] = ()
    found: tuple[tuple[int, int, int], ...] = ()

    def __post_init__(self) -> None:
        weights = np.asarray(self.histogram, dtype=np.float64)
        if len(weights) and (len(weights) != len(SPACE_GROUPS) or not (weights >= 0).all() or not weights.sum() > 0):
            raise ValueError(
                f"a histogram is 230 numbers, none below 0; got {len(weights)} that add to {weights.sum()}"
            )
        for row in self.found:
            if not (row[0] in SPACE_GROUPS and row[1] in SPACE_GROUPS and row[2] > 0):
                raise ValueError(f"{row} is no row of two space groups and a count")

    def labels(self, items: np.ndarray, seed: int) -> np.ndarray:
        """(n,) int64: the space group that was asked for, of each of ``items`` (n,) of a set with this ``seed``."""
        items = np.asarray(items, dtype=np.int64)
        if not self.histogram:
            return 1 + items * 97 % len(SPACE_GROUPS)
        return 1 + _drawn(self.histogram, rng.uniform(seed, "random set/asked", items))

    def crystals(self, items: np.ndarray, seed: int) -> np.ndarray:
        """(n,) int64: the space group that the crystal of each of ``items`` (n,) has."""
        groups = self.labels(items, seed)
        draws = rng.uniform(seed, "random set/found", items)
        has = groups.copy()
        for asked in {row[0] for row in self.found}:
            rows, of_it = np.flatnonzero(groups == asked), [row for row in self.found if row[0] == asked]
            has[rows] = np.array([row[1] for row in of_it])[_drawn([row[2] for row in of_it], draws[rows])]
        return has

    def expected(self) -> np.ndarray:
        """(230,) float64: the share of the items that are labelled with each space group."""
        weights = np.array(self.histogram or [1.0] * len(SPACE_GROUPS), dtype=np.float64)
        return weights / weights.sum()

    def identity(self) -> dict[str, Any]:
        """Plain values that tell it from any other."""
        texts = {name: ",".join(map(repr, value)) for name, value in vars(self).items()}
        return {name: sha256_of_text(text) if text else "" for name, text in texts.items()} | {"version": VERSION}


def _drawn(weights: Any, draws: np.ndarray) -> np.ndarray:
    total = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.minimum(np.searchsorted(total, draws * total[-1], side="right"), np.flatnonzero(weights)[-1])

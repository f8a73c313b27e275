"""A network as an indexer and as a reader: how often it finds the crystal family, and how often it reads the right
class once it is told the family.

To name an extinction class from a pattern is to find the lattice, then to see which of its lines are missing. A network
does both at once, but its answer can be taken apart: its probabilities added up over each family say what it takes the
lattice for; those of the classes of the true family, made to add up to 1, say what it reads from a lattice of that
kind. That is not yet the class given the *cell*, which a network has no input for: what can be read from the known
lines of a known cell says :mod:`paperlib.learning.oracle`.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from paperlib.learning.comparison import scored
from paperlib.learning.ranked import GIVEN
from paperlib.learning.study import Trained

FAMILY = "crystal_family"


class Parts(NamedTuple):
    """The spaces that an arm has to be scored in to be taken apart."""

    family: str
    reading: str
    """The class given the family."""
    whole: str


def parts_of(scheme: str) -> Parts:
    """The parts of answers over the classes of ``scheme``, for ``Arm.spaces``."""
    return Parts(FAMILY, f"{scheme}{GIVEN}{FAMILY}", scheme)


def decomposition(trained: Trained, test: str, scheme: str, k: int = 1) -> pd.DataFrame:
    """Of every arm that is scored in :func:`parts_of` ``scheme``: one row for each part (``family``, ``reading``,
    ``whole``) with the share of items whose true family or class is among the first ``k``, and its interval. Columns:
    arm, part, value, low, high, n.

    The family is an answer of its own, the most probable one, which is not always that of the most probable class.
    Raises ValueError, saying what to name, where no arm is scored in one of them.
    """
    rows = []
    for part, space in parts_of(scheme)._asdict().items():
        found = scored(trained, test, space, k)
        if not found.values:
            raise ValueError(f"no arm is scored in {space!r}: give its Arm spaces=(…, {space!r})")
        for arm in found.values:
            value = found.score(arm)
            numbers = {"value": value.value, "low": value.low, "high": value.high, "n": value.n}
            rows.append({"arm": arm, "part": part} | numbers)
    return pd.DataFrame(rows)

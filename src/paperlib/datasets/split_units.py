"""What a split keeps together: entries, formulas, structure types, groups of duplicates.

The units are names that :func:`paperlib.datasets.splits.grouped_split` deals out whole; they follow from the entries
alone, so that a split does not depend on the order of the set.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import ShardedCrystals
from paperlib.datasets.alike.entries import chunks
from paperlib.datasets.duplicates import find_duplicates
from paperlib.datasets.partitions import named
from paperlib.datasets.structure_types import structure_types

UNITS = ("entry", "formula", "structure type", "duplicates")


def split_units(
    crystals: CrystalSet | ShardedCrystals,
    by: str = "duplicates",
    *,
    rule: str = "pattern",
    client: Any = None,
    **tolerances: float,
) -> np.ndarray:
    """(n,) str: the unit of each entry.

    ``by`` is ``entry`` (a random split; entries of one id stay together), ``formula`` (reduced formula), ``structure
    type`` (:func:`paperlib.datasets.structure_types.structure_types`) or ``duplicates`` (the groups of ``rule`` with
    ``tolerances``, see :mod:`paperlib.datasets.duplicates`), named by the first of their ids. Raises ValueError for
    another ``by``.
    """
    if by == "structure type":
        return structure_types(crystals)
    if by in ("entry", "formula"):
        name = "source_id" if by == "entry" else "formula"
        return np.concatenate([np.zeros(0, np.str_), *(getattr(p, name).astype(np.str_) for _, p in chunks(crystals))])
    if by != "duplicates":
        raise ValueError(f"{by=} is unknown; choose one of {', '.join(UNITS)}")
    return named(find_duplicates(crystals, rule, client=client, **tolerances), split_units(crystals, "entry"))

"""What test entries have in common with training entries: copies, near copies, structure types, near patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import ShardedCrystals
from paperlib.datasets.duplicates import find_duplicates
from paperlib.datasets.structure_types import structure_types

KINDS = ("exact", "near", "structure type")
"""What two entries can share, the closest first: see :func:`leakage_units`."""

EXACT = {"cell": 0.001, "similarity": 0.9999}
"""Tolerances of the rule ``pattern`` for entries that are the same crystal, written down twice."""

NEAR = {"formula": 0.02}
"""Tolerances of the rule ``pattern`` for entries that a network can know one from the other: other determinations and
doped variants."""

NOTHING = "nothing of these"

_BLOCK = 8192
"""Patterns that are compared at a time: tens of megabytes."""


def leakage_units(crystals: CrystalSet | ShardedCrystals, client: Any = None) -> dict[str, np.ndarray]:
    """What entries can share, each (n,): the group of ``exact`` copies and of ``near`` ones (:data:`EXACT`,
    :data:`NEAR`), and the ``structure type``. ``client`` as in :func:`paperlib.datasets.duplicates.find_duplicates`."""
    exact, near = (find_duplicates(crystals, "pattern", client=client, **tolerances) for tolerances in (EXACT, NEAR))
    return dict(zip(KINDS, (exact, near, structure_types(crystals)), strict=True))


def units_of(crystals: CrystalSet, stored: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """What each entry can share, (n,) for each of :data:`KINDS`: taken from ``stored`` arrays where their ``id`` (n,)
    are those of the crystals, otherwise computed."""
    if stored is not None and np.array_equal(stored["id"], crystals.source_id.astype(np.str_)):
        return {kind: stored[kind] for kind in KINDS}
    return leakage_units(crystals)


def overlap(units: Mapping[str, np.ndarray], train: np.ndarray, test: np.ndarray) -> pd.DataFrame:
    """(len(test), len(units)) bool: whether a training entry has the unit of each test entry; ``train`` and ``test``
    number the entries. Raises ValueError where an entry stands on both sides."""
    if len(both := np.intersect1d(train, test)):
        raise ValueError(
            f"{len(both)} entries (first: number {both[0]}) are in training and in test; leave them out of one"
        )
    return pd.DataFrame({kind: np.isin(unit[test], unit[train]) for kind, unit in units.items()})


def closest_kind(table: pd.DataFrame) -> np.ndarray:
    """(n,) str: the first kind that each row of :func:`overlap` shares, or :data:`NOTHING`."""
    flags = np.column_stack([table.to_numpy(), np.ones(len(table), dtype=bool)])
    return np.array([*table.columns, NOTHING])[flags.argmax(axis=1)]


def leakage_report(
    units: Mapping[str, np.ndarray], train: np.ndarray, test: np.ndarray, distance: np.ndarray | None = None
) -> pd.DataFrame:
    """One row per kind of unit, and one for test entries that share none.

    ``kind``; ``test_entries`` that share it with a training entry, ``share`` of all test entries; ``train_entries``
    that share it with a test entry; with ``distance`` (len(test),), of :func:`nearest_patterns`, also the
    ``median_distance`` of the test entries that share this kind and none before it.
    """
    table = overlap(units, train, test)
    closest = closest_kind(table)
    rows = []
    for kind in (*units, NOTHING):
        shares = table[kind].to_numpy() if kind in units else closest == NOTHING
        there = np.isin(units[kind][train], units[kind][test]).sum() if kind in units else 0
        row = {"kind": kind, "test_entries": int(shares.sum()), "share": shares.mean() if len(test) else 0.0}
        row |= {"train_entries": int(there)}
        if distance is not None:
            here = distance[closest == kind]
            row |= {"median_distance": np.median(here) if len(here) else np.nan}
        rows.append(row)
    return pd.DataFrame(rows)


def nearest_patterns(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance (n_test,) of each test pattern to the nearest training pattern, and which one that is (n_test,) int64.

    ``train`` (n_train, n_points) and ``test`` (n_test, n_points) are patterns as the network sees them (memory-mapped
    ones are read in blocks). The distance is 1 - the cosine of the angle between two patterns: 0 for the same pattern
    at any scale, 1 for patterns without a common line. Raises ValueError for other shapes, no training pattern, and
    a pattern that is zero or not finite.
    """
    if train.ndim != 2 or test.ndim != 2 or train.shape[1] != test.shape[1] or not len(train):
        raise ValueError(
            f"patterns must be (n, n_points) with the same points and n_train > 0: {train.shape=}, {test.shape=}"
        )
    best = np.full(len(test), -np.inf, dtype=np.float32)
    which = np.zeros(len(test), dtype=np.int64)
    wanted = _unit(test, "test", 0)
    for start in range(0, len(train), _BLOCK):
        block = _unit(train[start : start + _BLOCK], "training", start)
        for begin in range(0, len(test), _BLOCK):
            cosine = wanted[begin : begin + _BLOCK] @ block.T
            here, rows = cosine.argmax(axis=1), slice(begin, begin + len(cosine))
            value = cosine[np.arange(len(cosine)), here]
            better = value > best[rows]
            best[rows][better] = value[better]
            which[rows][better] = start + here[better]
    return np.clip(1 - best.astype(np.float64), 0, 2), which


def _unit(patterns: np.ndarray, name: str, first: int) -> np.ndarray:
    rows = np.asarray(patterns, dtype=np.float32)
    length = np.linalg.norm(rows, axis=1)
    if len(bad := np.flatnonzero(~(np.isfinite(length) & (length > 0)))):
        raise ValueError(f"{name} pattern {first + bad[0]} is zero or not finite; leave it out")
    return rows / length[:, None]

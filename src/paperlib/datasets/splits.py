"""Splits into training, validation and test that keep whole groups of alike entries on one side.

A random split of a database tests on near-copies of what was trained on. Here the unit that is dealt out is the
group: entries of one formula and space group, one structure type, or one group of :mod:`paperlib.datasets.duplicates`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import ShardedCrystals
from paperlib.crystals.species import whole_formula
from paperlib.datasets.alike.entries import ONE_HAND, chunks
from paperlib.datasets.alike.joining import components
from paperlib.datasets.duplicates import find_duplicates, named
from paperlib.datasets.structure_types import structure_types
from paperlib.lab.rng import uniform

UNITS = ("entry", "formula", "structure type", "duplicates")
"""What :func:`split_units` can keep together."""


class Split(NamedTuple):
    """Sorted indices of the entries on each side."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_units(
    crystals: CrystalSet | ShardedCrystals,
    by: str = "duplicates",
    *,
    rule: str = "pattern",
    client: Any = None,
    **tolerances: float,
) -> np.ndarray:
    """(n,) str: the unit of each entry.

    ``by`` is ``entry`` (a random split; entries of one id stay together), ``formula`` (the formula in whole numbers:
    :func:`paperlib.crystals.species.whole_formula`), ``structure type``
    (:func:`paperlib.datasets.structure_types.structure_types`) or ``duplicates`` (the groups of ``rule`` with
    ``tolerances``, see :mod:`paperlib.datasets.duplicates`), named by the first of their ids. Raises ValueError for
    another ``by``, and for a text that is no formula where formulas are asked for.
    """
    if by == "structure type":
        return structure_types(crystals)
    if by == "formula":
        texts = (whole_formula(text) for _, part in chunks(crystals) for text in part.formula.tolist())
        return np.array([*texts], dtype=np.str_)
    if by == "entry":
        return np.concatenate([np.zeros(0, np.str_), *(part.source_id.astype(np.str_) for _, part in chunks(crystals))])
    if by != "duplicates":
        raise ValueError(f"{by=} is unknown; choose one of {', '.join(UNITS)}")
    return named(find_duplicates(crystals, rule, client=client, **tolerances), split_units(crystals, "entry"))


def joint_units(*units: np.ndarray) -> np.ndarray:
    """(n,) int64: the smallest units that no one of several ``units`` (n,) cuts, duplicates and structure types, say:
    entries that share one of them, or are joined by a chain of such, are together."""
    codes = [np.unique(unit, return_inverse=True)[1] for unit in units]
    n = len(codes[0])
    order = [np.argsort(code, kind="stable") for code in codes]
    pairs = [
        np.column_stack([o[:-1], o[1:]])[code[o[:-1]] == code[o[1:]]] for code, o in zip(codes, order, strict=True)
    ]
    return components(n, np.concatenate(pairs))


def grouped_split(
    groups: Sequence | np.ndarray,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    *,
    seed: int,
    stratify: Sequence | np.ndarray | None = None,
) -> Split:
    """Deal whole groups out to training, validation and test.

    ``groups`` (n,) names the group of each entry (text or integers), ``stratify`` (n,) its class. Which entries go
    where depends on ``seed`` and the keys alone, not on the order of the entries.

    1. Each group draws a number from its key, u(seed, SHA-256 of the key), and belongs to its commonest class.
    2. Groups are taken class by class, in the order of u within a class.
    3. Each goes to the side that lacks most entries of its share so far, whatever its own size. This keeps the
       fractions in the whole set and, since a class is dealt out in one run, in every class that has enough groups.
    4. The first group (by u) of each class that occurs in two groups or more is given to training, unless training
       has a group with that class for the sake of a rarer one: no class that can be learnt from elsewhere is only
       tested.

    Raises ValueError for no entries, lengths that differ, groups that are neither text nor whole numbers, or fractions
    that are negative, leave training empty or do not add up to 1.
    """
    keys = np.asarray(groups)
    shares = np.asarray(fractions, dtype=np.float64)
    if keys.ndim != 1 or len(keys) == 0:
        raise ValueError(f"groups must hold one key per entry and at least one entry; got shape {keys.shape}")
    if shares.shape != (3,) or not (shares >= 0).all() or shares[0] == 0 or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(
            f"fractions are (train, validation, test), not negative, train above 0, sum 1; got {fractions}"
        )
    labels = np.zeros(len(keys), dtype=np.int64) if stratify is None else np.asarray(stratify)
    if labels.shape != keys.shape:
        raise ValueError(f"stratify has shape {labels.shape}, groups has {keys.shape}; give one class per entry")
    if keys.dtype.kind not in "iuU" and not all(isinstance(key, str) for key in keys.tolist()):
        raise ValueError(f"groups must be named by text or whole numbers, whose text is certain; got {keys.dtype}")
    names, group_of = np.unique(keys.astype(str), return_inverse=True)
    class_of = np.unique(labels, return_inverse=True)[1]
    held_by, n_entries = np.unique(np.column_stack([group_of, class_of]), axis=0, return_counts=True)
    group, label = held_by.T
    commonest_first = np.lexsort((label, -n_entries, group))
    main_class = label[commonest_first][np.unique(group[commonest_first], return_index=True)[1]]

    items = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") >> 1 for name in names]
    draws = uniform(seed, "datasets.splits", np.array(items, dtype=np.int64))
    to_train = _needed_in_train(group, label, draws)
    sizes = np.bincount(group_of)
    side_of, held, dealt = np.zeros(len(names), dtype=np.int64), np.zeros(3), 0
    for g in np.lexsort((draws, main_class)).tolist():
        # what was dealt before, without this group: else training would lack most whenever the group is large
        lacking = shares * dealt - held
        # rounding can leave all others a little below zero, and then a side of no share would lack most
        lacking[shares == 0] = -np.inf
        side_of[g] = 0 if g in to_train else np.argmax(lacking)
        held[side_of[g]] += sizes[g]
        dealt += sizes[g]
    return Split(*(np.flatnonzero(side_of[group_of] == side) for side in range(3)))


def _needed_in_train(group: np.ndarray, label: np.ndarray, draws: np.ndarray) -> set[int]:
    """Groups that training gets so that it has every class of two groups or more. ``group`` and ``label`` list once
    which group holds which class, ``draws`` has the number of each group."""
    needed: set[int] = set()
    by_class = np.lexsort((draws[group], label))
    members_of = np.split(group[by_class], np.flatnonzero(np.diff(label[by_class])) + 1)
    for members in sorted(members_of, key=len):
        if len(members) >= 2 and needed.isdisjoint(members.tolist()):
            needed.add(int(members[0]))
    return needed


def split_table(crystals: CrystalSet, split: Split) -> pd.DataFrame:
    """Which entry stands where: ``id``, ``part`` ("train", "validation", "test") and ``space_group``."""
    parts = [
        pd.DataFrame({"id": crystals.source_id[rows], "part": part, "space_group": crystals.space_group[rows]})
        for part, rows in split._asdict().items()
    ]
    return pd.concat(parts, ignore_index=True)


def formula_group_keys(crystals: CrystalSet) -> np.ndarray:
    """(n,) str: composition (:func:`paperlib.crystals.species.whole_formula`) and space group number, e.g.
    ``SiO2|152``; the two groups of an enantiomorphic pair give one key. Raises ValueError for a text that is no
    formula."""
    numbers = ONE_HAND[crystals.space_group].tolist()
    pairs = zip(crystals.formula.tolist(), numbers, strict=True)
    return np.array([f"{whole_formula(formula)}|{number}" for formula, number in pairs], dtype=np.str_)


def leakage(keys_a: Iterable, keys_b: Iterable) -> int:
    """How many different keys occur on both sides; 0 for a clean split."""
    return len({str(key) for key in keys_a} & {str(key) for key in keys_b})

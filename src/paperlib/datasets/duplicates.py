"""Which entries of a database are the same crystal: five rules, from loose to strict. Two entries are linked when

- ``formula~group``: they have one space group, and no element's share of the atoms differs by more than ``formula``, so
  that doped variants fall together;
- ``formula+group``: they have one space group and one composition (La0.8Sn2 is La2Sn5);
- ``cell``: and the seven lengths of their primitive lattices (:mod:`paperlib.crystals.lattice_lengths`) agree, in any
  setting, within the relative tolerance ``cell``;
- ``pattern``: and their powder patterns, brought to one volume (:mod:`paperlib.datasets.alike.fingerprints`), are
  alike at least ``similarity``;
- ``structure``: they have one composition and, whatever their space groups, pymatgen's StructureMatcher with its
  tolerances ``ltol``, ``stol`` and ``angle_tol`` (degrees) fits one to the other.

The two groups of an enantiomorphic pair count as one, deuterium counts as hydrogen. Links are properties of two entries
alone; the *group* of an entry is what a chain of links reaches (single linkage), so that every rule gives the same
groups for any order of the entries, and one representative of each group is a set without links. With a tolerance
``formula`` above 0 ``cell`` and ``pattern`` start from formulas that differ by no more than that.

A pair is compared only where its entries meet in a table of keys (space group and formula, or the elements of the
formula) and lie near one another in it, so that the work grows with the number of entries and not with its square.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import ShardedCrystals
from paperlib.datasets.alike.entries import Entries, chunks, comparable, read_entries
from paperlib.datasets.alike.fingerprints import N_POINTS, fingerprints
from paperlib.datasets.alike.formulas import ROUNDING, alike_formulas, measures_of
from paperlib.datasets.alike.joining import COLUMNS, Bounds, components, pairs_within
from paperlib.datasets.alike.structure_match import matching_pairs
from paperlib.lab.cluster import done_in_any_order

RULES: Mapping[str, Mapping[str, float]] = {
    "formula~group": {"formula": 0.02},
    "formula+group": {},
    "cell": {"cell": 0.01, "formula": 0.0},
    "pattern": {"similarity": 0.9975, "cell": 0.01, "formula": 0.0},
    "structure": {"ltol": 0.2, "stol": 0.3, "angle_tol": 5.0},
}
"""Rules, from loose to strict, with their tolerances; those of ``structure`` are StructureMatcher's own."""

_PIECE = 1000
"""Crystals whose patterns are computed at a time."""

_HIGHEST = {"formula": 0.2, "angle_tol": 90.0}

Crystals = CrystalSet | ShardedCrystals


def find_duplicates(crystals: Crystals, rule: str, *, client: Any = None, **tolerances: float) -> np.ndarray:
    """(n,) int64: the group of each entry, numbered in the order of first appearance.

    ``rule`` and ``tolerances`` are those of this module; :data:`RULES` has the values that hold where none is given.
    ``client`` (:func:`paperlib.lab.cluster.workers`) spreads patterns and structure matching over Dask workers; a set
    in shards is read piece by piece. Entries that cannot be compared
    (:func:`paperlib.datasets.alike.entries.entry_problems`) stand alone; a warning counts them. Raises ValueError for
    an unknown rule or tolerance.
    """
    pairs, _, problems = _joined(crystals, rule, client, tolerances)
    if lone := int((~problems["compared"]).sum()):
        first = problems[~problems["compared"]].iloc[0]
        warnings.warn(
            f"{lone} of {len(crystals)} entries cannot be compared and stand alone (first: {first.source_id}: "
            f"{first.problem}); paperlib.datasets.alike.entries.entry_problems lists them",
            stacklevel=2,
        )
    return components(len(crystals), pairs)


def duplicate_links(crystals: Crystals, rule: str, *, client: Any = None, **tolerances: float) -> pd.DataFrame:
    """The pairs that join the groups of :func:`find_duplicates`, and why: one row fewer than entries in each group.

    Columns: ``first``, ``second`` (numbers of the entries), ``first_id``, ``second_id``, their space groups and
    formulas, ``formula_difference`` (largest difference of the share of an element), ``cell_difference`` (largest
    relative difference of the seven lengths), ``similarity``; NaN where the rule does not look at it. Every row obeys
    the rule by itself. Other pairs of a group may do so too, or not.
    """
    pairs, values, _ = _joined(crystals, rule, client, tolerances)
    columns: dict[str, np.ndarray] = {}
    for name, numbers in zip(("first", "second"), pairs.T, strict=True):
        part = crystals[numbers]
        columns |= {name: numbers, f"{name}_id": part.source_id, f"{name}_formula": part.formula}
        columns |= {f"{name}_space_group": part.space_group}
    return pd.DataFrame(columns | dict(zip(COLUMNS, values.T, strict=True)))


def named(groups: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """(n,) str: for each entry the first, in the order of text, of the ``ids`` (n,) of its group (n,)."""
    order = np.lexsort((ids, groups))
    found, first, inverse = np.unique(groups[order], return_index=True, return_inverse=True)
    names = ids[order][first][inverse]
    return names[np.argsort(order)] if len(found) else ids


def representatives(groups: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """(g,) int64, rising: one entry of each group (n,), the first of its ``ids`` (n,) in the order of text: a set
    without duplicates."""
    order = np.lexsort((ids, groups))
    return np.sort(order[np.unique(groups[order], return_index=True)[1]])


def pair_agreement(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """``recall``, ``precision`` and ``f1`` over the pairs of entries that share a group, of two partitions (n,); 1
    where there is no pair to find or none was found."""
    both = _pairs(np.unique(np.column_stack([found, expected]), axis=0, return_inverse=True)[1])
    wanted, there = _pairs(expected), _pairs(found)
    recall, precision = both / wanted if wanted else 1.0, both / there if there else 1.0
    f1 = 2 * recall * precision / (recall + precision) if both else float(wanted == there == 0)
    return {"recall": recall, "precision": precision, "f1": f1}


def _pairs(labels: np.ndarray) -> int:
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())


def _tolerances(rule: str, given: Mapping[str, float]) -> dict[str, float]:
    if rule not in RULES:
        raise ValueError(f"{rule=} is unknown; choose one of {', '.join(RULES)}")
    for name, value in given.items():
        if name not in RULES[rule]:
            known = ", ".join(RULES[rule]) or "none"
            raise ValueError(f"rule {rule!r} has no tolerance {name!r}; it has {known}")
        if not 0 <= value <= _HIGHEST.get(name, 1.0):
            raise ValueError(
                f"tolerance {name}={value!r} of rule {rule!r} is not between 0 and {_HIGHEST.get(name, 1.0)}; "
                f"{RULES[rule][name]} is usual"
            )
    return {**RULES[rule], **given}


def _joined(
    crystals: Crystals, rule: str, client: Any, given: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Pairs (e, 2), what was measured of them (e, 3), and the problems of the entries."""
    tolerance = _tolerances(rule, given)
    entries = read_entries(crystals)
    if rule == "structure":
        groups = _same(entries, entries.composition)
        pairs, failed = matching_pairs(crystals, groups, tolerance, client)
        rows = [(i, crystals[i].source_id[0], reason, False) for i, reason in failed]
        problems = pd.DataFrame([*entries.problems.itertuples(index=False), *rows], columns=entries.problems.columns)
        return pairs, np.full((len(pairs), len(COLUMNS)), np.nan), problems
    if rule == "formula~group":
        pairs, values = alike_formulas(entries, tolerance["formula"])
        return pairs, values, entries.problems
    if tolerance.get("formula", 0.0) > 0:
        bucket = components(len(entries.usable), alike_formulas(entries, tolerance["formula"])[0])
        bounds = Bounds(formula=tolerance["formula"] + ROUNDING)
    else:
        bucket = _codes(entries.composition, entries.space_group)
        bounds = Bounds()
    if "cell" in tolerance:
        bounds = bounds._replace(cell=np.log1p(tolerance["cell"]))
    pairs, values = _within_buckets(entries, bucket, bounds)
    if rule == "pattern":
        bucket = components(len(entries.usable), pairs)
        bounds = bounds._replace(similarity=tolerance["similarity"])
        pairs, values = _within_buckets(entries, bucket, bounds, *_fingerprints(crystals, bucket, client))
    return pairs, values, entries.problems


def _codes(*columns: np.ndarray) -> np.ndarray:
    """(n,) int64: one number for each different row of some columns."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes = np.unique(column, return_inverse=True)[1] + codes * (len(column) + 1)
        codes = np.unique(codes, return_inverse=True)[1]
    return codes


def _same(entries: Entries, key: np.ndarray) -> list[np.ndarray]:
    """Numbers of the usable entries of each key that occurs twice, in the order of their rank."""
    usable = np.flatnonzero(entries.usable)
    codes = _codes(key)[usable]
    order = np.lexsort((entries.rank[usable], codes))
    groups = np.split(usable[order], np.flatnonzero(np.diff(codes[order])) + 1)
    return [group for group in groups if len(group) > 1]


def _within_buckets(
    entries: Entries,
    bucket: np.ndarray,
    bounds: Bounds,
    row: np.ndarray | None = None,
    prints: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    usable = np.flatnonzero(entries.usable)
    logarithms = np.log(entries.lengths)
    # the shortest lengths of two lattices differ by no more than the tolerance of all
    position = logarithms.min(axis=1)[usable]
    measures = measures_of(entries, logarithms, row, prints)
    return pairs_within(bucket[usable], usable, position, bounds.cell, entries.rank, measures, bounds)


def _fingerprints(crystals: Crystals, bucket: np.ndarray, client: Any) -> tuple[np.ndarray, np.ndarray]:
    """(n,) row of each entry of a bucket of two or more, -1 for the others, and their fingerprints."""
    wanted = np.bincount(bucket)[bucket] > 1
    row = np.where(wanted, np.cumsum(wanted) - 1, -1)
    prints = np.zeros((int(wanted.sum()), 2, N_POINTS), dtype=np.float32)
    for first, part in chunks(crystals):
        numbers = np.flatnonzero(wanted[first : first + len(part)])
        pieces = [(comparable(part[piece])[1],) for piece in np.array_split(numbers, 1 + len(numbers) // _PIECE)]
        begins = (
            np.cumsum([0, *(len(crystals) for (crystals,) in pieces)]) + row[first + numbers[0]]
            if len(numbers)
            else [0]
        )
        for piece, made in done_in_any_order(fingerprints, pieces, client):
            prints[begins[piece] : begins[piece] + len(made)] = made
    return row, prints

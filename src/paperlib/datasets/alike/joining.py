"""Which entries belong together: pairs within bounds, found bucket by bucket, and what they join; compiled.

All links of a group of n entries are n (n - 1) / 2 and of no use: a pair that is joined already, through others, is not
compared. Which entries end up together does not depend on that, nor on any order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from paperlib.crystals.lattice_lengths import relabellings
from paperlib.datasets.alike.fingerprints import FINE
from paperlib.diffraction.cpu import compiled

COLUMNS = ("formula_difference", "cell_difference", "similarity")
"""What is measured of each pair; NaN where it has no bound."""


class Measures(NamedTuple):
    """What pairs are compared by, entry by entry."""

    start: np.ndarray
    """(n + 1,) int64: rows of ``element`` and ``fraction`` of each entry."""
    element: np.ndarray
    """(c,) int64: atomic numbers, rising within an entry."""
    fraction: np.ndarray
    """(c,) float64: share of the atoms."""
    lengths: np.ndarray
    """(n, 7) float64: ln of the lengths of the lattice (Å)."""
    fingerprint_row: np.ndarray
    """(n,) int64: row of ``fingerprints``, or -1."""
    fingerprints: np.ndarray
    """(m, 2, p) float32, each of length 1: for cells that hardly differ, and for others."""


class Bounds(NamedTuple):
    """What a pair must keep to; infinite where it does not matter."""

    formula: float = math.inf
    """Largest difference of the share of any element."""
    cell: float = math.inf
    """Largest difference of ln of any length of the lattice."""
    similarity: float = -math.inf
    """Smallest product of two fingerprints; needs a bound on the cell."""


def pairs_within(
    bucket: np.ndarray, member: np.ndarray, position: np.ndarray, window: float, rank: np.ndarray, measures: Measures,
    bounds: Bounds,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Pairs (e, 2) that join entries of one bucket, and what was measured of them (e, 3), in the order of
    ``COLUMNS``.

    Row r says that entry ``member[r]`` stands in bucket ``bucket[r]`` at ``position[r]``; an entry may stand in
    several. Entries further apart than ``window`` in position are not compared. Every pair keeps to ``bounds``; pairs
    are as many as are needed to join what belongs together. ``rank`` (n,) is the order in which entries are taken.
    """
    order = np.lexsort((rank[member], position, bucket))
    starts = np.flatnonzero(np.diff(bucket[order], prepend=-1))
    lone = np.diff(starts, append=len(order)) < 2
    order = order[~np.repeat(lone, np.diff(starts, append=len(order)))]
    starts = np.flatnonzero(np.diff(bucket[order], prepend=-1, append=-1)) if len(order) else np.zeros(1, np.int64)
    return _join(member[order], position[order], starts, window, measures, bounds, relabellings())


def components(n: int, pairs: np.ndarray) -> np.ndarray:
    """(n,) int64: group of each of n entries that ``pairs`` (e, 2) join, numbered in the order of first appearance."""
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


@compiled
def find(parent: np.ndarray, i: int) -> int:
    """The representative of what ``i`` belongs to; ``parent`` (n,) is shortened on the way."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def _formula_difference(m: Measures, i: int, j: int) -> float:
    a, b, worst = m.start[i], m.start[j], 0.0
    while a < m.start[i + 1] or b < m.start[j + 1]:
        first = m.element[a] if a < m.start[i + 1] else 1000
        second = m.element[b] if b < m.start[j + 1] else 1000
        difference = 0.0
        if first <= second:
            difference += m.fraction[a]
            a += 1
        if second <= first:
            difference -= m.fraction[b]
            b += 1
        worst = max(worst, abs(difference))
    return worst


@compiled
def _cell_difference(first: np.ndarray, second: np.ndarray, permutations: np.ndarray, bound: float) -> float:
    """Largest difference of two sets of lengths under the relabelling that makes it smallest; infinite where it is
    surely above ``bound``."""
    a, b = np.sort(first), np.sort(second)
    for k in range(7):
        if abs(a[k] - b[k]) > bound:
            return np.inf  # no relabelling brings them closer than sorting does
    best = np.inf
    for r in range(len(permutations)):
        worst = 0.0
        for k in range(7):
            worst = max(worst, abs(first[k] - second[permutations[r, k]]))
            if worst >= best:
                break
        best = min(best, worst)
    return best


@compiled
def _similarity(m: Measures, i: int, j: int, level: int) -> float:
    a, b, total = m.fingerprint_row[i], m.fingerprint_row[j], 0.0
    if a < 0 or b < 0:
        return -np.inf
    for k in range(m.fingerprints.shape[2]):
        total += m.fingerprints[a, level, k] * m.fingerprints[b, level, k]
    return total


@compiled
def _join(
    member: np.ndarray, position: np.ndarray, starts: np.ndarray, window: float, measures: Measures, bounds: Bounds,
    permutations: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    n = len(measures.start) - 1
    parent, mark = np.arange(n), np.full(n, -1)
    pairs, values, found = np.empty((n, 2), np.int64), np.full((n, 3), np.nan), 0
    for bucket in range(len(starts) - 1):
        begin, end, apart = starts[bucket], starts[bucket + 1], 0
        for a in range(begin, end):
            root = find(parent, member[a])
            apart += mark[root] != bucket
            mark[root] = bucket
        for a in range(begin, end):
            if apart == 1:
                break
            for b in range(a + 1, end):
                if position[b] - position[a] > window:
                    break
                i, j = member[a], member[b]
                one, other = find(parent, i), find(parent, j)
                if one == other:
                    continue
                formula = cell = similarity = np.nan
                if bounds.formula < np.inf:
                    formula = _formula_difference(measures, i, j)
                    if formula > bounds.formula:
                        continue
                if bounds.cell < np.inf:
                    cell = _cell_difference(measures.lengths[i], measures.lengths[j], permutations, bounds.cell)
                    if cell > bounds.cell:
                        continue
                if bounds.similarity > -np.inf:
                    similarity = _similarity(measures, i, j, 0 if cell <= FINE else 1)
                    if similarity < bounds.similarity:
                        continue
                parent[other] = one
                apart -= 1
                pairs[found, 0], pairs[found, 1] = i, j
                values[found, 0], values[found, 1], values[found, 2] = formula, cell, similarity
                found += 1
    return pairs[:found].copy(), values[:found].copy()

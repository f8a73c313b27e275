"""Partitions of the entries of a set: from links to groups, their names, representatives, and how well two agree."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def components(n: int, pairs: np.ndarray) -> np.ndarray:
    """(n,) int64: group of each of n entries that ``pairs`` (e, 2) join, numbered in the order of first appearance."""
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def named(groups: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """(n,) str: for each entry the first, in the order of text, of the ``ids`` (n,) of its group (n,)."""
    order = np.lexsort((ids, groups))
    found, first, inverse = np.unique(groups[order], return_index=True, return_inverse=True)
    names = ids[order][first][inverse]
    return names[np.argsort(order)] if len(found) else ids


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

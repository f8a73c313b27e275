"""Maximal subgroups of the 230 space groups, and how far two groups are from one another along them.

A subgroup is *translationengleiche* (``t``: all translations are kept, the point group is smaller) or *klassengleiche*
(``k``: the point group is kept, translations are lost), and a maximal one is one or the other (Hermann, 1929). The
space-group types are the corners of a graph, and an edge joins two of them where crystals of one can have a maximal
subgroup of the other. The table is PyXtal's, after the Bilbao Crystallographic Server and International Tables A1.

Of the infinitely many *isomorphic* subgroups (k-subgroups of the same type) none is an edge: the graph has no loops.
But where a type has a mirror image, some of them are of that one (every other translation of P3_1 along c leaves P3_2),
and so the two of each of the 11 pairs are neighbours. That makes the graph complete, since maximal subgroups that are
not isomorphic have an index of at most 4.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from paperlib.symmetry.groups import SPACE_GROUPS

KINDS = ("t", "k")
_BEYOND = ((212, 213, 27), (213, 212, 27))
"""Group, subgroup and index of mirror images with an index above those of PyXtal's table: a' = 3a makes 4_1 of 4_3."""
FAR = np.iinfo(np.int16).max
"""The distance of groups that no path joins."""


@functools.cache
def maximal_subgroups() -> pd.DataFrame:
    """One row for each pair of space-group types that a maximal subgroup joins: ``group`` and ``subgroup`` (numbers
    that differ), ``kind`` ("t" or "k") and the smallest ``index`` of such a subgroup. Not to be changed."""
    pairs: dict[tuple[int, int, str], int] = {}
    for kind in KINDS:
        table = _table(kind)
        for group in SPACE_GROUPS:
            entry = table[str(group)]
            for subgroup, index in zip(entry["subgroup"], entry["index"], strict=True):
                key = (group, int(subgroup), kind)
                if subgroup != group:
                    pairs[key] = min(int(index), pairs.get(key, int(index)))
    pairs |= {(group, subgroup, "k"): index for group, subgroup, index in _BEYOND}
    rows = [(*key, index) for key, index in sorted(pairs.items())]
    return pd.DataFrame(rows, columns=["group", "subgroup", "kind", "index"])


def distances(kinds: str = "tk") -> np.ndarray:
    """(230, 230) int16: the fewest edges between two space groups, counted from 0, up or down, along subgroups of the
    ``kinds`` (letters of :data:`KINDS`); :data:`FAR` where there is no path. Read-only.

    Raises ValueError for another letter.
    """
    if not kinds or set(kinds) - set(KINDS):
        raise ValueError(f"{kinds=} names other subgroups than {' and '.join(KINDS)}")
    return _distances("".join(sorted(set(kinds))))


@functools.cache
def _distances(kinds: str) -> np.ndarray:
    edges = maximal_subgroups()
    edges = edges[edges.kind.isin([*kinds])]
    n = len(SPACE_GROUPS)
    ends = edges.group.to_numpy() - 1, edges.subgroup.to_numpy() - 1
    graph = coo_array((np.ones(len(edges)), ends), shape=(n, n)).tocsr()
    found = shortest_path(graph, directed=False, unweighted=True)
    whole = np.where(np.isfinite(found), found, FAR).astype(np.int16)
    whole.setflags(write=False)
    return whole


@functools.cache
def steps(kind: str) -> np.ndarray:
    """(230, 230) bool: whether the second group, counted from 0, is a maximal subgroup of the first, of one ``kind``.
    Read-only. Raises ValueError for another kind."""
    if kind not in KINDS:
        raise ValueError(f"{kind=} is none of {', '.join(KINDS)}")
    edges = maximal_subgroups().query("kind == @kind")
    found = np.zeros((len(SPACE_GROUPS), len(SPACE_GROUPS)), dtype=bool)
    found[edges.group - 1, edges.subgroup - 1] = True
    found.setflags(write=False)
    return found


def _table(kind: str) -> dict[str, Any]:
    text = resources.files("pyxtal").joinpath("database", f"{kind}_subgroup.json").read_text()
    table: dict[str, Any] = json.loads(text)
    return table

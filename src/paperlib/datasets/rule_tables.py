"""What rules for duplicates leave of databases, as tables: entries, sizes of groups, classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from paperlib.datasets.against_truth import rule_key
from paperlib.datasets.duplicates import RULES, representatives
from paperlib.datasets.leakage import NEAR
from paperlib.lab.results import Value
from paperlib.symmetry import extinction

ASKED: Mapping[str, tuple[str, Mapping[str, float]]] = {
    **{rule: (rule, {}) for rule in RULES},
    "pattern, doped": ("pattern", NEAR),
}
"""The rules and tolerances that are compared: those of :mod:`paperlib.datasets.duplicates`, and what the rest of this
repository means by near copies."""


def left_table(groups: Mapping[str, np.ndarray], database: np.ndarray) -> pd.DataFrame:
    """What each rule of ``groups`` (each (n,)) leaves of each ``database`` (n,) and of all ``together``: ``rule``,
    ``database``, ``entries``, ``groups``, ``removed`` (share of the entries), ``largest`` (entries of a group)."""
    rows = []
    for name, labels in groups.items():
        for part in (*dict.fromkeys(database.tolist()), "together"):
            here = labels if part == "together" else labels[database == part]
            counts = np.unique(here, return_counts=True)[1]
            row = {"rule": name, "database": part, "entries": len(here), "groups": len(counts)}
            rows.append(row | {"removed": 1 - len(counts) / len(here), "largest": int(counts.max())})
    return pd.DataFrame(rows)


def left_values(left: pd.DataFrame) -> dict[str, Value]:
    """Values of a table of :func:`left_table`: for all together ``<rule>_groups`` and ``<rule>_removed_share``, for
    each database ``<database>_<rule>_removed``, the number of entries that go."""
    values = {}
    for row in left.itertuples():
        key, n = rule_key(row.rule), int(row.entries)
        if row.database == "together":
            values[f"{key}_groups"] = Value(int(row.groups), n=n, kind="count")
            values[f"{key}_removed_share"] = Value(float(row.removed), n=n, kind="share")
        else:
            values[f"{row.database}_{key}_removed"] = Value(n - int(row.groups), n=n, kind="count")
    return values


def size_table(groups: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """How many ``groups`` of each ``size`` each ``rule`` of ``groups`` (each (n,)) makes."""
    tables = []
    for name, labels in groups.items():
        size, count = np.unique(np.unique(labels, return_counts=True)[1], return_counts=True)
        tables.append(pd.DataFrame({"rule": name, "size": size, "groups": count}))
    return pd.concat(tables, ignore_index=True)


def class_change(space_group: np.ndarray, groups: np.ndarray, ids: np.ndarray, scheme: str) -> pd.DataFrame:
    """Entries of each extinction class of ``scheme`` ``before`` and ``after``, when one of each of the ``groups`` (n,)
    is kept, the first of ``ids`` (n,) in the order of text: ``class_index``, ``symbol``, ``before``, ``after``, and
    ``change``, of the share of the class."""
    class_of, symbols = extinction.class_of_space_group(scheme), extinction.class_symbols(scheme)
    classes = class_of[space_group.astype(np.int64)]
    kept = representatives(groups, ids)
    before, after = (np.bincount(part, minlength=len(symbols)) for part in (classes, classes[kept]))
    table = pd.DataFrame({"class_index": range(len(symbols)), "symbol": symbols, "before": before, "after": after})
    return table.assign(change=after / after.sum() - before / before.sum())


def contrasting(similarity: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Three of n entries to show, by the ``similarity`` (n, n) of their patterns: the one that resembles the others
    most, and of those that a rule, ``labels`` (n,), tells from it the most and the least similar. Where it tells fewer
    than two from it, of all others."""
    first = int(similarity.mean(axis=1).argmax())
    order = np.argsort(-similarity[first], kind="stable")
    apart = labels != labels[first]
    others = order[apart[order]] if apart.sum() > 1 else order[order != first]
    return np.array([first, others[0], others[-1]])

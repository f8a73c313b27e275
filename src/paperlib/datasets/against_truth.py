"""Groups of duplicates held against what is known: over pairs, per entry, and pair by pair over all thresholds.

*Pairs*: of the pairs that a rule puts together, the share that belongs together (precision), and of those that belong
together the share that it finds (recall). A family of n entries has n (n - 1) / 2 pairs, so that a few long series
decide. *Per entry* (B-cubed; Bagga & Baldwin 1998, doi:10.3115/980845.980859): for each entry the share of its group
that belongs to its family, and the share of its family that is in its group, itself counted; then the mean over
entries, in which an entry of a long series counts as much as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score, roc_curve

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.lattice_lengths import lattice_lengths
from paperlib.datasets.alike.entries import comparable
from paperlib.datasets.alike.fingerprints import N_POINTS, fingerprints
from paperlib.datasets.duplicates import pair_agreement
from paperlib.lab.intervals import half_width, item_variance
from paperlib.lab.results import Value

_PIECE = 1000
"""Crystals whose patterns are computed at a time, and thousand pairs that are compared at a time."""


def bcubed(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """B-cubed precision and recall of each entry, both (n,), of the groups ``found`` (n,) against ``truth`` (n,)."""
    group, family = (np.unique(labels, return_inverse=True)[1] for labels in (found, truth))
    _, cell, counts = np.unique(np.column_stack([group, family]), axis=0, return_inverse=True, return_counts=True)
    both = counts[cell]
    return both / np.bincount(group)[group], both / np.bincount(family)[family]


def scores_against(groups: Mapping[str, np.ndarray], truth: np.ndarray) -> pd.DataFrame:
    """How each rule of ``groups`` (each (n,)) does against ``truth`` (n,), one row per rule.

    Columns: ``rule``, ``entries``, ``families`` (with two entries or more), ``pairs`` (that belong together),
    ``pairs_found``, ``removed`` (entries that go when one of each group is kept) and ``removed_kin`` (of these, as many
    as belong to a family of which another entry of the group stays), ``precision`` and ``recall`` over pairs, and
    ``bcubed_precision`` and ``bcubed_recall`` with the ends ``_low`` and ``_high`` of 95 % intervals over families
    (:func:`paperlib.lab.intervals.item_variance`). Without a pair to find, recall is 1; without a pair found, precision
    is 1.
    """
    family = np.unique(truth, return_inverse=True)[1]
    rows = []
    for rule, labels in groups.items():
        pairs = pair_agreement(labels, truth)
        row = {"rule": rule, "entries": len(truth), "families": int((np.bincount(family) > 1).sum())}
        row |= {"pairs": _n_pairs(truth), "pairs_found": _n_pairs(labels)}
        n_cells = len(np.unique(np.column_stack([np.unique(labels, return_inverse=True)[1], family]), axis=0))
        row |= {"removed": len(truth) - len(np.unique(labels)), "removed_kin": len(truth) - n_cells}
        row |= {name: pairs[name] for name in ("precision", "recall")}
        for name, each in zip(("precision", "recall"), bcubed(labels, truth), strict=True):
            mean, half = float(each.mean()), half_width([item_variance(each, family)])
            row |= {f"bcubed_{name}": mean, f"bcubed_{name}_low": max(0.0, mean - half)}
            row |= {f"bcubed_{name}_high": min(1.0, mean + half)}
        rows.append(row)
    return pd.DataFrame(rows)


def _n_pairs(labels: np.ndarray) -> int:
    counts = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())


def rule_key(rule: str) -> str:
    """The name of a rule as a part of the name of a value: ``pattern, doped`` is ``pattern_doped``."""
    return rule.replace("~", "_near_").replace("+", "_").replace(", ", "_")


def score_values(table: pd.DataFrame) -> dict[str, Value]:
    """The scores of a table of :func:`scores_against` with a column ``truth`` as values, named by truth, rule and
    score, ``parents_pattern_doped_recall``; the numbers of entries that go, and the share of kin among them,
    ``parents_pattern_doped_kin_share``, where any go."""
    values = {}
    for row in table.to_dict("records"):
        for count in ("removed", "removed_kin"):
            name = f"{row['truth']}_{rule_key(row['rule'])}_{count}"
            values[name] = Value(int(row[count]), n=int(row["entries"]), kind="count")
        if row["removed"]:
            name = f"{row['truth']}_{rule_key(row['rule'])}_kin_share"
            values[name] = Value(row["removed_kin"] / row["removed"], n=int(row["removed"]), kind="share")
        for score in ("precision", "recall", "bcubed_precision", "bcubed_recall"):
            ends = {end: row.get(f"{score}_{end}") for end in ("low", "high")}
            values[f"{row['truth']}_{rule_key(row['rule'])}_{score}"] = Value(
                float(row[score]), n=int(row["entries"]), kind="share", **ends
            )
    return values


def recall_by_kind(groups: Mapping[str, np.ndarray], truth: np.ndarray, kind: np.ndarray) -> pd.DataFrame:
    """Recall over pairs of each rule of ``groups`` (each (n,)), for the families of each ``kind`` (n,): ``rule``,
    ``kind``, ``families``, ``pairs``, ``recall``."""
    rows = []
    for name in dict.fromkeys(kind.tolist()):
        here = kind == name
        table = scores_against({rule: labels[here] for rule, labels in groups.items()}, truth[here])
        rows.append(table[["rule", "families", "pairs", "recall"]].assign(kind=name))
    return pd.concat(rows, ignore_index=True)


class Pairs(NamedTuple):
    """Pairs of entries, and how alike they are."""

    first: np.ndarray
    """(p,) int64"""
    second: np.ndarray
    """(p,) int64"""
    similarity: np.ndarray
    """(p,) float64, 0 … 1: of the patterns, brought to one volume and drawn with wide lines."""
    cell_difference: np.ndarray
    """(p,) float64: largest relative difference of the sorted seven lengths of the lattices."""
    weight: np.ndarray
    """(p,) float64: 1 over the number of pairs of the group that the pair stands in, so that each group counts once."""


def compared_pairs(crystals: CrystalSet, groups: np.ndarray) -> Pairs:
    """All pairs that ``groups`` (n,), a loose rule, puts together, with what stricter rules look at.

    Entries that cannot be compared are in no pair.
    """
    good, standard, _ = comparable(crystals)
    row = np.full(len(crystals), -1)
    row[good] = np.arange(len(good))
    order = good[np.argsort(groups[good], kind="stable")]
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    pairs, weights = [np.zeros((0, 2), dtype=np.int64)], [np.zeros(0)]
    for members in parts:
        if len(members) > 1:
            chosen = np.column_stack(np.triu_indices(len(members), 1))
            pairs.append(members[chosen])
            weights.append(np.full(len(chosen), 1 / len(chosen)))
    both = np.concatenate(pairs)
    used = np.unique(both)
    place = np.full(len(crystals), -1)
    place[used] = np.arange(len(used))
    wanted = standard[row[used]]
    pieces = [wanted[k : k + _PIECE] for k in range(0, len(wanted), _PIECE)]
    empty = np.zeros((0, N_POINTS), dtype=np.float32)
    prints = np.concatenate([empty, *(fingerprints(piece)[:, 1] for piece in pieces)])
    lengths = np.sort(np.log(lattice_lengths(wanted.cell, wanted.space_group.astype(np.int64))), axis=1)
    a, b = place[both[:, 0]], place[both[:, 1]]
    similarity, difference = np.zeros(len(both)), np.zeros(len(both))
    for k in range(0, len(both), 20 * _PIECE):
        here = slice(k, k + 20 * _PIECE)
        similarity[here] = np.einsum("ij,ij->i", prints[a[here]], prints[b[here]])
        difference[here] = np.expm1(np.abs(lengths[a[here]] - lengths[b[here]]).max(axis=1))
    return Pairs(both[:, 0], both[:, 1], similarity, difference, np.concatenate(weights))


def roc_table(pairs: Pairs, truth: np.ndarray, rule: float, points: int = 200) -> pd.DataFrame:
    """Receiver operating characteristics of what pairs are told apart by, against ``truth`` (n,), the family of each
    entry.

    ``by`` ("similarity", or "cell", smaller differences first), ``counted`` ("pairs", or "groups": each group of the
    loose rule once), ``threshold``, ``false_positive`` and ``true_positive`` rates, at most about ``points`` a curve,
    and the area under it, ``auc``; ``false_at_rule`` and ``true_at_rule`` are the rates of the pairs with a similarity
    of at least ``rule``, each pair counted. Without a pair of each kind there is no curve and no row.
    """
    same = truth[pairs.first] == truth[pairs.second]
    columns = ["by", "counted", "threshold", "false_positive", "true_positive", "auc"]
    columns += ["false_at_rule", "true_at_rule"]
    if same.all() or not same.any():
        return pd.DataFrame(columns=columns)
    tables, (false_at, true_at) = [], rates_at(pairs, truth, rule)
    # differences in the last digits are no differences: rounded, a curve is the same on every machine
    scores = {"similarity": pairs.similarity.round(5), "cell": -pairs.cell_difference.round(5)}
    for by, score in scores.items():
        for counted, weight in (("pairs", np.ones(len(same))), ("groups", pairs.weight)):
            false, true, threshold = roc_curve(same, score, sample_weight=weight)
            # roc_curve begins above every score, at infinity
            kept = np.unique(np.concatenate([[1], _spread(false[1:] + true[1:], points) + 1]))
            auc = float(roc_auc_score(same, score, sample_weight=weight))
            part = {"threshold": np.abs(threshold[kept]), "false_positive": false[kept], "true_positive": true[kept]}
            named = {"by": by, "counted": counted, "auc": auc, "false_at_rule": false_at, "true_at_rule": true_at}
            tables.append(pd.DataFrame(part).assign(**named)[columns])
    return pd.concat(tables, ignore_index=True)


def rates_at(pairs: Pairs, truth: np.ndarray, similarity: float) -> tuple[float, float]:
    """Rates of false and of true positives where pairs with at least ``similarity`` are taken for one crystal; NaN
    without a pair of the kind."""
    same, taken = truth[pairs.first] == truth[pairs.second], pairs.similarity.round(5) >= similarity
    false, true = (float(taken[kind].mean()) if kind.any() else float("nan") for kind in (~same, same))
    return false, true


def _spread(along: np.ndarray, points: int) -> np.ndarray:
    """Rows at which ``along``, rising, reaches steps of equal height; the first and the last among them."""
    steps = np.linspace(along[0], along[-1], points)
    return np.unique(np.concatenate([[0], np.searchsorted(along, steps), [len(along) - 1]]).clip(0, len(along) - 1))

"""Tables of scores: what notebooks show and figures read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from paperlib.lab.metrics import balanced_accuracy, bootstrap, expected_calibration_error, top_k


def score_table(
    probabilities: Sequence[np.ndarray],
    targets: np.ndarray,
    groups: np.ndarray | None,
    seeds: Sequence[int],
    ks: Sequence[int] = (1, 3, 5),
) -> pd.DataFrame:
    """Top-k scores with intervals: one row per k for each seed, and one with seed -1 for their mean.

    ``probabilities`` holds one (n, n_classes) array per seed; a single array (a model without a seed) gives the
    rows with seed -1 only. Columns: seed, k, value, low, high, n; intervals as in :func:`bootstrap`.
    """
    rows = []
    for k in ks:
        hits = np.stack([top_k(p, targets, k) for p in probabilities])
        each = list(zip(seeds, hits, strict=True)) if len(hits) > 1 else []
        for seed, hit in [(-1, hits.mean(0)), *each]:
            rows.append({"seed": seed, "k": k} | asdict(bootstrap(hit, groups)))
    return pd.DataFrame(rows)[["seed", "k", "value", "low", "high", "n"]]


def model_row(probabilities: Sequence[np.ndarray], targets: np.ndarray) -> dict[str, float]:
    """Mean over seeds of what has no rank: ``balanced_top1`` (recall averaged over classes) and ``ece``
    (expected calibration error). ``probabilities`` as in :func:`score_table`."""
    return {
        "balanced_top1": float(np.mean([balanced_accuracy(p, targets) for p in probabilities])),
        "ece": float(np.mean([expected_calibration_error(p, targets) for p in probabilities])),
    }


def class_table(
    symbols: Sequence[str], train: np.ndarray, test: np.ndarray, hits: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """One row per class that occurs in ``test``: class_index, symbol, n_train, n_test, and the mean of each of
    ``hits`` (one score per test item) over the items of the class. ``train``, ``test`` are class indices."""
    n = len(symbols)
    table = pd.DataFrame({"class_index": range(n), "symbol": symbols})
    table["n_train"], table["n_test"] = np.bincount(train, minlength=n), np.bincount(test, minlength=n)
    for name, hit in hits.items():
        table[name] = np.bincount(test, hit, minlength=n) / table.n_test.where(table.n_test > 0)
    return table[table.n_test > 0]


def confusions(symbols: Sequence[str], targets: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Pairs of true and predicted class that differ, most frequent first, with their count and share of all items."""
    names = np.asarray(symbols, dtype=object)
    pairs = pd.DataFrame({"true_symbol": names[targets], "predicted_symbol": names[predicted]})
    wrong = pairs[targets != predicted].value_counts().reset_index(name="count")
    order = ["count", "true_symbol", "predicted_symbol"]
    wrong = wrong.sort_values(order, ascending=[False, True, True], ignore_index=True)
    return wrong.assign(share=wrong["count"] / len(targets))

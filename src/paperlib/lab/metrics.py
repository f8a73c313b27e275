"""Scores of a classifier and their intervals.

Scores are kept per item until the last step, so that a difference of two models can be resampled in pairs
and related items (the structures of one formula, say) together.
"""

from __future__ import annotations

import functools

import numpy as np
from sklearn.metrics import recall_score

from paperlib.lab import rng
from paperlib.lab.results import Value


def ranks(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(n,) rank of the true class, 0 for the most probable.

    ``probabilities`` (n, n_classes), ``targets`` (n,) class indices. Equal probabilities are ranked by class
    index, so that a constant prediction has a definite answer. Raises ValueError for NaN or a bad target.
    """
    probabilities, targets = np.asarray(probabilities), np.asarray(targets)
    n, n_classes = probabilities.shape
    if targets.shape != (n,):
        raise ValueError(f"{targets.shape=} does not match {probabilities.shape=}")
    if not np.isfinite(probabilities).all():
        raise ValueError(f"probabilities of item {int(np.argwhere(~np.isfinite(probabilities))[0, 0])} are not finite")
    if n and not (0 <= targets.min() and targets.max() < n_classes):
        raise ValueError(f"targets run from {targets.min()} to {targets.max()}, but there are {n_classes} classes")
    true = np.take_along_axis(probabilities, targets[:, None], axis=1)
    earlier = np.arange(n_classes)[None, :] < targets[:, None]
    return ((probabilities > true) | ((probabilities == true) & earlier)).sum(axis=1)


def balanced_accuracy(predicted: np.ndarray, targets: np.ndarray) -> float:
    """Recall averaged over the classes that occur in ``targets`` (n,), of ``predicted`` classes (n,) (scikit-learn)."""
    return float(recall_score(targets, predicted, labels=np.unique(targets), average="macro", zero_division=0.0))


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, n_bins: int = 15) -> float:
    """Mean distance between ``confidence`` (n,) in the first answer and its accuracy, from ``correct`` (n,) bool, over
    ``n_bins`` equal bins of confidence, weighted by the items in each (Naeini et al., AAAI 2015)."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, correct - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(correct))


def mean_by_group(values: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The groups that occur (g,), how often (g,), and the mean of their rows of ``values`` (n, p), as (g, p)."""
    found, index, count = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(found), values.shape[1]))
    np.add.at(sums, index, values)
    return found, count, sums / count[:, None]


def bootstrap(
    scores: np.ndarray,
    groups: np.ndarray | None = None,
    seed: int = 0,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Value:
    """The mean of ``scores`` (n,) with its percentile bootstrap interval.

    ``groups`` (n,) names the cluster of each item: whole clusters are drawn, since items of one cluster are
    no independent evidence. For the difference of two models pass the difference of their scores.
    """
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 1 or not len(scores):
        raise ValueError(f"bootstrap needs a list of scores, one per item; got {scores.shape=}")
    index = np.arange(len(scores)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if index.shape != scores.shape:
        raise ValueError(f"{index.shape=} of the groups does not match {scores.shape=}")
    n_groups = int(index.max()) + 1
    totals, sizes = np.bincount(index, scores), np.bincount(index)
    times_drawn = _resamples(seed, n_groups, n_resamples)
    means = (times_drawn @ totals) / (times_drawn @ sizes)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Value(float(scores.mean()), float(low), float(high), len(scores))


@functools.lru_cache(maxsize=4)
def _resamples(seed: int, n_groups: int, n_resamples: int) -> np.ndarray:
    """(n_resamples, n_groups) float32: how often each resample draws each group."""
    times_drawn = np.empty((n_resamples, n_groups), dtype=np.float32)
    for i in range(n_resamples):
        drawn = (rng.uniform(seed, "bootstrap", np.array([i]), n_groups)[0] * n_groups).astype(int)
        times_drawn[i] = np.bincount(drawn, minlength=n_groups)
    times_drawn.setflags(write=False)
    return times_drawn

"""Intervals that hold everything that would differ if somebody did it again: test items, seeds and splits.

The model behind them: the score of an arm in a repetition is a constant of the arm, plus what the repetition shares
among arms (its test items), plus what its training brings (initial weights, order of batches, training set).

- *Test items*: the variance of a mean over items that come in clusters (variants of one crystal), by linearisation:
  sum over clusters of the squared sum of deviations, times G / (G - 1), over n².
- *Training*: what is left of the table of arms and repetitions when the means of rows and columns are taken out
  (two-way analysis of variance), with (A - 1)(R - 1) degrees of freedom; with one arm, the variance between
  repetitions. Arms are taken to be equally noisy, which is what gives two or three repetitions a usable estimate.
- Both together by Student's t, with degrees of freedom after Welch and Satterthwaite.

A single repetition shows nothing of the training: its interval holds test items only, and says so by ``n_repeats``.
Test sets of different splits are taken as independent, though they are drawn from one database and may overlap.
Two arms with two repetitions leave one degree of freedom: where training moves scores more than test items do,
intervals of 95 % around a score then held the truth in 85 to 90 % of made-up studies (differences in 95 to 97 %).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats


class Part(NamedTuple):
    """A part of the variance of a mean, and the degrees of freedom that it was estimated with."""

    variance: float
    freedom: float


def item_variance(values: np.ndarray, clusters: np.ndarray) -> Part:
    """The variance of the mean of ``values`` (n,) over items, of which whole ``clusters`` (n,) would be drawn anew."""
    codes = np.unique(clusters, return_inverse=True)[1]
    n_clusters = int(codes.max()) + 1
    sums = np.bincount(codes, values - values.mean())
    if n_clusters < 2:
        return Part(0.0, 1.0)
    return Part(float((sums**2).sum() / len(values) ** 2 * n_clusters / (n_clusters - 1)), n_clusters - 1.0)


def training_variance(means: np.ndarray) -> Part:
    """The variance of one training's score about what its arm and its repetition explain; ``means`` is (arms,
    repetitions). With one repetition there is none to be seen: variance 0 and no degrees of freedom."""
    n_arms, n_repeats = means.shape
    if n_repeats < 2:
        return Part(0.0, 0.0)
    if n_arms < 2:
        return Part(float(means.var(ddof=1)), n_repeats - 1.0)
    rest = means - means.mean(1, keepdims=True) - means.mean(0, keepdims=True) + means.mean()
    freedom = (n_arms - 1.0) * (n_repeats - 1.0)
    return Part(float((rest**2).sum() / freedom), freedom)


def half_width(parts: Sequence[Part], level: float = 0.95) -> float:
    """Half the width of the interval around a mean whose variance is the sum of ``parts``."""
    parts = [part for part in parts if part.variance > 0]
    total = sum(part.variance for part in parts)
    if total == 0:
        return 0.0
    freedom = total**2 / sum(part.variance**2 / part.freedom for part in parts)
    return float(stats.t.ppf((1 + level) / 2, freedom) * np.sqrt(total))


def mean_and_half_width(
    contributions: Mapping[tuple[Any, int], np.ndarray],
    clusters: Mapping[Any, np.ndarray],
    training: Part,
    weight: float,
    level: float = 0.95,
) -> tuple[float, float]:
    """The mean over repetitions of ``contributions`` per item, by (split, seed), and half the width of its interval.

    ``clusters`` names the cluster of each item of a split. ``training`` is :func:`training_variance` over the blocks
    that repetitions make (splits, or seeds where there is one split), and ``weight`` the sum of the squared
    coefficients with which trainings enter (1 for a score, 2 for a difference).

    Where splits differ, each has test items of its own, and what is left in a difference holds the chance of these
    items too: the larger of both parts counts, not their sum.
    """
    splits = list(dict.fromkeys(split for split, _ in contributions))
    of_split = {
        split: np.mean([values for (s, _), values in contributions.items() if s == split], axis=0) for split in splits
    }
    each = [item_variance(values, clusters[split]) for split, values in of_split.items()]
    items = Part(sum(part.variance for part in each) / len(splits) ** 2, sum(part.freedom for part in each))
    n_blocks = len(splits) if len(splits) > 1 else len(contributions)
    noise = Part(weight * training.variance / n_blocks, training.freedom)
    mean = float(np.mean([values.mean() for values in of_split.values()]))
    if len(splits) > 1 and weight > 1:
        return mean, max(half_width([items], level), half_width([noise], level))
    return mean, half_width([items, noise], level)

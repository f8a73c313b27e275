"""Answers put together: about several views of an item, of several trainings, or with other class frequencies.

All of it is made from log-probabilities that were kept (``whole`` in :class:`paperlib.learning.arms.TestItems`), by
(split, seed), so that a clone does it again without a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from paperlib.datasets.labels import Labels
from paperlib.learning.arms import TestItems
from paperlib.learning.comparison import KS, Repeat, rival_table
from paperlib.learning.priors import class_frequencies, exchanged
from paperlib.learning.ranked import ranked_in
from paperlib.learning.study import Trained

Answers = Mapping[Repeat, np.ndarray]
"""(n, n_classes) normalised log-probabilities by split and seed."""


def kept_answers(trained: Trained, arm: str, test: str) -> dict[Repeat, np.ndarray]:
    """What ``arm`` said about ``test``. Raises KeyError where its log-probabilities were not kept."""
    found = {(split, seed): x for (t, a, split, seed), x in trained.whole.items() if (t, a) == (test, arm)}
    if not found:
        raise KeyError(f"no log-probabilities of {arm!r} about {test!r} were kept")
    return found


def mean_of(views: Sequence[Answers]) -> dict[Repeat, np.ndarray]:
    """The mean of the probabilities in several ``views`` of the same items, by repetition."""
    return {repeat: _mean([view[repeat] for view in views]) for repeat in views[0]}


def surest_of(views: Sequence[Answers]) -> dict[Repeat, np.ndarray]:
    """Of each item the answer of the view whose first class is the most probable, by repetition."""
    found = {}
    for repeat in views[0]:
        stack = np.stack([view[repeat] for view in views])
        best = stack.max(2).argmax(0)
        found[repeat] = stack[best, np.arange(stack.shape[1])]
    return found


def ensemble(answers: Answers) -> dict[Repeat, np.ndarray]:
    """The mean of the probabilities of all seeds, by split; it stands under the first of the seeds."""
    splits = dict.fromkeys(split for split, _ in answers)
    seeds = {split: [seed for s, seed in answers if s == split] for split in splits}
    return {(s, seeds[s][0]): _mean([answers[s, seed] for seed in seeds[s]]) for s in splits}


def with_frequencies(
    answers: Answers, labels: Labels, seen: Mapping[Any, np.ndarray], expected: Mapping[Any, np.ndarray]
) -> dict[Repeat, np.ndarray]:
    """The answers where space groups are as frequent as in ``expected`` (m,), and not as in ``seen`` (k,), both by
    split (:func:`paperlib.learning.priors.exchanged`)."""
    found = {}
    for (split, seed), log_p in answers.items():
        counts = (np.bincount(groups[split], minlength=231)[1:] for groups in (seen, expected))
        found[split, seed] = exchanged(log_p, *(class_frequencies(labels, count) for count in counts))
    return found


def _mean(log_p: Sequence[np.ndarray]) -> np.ndarray:
    return np.logaddexp.reduce(np.stack(log_p), axis=0) - np.log(len(log_p))


def step_table(
    steps: Mapping[str, Answers],
    labels: Labels,
    spaces: Sequence[str],
    items: Mapping[Any, TestItems],
    test: str,
    ks: Sequence[int] = KS,
) -> pd.DataFrame:
    """Scores of each of ``steps`` in ``spaces``, in the columns of :mod:`paperlib.learning.comparison`, with the steps
    as arms; ``items`` are the test items by split."""
    clusters = {split: of_split.clusters for split, of_split in items.items()}
    tables = []
    for step, answers in steps.items():
        truth = {split: items[split].space_group for split, _ in answers}
        found = {r: ranked_in(log_p, labels, truth[r[0]], spaces) for r, log_p in answers.items()}
        tables.append(rival_table(step, found, clusters, test, ks))
    return pd.concat(tables, ignore_index=True)

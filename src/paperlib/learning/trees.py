"""Extremely randomised trees on the first peak positions: what can be told from ten numbers, without a network.

After Suzuki et al., Scientific Reports 10 (2020) 21790, whose code gives the numbers: of each pattern the scattering
vectors Q = 4π sin θ / λ of its ten peaks of lowest angle, 0 where there are fewer, and how many peaks there are; 200
trees of depth 25 at most, of which each sees all items, and at each node a random threshold for each of the eleven
numbers (Geurts, Ernst and Wehenkel, Machine Learning 63 (2006) 3). Theirs were the peaks of a line list; here they are
maxima of the pattern, as a network sees it. The trees of a forest are grown one after the other and asked at once: all
of them together, with a count for every class in each of their nodes, would not fit into memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from joblib import Parallel, delayed
from sklearn.tree import ExtraTreeClassifier

from paperlib.datasets.streams import Stream
from paperlib.diffraction.instrument import Instrument
from paperlib.lab import rng
from paperlib.learning.arms import Arm, Test
from paperlib.learning.peaks import find_peaks
from paperlib.learning.ranked import Ranked, ranked_in

N_PEAKS = 10
MIN_HEIGHT = 1e-3
"""Maxima below this share of the highest are no peaks."""
N_TREES = 200
MAX_DEPTH = 25

_ROWS_AT_ONCE = 2048


def first_peaks(
    patterns: np.ndarray, instrument: Instrument, n_peaks: int = N_PEAKS, min_height: float = MIN_HEIGHT
) -> np.ndarray:
    """(n, n_peaks + 1) float32 for patterns (n, n_points): Q in Å⁻¹ of the peaks of lowest angle, by rising angle and 0
    where there are no more, and the number of peaks (:func:`paperlib.learning.peaks.find_peaks`) of at least
    ``min_height`` of the highest point."""
    found = np.zeros((len(patterns), n_peaks + 1), dtype=np.float32)
    for start in range(0, len(patterns), _ROWS_AT_ONCE):
        some = torch.from_numpy(np.array(patterns[start : start + _ROWS_AT_ONCE], dtype=np.float32))
        # two points next to each other are not both peaks
        places, _, present = find_peaks(some, max(1, some.shape[1] // 2), min_height)
        lowest = places.double().where(present, math.inf).sort(dim=1).values[:, :n_peaks].numpy()
        theta = np.radians((instrument.two_theta[0] + lowest * instrument.step) / 2)
        rows = found[start : start + _ROWS_AT_ONCE]
        with np.errstate(invalid="ignore"):
            q = np.where(np.isfinite(lowest), 4 * np.pi / instrument.wavelength * np.sin(theta), 0.0)
        rows[:, : q.shape[1]], rows[:, -1] = q, present.sum(1).numpy()
    return found


def peaks_of_stream(stream: Stream, n_items: int, instrument: Instrument) -> tuple[np.ndarray, np.ndarray]:
    """:func:`first_peaks` of the first ``n_items`` items of a stream, and their targets (n_items,) int64."""
    peaks, targets, n = [], [], 0
    while n < n_items:
        patterns, classes = stream.batch(len(peaks), "cpu")
        peaks.append(first_peaks(patterns.numpy(), instrument))
        targets.append(classes.numpy())
        n += len(classes)
    return np.concatenate(peaks)[:n_items], np.concatenate(targets)[:n_items]


def forest_answers(
    features: np.ndarray,
    targets: np.ndarray,
    asked: Sequence[np.ndarray],
    n_classes: int,
    seed: int = 0,
    n_trees: int = N_TREES,
    max_depth: int = MAX_DEPTH,
    n_jobs: int = 1,
) -> list[np.ndarray]:
    """Log-probabilities (m, n_classes) float64 about each of ``asked`` (m, n_features) by a forest grown on
    ``features`` (n, n_features) of the classes ``targets`` (n,).

    They are the mean over trees of the shares of classes in the leaves, with one more tree that knows nothing, so that
    no class is impossible. A function of the data and the ``seed``, whatever ``n_jobs``, the threads that work.
    Raises ValueError where a target is no class.
    """
    if not (0 <= targets.min(initial=0) and targets.max(initial=0) < n_classes):
        raise ValueError(f"targets are classes from 0 to {n_classes - 1}, got {targets.min()} to {targets.max()}")
    seeds = rng.integers(seed, "trees", np.arange(n_trees))[:, 0].tolist()

    def grow(random_state: int) -> list[np.ndarray]:
        tree = ExtraTreeClassifier(max_depth=max_depth, max_features=None, random_state=random_state)
        tree.fit(features, targets)
        shares = [np.zeros((len(some), n_classes)) for some in asked]
        for share, some in zip(shares, asked, strict=True):
            share[:, tree.classes_] = tree.predict_proba(some)
        return shares

    total = [np.full((len(some), n_classes), 1 / n_classes) for some in asked]
    grown = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(delayed(grow)(s) for s in seeds)
    for shares in grown:
        for sums, share in zip(total, shares, strict=True):
            sums += share
    return [np.log(sums / (n_trees + 1)) for sums in total]


def ask_trees(
    arm: Arm,
    tests: Sequence[Test],
    split: object,
    seed: int,
    instrument: Instrument,
    n_items: int = 0,
    n_trees: int = N_TREES,
    n_jobs: int = 1,
) -> Mapping[str, Mapping[str, Ranked]]:
    """What a forest says that is grown on the stream of ``arm``, on ``n_items`` of it (0: one pass), about each of
    ``tests``: by key of the test, and by the spaces of the arm. The arm's model and training play no part."""
    stream = arm.stream(split, seed)
    features, targets = peaks_of_stream(stream, n_items or stream.n_items, instrument)
    items = [test.items(split) for test in tests]
    asked = [first_peaks(some.patterns, instrument) for some in items]
    answers = forest_answers(features, targets, asked, len(arm.labels), seed, n_trees, n_jobs=n_jobs)
    return {
        test.key: ranked_in(log_p, arm.labels, some.space_group, arm.spaces)
        for test, some, log_p in zip(tests, items, answers, strict=True)
    }

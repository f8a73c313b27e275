"""What a network would say if the classes were as frequent as in the test set, and not as in its training set.

A network that is trained to the end gives p(class | pattern) ∝ p(pattern | class) × p(class in training). Where another
frequency is to be expected, its log-probabilities are corrected by the difference of the logarithms (Saerens, Latinne
and Decaestecker, Neural Computation 14 (2002) 21). What is lost by that correction's absence is a wrong expectation;
what is lost in spite of it was not learnt.
"""

from __future__ import annotations

import numpy as np

from paperlib.datasets.labels import Labels

CORRECTED = "corrected"
"""In place of a scheme, in the answers of a training: its own labels with the frequencies exchanged."""


def class_frequencies(labels: Labels, counts: np.ndarray) -> np.ndarray:
    """(n_classes,) the share of each class where the space groups were counted ``counts`` (230,) times; each class once
    more than that, so that none is impossible (Laplace)."""
    by_class = np.bincount(labels.of(np.arange(1, 231)), counts, len(labels)) + 1
    return by_class / by_class.sum()


def exchanged(log_p: np.ndarray, seen: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Log-probabilities (n, n_classes) of a network that saw classes with frequencies ``seen`` (n_classes,), where they
    are ``expected`` (n_classes,); normalised, float64. Raises ValueError for a frequency that is not positive."""
    if not (np.min(seen) > 0 and np.min(expected) > 0):
        raise ValueError("a class with frequency 0 has no correction; see class_frequencies")
    moved = np.asarray(log_p, dtype=np.float64) + np.log(expected) - np.log(seen)
    return moved - np.logaddexp.reduce(moved, axis=1, keepdims=True)

"""How far a network's probabilities can be believed, and when it should not answer.

One temperature T, by which logits are divided, mends most of what is wrong with the confidence of a network (Guo,
Pleiss, Sun and Weinberger, ICML 2017). It is fitted on items that no training has seen, and never on those that a score
is given for.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from paperlib.lab.metrics import expected_calibration_error

BOUNDS = 0.05, 20.0
"""Between which the temperature is looked for."""
COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


def tempered(log_p: np.ndarray, temperature: float) -> np.ndarray:
    """(n, n_classes) float64: log-probabilities of the same answers at another ``temperature``; normalised."""
    scaled = np.asarray(log_p, dtype=np.float64) / temperature
    return scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)


def fit_temperature(log_p: np.ndarray, target: np.ndarray) -> float:
    """The temperature at which ``log_p`` (n, n_classes) is the most probable about items of classes ``target`` (n,).
    Raises ValueError for fewer than two items."""
    if len(target) < 2:
        raise ValueError(f"a temperature cannot be fitted to {len(target)} items")

    def loss(log_temperature: float) -> float:
        return -float(tempered(log_p, np.exp(log_temperature))[np.arange(len(target)), target].mean())

    found = minimize_scalar(loss, bounds=tuple(np.log(BOUNDS)), method="bounded")
    return float(np.exp(found.x))


def reliability_table(confidence: np.ndarray, right: np.ndarray, n_bins: int = 10) -> pd.DataFrame:
    """Items in ``n_bins`` equal bins of ``confidence`` (n,), 0 to 1, that occur: ``low``, ``high``, ``n``, the mean
    ``confidence`` and the share ``right``."""
    place = np.minimum((np.asarray(confidence) * n_bins).astype(int), n_bins - 1)
    rows = []
    for k in np.unique(place):
        here = place == k
        means = {"confidence": float(confidence[here].mean()), "right": float(np.mean(right[here]))}
        rows.append({"low": k / n_bins, "high": (k + 1) / n_bins, "n": int(here.sum())} | means)
    return pd.DataFrame(rows)


def coverage_table(confidence: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Score of the answers that are given where the least sure are refused: ``coverage`` (of :data:`COVERAGES`), the
    ``threshold`` of confidence from which on an answer is given, ``n`` of them, and the share ``right``. Items of
    equal confidence stand in the order in which they came."""
    order = np.argsort(-np.asarray(confidence), kind="stable")
    rows = []
    for coverage in COVERAGES:
        given = order[: max(1, round(coverage * len(order)))]
        facts = {"threshold": float(confidence[given[-1]]), "n": len(given), "right": float(right[given].mean())}
        rows.append({"coverage": coverage} | facts)
    return pd.DataFrame(rows)


def calibration_error(log_p: np.ndarray, target: np.ndarray) -> float:
    """The expected calibration error of the first answer, in 15 equal bins (Naeini, Cooper and Hauskrecht, 2015)."""
    first = log_p.argmax(1)
    return expected_calibration_error(np.exp(log_p.max(1)), first == target)

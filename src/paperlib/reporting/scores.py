"""The one schema of scores that studies write: which rows are an arm as a whole, and which single trainings.

``scores.csv`` has the columns arm, space, test, split, seed, k, value, low, high, n and n_trainings. The row of a whole
arm, all of its splits and seeds together, has split and seed -1; every other row is one training.
"""

from __future__ import annotations

import pandas as pd

from paperlib.reporting.names import ARMS


def whole_arms(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of whole arms."""
    return scores[(scores["split"] == -1) & (scores["seed"] == -1)]


def pooled(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of whole arms, in the order in which arms are named. Raises KeyError for an arm without a name."""
    return _in_order(whole_arms(scores))


def single(scores: pd.DataFrame) -> pd.DataFrame:
    """The rows of single trainings, in the same order."""
    return _in_order(scores[(scores["split"] != -1) | (scores["seed"] != -1)])


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    order = {arm: place for place, arm in enumerate(ARMS)}
    if unknown := sorted(set(rows["arm"]) - set(order)):
        raise KeyError(f"paperlib.reporting.names.ARMS has no {', '.join(map(repr, unknown))}")
    return rows.sort_values("arm", key=lambda arms: arms.map(order), kind="stable")

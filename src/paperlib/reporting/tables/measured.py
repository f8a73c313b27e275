"""The table of the study of measured patterns: what was trained on, and steps at test time."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count
from paperlib.reporting.names import AT_TEST, MEASURED
from paperlib.reporting.scores import whole_arms
from paperlib.reporting.tables.layout import origin_note, score, share, tabular

STEM = "13_measured"
_SPACES = ("published", "space_group")


def measured(results: Results) -> str:
    """Top-1, 3 and 5 over extinction groups and space groups of measured patterns: one row for what was trained on, and
    one for each step at test time; top-1 over extinction groups of those with names too."""
    scores, steps = (whole_arms(results.table(STEM, name)) for name in ("scores", "steps"))
    of_open, of_named = (scores[scores["test"] == test] for test in ("measured", "named"))
    arms = [arm for arm in MEASURED if (of_open["arm"] == arm).any()]
    rows = [(MEASURED[arm].label, *_cells(of_open, arm), _named(of_named, arm)) for arm in arms]
    for arm in MEASURED:
        for step, name in AT_TEST.items():
            if step != "one" and (steps["arm"] == f"{arm}_{step}").any():
                rows.append((f"{MEASURED[arm].label}: {name}", *_cells(steps, f"{arm}_{step}"), "--"))
    n, n_named = (format_count(part["n"].max()) for part in (of_open, of_named))
    items = (
        rf"\%, 95\,\% intervals over specimens and trainings; n = {n} patterns without and {n_named} with names; the "
        "last column is top-1 of extinction groups on the named ones"
    )
    header = ("Trained on", "EG top-1", "top-3", "top-5", "SG top-1", "top-3", "top-5", "EG, named")
    return tabular(r"L{0.33\textwidth}rrrrrrr", header, rows, origin_note(results, STEM, items))


def _cells(scores: pd.DataFrame, arm: str) -> Sequence[str]:
    of_arm = scores[scores["arm"] == arm].set_index(["space", "k"])
    cells = []
    for space in _SPACES:
        cells += [score(of_arm.loc[(space, 1)]), *(share(of_arm.loc[(space, k), "value"]) for k in (3, 5))]
    return cells


def _named(scores: pd.DataFrame, arm: str) -> str:
    row = scores[(scores["arm"] == arm) & (scores["space"] == _SPACES[0]) & (scores["k"] == 1)]
    return score(row.iloc[0]) if len(row) else "--"

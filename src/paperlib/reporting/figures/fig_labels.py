"""Space-group labels or extinction-group labels: scores in one space, and the ceiling of the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.names import ARMS, EXTINCTION, SPACES
from paperlib.reporting.scores import pooled, single

STEM = "06_labels"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test items and trainings; small dots: single trainings. In b broken lines are the best "
    "that can be had where absences alone carry information, which is so where each line has one height."
)
FAMILIES = {"line": style.BLUE, "laue": style.ORANGE}
HEIGHTS = {"line": "line", "laue": "Laue family"}


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: top-1, 3 and 5 over extinction groups, real crystals; b: space groups of reflection data by the number
    of patterns that a network which keeps positions has seen."""
    every = results.table(STEM, "scores")
    scores = every[(every["space"].map(SPACES) == EXTINCTION) & (every["test"] == "test")]
    fig = style.figure("double", 2.6)
    left, right = fig.subplots(1, 2, width_ratios=(1.25, 1))
    _scores(left, scores)
    _under_ceiling(right, with_items(every, int(results.value(f"{STEM}/ideal_items").value)))
    style.letter(left, "a")
    style.letter(right, "b")
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def with_items(scores: pd.DataFrame, matched: int) -> pd.DataFrame:
    """``scores`` with the column ``items``, which the key of an arm ends with where it is not ``matched``."""
    ends = scores["arm"].str.split("_").str[-1]
    return scores.assign(items=pd.to_numeric(ends, errors="coerce").fillna(matched))


def _scores(ax: Axes, scores: pd.DataFrame) -> None:
    whole, ks = pooled(scores), sorted(int(k) for k in scores["k"].unique())
    ceiling, whole = whole[whole["arm"] == "ceiling"], whole[whole["arm"] != "ceiling"]
    arms = list(dict.fromkeys(whole["arm"]))
    places = {k: place for place, k in enumerate(ks)}
    shifts = {arm: 0.24 * (i - (len(arms) - 1) / 2) for i, arm in enumerate(arms)}
    for rows, draw_rows, aside in ((whole, marks.intervals, 0.0), (single(scores), marks.dots, 0.1)):
        draw_rows(ax, rows, rows["k"].map(places) + rows["arm"].map(shifts) + aside)
    heights = style.percent(ceiling.sort_values("k")["value"])
    at, named = np.arange(len(heights)), ARMS["ceiling"]
    ax.hlines(heights, at - 0.42, at + 0.42, color=named.colour, ls=(0, (3, 2)), lw=0.9, label=named.label)
    ax.set_xticks(range(len(ks)), [f"top-{k}" for k in ks])
    ax.set(xlabel="", ylabel="extinction group among the first k (%)", ylim=(0, 103), xlim=(-0.5, len(ks) - 0.5))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _under_ceiling(ax: Axes, scores: pd.DataFrame) -> None:
    """Space group among the first k against the patterns seen, for the two families of heights."""
    kept = scores["arm"].str.contains("_position_sg") & (scores["space"] == "space_group")
    found = scores[kept & (scores["seed"] == -1)]
    for test, colour in FAMILIES.items():
        for k, rows in found[found["test"] == test].groupby("k"):
            rows = rows.sort_values("items")
            ends = [style.percent(rows["value"] - rows["low"]), style.percent(rows["high"] - rows["value"])]
            label = f"heights by {HEIGHTS[test]}" if k == 1 else None
            values = style.percent(rows["value"])
            ax.errorbar(rows["items"], values, ends, color=colour, lw=1.0, marker="o", ms=2.5, label=label)
    limits = scores[(scores["arm"] == "ceiling") & (scores["space"] == "space_group") & (scores["test"] == "line")]
    for row in limits.itertuples():
        ax.axhline(style.percent(row.value), color="0.35", ls=(0, (3, 2)), lw=0.8)
        ax.annotate(
            f"top-{row.k}", (0.02, style.percent(row.value)), ("axes fraction", "data"), fontsize=6, va="bottom"
        )
    ax.set(xscale="log", xlabel="patterns seen, each once", ylabel="space group among the first k (%)", ylim=(0, 103))
    ax.legend(loc="lower right", frameon=False, fontsize=6)

"""Space-group labels or extinction-group labels: scores in one space, and how they were learnt."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.names import ARMS, EXTINCTION, SPACES
from paperlib.reporting.scores import pooled, single

STEM = "06_labels"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test entries and trainings; small dots: single trainings. In b thin lines are single "
    "trainings; each model is scored on its own labels, so the two curves are not comparable with one another."
)


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: top-1, 3 and 5 over extinction groups; b: validation score by the number of patterns seen."""
    scores = results.table(STEM, "scores")
    scores = scores[scores["space"].map(SPACES) == EXTINCTION]
    fig = style.figure("double", 2.6)
    left, right = fig.subplots(1, 2, width_ratios=(1.25, 1))
    _scores(left, scores)
    _learning(right, results.table(STEM, "history"))
    style.letter(left, "a")
    style.letter(right, "b")
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=4, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


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


def _learning(ax: Axes, history: pd.DataFrame) -> None:
    history = history.dropna(subset="validation_top1")
    for arm, rows in history.groupby("arm", sort=False):
        colour = ARMS[str(arm)].colour
        for _, training in rows.groupby(["split", "seed"]):
            ax.plot(training["items"], style.percent(training["validation_top1"]), color=colour, lw=0.4, alpha=0.7)
        # the n-th validation of each training: splits differ a little in size, so that items do as well
        mean = rows.groupby(rows.groupby(["split", "seed"]).cumcount())[["items", "validation_top1"]].mean()
        ax.plot(mean["items"], style.percent(mean["validation_top1"]), color=colour, lw=1.2)
    ax.set(xlabel="training patterns seen (thousands)", ylabel="validation top-1, own labels (%)", ylim=(0, None))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda items, _: f"{items / 1000:g}"))

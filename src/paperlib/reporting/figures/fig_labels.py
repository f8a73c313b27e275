"""Space-group labels or extinction-group labels: scores in one space, and how they were learnt."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from paperlib.lab.results import Results
from paperlib.reporting import style

STEM = "06_labels"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % bootstrap intervals over all seeds; small dots: single seeds. In b thin lines are single seeds; "
    "each model is scored on its own labels, so the two curves are not comparable with one another."
)
SPACE = "extinction group"
_CEILING = "ceiling, balanced data"


def draw(results: Results) -> Figure:
    """Panel a: top-1, 3 and 5 over extinction groups; b: validation score by epoch."""
    scores = results.table(STEM, "scores")
    scores = scores[scores["space"] == SPACE]
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
    ks = sorted(int(k) for k in scores["k"].unique())
    models = [model for model in dict.fromkeys(scores["model"]) if model != _CEILING]
    for i, model in enumerate(models):
        rows = scores[scores["model"] == model]
        pooled = rows[rows["seed"] == -1].set_index("k").reindex(ks)
        x = np.arange(len(ks)) + (i - (len(models) - 1) / 2) * 0.24
        value, low, high = (style.percent(pooled[name].to_numpy()) for name in ("value", "low", "high"))
        bars = np.clip(np.nan_to_num([value - low, high - value]), 0, None)
        colour = style.model_colour(model)
        ax.errorbar(x, value, bars, fmt="o", ms=3.2, lw=1, capsize=2.5, color=colour, label=model)
        single = rows[rows["seed"] >= 0]
        beside = x[[ks.index(k) for k in single["k"]]] + 0.07
        ax.plot(beside, style.percent(single["value"].to_numpy()), ls="", marker="o", mew=0, ms=2, color=colour)
    ceiling = scores[scores["model"] == _CEILING].set_index("k").reindex(ks)["value"].to_numpy()
    places, heights = np.arange(len(ks)), style.percent(ceiling)
    ax.hlines(heights, places - 0.42, places + 0.42, color=style.BLACK, ls=(0, (3, 2)), lw=0.9, label=_CEILING)
    ax.set_xticks(places, [f"top-{k}" for k in ks])
    ax.set(ylabel="extinction group among the first k (%)", ylim=(0, 103), xlim=(-0.5, len(ks) - 0.5))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _learning(ax: Axes, history: pd.DataFrame) -> None:
    for model, rows in history.groupby("model", sort=False):
        colour = style.model_colour(str(model))
        for _, seed in rows.groupby("seed"):
            ax.plot(seed["epoch"], style.percent(seed["validation_top1"]), color=colour, lw=0.4, alpha=0.7)
        mean = rows.groupby("epoch")["validation_top1"].mean()
        ax.plot(mean.index, style.percent(mean), color=colour, lw=1.2)
    ax.set(xlabel="epoch", ylabel="validation top-1, own labels (%)", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))

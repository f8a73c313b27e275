"""What duplicates do to a test score: one change at a time, and whom the network knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import style

STEM = "07_duplicate_effect"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % bootstrap intervals over groups of near copies. Each step of a is a paired difference of two trainings "
    "with the same test set and number of optimiser steps."
)
STEPS = {
    "fewer entries": "fewer\nentries",
    "no copies of test crystals": "no copies of\ntest crystals",
    "no copies within training": "no copies\nwithin training",
    "one test entry of each group": "one test entry\nof each group",
}
_ENDS = (("all, random split", "all"), ("single, leak-free", "one of each group"))
_SHOWN = {
    "equal n, random split": style.VERMILION,
    "equal n, leak-free": style.BLUE,
    "single, leak-free": style.GREEN,
}
_KINDS = {
    "exact": "exact\ncopy",
    "near": "near\ncopy",
    "structure type": "structure\ntype",
    "nothing of these": "nothing\nof these",
}
_NEAREST = 1e-3
"""Distance below which points are drawn at it: the axis is logarithmic."""


def draw(results: Results) -> Figure:
    """Panel a: from the score with duplicates to that without, step by step; b: score by the closest kind of entry in
    the training set; c: score against the distance to the nearest training pattern."""
    scores, effects = results.table(STEM, "scores"), results.table(STEM, "effects")
    closeness = results.table(STEM, "closeness")
    fig = style.figure("double", 2.9)
    axes = fig.subplots(1, 3, width_ratios=(1.3, 1, 1))
    _steps(axes[0], scores, effects)
    _kinds(axes[1], closeness[closeness["by"] == "kind"])
    _distances(axes[2], closeness[closeness["by"] == "distance"])
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
    fig.legend(*axes[2].get_legend_handles_labels(), loc="outside upper right", ncols=3, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _steps(ax: Axes, scores: pd.DataFrame, effects: pd.DataFrame) -> None:
    top1 = scores[scores["k"] == 1].set_index(["training", "test"])
    changes = effects.set_index("effect")
    places = (0, len(STEPS) + 1)
    for x, end in zip(places, _ENDS, strict=True):
        value, low, high = (float(style.percent(top1.loc[end, name])) for name in ("value", "low", "high"))
        ax.plot([x - 0.31, x + 0.31], [value, value], color=style.BLACK, lw=1.6)
        ax.errorbar(x, value, [[max(value - low, 0)], [max(high - value, 0)]], color=style.BLACK, lw=0.8, capsize=2)
        _above(ax, x, high, f"{value:.1f}")
    level = float(style.percent(top1.loc[_ENDS[0], "value"]))
    for x, name in enumerate(STEPS, start=1):
        change, low, high = (float(style.percent(changes.loc[name, column])) for column in ("value", "low", "high"))
        colour = style.POSITIVE if change < 0 else style.NEGATIVE
        ax.bar(x, change, 0.62, bottom=level, color=colour, alpha=0.8)
        ax.plot([x - 0.69, x + 0.31], [level, level], color=style.GREY, lw=0.5)
        bars = [[max(change - low, 0)], [max(high - change, 0)]]
        ax.errorbar(x, level + change, bars, color=style.BLACK, lw=0.8, capsize=2)
        _above(ax, x, max(level, level + high), f"{change:+.1f}".replace("-", "−"))
        level += change
    names = ["with duplicates,\nrandom split", *STEPS.values(), "without,\nleak-free"]
    ax.set_xticks(range(len(names)), names, rotation=55, ha="right", rotation_mode="anchor", size=6)
    ax.tick_params(axis="x", length=0)
    ends = [float(style.percent(top1.loc[end, "value"])) for end in _ENDS]
    ax.set_ylim(max(0, min(*ends, level) - 4), max(ends) + 4)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylabel("extinction group, top-1 (%)")


def _above(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(text, (x, y), (0, 2.5), textcoords="offset points", ha="center", size=6)


def _kinds(ax: Axes, rows: pd.DataFrame) -> None:
    present = [kind for kind in _KINDS if kind in set(rows["kind"])]
    for i, (name, colour) in enumerate(_SHOWN.items()):
        part = rows[rows["training"] == name].set_index("kind").reindex(present)
        _points(ax, np.arange(len(present)) + (i - 1) * 0.2, part, colour, name, "o")
    ax.set_xticks(range(len(present)), [_KINDS[kind] for kind in present], size=6)
    ax.set(xlabel="closest training entry", ylabel="top-1 (%)", ylim=(0, 103), xlim=(-0.5, len(present) - 0.5))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _distances(ax: Axes, rows: pd.DataFrame) -> None:
    for name, colour in _SHOWN.items():
        part = rows[rows["training"] == name].sort_values("from")
        _points(ax, np.maximum(part["middle"].to_numpy(), _NEAREST), part, colour, name, "o-")
    ax.set(xscale="log", xlabel="distance to the nearest\ntraining pattern", ylabel="top-1 (%)", ylim=(0, 103))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _points(ax: Axes, x: np.ndarray, part: pd.DataFrame, colour: str, name: str, mark: str) -> None:
    value, low, high = (style.percent(part[column].to_numpy(dtype=float)) for column in ("value", "low", "high"))
    bars = np.clip(np.nan_to_num([value - low, high - value]), 0, None)
    ax.errorbar(x, value, bars, fmt=mark, ms=3, lw=0.9, capsize=2, color=colour, label=name)

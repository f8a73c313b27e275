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
STEPS = (
    ("fewer entries", "fewer\nentries"),
    ("no copies of test crystals", "no copies of\ntest crystals"),
    ("no copies within training", "no copies within\ntraining"),
    ("one test entry of each group", "one test entry\nof each group"),
)
SHOWN = {"equal n, random split": style.VERMILION, "equal n, leak-free": style.BLUE, "single, leak-free": style.GREEN}
KINDS = ("exact", "near", "structure type", "nothing of these")


def draw(results: Results) -> Figure:
    """Panel a: from the score with duplicates to that without, step by step; b: score by the closest kind of entry in
    the training set; c: score against the distance to the nearest training pattern."""
    scores, effects = results.table(STEM, "scores"), results.table(STEM, "effects")
    closeness = results.table(STEM, "closeness")
    fig = style.figure("double", 2.7)
    axes = fig.subplots(1, 3, width_ratios=(1.35, 1, 1))
    _steps(axes[0], scores, effects)
    _kinds(axes[1], closeness[closeness["by"] == "kind"])
    _distances(axes[2], closeness[closeness["by"] == "distance"])
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
    fig.legend(*axes[2].get_legend_handles_labels(), loc="outside upper center", ncols=3, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _steps(ax: Axes, scores: pd.DataFrame, effects: pd.DataFrame) -> None:
    top1 = scores[scores["k"] == 1].set_index(["training", "test"])
    effects = effects.set_index("effect")
    ends = (("all, random split", "all"), ("single, leak-free", "one of each group"))
    for x, end in ((0, ends[0]), (len(STEPS) + 1, ends[1])):
        value, low, high = (float(top1.loc[end, name]) * 100 for name in ("value", "low", "high"))
        ax.bar(x, value, 0.62, color="0.75")
        ax.errorbar(x, value, [[value - low], [high - value]], color=style.BLACK, lw=0.8, capsize=2)
        ax.annotate(f"{value:.1f}", (x, high), (0, 3), textcoords="offset points", ha="center", size=6.5)
    level = float(top1.loc[ends[0], "value"]) * 100
    for x, (name, _) in enumerate(STEPS, start=1):
        change, low, high = (float(effects.loc[name, column]) * 100 for column in ("value", "low", "high"))
        colour = style.POSITIVE if change < 0 else style.NEGATIVE
        ax.bar(x, change, 0.62, bottom=level, color=colour, alpha=0.8)
        ax.plot([x - 1 + 0.31, x + 0.31], [level, level], color=style.GREY, lw=0.5)
        ends_of_bar = level + change
        ax.errorbar(x, ends_of_bar, [[change - low], [high - change]], color=style.BLACK, lw=0.8, capsize=2)
        above = max(level, ends_of_bar, level + high)
        ax.annotate(
            f"{change:+.1f}".replace("-", "−"), (x, above), (0, 3), textcoords="offset points", ha="center", size=6.5
        )
        level = ends_of_bar
    names = ["with duplicates,\nrandom split", *(text for _, text in STEPS), "without,\nleak-free"]
    ax.set_xticks(range(len(names)), names, rotation=55, ha="right", rotation_mode="anchor", size=6)
    ax.tick_params(axis="x", length=0)
    values = [float(top1.loc[end, "value"]) * 100 for end in ends]
    ax.set_ylim(max(0, min(values) - 12), max(values) + 4)
    ax.set_ylabel("extinction group, top-1 (%)")


def _kinds(ax: Axes, rows: pd.DataFrame) -> None:
    present = [kind for kind in KINDS if kind in set(rows["kind"])]
    for i, (name, colour) in enumerate(SHOWN.items()):
        part = rows[rows["training"] == name].set_index("kind").reindex(present)
        x = np.arange(len(present)) + (i - 1) * 0.2
        _points(ax, x, part, colour, name)
    first = rows[rows["training"] == next(iter(SHOWN))].set_index("kind").reindex(present)["n"]
    counts = ["" if np.isnan(n) else f"\n(n = {int(n)})" for n in first]
    names = {
        "structure type": "structure\ntype",
        "nothing of these": "nothing\nof these",
        "exact": "exact\ncopy",
        "near": "near\ncopy",
    }
    ax.set_xticks(range(len(present)), [names[kind] for kind in present], size=6)
    ax.set(
        xlabel="closest entry of the training set", ylim=(0, 103), ylabel="top-1 (%)", xlim=(-0.5, len(present) - 0.5)
    )
    del counts


def _distances(ax: Axes, rows: pd.DataFrame) -> None:
    for name, colour in SHOWN.items():
        part = rows[rows["training"] == name].sort_values("from")
        x = np.maximum(part["middle"].to_numpy(), 1e-4)
        _points(ax, x, part, colour, name, line=True)
    ax.set(xscale="log", xlabel="distance to the nearest training pattern", ylabel="top-1 (%)", ylim=(0, 103))


def _points(ax: Axes, x: np.ndarray, part: pd.DataFrame, colour: str, name: str, line: bool = False) -> None:
    value, low, high = (style.percent(part[column].to_numpy(dtype=float)) for column in ("value", "low", "high"))
    bars = np.clip(np.nan_to_num([value - low, high - value]), 0, None)
    mark = "o-" if line else "o"
    ax.errorbar(x, value, bars, fmt=mark, ms=3, lw=0.9, capsize=2, color=colour, label=name)

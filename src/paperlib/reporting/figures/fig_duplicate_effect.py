"""What duplicates do to a test score: one change at a time, and whom the network knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.names import EFFECTS
from paperlib.reporting.scores import pooled, single

STEM = "07_duplicate_effect"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over groups of near copies and trainings; small dots: single repeats. Each step of a is a "
    "paired difference of two trainings with the same test set and number of optimiser steps."
)
_ENDS = (("all_random", "all"), ("single_free", "single"))
_SHOWN = ("equal_random", "equal_free", "single_free")
_TICKS = {
    "less_data": "fewer\nentries",
    "memory": "no copies of\ntest crystals",
    "within": "no copies\nwithin training",
    "test_set": "one test entry\nof each group",
}
_KINDS = {
    "exact": "exact\ncopy",
    "near": "near\ncopy",
    "structure type": "structure\ntype",
    "nothing of these": "nothing\nof these",
}
_NEAREST = 1e-3
"""Distance below which points are drawn at it: the axis is logarithmic."""
_ASIDE = 0.2
"""How far beside a pooled value the dots of its repeats stand."""


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: from the score with duplicates to that without, step by step; b: score by the closest kind of entry in
    the training set; c: score against the distance to the nearest training pattern."""
    scores, effects = results.table(STEM, "scores"), results.table(STEM, "effects")
    closeness = results.table(STEM, "closeness")
    closeness = closeness[closeness["arm"].isin(_SHOWN)]
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
    top1 = scores[scores["k"] == 1]
    changes = effects.set_index("effect")
    repeats = [column for column in effects.columns if column.startswith("split")]
    reached = [_end(ax, top1, end, x) for x, end in zip((0, len(EFFECTS) + 1), _ENDS, strict=True)]
    level = reached[0]
    for x, name in enumerate(EFFECTS, start=1):
        change, low, high = (float(style.percent(changes.loc[name, column])) for column in ("value", "low", "high"))
        ax.bar(x, change, 0.62, bottom=level, color=style.POSITIVE if change < 0 else style.NEGATIVE, alpha=0.8)
        ax.plot([x - 0.69, x + 0.31], [level, level], color=style.GREY, lw=0.5)
        _interval(ax, x, level + change, level + low, level + high)
        _beside(ax, x, level + style.percent(changes.loc[name, repeats]))
        _above(ax, x, max(level, level + high), f"{change:+.1f}".replace("-", "−"))
        level += change
        reached.append(level)
    names = ["with duplicates,\nrandom split", *(_TICKS[name] for name in EFFECTS), "without,\nleak-free"]
    ax.set_xticks(range(len(names)), names, rotation=55, ha="right", rotation_mode="anchor", size=6)
    ax.tick_params(axis="x", length=0)
    ax.set(xlim=(-0.5, len(names) - 0.5), ylim=(max(0, min(reached) - 4), max(reached) + 4))
    ax.set_ylabel("extinction group, top-1 (%)")


def _end(ax: Axes, top1: pd.DataFrame, end: tuple[str, str], x: float) -> float:
    """Draw where the steps begin or end; return the score, in per cent."""
    arm, test = end
    rows = top1[(top1["arm"] == arm) & (top1["test"] == test)]
    value, low, high = (float(style.percent(pooled(rows)[name].iloc[0])) for name in ("value", "low", "high"))
    ax.plot([x - 0.31, x + 0.31], [value, value], color=style.BLACK, lw=1.6)
    _interval(ax, x, value, low, high)
    _beside(ax, x, style.percent(single(rows)["value"]))
    _above(ax, x, high, f"{value:.1f}")
    return value


def _interval(ax: Axes, x: float, value: float, low: float, high: float) -> None:
    ax.errorbar(x, value, [[max(value - low, 0)], [max(high - value, 0)]], color=style.BLACK, lw=0.8, capsize=2)


def _beside(ax: Axes, x: float, values: np.ndarray) -> None:
    ax.plot(np.full(len(values), x + _ASIDE), values, ls="", marker="o", ms=2, mew=0, color=style.BLACK)


def _above(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(text, (x, y), (0, 2.5), textcoords="offset points", ha="center", size=6)


def _kinds(ax: Axes, rows: pd.DataFrame) -> None:
    present = [kind for kind in _KINDS if kind in set(rows["kind"])]
    shift = {arm: 0.2 * (i - 1) for i, arm in enumerate(_SHOWN)}
    marks.intervals(ax, rows, rows["kind"].map(present.index) + rows["arm"].map(shift))
    ax.set_xticks(range(len(present)), [_KINDS[kind] for kind in present], size=6)
    ax.set(xlabel="closest training entry", xlim=(-0.5, len(present) - 0.5))
    _shares(ax)


def _distances(ax: Axes, rows: pd.DataFrame) -> None:
    ax.set_xscale("log")
    marks.intervals(ax, rows, rows["middle"].clip(lower=_NEAREST), joined=True)
    ax.set_xlabel("distance to the nearest\ntraining pattern")
    _shares(ax)


def _shares(ax: Axes) -> None:
    ax.set(ylabel="top-1 (%)", ylim=(0, 103))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)

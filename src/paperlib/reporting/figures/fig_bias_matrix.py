"""Biased or balanced training: all training sets on all test sets, what expectation costs, and recall by frequency."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import ARMS
from paperlib.reporting.scores import pooled

STEM = "08_bias"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "a: means over trainings; in brackets the items of the training set, in small type top-3 and top-5. b: bars are "
    "95 % intervals over test items and trainings. c: each dot is a class; lines are means over ten classes at least, "
    "in order of their items."
)
_TESTS = {"real": "real,\nnew types", "histogram": "random,\nbiased", "balanced": "random,\nbalanced"}
_SHOWN = ("real", "random_histogram", "balanced_middle")
_GUESS = {test: f"frequency_{test}" for test in _TESTS}
_FEWEST = 10


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: top-1 of every training set on every test set; b: with the class frequencies exchanged; c: recall on
    balanced crystals against the items of a class in the training set."""
    scores = results.table(STEM, "scores")
    fig = style.figure("double", 2.9)
    axes = fig.subplots(1, 3, width_ratios=(1.15, 0.9, 1))
    _matrix(axes[0], scores, results.table(STEM, "sets").set_index("arm")["n_train"])
    _exchanged(axes[1], scores)
    recall = results.table(STEM, "recall")
    _recall(axes[2], recall[recall["test"] == "balanced"])
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
    handles = [*axes[2].get_legend_handles_labels()[0], *_signs()]
    fig.legend(handles=handles, loc="outside upper right", ncols=3, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _matrix(ax: Axes, scores: pd.DataFrame, n_train: pd.Series) -> None:
    whole = pooled(scores)
    whole = whole[whole["arm"].isin(n_train.index) & (whole["space"] != "corrected")]
    arms = list(dict.fromkeys(whole["arm"]))
    cells = whole.pivot(index=["arm", "test"], columns="k", values="value").mul(100)
    top1 = np.array([[cells.loc[(arm, test), 1] for test in _TESTS] for arm in arms])
    ax.imshow(top1, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for y, arm in enumerate(arms):
        for x, test in enumerate(_TESTS):
            first, *others = (float(cells.loc[(arm, test), k]) for k in (1, 3, 5))
            colour = "white" if first > 60 else style.BLACK
            ax.text(x, y - 0.12, f"{first:.1f}", ha="center", va="center", size=7.5, color=colour)
            below = " / ".join(f"{other:.0f}" for other in others)
            ax.text(x, y + 0.26, below, ha="center", va="center", size=5, color=colour)
    ax.set_yticks(range(len(arms)), [f"{ARMS[arm].label}\n({n_train[arm]:,})" for arm in arms], size=6)
    ax.set_xticks(range(len(_TESTS)), _TESTS.values(), size=6)
    ax.set(xlabel="tested on", ylabel="trained on")
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _signs() -> list[Line2D]:
    """What the marks of panel b say, whatever their colour."""
    look = {"ls": "", "marker": "o", "ms": 3.2, "mew": 0.8, "color": style.GREY}
    return [
        Line2D([], [], mfc="white", label="as it answers", **look),
        Line2D([], [], label="class frequencies exchanged", **look),
        Line2D([], [], color=style.GREY, lw=1.2, label="class frequencies alone"),
    ]


def _exchanged(ax: Axes, scores: pd.DataFrame) -> None:
    top1 = pooled(scores[scores["k"] == 1]).set_index(["arm", "test"])
    for x, test in enumerate(_TESTS):
        guess = style.percent(top1.loc[(_GUESS[test], test), "value"])
        ax.hlines(guess, x - 0.36, x + 0.36, color=style.GREY, lw=1.2)
        for i, arm in enumerate(_SHOWN):
            at, colour = x + 0.24 * (i - 1), ARMS[arm].colour
            rows = top1.loc[(arm, test)]
            plain, after = rows[rows["space"] != "corrected"].iloc[0], rows[rows["space"] == "corrected"].iloc[0]
            for row, shift, face in ((plain, -0.05, "white"), (after, 0.05, colour)):
                value, low, high = (float(style.percent(row[name])) for name in ("value", "low", "high"))
                ends = [[max(value - low, 0)], [max(high - value, 0)]]
                ax.errorbar(
                    at + shift, value, ends, color=colour, marker="o", ms=3.2, mfc=face, mew=0.8, lw=0.8, capsize=1.5
                )
    ax.set_xticks(range(len(_TESTS)), _TESTS.values(), size=6)
    ax.set(xlabel="tested on", ylabel="extinction group, top-1 (%)", ylim=(0, 103), xlim=(-0.5, len(_TESTS) - 0.5))
    _grid(ax)


def _recall(ax: Axes, recall: pd.DataFrame) -> None:
    ax.set_xscale("symlog", linthresh=1, linscale=0.4)
    for arm in _SHOWN:
        rows = recall[recall["arm"] == arm]
        height = style.percent(rows["recall"])
        ax.plot(rows["n_train"], height, ls="", marker="o", ms=2, mew=0, alpha=0.45, color=ARMS[arm].colour)
        x, y = _means(rows["n_train"].to_numpy(dtype=np.float64), np.asarray(height))
        ax.plot(x, y, color=ARMS[arm].colour, lw=1.3, marker="o" if len(x) < 2 else "", ms=5, label=ARMS[arm].label)
    ax.set(xlabel="training items of the class", ylabel="recall on balanced crystals (%)", ylim=(-2, 103))
    ax.set_xlim(left=-0.3)
    _grid(ax)


def _means(n_train: np.ndarray, recall: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of recall over classes in order of their items: a class begins a new mean where it has more than twice the
    items of the first in this mean, and there are enough classes in it."""
    order = np.argsort(n_train, kind="stable")
    runs: list[list[int]] = [[]]
    for i in order:
        if len(runs[-1]) >= _FEWEST and n_train[i] > 2 * n_train[runs[-1][0]]:
            runs.append([])
        runs[-1].append(int(i))
    if len(runs) > 1 and len(runs[-1]) < _FEWEST:
        runs[-2] += runs.pop()
    return np.array([n_train[run].mean() for run in runs]), np.array([recall[run].mean() for run in runs])


def _grid(ax: Axes) -> None:
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)

"""What more training patterns bring: the error against their number, and fresh patterns against the same ones again."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.names import NETWORKS, SIZES
from paperlib.reporting.published import RESNET, TRANSFORMER

STEM = "09_scaling"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars and bands: 95 % intervals over test patterns and trainings; dashed: ceiling; open marks: scores that others "
    "have published, on reflection data of their own."
)
_WIDTHS = {"small": 0.5, "middle": 1.0, "large": 1.7}
_TICKS = (2, 5, 10, 20, 50, 100)
_AGAIN = ("s", "^", "D", "v")
"""Marks of the sets that are seen again and again, the smallest first."""


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: error over the number of patterns, each seen once, with the fitted laws; b: top-1 over the patterns
    seen, fresh or again, of the networks of the published size."""
    scores = results.table(STEM, "scores")
    scores = scores[(scores["k"] == 1) & (scores["seed"] == -1)]
    ceiling = float(style.percent(scores.loc[scores["arm"] == "ceiling", "value"].iloc[0]))
    scores = scores.dropna(subset="family").astype({"items": int, "passes": int})
    # the others were trained to see how much seeds differ, and are no curves
    scores = scores[scores.groupby("family")["items"].transform("nunique") > 1]
    fig = style.figure("double", 3.2)
    left, right = fig.subplots(1, 2)
    _errors(left, scores[scores["passes"] == 1], results.table(STEM, "law_lines"), 100 - ceiling)
    _again(right, scores[scores["size"] == "middle"], ceiling)
    for ax, text in ((left, "a"), (right, "b")):
        style.letter(ax, text)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _errors(ax: Axes, scores: pd.DataFrame, laws: pd.DataFrame, least: float) -> None:
    for (family, size), rows in scores.groupby(["family", "size"], sort=False):
        named, width = NETWORKS[str(family)], _WIDTHS[str(size)]
        wrong = rows.assign(value=1 - rows["value"], low=1 - rows["high"], high=1 - rows["low"])
        marks.curve(ax, wrong.sort_values("items"), named, label=None, ls="none", ms=2 + width)
        law = laws[(laws["family"] == family) & (laws["size"] == size)]
        ax.plot(law["items"], style.percent(1 - law["value"]), color=named.colour, lw=width)
        ends = (style.percent(1 - law[end]) for end in ("high", "low"))
        ax.fill_between(law["items"], *ends, color=named.colour, alpha=0.15, lw=0)
    for family in scores["family"].unique():
        ax.plot([], [], color=NETWORKS[family].colour, label=NETWORKS[family].label)
    for size in scores["size"].unique():
        ax.plot([], [], color=style.GREY, lw=_WIDTHS[size], marker="o", ms=2 + _WIDTHS[size], mew=0, label=SIZES[size])
    marks.ceiling_line(ax, least)
    marks.published(ax, RESNET, "o", error=True)
    marks.published(ax, TRANSFORMER, "s", error=True)
    ax.set(xlabel="training patterns, each seen once", ylabel="error of the first answer (%)")
    ax.set(xscale="log", yscale="log", ylim=(1.5, 110), yticks=_TICKS)
    ax.set_yticklabels(f"{tick}" for tick in _TICKS)
    ax.minorticks_off()
    _legend(ax)


def _again(ax: Axes, scores: pd.DataFrame, ceiling: float) -> None:
    marker = dict(zip(sorted(scores.loc[scores["passes"] > 1, "items"].unique()), _AGAIN, strict=False))
    for family, rows in scores.groupby("family", sort=False):
        named = NETWORKS[str(family)]
        seen = rows.assign(of=rows["items"], items=rows["items"] * rows["passes"]).sort_values("items")
        for n, shape in marker.items():
            again = seen[seen["of"] == n]
            marks.curve(ax, again, named, label=None, marker=shape, ms=3.6, ls=(0, (1, 1)), mfc="white", mew=0.7)
        marks.curve(ax, seen[seen["passes"] == 1], named, label=None)
    ax.plot([], [], color=style.GREY, marker="o", ms=2.6, mew=0, label="fresh patterns")
    for n, shape in marker.items():
        look = {"color": style.GREY, "mfc": "white", "mew": 0.7, "ls": (0, (1, 1))}
        ax.plot([], [], marker=shape, ms=3.6, label=f"the same {n:,} again and again", **look)
    marks.ceiling_line(ax, ceiling)
    ax.set(xlabel="patterns seen in training", ylabel="extinction group, top-1 (%)", xscale="log", ylim=(0, 103))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)
    _legend(ax)


def _legend(ax: Axes) -> None:
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.17), ncols=2, columnspacing=1.0)

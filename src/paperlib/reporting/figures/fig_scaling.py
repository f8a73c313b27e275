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
_AGAIN = ("s", "^", "D", "v")
"""Marks of the sets that are seen again and again, the smallest first."""


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: error over the number of patterns, each seen once, with the fitted laws; b: top-1 over the patterns seen,
    fresh or again, of the networks of the published size."""
    scores = results.table(STEM, "scores")
    scores = scores[(scores["k"] == 1) & (scores["seed"] == -1)]
    ceiling = float(style.percent(scores.loc[scores["arm"] == "ceiling", "value"].iloc[0]))
    fig = style.figure("double", 3.3)
    left, right = fig.subplots(1, 2)
    _errors(left, scores[scores["passes"] == 1], results.table(STEM, "law_lines"), 100 - ceiling)
    _again(right, scores[scores["size"] == "middle"], ceiling)
    for ax, text in ((left, "a"), (right, "b")):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, columnspacing=1.2)
        style.letter(ax, text)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _errors(ax: Axes, scores: pd.DataFrame, laws: pd.DataFrame, least: float) -> None:
    for (family, size), rows in scores.groupby(["family", "size"], sort=False):
        named, width = NETWORKS[str(family)], _WIDTHS[str(size)]
        wrong = rows.assign(value=1 - rows["value"], low=1 - rows["high"], high=1 - rows["low"])
        label = f"{named.label}, {SIZES[str(size)]}"
        marks.curve(ax, wrong.sort_values("items"), named, label, ls="none", ms=2.2 + width, elinewidth=width)
        law = laws[(laws["family"] == family) & (laws["size"] == size)]
        ax.plot(law["items"], style.percent(1 - law["value"]), color=named.colour, lw=width)
        ends = (style.percent(1 - law[end]) for end in ("high", "low"))
        ax.fill_between(law["items"], *ends, color=named.colour, alpha=0.15, lw=0)
    marks.ceiling_line(ax, least)
    marks.published(ax, RESNET, "o", error=True)
    marks.published(ax, TRANSFORMER, "s", error=True)
    ax.set(xlabel="training patterns, each seen once", ylabel="error of the first answer (%)", xscale="log", yscale="log")


def _again(ax: Axes, scores: pd.DataFrame, ceiling: float) -> None:
    marker = dict(zip(sorted(scores.loc[scores["passes"] > 1, "items"].unique()), _AGAIN, strict=False))
    for family, rows in scores.groupby("family", sort=False):
        named = NETWORKS[str(family)]
        seen = rows.assign(items=rows["items"] * rows["passes"])
        fresh = seen[rows["passes"] == 1].sort_values("items")
        marks.curve(ax, fresh, named, f"{named.label}, fresh patterns")
        for n, shape in marker.items():
            again = seen[rows["items"] == n].sort_values("items")
            label = f"{named.label}, {n:,} of them again"
            marks.curve(ax, again, named, label, marker=shape, ls=(0, (1, 1)), mfc="white", mew=0.7)
    marks.ceiling_line(ax, ceiling)
    ax.set(xlabel="patterns seen in training", ylabel="extinction group, top-1 (%)", xscale="log", ylim=(0, 103))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)

"""How far first answers lie from the truth on the graph of maximal subgroups, beside two guesses that read nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import ANSWERED_BY, RELATIONS

STEM = "17_groups_apart"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test crystals, in groups of equal composition and space group, and trainings; small "
    "dots: single trainings, each with a split of its own."
)
_ARMS = {"space_group": "space groups", "direct": "extinction groups"}


@style.look()
def draw(results: Results) -> Figure:
    """Panels a, b: shares of answers at each distance, for space groups and for extinction groups; c: of wrong answers
    about space groups, the shares that are related to the truth in one way or another."""
    distances, near = results.table(STEM, "distances"), results.table(STEM, "near")
    fig = style.figure("double", 2.9)
    axes = fig.subplots(1, 3, width_ratios=(1, 0.85, 1.25))
    for ax, (arm, title) in zip(axes, _ARMS.items(), strict=False):
        _distances(ax, distances[distances["arm"] == arm])
        ax.set_title(title, loc="right")
    _relations(axes[2], near[near["arm"] == "space_group"])
    axes[2].set_title("space groups, wrong answers", loc="right")
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
        ax.set_axisbelow(True)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(distances["n"].max()))
    return fig


def _distances(ax: Axes, rows: pd.DataFrame) -> None:
    for i, (who, named) in enumerate(ANSWERED_BY.items()):
        own = rows[rows["who"] == who]
        whole, single = own[own["split"] == -1].sort_values("distance"), own[own["split"] != -1]
        x = whole["distance"] + 0.27 * (i - 1)
        value, low, high = (style.percent(whole[column]) for column in ("value", "low", "high"))
        ends = np.clip([value - low, high - value], 0, None)
        ax.bar(x, value, 0.25, color=named.colour, label=named.label)
        ax.errorbar(x, value, ends, ls="none", color=style.BLACK, elinewidth=0.7)
        if who == next(iter(ANSWERED_BY)):
            ax.plot(single["distance"] + 0.27 * (i - 1) + 0.07, style.percent(single["value"]), ".", ms=2.2, color="w",
                    mec=style.BLACK, mew=0.3)  # fmt: skip
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_xticks(range(int(rows["distance"].max()) + 1))
    ax.set(xlabel="edges from the truth (0: right)", ylabel="share of first answers (%)", ylim=(0, None))


def _relations(ax: Axes, rows: pd.DataFrame) -> None:
    shown = list(RELATIONS)
    for i, (who, named) in enumerate(ANSWERED_BY.items()):
        own = rows[(rows["who"] == who) & rows["relation"].isin(shown)]
        whole = own[own["split"] == -1].set_index("relation").loc[shown]
        y = np.arange(len(shown)) + 0.24 * (i - 1)
        value, low, high = (style.percent(whole[column]) for column in ("value", "low", "high"))
        ends = np.clip([value - low, high - value], 0, None)
        ax.errorbar(value, y, xerr=ends, ls="none", marker="o", ms=2.6, color=named.colour, elinewidth=0.9)
        single = own[own["split"] != -1]
        places = single["relation"].map(dict(zip(shown, y, strict=True)))
        ax.plot(style.percent(single["value"]), places + 0.11, ".", ms=1.8, color=named.colour)
    ax.set_yticks(range(len(shown)), [RELATIONS[relation] for relation in shown], size=6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.9", lw=0.5)
    ax.set(xlabel="share of wrong answers (%)", xlim=(0, 100), ylim=(len(shown) - 0.5, -0.5))

"""Do random crystals have the space group of their label, group by group, and what is thrown away to that end."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.figures.fig_bias import SYSTEMS

STEM = "05_random_crystals"
NEEDS = (STEM,)
_JITTER = 1.1
"""Percent between the rows of the two programs, so that equal shares do not cover one another."""


def draw(results: Results) -> Figure:
    """Panel a: share of crystals with the space group of their label, by group; b: rejected attempts per crystal."""
    truth = results.table(STEM, "truth").set_index("program")
    fig = style.figure("double", 2.7)
    left, right = fig.subplots(1, 2, width_ratios=(2.1, 1))
    _by_group(left, results.table(STEM, "by_group"), truth)
    _rejections(right, results.table(STEM, "rejections"))
    left.text(-0.09, 1.1, "a", transform=left.transAxes, weight="bold", size=8)
    right.text(-0.02, 1.1, "b", transform=right.transAxes, weight="bold", size=8)
    style.stamp(fig, results, STEM, int(truth.loc["ours", "crystals"]))
    return fig


def _by_group(ax: Axes, by_group: pd.DataFrame, truth: pd.DataFrame) -> None:
    for i, (system, (first, last)) in enumerate(SYSTEMS.items()):
        if i % 2 == 0:
            ax.axvspan(first - 0.5, last + 0.5, color="0.94", lw=0, zorder=0)
        place, side = (last, "right") if last - first < 5 else ((first + last) / 2, "center")
        ax.text(place, 1.015, system, transform=ax.get_xaxis_transform(), ha=side, va="bottom", size=6, color="0.35")
    for name, marker, size, shift in (("PyXtal", "o", 2.8, 0.0), ("ours", "s", 2.2, _JITTER)):
        rows = by_group[by_group["program"] == name]
        share, crystals = 100 * truth.loc[name, "group_0.01"], f"{truth.loc[name, 'crystals']:,}".replace(",", "\u2009")
        ax.plot(
            rows["space_group"],
            style.percent(rows["group_0.01"]) + shift,
            ls="",
            marker=marker,
            ms=size,
            mew=0,
            alpha=0.85,
            color=style.database_colour(name),
            label=f"{name}: {crystals} crystals, {share:.1f} % true",
        )
    ax.set(xlabel="space group number", ylabel="space group is that of the label (%)", xlim=(0, 231), ylim=(-3, 104))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, handletextpad=0.2, borderaxespad=0.2)


def _rejections(ax: Axes, rejections: pd.DataFrame) -> None:
    rows = rejections[(rejections["program"] == "ours") & (rejections["count"] > 0)].sort_values("per_crystal")
    symmetric = rows["reason"].str.contains("beyond the group")
    colours = [style.VERMILION if more else style.GREY for more in symmetric]
    ax.barh(range(len(rows)), rows["per_crystal"], color=colours, height=0.34, align="edge")
    for i, row in enumerate(rows.itertuples()):
        ax.text(rows["per_crystal"].min() / 1.9, i - 0.06, row.reason, ha="left", va="top", size=6)
    ax.set(xlabel="rejected attempts per crystal (ours)", xscale="log", ylim=(-0.55, len(rows) - 0.4))
    ax.set_xlim(rows["per_crystal"].min() / 2, rows["per_crystal"].max() * 2)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)

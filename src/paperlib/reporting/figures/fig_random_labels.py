"""Do random crystals have the space group of their label, group by group, and what is thrown away to that end."""

from __future__ import annotations

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.figures.fig_bias import SYSTEMS
from paperlib.reporting.names import SETS

STEM = "05_random_crystals"
NEEDS = (STEM,)
_PROGRAMS = ("pyxtal", "ours")
_JITTER = 1.1
"""Percent between the rows of the two programs, so that equal shares do not cover one another."""


@style.look()
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
    labels = {}
    for key in _PROGRAMS:
        name, crystals = SETS[key].label, f"{truth.loc[SETS[key].label, 'crystals']:,}".replace(",", "\u2009")
        labels[name] = f"{name}: {crystals} crystals, {100 * truth.loc[name, 'group_0.01']:.1f} % true"
    shown = by_group[by_group["program"].isin(labels)]
    label = shown["program"].map(labels)
    aside = _JITTER * (shown["program"] == SETS["ours"].label)
    seaborn.scatterplot(
        x=shown["space_group"], y=style.percent(shown["group_0.01"]) + aside, hue=label, style=label, s=7, linewidth=0,
        alpha=0.85, palette={labels[SETS[key].label]: SETS[key].colour for key in _PROGRAMS}, ax=ax,
        markers=dict(zip(labels.values(), "os", strict=True)),
    )  # fmt: skip
    ax.set(xlabel="space group number", ylabel="space group is that of the label (%)", xlim=(0, 231), ylim=(-3, 104))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, handletextpad=0.2, borderaxespad=0.2)


def _rejections(ax: Axes, rejections: pd.DataFrame) -> None:
    rows = rejections[(rejections["program"] == "ours") & (rejections["count"] > 0)].sort_values("per_crystal")
    symmetric = rows["reason"].str.contains("beyond the group")
    seaborn.barplot(
        x=rows["per_crystal"], y=range(len(rows)), hue=symmetric, palette={True: style.VERMILION, False: style.GREY},
        native_scale=True, orient="h", dodge=False, width=0.34, saturation=1, legend=False, ax=ax,
    )  # fmt: skip
    for i, row in enumerate(rows.itertuples()):
        ax.text(rows["per_crystal"].min() / 1.9, i - 0.23, row.reason, ha="left", va="top", size=6)
    ax.set(xlabel="rejected attempts per crystal (ours)", xscale="log", ylim=(-0.75, len(rows) - 0.6))
    ax.set_xlim(rows["per_crystal"].min() / 2, rows["per_crystal"].max() * 2)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)

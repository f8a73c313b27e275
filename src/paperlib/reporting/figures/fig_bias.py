"""How unevenly databases fill the space groups and the extinction classes."""

from __future__ import annotations

import numpy as np
import seaborn
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import style

STEM = "03_databases"
NEEDS = (STEM,)
SYSTEMS = {
    "tricl.": (1, 2),
    "mon.": (3, 15),
    "orthorhombic": (16, 74),
    "tetragonal": (75, 142),
    "trigonal": (143, 167),
    "hexag.": (168, 194),
    "cubic": (195, 230),
}
"""First and last space group of each crystal system."""


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: entries per space group; b: share of the entries in the largest extinction classes."""
    counts = results.table(STEM, "counts")
    classes = results.table(STEM, "class_counts")
    summary = results.table(STEM, "summary").set_index("database")
    databases = list(summary.index)
    fig = style.figure("double", 2.6)
    left, right = fig.subplots(1, 2, width_ratios=(2, 1))

    labels = {}
    for name in databases:
        entries, share = f"{int(summary.loc[name, 'entries']):,}", 100 * summary.loc[name, "top_ten_share"]
        labels[name] = f"{name}: {entries} entries, {share:.0f} % in ten groups".replace(",", "\u2009", 1)
    occupied = counts[counts["count"] > 0]
    seaborn.scatterplot(
        occupied, x="space_group", y="count", hue=occupied["database"].map(labels), s=6, linewidth=0, alpha=0.85,
        palette={label: style.database_colour(name) for name, label in labels.items()}, ax=left,
    )  # fmt: skip
    for i, (system, (first, last)) in enumerate(SYSTEMS.items()):
        if i % 2 == 0:
            left.axvspan(first - 0.5, last + 0.5, color="0.94", lw=0, zorder=0)
        transform = left.get_xaxis_transform()
        # the band of the two triclinic groups is too narrow for its name, which ends where the band ends
        place, side = (last, "right") if last - first < 5 else ((first + last) / 2, "center")
        left.text(place, 1.015, system, transform=transform, ha=side, va="bottom", size=6, color=style.PATTERN)
    left.set(xlabel="space group number", ylabel="entries", yscale="log", xlim=(0, 231))
    left.set_ylim(0.7, counts["count"].max() * 25)
    left.legend(loc="upper left", handletextpad=0.2, borderaxespad=0.2, markerscale=0.6)
    left.text(-0.1, 1.015, "a", transform=left.transAxes, weight="bold", size=8)

    for name in databases:
        numbers = np.sort(classes.loc[classes["database"] == name, "count"].to_numpy())[::-1]
        if not numbers.sum():
            continue
        share = style.percent(np.concatenate([[0], np.cumsum(numbers)]) / numbers.sum())
        right.plot(np.arange(len(share)), share, color=style.database_colour(name))
    n_classes = int(classes["class_index"].max()) + 1
    right.plot([0, n_classes], [0, 100], color=style.GREY, ls="--", lw=0.7)
    right.text(n_classes * 0.62, 52, "balanced", color=style.GREY)
    right.set(xlabel="extinction classes, largest first", ylabel="share of entries (%)")
    right.set(xlim=(0, n_classes), ylim=(0, 102))
    right.text(-0.17, 1.015, "b", transform=right.transAxes, weight="bold", size=8)
    own = summary["entries"].get("this set", summary["entries"].iloc[0])
    style.stamp(fig, results, STEM, int(own))
    return fig

"""Random crystals beside PyXtal's and real ones: eight distributions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import SETS

STEM = "05_random_crystals"
NEEDS = (STEM,)

QUANTITIES = {
    "volume": ("volume of the cell (Å³)", True),
    "volume_per_atom": ("volume per atom (Å³)", True),
    "atoms": ("atoms per cell", True),
    "edge_ratio": ("longest edge / shortest", True),
    "positions": ("occupied Wyckoff positions", True),
    "multiplicity": ("multiplicity, relative to the\ngeneral position", True),
    "shortest_distance": ("shortest distance (Å)", False),
    "reflections": ("reflections, 5 to 90°", True),
}
"""Text of the axis, and whether it is logarithmic."""

_LINES = {"database": (0, (3, 1.5))}
"""Lines that are dashed, since another set has their colour."""


@style.look()
def draw(results: Results) -> Figure:
    """Cumulative distributions of cells, atoms, positions, distances and lines; one panel for each quantity."""
    curves = results.arrays(STEM, "curves")
    share = style.percent(curves["share"])
    fig = style.figure("double", 3.6)
    axes = fig.subplots(2, 4, sharey=True)
    for ax, (quantity, (text, logarithmic)) in zip(axes.flat, QUANTITIES.items(), strict=True):
        ends = []
        for key, named in SETS.items():
            values, line = curves[f"{key}_{quantity}"], _LINES.get(key, "-")
            ax.plot(values, share, color=named.colour, ls=line, label=named.label, drawstyle="steps-post")
            ends.append(np.interp([0.5, 99.5], share, values))
        low, high = np.min(ends), np.max(ends)
        if logarithmic:
            high *= 1.15  # the last step of a discrete quantity is seen
            ax.set_xscale("log")
            few = high / low < 60
            ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
            ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
            ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set(xlabel=text, xlim=(low, high), ylim=(0, 101))
        ax.grid(color="0.92", lw=0.5)
        ax.set_axisbelow(True)
    for ax in axes[:, 0]:
        ax.set_ylabel("share of crystals (%)")
    axes[1, 1].text(0.04, 0.97, "share of positions", transform=axes[1, 1].transAxes, va="top", size=6)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, columnspacing=1.6)
    truth = results.table(STEM, "truth").set_index("program")
    style.stamp(fig, results, STEM, int(truth.loc["ours", "crystals"]))
    return fig

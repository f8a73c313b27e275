"""What the network looks at, extinction class by extinction class: a page of small multiples."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import extinction_symbol

STEM = "12_interpretability"
NEEDS = (STEM, "01_extinction_groups")
CAPTION_NOTE = (
    "Grey: mean pattern. Areas: mean integrated gradients, red for the class and blue against it, each panel "
    "scaled to its own maximum. Strip: mean Grad-CAM. Behind the symbol the number of patterns."
)
_PITCH = 2.75
"""Height of one panel: the pattern from 0 to 1, the attribution from -1 to -0.1, the strip at -1.35."""


@style.look()
def draw(results: Results) -> Figure:
    """One panel for each class that occurs, in the order of the class table, down the columns."""
    maps = results.arrays(STEM, "maps")
    symbols = results.table("01_extinction_groups", "classes_published").set_index("index")["symbol"]
    shown = [i for i, count in enumerate(maps["class_count"]) if count > 0]
    columns = 2 if len(shown) <= 14 else 3 if len(shown) <= 36 else 4 if len(shown) <= 60 else 5
    rows = math.ceil(len(shown) / columns)
    fig = style.figure("double", min(9.4, 0.6 + (0.62 if rows <= 8 else 0.5) * rows))
    # panels are stacked in one axis per column: a hundred axes would take a minute to lay out
    for column, ax in enumerate(fig.subplots(1, columns, squeeze=False)[0]):
        for place, i in enumerate(shown[column * rows : (column + 1) * rows]):
            label = f"{extinction_symbol(str(symbols[maps['class_index'][i]]))}, {maps['class_count'][i]}"
            _panel(ax, {name: maps[name][i] for name in _PARTS}, maps["two_theta"], -place * _PITCH, label)
        ax.set(xlim=(maps["two_theta"][0], maps["two_theta"][-1]), xlabel=marks.TWO_THETA)
        ax.set_ylim(-(rows - 1) * _PITCH - 1.45, 1.35)
        marks.bare(ax)
    style.stamp(fig, results, STEM, int(maps["class_count"].sum()))
    return fig


_PARTS = ("class_pattern", "class_ig", "class_cam")
_BACKING = {"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.7}


def _panel(ax: Axes, maps: dict[str, np.ndarray], two_theta: np.ndarray, base: float, label: str) -> None:
    ax.plot(two_theta, base + maps["class_pattern"], color=style.PATTERN, lw=0.35)
    marks.signed_fill(ax, two_theta, maps["class_ig"], base - 0.55, 0.45)
    marks.band(ax, two_theta, maps["class_cam"], base - 1.35, base - 1.1)
    ax.text(two_theta[-1], base + 1.3, label, ha="right", va="top", size=5.5, bbox=_BACKING)

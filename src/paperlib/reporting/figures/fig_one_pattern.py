"""Two space groups with one set of line positions, and a third one on the same cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import extinction_symbol, space_group_symbol

STEM = "01_extinction_groups"
NEEDS = (STEM,)
CAPTION_NOTE = "Dashed: positions where either the third pattern or the other two have no line."
_VISIBLE = 0.2
"""Per cent of the strongest line below which a line is marked but not labelled."""
_STEP = 1.95
_BACKING = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
_COLOURS = (style.BLUE, style.BLUE, style.VERMILION)


@style.look()
def draw(results: Results) -> Figure:
    """Three stacked patterns: rows 0 and 1 share an extinction class, row 2 does not."""
    arrays = results.arrays(STEM, "one_pattern")
    rows = results.table(STEM, "one_pattern").sort_values("row")
    lines = results.table(STEM, "one_pattern_lines")
    two_theta, patterns = arrays["two_theta"], arrays["patterns"]
    fig = style.figure("double", 3.7)
    ax = fig.subplots()
    for row, pattern in enumerate(patterns):
        base = (2 - row) * _STEP
        own = lines[lines["row"] == row]
        ax.plot(two_theta, base + pattern, color=_COLOURS[row], lw=0.8)
        ax.vlines(own["two_theta"], base - 0.16, base - 0.05, color=_COLOURS[row], lw=0.6)
        shown = marks.chosen_lines(own[own["intensity"] >= _VISIBLE], 10, 2.0)
        heights = base + marks.height_at(two_theta, pattern, shown["two_theta"].to_numpy())
        marks.label_lines(ax, shown, heights, _COLOURS[row])
        info = rows.iloc[row]
        text = (
            f"{info['name']}: {space_group_symbol(info['symbol'])} (No. {info['space_group']}), "
            f"class {extinction_symbol(info['class_symbol'])}"
        )
        ax.text(two_theta[-1], base + 1.42, text, ha="right", va="bottom", bbox=_BACKING)
    for position in _not_shared(lines):
        ax.axvline(position, color=style.VERMILION, lw=0.4, ls=(0, (3, 3)), alpha=0.6, zorder=0)
    ax.set(xlabel=marks.TWO_THETA, ylabel="intensity", xlim=(two_theta[0], two_theta[-1]))
    ax.set_ylim(-0.25, 2 * _STEP + 1.72)
    marks.bare(ax)
    style.stamp(fig, results, STEM, len(patterns))
    return fig


def _not_shared(lines: pd.DataFrame, tolerance: float = 0.1) -> np.ndarray:
    """Positions (degrees) of lines of row 2 that the others lack, and of the others' that row 2 lacks."""
    third = lines.loc[lines["row"] == 2, "two_theta"].to_numpy()
    others = lines.loc[lines["row"] < 2, "two_theta"].to_numpy()
    far = np.abs(third[:, None] - others[None, :]) > tolerance
    return np.unique(np.round(np.concatenate([third[far.all(axis=1)], others[far.all(axis=0)]]), 3))

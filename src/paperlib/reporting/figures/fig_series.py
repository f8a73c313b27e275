"""A doping series beside its patterns: the structure, the patterns one above the other, and how little they differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.structure_picture import draw_structure
from paperlib.reporting.symbols import formula_symbol, space_group_symbol
from paperlib.symmetry.groups import symbol

STEM = "04_duplicates"
NEEDS = (STEM,)
CAPTION_NOTE = "Differences from the first pattern, in per cent of its strongest line."
_DECIMALS = 4
"""What is drawn is rounded, so that the files do not depend on the last digits of a processor's arithmetic."""
_CELL = ["a", "b", "c", "alpha", "beta", "gamma"]
_MOST = 14
"""Members that there is room for."""


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: the structure that all members share; b: their patterns, the first at the bottom; c: the largest
    difference of each from the first."""
    rows, arrays = results.table(STEM, "series").sort_values("row"), results.arrays(STEM, "series")
    rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _MOST)).astype(int))]
    fig = style.figure("double", 3.2)
    axes = fig.subplots(1, 3, width_ratios=(0.75, 2, 0.8))
    _picture(axes[0], rows.iloc[0], results.table(STEM, "series_atoms"))
    _patterns(axes[1], rows, arrays)
    _differences(axes[2], rows)
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
    style.stamp(fig, results, STEM, len(rows))
    return fig


def _picture(ax: Axes, info: pd.Series, atoms: pd.DataFrame) -> None:
    cell, frac = info[_CELL].to_numpy(dtype=float), atoms[["x", "y", "z"]].to_numpy()
    colours = draw_structure(ax, cell, frac, list(atoms["element"]), atoms["radius"].to_numpy())
    dots = [Line2D([], [], ls="", marker="o", ms=4, mec="0.15", mew=0.35, color=c, label=e) for e, c in colours.items()]
    group = space_group_symbol(symbol(int(info["space_group"])))
    ax.legend(
        handles=dots, title=f"{group}, {' × '.join(f'{info[edge]:.2f}' for edge in 'abc')} Å", title_fontsize=6.5,
        loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(dots), handletextpad=0.1, columnspacing=1.0,
    )  # fmt: skip


def _patterns(ax: Axes, rows: pd.DataFrame, arrays: dict[str, np.ndarray]) -> None:
    for k, row in enumerate(rows["row"]):
        shade = style.BLACK if k == 0 else style.PATTERN
        ax.plot(arrays["two_theta"], k + 0.9 * arrays["patterns"][int(row)].round(_DECIMALS), color=shade, lw=0.5)
    ax.set(xlim=(arrays["two_theta"][0], arrays["two_theta"][-1]), ylim=(-0.15, len(rows) + 0.05))
    ax.set_xlabel(marks.TWO_THETA)
    marks.bare(ax)


def _differences(ax: Axes, rows: pd.DataFrame) -> None:
    y = np.arange(len(rows))
    difference = style.percent(rows["difference"].to_numpy().round(_DECIMALS))
    ax.hlines(y, 0, difference, color=style.BLUE, lw=0.8)
    ax.plot(difference, y, ls="", marker="o", ms=3.2, mew=0, color=style.BLUE)
    ax.set_yticks(y, [formula_symbol(str(formula)) for formula in rows["formula"]], size=6)
    ax.tick_params(axis="y", length=0)
    ax.set(ylim=(-0.15, len(rows) + 0.05), xlabel="largest difference\n(% of the strongest line)")
    ax.set_xlim(0, 1.1 * max(difference.max(), 0.1))

"""Three random crystals of one space group: their cells, and their patterns."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.structure_picture import draw_structure
from paperlib.reporting.symbols import formula_symbol, space_group_symbol

STEM = "05_random_crystals"
NEEDS = (STEM,)
_CELL = ["a", "b", "c", "alpha", "beta", "gamma"]


@style.look()
def draw(results: Results) -> Figure:
    """Left: the cell with its atoms; right: the pattern, one row for each crystal."""
    rows = results.table(STEM, "three").sort_values("row")
    atoms = results.table(STEM, "three_atoms")
    arrays = results.arrays(STEM, "three")
    fig = style.figure("double", 5.4)
    axes = fig.subplots(len(rows), 2, width_ratios=(1, 2.1), squeeze=False)
    for i, (_, info) in enumerate(rows.iterrows()):
        _picture(axes[i, 0], info, atoms[atoms["row"] == info["row"]])
        ax = axes[i, 1]
        ax.plot(arrays["two_theta"], arrays["patterns"][int(info["row"])], color=style.PATTERN, lw=0.7)
        ax.set(xlim=(arrays["two_theta"][0], arrays["two_theta"][-1]), ylim=(-0.02, 1.05), ylabel="intensity")
        ax.set_title(_describe(info), loc="right")
        marks.bare(ax)
        if i < len(rows) - 1:
            ax.set_xticklabels([])
    axes[-1, 1].set_xlabel(marks.TWO_THETA)
    group = rows.iloc[0]
    fig.suptitle(f"{space_group_symbol(str(group['symbol']))} (No. {group['space_group']})", size=8, x=0.01, ha="left")
    style.stamp(fig, results, STEM, len(rows))
    return fig


def _picture(ax: Axes, info: pd.Series, atoms: pd.DataFrame) -> None:
    cell = info[_CELL].to_numpy(dtype=float)
    frac = atoms[["x", "y", "z"]].to_numpy()
    colours = draw_structure(ax, cell, frac, list(atoms["element"]), atoms["radius"].to_numpy())
    dots = [
        Line2D([], [], ls="", marker="o", ms=4.5, mec="0.15", mew=0.35, color=c, label=e) for e, c in colours.items()
    ]
    ax.legend(handles=dots, loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.1, borderaxespad=0.2)


def _describe(info: pd.Series) -> str:
    lengths = " × ".join(f"{info[name]:.2f}" for name in ("a", "b", "c"))
    names = {"alpha": "α", "beta": "β", "gamma": "γ"}
    oblique = [f", {names[a]} = {info[a]:.1f}°" for a in names if abs(info[a] - 90) > 0.005]
    return f"{formula_symbol(str(info['formula']))}, {lengths} Å{''.join(oblique)}, {int(info['n_atoms'])} atoms"

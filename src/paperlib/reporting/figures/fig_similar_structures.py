"""Similar structures beside their patterns, and how similar all patterns of their group are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.structure_picture import draw_structure
from paperlib.reporting.symbols import formula_symbol

STEM = "04_duplicates"
NEEDS = (STEM,)
CAPTION_NOTE = "Similarity of the patterns at one volume per atom; letters: groups of the rule pattern."
_DECIMALS = 4
"""What is drawn is rounded, so that the files do not depend on the last digits of a processor's arithmetic."""
_CELL = ["a", "b", "c", "alpha", "beta", "gamma"]


@style.look()
def draw(results: Results) -> Figure:
    """Left: three entries of one group of formula and space group, cell and pattern; right: the similarity matrix of
    the group."""
    rows = results.table(STEM, "similar").sort_values("row")
    atoms, arrays = results.table(STEM, "similar_atoms"), results.arrays(STEM, "similar")
    group = results.table(STEM, "near_duplicates")
    fig = style.figure("double", 4.2)
    left, right = fig.subfigures(1, 2, width_ratios=(1.75, 1))
    axes = left.subplots(len(rows), 2, width_ratios=(1, 1.7), squeeze=False)
    for i, (_, info) in enumerate(rows.iterrows()):
        _picture(axes[i, 0], info, atoms[atoms["row"] == info["row"]])
        ax = axes[i, 1]
        ax.plot(arrays["two_theta"], arrays["patterns"][int(info["row"])].round(_DECIMALS), color=style.PATTERN, lw=0.7)
        ax.set(xlim=(arrays["two_theta"][0], arrays["two_theta"][-1]), ylim=(-0.02, 1.05), ylabel="intensity")
        ax.set_title(f"{arrays['shown'][i] + 1}: {_describe(info)}", loc="right")
        marks.bare(ax)
        if i < len(rows) - 1:
            ax.set_xticklabels([])
    axes[-1, 1].set_xlabel(marks.TWO_THETA)
    _matrix(right.subplots(), arrays["similarity"].round(_DECIMALS), group)
    style.stamp(fig, results, STEM, len(group))
    return fig


def _picture(ax: Axes, info: pd.Series, atoms: pd.DataFrame) -> None:
    cell = info[_CELL].to_numpy(dtype=float)
    frac = atoms[["x", "y", "z"]].to_numpy()
    colours = draw_structure(ax, cell, frac, list(atoms["element"]), atoms["radius"].to_numpy())
    dots = [Line2D([], [], ls="", marker="o", ms=4, mec="0.15", mew=0.35, color=c, label=e) for e, c in colours.items()]
    ax.legend(handles=dots, loc="upper right", bbox_to_anchor=(0.0, 1.0), handletextpad=0.1, borderaxespad=0.0)


def _matrix(ax: Axes, similarity: np.ndarray, group: pd.DataFrame) -> None:
    n = len(similarity)
    seaborn.heatmap(
        similarity, vmin=min(0.9, float(similarity.min())), vmax=1, cmap="viridis", square=True, annot=True, fmt=".2f",
        annot_kws={"size": 5.5}, ax=ax, cbar_ax=ax.inset_axes((0.1, -0.17, 0.8, 0.035)),
        cbar_kws={"orientation": "horizontal", "label": "similarity of the patterns"},
    )  # fmt: skip
    names = [f"{formula_symbol(str(row.formula))}, {row.pattern}  {k + 1}" for k, row in enumerate(group.itertuples())]
    places = np.arange(n) + 0.5
    ax.set_yticks(places, names, size=6, rotation=0)
    ax.set_xticks(places, [str(k + 1) for k in range(n)], size=6, rotation=0)
    ax.tick_params(length=0)


def _describe(info: pd.Series) -> str:
    lengths = " × ".join(f"{info[name]:.2f}" for name in ("a", "b", "c"))
    return f"{formula_symbol(str(info['formula']))}, {lengths} Å, {int(info['n_atoms'])} atoms"

"""How far our patterns lie from those of an independent program, and one crystal under both radiations."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import formula_symbol, space_group_symbol

STEM = "02_simulator"
NEEDS = (STEM,)
CAPTION_NOTE = "Deviations below 1e-16 are drawn at 1e-16."
_FLOOR = 1e-16


def draw(results: Results) -> Figure:
    """Panels: a position deviation; b R with the other program's form factors and with ours; c example."""
    deviations = results.table(STEM, "deviations")
    arrays = results.arrays(STEM, "example")
    example = results.table(STEM, "example").iloc[0]
    fig = style.figure("double", 4.0)
    axes = fig.subplot_mosaic([["a", "b"], ["x", "x"], ["n", "n"]], height_ratios=(1.25, 1, 1))

    ecdf = {"ax": axes["a"], "log_scale": True}
    sns.ecdfplot(x=deviations["position_deviation"].clip(lower=_FLOOR), color=style.BLACK, **ecdf)
    axes["a"].set(xlabel="largest deviation of a line position (°)", ylabel="share of structures")
    ecdf["ax"] = axes["b"]
    columns = (("r_their_f0", style.GREY, "same form factors"), ("r_ours", style.BLUE, "our form factors"))
    for column, colour, name in columns:
        sns.ecdfplot(x=deviations[column].clip(lower=_FLOOR), color=colour, label=name, **ecdf)
    axes["b"].set(xlabel="R of the line intensities", ylabel="")
    axes["b"].legend(loc="lower right", bbox_to_anchor=(1, 0.99), ncols=2, borderaxespad=0)

    two_theta = arrays["two_theta"]
    axes["x"].sharex(axes["n"])
    for key, name in (("xray", "X-rays"), ("neutron", "neutrons")):
        ax = axes[key[0]]
        ax.plot(two_theta, arrays[key], color=style.RADIATION_COLOURS[key], lw=0.8)
        ax.text(0.995, 0.9, name, transform=ax.transAxes, ha="right", va="top", color=style.RADIATION_COLOURS[key])
        ax.set(ylabel="intensity", ylim=(0, 1.05), xlim=(two_theta[0], two_theta[-1]))
        marks.bare(ax)
    sticks = arrays["pymatgen_intensity"] / np.max(arrays["pymatgen_intensity"])
    axes["x"].vlines(arrays["pymatgen_two_theta"], 0, sticks, color=style.VERMILION, lw=0.7, zorder=3)
    symbol, formula = space_group_symbol(str(example["symbol"])), formula_symbol(str(example["formula"]))
    note = f"{formula}, {symbol} (No. {example['space_group']}); red sticks: pymatgen"
    axes["x"].set_title(note, loc="right")
    axes["x"].tick_params(labelbottom=False)
    axes["n"].set_xlabel(marks.TWO_THETA)
    for ax, text in zip((axes["a"], axes["b"], axes["x"]), "abc", strict=True):
        style.letter(ax, text)
    style.stamp(fig, results, STEM, len(deviations))
    return fig

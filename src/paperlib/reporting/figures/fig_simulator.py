"""One crystal under X-rays and neutrons, and reflection data of three space groups with one cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import extinction_symbol, formula_symbol, space_group_symbol

STEM = "02_simulator"
NEEDS = (STEM,)
CAPTION_NOTE = "Circles: lines of pymatgen, scaled to the strongest of them."
_COLOURS = (style.BLUE, style.SKY, style.VERMILION)
_STEP = 1.2


@style.look()
def draw(results: Results) -> Figure:
    """Panels: a X-rays; b neutrons; c one height per line of the lattice; d one height per Laue family."""
    example = results.table(STEM, "example").iloc[0]
    arrays = results.arrays(STEM, "example")
    fig = style.figure("double", 5.6)
    axes = fig.subplot_mosaic([["xray", "xray"], ["neutron", "neutron"], ["line", "laue"]], height_ratios=(1, 1, 1.9))
    for name, text in (("xray", "X-rays"), ("neutron", "neutrons")):
        ax, colour = axes[name], style.RADIATION_COLOURS[name]
        _pattern(ax, arrays["two_theta"], arrays[name], arrays[f"{name}_lines"], colour)
        ax.text(0.995, 0.9, text, transform=ax.transAxes, ha="right", va="top", color=colour)
    axes["xray"].sharex(axes["neutron"])
    axes["xray"].tick_params(labelbottom=False)
    axes["neutron"].set_xlabel(marks.TWO_THETA)
    symbol, formula = space_group_symbol(str(example["symbol"])), formula_symbol(str(example["formula"]))
    axes["xray"].set_title(f"{formula}, {symbol} (No. {example['space_group']})", loc="right")

    groups = results.table(STEM, "one_pattern")
    shown = results.arrays(STEM, "one_pattern")
    for family, text in (("line", "one height per line of the lattice"), ("laue", "one height per Laue family")):
        _three(axes[family], shown["two_theta"], shown[family], groups)
        axes[family].set_title(text, loc="right")
    for name, text in zip(axes, "abcd", strict=True):
        style.letter(axes[name], text)
    style.stamp(fig, results, STEM, len(results.table(STEM, "deviations")))
    return fig


def _pattern(ax: Axes, two_theta: np.ndarray, pattern: np.ndarray, lines: np.ndarray, colour: str) -> None:
    """A pattern with the other program's lines as sticks with a head, scaled to the strongest of them."""
    sticks = lines[1] / lines[1].max()
    ax.plot(two_theta, pattern, color=colour, lw=0.8)
    ax.vlines(lines[0], 0, sticks, color=style.VERMILION, lw=0.5, zorder=1)
    tall = sticks > 0.01
    ax.plot(lines[0][tall], sticks[tall], "o", ms=2.2, mfc="none", mew=0.6, color=style.VERMILION, label="pymatgen")
    ax.set(ylabel="intensity", ylim=(0, 1.08), xlim=(two_theta[0], two_theta[-1]))
    ax.legend(loc="upper left", handletextpad=0.1)
    marks.bare(ax)


def _three(ax: Axes, two_theta: np.ndarray, patterns: np.ndarray, groups: pd.DataFrame) -> None:
    """Three patterns one above the other, with how far they lie from the first."""
    for row, (pattern, colour) in enumerate(zip(patterns, _COLOURS, strict=True)):
        base, group = (2 - row) * _STEP, groups.iloc[row]
        ax.plot(two_theta, base + pattern, color=colour, lw=0.7)
        text = f"{space_group_symbol(group['symbol'])}, class {extinction_symbol(group['class_symbol'])}"
        if row:
            text += f"\nlargest difference {np.abs(pattern - patterns[0]).max():.2g}"
        ax.text(two_theta[-1], base + 0.95, text, ha="right", va="top", color=colour)
    ax.set(xlabel=marks.TWO_THETA, ylabel="intensity", xlim=(two_theta[0], two_theta[-1]))
    ax.set_ylim(-0.05, 3 * _STEP + 0.05)
    marks.bare(ax)

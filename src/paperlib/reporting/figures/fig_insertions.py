"""What a network answers when lines that its class forbids are put into a pattern, and when lines are taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import CHANGED_LINES, LIFTED, Named

STEM = "12_interpretability"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over crystals; a crystal counts once, whatever the number of its pairs. Bands: noise "
    "(standard deviation) of nine tenths of the imperfect patterns."
)
_LINES = 4
_SHOWN = ("own", "fits", "neither")
_PLACES: dict[str, Any] = {"lattice": "-", "moved": (0, (2.5, 1.5))}
_TAKEN: dict[str, Any] = {"deciding": "-", "others": (0, (2.5, 1.5))}
_NONE = 1e-6
"""Where height 0 stands on the logarithmic axis."""


@style.look()
def draw(results: Results) -> Figure:
    """Rows: lines put into clean patterns; into patterns with imperfections; taken out of clean patterns. Columns: what
    forbids the lines, a centring, a glide plane or a screw axis."""
    put_in, taken = results.table(STEM, "insertions"), results.table(STEM, "deletions")
    noise = tuple(float(results.value(f"{STEM}/noise_{end}").value) for end in ("low", "high"))
    fig = style.figure("double", 5.6)
    axes = fig.subplots(3, 3, sharey=True)
    for row, (world, letters) in enumerate((("clean", "abc"), ("measured", "def"))):
        here = put_in[(put_in["world"] == world) & (put_in["count"] == _LINES)]
        for ax, kind, letter in zip(axes[row], LIFTED, letters, strict=True):
            _panel(ax, here[here["kind"] == kind], _PLACES)
            ax.axvspan(*noise, color=style.GREY, alpha=0.2, lw=0)
            _titled(ax, letter, kind, here)
            ax.set_xlabel("height of the lines put in")
    for ax, kind, letter in zip(axes[2], LIFTED, "ghi", strict=True):
        _panel(ax, taken[taken["kind"] == kind], _TAKEN)
        _titled(ax, letter, kind, taken)
        ax.set_xlabel("share of the lines that is left")
    for ax, text in zip(axes[:, 0], ("clean patterns,\nlines put in", "imperfect patterns,\nlines put in",
                                     "clean patterns,\nlines taken away"), strict=True):  # fmt: skip
        ax.set_ylabel(f"{text}\nmean probability (%)")
    _legend(fig)
    style.stamp(fig, results, STEM, int(put_in["n"].max()))
    return fig


def _titled(ax: Axes, letter: str, kind: str, table: pd.DataFrame) -> None:
    style.letter(ax, letter)
    n = table.loc[table["kind"] == kind, "n"]
    ax.set_title(f"{LIFTED[kind]}, {int(n.max()) if len(n) else 0} crystals", loc="right")


def _panel(ax: Axes, rows: pd.DataFrame, places: Mapping[str, Any]) -> None:
    """Probabilities against height for both places, and for random weights that of all that fits."""
    for place, ls in places.items():
        here = rows[(rows["network"] == "trained") & (rows["place"] == place)]
        for answer in _SHOWN:
            _curve(ax, here[here["answer"] == answer], CHANGED_LINES[answer], ls, place == next(iter(places)))
    first = next(iter(places))
    random = rows[(rows["network"] == "random") & (rows["place"] == first) & (rows["answer"] == "fits")]
    _curve(ax, random, CHANGED_LINES["random"], ":", False)
    ticks = [_NONE, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]
    ax.set_xscale("log")
    ax.set(xlim=(_NONE / 1.8, 1.8), ylim=(0, 100))
    ax.set_xticks(ticks, ["0", "", "$10^{-4}$", "", "$10^{-2}$", "", "1"])
    ax.minorticks_off()
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _curve(ax: Axes, rows: pd.DataFrame, named: Named, ls: Any, bars: bool) -> None:
    rows = rows.sort_values("height")
    x = np.maximum(rows["height"], _NONE)
    value, low, high = (style.percent(rows[column]) for column in ("value", "low", "high"))
    ends = np.clip([value - low, high - value], 0, None) if bars else None
    marks = {"marker": "o", "ms": 2.2, "lw": 0.9, "elinewidth": 0.7}
    ax.errorbar(x, value, ends, color=named.colour, ls=ls, mfc=named.colour if bars else "white", mew=0.6, **marks)


def _legend(fig: Figure) -> None:
    handles = [Line2D([], [], color=named.colour, label=named.label, lw=1.2, ls=":" if name == "random" else "-")
               for name, named in CHANGED_LINES.items()]  # fmt: skip
    handles += [
        Line2D([], [], color=style.BLACK, lw=0.9, marker="o", ms=2.2, label="lines that decide"),
        Line2D([], [], color=style.BLACK, lw=0.9, marker="o", ms=2.2, mfc="white", ls=(0, (2.5, 1.5)),
               label="control: moved off the lattice, or others taken"),
        Patch(color=style.GREY, alpha=0.2, lw=0, label="noise of imperfect patterns"),
    ]  # fmt: skip
    fig.legend(handles=handles, loc="outside upper center", ncols=4, columnspacing=1.2)

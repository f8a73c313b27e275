"""Neutrons and X-rays, each read by networks trained on either and on both; and the same crystals by another
program."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import PROFILES, RADIATIONS

STEM = "15_neutrons"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test crystals, in groups of one structure type, and trainings; grey: class frequencies "
    "alone. Differences below 1e-6 are drawn at 1e-6."
)
_TESTS = {
    "xray": "X-rays",
    "neutron": "neutrons",
    "xray_permuted": "X-rays,\nheights\npermuted",
    "neutron_permuted": "neutrons,\nheights\npermuted",
}
_PROGRAMS = {
    "ours_xray": "X-rays,\nours",
    "alike_xray": "ours,\nalike",
    "crysfml_xray": "CrysFML",
    "ours_neutron": "neutrons,\nours",
    "crysfml_neutron": "CrysFML",
}
_FLOOR = 1e-6


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: score of each network on both radiations, as they are and with the heights handed round. Where another
    program computed patterns, b: score on its patterns and on ours; c: how far they lie apart, crystal by crystal."""
    scores = results.table(STEM, "scores")
    scores = scores[(scores["seed"] == -1) & (scores["k"] == 1)]
    others = "profiles.csv" in results.manifest(STEM)["outputs"]
    fig = style.figure("double", 2.7)
    axes = fig.subplots(1, 3, width_ratios=(1.15, 1.35, 0.9)) if others else [fig.subplots()]
    _scores(axes[0], scores, _TESTS)
    if others:
        _scores(axes[1], scores, _PROGRAMS)
        _profiles(axes[2], results.table(STEM, "profiles"))
        for ax, text in zip(axes, "abc", strict=True):
            style.letter(ax, text)
    _legend(fig)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _scores(ax: Axes, scores: pd.DataFrame, tests: dict[str, str]) -> None:
    """Scores of the networks on ``tests``, in per cent, with what class frequencies give."""
    rows = scores.set_index(["arm", "test"])
    for i, (arm, named) in enumerate(RADIATIONS.items()):
        own = rows.loc[arm].loc[list(tests)]
        value, low, high = (style.percent(own[column]) for column in ("value", "low", "high"))
        ends = np.clip([value - low, high - value], 0, None)
        x = np.arange(len(tests)) + 0.2 * (i - 1)
        ax.errorbar(x, value, ends, color=named.colour, ls="none", marker="o", ms=3.2, elinewidth=0.8)
    guess = style.percent(rows.loc["frequency"].loc[list(tests), "value"])
    ax.hlines(guess, np.arange(len(tests)) - 0.36, np.arange(len(tests)) + 0.36, color=style.GREY, lw=1.2)
    ax.set_xticks(range(len(tests)), tests.values(), size=5.5)
    ax.set(xlabel="tested on", ylabel="extinction group, top-1 (%)", ylim=(0, None))
    ax.set_xlim(-0.5, len(tests) - 0.5)
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _profiles(ax: Axes, table: pd.DataFrame) -> None:
    """One column of points per comparison, a black mark at their median."""
    for place, (key, named) in enumerate(PROFILES.items()):
        values = table[table["compared"] == key]["max_difference"].clip(lower=_FLOOR).to_numpy()
        # a point's place is its row in the table, turned by the golden ratio: spread, and always the same
        spread = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.6
        ax.scatter(place + spread, values, s=4, color=named.colour, alpha=0.5, lw=0, rasterized=True)
        ax.hlines(np.median(values), place - 0.4, place + 0.4, color=style.BLACK, lw=1.2, zorder=3)
    labels = [named.label.replace(", ", ",\n") for named in PROFILES.values()]
    ax.set_xticks(range(len(labels)), [label.replace("computed ", "ours, ") for label in labels], size=5.5)
    ax.set(yscale="log", ylabel="largest difference (of the maximum)", xlabel="CrysFML beside", ylim=(_FLOOR / 2, 1.5))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _legend(fig: Figure) -> None:
    look = {"ls": "", "marker": "o", "ms": 3.2}
    handles = [Line2D([], [], color=named.colour, label=named.label, **look) for named in RADIATIONS.values()]
    handles.append(Line2D([], [], color=style.GREY, lw=1.2, label="class frequencies"))
    fig.legend(handles=handles, loc="outside upper left", ncols=4, title="trained on", columnspacing=1.2)

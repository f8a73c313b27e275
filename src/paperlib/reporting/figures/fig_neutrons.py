"""Neutrons and X-rays, each read by networks trained on either and on both; paired differences of these scores; and the
same crystals by another program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import PROFILES, RADIATION_TESTS, RADIATIONS

STEM = "15_neutrons"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test crystals, in groups of one structure type, and trainings; grey: class frequencies "
    "alone. Differences of profiles below 1e-6 are drawn at 1e-6; rings are crystals of which the other program has "
    "another neutron length."
)
_MARKS = {"xray": ("o", 3.6), "neutron": ("s", 3.2)}
"""Marker and its size by the radiation of the test patterns."""
_EFFECTS = {
    "trained on the other\nradiation instead\nof the tested one": (
        ("other_xray", "neutron", "xray"),
        ("other_neutron", "xray", "neutron"),
    ),
    "trained on both\ninstead": (("both_xray", "both", "xray"), ("both_neutron", "both", "neutron")),
    "heights\nhanded round": tuple((f"permuted_{arm}_{kind}", arm, kind) for kind in _MARKS for arm in RADIATIONS),
    "patterns by CrysFML\ninstead of ours": tuple(
        (f"program_{arm}_{kind}", arm, kind) for kind in _MARKS for arm in (kind, "both")
    ),
}
"""The blocks of panel b: what is changed; of each paired difference its name, the network that reads after the change,
and the radiation of the test."""
_FLOOR = 1e-6


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: score of each network on both radiations, as they are and with the heights handed round; b: paired
    differences. Where another program computed patterns, c: how far they lie apart, crystal by crystal."""
    scores = results.table(STEM, "scores")
    scores = scores[(scores["seed"] == -1) & (scores["k"] == 1)]
    others = "profiles.csv" in results.manifest(STEM)["outputs"]
    kept = [results.table(STEM, name) for name in ("effects", "program_effects")[: 1 + others]]
    fig = style.figure("double", 2.9)
    axes = fig.subplots(1, 2 + others, width_ratios=(1.15, 1.15, 0.85)[: 2 + others])
    _scores(axes[0], scores)
    _effects(axes[1], pd.concat(kept).set_index("effect"))
    if others:
        _profiles(axes[2], results.table(STEM, "profiles"))
    for ax, text in zip(axes, "abc", strict=False):
        style.letter(ax, text)
    _legend(fig)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _scores(ax: Axes, scores: pd.DataFrame) -> None:
    """Scores of the networks on each set of patterns, in per cent, with what class frequencies give."""
    rows, tests = scores.set_index(["arm", "test"]), list(RADIATION_TESTS)
    for i, arm in enumerate(RADIATIONS):
        own = rows.loc[arm].loc[tests]
        value, low, high = (style.percent(own[column]) for column in ("value", "low", "high"))
        for place, test in enumerate(tests):
            ends = np.clip([[value[place] - low[place]], [high[place] - value[place]]], 0, None)
            x, kind = place + 0.2 * (i - 1), test.removesuffix("_permuted")
            ax.errorbar([x], [value[place]], ends, **_look(arm, kind))
    guess = style.percent(rows.loc["frequency"].loc[tests, "value"])
    ax.hlines(guess, np.arange(len(tests)) - 0.36, np.arange(len(tests)) + 0.36, color=style.GREY, lw=1.2)
    labels = [label.replace(", heights handed ", ",\nheights\nhanded\n") for label in RADIATION_TESTS.values()]
    ax.set_xticks(range(len(tests)), labels, size=6)
    ax.set(xlabel="tested on", ylabel="extinction group, top-1 (%)", ylim=(0, None))
    ax.set_xlim(-0.5, len(tests) - 0.5)
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _look(arm: str, kind: str) -> dict[str, Any]:
    """A mark with its bar: the colour of the network, the marker of the radiation that it is tested on."""
    marker, size = _MARKS[kind]
    return {"color": RADIATIONS[arm].colour, "marker": marker, "ms": size, "elinewidth": 0.8, "ls": "none"}


def _effects(ax: Axes, effects: pd.DataFrame) -> None:
    """What each change does to the score, in percentage points: a block per change, a mark per network and test."""
    place, middles, names = 0, [], []
    for text, asked in _EFFECTS.items():
        rows = [(arm, kind, effects.loc[key]) for key, arm, kind in asked if key in effects.index]
        if not rows:  # no other program was asked
            continue
        for i, (arm, kind, row) in enumerate(rows):
            value, low, high = (float(style.percent(row[column])) for column in ("value", "low", "high"))
            ends = np.clip([[value - low], [high - value]], 0, None)
            ax.errorbar([value], [place + i], xerr=ends, **_look(arm, kind))
        middles.append(place + (len(rows) - 1) / 2)
        names.append(text)
        place += len(rows) + 1
        ax.axhline(place - 1, color="0.9", lw=0.5)
    ax.axvline(0, color=style.BLACK, lw=0.6)
    ax.set_yticks(middles, names, size=6)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="change of top-1 (percentage points)", ylim=(place - 1, -1))
    ax.grid(axis="x", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _profiles(ax: Axes, table: pd.DataFrame) -> None:
    """One column of points per comparison, a black mark at their median; rings where the neutron lengths differ."""
    for place, (key, named) in enumerate(PROFILES.items()):
        rows = table[table["compared"] == key]
        values, other = rows["max_difference"].clip(lower=_FLOOR).to_numpy(), rows["other_length"].to_numpy(bool)
        # a point's place is its row in the table, turned by the golden ratio: spread, and always the same
        x = place + (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.6
        ax.scatter(x[~other], values[~other], s=4, color=named.colour, alpha=0.5, lw=0, rasterized=True)
        if other.any():
            ax.scatter(x[other], values[other], s=9, facecolors="none", edgecolors=named.colour, lw=0.8)
        ax.hlines(np.median(values), place - 0.4, place + 0.4, color=style.BLACK, lw=1.2, zorder=3)
    labels = [named.label.replace(", ", ",\n").replace("computed ", "") for named in PROFILES.values()]
    ax.set_xticks(range(len(labels)), labels, size=6)
    ax.set(yscale="log", ylabel="largest difference (of the maximum)", xlabel="CrysFML beside", ylim=(_FLOOR / 2, 1.5))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)


def _legend(fig: Figure) -> None:
    handles = [
        Line2D([], [], color=named.colour, ls="", marker="D", ms=3, label=f"trained on {named.label}")
        for named in RADIATIONS.values()
    ]
    handles += [
        Line2D([], [], color=style.BLACK, mfc="none", ls="", marker=marker, ms=size, label=f"tested on {label}")
        for (marker, size), label in zip(_MARKS.values(), ("X-rays", "neutrons"), strict=True)
    ]
    handles.append(Line2D([], [], color=style.GREY, lw=1.2, label="class frequencies"))
    fig.legend(handles=handles, loc="outside upper center", ncols=6, columnspacing=1.2, handletextpad=0.3)

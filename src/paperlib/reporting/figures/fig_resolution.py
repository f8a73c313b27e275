"""What world a network lives in: its score when patterns differ from clean ones, and what sampling brings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import READERS, SAMPLINGS, TRAINED_ON, Named

STEM = "10_resolution"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test crystals, in groups of one structure type, and trainings. In c every network is "
    "trained and tested on patterns of its own sampling, with zero shift, background and noise."
)
_LINES: dict[str, dict[str, Any]] = {"clean": {"ls": (0, (3, 2)), "mfc": "white"}, "drawn": {"ls": "-"}}
_BINS: dict[str, Any] = {"ls": "none", "marker": "s", "mfc": "white"}
_OTHER: dict[str, Any] = {"ls": "none", "marker": "^"}
_CLOSE: dict[str, Any] = {"columnspacing": 0.9, "handletextpad": 0.4}
_RANGES = ("short_range", "long_range")


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: score against noise, and without weak lines; b: against the width of the peaks; both for each network,
    trained on clean patterns and with imperfections. c: score against the points of a pattern."""
    scores, worlds = results.table(STEM, "scores"), results.table(STEM, "worlds")
    scores = scores[(scores["seed"] == -1) & (scores["k"] == 1)]
    fig = style.figure("double", 3.0)
    axes = fig.subplots(1, 3, width_ratios=(1.45, 1, 1.1))
    for ax, change, clean in ((axes[0], "noise", 0.0), (axes[1], "width", 1.0)):
        levels = worlds[worlds["change"] == change].set_index("test")["level"].to_dict()
        _against(ax, scores, {"clean": clean} | levels)
    weakest = worlds.set_index("change").loc["strong_lines"]
    _beside(axes[0], scores, str(weakest["test"]), f"no lines\nbelow {weakest['level']:.0%}")
    axes[0].set_xlabel("noise (standard deviation,\nof the maximum)")
    axes[1].set_xlabel("width of the peaks\n(as published = 1)")
    _sampling(axes[2], results.table(STEM, "samplings"))
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
        ax.grid(axis="y", color="0.9", lw=0.5)
        ax.set_axisbelow(True)
    _legends(fig)
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _against(ax: Axes, scores: pd.DataFrame, levels: dict[str, float]) -> None:
    """Scores of all networks on the test sets whose ``levels`` are given by key; each level has a place of its own."""
    tests = sorted(levels, key=levels.__getitem__)
    guess = _at(ax, scores, tests, 0.0)
    ax.plot(range(len(tests)), guess, color=style.GREY, lw=0.9, ls=":")
    ax.set_xticks(range(len(tests)), [_level(levels[test]) for test in tests])
    ax.set(ylabel="extinction group, top-1 (%)", ylim=(0, None))


def _beside(ax: Axes, scores: pd.DataFrame, test: str, name: str) -> None:
    """Scores of all networks on one more test set, behind the levels and apart from them."""
    names, place = [tick.get_text() for tick in ax.get_xticklabels()], len(ax.get_xticks()) + 0.25
    _at(ax, scores, [test], place)
    ax.set_xticks([*ax.get_xticks(), place], [*names, name])


def _at(ax: Axes, scores: pd.DataFrame, tests: list[str], place: float) -> np.ndarray:
    """Draw the scores of all networks on ``tests``, which stand one apart from ``place`` on; return what class
    frequencies score there (n,), in per cent."""
    here = scores[scores["test"].isin(tests)].set_index(["arm", "test"])
    arms = [(reader, kind) for reader in READERS for kind in TRAINED_ON]
    for i, (reader, kind) in enumerate(arms):
        rows = here.loc[f"{reader}_{kind}"].loc[tests]
        x = place + np.arange(len(tests)) + 0.1 * (i - (len(arms) - 1) / 2)
        _points(ax, x, rows, READERS[reader], **_LINES[kind])
    return style.percent(here.loc["frequency"].loc[tests, "value"])


def _level(level: float) -> str:
    """A level as the axis prints it: small powers of ten as such."""
    if 0 < level < 0.1:
        return f"$10^{{{round(np.log10(level))}}}$"
    return f"{level:g}"


def _points(ax: Axes, x: np.ndarray | pd.Series, rows: pd.DataFrame, named: Named, **line: Any) -> None:
    """Scores of ``rows`` at ``x`` (n,), in per cent, with their intervals, joined by a line."""
    value, low, high = (style.percent(rows[column]) for column in ("value", "low", "high"))
    ends = np.clip([value - low, high - value], 0, None)
    marks = {"marker": "o", "ms": 2.8, "mew": 0.7, "lw": 0.9, "elinewidth": 0.7}
    ax.errorbar(x, value, ends, color=named.colour, **(marks | line))


def _sampling(ax: Axes, table: pd.DataFrame) -> None:
    """Scores by the points of a pattern, each number of them at a place of its own; other ranges beside them."""
    table = table[table["stem"] == "degrees"].set_index("arm").sort_values("n_points")
    other = table[table.index.isin(_RANGES)]
    points = sorted(set(table["n_points"].drop(other.index)))
    for i, (width, named) in enumerate(SAMPLINGS.items()):
        own = table[table.index.str.startswith(f"{width}_")]
        for rows, line, aside in ((own[own["in_bin"] == 1], {}, 0.0), (own[own["in_bin"] > 1], _BINS, 0.16)):
            _points(ax, rows["n_points"].map(points.index) + 0.06 * (2 * i - 1) + aside, rows, named, **line)
    _points(ax, len(points) + 0.3 + np.arange(len(other)), other, Named("", style.GREY), **_OTHER)
    names = [*map(str, points), *(f"to\n{last:g}°" for last in other["last"])]
    ax.set_xticks([*range(len(points)), *(len(points) + 0.3 + np.arange(len(other)))], names)
    ax.set(xlabel="points of a pattern, to 90°", ylabel="extinction group, top-1 (%)")


def _mark(colour: str, label: str, **line: Any) -> Line2D:
    return Line2D([], [], **({"color": colour, "label": label, "marker": "o", "ms": 2.8, "mew": 0.7, "lw": 0.9} | line))


def _legends(fig: Figure) -> None:
    """One legend for panels a and b, in which colours are networks and lines what they were trained on; one for c."""
    handles = [_mark(named.colour, named.label, ls="none") for named in READERS.values()]
    handles += [_mark(style.BLACK, text, **_LINES[kind]) for kind, text in TRAINED_ON.items()]
    handles.append(Line2D([], [], color=style.GREY, lw=0.9, ls=":", label="class frequencies"))
    fig.legend(handles=handles, loc="outside upper left", ncols=4, **_CLOSE)
    handles = [_mark(named.colour, named.label) for named in SAMPLINGS.values()]
    handles += [_mark(style.BLACK, "bins, not points", **_BINS), _mark(style.GREY, "other ranges", **_OTHER)]
    fig.legend(handles=handles, loc="outside upper right", ncols=2, **_CLOSE)

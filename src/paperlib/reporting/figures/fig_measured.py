"""Measured patterns: scores by what was trained on, what an imperfection of the simulation is worth, and refusals."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import LEFT_OUT, MEASURED

STEM = "13_measured"
NEEDS = (STEM,)
_SCHEME = "published"
_TESTS = {"measured": (style.VERMILION, "measured"), "simulated": (style.BLUE, "simulated")}


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: top-1 and top-5 on measured patterns; b: change of top-1 where a training was without an imperfection;
    c: score of the answers that are given where the least sure are refused."""
    scores = results.table(STEM, "scores")
    fig = style.figure("double", 2.9)
    axes = fig.subplots(1, 3, width_ratios=(1.15, 1, 0.9))
    _scores(axes[0], scores)
    _left_out(axes[1], results.table(STEM, "effects").set_index("effect"))
    _refused(axes[2], results.table(STEM, "risk"))
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
    fig.legend(handles=_signs(), loc="outside upper right", ncols=4, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(scores[scores["test"] == "measured"]["n"].max()))
    return fig


def _signs() -> list[Line2D]:
    look = {"ls": "", "marker": "o", "ms": 3.4, "mew": 0.8}
    signs = [Line2D([], [], color=style.GREY, label="a: top-1", **look)]
    signs.append(Line2D([], [], color=style.GREY, mfc="white", label="top-5", **look))
    return signs + [Line2D([], [], color=colour, label=f"b, c: {name}", **look) for colour, name in _TESTS.values()]


def _scores(ax: Axes, scores: pd.DataFrame) -> None:
    whole = scores[(scores["test"] == "measured") & (scores["space"] == _SCHEME) & (scores["split"] == -1)]
    rows = whole.pivot(index="arm", columns="k", values=["value", "low", "high"])
    arms = [arm for arm in MEASURED if arm in rows.index]
    for y, arm in enumerate(arms):
        colour = MEASURED[arm].colour
        for k, face in ((1, colour), (5, "white")):
            value, low, high = (float(style.percent(rows.loc[arm, (name, k)])) for name in ("value", "low", "high"))
            ax.plot([low, high], [y, y], color=colour, lw=1)
            ax.plot(value, y, "o", ms=4, mew=0.9, color=colour, mfc=face)
    ax.set_yticks(range(len(arms)), [MEASURED[arm].label for arm in arms], size=6.5)
    ax.invert_yaxis()
    ax.set(xlabel="extinction group of\nmeasured patterns (%)", xlim=(0, None))


def _left_out(ax: Axes, effects: pd.DataFrame) -> None:
    keys = [key for key in LEFT_OUT if f"without_{key}_measured" in effects.index]
    for test, shift in (("measured", -0.13), ("simulated", 0.13)):
        colour = _TESTS[test][0]
        for y, key in enumerate(keys):
            row = effects.loc[f"without_{key}_{test}"]
            value, low, high = (float(style.percent(row[name])) for name in ("value", "low", "high"))
            ax.plot([low, high], [y + shift, y + shift], color=colour, lw=1)
            ax.plot(value, y + shift, "o", ms=3.4, color=colour)
    ax.axvline(0, color=style.GREY, lw=0.8)
    ax.set_yticks(range(len(keys)), [f"no {LEFT_OUT[key]}" for key in keys], size=6.5)
    ax.invert_yaxis()
    ax.set(xlabel="change of top-1 (points)")


def _refused(ax: Axes, risk: pd.DataFrame) -> None:
    for test, (colour, _) in _TESTS.items():
        rows = risk[(risk["test"] == test) & (risk["kind"] == "tempered")].sort_values("coverage")
        ax.plot(100 * rows["coverage"], style.percent(rows["right"]), "o-", ms=3, lw=1, color=colour)
    ax.set(xlabel="answers given (%)", ylabel="right among them (%)", ylim=(0, 100), xlim=(0, 103))

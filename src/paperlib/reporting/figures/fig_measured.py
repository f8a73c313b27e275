"""Measured patterns: scores by what was trained on, what another simulation is worth, and refusals."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import INSTEAD, LEFT_OUT, MEASURED, Named
from paperlib.reporting.scores import whole_arms

STEM = "13_measured"
NEEDS = (STEM,)
_SCHEME = "published"
_TESTS = {"measured": (style.VERMILION, "measured"), "simulated": (style.BLUE, "simulated")}
_TUNED = {"measured_tuned": (style.VERMILION, "measured"), "simulated_tuned": (style.BLUE, "simulated")}
_STEPS = {
    "both_worlds_together_frequencies": Named("… nine trainings, frequencies", style.BLUE),
    "fine_tuned_all_frequencies": Named("… shifts, seeds, frequencies", style.VERMILION),
}
"""Steps at test time, each below the row of its arm."""


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: top-1 and top-5 on measured patterns; b: change of top-1 with another training on simulated patterns;
    c: where a training was without an imperfection; d: score of the answers that are given where the least sure are
    refused."""
    scores, steps = (whole_arms(results.table(STEM, name)) for name in ("scores", "steps"))
    effects = results.table(STEM, "effects").set_index("effect")
    fig = style.figure("double", 4.4)
    axes = fig.subplots(2, 2, width_ratios=(1.15, 1)).flat
    _scores(axes[0], scores, steps)
    _changes(axes[1], effects, {f"{key}_instead": name for key, name in INSTEAD.items()})
    _changes(axes[2], effects, {f"without_{key}": f"no {name}" for key, name in LEFT_OUT.items()})
    _refused(axes[3], results.table(STEM, "risk"))
    for ax, text in zip(axes, "abcd", strict=True):
        style.letter(ax, text)
    fig.legend(handles=_signs(), loc="outside upper right", ncols=6, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(scores[scores["test"] == "measured"]["n"].max()))
    return fig


def _signs() -> list[Line2D]:
    look = {"ls": "", "marker": "o", "ms": 3.4, "mew": 0.8}
    signs = [Line2D([], [], color=style.GREY, label="a: top-1", **look)]
    signs.append(Line2D([], [], color=style.GREY, mfc="white", label="top-5", **look))
    signs += [Line2D([], [], color=colour, label=f"b–d: {name}", **look) for colour, name in _TESTS.values()]
    return [*signs, *(Line2D([], [], color=style.GREY, ls=ls, label=f"d: {name}") for ls, name in _LINES.items())]


_LINES = {"-": "not fine-tuned", "--": "fine-tuned"}


def _scores(ax: Axes, scores: pd.DataFrame, steps: pd.DataFrame) -> None:
    of_measured = pd.concat([scores[scores["test"] == "measured"], steps])
    rows = of_measured[of_measured["space"] == _SCHEME].pivot(index="arm", columns="k", values=["value", "low", "high"])
    names: dict[str, Named] = {}
    for arm, name in MEASURED.items():
        names |= {key: named for key, named in {arm: name, **_STEPS}.items() if key.startswith(arm)}
    names = {arm: name for arm, name in names.items() if arm in rows.index}
    for y, (arm, name) in enumerate(names.items()):
        for k, face in ((1, name.colour), (5, "white")):
            value, low, high = (float(style.percent(rows.loc[arm, (column, k)])) for column in ("value", "low", "high"))
            ax.plot([low, high], [y, y], color=name.colour, lw=1)
            ax.plot(value, y, "o", ms=4, mew=0.9, color=name.colour, mfc=face)
    ax.set_yticks(range(len(names)), [name.label for name in names.values()], size=6.5)
    ax.invert_yaxis()
    ax.set(xlabel="extinction group of measured patterns (%)", xlim=(0, None))


def _changes(ax: Axes, effects: pd.DataFrame, names: Mapping[str, str]) -> None:
    keys = [key for key in names if f"{key}_measured" in effects.index]
    for test, shift in (("measured", -0.13), ("simulated", 0.13)):
        colour = _TESTS[test][0]
        for y, key in enumerate(keys):
            row = effects.loc[f"{key}_{test}"]
            value, low, high = (float(style.percent(row[column])) for column in ("value", "low", "high"))
            ax.plot([low, high], [y + shift, y + shift], color=colour, lw=1)
            ax.plot(value, y + shift, "o", ms=3.4, color=colour)
    ax.axvline(0, color=style.GREY, lw=0.8)
    ax.set_yticks(range(len(keys)), [names[key] for key in keys], size=6.5)
    ax.invert_yaxis()
    ax.set(xlabel="change of top-1 (points)")


def _refused(ax: Axes, risk: pd.DataFrame) -> None:
    for of_network, ls in zip((_TESTS, _TUNED), _LINES, strict=True):
        for test, (colour, _) in of_network.items():
            rows = risk[(risk["test"] == test) & (risk["kind"] == "tempered")].sort_values("coverage")
            ax.plot(100 * rows["coverage"], style.percent(rows["right"]), ls, marker="o", ms=3, lw=1, color=colour)
    ax.set(xlabel="answers given (%)", ylabel="right among them (%)", ylim=(0, 100), xlim=(0, 103))

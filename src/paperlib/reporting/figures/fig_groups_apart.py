"""By what the groups of one extinction class are told apart: scores within the class when one thing after the other is
taken from the patterns, and what that costs the class itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import CONTROLS, WITHIN, Named
from paperlib.reporting.symbols import extinction_symbol

STEM = "17_groups_apart"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test crystals, in groups of equal composition and space group, and trainings; small "
    "dots: single trainings. Broken lines: the commonest group of the class, no pattern read."
)
_BINS = {0: "none", 1: "1–2", 2: "3–9", 3: "10 or more"}
_OF_TYPES = ("test", "permuted", "scaled_1100", "all", "commonest")
_OF_CLASSES = ("test", "permuted", "scaled_1100", "commonest")
_N_CLASSES = 12
_DASHES = (0, (3, 2))
_COLUMNS = ("value", "low", "high")


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: scores under each control, within the class and of the class; b: against the factor that edges of the
    cell are multiplied by; c: by the number of training crystals of the structure type; d: by class."""
    table, parts = results.table(STEM, "controls"), results.table(STEM, "parts")
    whole = table[table["split"] == -1].set_index(["score", "control"])
    fig = style.figure("double", 5.4)
    (first, second), (third, fourth) = fig.subplots(2, 2, width_ratios=(1.15, 1))
    _controls(first, whole, table[table["split"] != -1])
    _sizes(second, whole)
    _types(third, parts[parts["by"] == "type"])
    _classes(fourth, parts[parts["by"] == "class"])
    for ax, text in zip((first, second, third, fourth), "abcd", strict=True):
        style.letter(ax, text)
        ax.set_axisbelow(True)
    for ax in (first, second, third):
        ax.grid(axis="y", color="0.9", lw=0.5)
    fig.legend(*first.get_legend_handles_labels(), loc="outside upper center", ncols=4, columnspacing=1.2)
    style.stamp(fig, results, STEM, int(whole["n"].max()))
    return fig


def _controls(ax: Axes, whole: pd.DataFrame, single: pd.DataFrame) -> None:
    shown = [name for name in CONTROLS if name != "commonest" and ("direct", name) in whole.index]
    places = {control: place for place, control in enumerate(shown)}
    for i, (score, named) in enumerate(WITHIN.items()):
        x = np.arange(len(shown)) + 0.2 * (i - 1)
        _points(ax, x, whole.loc[score].loc[shown], named, label=named.label)
        dots = single[(single["score"] == score) & single["control"].isin(places)]
        aside = dots["control"].map(places) + 0.2 * (i - 1) + 0.07
        ax.plot(aside, style.percent(dots["value"]), ".", ms=2.4, color=named.colour)
    guess = float(style.percent(whole.loc["in_class", "commonest"]["value"]))
    ax.axhline(guess, color=CONTROLS["commonest"].colour, ls=_DASHES, lw=0.9, label=CONTROLS["commonest"].label)
    ax.set_xticks(range(len(shown)), [CONTROLS[control].label.replace(" ", "\n") for control in shown], size=6)
    ax.set(ylabel="right first (%)", xlim=(-0.5, len(shown) - 0.5), ylim=_range(whole))


def _sizes(ax: Axes, whole: pd.DataFrame) -> None:
    controls = [name for name in whole.loc["in_class"].index if name.startswith("scaled_")]
    factors = {name: int(name.removeprefix("scaled_")) / 1000 for name in controls} | {"test": 1.0}
    order = sorted(factors, key=lambda name: factors[name])
    for score, named in WITHIN.items():
        x = np.array([factors[name] for name in order])
        _points(ax, x, whole.loc[score].loc[order], named, ls="-", lw=0.8)
    guess = float(style.percent(whole.loc["in_class", "commonest"]["value"]))
    ax.axhline(guess, color=CONTROLS["commonest"].colour, ls=_DASHES, lw=0.9)
    ax.set_xticks([factors[name] for name in order], [f"{factors[name]:g}" for name in order])
    ax.set(xlabel="factor of all edges of the cell", ylabel="right first (%)", ylim=_range(whole))


def _types(ax: Axes, parts: pd.DataFrame) -> None:
    parts = parts[parts["score"].isin(_OF_TYPES)].assign(kind=parts["kind"].astype(int))
    n = parts[parts["score"] == "test"].set_index("kind")["n"]
    bins = [kind for kind in _BINS if kind in n.index]
    for i, score in enumerate(_OF_TYPES):
        rows = parts[parts["score"] == score].set_index("kind").loc[bins]
        named = CONTROLS[score]
        _points(ax, np.arange(len(bins)) + 0.13 * (i - 2), rows, named, label=named.label)
    ax.set_xticks(range(len(bins)), [f"{_BINS[kind]}\n(n = {n[kind]})" for kind in bins], size=6)
    ax.set(xlabel="training crystals of the structure type", ylabel="group right, class known (%)", ylim=_range(parts))
    ax.legend(loc="upper left", frameon=False, fontsize=6)


def _classes(ax: Axes, parts: pd.DataFrame) -> None:
    rows = parts.set_index(["kind", "score"])
    n = parts[parts["score"] == "test"].sort_values("n", ascending=False).set_index("kind")["n"].head(_N_CLASSES)
    places = np.arange(len(n))
    for score in _OF_CLASSES:
        named = CONTROLS[score]
        value, low, high = (style.percent(rows.loc[[(kind, score) for kind in n.index], c]) for c in _COLUMNS)
        if score == "test":
            ax.hlines(places, low, high, color=named.colour, lw=0.8)
        mark = {"marker": "|", "ms": 7, "mew": 1.2} if score == "commonest" else {"marker": "o", "ms": 3.2, "mew": 0}
        ax.plot(value, places, ls="none", color=named.colour, **mark)
    names = [f"{extinction_symbol(kind)} ({count})" for kind, count in n.items()]
    ax.set_yticks(places, names, size=6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.9", lw=0.5)
    ax.set(xlabel="group right, class known (%)", xlim=(0, 102), ylim=(len(n) - 0.5, -0.5))


def _range(rows: pd.DataFrame) -> tuple[float, float]:
    """What an axis of scores has to hold: up to 100 %, down to the ten below the lowest end."""
    lowest = float(style.percent(rows["low"].min()))
    return max(0.0, 10 * np.floor(lowest / 10)), 100.0


def _points(ax: Axes, x: np.ndarray, rows: pd.DataFrame, named: Named, **more: Any) -> None:
    value, low, high = (style.percent(rows[column]) for column in _COLUMNS)
    ends = np.clip([value - low, high - value], 0, None)
    look = {"color": named.colour, "marker": "o", "ms": 3, "elinewidth": 0.8, "ls": "none"} | more
    ax.errorbar(x, value, ends, **look)

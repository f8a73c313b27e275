"""What each reflection says for or against its class, in sections of reciprocal space as precession photographs
show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from paperlib.lab.results import MissingResultError, Results
from paperlib.reporting import style
from paperlib.reporting.symbols import extinction_symbol, space_group_symbol
from paperlib.symmetry.groups import crystal_family, is_absent
from paperlib.symmetry.reflection_families import representatives

STEM = "16_maps"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Filled circles: reflections that the class allows, taken away; their size is the mean intensity. Rings: "
    "reflections that it forbids, put in. Red speaks for the class, blue against it. Grey: too few crystals, or "
    "nothing to be seen."
)
STORY = (
    "P - - - (cubic)", "I - - - (cubic)", "F - - - (cubic)", "F d - -",
    "R - - (hexagonal)", "P n a -", "P 1 21/c 1", "P 21 21 21",
)  # fmt: skip
"""The classes of the page: without conditions; centrings; the d glide, a centring with a glide of its own; a
rhombohedral centring; n and a glides; a c glide with a screw axis; screw axes alone."""

SHOWN = {
    "experiment": ("deletion", "insertion"),
    "gradients": ("ig_zero", "ig_filled"),
    "background": ("ig_background", "ig_filled"),
    "off the lattice": ("deletion", "moved"),
}
"""What can be drawn: the effects of allowed and of forbidden reflections."""

SECTIONS = {
    "hk0": ((1, 0, 0), (0, 1, 0)),
    "h0l": ((1, 0, 0), (0, 0, 1)),
    "0kl": ((0, 1, 0), (0, 0, 1)),
    "hhl": ((1, 1, 0), (0, 0, 1)),
}
"""The sections, by the reflections one step to the right and one step up."""

_FEW, _TICKS = "fewest", (-10, -1, -0.1, 0, 0.1, 1, 10)
_NORM = SymLogNorm(linthresh=0.1, linscale=0.6, vmin=-10, vmax=10, base=10)
_RING = 15.0
_DOT = 1.6


@dataclass(frozen=True, eq=False)
class _Map:
    """One class or space group: its families by their indices, and what is said of it."""

    rows: dict[tuple[int, int, int], dict[str, Any]]
    space_group: int
    title: str
    crystals: int
    highest: int
    fewest: int


@style.look()
def draw(results: Results) -> Figure:
    """Eight classes, those of :data:`STORY` that occur and others in their place, each in four sections."""
    labels = results.table(STEM, "class_labels").sort_values("crystals", ascending=False, kind="stable")
    story = [symbol for symbol in STORY if symbol in set(labels["symbol"])]
    story += [symbol for symbol in labels["symbol"] if symbol not in story][: len(STORY) - len(story)]
    lines = -(-len(story) // 2)
    fig = style.figure("double", 0.75 + 1.28 * lines)
    parts = np.atleast_2d(fig.subfigures(lines, 2, squeeze=False))
    for place, symbol in enumerate(story):
        _sections(parts[divmod(place, 2)], _map(results, symbol), SHOWN["experiment"], "")
    _key(fig)
    style.stamp(fig, results, STEM, int(labels["crystals"].sum()))
    return fig


@style.look()
def draw_class(results: Results, symbol: str | int, shown: str = "experiment", random: bool = False) -> Figure:
    """The four sections of one class (its extinction symbol, as :func:`paperlib.symmetry.extinction.class_symbols`
    has it), or of one space group (its short symbol or its number): what ``shown`` of :data:`SHOWN` says, of the
    trained network or of one with ``random`` weights. Raises MissingResultError for a class or group without a map
    and KeyError for another ``shown``."""
    fig = style.figure("double", 2.6)
    _sections(fig.subfigures(1, 1), _map(results, symbol), SHOWN[shown], "_random" if random else "")
    _key(fig)
    style.stamp(fig, results, STEM, _map(results, symbol).crystals)
    return fig


def _map(results: Results, symbol: str | int) -> _Map:
    for key, printed in (("class", extinction_symbol), ("group", space_group_symbol)):
        labels = results.table(STEM, f"{key}_labels")
        found = labels["symbol"] == symbol
        if key == "group" and not isinstance(symbol, str):
            found = labels["space_group"] == symbol
        if not found.any():
            continue
        (one,) = labels[found].to_dict("records")
        arrays = results.arrays(STEM, f"{key}_maps")
        own = arrays["label"] == one["label"]
        columns = pd.DataFrame({name: values[own] for name, values in arrays.items() if values.ndim == 1})
        rows = dict(zip(map(tuple, arrays["hkl"][own].tolist()), columns.to_dict("records"), strict=True))
        title = printed(str(one["symbol"])) + (f" ({one['space_group']})" if key == "group" else "")
        limits = (int(results.value(f"{STEM}/{name}").value) for name in ("highest", _FEW))
        return _Map(rows, int(one["space_group"]), title, int(one["crystals"]), *limits)
    raise MissingResultError(f"there is no map of {symbol!r}: no test pattern is of it, or it is no symbol of a class")


def _sections(part: SubFigure, of: _Map, effects: tuple[str, str], ending: str) -> None:
    part.suptitle(f"{of.title}, {of.crystals} crystals", size=7)
    for ax, (name, steps) in zip(part.subplots(1, len(SECTIONS)), SECTIONS.items(), strict=True):
        _section(ax, of, steps, effects, ending)
        ax.set_title(f"${name}$", size=6.5, pad=1)


def _section(ax: Axes, of: _Map, steps: tuple[tuple[int, ...], ...], effects: tuple[str, str], ending: str) -> None:
    """One section; in the plane of the two equal axes of a hexagonal lattice these stand 60° apart."""
    oblique = crystal_family(of.space_group) == "hexagonal" and steps == SECTIONS["hk0"]
    across, up = (a.ravel() for a in np.meshgrid(*[np.arange(-of.highest, of.highest + 1)] * 2))
    inside = np.abs(across + up) <= of.highest if oblique else np.ones(len(across), dtype=bool)
    inside &= (across != 0) | (up != 0)
    across, up = across[inside], up[inside]
    hkl = np.array([across, up]).T @ np.array(steps)
    x, y = (across + up / 2, up * np.sqrt(3) / 2) if oblique else (across, up)
    rows = [of.rows.get(tuple(name)) for name in representatives(of.space_group, hkl).tolist()]
    forbidden = is_absent(of.space_group, hkl)
    drawn: dict[str, list[tuple[float, ...]]] = {"circle": [], "ring": [], "dot": [], "thin": []}
    for i, row in enumerate(rows):
        known = row is not None and bool(row["allowed"]) != forbidden[i]
        value = row[f"{effects[int(forbidden[i])]}{ending}"] if row is not None and known else np.nan
        enough = row is not None and row["n_ig" if effects[int(forbidden[i])].startswith("ig") else "n"] >= of.fewest
        shape = ("ring" if forbidden[i] else "circle") if enough and np.isfinite(value) else None
        shape = shape or ("thin" if forbidden[i] else "dot")
        drawn[shape].append((x[i], y[i], value, 0.0 if row is None else row["height"]))
    _draw(ax, {shape: np.array(points).reshape(-1, 4).T for shape, points in drawn.items()})
    ax.plot(0, 0, marker="+", ms=3, mew=0.5, color=style.BLACK)
    ax.set(aspect="equal", xlim=(-of.highest - 0.6, of.highest + 0.6), ylim=(-of.highest - 0.6, of.highest + 0.6))
    ax.axis("off")


def _draw(ax: Axes, points: dict[str, np.ndarray]) -> None:
    colours = colormaps[style.SIGNED]
    x, y, value, height = points["circle"]
    ax.scatter(x, y, s=3 + 22 * np.sqrt(height), c=value, cmap=colours, norm=_NORM, lw=0.25, edgecolors=style.GREY)
    x, y, value, _ = points["ring"]
    ax.scatter(x, y, s=_RING, facecolors="none", edgecolors=colours(_NORM(value)), lw=1.3)
    x, y, *_ = points["dot"]
    ax.scatter(x, y, s=_DOT, color="0.7", lw=0)
    x, y, *_ = points["thin"]
    ax.scatter(x, y, s=_DOT * 2, facecolors="none", edgecolors="0.7", lw=0.35)


def _key(fig: Figure) -> None:
    shades = ScalarMappable(_NORM, style.SIGNED)
    bar = fig.colorbar(shades, ax=None, cax=fig.add_axes((0.62, 0.05, 0.3, 0.015)), orientation="horizontal")
    bar.set_ticks(_TICKS, labels=[f"{tick:g}".replace("-", "\u2212") for tick in _TICKS])
    bar.set_label("log-odds against and for the class")
    plain = {"color": style.BLACK, "ls": ""}
    handles = [
        Line2D([], [], marker="o", ms=4, label="allowed, taken away", **plain),
        Line2D([], [], marker="o", ms=4, mfc="none", mew=1.1, label="forbidden, put in", **plain),
        Line2D([], [], marker="o", ms=1.5, color="0.6", ls="", label="too few crystals, or not seen"),
    ]
    fig.legend(handles=handles, loc="outside lower left", ncols=3, columnspacing=1.0, handletextpad=0.2)

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
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from paperlib.lab.results import MissingResultError, Results
from paperlib.reporting import style
from paperlib.reporting.symbols import extinction_symbol, space_group_symbol
from paperlib.symmetry.groups import crystal_family, is_absent
from paperlib.symmetry.reflection_families import representatives

STEM = "16_maps"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Filled circles: reflections that the class allows, taken away; their size is the mean intensity. Rings: "
    "reflections that it forbids, put in. Red speaks for the class, blue against it, white neither: the mean is "
    "within two standard errors of nothing. Small and grey: too few crystals, or not seen."
)
STORY = (
    "P - - - (cubic)", "I - - - (cubic)", "F - - - (cubic)", "F d - -",
    "R - -", "P n a -", "P 1 21/c 1", "P 21 21 21",
)  # fmt: skip
"""The classes of the page: without conditions; centrings; the d glide, a centring with a glide of its own; a
rhombohedral centring; n and a glides; a c glide with a screw axis; screw axes alone."""

EFFECTS = {
    "deletion": "allowed, taken away",
    "insertion": "forbidden, put in",
    "moved": "put in beside the lattice",
    "ig_zero": "allowed, IG from nothing",
    "ig_background": "allowed, IG from a flat level",
    "ig_filled": "forbidden, IG from all filled in",
}
"""Effects of reflections, as the key has them."""

SHOWN = {
    "experiment": ("deletion", "insertion"),
    "gradients": ("ig_zero", "ig_filled"),
    "background": ("ig_background", "ig_filled"),
    "beside": ("deletion", "moved"),
}
"""What can be drawn: the effects of allowed and of forbidden reflections."""

SECTIONS = {
    "hk0": ((1, 0, 0), (0, 1, 0)),
    "h0l": ((1, 0, 0), (0, 0, 1)),
    "0kl": ((0, 1, 0), (0, 0, 1)),
    "hhl": ((1, 1, 0), (0, 0, 1)),
}
"""The sections, by the reflections one step to the right and one step up."""

_TICKS = (-10, -1, -0.1, 0, 0.1, 1, 10)
_NORM = SymLogNorm(linthresh=0.1, linscale=0.6, vmin=-10, vmax=10, base=10)
_PANEL, _SMALL = 0.875, 0.875
"""Width of a section with the space beside it, and that at which marks have their sizes, in inches."""
_SURE = 2.0
"""Standard errors within which a mean is drawn as nothing."""
_TITLE, _NAME, _KEY, _GUTTER = 0.2, 0.16, 0.62, 0.2


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
    row = _TITLE + _PANEL + _NAME
    fig = _empty(results, -(-len(story) // 2) * row + _KEY, int(labels["crystals"].sum()), "experiment")
    for place, symbol in enumerate(story):
        down, right = divmod(place, 2)
        corner = right * (len(SECTIONS) * _PANEL + _GUTTER), fig.get_figheight() - (down + 1) * row
        _sections(fig, corner, _PANEL, _map(results, symbol), "experiment", "")
    return fig


@style.look()
def draw_class(results: Results, symbol: str | int, shown: str = "experiment", random: bool = False) -> Figure:
    """The four sections of one class (its extinction symbol, as :func:`paperlib.symmetry.extinction.class_symbols` has
    it), or of one space group (its short symbol or its number): what ``shown`` of :data:`SHOWN` says, of the trained
    network or of one with ``random`` weights. Raises MissingResultError for a class or group without a map and KeyError
    for another ``shown``."""
    of, panel = _map(results, symbol), style.WIDTHS["double"] / len(SECTIONS)
    fig = _empty(results, _TITLE + panel + _NAME + _KEY, of.crystals, shown)
    _sections(fig, (0.0, _KEY), panel, of, shown, "_random" if random else "")
    return fig


def _empty(results: Results, height: float, n: int, shown: str) -> Figure:
    """A figure with its key at the bottom, whose axes are put where they go: a layout is not searched for."""
    fig = style.figure("double", height)
    style.stamp(fig, results, STEM, n)
    fig.set_layout_engine("none")
    bar = fig.add_axes((4.7 / fig.get_figwidth(), 0.44 / height, 2.2 / fig.get_figwidth(), 0.08 / height))
    fig.colorbar(ScalarMappable(_NORM, style.SIGNED), cax=bar, orientation="horizontal")
    bar.set_xticks(_TICKS, [f"{tick:g}".replace("-", "\u2212") for tick in _TICKS])
    bar.set_xlabel("log-odds of the class", labelpad=1)
    bar.xaxis.set_minor_locator(NullLocator())
    plain: dict[str, Any] = {"color": style.BLACK, "ls": "", "marker": "o"}
    handles = [
        Line2D([], [], ms=4, label=EFFECTS[SHOWN[shown][0]], **plain),
        Line2D([], [], ms=4, mfc="none", mew=1.1, label=EFFECTS[SHOWN[shown][1]], **plain),
        Line2D([], [], ms=1.5, label="too few, or not seen", **plain | {"color": "0.6"}),
    ]
    at = (0.01, 0.4 / height)
    fig.legend(handles=handles, loc="center left", bbox_to_anchor=at, ncols=3, columnspacing=1.0, handletextpad=0.2)
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
        limits = (int(results.value(f"{STEM}/{name}").value) for name in ("highest", "fewest"))
        return _Map(rows, int(one["space_group"]), title, int(one["crystals"]), *limits)
    raise MissingResultError(f"there is no map of {symbol!r}: no test pattern is of it, or it is no symbol of a class")


def _sections(fig: Figure, corner: tuple[float, float], panel: float, of: _Map, shown: str, ending: str) -> None:
    """The sections of one class, side by side, from the lower left ``corner`` (inches); a panel is ``panel`` wide."""
    size = np.array([fig.get_figwidth(), fig.get_figheight()])
    for i, (name, steps) in enumerate(SECTIONS.items()):
        low = np.array([corner[0] + (i + 0.02) * panel, corner[1] + _NAME])
        ax = fig.add_axes((*(low / size), *(0.96 * panel / size)))
        _section(ax, of, steps, SHOWN[shown], ending, panel / _SMALL)
        under = low + np.array([0.48 * panel, -0.02])
        fig.text(*(under / size), f"${name}$", ha="center", va="top", size=6.5)
    above = np.array([corner[0] + 0.1, corner[1] + _NAME + panel + 0.03])
    title = f"{of.title}, {of.crystals} crystal{'s' if of.crystals > 1 else ''}{', random weights' if ending else ''}"
    fig.text(*(above / size), title, va="bottom", size=7)


def _section(
    ax: Axes, of: _Map, steps: tuple[tuple[int, ...], ...], effects: tuple[str, str], ending: str, scale: float
) -> None:
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
        effect = effects[int(forbidden[i])]
        value = row[f"{effect}{ending}"] if row is not None and known else np.nan
        if row is not None and effect in ("deletion", "insertion") and not ending:
            value = value if abs(value) > _SURE * row["error"] else 0 * value
        enough = row is not None and row["n_ig" if effect.startswith("ig") else "n"] >= of.fewest
        shape = ("ring" if forbidden[i] else "circle") if enough and np.isfinite(value) else None
        shape = shape or ("thin" if forbidden[i] else "dot")
        drawn[shape].append((x[i], y[i], value, 0.0 if row is None else row["height"]))
    _draw(ax, {shape: np.array(points).reshape(-1, 4).T for shape, points in drawn.items()}, scale)
    ax.plot(0, 0, marker="+", ms=3 * scale, mew=0.5, color=style.BLACK)
    ax.set(aspect="equal", xlim=(-of.highest - 0.6, of.highest + 0.6), ylim=(-of.highest - 0.6, of.highest + 0.6))
    ax.axis("off")


def _draw(ax: Axes, points: dict[str, np.ndarray], scale: float) -> None:
    """Points by their shape, (4, p): place, effect and height; areas grow with the square of the ``scale``."""
    colours, area = colormaps[style.SIGNED], scale**2
    x, y, value, height = points["circle"]
    sizes = area * (3 + 22 * np.sqrt(height))
    ax.scatter(x, y, s=sizes, c=value, cmap=colours, norm=_NORM, lw=0.25 * scale, edgecolors=style.GREY)
    x, y, value, _ = points["ring"]
    ax.scatter(x, y, s=15 * area, facecolors="none", edgecolors="0.6", lw=1.5 * scale)
    ax.scatter(x, y, s=15 * area, facecolors="none", edgecolors=colours(_NORM(value)), lw=1.2 * scale)
    x, y, *_ = points["dot"]
    ax.scatter(x, y, s=1.6 * area, color="0.7", lw=0)
    x, y, *_ = points["thin"]
    ax.scatter(x, y, s=3.2 * area, facecolors="none", edgecolors="0.7", lw=0.35 * scale)

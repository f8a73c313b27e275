"""Marks that several figures share: stacked patterns, sticks, hkl labels, signed attributions, bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from paperlib.reporting import style
from paperlib.reporting.names import ARMS, RULES, Named
from paperlib.reporting.published import Published
from paperlib.reporting.symbols import hkl_symbol

TWO_THETA = "2θ (°)"


def chosen_lines(lines: pd.DataFrame, limit: int, separation: float) -> pd.DataFrame:
    """The strongest ``limit`` lines of which no two are closer than ``separation`` (degrees 2θ).

    ``lines`` has the columns ``two_theta`` and ``intensity``; the result is sorted by ``two_theta``.
    """
    kept: list[int] = []
    positions = lines["two_theta"].to_numpy()
    for index in np.argsort(-lines["intensity"].to_numpy(), kind="stable"):
        if all(abs(positions[index] - positions[other]) >= separation for other in kept):
            kept.append(int(index))
        if len(kept) == limit:
            break
    return lines.iloc[sorted(kept, key=lambda i: positions[i])]


def label_lines(
    ax: Axes,
    lines: pd.DataFrame,
    heights: np.ndarray,
    colour: str = style.BLACK,
    size: float = 6.0,
) -> None:
    """Write hkl upright above lines. ``lines`` has h, k, l, two_theta; ``heights`` are in data units."""
    for (_, line), height in zip(lines.iterrows(), heights, strict=True):
        ax.annotate(
            hkl_symbol(line["h"], line["k"], line["l"]),
            (line["two_theta"], height),
            xytext=(0, 1.5),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="bottom",
            size=size,
            color=colour,
        )


def height_at(two_theta: np.ndarray, pattern: np.ndarray, positions: np.ndarray, window: float = 0.3) -> np.ndarray:
    """Height of the pattern's maximum within ``window`` degrees of each position; (p,), (p,), (n,) -> (n,)."""
    near = np.abs(two_theta[None, :] - np.asarray(positions)[:, None]) <= window
    return np.where(near, pattern[None, :], 0.0).max(axis=1)


def signed_fill(
    ax: Axes, two_theta: np.ndarray, attribution: np.ndarray, base: float, scale: float, lw: float = 0.3
) -> None:
    """A signed curve about ``base`` as filled areas: red for the class, blue against it.

    The curve is scaled so that its largest absolute value is ``scale`` in data units; the outline, ``lw`` points
    wide, keeps an attribution visible that has but one point.
    """
    largest = np.abs(attribution).max()
    curve = attribution * (scale / largest if largest > 0 else 0.0)
    for sign, colour in ((1, style.POSITIVE), (-1, style.NEGATIVE)):
        height = np.clip(sign * curve, 0, None)
        # rasterised, since filled areas of a thousand points a panel would make the PDF heavy
        ax.fill_between(
            two_theta, base, base + sign * height, where=height > scale / 200, color=colour, lw=lw, rasterized=True
        )
    ax.axhline(base, color=style.GREY, lw=0.3, zorder=0)


def band(ax: Axes, two_theta: np.ndarray, values: np.ndarray, bottom: float, top: float) -> None:
    """Non-negative values (p,) as a strip of colour between two heights (data units)."""
    largest = values.max()
    ax.imshow(
        (values / largest if largest > 0 else values)[None, :],
        extent=(two_theta[0], two_theta[-1], bottom, top),
        aspect="auto",
        cmap=style.CAM,
        vmin=0,
        vmax=1,
        interpolation="bilinear",
        zorder=0,
    )


def bare(ax: Axes) -> None:
    """An axis without ticks and frame on the left: the height has an arbitrary unit."""
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def intervals(ax: Axes, rows: pd.DataFrame, x: pd.Series, joined: bool = False) -> None:
    """Scores of arms at ``x`` (n,), in per cent, with their intervals, labelled for a legend. ``rows`` (n) has the
    columns arm, value, low and high (NaN where there is no interval); ``joined`` draws lines between the points of an
    arm."""
    named = _named(rows, x, rows["value"])
    for name, colour in _palette(rows).items():
        # arm by arm: seaborn breaks the line of one arm at each place that only another has
        own = (named["arm"] == name).to_numpy()
        ends = pd.concat([_named(rows[own], x[own], rows[end][own]) for end in ("value", "low", "high")])
        seaborn.pointplot(
            ends.reset_index(drop=True), x="x", y="score", color=colour, label=name, native_scale=True,
            estimator=_estimate, errorbar=_ends, linestyle="-" if joined else "none", markersize=2.6,
            markeredgewidth=0, linewidth=0.9, capsize=0.08, err_kws={"linewidth": 0.9}, ax=ax,
        )  # fmt: skip
    ax.get_legend().remove()


def dots(ax: Axes, rows: pd.DataFrame, x: pd.Series) -> None:
    """Scores of single trainings at ``x`` (n,), in per cent, as small dots; ``rows`` (n) has columns arm and value."""
    seaborn.stripplot(
        _named(rows, x, rows["value"]), x="x", y="score", hue="arm", palette=_palette(rows), native_scale=True,
        jitter=False, size=2.2, ax=ax, legend=False,
    )  # fmt: skip


def curve(ax: Axes, rows: pd.DataFrame, named: Named, **line: Any) -> None:
    """Scores over ``items`` (n,), in per cent, with their intervals, labelled for a legend; ``rows`` (n) has the
    columns items, value, low and high. ``line`` changes how the line looks."""
    at, (value, low, high) = rows["items"].astype(float), (style.percent(rows[k]) for k in ("value", "low", "high"))
    look = {"marker": "o", "ms": 2.6, "mew": 0, "lw": 0.9, "color": named.colour, "label": named.label} | line
    ax.plot(at, value, **look)
    ax.vlines(at, low, high, color=look["color"], lw=0.7)


def rule_ticks(ax: Axes) -> None:
    """The rules along the vertical axis, the first on top, each name in the colour that its line has elsewhere."""
    ax.set_yticks(np.arange(len(RULES)), [rule.label for rule in RULES.values()])
    for text, rule in zip(ax.get_yticklabels(), RULES.values(), strict=True):
        text.set_color(rule.colour)
    ax.set_ylim(len(RULES) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


def ceiling_line(ax: Axes, height: float) -> None:
    """The ceiling, at ``height`` per cent, across an axis."""
    ax.axhline(height, color=ARMS["ceiling"].colour, ls=(0, (3, 2)), lw=0.8, label="ceiling")


def published(ax: Axes, of: Published, marker: str, error: bool = False) -> None:
    """The scores of others as open marks, or what they lack of 100 % with ``error``."""
    heights = 100 - np.array(of.top1) if error else of.top1
    label = f"{of.label}, theirs ({of.parameters / 1e6:.1f}M)"
    ax.plot(of.items, heights, ls="", marker=marker, ms=3.6, mfc="none", mec=style.BLACK, mew=0.6, label=label)


def _named(rows: pd.DataFrame, x: pd.Series, score: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"arm": rows["arm"].map(lambda arm: ARMS[arm].label), "x": x, "score": style.percent(score)})


def _palette(rows: pd.DataFrame) -> dict[str, str]:
    return {ARMS[arm].label: ARMS[arm].colour for arm in dict.fromkeys(rows["arm"])}


def _estimate(rows: pd.Series) -> float:
    """Of the value and its ends, which seaborn takes for a sample, the value."""
    return rows.iloc[0]


def _ends(rows: pd.Series) -> tuple[float, float]:
    return (rows.iloc[1], rows.iloc[2]) if len(rows) == 3 else (np.nan, np.nan)

"""How far our lines and profiles lie from those of four independent programs, and one profile beside FullProf's."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style

STEM = "02_simulator"
NEEDS = (STEM,)
CAPTION_NOTE = "Deviations below 1e-14 are drawn at 1e-14."
_FLOOR = 1e-14

_ROWS = (
    ("pymatgen", "deviations", "", "position_deviation", "line positions (°)"),
    ("pymatgen", "deviations", "", "r_their_f0", "R of lines, its form factors"),
    ("pymatgen", "deviations", "", "r_ours", "R of lines, our form factors"),
    ("cctbx", "cctbx", "", "d_deviation", "spacings (relative)"),
    ("cctbx", "cctbx", "", "xray_deviation", "Σ|F|², X-rays"),
    ("cctbx", "cctbx", "", "neutron_deviation", "Σ|F|², neutrons"),
    ("CrysFML", "crysfml", "xray", "correlation", "1 − correlation, X-rays"),
    ("CrysFML", "crysfml", "neutron", "correlation", "1 − correlation, neutrons"),
    ("FullProf", "fullprof", "neutron", "correlation", "1 − correlation, neutrons"),
)
"""Program, table of the results, radiation that is picked from it ("" for no choice), column, and what it measures."""

_COLOURS = {"pymatgen": style.VERMILION, "cctbx": style.BLUE, "CrysFML": style.GREEN, "FullProf": style.PURPLE}


@style.look()
def draw(results: Results) -> Figure:
    """Panels: a deviation of every structure from each program; b, where it was computed, FullProf's profile, ours
    and their difference."""
    outputs = results.manifest(STEM)["outputs"]
    with_profile = "fullprof.npz" in outputs
    rows = [row for row in _ROWS if f"{row[1]}.csv" in outputs]
    height = 0.45 + 0.2 * len(rows)
    fig = style.figure("double", height + (2.5 if with_profile else 0.15))
    if with_profile:
        # two subfigures, so that the long labels of the first do not narrow the second
        upper, lower = fig.subfigures(2, 1, height_ratios=(height, 2.5))
        ax, profile = upper.subplots(), lower.subplots()
        _profile(profile, results)
        style.letter(ax, "a")
        style.letter(profile, "b")
    else:
        ax = fig.subplots()
    _strip(ax, results, rows)
    style.stamp(fig, results, STEM, len(results.table(STEM, "deviations")))
    return fig


def _strip(ax: Axes, results: Results, rows: list[tuple[str, str, str, str, str]]) -> None:
    """One line of points per measure, a black mark at their median."""
    labels = []
    for place, (program, table, radiation, column, text) in enumerate(rows):
        values = _deviations(results.table(STEM, table), radiation, column)
        # a point's height is its place in the row of points, turned by the golden ratio: spread, and always the same
        spread = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.55
        ax.scatter(
            values,
            place + spread,
            s=4 if len(values) > 20 else 9,
            color=_COLOURS[program],
            alpha=0.6,
            lw=0,
            rasterized=True,
        )
        ax.vlines(np.median(values), place - 0.36, place + 0.36, color=style.BLACK, lw=1.2, zorder=3)
        labels.append(f"{program}: {text}  (n = {len(values)})")
    ax.set_yticks(range(len(rows)), labels)
    ax.set(xscale="log", ylim=(len(rows) - 0.4, -0.6), xlabel="deviation (line: median)", xlim=(_FLOOR / 2, 0.3))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", lw=0.3, color=style.GREY, alpha=0.4)


def _deviations(table: pd.DataFrame, radiation: str, column: str) -> np.ndarray:
    chosen = table[table["radiation"] == radiation] if radiation else table
    values = 1 - chosen[column] if column == "correlation" else chosen[column]
    return values.clip(lower=_FLOOR).to_numpy()


def _profile(ax: Axes, results: Results) -> None:
    """As a Rietveld plot: their points, our line, ticks at the reflections, the difference below."""
    arrays = results.arrays(STEM, "fullprof")
    two_theta, theirs, ours = (arrays[name] for name in ("two_theta", "theirs", "ours"))
    top = theirs.max()
    ax.scatter(
        two_theta, theirs / top, s=3, facecolor="none", edgecolor=style.VERMILION, lw=0.4, label="FullProf", zorder=2
    )
    ax.plot(two_theta, ours / top, color=style.BLACK, lw=0.5, label="paperlib", zorder=3)
    ax.vlines(arrays["ticks"], -0.1, -0.05, color=style.GREEN, lw=0.4, label="reflections")
    ax.plot(two_theta, (theirs - ours) / top - 0.2, color=style.BLUE, lw=0.5, label="difference")
    ax.legend(loc="upper left", ncols=4)
    ax.set_title("PbSO$_4$, neutrons", loc="right")
    ax.set(xlabel=marks.TWO_THETA, ylabel="intensity", xlim=(two_theta[0], two_theta[-1]), ylim=(-0.26, 1.15))
    marks.bare(ax)

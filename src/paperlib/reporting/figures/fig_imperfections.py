"""What each imperfection does to the pattern of corundum, and one pattern that has them all.

The windows of the panels are those of corundum's lines under Cu Kα.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import formula_symbol, space_group_symbol

STEM = "02_simulator"
NEEDS = (STEM,)
CAPTION_NOTE = "Grey: the pattern without the effect."
_UNITS = {"° 2θ": "°", "of the maximum": "", "of the volume": "", "March's r": "", "Δd / d": ""}
_FIRST, _SECOND = style.BLUE, style.VERMILION


@style.look()
def draw(results: Results) -> Figure:
    """Panels a to i: one effect or two that belong together; j: a draw of the preset "laboratory"."""
    curves = results.arrays(STEM, "imperfections")
    values = _values(results.table(STEM, "imperfections"))
    phases = results.table(STEM, "example")
    mineral, second = formula_symbol(str(phases["formula"][1])), formula_symbol(str(phases["formula"][0]))
    fig = style.figure("double", 7.6)
    panels = ("abc", "def", "ghi", "jjj")
    axes = fig.subplot_mosaic([list(row) for row in panels], height_ratios=(1, 1, 1, 1.5))

    doublet = {"ideal": "K$\\alpha_1$ and K$\\alpha_2$", "one_wavelength": "K$\\alpha_1$ alone"}
    _zoom(axes["a"], curves, (67.6, 68.8), doublet)
    axes["a"].set_title("doublet")
    shifts = {"zero_shift": f"zero shift {values['zero_shift']}", "displacement": f"{values['displacement']} too low"}
    _zoom(axes["b"], curves, (25.2, 25.9), shifts)
    axes["b"].set_title("zero shift, displacement")
    _zoom(axes["c"], curves, (34.3, 44.2), {"texture": f"r = {values['texture']} along 001"}, lw=0.5)
    axes["c"].set_title("texture")
    broad = {"crystallite_size": values["crystallite_size"], "microstrain": f"ε = {values['microstrain']}"}
    for name, window in (("d", (24.6, 26.6)), ("e", (75.6, 78.4))):
        _zoom(axes[name], curves, window, broad)
        axes[name].set_title(f"size, strain: {'low' if name == 'd' else 'high'} angle")
    heights = {"background": f"polynomial, mean {values['background']}", "hump": f"hump {values['hump']}"}
    _zoom(axes["f"], curves, (5, 90), heights, lw=0.6)
    axes["f"].set_title("background")
    _counts(axes["g"], curves, values)
    _zoom(axes["h"], curves, (26.2, 42.2), {"second_phase": ""})
    axes["h"].vlines(curves["second_lines"], -0.045, -0.015, color=_SECOND, lw=0.7)
    axes["h"].set(title=f"second phase: {values['second_phase']} {second} by volume", ylim=(-0.05, 0.28))
    _detector(axes["i"], curves, values)
    _everything(axes["j"], curves, results)
    symbol = space_group_symbol(str(phases["symbol"][1]))
    axes["j"].set_title(f"{mineral}, {symbol}: one draw of the preset", loc="right")
    for name, ax in axes.items():
        style.letter(ax, name)
    style.stamp(fig, results, STEM, 1)
    return fig


def _values(table: pd.DataFrame) -> dict[str, str]:
    """Each effect's own parameters as they are printed; those of effects with other names by both names."""
    texts = {}
    for row in table.itertuples():
        unit = _UNITS.get(row.unit, f" {row.unit}")
        text = f"{row.value:,g}{unit}"
        texts[row.parameter if row.parameter == row.effect else f"{row.effect}/{row.parameter}"] = text
    return texts


def _zoom(
    ax: Axes, curves: dict[str, np.ndarray], window: tuple[float, float], shown: dict[str, str], lw: float = 0.8
) -> None:
    """Curves with their labels (none where empty) inside a window of angles, over the ideal pattern in grey."""
    two_theta = curves["two_theta"]
    inside = (two_theta >= window[0]) & (two_theta <= window[1])
    if "ideal" not in shown:
        ax.fill_between(two_theta[inside], curves["ideal"][inside], color=style.GREY, alpha=0.45, lw=0)
    for (name, text), colour in zip(shown.items(), (_FIRST, _SECOND), strict=False):
        ax.plot(two_theta[inside], curves[name][inside], color=colour, lw=lw, label=text)
    top = max(curves[name][inside].max() for name in (*shown, "ideal"))
    ax.set(xlim=window, ylim=(0, top * (1.18 + 0.14 * len(shown))))
    if any(shown.values()):
        ax.legend(loc="upper left", borderaxespad=0.1)
    marks.bare(ax)


def _counts(ax: Axes, curves: dict[str, np.ndarray], values: dict[str, str]) -> None:
    """Counting noise on a square-root scale, where it is as wide at every height."""
    two_theta = curves["two_theta"]
    inside = (two_theta >= 58.5) & (two_theta <= 70)
    for name, colour, shift in (("low_counts", _FIRST, 0.85), ("high_counts", _SECOND, 0.0)):
        root = np.sqrt(curves[name][inside]) + shift
        ax.plot(two_theta[inside], root, color=colour, lw=0.5, label=values[f"{name}/counts"])
    ax.legend(loc="upper left", borderaxespad=0.1)
    ax.set(title="counts at the maximum", ylabel="√intensity", xlim=(58.5, 70), ylim=(0, 2.45))
    marks.bare(ax)


def _detector(ax: Axes, curves: dict[str, np.ndarray], values: dict[str, str]) -> None:
    """What the detector does not see is zero, shaded."""
    two_theta, seen = curves["two_theta"], curves["detector"]
    ax.plot(two_theta, curves["ideal"], color=style.GREY, lw=0.6)
    ax.plot(two_theta, seen, color=_FIRST, lw=0.6)
    ends = [float(values[f"detector/detector_{end}"].rstrip("°")) for end in ("start", "end")]
    for side in ((two_theta[0], ends[0]), (ends[1], two_theta[-1])):
        ax.axvspan(*side, color=style.GREY, alpha=0.2, lw=0)
    text = f"{ends[0]:g}–{ends[1]:g}° in steps of {values['detector/detector_step']}"
    ax.text(0.5, 0.97, text, transform=ax.transAxes, ha="center", va="top", size=6.5)
    ax.set(title="detector", xlim=(two_theta[0], two_theta[-1]), ylim=(0, 1.3))
    marks.bare(ax)


def _everything(ax: Axes, curves: dict[str, np.ndarray], results: Results) -> None:
    two_theta = curves["two_theta"]
    ax.plot(two_theta, curves["everything"], color=style.BLACK, lw=0.5)
    for name, low, colour in (("lines", -0.07, style.GREY), ("second_lines", -0.14, _SECOND)):
        ax.vlines(curves[name], low, low + 0.05, color=colour, lw=0.7)
    drawn = results.table(STEM, "drawn").set_index("parameter")["drawn"]
    text = (
        f"zero shift {drawn['zero_shift']:.3f}°, displacement {drawn['displacement']:.2f} mm, "
        f"r = {drawn['texture']:.2f}, {drawn['crystallite_size']:.0f} nm, ε = {drawn['microstrain']:.4f},\n"
        f"background {drawn['background']:.2f}, hump {drawn['hump']:.2f} at {drawn['hump_centre']:.0f}°, "
        f"second phase {drawn['second_phase']:.2f}, {drawn['counts']:,.0f} counts"
    ).replace("-", "−")
    ax.text(0.995, 0.98, text, transform=ax.transAxes, ha="right", va="top", size=6.5)
    ax.set(xlabel=marks.TWO_THETA, ylabel="intensity", xlim=(two_theta[0], two_theta[-1]))
    ax.set_ylim(-0.16, 1.3 * curves["everything"].max())
    marks.bare(ax)

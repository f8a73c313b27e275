"""What the network looks at, space group by space group: two strips for each."""

from __future__ import annotations

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import space_group_symbol
from paperlib.symmetry.groups import symbol

STEM = "12_interpretability"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "For each space group that occurs: above, the mean pattern (darker is stronger); below, mean "
    "integrated gradients, red for the class and blue against it; both as square roots, each row scaled to its "
    "own maximum."
)


@style.look()
def draw(results: Results) -> Figure:
    """Strips in up to three columns, ordered by space group number, with symbol and number of patterns."""
    maps = results.arrays(STEM, "maps")
    shown = [i for i, count in enumerate(maps["group_count"]) if count > 0]
    columns = 1 if len(shown) <= 30 else 2 if len(shown) <= 80 else 3
    per_column = math.ceil(len(shown) / columns)
    fig = style.figure("double", min(9.4, 0.7 + 0.13 * per_column))
    axes = fig.subplots(1, columns, squeeze=False)[0]
    two_theta = maps["two_theta"]
    for ax, start in zip(axes, range(0, columns * per_column, per_column), strict=True):
        part = shown[start : start + per_column]
        if not part:
            ax.remove()
            continue
        ax.imshow(
            _strips(maps["group_pattern"][part], maps["group_ig"][part]),
            extent=(two_theta[0], two_theta[-1], len(part), 0),
            aspect="auto",
            interpolation="nearest",
        )
        labels = [_label(int(maps["group_number"][i]), int(maps["group_count"][i])) for i in part]
        ax.set_yticks(np.arange(len(part)) + 0.5, labels, size=5.2)
        ax.tick_params(axis="y", length=0, pad=1.5)
        ax.set_ylim(per_column, 0)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(marks.TWO_THETA)
    style.stamp(fig, results, STEM, int(maps["group_count"].sum()))
    return fig


def _label(number: int, count: int) -> str:
    return f"{number} {space_group_symbol(symbol(number))} ({count})"


def _strips(patterns: np.ndarray, attributions: np.ndarray) -> np.ndarray:
    """(5 r, p, 3) colours: for each of r rows two lines of pattern, two of attribution, one left white."""
    n, p = patterns.shape
    image = np.ones((5 * n, p, 3))
    grey = 1 - 0.9 * np.sqrt(np.clip(patterns / _peak(patterns), 0, 1))
    relative = attributions / _peak(attributions)
    signed = colormaps[style.SIGNED](0.5 + 0.5 * np.sign(relative) * np.sqrt(np.abs(relative)))[..., :3]
    image[0::5] = image[1::5] = grey[..., None]
    image[2::5] = image[3::5] = signed
    return image


def _peak(rows: np.ndarray) -> np.ndarray:
    largest = np.abs(rows).max(axis=1, keepdims=True)
    return np.where(largest > 0, largest, 1.0)

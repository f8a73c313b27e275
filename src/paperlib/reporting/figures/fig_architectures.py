"""Which networks read extinction groups best, at equal numbers of parameters and patterns."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.names import NETWORKS, SIZES
from paperlib.reporting.published import RESNET, TRANSFORMER, VISION_TRANSFORMER

STEM = "11_architectures"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "Bars: 95 % intervals over test patterns and trainings; dashed: ceiling; open marks: scores that others have "
    "published, on reflection data of their own."
)
_RESNETS = (
    *("resnet", "resnet_batch", "resnet_fine", "resnet_local"),
    *("position_resnet_linear", "position_resnet", "position_resnet_coordinate"),
)
_RIVALS = ("position_resnet", "convnext", "transformer", "peaks_transformer", "deepsets", "mlp", "trees")


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: ResNets, from the published one to those that keep positions; b: other families; top-1 over the number
    of training patterns."""
    scores = results.table(STEM, "scores")
    scores = scores[(scores["k"] == 1) & (scores["seed"] == -1)]
    ceiling = float(style.percent(scores.loc[scores["arm"] == "ceiling", "value"].iloc[0]))
    curves = scores[(scores["size"] != "large") & (scores["rate"] == 0)]
    fig = style.figure("double", 3.4)
    left, right = fig.subplots(1, 2, sharex=True, sharey=True)
    _curves(left, curves, _RESNETS)
    _curves(right, curves, _RIVALS)
    best, named = scores[scores["size"] == "large"].iloc[0], NETWORKS["position_resnet"]
    look = {"ls": "", "marker": "*", "ms": 6, "mew": 0, "color": named.colour, "label": f"… {SIZES['large']}"}
    left.plot(best["items"], style.percent(best["value"]), **look)
    told, named = scores[scores["arm"] == "oracle"].iloc[0], NETWORKS["oracle"]
    right.axhline(float(style.percent(told["value"])), color=named.colour, lw=0.8, ls="-.", label=named.label)
    marks.published(left, RESNET, "o")
    marks.published(right, TRANSFORMER, "s")
    marks.published(right, VISION_TRANSFORMER, "D")
    for ax, text in ((left, "a"), (right, "b")):
        marks.ceiling_line(ax, ceiling)
        ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.17), ncols=2, columnspacing=1.0)
        style.letter(ax, text)
    left.set_ylabel("extinction group, top-1 (%)")
    style.stamp(fig, results, STEM, int(scores["n"].max()))
    return fig


def _curves(ax: Axes, scores: pd.DataFrame, families: tuple[str, ...]) -> None:
    for family in families:
        rows = scores[scores["family"] == family].sort_values("items")
        marks.curve(ax, rows, NETWORKS[family])
    ax.set(xlabel="training patterns, each seen once", xscale="log", ylim=(0, 103))
    ax.grid(axis="y", color="0.9", lw=0.5)
    ax.set_axisbelow(True)

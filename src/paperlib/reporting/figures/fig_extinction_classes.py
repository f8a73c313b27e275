"""How many space groups share one set of reflection conditions, and what that leaves to be known."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import SCHEMES

STEM = "01_extinction_groups"
NEEDS = (STEM,)
CAPTION_NOTE = (
    "The ceiling is the best top-k score of a model over 230 space groups, on data balanced over them, if "
    "only absences carried information."
)


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: classes by the number of space groups that they hold; b: the ceilings on top-1, 3 and 5."""
    sizes = {scheme: results.table(STEM, f"classes_{scheme}")["n_groups"].to_numpy() for scheme in SCHEMES}
    ceilings = results.table(STEM, "ceilings")
    fig = style.figure("double", 2.3)
    left, right = fig.subplots(1, 2, width_ratios=(1.7, 1))

    largest = max(int(size.max()) for size in sizes.values())
    step = 0.8 / len(SCHEMES)
    for i, (scheme, size) in enumerate(sizes.items()):
        counts = np.bincount(size, minlength=largest + 1)[1:]
        x = np.arange(1, largest + 1) + (i - 1) * step
        left.bar(x, counts, step, color=SCHEMES[scheme].colour, label=f"{SCHEMES[scheme].label}: {len(size)} classes")
    left.set(xlabel="space groups in the class", ylabel="number of classes", xlim=(0.4, largest + 0.6))
    left.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=20))
    left.legend()
    style.letter(left, "a")

    for i, scheme in enumerate(SCHEMES):
        rows = ceilings[ceilings["scheme"] == scheme].sort_values("k")
        x = np.arange(len(rows)) + (i - 1) * 0.27
        heights = style.percent(rows["ceiling"].to_numpy())
        right.bar(x, heights, 0.25, color=SCHEMES[scheme].colour)
        for position, height in zip(x, heights, strict=True):
            right.text(position, height + 1.5, f"{height:.1f}", ha="center", size=5.5)
        right.set_xticks(np.arange(len(rows)), [f"top-{k}" for k in rows["k"]])
    right.set(ylabel="ceiling for 230 space groups (%)", ylim=(0, 108))
    style.letter(right, "b")
    style.stamp(fig, results, STEM, 230)
    return fig

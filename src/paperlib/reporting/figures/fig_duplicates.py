"""How many entries are different crystals, by rule and database."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.names import DATABASES, RULES
from paperlib.reporting.symbols import extinction_symbol

STEM = "04_duplicates"
NEEDS = (STEM,)
CAPTION_NOTE = "Rules from loose to strict; pattern, doped lets formulas differ by 2 % of the atoms."
_MARKS = ("o", "s", "D", "^", "v", "P")
_CLASSES = 12


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: share of the entries that go, by rule and database; b: how many groups are how large, by the rules of
    panel a in its colours; c: classes whose share changes most when near copies go."""
    left, sizes = results.table(STEM, "left"), results.table(STEM, "sizes")
    fig = style.figure("double", 2.9)
    axes = fig.subplots(1, 3, width_ratios=(1.25, 1, 0.9))
    _removed(axes[0], left)
    _sizes(axes[1], sizes)
    _classes(axes[2], results.table(STEM, "classes"))
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=len(labels), columnspacing=1.6)
    style.stamp(fig, results, STEM, int(left["entries"].max()))
    return fig


def _removed(ax: Axes, left: pd.DataFrame) -> None:
    databases, y = list(dict.fromkeys(left["database"])), np.arange(len(RULES))
    for i, database in enumerate(databases):
        rows = left[left["database"] == database].set_index("rule").reindex([rule.label for rule in RULES.values()])
        n = f"{int(rows['entries'].max()):,}".replace(",", "\u2009")
        whole = database == "together"
        ax.plot(
            style.percent(rows["removed"].to_numpy()), y, ls="", marker=_MARKS[i % len(_MARKS)], ms=4.4, mew=0.9,
            mec=style.BLACK, mfc=style.BLACK if whole else "none", label=f"{DATABASES.get(database, database)} ({n})",
        )  # fmt: skip
    ax.hlines(y, 0, style.percent(left.groupby("rule")["removed"].max().reindex([r.label for r in RULES.values()])),
              color=[rule.colour for rule in RULES.values()], lw=1.2, zorder=0)  # fmt: skip
    marks.rule_ticks(ax)
    ax.set_xlabel("entries that go (%)")
    ax.set_xlim(left=-0.02 * max(1.0, style.percent(left["removed"].max())))


def _sizes(ax: Axes, sizes: pd.DataFrame) -> None:
    for rule in RULES.values():
        rows = sizes[sizes["rule"] == rule.label].sort_values("size")
        at_least = rows["groups"][::-1].cumsum()[::-1]
        ax.plot(rows["size"], at_least, ls="-", lw=0.6, marker="o", ms=2.2, mew=0, color=rule.colour)
    ax.set(xscale="log", yscale="log", xlabel="size of a group", ylabel="groups of this size or larger")
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _classes(ax: Axes, classes: pd.DataFrame) -> None:
    order = classes["change"].abs().sort_values(ascending=False, kind="stable").index[:_CLASSES]
    rows = classes.loc[order].sort_values("change", kind="stable")
    colours = [style.POSITIVE if change < 0 else style.NEGATIVE for change in rows["change"]]
    ax.barh(np.arange(len(rows)), style.percent(rows["change"].to_numpy()), color=colours, alpha=0.8)
    ax.set_yticks(np.arange(len(rows)), [extinction_symbol(str(s)) for s in rows["symbol"]], size=6)
    ax.tick_params(axis="y", length=0)
    ax.axvline(0, color=style.BLACK, lw=0.6)
    ax.set_xlabel("change of the share\n(percentage points)")

"""How many entries are different crystals, by rule and database."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.names import RULES
from paperlib.reporting.symbols import extinction_symbol

STEM = "04_duplicates"
NEEDS = (STEM,)
CAPTION_NOTE = "Rules from loose to strict; pattern, doped lets formulas differ by 2 % of the atoms."
_SHADES = (0.35, 0.65, 1.0)
_CLASSES = 12


@style.look()
def draw(results: Results) -> Figure:
    """Panel a: share of the entries that go, by rule and database; b: how many groups are how large; c: classes whose
    share changes most when near copies go."""
    left, sizes = results.table(STEM, "left"), results.table(STEM, "sizes")
    fig = style.figure("double", 3.0)
    axes = fig.subplots(1, 3, width_ratios=(1.2, 1, 1))
    _removed(axes[0], left)
    _sizes(axes[1], sizes)
    _classes(axes[2], results.table(STEM, "classes"))
    for ax, text in zip(axes, "abc", strict=True):
        style.letter(ax, text)
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=len(RULES), columnspacing=1.2)
    style.stamp(fig, results, STEM, int(left["entries"].max()))
    return fig


def _removed(ax: Axes, left: pd.DataFrame) -> None:
    databases = list(dict.fromkeys(left["database"]))
    shades = _SHADES[-len(databases) :] if len(databases) <= len(_SHADES) else np.linspace(0.3, 1, len(databases))
    width, colours = 0.8 / len(databases), [rule.colour for rule in RULES.values()]
    for i, (database, shade) in enumerate(zip(databases, shades, strict=True)):
        rows = left[left["database"] == database].set_index("rule").reindex([rule.label for rule in RULES.values()])
        x = np.arange(len(RULES)) + (i - (len(databases) - 1) / 2) * width
        n = int(rows["entries"].max())
        label = f"{database.split('_')[0].upper() if '_' in database else database} ({n:,})".replace(",", "\u2009")
        ax.bar(x, style.percent(rows["removed"].to_numpy()), width, color=colours, alpha=shade, lw=0)
        ax.bar([0], [0], color=style.GREY, alpha=shade, label=label)
    ax.set_xticks([])
    highest = style.percent(left["removed"].max())
    ax.set(xlabel="rule", ylabel="entries that go (%)", ylim=(0, 1.35 * highest if highest > 0 else 1))
    ax.legend(loc="upper right", borderaxespad=0.1)


def _sizes(ax: Axes, sizes: pd.DataFrame) -> None:
    for rule in RULES.values():
        rows = sizes[sizes["rule"] == rule.label].sort_values("size")
        at_least = rows["groups"][::-1].cumsum()[::-1]
        ax.plot(rows["size"], at_least, ls="-", lw=0.6, marker="o", ms=2.2, mew=0, color=rule.colour, label=rule.label)
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
    ax.set_xlabel("change of the share of a class\n(percentage points)")

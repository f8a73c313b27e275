"""Rules for duplicates held against three truths, and how well the similarity of patterns tells."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.names import RULES, TRUTHS

STEM = "04_duplicates"
NEEDS = (STEM,)
CAPTION_NOTE = "Pairs: of all pairs found, or to be found; entries: B-cubed, with intervals over families."
_SCORES = {"precision": (style.BLUE, -0.16), "recall": (style.VERMILION, 0.16)}
"""Colour of each score and its place beside the line of a rule."""
_LINES = {"similarity": "-", "cell": (0, (2, 1.5))}
_BY = {"similarity": "patterns", "cell": "lattices"}


@style.look()
def draw(results: Results) -> Figure:
    """Panels a, b and so on: precision and recall of the rules, over pairs and per entry, for each truth; last:
    receiver operating characteristics among the pairs of the loosest rule, each of its groups counted once."""
    table, roc = results.table(STEM, "truth"), results.table(STEM, "roc")
    truths = [truth for truth in TRUTHS if truth in set(table["truth"])]
    fig = style.figure("double", 2.6)
    axes = fig.subplots(1, len(truths) + 1, width_ratios=[1] * len(truths) + [1.15], squeeze=False)[0]
    for i, (ax, truth) in enumerate(zip(axes, truths, strict=False)):
        _scores(ax, table[table["truth"] == truth].set_index("rule"))
        ax.set_title(TRUTHS[truth].label, loc="right")
        if i:
            ax.set_yticklabels([])
    _curves(axes[-1], roc[roc["counted"] == "groups"])
    for ax, text in zip(axes, "abcd", strict=False):
        style.letter(ax, text)
    fig.legend(handles=_handles(), loc="outside upper center", ncols=6, columnspacing=1.4)
    style.stamp(fig, results, STEM, int(table["entries"].max()))
    return fig


def _scores(ax: Axes, rows: pd.DataFrame) -> None:
    rows = rows.reindex([rule.label for rule in RULES.values()])
    y = np.arange(len(rows))
    ax.hlines(y, 0, 100, color="0.9", lw=0.6, zorder=0)
    for score, (colour, aside) in _SCORES.items():
        per_entry = style.percent(rows[f"bcubed_{score}"])
        ends = style.percent(rows[[f"bcubed_{score}_low", f"bcubed_{score}_high"]].to_numpy()).T
        ax.hlines(y + aside, *ends, color=colour, lw=0.8)
        ax.plot(per_entry, y + aside, ls="", marker="o", ms=3.6, mfc="w", mec=colour, mew=0.8)
        ax.plot(style.percent(rows[score]), y + aside, ls="", marker="D", ms=3.2, color=colour, mew=0)
    marks.rule_ticks(ax)
    ax.set(xlabel="%", xlim=(-4, 104))
    ax.set_xticks([0, 25, 50, 75, 100])


def _curves(ax: Axes, roc: pd.DataFrame) -> None:
    ax.plot([0, 100], [0, 100], color="0.85", lw=0.6, zorder=0)
    for (truth, by), rows in roc.groupby(["truth", "by"], sort=False):
        x, y = style.percent(rows["false_positive"].to_numpy()), style.percent(rows["true_positive"].to_numpy())
        ax.plot(np.r_[0, x], np.r_[0, y], color=TRUTHS[truth].colour, ls=_LINES[by], lw=1.0)
    lines = [
        Line2D([], [], color=TRUTHS[truth].colour, ls=_LINES[by], lw=1.0, label=f"{TRUTHS[truth].label}, {_BY[by]}")
        for truth, by in dict.fromkeys(zip(roc["truth"], roc["by"], strict=True))
    ]
    ax.legend(handles=lines, loc="lower right", borderaxespad=0.2, handlelength=2.0)
    ax.set(xlabel="pairs of two families joined (%)", ylabel="pairs of one family joined (%)")
    ax.set(xlim=(-2, 102), ylim=(-2, 102))


def _handles() -> list[Line2D]:
    handles = []
    for score, (colour, _) in _SCORES.items():
        handles.append(Line2D([], [], ls="", marker="D", ms=3.2, color=colour, mew=0, label=f"{score}, pairs"))
        handles.append(
            Line2D([], [], ls="", marker="o", ms=3.6, mfc="w", mec=colour, mew=0.8, label=f"{score}, per entry")
        )
    return handles

"""Three crystals of one space group: one label, three patterns."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from paperlib.lab.results import Results
from paperlib.reporting import marks, style
from paperlib.reporting.symbols import formula_symbol, space_group_symbol

STEM = "03_databases"
NEEDS = (STEM,)
_STEP = 1.4


@style.look()
def draw(results: Results) -> Figure:
    """The patterns of three structures that carry the same label, one above the other."""
    arrays = results.arrays(STEM, "three")
    rows = results.table(STEM, "three").sort_values("row")
    two_theta, patterns = arrays["two_theta"], arrays["patterns"]
    fig = style.figure("single", 2.9)
    ax = fig.subplots()
    for i, (_, info) in enumerate(rows.iterrows()):
        base = (len(rows) - 1 - i) * _STEP
        ax.plot(two_theta, base + patterns[int(info["row"])], color=style.PATTERN, lw=0.7)
        ax.text(two_theta[-1], base + 1.04, _describe(info), ha="right", va="bottom", size=6)
    groups = {f"{space_group_symbol(str(r['symbol']))} (No. {r['space_group']})" for _, r in rows.iterrows()}
    ax.set_title(" and ".join(sorted(groups)), loc="left")
    ax.set(xlabel=marks.TWO_THETA, ylabel="intensity", xlim=(two_theta[0], two_theta[-1]))
    ax.set_ylim(-0.05, len(rows) * _STEP - 0.12)
    marks.bare(ax)
    style.stamp(fig, results, STEM, len(rows))
    return fig


def _describe(info: pd.Series) -> str:
    lengths = " × ".join(f"{info[name]:.2f}" for name in ("a", "b", "c"))
    names = {"alpha": "α", "beta": "β", "gamma": "γ"}
    oblique = [f", {names[a]} = {info[a]:.1f}°" for a in names if abs(info[a] - 90) > 0.005]
    return f"{formula_symbol(str(info['formula']))}, {lengths} Å{''.join(oblique)}, {int(info['n_atoms'])} atoms"

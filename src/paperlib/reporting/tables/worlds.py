"""Tables of the study of worlds: scores of every network on every changed test set, and of every sampling."""

from __future__ import annotations

import pandas as pd

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count, format_number
from paperlib.reporting.names import CHANGES, READERS, TRAINED_ON
from paperlib.reporting.tables.layout import origin_note, score, share, tabular, tex_signs

STEM = "10_resolution"
_SHORT = {"layer": "Layer", "batch": "Batch", "group": "Group", "position": "Position"}


def worlds(results: Results) -> str:
    """Top-1 of the four networks, each trained on clean patterns and with imperfections: one row per test set."""
    described = results.table(STEM, "worlds")
    scores = results.table(STEM, "scores")
    scores = scores[(scores["seed"] == -1) & scores["test"].isin(described["test"])].set_index(["test", "arm"])
    arms = [f"{reader}_{kind}" for kind in TRAINED_ON for reader in READERS]
    rows = []
    for world in described.itertuples():
        cells = [share(scores.loc[(world.test, arm), "value"]) for arm in (*arms, "frequency")]
        rows.append((tex_signs(change_text(str(world.change), float(world.level))), str(world.drawn), *cells))
    widest = (scores["high"] - scores["low"]).max() / 2
    items = (
        rf"top-1 in \%, n = {_range(scores['n'])} test crystals, {_range(scores['n_trainings'].loc[:, arms])} "
        rf"trainings of each; 95\,\% intervals over structure types and trainings reach at most {share(widest)} points "
        "to either side"
    )
    heads = ("Test patterns", "In training", *(2 * [*_SHORT.values()]), "Freq.")
    kinds = [rf"\multicolumn{{1}}{{l}}{{\rlap{{{text}}}}}" for text in TRAINED_ON.values()]
    above = " & ".join(["", "", kinds[0], "", "", "", kinds[1], "", "", "", ""]) + r" \\"
    text = tabular(r"L{0.27\textwidth}L{0.1\textwidth}rrrrrrrrr", heads, rows, origin_note(results, STEM, items))
    return text.replace(r"\toprule", "\\toprule\n" + above, 1)


def _range(numbers: pd.Series) -> str:
    """The smallest and the largest of some counts, once where they are the same."""
    ends = dict.fromkeys(format_count(end) for end in (numbers.min(), numbers.max()))
    return " to ".join(ends)


def change_text(change: str, level: float) -> str:
    """What the test patterns of a change and level are called."""
    return CHANGES[change].format(level=level, percent=100 * level)


def samplings(results: Results) -> str:
    """How the patterns of each sampling are read, and the score of the network trained on them."""
    table = results.table(STEM, "samplings")
    rows = [
        (
            format_count(row.n_points),
            f"{row.first:g}--{row.last:g}",
            format_number(row.fwhm, 3),
            format_number(row.fwhm / row.step, 1),
            "bins" if row.in_bin > 1 else "points",
            str(row.stem),
            format_count(row.parameters),
            score(pd.Series({"value": row.value, "low": row.low, "high": row.high})),
        )
        for row in table.itertuples()
    ]
    items = (
        rf"top-1 in \%, 95\,\% intervals over structure types and trainings, n = {format_count(table['n'].max())} test "
        "crystals; every row is trained and tested on its own patterns"
    )
    heads = (
        "Points",
        r"$2\theta$ (\textdegree)",
        r"Width (\textdegree)",
        "Points per width",
        "Reads",
        "Stem in",
        "Parameters",
        "Top-1",
    )
    return tabular("rlrrllrr", heads, rows, origin_note(results, STEM, items))

"""Tables of extinction classes: the classes themselves, and what they leave to a space-group model."""

from __future__ import annotations

import pandas as pd

from paperlib.lab.results import Results
from paperlib.reporting.formats import tex_escape
from paperlib.reporting.names import SCHEMES
from paperlib.reporting.symbols import extinction_symbol
from paperlib.reporting.tables.layout import longtable, origin_note, share, tabular


def extinction_classes(results: Results) -> str:
    """The long table of the appendix: every class of the published scheme with conditions and members."""
    stem = "01_extinction_groups"
    table = results.table(stem, "classes_published")
    rows = (
        (
            str(row.index + 1),
            extinction_symbol(row.symbol),
            "" if pd.isna(row.conditions) else tex_escape(str(row.conditions)),
            ", ".join(str(row.members).split()),
        )
        for row in table.itertuples(index=False)
    )
    columns = r"rL{0.21\textwidth}L{0.4\textwidth}L{0.27\textwidth}"
    note = origin_note(results, stem, f"{len(table)} classes, n = {table['n_groups'].sum()} space groups")
    return longtable(columns, ("", "Symbol", "Reflection conditions", "Space groups"), rows, note)


def ceilings(results: Results) -> str:
    """The best top-k of a 230-class model, if only absences carry information."""
    stem = "01_extinction_groups"
    table = results.table(stem, "ceilings")
    rows = []
    for scheme, part in table.groupby("scheme", sort=False):
        best = part.set_index("k")["ceiling"]
        number = str(int(part["n_classes"].iloc[0]))
        rows.append((SCHEMES[str(scheme)].label, number, *(share(best[k]) for k in (1, 3, 5))))
    note = origin_note(results, stem, r"in \%, space groups equally frequent, n = 230")
    return tabular("lrrrr", ("Classes", "Number", "Top-1", "Top-3", "Top-5"), rows, note)

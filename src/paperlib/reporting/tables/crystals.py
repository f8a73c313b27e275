"""Tables of sets of crystals: size and bias of databases, labels and distributions of random crystals."""

from __future__ import annotations

import pandas as pd

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count, format_number, format_value, tex_escape
from paperlib.reporting.names import SETS
from paperlib.reporting.symbols import space_group_symbol
from paperlib.reporting.tables.layout import origin_note, share, tabular
from paperlib.symmetry.groups import symbol


def databases(results: Results) -> str:
    """Size and bias of each database."""
    stem = "03_databases"
    table = results.table(stem, "summary")
    rows = [
        (
            tex_escape(row.database),
            format_count(row.entries),
            str(row.space_groups),
            str(row.classes),
            share(row.top_ten_share),
            f"{space_group_symbol(symbol(int(row.largest_group)))} ({share(row.largest_share)})",
        )
        for row in table.itertuples(index=False)
    ]
    reading = results.table(stem, "reading").iloc[0]
    items = (
        f"read {format_count(reading['read'])}, kept n = {format_count(reading['kept'])}, "
        f"declared space group differs for {format_count(reading['declared_differs'])}"
    )
    header = ("Database", "Entries", "Groups", "Classes", r"Ten largest (\%)", r"Largest (\%)")
    return tabular("lrrrrl", header, rows, origin_note(results, stem, items))


def random_labels(results: Results) -> str:
    """How many random crystals carry a true label, by program."""
    stem = "05_random_crystals"
    table = results.table(stem, "truth")
    marks = ("group_0.01", "class_0.01", "group_0.1", "class_0.1", "hidden")
    rates = {named.label: results.values(stem).get(f"{key}_per_second") for key, named in SETS.items()}
    rows = [
        (
            tex_escape(row["program"]),
            format_count(row["crystals"]),
            *("--" if pd.isna(row[mark]) else format_number(100 * row[mark], 2) for mark in marks),
            "--" if rates[row["program"]] is None else format_value(rates[row["program"]]),
        )
        for row in table.to_dict("records")
    ]
    header = ("Crystals", "$n$", "Group", "Class", "Group, 0.1", "Class, 0.1", "Hidden", "Per second")
    note = origin_note(results, stem, rf"shares in \%, n = {format_count(table['crystals'].sum())} crystals in all")
    return tabular("lrrrrrrr", header, rows, note)


def random_distances(results: Results) -> str:
    """Distances between the distributions of random, PyXtal's and real crystals."""
    stem = "05_random_crystals"
    table = results.table(stem, "distances")
    pairs = list(dict.fromkeys(table["pair"]))
    by_quantity = table.pivot(index="quantity", columns="pair", values="distance").loc[list(table["quantity"].unique())]
    rows = [
        (tex_escape(str(quantity).replace("_", " ")), *(format_number(float(row[pair]), 3) for pair in pairs))
        for quantity, row in by_quantity.iterrows()
    ]
    noise = table[table["quantity"] == "volume"].set_index("pair")["noise"]
    rows.append((r"\emph{noise}", *(format_number(float(noise[pair]), 3) for pair in pairs)))
    header = ("", "PyXtal", "PyXtal, label true", "Real", "Real, database")
    counts = table[table["quantity"] == "volume"].set_index("pair")["n_b"]
    sizes = ", ".join(format_count(counts[pair]) for pair in pairs)
    return tabular(
        "lrrrr", header, rows, origin_note(results, stem, f"n = {sizes} crystals to compare with, by column")
    )

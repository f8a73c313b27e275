"""The tables on duplicates: what each rule leaves, and near-duplicates as the rules see them."""

from __future__ import annotations

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count, format_number, format_value, tex_escape
from paperlib.reporting.names import RULES
from paperlib.reporting.symbols import formula_symbol, space_group_symbol
from paperlib.reporting.tables.layout import origin_note, share, tabular
from paperlib.symmetry.groups import symbol


def duplicates(results: Results) -> str:
    """Entries that each rule leaves of each database, and the share that goes."""
    stem = "04_duplicates"
    table = results.table(stem, "left")
    databases = list(dict.fromkeys(table["database"]))
    rows = []
    for key, rule in RULES.items():
        part = table[table["rule"] == rule.label].set_index("database").loc[databases]
        cells = [cell for row in part.itertuples() for cell in (format_count(row.groups), share(row.removed))]
        seconds = format_value(results.value(f"{stem}/{key}_seconds"))
        rows.append((tex_escape(rule.label), *cells, format_count(part["largest"].max()), seconds))
    sizes = table.drop_duplicates("database").set_index("database")["entries"]
    header = ("Rule", *(cell for name in databases for cell in (tex_escape(name), r"(\%)")), "Largest group", "Seconds")
    items = "n = " + ", ".join(format_count(sizes[database]) for database in databases) + " entries"
    return tabular("l" + "rr" * len(databases) + "rr", header, rows, origin_note(results, stem, items))


def near_duplicates(results: Results) -> str:
    """Near-duplicates of one group of the loosest rule: entries with one letter are one crystal by that rule."""
    stem = "04_duplicates"
    table = results.table(stem, "near_duplicates")
    rows = [
        (
            tex_escape(row["source_id"]),
            formula_symbol(str(row["formula"])),
            space_group_symbol(symbol(int(row["space_group"]))),
            *(format_number(float(row[edge]), 2) for edge in "abc"),
            *(str(row[rule.label]) for rule in RULES.values()),
        )
        for row in table.to_dict("records")
    ]
    turned = [rf"\rotatebox{{90}}{{{tex_escape(rule.label)}}}" for rule in RULES.values()]
    header = ("Entry", "Formula", "Group", *(rf"${edge}$ (\AA)" for edge in "abc"), *turned)
    note = origin_note(results, stem, f"n = {len(table)} entries")
    return tabular("lllrrr" + "c" * len(RULES), header, rows, note)

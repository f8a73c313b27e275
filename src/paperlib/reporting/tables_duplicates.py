"""The tables on duplicates: what each rule leaves, near-duplicates as the rules see them, what they do to scores."""

from __future__ import annotations

from paperlib.lab.results import Results, Value
from paperlib.reporting.formats import format_count, format_number, format_value, tex_escape
from paperlib.reporting.latex_tables import origin_note, score, tabular
from paperlib.reporting.symbols import formula_symbol, space_group_symbol
from paperlib.symmetry.groups import symbol

_RULES = ("formula~group", "formula+group", "cell", "pattern", "structure", "pattern, doped")


def duplicates(results: Results) -> str:
    """Entries that each rule leaves of each database, and the share that goes."""
    stem = "04_duplicates"
    table = results.table(stem, "left")
    databases = list(dict.fromkeys(table["database"]))
    rows = []
    for rule in _RULES:
        part = table[table["rule"] == rule].set_index("database")
        cells = []
        for database in databases:
            row = part.loc[database]
            share = format_value(Value(float(row["removed"])), percent=True)
            cells += [format_count(row["groups"]), share]
        rows.append(
            (tex_escape(rule), *cells, format_count(part["largest"].max()), format_number(part["seconds"].max()))
        )
    sizes = table[table["rule"] == _RULES[0]].set_index("database")["entries"]
    names = [tex_escape(f"{d}") for d in databases]
    header = ("Rule", *(cell for name in names for cell in (name, r"(\%)")), "Largest group", "Seconds")
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
            *(str(row[rule]) for rule in _RULES),
        )
        for row in table.to_dict("records")
    ]
    turned = [rf"\rotatebox{{90}}{{{tex_escape(rule)}}}" for rule in _RULES]
    header = ("Entry", "Formula", "Group", *(rf"${edge}$ (\AA)" for edge in "abc"), *turned)
    note = origin_note(results, stem, f"n = {len(table)} entries")
    return tabular("lllrrr" + "c" * len(_RULES), header, rows, note)


def duplicate_effect(results: Results) -> str:
    """Scores of the five training sets on both test sets."""
    stem = "07_duplicate_effect"
    table, trained = results.table(stem, "scores"), results.table(stem, "trainings")
    sizes, steps = (trained.groupby("training")[column].mean() for column in ("n_train", "steps"))
    rows = []
    for name in dict.fromkeys(table["training"]):
        part = table[(table["training"] == name) & (table["k"] == 1)].set_index("test")
        size = [format_count(sizes[name]), format_count(steps[name])] if name in sizes else ["--", "--"]
        top5 = table[(table["training"] == name) & (table["k"] == 5)].set_index("test").loc["all"]
        scores = (score(part.loc["all"]), score(part.loc["one of each group"]), score(top5))
        rows.append((tex_escape(str(name)), *size, *scores))
    n = table.groupby("test")["n"].max()
    items = (
        rf"in \%, 95\,\% bootstrap intervals, n = {format_count(n['all'])} and {format_count(n['one of each group'])}"
    )
    header = ("Training set", "Entries", "Steps", "Top-1, all", "Top-1, one of each", "Top-5, all")
    return tabular("lrrrrr", header, rows, origin_note(results, stem, items))

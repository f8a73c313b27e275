"""The tables on duplicates: what each rule leaves, how it does against the truth, what it says of near-duplicates."""

from __future__ import annotations

from paperlib.lab.results import Results, Value
from paperlib.reporting.formats import format_count, format_number, format_value, tex_escape
from paperlib.reporting.names import DATABASES, DETERMINATIONS, RULES, TRUTHS
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
    named = (tex_escape(DATABASES.get(name, name)) for name in databases)
    header = ("Rule", *(cell for name in named for cell in (name, r"(\%)")), "Largest group", "Seconds")
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


def duplicate_truth(results: Results) -> str:
    """Precision and recall of each rule, over pairs and per entry, against each truth."""
    stem = "04_duplicates"
    table, rows = results.table(stem, "truth"), []
    for key, truth in TRUTHS.items():
        part = table[table["truth"] == key].set_index("rule")
        for i, rule in enumerate(RULES.values() if len(part) else ()):
            row = part.loc[rule.label]
            cells = [share(row["precision"]), share(row["recall"])]
            for score in ("precision", "recall"):
                ends = {end: row[f"bcubed_{score}_{end}"] for end in ("low", "high")}
                cells.append(format_value(Value(float(row[f"bcubed_{score}"]), kind="share", **ends)))
            pairs = f"{truth.label}, {format_count(row['pairs'])} pairs" if not i else ""
            rows.append((tex_escape(pairs), tex_escape(rule.label), format_count(row["pairs_found"]), *cells))
    header = ("Truth", "Rule", "Pairs found", "Precision", "Recall", "per entry", "per entry")
    sizes = table.drop_duplicates("truth").set_index("truth")["entries"]
    items = "n = " + ", ".join(f"{format_count(n)} entries ({TRUTHS[key].label})" for key, n in sizes.items())
    return tabular("llrrrrr", header, rows, origin_note(results, stem, items))


def determination_kinds(results: Results) -> str:
    """Pairs of one family that each rule finds, by what tells the determinations apart."""
    stem = "04_duplicates"
    table = results.table(stem, "kinds")
    kinds = [kind for kind in DETERMINATIONS if kind in set(table["kind"])]
    recall = table.set_index(["rule", "kind"])["recall"]
    rows = [(tex_escape(rule.label), *(share(recall[rule.label, kind]) for kind in kinds)) for rule in RULES.values()]
    n = table.drop_duplicates("kind")["families"].sum()
    note = origin_note(results, stem, f"n = {format_count(n)} families, the kinds taking turns")
    return tabular("l" + "r" * len(kinds), ("Rule", *(DETERMINATIONS[kind] for kind in kinds)), rows, note)


def talk_rows(results: Results) -> str:
    """The eleven rows of the ICSD that the talk showed; rows with one letter are one crystal by the rule."""
    stem = "04_duplicates"
    table = results.table(stem, "talk_rows")
    rules = ("formula+group", "cell, wide", "cell")
    rows = [
        (
            str(row["source_id"]),
            str(row["year"]),
            formula_symbol(str(row["formula"])),
            space_group_symbol(symbol(int(row["space_group"]))),
            *(format_number(float(row[edge]), 4) for edge in "abc"),
            format_number(float(row["volume"]), 1),
            *(str(row[rule]) for rule in rules),
        )
        for row in table.to_dict("records")
    ]
    turned = [rf"\rotatebox{{90}}{{{text}}}" for text in ("formula+group", r"cell, 3\,\%", r"cell, 1\,\%")]
    edges = (rf"${edge}$ (\AA)" for edge in "abc")
    header = ("Number", "Year", "Formula", "Group", *edges, r"$V$ (\AA$^3$)", *turned)
    return tabular("llllrrrrccc", header, rows, origin_note(results, stem, f"n = {len(table)} rows"))

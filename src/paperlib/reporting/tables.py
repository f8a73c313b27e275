"""The tables of the manuscript, in LaTeX with booktabs, each with the profile that made it and its n."""

from __future__ import annotations

import pandas as pd

from paperlib.lab.results import Results, Value
from paperlib.reporting.formats import (
    format_count,
    format_named,
    format_number,
    format_scientific,
    format_value,
    tex_escape,
)
from paperlib.reporting.latex_tables import Table, breakable, longtable, origin_note, score, tabular, tex_signs
from paperlib.reporting.symbols import extinction_symbol, space_group_symbol
from paperlib.reporting.tables_duplicates import duplicate_effect, duplicates, near_duplicates
from paperlib.symmetry.groups import symbol


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
    names = {"absences": "absences alone", "published": "published table", "crystal_system": "by crystal system"}
    rows = []
    for scheme, part in table.groupby("scheme", sort=False):
        best = part.set_index("k")["ceiling"]
        shown = [format_value(Value(float(best[k])), percent=True) for k in (1, 3, 5)]
        rows.append((names.get(str(scheme), tex_escape(str(scheme))), str(int(part["n_classes"].iloc[0])), *shown))
    note = origin_note(results, stem, r"in \%, space groups equally frequent, n = 230")
    return tabular("lrrrr", ("Classes", "Number", "Top-1", "Top-3", "Top-5"), rows, note)


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
            format_value(Value(float(row.top_ten_share)), percent=True),
            f"{space_group_symbol(symbol(int(row.largest_group)))} "
            f"({format_value(Value(float(row.largest_share)), percent=True)})",
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


def simulator(results: Results) -> str:
    """Agreement of the simulator with each independent program that the run had."""
    stem = "02_simulator"
    table = results.table(stem, "agreement")
    radiations = {"xray": "X-rays", "neutron": "neutrons", "both": "both"}
    rows = [
        (
            tex_escape(row.program),
            radiations[row.radiation],
            tex_signs(row.quantity),
            format_count(row.structures),
            format_scientific(float(row.median)),
            format_scientific(float(row.worst)),
        )
        for row in table.itertuples(index=False)
    ]
    note = origin_note(results, stem, f"up to n = {format_count(table['structures'].max())} structures")
    return tabular("lllrrr", ("Program", "Radiation", "Deviation", "$n$", "Median", "Worst"), rows, note)


def speed(results: Results) -> str:
    """Crystals per second of each program on the machine of the run."""
    stem = "02_simulator"
    table = results.table(stem, "speed")
    rows = [
        (
            tex_escape(row.program),
            tex_escape(row.task),
            str(row.threads),
            format_count(row.per_second),
            format_number(float(row.ratio)),
        )
        for row in table.itertuples(index=False)
    ]
    device = tex_escape(str(results.manifest(stem)["record"].get("device", "device not recorded")))
    n = format_named("speed_atoms", results.value(f"{stem}/speed_atoms"), "n")
    note = origin_note(results, stem, f"{device}; n = {n} crystals")
    return tabular("llrrr", ("Program", "Task", "Threads", "Per second", "Ratio"), rows, note)


def laboratory(results: Results) -> str:
    """The ranges of the preset "laboratory", with their sources."""
    stem = "02_simulator"
    table = results.table(stem, "laboratory")
    rows = [
        (
            tex_escape(row.parameter.replace("_", " ")),
            _range(row.low, row.high),
            tex_signs(row.unit),
            tex_signs(row.source),
        )
        for row in table.itertuples(index=False)
    ]
    note = origin_note(results, stem, f"n = {len(table)} parameters")
    columns = r"lllL{0.56\textwidth}"
    return tabular(columns, ("Parameter", "Range", "Unit", "Source (chosen: our judgement)"), rows, note)


def _range(low: float, high: float) -> str:
    ends = [format_count(x) if abs(x) >= 1000 else f"{x:g}".replace("-", "$-$") for x in (low, high)]
    return ends[0] if low == high else f"{ends[0]} to {ends[1]}"


def random_labels(results: Results) -> str:
    """How many random crystals carry a true label, by program."""
    stem = "05_random_crystals"
    table = results.table(stem, "truth")
    marks = ("group_0.01", "class_0.01", "group_0.1", "class_0.1", "hidden")
    rows = [
        (
            tex_escape(row["program"]),
            format_count(row["crystals"]),
            *("--" if pd.isna(row[mark]) else format_number(100 * row[mark], 2) for mark in marks),
            "--" if pd.isna(row["per_second"]) else format_number(row["per_second"]),
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


def labels(results: Results) -> str:
    """Top-1, 3 and 5 of the label experiment, all seeds together."""
    stem = "06_labels"
    table = results.table(stem, "scores")
    table = table[table["seed"] == -1].sort_values("space", kind="stable")
    rows = []
    for (space, model), part in table.groupby(["space", "model"], sort=False):
        by_k = part.set_index("k")
        rows.append((tex_escape(str(space)), tex_escape(str(model)), *(score(by_k.loc[k]) for k in (1, 3, 5))))
    n = results.value(f"{stem}/n_test")
    items = rf"in \%, 95\,\% bootstrap intervals, n = {format_named('n_test', n)} test structures"
    return tabular("llrrr", ("Scored on", "Model", "Top-1", "Top-3", "Top-5"), rows, origin_note(results, stem, items))


def claims(results: Results) -> str:
    """The claims of the paper with what the results say."""
    stem = "00_overview"
    table = results.table(stem, "claims")
    rows = [(tex_escape(row.claim), tex_escape(row.holds), breakable(row.evidence)) for row in table.itertuples()]
    columns = r"L{0.4\textwidth}L{0.08\textwidth}L{0.44\textwidth}"
    note = origin_note(results, stem, f"n = {len(table)} claims")
    return longtable(columns, ("Claim", "Holds", "Evidence"), rows, note)


TABLES = (
    Table("extinction_classes", ("01_extinction_groups",), extinction_classes),
    Table("ceilings", ("01_extinction_groups",), ceilings),
    Table("simulator", ("02_simulator",), simulator),
    Table("speed", ("02_simulator",), speed),
    Table("laboratory", ("02_simulator",), laboratory),
    Table("databases", ("03_databases",), databases),
    Table("duplicates", ("04_duplicates",), duplicates),
    Table("near_duplicates", ("04_duplicates",), near_duplicates),
    Table("random_labels", ("05_random_crystals",), random_labels),
    Table("random_distances", ("05_random_crystals",), random_distances),
    Table("labels", ("06_labels",), labels),
    Table("duplicate_effect", ("07_duplicate_effect",), duplicate_effect),
    Table("claims", ("00_overview",), claims),
)

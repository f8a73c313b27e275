"""Tables of the simulator: agreement with other programs, speed, and the ranges of its preset."""

from __future__ import annotations

from paperlib.lab.results import Results
from paperlib.reporting.formats import format_count, format_number, format_part, format_scientific, tex_escape
from paperlib.reporting.tables.layout import origin_note, tabular, tex_signs


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
    n = format_part(results.value(f"{stem}/speed_atoms"), "n")
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

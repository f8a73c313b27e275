"""Tables of the studies on reflection data: families of networks, and the laws of their curves."""

from __future__ import annotations

import pandas as pd

from paperlib.lab.results import Results, Value
from paperlib.reporting.formats import format_count, format_number, format_value, tex_escape
from paperlib.reporting.names import ARMS, NETWORKS, SIZES
from paperlib.reporting.tables.layout import origin_note, score, tabular


def architectures(results: Results) -> str:
    """Parameters, work, speed and scores of each family, and of the large network."""
    stem = "11_architectures"
    scores = results.table(stem, "scores")
    networks = results.table(stem, "networks").set_index(["family", "size"])
    times = results.table(stem, "training_times").groupby("arm")[["minutes", "items_per_s"]].mean()
    whole = scores[scores["seed"] == -1]
    curves = whole[(whole["size"] != "large") & (whole["rate"] == 0)]
    ladder = sorted(int(n) for n in curves.loc[curves["size"] == "middle", "items"].unique())
    rates = sorted(rate for rate in whole["rate"].dropna().unique() if rate)
    heads = [*(f"Top-1, {format_count(n)}" for n in ladder), f"Top-5, {format_count(ladder[-1])}"]
    heads += [f"Top-1, {format_count(ladder[0])}, rate {rate:g}" for rate in rates]
    rows = []
    for (family, size), network in networks.iterrows():
        own = whole[(whole["family"] == family) & (whole["size"] == size)]
        name, more = NETWORKS[family].label, ""
        plain = own[own["rate"] == 0]
        longest = plain.loc[plain["items"].idxmax()]
        work = (format_count(network["parameters"]), format_number(network["multiply_adds"] / 1e6))
        speed = (
            format_count(times.loc[longest["arm"], "items_per_s"]),
            format_number(times.loc[longest["arm"], "minutes"]),
        )
        if size == "middle":
            cells = [_score(plain, k, n) for k, n in (*((1, n) for n in ladder), (5, ladder[-1]))]
            cells += [_score(own[own["rate"] == rate], 1, ladder[0]) for rate in rates]
        else:
            ends = [score(plain[plain["k"] == k].iloc[0]) for k in (1, 5)]
            more = f", {SIZES[size]}, {format_count(longest['items'])} patterns"
            cells = [*["--"] * (len(ladder) - 1), *ends, *["--"] * len(rates)]
        rows.append((_tex(name) + more, *work, *speed, *cells))
    trees = curves[curves["family"] == "trees"]
    cells = [_score(trees, k, n) for k, n in (*((1, n) for n in ladder), (5, ladder[-1]))]
    rows.append((NETWORKS["trees"].label, *["--"] * 4, *cells, *["--"] * len(rates)))
    for arm, named in (("oracle", NETWORKS["oracle"]), ("ceiling", ARMS["ceiling"])):
        best = whole[whole["arm"] == arm]
        top = [score(best[best["k"] == k].iloc[0]) for k in (1, 5)]
        rows.append((named.label, *["--"] * (3 + len(ladder)), *top, *["--"] * len(rates)))
    header = ("Network", "Parameters", r"Multiply-adds ($10^6$)", "Patterns/s", "Minutes", *heads)
    device = ", ".join(dict.fromkeys(results.table(stem, "training_times")["device"]))
    items = (
        r"in \%, 95\,\% intervals over test patterns and trainings, "
        f"n = {format_count(whole['n'].max())} test patterns; "
        f"speed and minutes of the longest training, on {tex_escape(device)}"
    )
    return tabular("l" + "r" * (len(header) - 1), header, rows, origin_note(results, stem, items))


def _tex(label: str) -> str:
    return tex_escape(label).replace("√", r"$\surd$")


def _score(rows: pd.DataFrame, k: int, items: int) -> str:
    found = rows[(rows["k"] == k) & (rows["items"] == items)]
    return score(found.iloc[0]) if len(found) else "--"


def scaling(results: Results) -> str:
    """The fitted laws, and how far the points lie from them."""
    stem = "09_scaling"
    laws, n = results.table(stem, "laws"), float(results.value(f"{stem}/n_test").value)
    rows = []
    for law in laws.itertuples():
        numbers = (
            Value(law.half, law.half_low, law.half_high, kind="count"),
            Value(law.exponent, law.exponent_low, law.exponent_high, kind="number"),
            Value(law.limit, law.limit_low, law.limit_high, kind="share"),
        )
        cells = (
            _tex(NETWORKS[law.family].label),
            SIZES[law.size],
            format_count(law.points),
            *map(format_value, numbers),
        )
        rows.append((*cells, format_number(100 * law.deviation, 1)))
    header = ("Network", "Size", "Points", r"$N_{1/2}$", "$b$", r"Limit (\%)", "Largest deviation (points)")
    note = origin_note(
        results, stem, rf"95\,\% intervals over test patterns and trainings, n = {format_count(n)} test patterns"
    )
    return tabular("llrrrrr", header, rows, note)

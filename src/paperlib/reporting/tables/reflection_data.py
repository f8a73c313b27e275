"""Tables of the studies on reflection data: families of networks, and the laws of their curves."""

from __future__ import annotations

import pandas as pd

from paperlib.lab.results import Results, Value
from paperlib.reporting.formats import format_count, format_number, format_value, tex_escape
from paperlib.reporting.names import ARMS, NETWORKS, SIZES
from paperlib.reporting.tables.layout import origin_note, score, share, tabular


def architectures(results: Results) -> str:
    """Parameters, work, speed and scores of each family, and of the large network."""
    stem = "11_architectures"
    scores = results.table(stem, "scores")
    networks = results.table(stem, "networks").set_index(["family", "size"])
    networks = networks.loc[sorted(networks.index, key=lambda key: (list(NETWORKS).index(key[0]), key[1] != "middle"))]
    times = results.table(stem, "training_times").groupby("arm")[["minutes", "items_per_s"]].mean()
    whole = scores[scores["seed"] == -1]
    curves = whole[(whole["size"] != "large") & (whole["rate"] == 0)]
    ladder = sorted(int(n) for n in curves.loc[curves["size"] == "middle", "items"].unique())
    rates = sorted(rate for rate in whole["rate"].dropna().unique() if rate)
    heads = [("Top-1", format_count(n)) for n in ladder] + [("Top-5", format_count(ladder[-1]))]
    heads += [(f"Rate {rate:g}", format_count(ladder[0])) for rate in rates]
    rows = []
    for (family, size), network in networks.iterrows():
        own = whole[(whole["family"] == family) & (whole["size"] == size)]
        name = _tex(NETWORKS[family].label)
        plain = own[own["rate"] == 0]
        longest = plain.loc[plain["items"].idxmax()]
        work = (format_count(network["parameters"]), format_number(network["multiply_adds"] / 1e6))
        speed = (
            format_count(times.loc[longest["arm"], "items_per_s"]),
            format_number(times.loc[longest["arm"], "minutes"]),
        )
        if size == "middle":
            cells = _scores(plain, ladder)
            cells += [_score(own[own["rate"] == rate], 1, ladder[0], False) for rate in rates]
        else:
            name = rf"\quad {SIZES[size]}, {format_count(longest['items'])}"
            cells = [*["--"] * (len(ladder) - 1), *_ends(plain), *["--"] * len(rates)]
        rows.append((name, *work, *speed, *cells))
    trees = curves[curves["family"] == "trees"]
    rows.append((NETWORKS["trees"].label, *["--"] * 4, *_scores(trees, ladder), *["--"] * len(rates)))
    for arm, named in (("oracle", NETWORKS["oracle"]), ("ceiling", ARMS["ceiling"])):
        ends = _ends(whole[whole["arm"] == arm])
        rows.append((named.label, *["--"] * (3 + len(ladder)), *ends, *["--"] * len(rates)))
    heads = [("Para-", "meters"), ("Multiply-", "adds ($10^6$)"), ("Patterns", "per s"), ("", "Minutes"), *heads]
    header = ("Network", *(rf"\shortstack[r]{{{first}\\{second}}}" for first, second in heads))
    device = ", ".join(dict.fromkeys(results.table(stem, "training_times")["device"]))
    items = (
        r"in \%, 95\,\% intervals over test patterns and trainings, "
        f"n = {format_count(whole['n'].max())} test patterns; "
        f"speed and minutes of the longest training, on {tex_escape(device)}"
    )
    return tabular("l" + "r" * (len(header) - 1), header, rows, origin_note(results, stem, items))


def _tex(label: str) -> str:
    return tex_escape(label).replace("√", r"$\surd$")


def _scores(rows: pd.DataFrame, ladder: list[int]) -> list[str]:
    """Top-1 at each number of patterns and top-5 at the last one; an interval stands where it is what counts."""
    asked = [*((1, n, n == ladder[-1]) for n in ladder), (5, ladder[-1], False)]
    return [_score(rows, k, n, whole) for k, n, whole in asked]


def _ends(rows: pd.DataFrame) -> list[str]:
    """Top-1, with its interval, and top-5 of a single point."""
    return [score(rows[rows["k"] == 1].iloc[0]), share(rows.loc[rows["k"] == 5, "value"].iloc[0])]


def _score(rows: pd.DataFrame, k: int, items: int, whole: bool) -> str:
    found = rows[(rows["k"] == k) & (rows["items"] == items)]
    if not len(found):
        return "--"
    return score(found.iloc[0]) if whole else share(found["value"].iloc[0])


def scaling(results: Results) -> str:
    """The fitted laws, and how far the points lie from them."""
    stem = "09_scaling"
    laws, n = results.table(stem, "laws"), float(results.value(f"{stem}/n_test").value)
    rows = []
    for law in laws.itertuples():
        numbers = (
            Value(law.half / 1000, law.half_low / 1000, law.half_high / 1000, kind="number"),
            Value(law.exponent, law.exponent_low, law.exponent_high, kind="number"),
            Value(law.limit, law.limit_low, law.limit_high, kind="share"),
        )
        cells = (
            _tex(NETWORKS[law.family].label),
            SIZES[law.size],
            format_count(law.points),
            *map(format_value, numbers),
        )
        # three numbers follow three points exactly
        rows.append((*cells, format_number(100 * law.deviation, 1) if law.points > 3 else "--"))
    header = ("Network", "Size", "Points", r"$N_{1/2}$ ($10^3$)", "$b$", r"Limit (\%)", "Largest deviation (points)")
    note = origin_note(
        results, stem, rf"95\,\% intervals over test patterns and trainings, n = {format_count(n)} test patterns"
    )
    return tabular("llrrrrr", header, rows, note)

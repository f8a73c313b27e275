"""The numbers that come out of maps in reciprocal space.

Each crystal counts once, with the mean over its families; intervals are over crystals. Where classes are counted, each
counts once if :data:`paperlib.learning.family_maps.FEWEST` crystals stand behind it, and intervals are over classes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from paperlib.lab.metrics import bootstrap
from paperlib.lab.results import Value
from paperlib.learning.family_maps import ALLOWED, EFFECTS, FEWEST, RANDOM
from paperlib.symmetry.absence_order import KINDS

_FEWEST_FAMILIES = 6
"""Families without which maps are not correlated."""

LOWEST = 4
"""Families of either kind in a crystal that count as low."""

NEAR, ALIKE = 3, 3.0
"""Places by angle, and factor in height, within which two families of a crystal count as alike."""

AGREEMENTS = {"ig_zero": "deletion", "ig_background": "deletion", "ig_filled": "insertion"}
"""Integrated gradients, and the experiment that they should agree with."""


def effect_values(table: pd.DataFrame) -> dict[str, Value]:
    """For each of :data:`paperlib.learning.family_maps.EFFECTS` of a labelled table, by name: the mean in log-odds
    (``<effect>``), the ``_share`` of families that speak as they should (allowed ones for the class, forbidden ones
    against it), and the share of ``_classes`` whose mean does; of random weights the same with ``_random``, and the
    paired ``_difference`` of the former two."""
    values = {}
    for effect in EFFECTS:
        sign = 1 if effect in ALLOWED else -1
        for ending in ("", RANDOM):
            column = table[f"{effect}{ending}"]
            values[f"{effect}{ending}"] = _mean(_by_crystal(table, column), "number")
            values[f"{effect}_share{ending}"] = _mean(_by_crystal(table, _speaks(column, sign)), "share")
            each = _by_class(table, column)
            values[f"{effect}_classes{ending}"] = _mean((sign * each > 0).astype(float), "share")
        trained, random = table[effect], table[f"{effect}{RANDOM}"]
        values[f"{effect}_difference"] = _mean(_by_crystal(table, trained - random), "number")
        speaks = _speaks(trained, sign) - _speaks(random, sign)
        values[f"{effect}_share_difference"] = _mean(_by_crystal(table, speaks), "points")
    return {name: value for name, value in values.items() if value is not None}


def place_values(table: pd.DataFrame) -> dict[str, Value]:
    """What the place of a line makes: insertion at the place of the lattice less the same line off it, paired crystal
    by crystal, for all forbidden families and by what forbids them, with insertion itself; and the same of random
    weights."""
    values = {}
    for kind in ("all", *KINDS):
        some = table[~table["allowed"]] if kind == "all" else table[table["kind"] == kind]
        for ending in ("", RANDOM):
            here, beside = some[f"insertion{ending}"], some[f"moved{ending}"]
            values[f"insertion_{kind}{ending}"] = _mean(_by_crystal(some, here), "number")
            values[f"place_{kind}{ending}"] = _mean(_by_crystal(some, here - beside), "number")
        against = _speaks(some["insertion"], -1)
        values[f"insertion_share_{kind}"] = _mean(_by_crystal(some, against), "share")
        values[f"ig_filled_{kind}"] = _mean(_by_crystal(some, some["ig_filled"]), "number")
    return {name: value for name, value in values.items() if value is not None}


def deciding_values(table: pd.DataFrame) -> dict[str, Value]:
    """Deletion of allowed families that a stricter class forbids (``deletion_deciding``), of the other ones
    (``deletion_others``), the paired ``deciding_difference`` over crystals that have both, and ``deciding_matched``,
    that to others alike: of the same crystal, at most :data:`NEAR` places away by angle and within a factor of
    :data:`ALIKE` in height; and the same of random weights."""
    values, allowed = {}, table[table["allowed"]].reset_index(drop=True)
    pairs = allowed[allowed["deciding"]].reset_index().merge(
        allowed[~allowed["deciding"]], on="crystal", suffixes=("", "_other")
    )  # fmt: skip
    near = (pairs["rank"] - pairs["rank_other"]).abs() <= NEAR
    alike = np.log(pairs["height"] / pairs["height_other"]).abs() <= np.log(ALIKE)
    pairs = pairs[near & alike]
    for ending in ("", RANDOM):
        some = table[table["allowed"]].assign(effect=table[f"deletion{ending}"])
        wide = some.pivot_table(index="crystal", columns="deciding", values="effect", aggfunc="mean")
        wide = wide.reindex(columns=[True, False])
        values[f"deletion_deciding{ending}"] = _mean(wide[True].dropna(), "number")
        values[f"deletion_others{ending}"] = _mean(wide[False].dropna(), "number")
        each = pairs[f"deletion{ending}"] - pairs[f"deletion{ending}_other"]
        each = each.groupby([pairs["crystal"], pairs["index"]]).mean().groupby("crystal").mean()
        values[f"deciding_matched{ending}"] = _mean(each, "number")
        values[f"deciding_difference{ending}"] = _mean((wide[True] - wide[False]).dropna(), "number")
    return {name: value for name, value in values.items() if value is not None}


def angle_values(table: pd.DataFrame) -> dict[str, Value]:
    """Effects of the :data:`LOWEST` families of either kind in a crystal (``<effect>_low``) and of the rest
    (``<effect>_high``), their paired ``<effect>_fall``, and what the place makes of the lowest (``place_low``); the
    last two of random weights as well."""
    low, values = table["rank"] < LOWEST, {}
    for effect in ("deletion", "insertion", "moved"):
        for ending in ("", RANDOM):
            here = _by_crystal(table[low], table.loc[low, f"{effect}{ending}"])
            rest = _by_crystal(table[~low], table.loc[~low, f"{effect}{ending}"])
            values[f"{effect}_fall{ending}"] = _mean((here - rest).dropna(), "number")
            if not ending:
                values |= {f"{effect}_low": _mean(here, "number"), f"{effect}_high": _mean(rest, "number")}
    for ending in ("", RANDOM):
        place = table.loc[low, f"insertion{ending}"] - table.loc[low, f"moved{ending}"]
        values[f"place_low{ending}"] = _mean(_by_crystal(table[low], place), "number")
    return {name: value for name, value in values.items() if value is not None}


def agreement_values(means: pd.DataFrame) -> dict[str, Value]:
    """Rank correlations over the families of a class, means over classes, of a
    :func:`paperlib.learning.family_maps.mean_map`: of integrated gradients with the experiment (``agree_<effect>``; of
    random weights with their own), and of each map with that of random weights (``survive_<effect>``)."""
    pairs = {f"agree_{ig}": (ig, other) for ig, other in AGREEMENTS.items()}
    pairs |= {f"agree_{ig}{RANDOM}": (f"{ig}{RANDOM}", f"{other}{RANDOM}") for ig, other in AGREEMENTS.items()}
    pairs |= {f"survive_{effect}": (effect, f"{effect}{RANDOM}") for effect in EFFECTS}
    values = {}
    for name, (one, other) in pairs.items():
        some = means[(means["n"] >= FEWEST) & means[one].notna() & means[other].notna()]
        each = [_rank_correlation(rows[one], rows[other]) for _, rows in some.groupby("label")]
        values[name] = _mean(pd.Series(each, dtype=float).dropna(), "number")
    return {name: value for name, value in values.items() if value is not None}


def _speaks(effect: pd.Series, sign: int) -> pd.Series:
    """1 where an effect has the sign, 0 where it has not or there is none; NaN where it is not known."""
    return (sign * effect > 0).astype(float).where(effect.notna())


def _by_crystal(table: pd.DataFrame, column: pd.Series) -> pd.Series:
    return column.groupby(table["crystal"]).mean().dropna()


def _by_class(table: pd.DataFrame, column: pd.Series) -> pd.Series:
    """Means by class of the means by crystal, where there are enough crystals."""
    each = column.groupby([table["label"], table["crystal"]]).mean().dropna().groupby("label")
    return each.mean()[each.count() >= FEWEST]


def _mean(each: pd.Series, kind: str) -> Value | None:
    if each.empty:
        return None
    mean = bootstrap(each.to_numpy())
    return Value(mean.value, mean.low, mean.high, mean.n, kind)


def _rank_correlation(one: pd.Series, other: pd.Series) -> float:
    if len(one) < _FEWEST_FAMILIES or one.nunique() < 2 or other.nunique() < 2:
        return float("nan")
    return float(spearmanr(one, other).statistic)

"""The numbers that come out of maps in reciprocal space.

Each crystal counts once, with the mean over its families; intervals are over crystals. Where classes are counted, each
counts once if :data:`paperlib.learning.family_maps.FEWEST` crystals stand behind it, and intervals are over classes.
Functions return the numbers that a mean is taken of; :func:`with_intervals` takes them all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from paperlib.lab.metrics import bootstrap
from paperlib.lab.results import Value
from paperlib.learning.family_maps import ALLOWED, EFFECTS, FEWEST, RANDOM
from paperlib.symmetry.absence_order import KINDS

_FEWEST_FAMILIES = 6
"""Families without which maps are not correlated."""


@dataclass(frozen=True, eq=False)
class Sample:
    """What a mean is taken of: numbers (n,), one for each crystal or class, and the kind of their mean."""

    each: np.ndarray
    kind: str


Samples = dict[str, Sample]
"""Samples by the name of the value that becomes of them."""

LOWEST = 4
"""Families of either kind in a crystal that count as low."""

NEAR, ALIKE = 3, 3.0
"""Places by angle, and factor in height, within which two families of a crystal count as alike."""

AGREEMENTS = {"ig_zero": "deletion", "ig_background": "deletion", "ig_filled": "insertion"}
"""Integrated gradients, and the experiment that they should agree with."""


def with_intervals(samples: Mapping[str, Sample]) -> dict[str, Value]:
    """The means of ``samples``, with their intervals, in their order; empty samples are left out."""
    means = {}
    # by size, since the resamples of one size are drawn once
    for name in sorted(samples, key=lambda name: len(samples[name].each)):
        if len(samples[name].each):
            mean = bootstrap(samples[name].each)
            means[name] = Value(mean.value, mean.low, mean.high, mean.n, samples[name].kind)
    return {name: means[name] for name in samples if name in means}


def effect_values(table: pd.DataFrame) -> Samples:
    """For each of :data:`paperlib.learning.family_maps.EFFECTS` of a labelled table, by name: the mean in log-odds
    (``<effect>``), the ``_share`` of families that speak as they should (allowed ones for the class, forbidden ones
    against it), and the share of ``_classes`` whose mean does; of random weights the same with ``_random``, and the
    paired ``_difference`` of the former two."""
    values: Samples = {}
    for effect in EFFECTS:
        sign = 1 if effect in ALLOWED else -1
        for ending in ("", RANDOM):
            column = table[f"{effect}{ending}"]
            values[f"{effect}{ending}"] = _sample(_by_crystal(table, column), "number")
            values[f"{effect}_share{ending}"] = _sample(_by_crystal(table, _speaks(column, sign)), "share")
            each = _by_class(table, column)
            values[f"{effect}_classes{ending}"] = _sample((sign * each > 0).astype(float), "share")
        trained, random = table[effect], table[f"{effect}{RANDOM}"]
        values[f"{effect}_difference"] = _sample(_by_crystal(table, trained - random), "number")
        speaks = _speaks(trained, sign) - _speaks(random, sign)
        values[f"{effect}_share_difference"] = _sample(_by_crystal(table, speaks), "points")
    return values


def place_values(table: pd.DataFrame) -> Samples:
    """What the place of a line makes: insertion at the place of the lattice less the same line off it, paired crystal
    by crystal, for all forbidden families and by what forbids them, with insertion itself; and the same of random
    weights."""
    values: Samples = {}
    for kind in ("all", *KINDS):
        some = table[~table["allowed"]] if kind == "all" else table[table["kind"] == kind]
        for ending in ("", RANDOM):
            here, beside = some[f"insertion{ending}"], some[f"moved{ending}"]
            values[f"insertion_{kind}{ending}"] = _sample(_by_crystal(some, here), "number")
            values[f"place_{kind}{ending}"] = _sample(_by_crystal(some, here - beside), "number")
        against = _speaks(some["insertion"], -1)
        values[f"insertion_share_{kind}"] = _sample(_by_crystal(some, against), "share")
        values[f"ig_filled_{kind}"] = _sample(_by_crystal(some, some["ig_filled"]), "number")
    return values


def deciding_values(table: pd.DataFrame) -> Samples:
    """Deletion of allowed families that a stricter class forbids (``deletion_deciding``), of the other ones
    (``deletion_others``), the paired ``deciding_difference`` over crystals that have both, and ``deciding_matched``,
    that to others alike: of the same crystal, at most :data:`NEAR` places away by angle and within a factor of
    :data:`ALIKE` in height; and the same of random weights."""
    values: Samples = {}
    allowed = table[table["allowed"]].reset_index(drop=True)
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
        values[f"deletion_deciding{ending}"] = _sample(wide[True].dropna(), "number")
        values[f"deletion_others{ending}"] = _sample(wide[False].dropna(), "number")
        each = pairs[f"deletion{ending}"] - pairs[f"deletion{ending}_other"]
        each = each.groupby([pairs["crystal"], pairs["index"]]).mean().groupby("crystal").mean()
        values[f"deciding_matched{ending}"] = _sample(each, "number")
        values[f"deciding_difference{ending}"] = _sample((wide[True] - wide[False]).dropna(), "number")
    return values


def angle_values(table: pd.DataFrame) -> Samples:
    """Effects of the :data:`LOWEST` families of either kind in a crystal (``<effect>_low``) and of the rest
    (``<effect>_high``), their paired ``<effect>_fall``, and what the place makes of the lowest (``place_low``); the
    last two of random weights as well."""
    values: Samples = {}
    low = table["rank"] < LOWEST
    for effect in ("deletion", "insertion", "moved"):
        for ending in ("", RANDOM):
            here = _by_crystal(table[low], table.loc[low, f"{effect}{ending}"])
            rest = _by_crystal(table[~low], table.loc[~low, f"{effect}{ending}"])
            values[f"{effect}_fall{ending}"] = _sample((here - rest).dropna(), "number")
            if not ending:
                values |= {f"{effect}_low": _sample(here, "number"), f"{effect}_high": _sample(rest, "number")}
    for ending in ("", RANDOM):
        place = table.loc[low, f"insertion{ending}"] - table.loc[low, f"moved{ending}"]
        values[f"place_low{ending}"] = _sample(_by_crystal(table[low], place), "number")
    return values


def agreement_values(means: pd.DataFrame) -> Samples:
    """Rank correlations over the families of a class, means over classes, of a
    :func:`paperlib.learning.family_maps.mean_map`: of integrated gradients with the experiment (``agree_<effect>``; of
    random weights with their own), and of each map with that of random weights (``survive_<effect>``)."""
    pairs = {f"agree_{ig}": (ig, other) for ig, other in AGREEMENTS.items()}
    pairs |= {f"agree_{ig}{RANDOM}": (f"{ig}{RANDOM}", f"{other}{RANDOM}") for ig, other in AGREEMENTS.items()}
    pairs |= {f"survive_{effect}": (effect, f"{effect}{RANDOM}") for effect in EFFECTS}
    values: Samples = {}
    for name, (one, other) in pairs.items():
        some = means[(means["n"] >= FEWEST) & means[one].notna() & means[other].notna()]
        each = [_rank_correlation(rows[one], rows[other]) for _, rows in some.groupby("label")]
        values[name] = _sample(pd.Series(each, dtype=float).dropna(), "number")
    return values


def _speaks(effect: pd.Series, sign: int) -> pd.Series:
    """1 where an effect has the sign, 0 where it has not or there is none; NaN where it is not known."""
    return (sign * effect > 0).astype(float).where(effect.notna())


def _by_crystal(table: pd.DataFrame, column: pd.Series) -> pd.Series:
    return column.groupby(table["crystal"]).mean().dropna()


def _by_class(table: pd.DataFrame, column: pd.Series) -> pd.Series:
    """Means by class of the means by crystal, where there are enough crystals."""
    each = column.groupby([table["label"], table["crystal"]]).mean().dropna().groupby("label")
    return each.mean()[each.count() >= FEWEST]


def _sample(each: pd.Series, kind: str) -> Sample:
    return Sample(each.to_numpy(dtype=float), kind)


def _rank_correlation(one: pd.Series, other: pd.Series) -> float:
    if len(one) < _FEWEST_FAMILIES or one.nunique() < 2 or other.nunique() < 2:
        return float("nan")
    return float(spearmanr(one, other).statistic)

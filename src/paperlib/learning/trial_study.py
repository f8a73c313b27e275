"""The study of lines put in and taken away: which crystals, and the numbers that come out of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.lab.metrics import bootstrap
from paperlib.lab.results import Value
from paperlib.learning.insertions import PLACES, TAKEN
from paperlib.learning.trial_answers import Network, paired_difference, read_right
from paperlib.learning.trial_worlds import TrialWorld
from paperlib.symmetry.absence_order import KINDS
from paperlib.symmetry.extinction import class_of_space_group, class_symbols

LINES = 4
"""Lines put in, the lowest ones, in what is compared."""

NAMED = {"f_cubic": (225, 221), "i_cubic": (229, 221), "d_glide": (227, 225)}
"""Pairs that are told one by one, by a space group of each class: centring F and I against none in cubic crystals, the
d glide against none in F-centred ones."""

_FEWEST = 5


def world_read_right(
    network: Network,
    crystals: CrystalSet,
    instrument: Instrument,
    imperfections: Imperfections | None = None,
    seed: int = 0,
) -> TrialWorld:
    """The world of those ``crystals`` whose pattern ``network`` reads right, since an answer that is wrong before
    anything is changed says little when it changes. Of all crystals, where it reads fewer than five right."""
    world = TrialWorld(crystals, instrument, imperfections, seed)
    right = read_right(network, world, class_of_space_group("absences")[crystals.space_group.astype(np.int64)])
    return world.part(right) if len(right) >= _FEWEST else world


def pair_table(answers: pd.DataFrame, height: float) -> pd.DataFrame:
    """One row per pair of classes of the trained network with the :data:`LINES` lowest lines of this ``height``: both
    symbols, ``kind``, the number of crystals ``n``, and at each place the mean probability of the own class, of the
    other one, of all that fit, and the share ``first`` of the patterns whose first answer is the other class."""
    some = _compared(answers, "trained", height)
    some = some.assign(first=some["first"] == some["other_class"])
    means = some.groupby(["own_class", "other_class", "kind", "place"])[["own", "other", "fits", "first"]].mean()
    wide = means.unstack("place")
    wide.columns = [f"{answer}_{place}" for answer, place in wide.columns]
    n = some.groupby(["own_class", "other_class", "kind"])["crystal"].nunique().rename("n")
    table, names = wide.join(n).reset_index(), class_symbols("absences")
    symbols = {column: [names[i] for i in table[f"{column}_class"]] for column in ("own", "other")}
    return table.drop(columns=["own_class", "other_class"]).assign(**symbols)


def insertion_values(answers: pd.DataFrame, height: float) -> dict[str, Value]:
    """Means over crystals for lines of this ``height``, by name: what was the probability of the own class ``before``;
    what is that of the own class and of all that ``fit``, on the lattice and moved; the paired ``difference`` of the
    latter, and ``withdrawn``, that of the own class moved less on the lattice. For each of
    :data:`paperlib.symmetry.absence_order.KINDS` that occurs and for all together, and the difference for random
    weights."""
    values = {}
    for kind in ("all", *KINDS):
        table = answers if kind == "all" else answers[answers["kind"] == kind]
        some = _compared(table, "trained", height)
        if some.empty:
            continue
        before = _compared(table, "trained", 0.0)
        values[f"before_{kind}"] = _mean(before[before["place"] == PLACES[0]], "own")
        for place in PLACES:
            here = some[some["place"] == place]
            values |= {f"{answer}_{place}_{kind}": _mean(here, answer) for answer in ("own", "fits")}
        values[f"difference_{kind}"] = _points(paired_difference(some, PLACES))
        values[f"withdrawn_{kind}"] = _points(-paired_difference(some, PLACES, "own"))
        random = _compared(table, "random", height)
        values[f"random_difference_{kind}"] = _points(paired_difference(random, PLACES))
    return values


def named_values(answers: pd.DataFrame, height: float) -> dict[str, Value]:
    """For the pairs :data:`NAMED` that occur: the share of patterns whose first answer is the other class, at each
    place."""
    of, some, values = class_of_space_group("absences"), _compared(answers, "trained", height), {}
    for name, (own, other) in NAMED.items():
        pair = some[(some["own_class"] == of[own]) & (some["other_class"] == of[other])]
        for place in PLACES:
            here = pair[pair["place"] == place]
            if len(here):
                turned = bootstrap((here["first"] == here["other_class"]).to_numpy(dtype=float))
                values[f"{name}_{place}"] = Value(turned.value, turned.low, turned.high, turned.n, "share")
    return values


def deletion_values(answers: pd.DataFrame) -> dict[str, Value]:
    """Means over crystals with the lines taken away altogether: the probability of the stricter class where its lines
    are gone and where others are, the same of the own class, and the paired difference of the former."""
    gone, values = answers[(answers["network"] == "trained") & (answers["height"] == 0)], {}
    for place in TAKEN:
        here = gone[gone["place"] == place]
        values |= {f"deleted_{answer}_{place}": _mean(here, answer) for answer in ("own", "fits")}
    return values | {"deleted_difference": _points(paired_difference(gone, TAKEN))}


def noise_values(world: TrialWorld) -> dict[str, Value]:
    """Standard deviation of the noise of the patterns of a world: median, and the ends that hold nine tenths."""
    ends = np.quantile(world.noise(), [0.05, 0.5, 0.95])
    names = ("noise_low", "noise_median", "noise_high")
    return {name: Value(float(end), kind="deviation") for name, end in zip(names, ends, strict=True)}


def _compared(answers: pd.DataFrame, network: str, height: float) -> pd.DataFrame:
    rows = (answers["network"] == network) & (answers["count"] == LINES) & (answers["height"] == height)
    return answers[rows]


def _mean(table: pd.DataFrame, answer: str) -> Value:
    mean = bootstrap(table.groupby("crystal")[answer].mean().to_numpy())
    return Value(mean.value, mean.low, mean.high, mean.n, "share")


def _points(differences: Sequence[float] | np.ndarray) -> Value:
    mean = bootstrap(np.asarray(differences))
    return Value(mean.value, mean.low, mean.high, mean.n, "points")

"""By what groups of one extinction class are told apart: the same trained networks, asked about altered patterns.

Within a class no reflection is present in one group and absent in another. What is left are the heights of the lines,
where the lines lie (a crystal that resembles one of the training set has nearly its cell), and how common the groups
are. Each control takes one of them away and leaves the reflections that exist as they are:

- ``permuted``: the heights change places among the lines (:class:`paperlib.diffraction.altered.Alteration`);
- ``larger``, ``smaller``: all edges of the cell times one factor. The pattern is that of the crystal at the wavelength
  divided by the factor, so that angles are those of the rescaled cell and |F|² of every reflection is unchanged;
- ``shape``: free edges change against one another (:mod:`paperlib.crystals.other_shape`);
- ``all``: all three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.other_shape import other_shape
from paperlib.datasets.labels import Labels
from paperlib.diffraction.altered import Alteration
from paperlib.diffraction.instrument import Instrument
from paperlib.lab.results import Value
from paperlib.learning.comparison import Scored, scored_across
from paperlib.learning.made_arms import CrystalTest
from paperlib.learning.ranked import GIVEN, ranked
from paperlib.learning.study import Trained

FULL = "test"
"""Key of the test of unaltered patterns."""
PERMUTED, SHAPE, ALL = "permuted", "shape", "all"
COMMONEST = "commonest"
TYPE_EDGES = (1, 3, 10)
"""Least numbers of training entries of a structure type in all bins but the first, which holds none."""


def known_class(scheme: str) -> str:
    """The space of answers: the space group, once the class of the ``scheme`` is known."""
    return f"space_group{GIVEN}{scheme}"


def rescaled(factor: float) -> str:
    """Key of the test whose cells are ``factor`` times as large; letters and digits alone."""
    return f"scaled_{round(1000 * factor)}"


def rescaled_at(instrument: Instrument, factor: float) -> Instrument:
    """The instrument on which a crystal shows the lines of one with ``factor`` times its edges, |F|² unchanged."""
    return replace(instrument, wavelength=instrument.wavelength / factor)


def controls(
    crystals: CrystalSet,
    rows: Mapping[Any, np.ndarray],
    clusters: np.ndarray,
    instrument: Instrument,
    scales: Sequence[float],
    change: float,
) -> list[CrystalTest]:
    """The tests of altered patterns, of ``rows`` of ``crystals`` by split: heights permuted; each of ``scales``; other
    shapes, whose edges ``change`` by up to that share; and all of it, at the largest of the ``scales``."""
    mixed, bent = Alteration(permuted=True), other_shape(crystals, change, seed=0)
    tests = [CrystalTest(PERMUTED, crystals, rows, clusters, instrument, alteration=mixed)]
    tests += [CrystalTest(rescaled(x), crystals, rows, clusters, rescaled_at(instrument, x)) for x in scales]
    tests += [CrystalTest(SHAPE, bent, rows, clusters, instrument)]
    far = rescaled_at(instrument, max(scales))
    return [*tests, CrystalTest(ALL, bent, rows, clusters, far, alteration=mixed)]


def several_groups(trained: Trained, scheme: str) -> dict[Any, np.ndarray]:
    """(n,) bool by split: the test items whose class of the ``scheme`` has more than one group."""
    classes = Labels(scheme).of(np.arange(1, 231))
    several = np.bincount(classes)[classes] > 1
    return {split: several[items.space_group - 1] for (test, split), items in trained.items.items() if test == FULL}


def in_class(trained: Trained, arm: str, scheme: str, seen: Mapping[Any, np.ndarray]) -> Scored:
    """Whether the group is right once the class is known, of test items whose class has several: ``arm@test`` for each
    test of the study, and :data:`COMMONEST`, the group of that class that is the commonest of those ``seen`` in
    training, (n,) space groups by split."""
    found = scored_across(trained, known_class(scheme))
    fine, guess = Labels("space_group"), {}
    for split, seed in found.values[f"{arm}@{FULL}"]:
        truth = trained.items[FULL, split].space_group
        counts = np.bincount(fine.of(seen[split]), minlength=len(fine))
        log_p = np.log(np.maximum(counts / counts.sum(), 1e-12))
        known = fine.given(np.tile(log_p, (len(truth), 1)), scheme, truth)
        guess[split, seed] = ranked(known, fine.of(truth)).hit(1)
    return Scored({**found.values, COMMONEST: guess}, found.clusters).only(several_groups(trained, scheme))


def control_table(kinds: Mapping[str, tuple[Scored, str]], controls: Sequence[str]) -> pd.DataFrame:
    """Scores under each of the ``controls``; ``kinds`` has scores and an arm of them by what they are called.

    One row as a whole, split and seed -1, and one for each training, without an interval: ``score``, ``control``,
    split, seed, value, low, high, n. The guess, where scores have it, is a control of its own.
    """
    rows = []
    for name, (scores, arm) in kinds.items():
        found = {test: f"{arm}@{test}" for test in controls}
        found |= {COMMONEST: COMMONEST} if COMMONEST in scores.values else {}
        for test, key in found.items():
            whole, place = scores.score(key), {"score": name, "control": test}
            numbers = {"value": whole.value, "low": whole.low, "high": whole.high, "n": whole.n}
            rows.append(place | {"split": -1, "seed": -1} | numbers)
            for (split, seed), x in scores.values[key].items():
                rows.append(place | {"split": split, "seed": seed, "value": x.mean(), "n": len(x)})
    return pd.DataFrame(rows)


def changes(
    kinds: Mapping[str, tuple[Scored, str]], controls: Sequence[str], scales: Sequence[float]
) -> dict[str, tuple[Scored, dict[str, float]]]:
    """What each of the ``controls`` changes of each of ``kinds``, as contrasts: ``<kind>_<control>``, with ``rescaled``
    for the mean over the first and the last of ``scales``; and ``gain_<control>``, what is above the guess."""
    found = {}
    ends = [*dict.fromkeys(map(rescaled, (scales[0], scales[-1])))]
    for name, (scores, arm) in kinds.items():
        sets = {test: [test] for test in controls if test != FULL} | {"rescaled": ends}
        for control, of in sets.items():
            terms = {f"{arm}@{test}": 1 / len(of) for test in of}
            found[f"{name}_{control}"] = scores, terms | {f"{arm}@{FULL}": -1.0}
        for test in controls if COMMONEST in scores.values else ():
            found[f"gain_{test}"] = scores, {f"{arm}@{test}": 1.0, COMMONEST: -1.0}
    return found


def type_bins(types: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """(len(test),) int: for each row of ``test`` the bin of the number of rows of ``train`` of its structure type, of
    ``types`` (n of all,): 0 for none, then by :data:`TYPE_EDGES`."""
    names, codes = np.unique(types, return_inverse=True)
    return np.digitize(np.bincount(codes[train], minlength=len(names))[codes[test]], TYPE_EDGES)


def by_kind(scores: Scored, arm: str, controls: Sequence[str], kinds: Mapping[Any, np.ndarray]) -> pd.DataFrame:
    """Scores of ``arm`` and of the guess for the test items of each of ``kinds``, (n of all,) by split, in the order of
    their names: ``kind``, ``score`` (a control, or :data:`COMMONEST`, or ``gain_<control>``, what is above the guess),
    value, low, high, n."""
    terms = {test: {f"{arm}@{test}": 1.0} for test in controls} | {COMMONEST: {COMMONEST: 1.0}}
    terms |= {f"gain_{test}": {f"{arm}@{test}": 1.0, COMMONEST: -1.0} for test in controls}
    rows = []
    for kind in np.unique(np.concatenate(list(kinds.values()))):
        here = scores.only({split: names == kind for split, names in kinds.items()})
        for name, of in terms.items():
            value = here.contrast(of)
            numbers = {"value": value.value, "low": value.low, "high": value.high, "n": value.n}
            rows.append({"kind": kind, "score": name} | numbers)
    return pd.DataFrame(rows)


def known_types(scores: Scored, arm: str, bins: Mapping[Any, np.ndarray]) -> tuple[Scored, dict[str, Any]]:
    """What the gain of ``arm`` over the guess is greater for test items whose structure type is in training than for
    the others, as a contrast; ``bins`` of :func:`type_bins` by split."""
    weights = {}
    for split, of_split in bins.items():
        known = (of_split > 0).astype(np.float64)
        weights[split] = known / known.mean() - (1 - known) / (1 - known).mean()
    return scores, {f"{arm}@{FULL}": weights, COMMONEST: {split: -w for split, w in weights.items()}}


def largest_gain(parts: pd.DataFrame) -> dict[str, Value]:
    """Of the rows of :func:`by_kind` by class, the class in which most answers are gained over the guess:
    ``largest_class``, ``largest_gain``, ``largest_guess`` (the guess) and ``largest_share``, its share of all that is
    gained in classes."""
    rows = parts.set_index(["score", "kind"])
    gained = rows.loc[f"gain_{FULL}", "value"] * rows.loc[f"gain_{FULL}", "n"]
    name = gained.idxmax()
    found = {"largest_class": Value(str(name), kind="text")}
    for value, score, kind in (("gain", f"gain_{FULL}", "points"), ("guess", COMMONEST, "share")):
        row = rows.loc[(score, name)]
        found[f"largest_{value}"] = Value(float(row.value), float(row.low), float(row.high), int(row.n), kind=kind)
    if gained.sum() > 0:
        found["largest_share"] = Value(float(gained[name] / gained.sum()), n=len(gained), kind="share")
    return found

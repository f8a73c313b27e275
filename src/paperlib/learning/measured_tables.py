"""What a study of measured patterns says: scores and differences, steps at test time, what gives the simulation away,
and how far the probabilities can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from paperlib.datasets.drawn_sets import DrawnSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.mineral_sets import WITHOUT
from paperlib.datasets.specimens import Specimens
from paperlib.diffraction.imperfections import RULES, Imperfections
from paperlib.learning import combined_answers as combined
from paperlib.learning import comparison
from paperlib.learning.calibration import (
    calibration_error,
    coverage_table,
    fit_temperature,
    reliability_table,
    tempered,
)
from paperlib.learning.combined_answers import Answers
from paperlib.learning.comparison import Scored
from paperlib.learning.expectation import guess_rows
from paperlib.learning.measured_study import SHIFTS, TOGETHER, WORLDS
from paperlib.learning.simulation_gap import features_of, gap_table, told_apart
from paperlib.learning.study import Trained

OTHERS = (*(f"in_{world}" for world in WORLDS), "three_worlds", "only_real", "only_random", "longer", "larger")
"""Arms that are compared with ``both_worlds``."""


def measured_scores(
    trained: Trained,
    spaces: Sequence[str],
    only: Mapping[Any, np.ndarray],
    guesses: Mapping[str, Mapping[Any, np.ndarray]],
    parts: Mapping[str, Mapping[Any, np.ndarray]],
) -> pd.DataFrame:
    """Scores in the columns of :mod:`paperlib.learning.comparison` of all arms on the tests ``measured`` (``only``,
    (n,) bool by fold), ``named`` and ``simulated``, of class frequencies alone (``guesses``, space groups by fold) on
    ``measured``, and on ``parts`` of it that occur, as the test ``measured_<part>``."""
    tables = [comparison.score_table(trained, "measured", spaces, only=only)]
    tables += [comparison.score_table(trained, test, spaces) for test in ("named", "simulated")]
    tables += [guess_rows(trained, "measured", space, guesses, only=only) for space in spaces]
    for name, rows in parts.items():
        if any(some.any() for some in rows.values()):
            of_part = comparison.score_table(trained, "measured", spaces, only=rows)
            tables.append(of_part.assign(test=f"measured_{name}"))
    return pd.concat(tables, ignore_index=True)


def measured_contrasts(
    trained: Trained, scheme: str, only: Mapping[Any, np.ndarray]
) -> dict[str, tuple[Scored, dict[str, float]]]:
    """Paired differences in top-1 over the classes of ``scheme``, named ``<effect>_<test>``, for the tests ``measured``
    (items ``only``, (n,) bool by fold) and ``simulated``: ``without_<imperfection>``, what is lost or won where a
    training was without it; ``<other>_instead``, where ``real`` was exchanged for another set or network, or
    ``both_worlds`` for one of :data:`OTHERS`; ``known``, where the training saw the structures; and on measured
    patterns alone ``known_fine_tuned`` and, what these add to the other, ``fine_tuning`` and ``simulation``."""
    both = {test: comparison.scored(trained, test, scheme) for test in ("measured", "simulated")}
    both["measured"] = both["measured"].only(only)
    ways = {f"without_{key.removeprefix('no_')}": {key: 1.0, "real": -1.0} for key in WITHOUT}
    ways |= {f"{key}_instead": {key: 1.0, "real": -1.0} for key in ("laboratory", "clean", "random", "published")}
    ways |= {"known": {"both_worlds": 1.0, "known_left_out": -1.0}}
    ways |= {f"{key}_instead": {key: 1.0, "both_worlds": -1.0} for key in OTHERS}
    pairs = {f"{way}_{test}": (both[test], terms) for test in both for way, terms in ways.items()}
    for way, other in (("fine_tuning", "both_worlds"), ("simulation", "measured_alone")):
        pairs[f"{way}_measured"] = (both["measured"], {"fine_tuned": 1.0, other: -1.0})
    pairs["known_fine_tuned_measured"] = both["measured"], {"fine_tuned": 1.0, "fine_tuned_left_out": -1.0}
    return pairs


def steps_at_test_time(
    trained: Trained,
    arm: str,
    labels: Labels,
    seen: Mapping[Any, np.ndarray],
    expected: Mapping[Any, np.ndarray],
    report: Sequence[Any],
) -> dict[str, Answers]:
    """Answers of ``arm`` to the measured patterns of the folds ``report``, by step: ``one`` view; the mean of the views
    of :data:`SHIFTS` and the ``surest`` of them; where there are several seeds their ``ensemble``, and ``all``, views
    and seeds; and with class frequencies of ``expected`` instead of ``seen`` (space groups (n,) by fold), of one view
    ``frequencies``, and of views and seeds ``all_frequencies``."""
    views = [
        {repeat: x for repeat, x in combined.kept_answers(trained, arm, test).items() if repeat[0] in report}
        for test in SHIFTS
    ]
    one, mean = views[list(SHIFTS).index("measured")], combined.mean_of(views)
    together = combined.ensemble(mean)
    steps: dict[str, Answers] = {"one": one, "views": mean, "surest": combined.surest_of(views)}
    if len(together) < len(mean):
        steps |= {"ensemble": combined.ensemble(one), "all": together}
    for name, answers in (("frequencies", one), ("all_frequencies", together)):
        steps[name] = combined.with_frequencies(answers, labels, seen, expected)
    return steps


def together(
    trained: Trained,
    labels: Labels,
    seen: Mapping[Any, np.ndarray],
    expected: Mapping[Any, np.ndarray],
    report: Sequence[Any],
) -> dict[str, Answers]:
    """The mean answer of all trainings of :data:`.measured_study.TOGETHER` to the measured patterns of the folds
    ``report``, as it is (``together``) and with class frequencies exchanged as in :func:`steps_at_test_time`
    (``together_frequencies``)."""
    joined = {}
    for arm in TOGETHER:
        of_arm = combined.kept_answers(trained, arm, "measured")
        joined |= {(split, (arm, seed)): x for (split, seed), x in of_arm.items() if split in report}
    mean = {(split, 0): x for (split, _), x in combined.ensemble(joined).items()}
    return {"together": mean, "together_frequencies": combined.with_frequencies(mean, labels, seen, expected)}


def gap_by_world(
    worlds: Mapping[str, DrawnSet], types: np.ndarray, measured: Specimens, some: np.ndarray, most: int = 1000
) -> pd.DataFrame:
    """:func:`paperlib.learning.simulation_gap.gap_table` of the first ``most`` patterns of each of ``worlds``, whose
    crystals are of ``types`` (n,), against ``some`` (m,) bool of the measured ones; a column ``world``."""
    grid = measured.instrument.grid()
    of_measured, clusters = features_of(measured.patterns[some], grid), measured.clusters[some]
    tables = []
    for name, world in worlds.items():
        numbers = np.arange(min(world.n, most))
        of_world = features_of(world.patterns(numbers), grid)
        table = gap_table(of_world, of_measured, (types[world.rows(numbers)], clusters))
        tables.append(table.assign(world=name))
    return pd.concat(tables, ignore_index=True)


def ranges_table(worlds: Mapping[str, Imperfections]) -> pd.DataFrame:
    """From what to what the ``worlds`` draw each imperfection: ``parameter``, ``<world>_low`` and ``<world>_high``
    (NaN for one that is always the same), ``unit``."""
    rows = []
    for parameter, rule in RULES.items():
        row: dict[str, Any] = {"parameter": parameter}
        for name, world in worlds.items():
            drawn = getattr(world, parameter)
            low, high = drawn if isinstance(drawn, tuple) and drawn[0] < drawn[1] else (np.nan, np.nan)
            row |= {f"{name}_low": low, f"{name}_high": high}
        rows.append(row | {"unit": rule.unit})
    return pd.DataFrame(rows)


class Said(NamedTuple):
    """Answers to the items of a test."""

    log_p: np.ndarray
    """(n, n_classes)."""
    space_group: np.ndarray
    """(n,) int64: the truth."""
    clusters: np.ndarray
    """(n,): items of one cluster are no independent evidence."""

    def part(self, rows: slice) -> Said:
        """Some of them."""
        return Said(*(x[rows] for x in self))


def said(trained: Trained, arm: str, test: str, splits: Sequence[Any], seed: int) -> Said:
    """What the training ``seed`` of ``arm`` said about ``test``, ``splits`` after one another."""
    answers, items = combined.kept_answers(trained, arm, test), [trained.items[test, split] for split in splits]
    log_p = np.concatenate([answers[split, seed] for split in splits])
    return Said(log_p, *(np.concatenate([getattr(i, name) for i in items]) for name in ("space_group", "clusters")))


def answers_told_apart(simulated: Said, measured: Said) -> float:
    """The AUC of trees that tell the two by the log-probabilities (:func:`.simulation_gap.told_apart`)."""
    return told_apart(simulated.log_p, measured.log_p, (simulated.clusters, measured.clusters))


class Calibration(NamedTuple):
    """How far probabilities can be believed; ``kind`` is ``plain`` or ``tempered``."""

    temperature: float
    error: pd.DataFrame
    """``test``, ``kind``, ``ece``, ``n``."""
    risk: pd.DataFrame
    """:func:`paperlib.learning.calibration.coverage_table` with ``test`` and ``kind``."""
    reliability: pd.DataFrame
    """:func:`paperlib.learning.calibration.reliability_table`, likewise."""


def calibrate(labels: Labels, coarse: Labels, fitted_on: Said, asked: Mapping[str, Said]) -> Calibration:
    """The temperature of ``fitted_on``, and what it does to the first of the classes ``coarse`` in the answers
    ``asked``, by test. Both are answers in ``labels``."""
    temperature = fit_temperature(fitted_on.log_p, labels.of(fitted_on.space_group))
    errors, curves, bins = [], [], []
    for test, answers in asked.items():
        target = coarse.of(answers.space_group)
        for kind, t in (("plain", 1.0), ("tempered", temperature)):
            found, place = labels.collapse(tempered(answers.log_p, t), coarse), {"test": test, "kind": kind}
            sure, right = np.exp(found.max(1)), found.argmax(1) == target
            errors.append(place | {"ece": calibration_error(found, target), "n": len(target)})
            curves.append(coverage_table(sure, right).assign(**place))
            bins.append(reliability_table(sure, right).assign(**place))
    tables = (pd.concat(some, ignore_index=True) for some in (curves, bins))
    return Calibration(temperature, pd.DataFrame(errors), *tables)


def refusal_threshold(risk: pd.DataFrame, test: str, right: float = 0.5) -> float:
    """The confidence below which an answer is to be refused so that, of those that are given about ``test``, a share of
    at least ``right`` is right: that of the largest coverage in the tempered rows of :attr:`Calibration.risk` which
    does it, or the highest threshold there where none does."""
    rows = risk[(risk["test"] == test) & (risk["kind"] == "tempered")].sort_values("coverage", ascending=False)
    enough = rows[rows["right"] >= right]
    return float((enough if len(enough) else rows.tail(1))["threshold"].iloc[0])


def scores_of(table: pd.DataFrame, arm: str) -> dict[str, dict[str, dict[str, float]]]:
    """Pooled scores of ``arm`` by test and space, ``top1`` and so on, rounded: for the card of a released network."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for row in table[(table["arm"] == arm) & (table["seed"] == -1)].itertuples():
        found.setdefault(row.test, {}).setdefault(row.space, {})[f"top{row.k}"] = round(float(row.value), 4)
    return found

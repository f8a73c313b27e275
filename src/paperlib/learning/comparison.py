"""From the answers of a study to its numbers: scores, guesses, ceilings and paired differences, with intervals.

Every study has one schema of scores (:data:`COLUMNS`). The row with split and seed -1 is the mean over all; how its
interval is made says :mod:`paperlib.lab.intervals`. A row of one training has an interval over its test items alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import f1_score

from paperlib.datasets.labels import Labels
from paperlib.lab.display import counted, one_line
from paperlib.lab.intervals import half_width, item_variance, mean_and_half_width, training_variance
from paperlib.lab.metrics import balanced_accuracy, expected_calibration_error
from paperlib.lab.results import Value
from paperlib.lab.run import Run
from paperlib.learning.ranked import Ranked, ranked
from paperlib.learning.study import Trained

COLUMNS = ["arm", "space", "test", "split", "seed", "k", "value", "low", "high", "n", "n_trainings"]
KS = (1, 3, 5)

Repeat = tuple[Any, int]
Coefficient = float | Mapping[Any, np.ndarray]


@dataclass(frozen=True)
class Scored:
    """One number per test item for every arm and repetition, to be averaged and compared in pairs."""

    values: Mapping[str, Mapping[Repeat, np.ndarray]]
    """By arm and (split, seed): (n,), the same items for all arms and seeds of a split."""
    clusters: Mapping[Any, np.ndarray]
    """By split: (n,) names; items of one cluster are no independent evidence."""

    def __repr__(self) -> str:
        n = sum(len(names) for names in self.clusters.values())
        return one_line("Scored", f"arms {', '.join(self.values)}", counted(n, "item"))

    def only(self, chosen: Mapping[Any, np.ndarray]) -> Scored:
        """The same for items ``chosen``, (n,) bool by split; splits without one are left out. ValueError if all are."""
        some = {split: rows for split, rows in chosen.items() if rows.any()}
        if not some:
            raise ValueError("no test item is chosen, in no split: there is nothing to average")
        values = {
            arm: {(split, seed): x[some[split]] for (split, seed), x in of_arm.items() if split in some}
            for arm, of_arm in self.values.items()
        }
        return Scored(values, {split: self.clusters[split][rows] for split, rows in some.items()})

    def means(self, blocks: bool = False) -> np.ndarray:
        """(arms, repetitions) mean of each training; ``blocks`` averages the seeds of a split where there are several
        splits. Arms that were repeated less often than others are left out."""
        repeats = max((list(of_arm) for of_arm in self.values.values()), key=len)
        often = [of_arm for of_arm in self.values.values() if all(r in of_arm for r in repeats)]
        table = np.array([[of_arm[r].mean() for r in repeats] for of_arm in often])
        splits = [split for split, _ in repeats]
        names = list(dict.fromkeys(splits))
        if not blocks or len(names) == 1:
            return table
        return np.stack([table[:, [s == name for s in splits]].mean(1) for name in names], axis=1)

    def contrast(self, terms: Mapping[str, Coefficient], kind: str = "points") -> Value:
        """The mean over items and repetitions of the sum of ``terms``, arms with a coefficient each: {"a": 1, "b": -1}
        is a paired difference. A coefficient may weigh items: (n,) by split."""
        sums = self.contributions(terms)
        n = sum(len(self.clusters[split]) for split in {split for split, _ in sums})
        training = training_variance(self.means(blocks=True))
        weight = sum(_size(coefficient) ** 2 for coefficient in terms.values())
        mean, half = mean_and_half_width(sums, self.clusters, training, weight)
        return Value(mean, mean - half, mean + half, n, kind=kind)

    def contributions(self, terms: Mapping[str, Coefficient]) -> dict[Repeat, np.ndarray]:
        """(n,) the sum of ``terms`` for each item, by repetition that all of their arms have."""
        first, *others = (self.values[arm] for arm in terms)
        repeats = [repeat for repeat in first if all(repeat in of_arm for of_arm in others)]
        return {
            (split, seed): sum(
                (k[split] if isinstance(k, Mapping) else k) * self.values[arm][split, seed] for arm, k in terms.items()
            )
            for split, seed in repeats
        }

    def score(self, arm: str) -> Value:
        """The mean of one arm, as a share."""
        return self.contrast({arm: 1.0}, kind="share")


def _size(coefficient: Coefficient) -> float:
    """How much a training counts that enters with ``coefficient``."""
    if isinstance(coefficient, Mapping):
        return float(np.mean([weights.mean() for weights in coefficient.values()]))
    return coefficient


def scored(
    trained: Trained, test: str, space: str, k: int = 1, measure: Callable[[Ranked], np.ndarray] | None = None
) -> Scored:
    """Of every arm that is scored in ``space``: per test item 1 where the true class is among the first ``k``, else 0,
    or another ``measure`` of the answers (n,)."""
    values: dict[str, dict[Repeat, np.ndarray]] = {}
    for arm, split, seed in trained.cells:
        answers = trained.answers.get((test, arm, split, seed), {})
        if space in answers:
            values.setdefault(arm, {})[split, seed] = measure(answers[space]) if measure else answers[space].hit(k)
    return Scored(values, {split: items.clusters for (name, split), items in trained.items.items() if name == test})


def scored_across(trained: Trained, space: str, k: int = 1) -> Scored:
    """:func:`scored` of all tests in one, to compare answers to different tests in pairs: arms are called ``arm@test``.
    Raises ValueError where the tests are not about the same crystals in the same order."""
    tests = dict.fromkeys(test for test, _ in trained.items)
    found = trained.items.items()
    groups = {split: [items.space_group for (_, of), items in found if of == split] for _, split in trained.items}
    if odd := [split for split, of_test in groups.items() if any(not np.array_equal(g, of_test[0]) for g in of_test)]:
        raise ValueError(f"the tests of split {odd[0]!r} are not about the same crystals: {', '.join(tests)}")
    each = {test: scored(trained, test, space, k) for test in tests}
    values = {f"{arm}@{test}": of_arm for test, found in each.items() for arm, of_arm in found.values.items()}
    return Scored(values, next(iter(each.values())).clusters)


def frequency_guess(
    trained: Trained, test: str, space: str, training_groups: Mapping[Any, np.ndarray]
) -> dict[Any, Ranked]:
    """What class frequencies alone answer, no pattern read: :class:`Ranked` by split, from the space groups of the
    training items (n,) by split."""
    labels = Labels(space)
    guesses = {}
    for split, groups in training_groups.items():
        counts = np.bincount(labels.of(groups), minlength=len(labels))
        log_p = np.log(np.maximum(counts / counts.sum(), 1e-12))
        truth = labels.of(trained.items[test, split].space_group)
        guesses[split] = ranked(np.tile(log_p, (len(truth), 1)), truth)
    return guesses


def score_table(
    trained: Trained,
    test: str,
    spaces: Sequence[str],
    training_groups: Mapping[Any, np.ndarray] | None = None,
    ks: Sequence[int] = KS,
    only: Mapping[Any, np.ndarray] | None = None,
    ceiling: str = "",
) -> pd.DataFrame:
    """Scores of all arms in ``spaces``, pooled and by training; with ``training_groups`` (see
    :func:`frequency_guess`) the arm ``frequency`` too. ``only`` chooses items, as in :meth:`Scored.only`.
    With ``ceiling`` (a scheme) the arm ``ceiling`` too: the best on balanced data that sees the classes of that scheme
    alone, or, in the space of that scheme itself, absences alone."""
    rows = []
    for space in spaces:
        guess = frequency_guess(trained, test, space, training_groups) if training_groups else {}
        for k in ks:
            whole = scored(trained, test, space, k)
            found = whole if only is None else whole.only(only)
            place = {"space": space, "test": test, "k": k}
            for arm, of_arm in found.values.items():
                rows.append(place | _row(arm, found.score(arm), len(of_arm)))
                rows += [place | _single(arm, *repeat, x, found.clusters[repeat[0]]) for repeat, x in of_arm.items()]
            if guess:
                hits = Scored({"frequency": {(split, -1): r.hit(k) for split, r in guess.items()}}, whole.clusters)
                hits = hits if only is None else hits.only(only)
                rows.append(place | _row("frequency", hits.score("frequency"), 0))
    tables = [pd.DataFrame(rows)[COLUMNS]]
    for space in spaces if ceiling else ():
        tables.append(ceiling_rows((space,), test, ks, seen="absences" if space == ceiling else ceiling))
    return pd.concat(tables, ignore_index=True)


def _row(arm: str, value: Value, n_trainings: int) -> dict[str, Any]:
    numbers = {"value": value.value, "low": value.low, "high": value.high, "n": value.n}
    return {"arm": arm, "split": -1, "seed": -1, **numbers, "n_trainings": n_trainings}


def _single(arm: str, split: Any, seed: int, hits: np.ndarray, clusters: np.ndarray) -> dict[str, Any]:
    mean, half = float(hits.mean()), half_width([item_variance(hits, clusters)])
    numbers = {"value": mean, "low": mean - half, "high": mean + half, "n": len(hits)}
    return {"arm": arm, "split": split, "seed": seed, **numbers, "n_trainings": 1}


def ceiling_rows(spaces: Sequence[str], test: str, ks: Sequence[int] = KS, seen: str = "absences") -> pd.DataFrame:
    """The arm ``ceiling``: the best that a model can do on balanced data that sees the classes ``seen`` alone."""
    place = {"arm": "ceiling", "test": test, "split": -1, "seed": -1, "n_trainings": 0}
    rows = [place | {"space": s, "k": k, "value": Labels(s).ceiling(k, seen)} for s in spaces for k in ks]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def rival_table(
    arm: str,
    answers: Mapping[Repeat, Mapping[str, Ranked]],
    clusters: Mapping[Any, np.ndarray],
    test: str,
    ks: Sequence[int] = KS,
) -> pd.DataFrame:
    """Scores of ``answers`` by (split, seed) and space that no training of the study gave: those of trees, or, with the
    seed -1, of one who learns nothing. ``clusters`` are those of the test items (n,) by split."""
    rows = []
    for space in next(iter(answers.values())):
        for k in ks:
            hits = Scored({arm: {repeat: of[space].hit(k) for repeat, of in answers.items()}}, clusters)
            fitted = {repeat: x for repeat, x in hits.values[arm].items() if repeat[1] >= 0}
            place = {"space": space, "test": test, "k": k}
            rows.append(place | _row(arm, hits.score(arm), len(fitted)))
            rows += [place | _single(arm, *repeat, x, clusters[repeat[0]]) for repeat, x in fitted.items()]
    return pd.DataFrame(rows)[COLUMNS]


def keep_scores(run: Run, table: pd.DataFrame, names: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """Write the table ``scores`` and, for each (space, arm) of ``names``, the values ``<name>_top<k>`` of its pooled
    rows; {} in a name stands for the test. Returns these rows by space, arm and test, k in columns, in per cent."""
    pooled = run.table("scores", table)[table.seed == -1]
    for row in pooled.itertuples():
        if (name := names.get((row.space, row.arm))) and row.n > 0:
            value = Value(row.value, row.low, row.high, int(row.n), kind="share")
            run.value(f"{name.format(row.test)}_top{row.k}", value)
    return pooled.pivot(index=["space", "arm", "test"], columns="k", values=["value", "low", "high"]).mul(100)


def keep_contrasts(
    run: Run, table: str, name: str, contrasts: Mapping[str, tuple[Scored, Mapping[str, Coefficient]]]
) -> pd.DataFrame:
    """Write :meth:`Scored.contrast` of each of ``contrasts`` (scores and terms by key) as a value, called ``name`` with
    the key in place of {}, and as a table: ``effect``, value, low, high, and a column for each repetition's mean."""
    rows = []
    for key, (scores, terms) in contrasts.items():
        effect = scores.contrast(terms)
        run.value(name.format(key), effect)
        each = {f"split{split}_seed{seed}": x.mean() for (split, seed), x in scores.contributions(terms).items()}
        rows.append({"effect": key, "value": effect.value, "low": effect.low, "high": effect.high} | each)
    return run.table(table, pd.DataFrame(rows))


def scores_by(scores: Scored, kinds: Mapping[str, Mapping[Any, np.ndarray]]) -> pd.DataFrame:
    """Score of every arm for the test items of each kind that occurs: ``arm``, ``kind``, value, low, high, n; ``kinds``
    names the kind of each item (n,), by arm and split."""
    rows = []
    for arm, of_split in kinds.items():
        for kind in np.unique(np.concatenate(list(of_split.values()))):
            score = scores.only({split: names == kind for split, names in of_split.items()}).score(arm)
            numbers = {"value": score.value, "low": score.low, "high": score.high, "n": score.n}
            rows.append({"arm": arm, "kind": kind} | numbers)
    return pd.DataFrame(rows)


def calibration_table(trained: Trained, test: str, spaces: Sequence[str]) -> pd.DataFrame:
    """Means over trainings, by arm and space: ``balanced_top1`` (recall averaged over the classes that occur),
    ``macro_f1``, and ``ece``, the calibration error of the first answer in 15 equal bins (Naeini et al., AAAI 2015)."""
    rows = []
    for space in spaces:
        for arm in dict.fromkeys(arm for arm, _, _ in trained.cells):
            answers = [trained.answers[test, *cell].get(space) for cell in trained.cells if cell[0] == arm]
            each = [_calibration(one) for one in answers if one is not None]
            if each:
                rows.append({"arm": arm, "space": space} | dict(pd.DataFrame(each).mean()))
    return pd.DataFrame(rows)


def _calibration(answers: Ranked) -> dict[str, float]:
    first = answers.top[:, 0]
    options = {"labels": np.unique(answers.target), "average": "macro", "zero_division": 0.0}
    confidence = np.exp(answers.top_log_p[:, 0].astype(np.float64))
    return {
        "balanced_top1": balanced_accuracy(first, answers.target),
        "macro_f1": float(f1_score(answers.target, first, **options)),
        "ece": expected_calibration_error(confidence, first == answers.target),
    }


def class_table(trained: Trained, test: str, space: str, training_groups: Mapping[Any, np.ndarray]) -> pd.DataFrame:
    """One row per class that occurs among the test items: class_index, symbol, n_train and n_test (added over splits),
    and ``<arm>_top1``, the share of its items that each arm reads right."""
    labels, found = Labels(space), scored(trained, test, space)
    n = len(labels)
    table = pd.DataFrame({"class_index": range(n), "symbol": [str(name) for name in labels.names]})
    table["n_train"] = sum(np.bincount(labels.of(groups), minlength=n) for groups in training_groups.values())
    truth = {split: labels.of(items.space_group) for (name, split), items in trained.items.items() if name == test}
    table["n_test"] = sum(np.bincount(classes, minlength=n) for classes in truth.values())
    for arm, of_arm in found.values.items():
        right = sum(np.bincount(truth[split], x, minlength=n) for (split, _), x in of_arm.items())
        table[f"{arm}_top1"] = right / sum(np.bincount(truth[split], minlength=n) for split, _ in of_arm).clip(1)
    return table[table.n_test > 0].reset_index(drop=True)


def confusion_table(trained: Trained, test: str, space: str, arm: str) -> pd.DataFrame:
    """Symbols of true and first answered classes that differ, most frequent first, over all trainings of an arm, with
    ``count`` and ``share`` of all answers."""
    names = np.array([str(name) for name in Labels(space).names], dtype=object)
    all_of_it = [trained.answers[test, *cell][space] for cell in trained.cells if cell[0] == arm]
    target, first = (np.concatenate(x) for x in ([a.target for a in all_of_it], [a.top[:, 0] for a in all_of_it]))
    pairs = pd.DataFrame({"true_symbol": names[target], "predicted_symbol": names[first]})
    wrong = pairs[target != first].value_counts().reset_index(name="count")
    order = ["count", "true_symbol", "predicted_symbol"]
    wrong = wrong.sort_values(order, ascending=[False, True, True], ignore_index=True)
    return wrong.assign(share=wrong["count"] / len(target))

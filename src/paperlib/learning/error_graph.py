"""How far wrong answers lie from the truth, on the graph of maximal subgroups, beside those of guesses that read no
pattern: the commonest class of the training set, and draws with the frequencies of the training set.

Draws are not made: what they give on average follows from the frequencies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from paperlib.datasets.labels import Labels
from paperlib.lab.results import Results, Value
from paperlib.learning.comparison import Repeat, Scored
from paperlib.learning.kept import published_name
from paperlib.learning.ranked import load_ranked
from paperlib.symmetry.relations import distances, steps

NETWORK, COMMONEST, DRAWS = "network", "commonest", "draws"


@dataclass(frozen=True)
class FirstAnswers:
    """What trainings, one for each split, say first about their test items, as classes of a scheme counted from 0."""

    target: Mapping[Repeat, np.ndarray]
    """(n,) by split and seed: the true class."""
    first: Mapping[Repeat, np.ndarray]
    """(n,): the class that is answered."""
    frequencies: Mapping[Any, np.ndarray]
    """(n_classes,) by split: shares of the classes in training."""
    clusters: Mapping[Any, np.ndarray]
    """(n,) by split: items of one cluster are no independent evidence."""

    def wrong(self) -> dict[Any, np.ndarray]:
        """(n,) bool by split: the items whose first answer is another class."""
        return {repeat[0]: self.first[repeat] != target for repeat, target in self.target.items()}


def published_answers(
    results: Results,
    stem: str,
    arm: str,
    space: str,
    truth: Mapping[Any, np.ndarray],
    clusters: Mapping[Any, np.ndarray],
    seen: Mapping[Any, np.ndarray],
    test: str = "test",
) -> FirstAnswers:
    """The predictions of all trainings of an ``arm`` that the study ``stem`` wrote, in ``space``.

    ``truth``, ``clusters`` and ``seen`` have, by split, the space groups (n,) of the test items, their clusters, and
    the space groups of the training items. Raises ValueError where the predictions are about other items.
    """
    labels, target, first = Labels(space), {}, {}
    table = results.table(stem, "trainings")
    for row in table[table.arm == arm].itertuples():
        repeat = int(row.split), int(row.seed)
        answers = load_ranked(results.file(stem, published_name(test, arm, *repeat)))[space]
        if not np.array_equal(answers.target, labels.of(truth[repeat[0]])):
            raise ValueError(f"the predictions of {stem} for {arm}, split {repeat[0]}, are about other test items")
        target[repeat], first[repeat] = answers.target.astype(np.int64), answers.top[:, 0].astype(np.int64)
    splits = [split for split, _ in target]
    counts = {split: np.bincount(labels.of(seen[split]), minlength=len(labels)) for split in splits}
    shares = {split: n / n.sum() for split, n in counts.items()}
    return FirstAnswers(target, first, shares, {split: clusters[split] for split in splits})


def between_classes(groups: np.ndarray, scheme: str) -> np.ndarray:
    """(n_classes, n_classes): the smallest of ``groups`` (230, 230), numbers or truth values, between a member of one
    class of the ``scheme`` and a member of the other. Space groups are classes of their own."""
    classes = Labels(scheme).of(np.arange(1, 231))
    found = np.full((classes.max() + 1,) * 2, groups.max(), dtype=groups.dtype)
    np.minimum.at(found, (classes[:, None], classes[None, :]), groups)
    return found


def class_distances(scheme: str, kinds: str = "tk") -> np.ndarray:
    """(n_classes, n_classes) edges between the nearest members of two classes; see
    :func:`paperlib.symmetry.relations.distances`."""
    return between_classes(distances(kinds), scheme)


def mean_distances(answers: FirstAnswers, distance: np.ndarray) -> Scored:
    """The ``distance`` (n_classes, n_classes) of every first answer from the truth, 0 for a right one, or another
    number or truth value of the two: of the :data:`NETWORK`, the :data:`COMMONEST` class, and :data:`DRAWS`."""
    return _values(answers, distance.astype(np.float64))


def wrong_within(answers: FirstAnswers, related: np.ndarray) -> Scored:
    """Of the items that the network answers wrongly: whether the answer is ``related`` (n_classes, n_classes bool; the
    truth first) to the truth. Beside it draws for the same items, of those that are not the truth either."""
    plain = _values(answers, (related & ~np.eye(len(related), dtype=bool)).astype(np.float64))
    drawn = {
        (split, seed): plain.values[DRAWS][split, seed] / (1 - answers.frequencies[split][target])
        for (split, seed), target in answers.target.items()
    }
    kept = {NETWORK: plain.values[NETWORK], DRAWS: drawn}
    return Scored(kept, plain.clusters).only(answers.wrong())


def commonest_within(answers: FirstAnswers, related: np.ndarray) -> Scored:
    """:func:`wrong_within` of one who always answers the commonest class, for the items that are not of it."""
    plain = _values(answers, related.astype(np.float64))
    wrong = {split: target != answers.frequencies[split].argmax() for (split, _), target in answers.target.items()}
    return Scored({COMMONEST: plain.values[COMMONEST]}, plain.clusters).only(wrong)


def _values(answers: FirstAnswers, of_pair: np.ndarray) -> Scored:
    """``of_pair`` (n_classes, n_classes) of the truth and what each answers."""
    values: dict[str, dict[Repeat, np.ndarray]] = {NETWORK: {}, COMMONEST: {}, DRAWS: {}}
    for (split, seed), target in answers.target.items():
        shares = answers.frequencies[split]
        values[NETWORK][split, seed] = of_pair[target, answers.first[split, seed]]
        values[COMMONEST][split, seed] = of_pair[target, shares.argmax()]
        values[DRAWS][split, seed] = (of_pair @ shares)[target]
    return Scored(values, answers.clusters)


def relation_table(scheme: str) -> dict[str, np.ndarray]:
    """Relations (n_classes, n_classes) bool, the truth first, of classes with members that an edge joins: ``one_edge``;
    ``t`` and ``k``, by the kind of edge; ``t_up`` and ``t_down``, where the answer has the larger or the smaller point
    group; and, of space groups, ``same_class``, that no absence tells apart."""
    down = {kind: _some(steps(kind), scheme) for kind in "tk"}
    found = {kind: below | below.T for kind, below in down.items()}
    found |= {"one_edge": found["t"] | found["k"], "t_up": down["t"].T, "t_down": down["t"]}
    if scheme == "space_group":
        classes = Labels("absences").of(np.arange(1, 231))
        found["same_class"] = classes[:, None] == classes
    return found


def _some(related: np.ndarray, scheme: str) -> np.ndarray:
    return ~between_classes(~related, scheme)


def distance_table(answers: Mapping[str, FirstAnswers], distance: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Shares of first answers at each ``distance`` from the truth, by the key of ``answers`` (``arm``), with those of
    who reads no pattern: ``arm``, ``who``, ``distance``, split, seed (-1 as a whole), value, low, high, n."""
    rows = []
    for arm, of_arm in answers.items():
        for edges in range(int(distance[arm].max()) + 1):
            scores = _values(of_arm, (distance[arm] == edges).astype(np.float64))
            for who in scores.values:
                rows += _rows({"arm": arm, "who": who, "distance": edges}, scores, {who: 1.0}, "share")
    return pd.DataFrame(rows)


def near_table(answers: Mapping[str, FirstAnswers], schemes: Mapping[str, str]) -> pd.DataFrame:
    """Of wrong answers, the shares that are related to the truth (:func:`relation_table`): ``arm``, ``who``
    (:data:`NETWORK`, :data:`DRAWS`, :data:`COMMONEST`, and ``above_draws``, network less draws), ``relation``, split,
    seed (-1 as a whole), value, low, high, n, and ``kind``, of value. ``schemes`` are the classes that arms answer."""
    rows = []
    for arm, of_arm in answers.items():
        for relation, related in relation_table(schemes[arm]).items():
            found, guess = wrong_within(of_arm, related), commonest_within(of_arm, related)
            for who, scores in ((NETWORK, found), (DRAWS, found), (COMMONEST, guess)):
                rows += _rows({"arm": arm, "who": who, "relation": relation}, scores, {who: 1.0}, "share")
            place = {"arm": arm, "who": "above_draws", "relation": relation}
            rows += _rows(place, found, {NETWORK: 1.0, DRAWS: -1.0}, "points")
    return pd.DataFrame(rows)


def _rows(place: Mapping[str, Any], scores: Scored, terms: Mapping[str, float], kind: str) -> list[dict[str, Any]]:
    whole = scores.contrast(terms)
    numbers = {"value": whole.value, "low": whole.low, "high": whole.high, "n": whole.n}
    rows = [{**place, "split": -1, "seed": -1, **numbers, "kind": kind}]
    for (split, seed), x in scores.contributions(terms).items():
        rows.append({**place, "split": split, "seed": seed, "value": x.mean(), "n": len(x), "kind": kind})
    return rows


def named_values(table: pd.DataFrame, name: str) -> dict[str, Value]:
    """The rows as a whole of such a ``table`` as values; ``name`` has columns in braces, "{arm}_{who}" for example."""
    whole = table[(table.split == -1) & (table.n > 0)]
    return {
        name.format(**row._asdict()): Value(row.value, row.low, row.high, int(row.n), kind=row.kind)
        for row in whole.itertuples(index=False)
    }

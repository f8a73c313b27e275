"""How much of a score is what the network expects, and how much is what it reads: class frequencies alone, and answers
with the frequencies exchanged (:mod:`paperlib.learning.priors`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from paperlib.datasets.labels import Labels
from paperlib.learning.comparison import COLUMNS, KS, Scored, frequency_guess, scored
from paperlib.learning.priors import CORRECTED
from paperlib.learning.study import Trained


def guess_rows(
    trained: Trained,
    test: str,
    space: str,
    known: Mapping[str, Mapping[Any, np.ndarray]],
    ks: Sequence[int] = KS,
    only: Mapping[Any, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Scores of class frequencies alone on ``test``, in the schema of :func:`paperlib.learning.comparison.score_table`:
    one arm for each of ``known``, the space groups of a training set (n,) by split; ``only`` as there."""
    clusters = scored(trained, test, space).clusters
    rows = []
    for arm, groups in known.items():
        guess = frequency_guess(trained, test, space, groups)
        for k in ks:
            hits = Scored({arm: {(s, -1): answers.hit(k) for s, answers in guess.items()}}, clusters)
            value = (hits if only is None else hits.only(only)).score(arm)
            numbers = {"value": value.value, "low": value.low, "high": value.high, "n": value.n, "n_trainings": 0}
            place = {"arm": arm, "space": space, "test": test, "split": -1, "seed": -1, "k": k}
            rows.append(place | numbers)
    return pd.DataFrame(rows)[COLUMNS]


def gained(trained: Trained, test: str, space: str, k: int = 1) -> Scored:
    """What the exchange of frequencies changes for each test item: 1 where the answer becomes right, -1 where it
    becomes wrong."""
    before, after = scored(trained, test, space, k), scored(trained, test, CORRECTED, k)
    values = {arm: {r: x - before.values[arm][r] for r, x in of_arm.items()} for arm, of_arm in after.values.items()}
    return Scored(values, before.clusters)


def recall_table(
    trained: Trained, test: str, space: str, known: Mapping[str, Mapping[Any, np.ndarray]]
) -> pd.DataFrame:
    """Recall of each class against its number of training items: one row for each class that occurs in ``test`` and
    each arm of ``known`` (space groups of its training items (n,) by split). Columns: arm, test, class_index, symbol,
    ``n_train`` (mean over splits), ``n_test`` (added over splits) and ``recall`` (over all trainings)."""
    labels = Labels(space)
    found, truth = scored(trained, test, space), {}
    for split in dict.fromkeys(split for split, _ in trained.repeats()):
        truth[split] = labels.of(trained.items[test, split].space_group)
    n = len(labels)
    n_test = sum(np.bincount(classes, minlength=n) for classes in truth.values())
    tables = []
    for arm, groups in known.items():
        n_train = np.mean([np.bincount(labels.of(of_split), minlength=n) for of_split in groups.values()], axis=0)
        of_arm = found.values[arm]
        right = sum(np.bincount(truth[split], hits, n) for (split, _), hits in of_arm.items())
        asked = sum(np.bincount(truth[split], minlength=n) for split, _ in of_arm)
        table = pd.DataFrame({"arm": arm, "test": test, "class_index": np.arange(n), "symbol": map(str, labels.names)})
        table = table.assign(n_train=n_train, n_test=n_test, recall=right / np.maximum(asked, 1))
        tables.append(table[n_test > 0])
    return pd.concat(tables, ignore_index=True)

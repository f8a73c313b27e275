"""Frequencies exchanged: what Bayes says, and what of a score is expectation."""

import numpy as np
import pandas as pd
import pytest

from paperlib.datasets.labels import Labels
from paperlib.learning.arms import TestItems
from paperlib.learning.expectation import gained, guess_rows, recall_table
from paperlib.learning.priors import CORRECTED, class_frequencies, exchanged
from paperlib.learning.ranked import ranked, ranks_alone
from paperlib.learning.study import Trained

LABELS = Labels("absences")


def test_the_exchange_is_the_posterior_of_the_other_frequencies():
    rng = np.random.default_rng(0)
    likelihood = rng.random((20, 4))
    seen, expected = np.array([0.7, 0.1, 0.1, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    posterior, other = (likelihood * p / (likelihood * p).sum(1, keepdims=True) for p in (seen, expected))
    assert np.allclose(np.exp(exchanged(np.log(posterior), seen, expected)), other)
    assert np.allclose(exchanged(np.log(posterior), seen, seen), np.log(posterior))
    with pytest.raises(ValueError, match="frequency 0"):
        exchanged(np.log(posterior), seen, np.array([0.5, 0.5, 0.0, 0.0]))


def test_no_class_is_impossible():
    counts = np.zeros(230)
    counts[224] = 10
    shares = class_frequencies(LABELS, counts)
    assert shares.sum() == pytest.approx(1) and shares.min() == pytest.approx(1 / (10 + len(LABELS)))
    assert shares[LABELS.of([225])[0]] == pytest.approx(11 / (10 + len(LABELS)))


def test_guesses_gains_and_recall_by_hand():
    groups = np.array([62, 62, 225, 225, 225])
    target, n = LABELS.of(groups), len(LABELS)
    certain = np.full((5, n), -20.0)
    certain[:, LABELS.of([62])[0]] = 0.0
    right = np.full((5, n), -20.0)
    right[np.arange(5), target] = 0.0
    right[4] = certain[4]
    answers = {LABELS.scheme: ranked(certain, target), CORRECTED: ranks_alone(right, target)}
    items = {("test", 0): TestItems(np.zeros((5, 1)), groups, np.arange(5), {})}
    cells, empty = pd.DataFrame([("a", 0, 0)], columns=["arm", "split", "seed"]), pd.DataFrame()
    trained = Trained(cells, empty, empty, {("test", "a", 0, 0): answers}, items)
    assert gained(trained, "test", LABELS.scheme).values["a"][0, 0].tolist() == [0, 0, 1, 1, 0]
    known = {"frequency_a": {0: np.array([225, 225, 62])}, "frequency_b": {0: np.array([62])}}
    rows = guess_rows(trained, "test", LABELS.scheme, known).set_index(["arm", "k"]).value
    assert rows["frequency_a", 1] == 3 / 5 and rows["frequency_b", 1] == 2 / 5 and rows["frequency_a", 3] == 1
    recall = recall_table(trained, "test", LABELS.scheme, {"a": known["frequency_a"]}).set_index("class_index")
    assert recall.n_train[target[[0, 2]]].tolist() == [1, 2] and recall.n_test[target[[0, 2]]].tolist() == [2, 3]
    assert recall.recall[target[[0, 2]]].tolist() == [1, 0] and len(recall) == 2

"""Views, trainings and frequencies put together: by hand where that can be done."""

import numpy as np
import pytest

from paperlib.datasets.labels import Labels
from paperlib.learning import combined_answers as combined
from paperlib.learning.arms import TestItems

SURE, UNSURE = np.log([[0.9, 0.1], [0.2, 0.8]]), np.log([[0.4, 0.6], [0.4, 0.6]])


def test_the_mean_is_that_of_probabilities():
    mean = combined.mean_of([{(0, 0): SURE}, {(0, 0): UNSURE}])[0, 0]
    assert np.allclose(np.exp(mean), [[0.65, 0.35], [0.3, 0.7]])


def test_the_surest_view_answers_alone():
    found = combined.surest_of([{(0, 0): UNSURE}, {(0, 0): SURE}])[0, 0]
    assert np.allclose(found, SURE)


def test_an_ensemble_joins_the_seeds_of_a_split():
    joined = combined.ensemble({(0, 0): SURE, (0, 1): UNSURE, (1, 0): SURE, (1, 1): SURE})
    assert list(joined) == [(0, 0), (1, 0)]
    assert np.allclose(np.exp(joined[0, 0][0]), [0.65, 0.35]) and np.allclose(joined[1, 0], SURE)


def test_frequencies_are_exchanged_by_split():
    labels = Labels("space_group")
    flat = np.full((1, 230), -np.log(230))
    seen, expected = {0: np.repeat(np.arange(1, 231), 9)}, {0: np.array([62] * 100)}
    found = combined.with_frequencies({(0, 0): flat}, labels, seen, expected)[0, 0]
    assert found.argmax() == 61 and np.logaddexp.reduce(found, axis=1) == pytest.approx(0)
    assert np.exp(found[0, 61] - found[0, 0]) == pytest.approx(101)


def test_a_table_of_steps_counts_right_answers():
    labels = Labels("space_group")
    log_p = np.full((4, 230), -20.0)
    log_p[np.arange(4), [0, 0, 13, 224]] = 0.0
    log_p -= np.logaddexp.reduce(log_p, axis=1, keepdims=True)
    items = {0: TestItems(np.zeros((4, 1)), np.array([1, 2, 14, 62]), np.arange(4), {})}
    table = combined.step_table({"one": {(0, 0): log_p}}, labels, ("space_group", "published"), items, "measured")
    whole = table[table.seed == -1].set_index(["space", "k"]).value
    assert whole["space_group", 1] == pytest.approx(0.5)
    # P1 and P-1 are one extinction class
    assert whole["published", 1] == pytest.approx(0.75)

"""Scores against cases worked by hand, scikit-learn and simulated data with a known truth."""

import numpy as np
import pytest
from sklearn.metrics import top_k_accuracy_score

from paperlib.lab import metrics


def softmax_like(n, n_classes, seed):
    """(n, n_classes) rows of positive numbers that add up to 1, without ties."""
    raw = np.random.default_rng(seed).random((n, n_classes)) ** 3
    return raw / raw.sum(axis=1, keepdims=True)


def top_k(probabilities, targets, k):
    return (metrics.ranks(probabilities, targets) < k).astype(float)


def ece(probabilities, targets, **more):
    first = probabilities.argmax(1)
    return metrics.expected_calibration_error(probabilities.max(1), first == targets, **more)


def test_ranks_by_hand_with_ties_broken_by_class_index():
    probabilities = np.array(
        [
            [0.7, 0.2, 0.1],
            [0.7, 0.2, 0.1],
            [0.4, 0.2, 0.4],
            [0.4, 0.2, 0.4],
            [1 / 3, 1 / 3, 1 / 3],
            [1 / 3, 1 / 3, 1 / 3],
        ]
    )
    targets = np.array([0, 2, 0, 2, 0, 2])
    assert metrics.ranks(probabilities, targets).tolist() == [0, 2, 0, 1, 0, 2]
    assert top_k(probabilities, targets, 1).tolist() == [1, 0, 1, 0, 1, 0]
    assert top_k(probabilities, targets, 2).tolist() == [1, 0, 1, 1, 1, 0]
    assert top_k(probabilities, targets, 3).tolist() == [1] * 6


def test_a_constant_prediction_scores_the_share_of_its_first_classes():
    # a prediction that reads nothing must not gain from ties: uniform rows score the first k classes only
    targets = np.random.default_rng(0).integers(10, size=1000)
    uniform = np.full((1000, 10), 0.1)
    for k in (1, 3, 10):
        assert top_k(uniform, targets, k).mean() == np.mean(targets < k)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_is_that_of_scikit_learn(k):
    probabilities = softmax_like(400, 12, seed=k)
    targets = np.random.default_rng(k + 1).integers(12, size=400)
    expected = top_k_accuracy_score(targets, probabilities, k=k, labels=np.arange(12))
    assert top_k(probabilities, targets, k).mean() == pytest.approx(expected, abs=1e-12)


def test_ranks_do_not_change_with_the_order_of_classes_or_items():
    probabilities = softmax_like(50, 8, seed=3)
    targets = np.random.default_rng(4).integers(8, size=50)
    order, items = np.random.default_rng(5).permutation(8), np.random.default_rng(6).permutation(50)
    expected = metrics.ranks(probabilities, targets)
    assert np.array_equal(metrics.ranks(probabilities[:, order], np.argsort(order)[targets]), expected)
    assert np.array_equal(metrics.ranks(probabilities[items], targets[items]), expected[items])
    assert metrics.ranks(np.empty((0, 8)), np.empty(0, dtype=int)).shape == (0,)


@pytest.mark.parametrize(
    "probabilities, targets, message",
    [
        ([[0.5, 0.5], [np.nan, 1.0]], [0, 1], "probabilities of item 1 are not finite"),
        ([[0.5, np.inf]], [0], "probabilities of item 0 are not finite"),
        ([[0.5, 0.5]], [0, 1], "does not match"),
        ([[0.5, 0.5]], [2], "targets run from 2 to 2, but there are 2 classes"),
        ([[0.5, 0.5]], [-1], "targets run from -1 to -1"),
    ],
)
def test_bad_predictions_are_refused_with_their_values(probabilities, targets, message):
    with pytest.raises(ValueError, match=message):
        metrics.ranks(np.array(probabilities), np.array(targets))


def test_balanced_accuracy_weighs_classes_equally():
    targets = np.array([0] * 90 + [1] * 10)
    always_zero = np.tile([0.9, 0.1], (100, 1))
    assert top_k(always_zero, targets, 1).mean() == pytest.approx(0.9)
    assert metrics.balanced_accuracy(always_zero.argmax(1), targets) == pytest.approx(0.5)


def test_calibration_error_by_hand():
    # two bins of confidence: 0.6 (three items, one correct) and 0.9 (two items, both correct), so that
    # ECE = (3 * |0.6 - 1/3| + 2 * |0.9 - 1|) / 5
    probabilities = np.array([[0.6, 0.4]] * 3 + [[0.1, 0.9]] * 2)
    targets = np.array([0, 1, 1, 1, 1])
    expected = (3 * abs(0.6 - 1 / 3) + 2 * 0.1) / 5
    assert ece(probabilities, targets, n_bins=10) == pytest.approx(expected)
    # in one bin, gaps of opposite sign cancel: |mean confidence - accuracy|
    assert ece(probabilities, targets, n_bins=1) == pytest.approx(abs(0.72 - 0.6))


def test_calibration_error_of_certainty_is_the_error_rate():
    targets = np.array([0, 0, 1, 1])
    assert ece(np.eye(2)[targets], targets) == 0
    assert ece(np.eye(2)[[0, 0, 1, 0]], targets) == pytest.approx(0.25)


def test_calibrated_predictions_have_a_small_error_and_sharpened_ones_a_large_one():
    rng = np.random.default_rng(7)
    confidence = rng.uniform(0.5, 1, size=20_000)
    targets = (rng.random(20_000) > confidence).astype(int)
    calibrated = np.stack([confidence, 1 - confidence], axis=1)
    sharper = calibrated**4 / (calibrated**4).sum(axis=1, keepdims=True)
    # 15 bins of over 1000 items: each accuracy is known to about 0.013
    assert ece(calibrated, targets) < 0.02
    assert ece(sharper, targets) > 0.1


def test_mean_by_group_by_hand():
    values = np.array([[1.0, 10.0], [3.0, 20.0], [5.0, 60.0]])
    found, count, means = metrics.mean_by_group(values, np.array([7, 2, 7]))
    assert found.tolist() == [2, 7] and count.tolist() == [1, 2]
    assert means.tolist() == [[3.0, 20.0], [3.0, 35.0]]


def test_the_bootstrap_interval_of_independent_scores_is_the_normal_one():
    scores = np.random.default_rng(8).random(400)
    value = metrics.bootstrap(scores)
    standard_error = scores.std() / 20
    assert value.value == pytest.approx(scores.mean()) and value.n == 400
    assert value.low == pytest.approx(scores.mean() - 1.96 * standard_error, abs=0.15 * standard_error)
    assert value.high == pytest.approx(scores.mean() + 1.96 * standard_error, abs=0.15 * standard_error)
    narrow = metrics.bootstrap(scores, level=0.5)
    assert value.low < narrow.low < value.value < narrow.high < value.high


def clustered(seed):
    """Hits of a classifier whose hit rate differs between 64 clusters of 1 to 8 items; the expected hit rate
    is 0.6 whatever the size."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(64), rng.permutation(np.repeat(np.arange(1, 9), 8)))
    rate = rng.beta(1.2, 0.8, size=64)
    return (rng.random(len(groups)) < rate[groups]).astype(float), groups


def test_clustered_intervals_hold_the_truth_as_often_as_they_say_and_plain_ones_do_not():
    inside = {"clustered": 0, "plain": 0}
    n = 300
    for seed in range(n):
        scores, groups = clustered(seed)
        for name, intervals in (("clustered", groups), ("plain", None)):
            value = metrics.bootstrap(scores, intervals, n_resamples=400)
            inside[name] += value.low <= 0.6 <= value.high
    # 95 % of 300 with a standard deviation of 1.3 %; the percentile interval of 64 clusters is a little short
    assert 0.90 <= inside["clustered"] / n <= 0.985
    assert inside["plain"] / n < 0.88


def test_copies_of_an_item_are_no_evidence_when_they_form_one_group():
    hits = (np.random.default_rng(9).random(200) < 0.7).astype(float)
    groups = np.repeat(np.arange(200), 10)
    single, copied = metrics.bootstrap(hits), metrics.bootstrap(np.repeat(hits, 10), groups)
    assert (copied.low, copied.high) == pytest.approx((single.low, single.high), abs=1e-12)
    fooled = metrics.bootstrap(np.repeat(hits, 10))
    assert fooled.high - fooled.low < 0.4 * (single.high - single.low)


def test_the_interval_is_a_function_of_the_seed_and_of_nothing_drawn_before():
    scores = np.random.default_rng(10).random(60)
    first = metrics.bootstrap(scores, seed=1)
    metrics.bootstrap(scores[:31], seed=5)
    assert metrics.bootstrap(scores, seed=1) == first
    assert metrics.bootstrap(scores, seed=2) != first
    assert metrics.bootstrap(np.ones(9)).low == metrics.bootstrap(np.ones(9)).high == 1.0


def test_groups_may_be_named_by_anything():
    scores = np.random.default_rng(11).random(30)
    numbers = np.arange(30) // 3
    names = np.array([f"formula-{i:02d}" for i in numbers])
    assert metrics.bootstrap(scores, names) == metrics.bootstrap(scores, numbers)


@pytest.mark.parametrize(
    "scores, groups, message",
    [
        ([], None, "needs a list of scores"),
        ([[0.5, 0.5]], None, "needs a list of scores"),
        ([0.5, 0.5], [1, 1, 2], "does not match"),
    ],
)
def test_bootstrap_refuses_what_is_no_list_of_scores(scores, groups, message):
    with pytest.raises(ValueError, match=message):
        metrics.bootstrap(scores, groups)

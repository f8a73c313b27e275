"""Intervals by hand, and how often they hold the truth where it is known."""

import numpy as np
import pytest
from scipy import stats

from paperlib.lab import metrics
from paperlib.lab.intervals import Part, half_width, item_variance, mean_and_half_width, training_variance


def test_item_variance_by_hand():
    # mean 0.5; sums of deviations by cluster 1.0, -0.5, -0.5, so (1 + 0.25 + 0.25) / 16 * 3 / 2
    part = item_variance(np.array([1.0, 1.0, 0.0, 0.0]), np.array(["a", "a", "b", "c"]))
    assert part == (pytest.approx(1.5 / 16 * 1.5), 2.0)
    alone = item_variance(np.array([1.0, 1.0, 0.0, 0.0]), np.arange(4))
    assert alone == (pytest.approx(np.var([1, 1, 0, 0], ddof=1) / 4), 3.0), "the variance of a mean of single items"
    assert item_variance(np.array([1.0, 0.0]), np.zeros(2)) == (0.0, 1.0), "one cluster shows nothing"


def test_training_variance_by_hand():
    # 0.5 ± 0.1 for one arm
    assert training_variance(np.array([[0.4, 0.5, 0.6]])) == (pytest.approx(0.01), 2.0)
    # what an arm and a repetition explain is no noise
    assert training_variance(np.array([[0.1, 0.3], [0.2, 0.4], [0.5, 0.7]])) == (pytest.approx(0.0, abs=1e-30), 2.0)
    # residuals ± 0.025 in each of four cells, one degree of freedom
    assert training_variance(np.array([[0.5, 0.6], [0.6, 0.6]])) == (pytest.approx(4 * 0.025**2), 1.0)
    assert training_variance(np.array([[0.5], [0.6]])) == (0.0, 0.0), "one repetition shows nothing"


def test_half_width_is_that_of_students_t():
    assert half_width([Part(4.0, 10.0)]) == pytest.approx(2 * stats.t.ppf(0.975, 10))
    assert half_width([Part(4.0, 10.0)], level=0.5) == pytest.approx(2 * stats.t.ppf(0.75, 10))
    both = half_width([Part(3.0, 100.0), Part(1.0, 2.0)])
    assert both == pytest.approx(2 * stats.t.ppf(0.975, 16 / (9 / 100 + 1 / 2)))
    assert half_width([Part(4.0, 10.0), Part(0.0, 0.0)]) == half_width([Part(4.0, 10.0)])
    assert half_width([Part(0.0, 3.0)]) == 0.0, "where nothing varies there is no width"


def test_the_interval_of_one_training_is_the_bootstrap_interval_over_clusters():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(200), rng.integers(1, 5, 200))
    hits = (rng.random(len(clusters)) < rng.beta(2, 1, 200)[clusters]).astype(float)
    mean, half = mean_and_half_width({("s", 0): hits}, {"s": clusters}, Part(0.0, 0.0), 1.0)
    value = metrics.bootstrap(hits, clusters)
    assert mean == pytest.approx(value.value)
    assert half == pytest.approx((value.high - value.low) / 2, rel=0.06)


def test_seeds_of_a_split_share_their_items_and_splits_have_their_own():
    values, names = np.array([1.0, 0.0, 1.0, 0.0]), np.arange(4)
    once = mean_and_half_width({("s", 0): values}, {"s": names}, Part(0, 0), 1.0)
    assert mean_and_half_width({("s", i): values for i in range(3)}, {"s": names}, Part(0, 0), 1.0) == once
    two = mean_and_half_width({("s", 0): values, ("t", 0): values}, {"s": names, "t": names}, Part(0, 0), 1.0)
    assert two[0] == once[0] and two[1] == pytest.approx(half_width([Part(1 / 12 / 2, 6.0)]))


def test_training_counts_by_repetitions_and_coefficients():
    values, names = np.full(4, 0.5), np.arange(4)
    seeds = {("s", i): values for i in range(3)}
    assert mean_and_half_width(seeds, {"s": names}, Part(0.03, 4.0), 1.0)[1] == pytest.approx(
        half_width([Part(0.01, 4)])
    )
    assert mean_and_half_width(seeds, {"s": names}, Part(0.03, 4.0), 2.0)[1] == pytest.approx(
        half_width([Part(0.02, 4)])
    )
    splits = {(s, i): values for s in "ab" for i in range(3)}
    half = mean_and_half_width(splits, {"a": names, "b": names}, Part(0.03, 4.0), 1.0)[1]
    assert half == pytest.approx(half_width([Part(0.015, 4)])), "splits are the repetitions where there are several"


N_STUDIES = 300


def coverage(n_arms, repeats, training, without_training_part=False):
    """How often 95 % intervals hold the truth, in made-up studies: (arms,) for the scores and (arms - 1,) for the
    paired differences from the first.

    A hit is a latent sum above zero: the arm, the cluster (shared by all arms, and apart for each), the item (shared),
    the training (normal, standard deviation ``training``) and chance. All clusters, items and trainings are drawn anew
    in every study, so that the true score is the normal probability at the arm's level over the root of all variances.
    """
    rng = np.random.default_rng(n_arms + len(repeats))
    clusters = np.repeat(np.arange(150), rng.integers(1, 6, 150))
    n, splits = len(clusters), list(dict.fromkeys(split for split, _ in repeats))
    names = dict.fromkeys(splits, clusters)
    levels = np.linspace(0.2, 0.8, n_arms)
    truth = stats.norm.cdf(levels / np.sqrt(0.5 + 0.16 + 0.6 + 0.4 + training**2))
    held = np.zeros((2, n_arms))
    for _ in range(N_STUDIES):
        drawn = {}
        for split in splits:
            shared = np.sqrt(0.5) * rng.standard_normal(150)[clusters] + np.sqrt(0.6) * rng.standard_normal(n)
            drawn[split] = levels[:, None] + shared + 0.4 * rng.standard_normal((n_arms, 150))[:, clusters]
        noise = {r: training * rng.standard_normal((n_arms, 1)) for r in repeats}
        chance = {r: np.sqrt(0.4) * rng.standard_normal((n_arms, n)) for r in repeats}
        hits = {r: (drawn[r[0]] + noise[r] + chance[r] > 0).astype(float) for r in repeats}
        part = training_variance(np.stack([hits[r].mean(1) for r in repeats], axis=1))
        if without_training_part:
            part = Part(0.0, 0.0)
        for arm in range(n_arms):
            mean, half = mean_and_half_width({r: h[arm] for r, h in hits.items()}, names, part, 1.0)
            held[0, arm] += abs(mean - truth[arm]) <= half
            differences = {r: h[arm] - h[0] for r, h in hits.items()}
            mean, half = mean_and_half_width(differences, names, part, 2.0)
            held[1, arm] += abs(mean - (truth[arm] - truth[0])) <= half
    return held[0] / N_STUDIES, held[1, 1:] / N_STUDIES


THREE_SEEDS = [(0, 0), (0, 1), (0, 2)]
TWO_SPLITS = [(0, 0), (1, 1)]


# With 300 studies a share of 95 % is known to 1.3 %; the mean over arms is held to 92-99 %, each arm to three of these.
@pytest.mark.parametrize(
    "n_arms, repeats, training",
    [
        pytest.param(2, THREE_SEEDS, 0.08, id="one split, three seeds"),
        pytest.param(5, TWO_SPLITS, 0.08, id="two splits paired with seeds, five arms"),
        pytest.param(3, [(0, 0)], 0.0, id="one training whose noise is none"),
    ],
)
def test_intervals_of_95_percent_hold_the_truth_as_often_as_they_say(n_arms, repeats, training):
    """Training noise is given in the latent: 0.08 moves a score by 2 to 3 points from seed to seed, more than what was
    seen in the notebooks. Scores and paired differences are held alike."""
    scores, differences = coverage(n_arms, repeats, training)
    assert 0.92 <= scores.mean() <= 0.99 and 0.92 <= differences.mean() <= 0.99, (scores, differences)
    assert min(scores.min(), differences.min()) >= 0.91, (scores, differences)


def test_intervals_that_leave_the_training_out_fall_short():
    """What the part of the training is for: test items alone would hold the truth far less often than they say."""
    scores, differences = coverage(2, THREE_SEEDS, 0.25, without_training_part=True)
    assert scores.mean() < 0.85 and differences.mean() < 0.75, (scores, differences)
    scores, differences = coverage(2, THREE_SEEDS, 0.25)
    assert scores.mean() >= 0.91 and differences.mean() >= 0.9, (scores, differences)

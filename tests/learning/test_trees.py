"""Trees on peak positions: what they are shown, and that they answer the same whoever does the work."""

import numpy as np
import pytest

from paperlib.datasets.labels import Labels
from paperlib.datasets.streams import ArrayStream
from paperlib.diffraction.instrument import Instrument
from paperlib.learning.arms import Arm, Passes
from paperlib.learning.made_arms import ReflectionData
from paperlib.learning.trees import ask_trees, first_peaks, forest_answers, peaks_of_stream

from .made_up import arms, asked, prepared

INSTRUMENT = Instrument()


def lines(*two_theta):
    """One pattern with Gaussians of 0.14° at these places, each lower than the one before."""
    grid = INSTRUMENT.grid()
    return sum(0.5**i * np.exp2(-4 * ((grid - x) / 0.14) ** 2) for i, x in enumerate(two_theta))


def test_the_first_peaks_are_those_of_the_lowest_angles():
    patterns = np.stack([lines(60.0, 20.03, 40.5), lines(30.0), np.zeros(1000)])
    found = first_peaks(patterns, INSTRUMENT, n_peaks=2)
    expected = 4 * np.pi / INSTRUMENT.wavelength * np.sin(np.radians(np.array([20.03, 40.5, 30.0]) / 2))
    assert found[0] == pytest.approx([expected[0], expected[1], 3], rel=1e-5)
    assert found[1] == pytest.approx([expected[2], 0, 1], rel=1e-5) and not found[2].any()
    low = first_peaks(lines(60.0, 20.03, 40.5)[None], INSTRUMENT, n_peaks=3, min_height=0.3)
    assert low[0, -1] == 2 and low[0, 2] == 0, "a quarter of the highest is no peak here"
    assert first_peaks(patterns, INSTRUMENT).shape == (3, 11) and len(first_peaks(patterns[:0], INSTRUMENT)) == 0


def test_a_stream_is_read_in_its_order_and_cut_at_the_item():
    data = ReflectionData(Labels("published"), INSTRUMENT, 16, 48)
    features, targets = peaks_of_stream(data(0, 0), 40, INSTRUMENT)
    whole = np.concatenate([data(0, 0).batch(step)[0].numpy() for step in range(3)])
    assert np.array_equal(features, first_peaks(whole, INSTRUMENT)[:40])
    assert np.array_equal(targets, Labels("published").of(data(0, 0).space_groups(np.arange(40))))
    short = ArrayStream(whole, np.arange(48), 20, seed=0)
    assert sorted(peaks_of_stream(short, 48, INSTRUMENT)[1].tolist()) == list(range(48)), "the last batch is shorter"


def test_a_forest_learns_a_threshold_and_depends_on_its_seed_alone():
    draws = np.random.default_rng(0)
    features = draws.random((200, 3)).astype(np.float32)
    targets = np.where(features[:, 1] > 0.5, 4, 2)
    one, again, other = (
        forest_answers(features[:150], targets[:150], [features[150:]], 6, seed, 20, n_jobs=jobs)[0]
        for seed, jobs in ((0, 1), (0, 2), (1, 1))
    )
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    assert (one.argmax(1) == targets[150:]).mean() > 0.95
    assert np.exp(one).sum(1) == pytest.approx(1) and np.exp(one[:, [0, 1, 3, 5]]) == pytest.approx(1 / 21 / 6)
    with pytest.raises(ValueError, match="classes from 0 to 3, got 2 to 4"):
        forest_answers(features, targets, [features], 4)


def test_trees_answer_in_place_of_a_network(tmp_path):
    data = prepared(tmp_path)
    arm = arms(data)[1]
    answers = ask_trees(arm, [asked(data)], 0, 0, data.instrument, n_trees=20)
    assert list(answers) == ["test"] and list(answers["test"]) == ["space_group", "absences"]
    assert answers["test"]["absences"].hit(1).mean() > 0.7, "one peak or two tells the classes apart"
    reflection = ReflectionData(Labels("crystal_family"), INSTRUMENT, 230, 690)
    arm = Arm("trees", reflection.labels, reflection, Passes(1, 1e-3), ("crystal_family",))
    (families,) = ask_trees(arm, [reflection.test("ideal", 230)], 0, 0, INSTRUMENT, n_trees=10)["ideal"].values()
    assert families.hit(1).mean() > 0.42, "the most frequent family is 0.30 of the items"

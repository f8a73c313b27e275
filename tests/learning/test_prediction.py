"""Predictions: the numbers of the model, kept whole on disk; groups get the sum of their members."""

import numpy as np
import pytest
import torch

from paperlib.learning.prediction import Predictions, collapse, predict

from .problems import doublets, tiny_model


@pytest.fixture(scope="module")
def patterns():
    return doublets(50, 0)[0]


def test_predictions_are_those_of_the_model_for_any_batch_size(patterns):
    model = tiny_model(5, dropout=0.5)
    model.train()
    small, large = predict(model, patterns, batch_size=7), predict(model, torch.from_numpy(patterns))
    assert model.training
    np.testing.assert_allclose(small.log_probabilities, large.log_probabilities, atol=1e-5)
    with torch.no_grad():
        expected = torch.softmax(model.eval()(torch.from_numpy(patterns)), 1).numpy()
    np.testing.assert_allclose(large.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(large.probabilities.sum(1), 1, atol=1e-6)


def test_what_is_loaded_is_what_was_saved(tmp_path, patterns):
    made = predict(tiny_model(5), patterns, targets=np.arange(50) % 5, ids=[f"mp-{i}" for i in range(50)])
    made.save(tmp_path / "predictions.npz")
    read = Predictions.load(tmp_path / "predictions.npz")
    for name in ("log_probabilities", "targets", "ids"):
        assert np.array_equal(getattr(made, name), getattr(read, name))
        assert getattr(made, name).dtype == getattr(read, name).dtype
    assert read.log_probabilities.dtype == np.float32 and read.ids[3] == "mp-3"


def test_unknown_targets_are_minus_one(patterns):
    assert np.all(predict(tiny_model(5), patterns).targets == -1)


def test_a_truncated_file_is_named(tmp_path, patterns):
    path = tmp_path / "predictions.npz"
    predict(tiny_model(5), patterns).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"predictions\.npz does not hold predictions"):
        Predictions.load(path)


def test_a_pattern_that_is_not_finite_is_named(patterns):
    bad = patterns.copy()
    bad[33, 4] = np.nan
    with pytest.raises(ValueError, match=r"pattern 33 \(id 33\)"):
        predict(tiny_model(5), bad, batch_size=8)


def test_shapes_that_do_not_agree(patterns):
    with pytest.raises(ValueError, match=r"n=50, classes\.shape=\(3,\)"):
        predict(tiny_model(5), patterns, targets=[0, 1, 2])
    with pytest.raises(ValueError, match=r"5 classes"):
        predict(tiny_model(5), patterns, targets=np.full(50, 5))


def test_collapse_by_hand():
    groups = collapse(np.array([[0.1, 0.2, 0.3, 0.4], [1.0, 0.0, 0.0, 0.0]]), np.array([1, 0, 1, 2]))
    np.testing.assert_allclose(groups, [[0.2, 0.4, 0.4], [0.0, 1.0, 0.0]])


def test_collapse_keeps_the_sum_and_takes_the_table_of_space_groups():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(230), 20).astype(np.float32)
    class_of = rng.permutation(np.arange(230) % 97)
    groups = collapse(probabilities, class_of)
    assert groups.shape == (20, 97)
    np.testing.assert_allclose(groups.sum(1), 1, atol=1e-6)
    assert np.array_equal(groups, collapse(probabilities, np.concatenate([[-1], class_of])))


@pytest.mark.parametrize(
    "probabilities, class_of, message",
    [
        (np.full((2, 4), 0.25), [0, 1, 1], "group of each class"),
        (np.full((2, 4), 0.25), [0, 1, -1, 0], "group of each class"),
        (np.log(np.full((2, 4), 0.25)), [0, 1, 1, 0], "row 0 is no distribution"),
        (np.full(4, 0.25), [0, 1, 1, 0], r"\(n, n_classes\)"),
    ],
)
def test_what_cannot_be_collapsed(probabilities, class_of, message):
    with pytest.raises(ValueError, match=message):
        collapse(probabilities, class_of)

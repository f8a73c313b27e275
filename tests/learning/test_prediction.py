"""Predictions: the numbers of the model, kept whole on disk; and the groups of classes."""

import numpy as np
import pytest
import torch

from paperlib.learning.prediction import Predictions, group_of_each_class, predict

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


def test_the_group_of_each_class_comes_as_it_is_or_as_the_table_of_space_groups():
    class_of = np.random.default_rng(0).permutation(np.arange(230) % 97)
    given = group_of_each_class(class_of, 230)
    assert given.dtype == np.int64 and given.tolist() == class_of.tolist()
    assert np.array_equal(group_of_each_class(np.concatenate([[-1], class_of]), 230), given)


@pytest.mark.parametrize("class_of", [[0, 1, 1], [0, 1, -1, 0], [0, 1, 1, 0, 2]])
def test_groups_that_do_not_fit_the_classes(class_of):
    with pytest.raises(ValueError, match="group of each class"):
        group_of_each_class(np.array(class_of), 4)

"""Attributions: what is known in closed form, the sum rule, and a pattern whose informative place is known."""

import numpy as np
import pytest
import torch
from torch import nn

from paperlib.datasets.streams import ArrayStream
from paperlib.learning.attribution import attribute
from paperlib.learning.training import TrainConfig, fit

from .problems import N_POINTS, doublets, tiny_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    patterns, classes, _ = doublets(256, 0)
    model = tiny_model()
    config = TrainConfig(steps=400, lr=3e-3, warmup_steps=16, device="cpu")
    fit(model, ArrayStream(patterns, classes, 16, seed=1), config, tmp_path_factory.mktemp("run"))
    return model


class _Linear(nn.Module):
    n_classes, n_points = 4, 30

    def __init__(self):
        super().__init__()
        self.map = nn.Linear(30, 4)

    def forward(self, x):
        return self.map(x)


def test_a_linear_model_has_the_known_answer():
    model = _Linear()
    rng = np.random.default_rng(0)
    x, t, b = rng.random((6, 30)), np.array([0, 1, 2, 3, 0, 1]), rng.random(30)
    made = attribute(model, x, t, baseline=b)
    w = model.map.weight.detach().double().numpy()
    expected = (w[t] - w.mean(0)) * (x - b)
    np.testing.assert_allclose(made.maps, expected, atol=1e-6)
    np.testing.assert_allclose(made.score_difference, expected.sum(1), atol=1e-5)


def test_groups_of_one_member_are_scored_as_classes():
    model, rng = _Linear(), np.random.default_rng(1)
    x = rng.random((3, 30))
    plain = attribute(model, x, [0, 1, 2])
    grouped = attribute(model, x, [3, 2, 1], class_of=np.array([3, 2, 1, 0]))
    np.testing.assert_allclose(plain.maps, grouped.maps, atol=1e-6)


def test_the_score_of_a_group_is_the_logarithm_of_its_summed_exponentials():
    model, rng = _Linear(), np.random.default_rng(2)
    x = torch.from_numpy(rng.random((5, 30)).astype(np.float32))
    with torch.no_grad():
        z, zero = model(x).double(), model(torch.zeros_like(x)).double()
    expected = [(v[:, [1, 3]].logsumexp(1) - v.mean(1)).numpy() for v in (z, zero)]
    made = attribute(model, x, np.ones(5, int), class_of=np.array([0, 1, 0, 1]))
    np.testing.assert_allclose(made.score_difference, expected[0] - expected[1], atol=1e-5)
    assert made.converged.all()


def test_integrated_gradients_add_up_to_the_difference_in_score(trained):
    patterns, classes, _ = doublets(24, 5)
    made = attribute(trained, patterns, classes)
    assert made.maps.shape == (24, N_POINTS)
    with torch.no_grad():
        both = [trained(torch.from_numpy(p)) for p in (patterns, np.zeros_like(patterns))]
    scores = [(z - z.mean(1, keepdim=True))[torch.arange(24), torch.from_numpy(classes)].numpy() for z in both]
    difference = scores[0] - scores[1]
    np.testing.assert_allclose(made.score_difference, difference, atol=1e-4)
    missed = np.abs(made.maps.sum(1) - difference)
    assert np.all(missed <= made.delta + 1e-4)
    assert np.all(made.delta[made.converged] <= 0.01 * np.abs(difference[made.converged]))
    assert made.converged.mean() > 0.9


def test_what_does_not_converge_is_reported(trained):
    patterns, classes, _ = doublets(6, 5)
    hasty = attribute(trained, patterns, classes, max_steps=8, tolerance=1e-5)
    assert not hasty.converged.any()
    assert np.all(hasty.delta > 1e-5 * np.abs(hasty.score_difference))
    assert np.all(hasty.steps == 8 * 6)
    assert np.median(attribute(trained, patterns, classes).delta) < np.median(hasty.delta)


def test_a_point_that_equals_the_baseline_gets_nothing(trained):
    patterns, classes, _ = doublets(4, 5)
    patterns[:, 100:] = 0
    assert np.all(attribute(trained, patterns, classes, max_steps=16).maps[:, 100:] == 0)


def test_maps_do_not_depend_on_the_company(trained):
    patterns, classes, _ = doublets(8, 5)
    together = attribute(trained, patterns, classes)
    alone = attribute(trained, patterns[3:4], classes[3:4])
    np.testing.assert_allclose(together.maps[3], alone.maps[0], atol=1e-4)


def test_grad_cam_finds_the_doublet_and_not_the_hump(trained):
    patterns, classes, where = doublets(60, 7)
    two = classes == 1
    made = attribute(trained, patterns[two], classes[two], "grad_cam")
    assert made.stage == "stage2" and made.resolution == trained.resolution()["stage2"].span == 12
    assert made.position_maps.shape == (30, trained.resolution()["stage2"].n_positions)
    assert made.maps.shape == (30, N_POINTS) and np.isnan(made.delta).all()
    distance = np.abs(made.maps.argmax(1) - where[two])
    assert np.mean(distance <= made.resolution) > 0.9


def test_grad_cam_at_a_stage_without_positions_names_those_that_have_some():
    model = tiny_model(n_points=40, strides=(4, 4))
    assert [r.n_positions for r in model.resolution().values()] == [3, 1]
    with pytest.raises(ValueError, match=r"got 'stage2'; choose one of stage1 \(3\)"):
        attribute(model, np.ones((1, 40)), [0], "grad_cam", stage="stage2")
    with pytest.raises(ValueError, match=r"got 'stem'"):
        attribute(model, np.ones((1, 40)), [0], "grad_cam", stage="stem")


def test_the_published_network_defaults_to_its_deepest_stage_with_positions():
    from paperlib.learning.models import build_model

    made = attribute(build_model("resnet", 9, 1000), np.random.default_rng(0).random((2, 1000)), [1, 2], "grad_cam")
    assert (made.stage, made.resolution, made.position_maps.shape) == ("stage2", 112.0, (2, 9))


def test_the_model_is_left_as_it_was(trained):
    patterns, classes, _ = doublets(4, 5)
    trained.train()
    for method in ("integrated_gradients", "grad_cam"):
        attribute(trained, patterns, classes, method, **({"max_steps": 8} if method[0] == "i" else {}))
    assert trained.training
    trained.eval()
    assert not any(stage._forward_hooks for stage in trained.stages)


@pytest.mark.parametrize(
    "patterns, targets, method, message",
    [
        (np.ones((2, 30)), [0, 1], "lime", "choose one of integrated_gradients, grad_cam"),
        (np.ones((2, 30)), [0], "integrated_gradients", r"\(n,\) targets"),
        (np.ones((2, 30)), [0, 4], "integrated_gradients", r"0 … 3"),
        (np.full((2, 30), np.nan), [0, 1], "integrated_gradients", "pattern 0 is not finite"),
    ],
)
def test_what_cannot_be_attributed(patterns, targets, method, message):
    with pytest.raises(ValueError, match=message):
        attribute(_Linear(), patterns, targets, method)


def test_saliency_and_occlusion_of_a_linear_model_are_known():
    model, rng = _Linear(), np.random.default_rng(4)
    x, t = rng.random((3, 30)), np.array([0, 1, 3])
    w = model.map.weight.detach().double().numpy()
    weight = w[t] - w.mean(0)
    np.testing.assert_allclose(attribute(model, x, t, "saliency").maps, np.abs(weight), atol=1e-6)
    # a window of one point: what the score loses without it
    np.testing.assert_allclose(attribute(model, x, t, "occlusion", window=1).maps, weight * x, atol=1e-5)
    wide = attribute(model, x, t, "occlusion", window=3)
    assert np.isnan(wide.delta).all() and not wide.converged.any() and wide.maps.shape == x.shape

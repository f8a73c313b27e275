"""The registry of architectures, and what holds for every one of them."""

import json

import numpy as np
import pytest
import torch

from paperlib.datasets.streams import ArrayStream
from paperlib.learning.attribution import attribute
from paperlib.learning.configuration import TrainConfig
from paperlib.learning.device import autocast
from paperlib.learning.models import ARCHITECTURES, build_model, count_flops, describe_model
from paperlib.learning.resnet import ResNet
from paperlib.learning.training import fit
from paperlib.learning.weights import load_weights, save_weights

from .problems import N_POINTS, doublets, halves, small_model

WITH_STAGES = ("resnet", "position_resnet", "convnext", "transformer")
OTHER_CHOICES = {
    "position_resnet": {"norm": "group", "coordinate": True},
    "convnext": {"norm": "layer", "head": "max"},
    "transformer": {"pooling": "token"},
    "deepsets": {"pooling": "max", "two_theta": (10.0, 80.0)},
    "resnet": {"norm": "group", "input": "square_root"},
    "peaks_transformer": {"wavelength": 1.540593},
    "mlp": {"norm": "layer"},
}


def _same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def _quiet(line):
    """Instead of printing."""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_description_builds_the_same_model(name):
    for size in ({}, OTHER_CHOICES[name]):
        model = build_model(name, 12, 400, **size)
        description = describe_model(model)
        assert json.loads(json.dumps(description)) == description
        again = build_model(**description)
        assert again.size == model.size and describe_model(again) == description
        shapes = [p.shape for p in model.parameters()]
        assert [p.shape for p in again.parameters()] == shapes


def test_the_description_of_the_published_network_never_changes():
    """Trainings are found by it."""
    assert json.dumps(describe_model(ResNet(97, 4251))) == (
        '{"name": "resnet", "n_classes": 97, "n_points": 4251, "channels": [32, 64, 64, 64], '
        '"kernels": [5, 7, 17, 13], "strides": [4, 4, 5, 3], "blocks": 2, "stem_kernel": 13, "stem_pool": 7, '
        '"dropout": 0.05, "norm": "layer", "activation": "gelu"}'
    )


def test_later_sizes_are_described_where_they_are_chosen():
    assert describe_model(build_model("resnet", 9, 300, input="square_root"))["input"] == "square_root"
    assert "input" not in describe_model(build_model("resnet", 9, 300, input="linear"))
    assert describe_model(build_model("position_resnet", 9, 300, coordinate=True))["coordinate"] is True
    assert "coordinate" not in describe_model(build_model("position_resnet", 9, 300))


def test_sizes_reach_the_network():
    model = build_model("resnet", 12, 400, channels=[8, 8], kernels=[3, 3], strides=[2, 2], blocks=3)
    assert len(model.stages) == 2 and len(model.stages.stage1) == 3
    assert describe_model(model)["channels"] == [8, 8]


def test_an_unknown_name_or_size_lists_the_choices():
    with pytest.raises(ValueError, match=r"'perceptron'; choose one of .*resnet"):
        build_model("perceptron", 12, 400)
    with pytest.raises(TypeError, match=r"no size 'width'; its sizes are channels, kernels"):
        build_model("resnet", 12, 400, width=3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_protocol(name):
    model = small_model(name, 5).eval()
    assert (model.n_classes, model.n_points, model.bears_bfloat16) == (5, N_POINTS, name != "resnet")
    assert isinstance(model.size, ARCHITECTURES[name].size)
    assert hasattr(model, "stages") == hasattr(model, "resolution") == (name in WITH_STAGES)
    patterns = torch.from_numpy(doublets(6, 0)[0])
    with torch.no_grad():
        logits = model(patterns)
        assert logits.shape == (6, 5) and torch.isfinite(logits).all()
        assert torch.allclose(model(patterns[2:3]), logits[2:3], atol=1e-5), "patterns do not know each other"
        assert torch.isfinite(model(torch.zeros(1, N_POINTS))).all()
    with pytest.raises(ValueError, match=r"\(n, 160\), got \(2, 159\)"):
        model(patterns[:2, 1:])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_first_weights_are_a_function_of_the_seed_alone(name):
    before = torch.random.get_rng_state()
    first, again, other = (small_model(name, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert _same(first, again) and not _same(first, other)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_make_a_round_trip(name, tmp_path):
    model = small_model(name, 3, seed=4, **OTHER_CHOICES[name])
    save_weights(tmp_path / "w.safetensors", model, "absences", ["a", "b", "c"])
    read = load_weights(tmp_path / "w.safetensors").model
    x = torch.from_numpy(doublets(6, 0)[0])
    with torch.no_grad():
        assert torch.equal(model.eval()(x), read(x))


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "resnet"])
def test_each_learns_on_which_side_a_peak_is(name, tmp_path):
    (patterns, classes), (others, truth) = halves(512, 0), halves(256, 5)
    config = TrainConfig(steps=200, lr=1e-2, warmup_steps=16, device="cpu")
    model = small_model(name, dropout=0.0)
    fit(model, ArrayStream(patterns, classes, 32, seed=1), config, tmp_path, report=_quiet)
    with torch.no_grad():
        assert (model(torch.from_numpy(others)).argmax(1).numpy() == truth).mean() > 0.9


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "resnet"])
def test_a_training_that_stops_ends_in_the_same_weights_bit_for_bit(name, tmp_path):
    stream = ArrayStream(*doublets(48, 0)[:2], 16, seed=1)
    config = {"steps": 5, "lr": 3e-3, "warmup_steps": 2, "device": "cpu"}
    whole, parts = small_model(name), small_model(name)
    fit(whole, stream, TrainConfig(**config), tmp_path / "whole", report=_quiet)
    for _ in range(5):
        parts = small_model(name)
        fit(parts, stream, TrainConfig(**config, max_minutes=0.0), tmp_path / "parts", report=_quiet)
    assert _same(whole, parts)


@pytest.mark.parametrize(
    "name, size",
    [
        *((name, {}) for name in ARCHITECTURES if name != "resnet"),
        *((name, {"norm": "group", "channels": (8, 16)}) for name in ("resnet", "position_resnet", "convnext")),
        ("transformer", {"pooling": "token"}),
        ("deepsets", {"pooling": "max"}),
    ],
)
def test_what_bears_bfloat16_trains_in_it(name, size):
    """Patterns with nothing between the peaks, as ideal ones are: there a norm divides by almost nothing."""
    patterns, classes = halves(16, 0)
    patterns = torch.from_numpy(np.where(patterns > 0.6, patterns, 0))
    model, reference = (small_model(name, dropout=0.0, **size) for _ in range(2))
    assert model.bears_bfloat16
    with autocast("bfloat16", patterns.device):
        logits = model(patterns)
    assert logits.dtype == torch.bfloat16
    assert (logits.float() - reference(patterns)).abs().max() < 0.1
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(5):
        with autocast("bfloat16", patterns.device):
            logits = model(patterns)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits.float(), torch.from_numpy(classes)).backward()
        optimizer.step()
        assert all(p.dtype == torch.float32 and torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("name", WITH_STAGES)
def test_each_with_stages_can_be_asked_what_it_looks_at(name):
    model, patterns = small_model(name, 3, seed=2), torch.rand(4, N_POINTS, generator=torch.Generator().manual_seed(0))
    targets = [0, 1, 2, 0]
    made = attribute(model, patterns, targets, baseline=torch.full((N_POINTS,), 0.1), tolerance=0.05)
    assert made.converged.all() and made.maps.shape == (4, N_POINTS)
    for stage, resolution in model.resolution().items():
        made = attribute(model, patterns, targets, "grad_cam", stage=stage)
        assert made.position_maps.shape == (4, resolution.n_positions) and made.maps.shape == (4, N_POINTS)
        assert np.isfinite(made.maps).all() and made.resolution == resolution.span
        assert (made.position_maps > 0).any()


@pytest.mark.parametrize("name", ["peaks_transformer", "deepsets"])
def test_at_the_first_trace_of_intensity_all_peaks_are_there_and_attributions_say_so(name):
    model, patterns = small_model(name, 3, seed=2), doublets(4, 0)[0]
    made = attribute(model, patterns, [0, 1, 2, 0], max_steps=64)
    assert np.isfinite(made.maps).all() and not made.converged.any()


def test_multiply_adds_counted_by_hand():
    assert count_flops(small_model("mlp", 3, 40)) == 40 * 24 + 24 * 16 + 16 * 3
    w, tokens = 16, 10
    block = tokens * (3 * w * w + w * w + 2 * 2 * w * w) + 2 * tokens * tokens * w
    assert count_flops(small_model("transformer", 3, 40)) == tokens * 4 * w + 2 * block + 3 * w
    convolutions = 20 * 5 * 8 + 20 * 2 * 8 * 8 * 3 + 10 * (8 * 16 * 3 + 16 * 16 * 3 + 8 * 16)
    assert count_flops(small_model("position_resnet", 3, 40)) == convolutions + 10 * 16 * 12 + 12 * 3


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_counting_leaves_the_model_as_it_is(name):
    model, untouched = small_model(name), small_model(name)
    assert count_flops(model.train()) > 0 and model.training and _same(model, untouched)
    assert count_flops(model.eval()) > 0 and not model.training

"""The ResNet: the published architecture, whatever the memory format, and what a position stands for."""

import pytest
import torch
import torch.nn.functional as F

from paperlib.learning.models import build_model, count_parameters
from paperlib.learning.resnet import ResNet, ResNetSize


def _published_parameters(n_classes):
    """Counted by hand from the description: convolutions without bias, a scale and a shift per norm channel."""
    total = 13 * 32 + 2 * 32
    inside = 32
    for channels, kernel in zip((32, 64, 64, 64), (5, 7, 17, 13), strict=True):
        total += inside * channels * kernel + 3 * channels * channels * kernel + inside * channels
        total += 5 * 2 * channels
        inside = channels
    return total + 64 * n_classes + n_classes


@pytest.mark.parametrize("n_classes, expected", [(97, 632641), (99, 632771), (101, 632901), (230, 641286)])
def test_the_published_size(n_classes, expected):
    assert count_parameters(ResNet(n_classes, 1000)) == expected == _published_parameters(n_classes)


def _plain_forward(model, x):
    """The network in the notation of Conv1d and LayerNorm on (n, positions, channels)."""

    def conv_norm(unit, x, stride, padding):
        conv, _, norm = unit
        x = F.conv1d(x, conv.weight[:, :, 0], stride=stride, padding=padding)
        return F.layer_norm(x.transpose(1, 2), norm.normalized_shape, norm.weight, norm.bias).transpose(1, 2)

    x = F.max_pool1d(F.gelu(conv_norm(model.stem, x[:, None], 1, 0)), 7, 7, 3)
    for stage, kernel, stride in zip(model.stages, (5, 7, 17, 13), (4, 4, 5, 3), strict=True):
        for i, block in enumerate(stage):
            y = F.gelu(conv_norm(block.conv1, x, stride if i == 0 else 1, kernel // 2))
            y = conv_norm(block.conv2, y, 1, kernel // 2)
            x = F.gelu(y + (conv_norm(block.downsample, x, stride, 0) if i == 0 else x))
    return F.linear(F.adaptive_max_pool1d(x, 1)[:, :, 0], model.head.weight, model.head.bias)


@pytest.mark.parametrize("n_points", [1000, 2777])
def test_the_channels_last_network_is_the_one_dimensional_one(n_points):
    model = build_model("resnet", 99, n_points, seed=3).eval()
    x = torch.rand(4, n_points, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(model(x), _plain_forward(model, x), atol=2e-5)


def test_norm_and_activation_are_a_choice():
    published, batch = ResNet(99, 1000), build_model("resnet", 99, 1000, norm="batch", activation="relu")
    assert not published.bears_bfloat16 and batch.bears_bfloat16
    assert count_parameters(published) == count_parameters(batch)
    kinds = [
        sum(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules()) for model in (published, batch)
    ]
    assert kinds == [0, 21], "the stem, and per stage two in each of two blocks and one beside"
    gelu = build_model("resnet", 99, 1000, norm="batch")
    x = torch.rand(4, 1000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        stems = [F.relu(batch.stem(x[:, None, None])), F.gelu(gelu.stem(x[:, None, None]))]
        assert not torch.allclose(*stems) and not torch.allclose(batch.eval()(x), gelu.eval()(x))


def test_a_group_norm_reaches_over_all_positions_and_bears_bfloat16():
    model = build_model("resnet", 9, 1000, norm="group").eval()
    assert model.bears_bfloat16 and count_parameters(model) == count_parameters(ResNet(9, 1000))
    assert {r.receptive_field for r in model.resolution().values()} == {1000}
    x = torch.rand(1, 1000, generator=torch.Generator().manual_seed(0)).requires_grad_()
    first = []
    model.stages.stage1.register_forward_hook(lambda _m, _i, out: first.append(out))
    model(x)
    assert (torch.autograd.grad(first[0][0, :, 0, 0].square().sum(), x)[0][0, 900:] != 0).any()


def test_the_root_of_the_intensity_may_go_in():
    linear, root = (build_model("resnet", 9, 300, input=kind).eval() for kind in ("linear", "square_root"))
    x = torch.rand(2, 300, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(root(x), linear(x.sqrt()), atol=1e-2)
        assert not torch.allclose(root(x), linear(x), atol=1e-2)


@pytest.mark.parametrize("n_points", [13, 14, 100, 1000, 8501])
@pytest.mark.parametrize("n_classes", [2, 230])
def test_any_number_of_points(n_points, n_classes):
    model = build_model("resnet", n_classes, n_points).eval()
    with torch.no_grad():
        assert model(torch.rand(2, n_points)).shape == (2, n_classes)


def test_the_answer_for_a_pattern_does_not_depend_on_the_others():
    model = build_model("resnet", 7, 300).eval()
    x = torch.rand(5, 300)
    with torch.no_grad():
        assert torch.allclose(model(x)[2:3], model(x[2:3]), atol=1e-5)


def test_the_first_weights_are_a_function_of_the_seed_alone():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first, again, other = (build_model("resnet", 7, 100, seed=s) for s in (5, 5, 6))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


@pytest.mark.parametrize("n_points", [13, 20, 333, 1000, 8501])
def test_positions_of_the_stages(n_points):
    model = build_model("resnet", 5, n_points).eval()
    seen = {}
    for name, stage in model.stages.named_children():
        stage.register_forward_hook(lambda _m, _i, out, name=name: seen.__setitem__(name, out.shape[-1]))
    with torch.no_grad():
        model(torch.rand(1, n_points))
    assert {name: r.n_positions for name, r in model.resolution().items()} == seen


def test_span_of_the_published_stages():
    table = ResNet(99, 1000).resolution()
    assert [r.n_positions for r in table.values()] == [36, 9, 2, 1]
    assert [r.span for r in table.values()] == [28, 112, 560, 1680]


def test_a_position_sees_its_receptive_field_and_no_more():
    model = build_model("resnet", 5, 2000, kernels=(3, 3), channels=(4, 4), strides=(2, 2)).eval()
    found = {}
    for name, stage in model.stages.named_children():
        stage.register_forward_hook(lambda _m, _i, out, name=name: found.__setitem__(name, out))
    for name, resolution in model.resolution().items():
        middle = resolution.n_positions // 2
        # The max-pool hides points that are not the largest: one pattern shows only part of the field.
        touched = torch.zeros(2000, dtype=torch.bool)
        for seed in range(20):
            x = torch.rand(1, 2000, generator=torch.Generator().manual_seed(seed)).requires_grad_()
            model(x)
            touched |= torch.autograd.grad(found[name][0, :, 0, middle].square().sum(), x)[0][0] != 0
        first, last = touched.nonzero()[[0, -1], 0].tolist()
        assert last - first + 1 == resolution.receptive_field
        assert (first + last) / 2 == resolution.first_centre + middle * resolution.span


def test_another_number_of_points_is_refused():
    with pytest.raises(ValueError, match=r"\(n, 1000\), got \(2, 999\)"):
        ResNet(5, 1000)(torch.rand(2, 999))
    with pytest.raises(ValueError, match=r"at least that many points, got n_points=12"):
        ResNet(5, 12)


@pytest.mark.parametrize(
    "size, message",
    [
        ({"kernels": (5, 7)}, "one entry per stage"),
        ({"kernels": (5, 7, 17, 12)}, "odd"),
        ({"strides": (0, 1, 1, 1)}, "at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"norm": "instance"}, "choose the norm among layer, batch, group"),
        ({"norm": "group", "channels": (32, 60, 64, 64)}, "multiples of 8 channels"),
        ({"activation": "tanh"}, "the activation among gelu, relu"),
        ({"input": "logarithm"}, "the input among linear, square_root"),
    ],
)
def test_sizes_that_make_no_network(size, message):
    with pytest.raises(ValueError, match=message):
        ResNetSize(**size)

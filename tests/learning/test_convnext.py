"""The ConvNeXt: its size by hand, where its positions lie, its block and its two heads."""

import pytest
import torch
import torch.nn.functional as F

from paperlib.learning.convnext import ConvNeXt, ConvNeXtBlock, ConvNeXtSize
from paperlib.learning.models import count_parameters

from .problems import small_model
from .receptive_fields import assert_fields


def test_parameters_counted_by_hand():
    def block(c):
        return 3 * c * c + 2 * c + (c * 2 * c + 2 * c) + (2 * c * c + c)

    body = 5 * 8 + 2 * 8 + block(8) + 2 * 8 + (3 * 8 * 16 + 16) + 2 * block(16) + 2 * 16
    flat = (10 * 16) * 12 + 2 * 12 + 12 * 3 + 3
    assert count_parameters(small_model("convnext", 3, 40)) == body + flat
    assert count_parameters(small_model("convnext", 3, 40, head="max")) == body + 16 * 3 + 3


@pytest.mark.parametrize("n_points", [5, 40, 333])
def test_positions_of_the_stages(n_points):
    assert_fields(small_model("convnext", 3, n_points), fields=False)


@pytest.mark.parametrize("norm", ["layer", "batch", "group"])
def test_a_position_sees_its_receptive_field_and_no_more(norm):
    assert_fields(small_model("convnext", 3, 200, norm=norm))


def test_a_block_adds_an_inverted_bottleneck_to_what_comes_in():
    block = ConvNeXtBlock(8, ConvNeXtSize(kernel=3, expansion=2, norm="layer")).eval()
    x = torch.randn(2, 8, 1, 20, generator=torch.Generator().manual_seed(0))
    conv, norm = block.mix
    wide, _, narrow = block.bottleneck
    with torch.no_grad():
        y = F.conv1d(x[:, :, 0], conv.weight[:, :, 0], padding=1).transpose(1, 2)
        y = F.gelu(F.linear(F.layer_norm(y, (8,), norm.weight, norm.bias), wide.weight[:, :, 0, 0], wide.bias))
        y = F.linear(y, narrow.weight[:, :, 0, 0], narrow.bias).transpose(1, 2)
        assert torch.allclose(block(x)[:, :, 0], x[:, :, 0] + y, atol=1e-5)


def test_the_maximum_forgets_where_a_peak_is_and_the_flat_head_does_not():
    x = torch.zeros(1, 200)
    x[0, 80:85] = torch.tensor([0.2, 0.7, 1.0, 0.6, 0.1])
    for head in ("max", "flat"):
        model = small_model("convnext", 3, 200, head=head).eval()
        with torch.no_grad():
            assert torch.allclose(model(x), model(x.roll(8, 1)), atol=1e-5) == (head == "max")


@pytest.mark.parametrize(
    "size, message",
    [
        ({"blocks": (1, 1)}, "one entry per stage"),
        ({"blocks": (1, 0, 1, 1)}, "at least 1"),
        ({"expansion": 0}, "at least 1"),
        ({"kernel": 4}, "odd"),
        ({"head": "mean"}, "head among max, flat"),
        ({"norm": "group", "channels": (4, 8, 8, 8)}, "multiples of 8"),
        ({"input": "logarithm"}, "input among"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_sizes_that_make_no_network(size, message):
    with pytest.raises(ValueError, match=message):
        ConvNeXtSize(**size)


def test_too_few_points_and_classes():
    with pytest.raises(ValueError, match=r"stem kernel of 11 .* got n_points=10"):
        ConvNeXt(3, 10)
    with pytest.raises(ValueError, match="two classes"):
        ConvNeXt(1, 100)

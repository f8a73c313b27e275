"""The multilayer perceptron: its size by hand, and its layers one by one."""

import pytest
import torch
import torch.nn.functional as F

from paperlib.learning.mlp import MLP, MLPSize
from paperlib.learning.models import count_parameters

from .problems import small_model


def test_parameters_counted_by_hand():
    expected = 40 * 24 + 2 * 24 + 24 * 16 + 2 * 16 + 16 * 3 + 3
    assert count_parameters(small_model("mlp", 3, 40)) == expected
    assert count_parameters(small_model("mlp", 3, 40, norm="layer")) == expected


def test_the_layers_one_by_one():
    model = small_model("mlp", 3, 40, norm="layer", activation="gelu", input="linear").eval()
    x = torch.rand(4, 40, generator=torch.Generator().manual_seed(0))
    first, norm, _, _, second, norm2, _, _ = model.layers
    with torch.no_grad():
        y = F.gelu(F.layer_norm(x @ first.weight.T, (24,), norm.weight, norm.bias))
        y = F.gelu(F.layer_norm(y @ second.weight.T, (16,), norm2.weight, norm2.bias))
        assert torch.allclose(model(x), y @ model.head.weight.T + model.head.bias, atol=1e-5)


@pytest.mark.parametrize(
    "size, message",
    [
        ({"widths": ()}, "at least one width"),
        ({"widths": (12, 0)}, "each at least 1"),
        ({"norm": "group"}, "norm among batch, layer"),
        ({"activation": "tanh"}, "activation among"),
        ({"input": "logarithm"}, "input among"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_sizes_that_make_no_network(size, message):
    with pytest.raises(ValueError, match=message):
        MLPSize(**size)


def test_too_few_points_and_classes():
    with pytest.raises(ValueError, match="n_points=0"):
        MLP(3, 0)
    with pytest.raises(ValueError, match="two classes"):
        MLP(1, 100)

"""The transformer over patches: its size by hand, its patches and positions, and what reads them."""

import pytest
import torch

from paperlib.learning.models import count_parameters
from paperlib.learning.transformer import Transformer, TransformerSize

from .problems import small_model
from .receptive_fields import assert_fields


def test_parameters_counted_by_hand():
    w = 16
    block = 2 * 2 * w + (w * 3 * w + 3 * w) + (w * w + w) + (w * 2 * w + 2 * w) + (2 * w * w + w)
    ends = 4 * w + w + 2 * w + 3 * w + 3
    assert count_parameters(small_model("transformer", 3, 40)) == ends + 2 * block
    assert count_parameters(small_model("transformer", 3, 40, pooling="token")) == ends + 3 * block + w
    assert count_parameters(small_model("transformer", 3, 400)) == ends + 2 * block, "positions have no weights"


@pytest.mark.parametrize("n_points, n_patches", [(4, 1), (5, 2), (40, 10), (42, 11)])
@pytest.mark.parametrize("pooling", ["mean", "token"])
def test_every_patch_sees_every_point(n_points, n_patches, pooling):
    model = small_model("transformer", 3, n_points, pooling=pooling)
    assert_fields(model)
    assert [(r.n_positions, r.span, r.first_centre) for r in model.resolution().values()] == [(n_patches, 4, 1.5)] * 2


def test_a_last_patch_that_is_cut_is_filled_with_nothing():
    short, full = (small_model("transformer", 3, n) for n in (42, 44))
    x = torch.rand(2, 42, generator=torch.Generator().manual_seed(0))
    short.eval(), full.eval()
    with torch.no_grad():
        assert torch.allclose(short(x), full(torch.nn.functional.pad(x, (0, 2))), atol=1e-6)


def test_the_order_of_patches_matters_through_the_rotation_alone():
    model = small_model("transformer", 3, 40).eval()
    x = torch.rand(2, 40, generator=torch.Generator().manual_seed(0))
    turned_round = x.view(2, 10, 4).flip(1).reshape(2, 40)
    with torch.no_grad():
        assert not torch.allclose(model(x), model(turned_round), atol=1e-4)
        for stage in model.stages:
            stage.rotation[0], stage.rotation[1] = 1.0, 0.0
        assert torch.allclose(model(x), model(turned_round), atol=1e-5)


@pytest.mark.parametrize(
    "size, message",
    [
        ({"patch": 0}, "at least 1"),
        ({"width": 130}, "even parts"),
        ({"width": 12, "heads": 4}, "even parts"),
        ({"pooling": "max"}, "pooling among mean, token"),
        ({"dropout": 1.0}, "dropout"),
        ({"input": "logarithm"}, "input among"),
    ],
)
def test_sizes_that_make_no_network(size, message):
    with pytest.raises(ValueError, match=message):
        TransformerSize(**size)


def test_too_few_points_and_classes():
    with pytest.raises(ValueError, match=r"patch of 10 .* got n_points=9"):
        Transformer(3, 9)
    with pytest.raises(ValueError, match="two classes"):
        Transformer(1, 100)

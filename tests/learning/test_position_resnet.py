"""The ResNet that keeps positions: its size by hand, where its positions lie, and what the coordinate is for."""

import pytest
import torch

from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.learning.models import count_parameters
from paperlib.learning.position_resnet import PositionResNet, PositionResNetSize, stem_in_degrees

from .problems import small_model
from .receptive_fields import assert_fields


def test_parameters_counted_by_hand():
    stem = 5 * 8 + 2 * 8
    first = 2 * 8 * 8 * 3 + 2 * 2 * 8
    second = 8 * 16 * 3 + 16 * 16 * 3 + 8 * 16 + 3 * 2 * 16
    head = (10 * 16) * 12 + 2 * 12 + 12 * 3 + 3
    plain, with_coordinate = (small_model("position_resnet", 3, 40, coordinate=c) for c in (False, True))
    assert count_parameters(plain) == stem + first + second + head
    assert count_parameters(with_coordinate) == count_parameters(plain) + 5 * 8
    assert plain.state_dict().keys() == with_coordinate.state_dict().keys(), "the coordinate is no weight"


@pytest.mark.parametrize("n_points", [5, 40, 333])
def test_positions_of_the_blocks(n_points):
    assert_fields(small_model("position_resnet", 3, n_points), fields=False)


def test_a_position_sees_its_receptive_field_and_no_more():
    assert_fields(small_model("position_resnet", 3, 200))


def test_with_a_group_norm_every_point_is_seen():
    model = small_model("position_resnet", 3, 200, norm="group")
    assert_fields(model)
    assert {r.receptive_field for r in model.resolution().values()} == {200}


def _kernel_of_ones(model):
    model.stem[0].weight.data.fill_(0.0)
    model.stem[0].weight.data[:, -1, 0, 2] = 1.0
    return model.stem[0]


def test_the_coordinate_goes_from_minus_one_to_one():
    model = small_model("position_resnet", 3, 41, coordinate=True).eval()
    seen = []
    _kernel_of_ones(model).register_forward_hook(lambda _m, _i, out: seen.append(out))
    with torch.no_grad():
        model(torch.rand(2, 41))
    assert torch.allclose(seen[0][:, :, 0], torch.linspace(-1, 1, 21).expand(2, 8, 21), atol=1e-6)


def test_only_the_head_and_the_coordinate_know_where_a_peak_is():
    x = torch.zeros(1, 200)
    x[0, 80:85] = torch.tensor([0.2, 0.7, 1.0, 0.6, 0.1])
    for coordinate in (False, True):
        model = small_model("position_resnet", 3, 200, coordinate=coordinate).eval()
        found = []
        model.stages.register_forward_hook(lambda _m, _i, out, found=found: found.append(out))
        with torch.no_grad():
            here, there = model(x), model(x.roll(8, 1))
        assert torch.allclose(found[0][..., 10:30], found[1][..., 12:32], atol=1e-6) == (not coordinate)
        assert not torch.allclose(here, there, atol=1e-3)


@pytest.mark.parametrize(
    "size, message",
    [
        ({"channels": (8,), "strides": (1, 2)}, "one entry per block"),
        ({"strides": (0, 1, 1, 1, 1)}, "at least 1"),
        ({"hidden": 0}, "at least 1"),
        ({"kernel": 4}, "odd"),
        ({"stem_kernel": 6}, "odd"),
        ({"dropout": -0.1}, "dropout"),
        ({"norm": "instance"}, "norm among"),
        ({"activation": "tanh"}, "activation among"),
        ({"input": "logarithm"}, "input among"),
    ],
)
def test_sizes_that_make_no_network(size, message):
    with pytest.raises(ValueError, match=message):
        PositionResNetSize(**size)


def test_too_few_points_and_classes():
    with pytest.raises(ValueError, match=r"stem kernel of 11 .* got n_points=10"):
        PositionResNet(3, 10)
    with pytest.raises(ValueError, match="two classes"):
        PositionResNet(1, 100)


def test_a_stem_in_degrees_leaves_the_rest_of_the_network_as_it_is():
    default = PositionResNetSize()
    assert stem_in_degrees(CU_KALPHA.step) == {"stem_kernel": default.stem_kernel, "stem_stride": default.stem_stride}
    whole = PositionResNet(9, 1000)
    for n_points in (500, 2000, 4250):
        step = 85 / (n_points - 1)
        other = PositionResNet(9, n_points, PositionResNetSize(**stem_in_degrees(step)))
        sizes = {name: weights.shape for name, weights in other.named_parameters() if name != "stem.0.weight"}
        assert sizes == {name: weights.shape for name, weights in whole.named_parameters() if name != "stem.0.weight"}
        spans = [model.resolution()["stage1"].span * x for model, x in ((whole, CU_KALPHA.step), (other, step))]
        assert spans[1] == pytest.approx(spans[0], rel=0.01)

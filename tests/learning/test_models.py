"""The registry of architectures."""

import pytest

from paperlib.learning.models import ARCHITECTURES, build_model, describe_model


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_description_builds_the_same_model(name):
    model = build_model(name, 12, 400)
    again = build_model(**describe_model(model))
    assert describe_model(again) == describe_model(model)
    shapes = [p.shape for p in model.parameters()]
    assert [p.shape for p in again.parameters()] == shapes


def test_sizes_reach_the_network():
    model = build_model("resnet", 12, 400, channels=[8, 8], kernels=[3, 3], strides=[2, 2], blocks=3)
    assert len(model.stages) == 2 and len(model.stages.stage1) == 3
    assert describe_model(model)["channels"] == [8, 8]


def test_an_unknown_name_or_size_lists_the_choices():
    with pytest.raises(ValueError, match=r"'perceptron'; choose one of .*resnet"):
        build_model("perceptron", 12, 400)
    with pytest.raises(TypeError, match=r"no size 'width'; its sizes are channels, kernels"):
        build_model("resnet", 12, 400, width=3)

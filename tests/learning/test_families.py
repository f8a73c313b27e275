"""Families that are compared have equally many parameters, and points on their curves train what they say."""

import numpy as np
import pytest
import torch

from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import Instrument
from paperlib.learning.curves import network_table
from paperlib.learning.families import FAMILIES, SIZES, Rung
from paperlib.learning.made_arms import ReflectionData
from paperlib.learning.models import build_model, describe_model
from paperlib.reporting.names import NETWORKS

N_CLASSES, N_POINTS = 99, 1000
DATA = ReflectionData(Labels("published"), Instrument(n_points=N_POINTS), 8, 99_000, "groups", "line")


@pytest.fixture(scope="module")
def networks():
    rungs = [Rung(family, 1) for family in FAMILIES] + [Rung(f, 1, s) for f in SIZES for s in ("small", "large")]
    return network_table(rungs, N_CLASSES, N_POINTS).set_index(["family", "size"])


def test_all_families_have_as_many_parameters_as_the_published_network(networks):
    middle = networks.xs("middle", level="size").parameters
    assert middle["resnet"] == 632_771
    assert (middle / middle["resnet"]).between(0.98, 1.02).all()
    assert (networks.multiply_adds > 0.5e6).all()


@pytest.mark.parametrize("family", SIZES)
def test_sizes_are_four_times_apart(networks, family):
    small, middle, large = (networks.parameters[family, size] for size in ("small", "middle", "large"))
    assert 3.7 < middle / small < 4.1 and 3.7 < large / middle < 4.1
    assert SIZES[family]["middle"] is FAMILIES[family]


def test_the_local_network_sees_a_fifth_of_the_pattern_and_the_published_one_all_of_it():
    fields = {}
    for family in ("resnet", "resnet_local"):
        model = build_model(n_classes=N_CLASSES, n_points=N_POINTS, **FAMILIES[family]).eval()
        (*_, last) = model.resolution().values()
        fields[family] = last.receptive_field
    assert fields["resnet_local"] == 201 and fields["resnet"] > N_POINTS
    patterns = torch.rand(1, N_POINTS).requires_grad_()
    features = []
    model.stages.register_forward_hook(lambda *call: features.append(call[-1]))
    model(patterns)
    features[0][0, :, 0, 18].sum().backward()
    seen = np.flatnonzero(patterns.grad[0].numpy())
    assert 0 < np.ptp(seen) + 1 <= 201


def test_a_rung_trains_on_fresh_patterns_or_on_the_same_again():
    fresh, again = Rung("resnet", 640).arm(DATA, 0.002), Rung("resnet", 64, passes=10).arm(DATA, 0.002)
    assert fresh.key == "resnet_middle_640" and again.key == "resnet_middle_64x10"
    steps = [arm.config(arm.stream(0, 0)).steps for arm in (fresh, again)]
    assert steps == [80, 80]
    assert again.stream(0, 0).identity()["n_items"] == 64 and again.stream(0, 0).identity()["repeat"]
    assert "repeat" not in fresh.stream(0, 0).identity()
    slower = Rung("mlp", 640, rate=7e-4).arm(DATA, 0.002)
    assert slower.key == "mlp_middle_640_rate700" and slower.config(slower.stream(0, 0)).lr == 7e-4
    large = Rung("position_resnet", 640, "large", seeds=(0,)).arm(DATA, 0.002)
    assert large.seeds == (0,)
    described = describe_model(build_model(n_classes=N_CLASSES, n_points=N_POINTS, **large.model))
    assert described["channels"] == [32, 64, 96, 128] and described["hidden"] == 512


def test_every_family_has_a_name_for_readers():
    assert set(FAMILIES) <= set(NETWORKS)

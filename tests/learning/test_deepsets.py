"""DeepSets: its size by hand, what is the same for it, and its two ways of pooling."""

import pytest
import torch

from paperlib.learning.deepsets import DeepSets, DeepSetsSize
from paperlib.learning.models import count_parameters

from .peak_lists import assert_a_set, peak_list
from .problems import small_model


def test_parameters_counted_by_hand():
    features, width, hidden = 2 * 8 + 2, 32, 24
    phi = features * width + width + width * width + width
    rho = 2 * width + width * hidden + hidden + hidden * 3 + 3
    assert count_parameters(small_model("deepsets", 3)) == phi + rho


@pytest.mark.parametrize("pooling", ["sum", "max"])
def test_peaks_are_a_set(pooling):
    assert_a_set(small_model("deepsets", 3, pooling=pooling))


def test_a_maximum_does_not_count_and_a_sum_does():
    once = peak_list([0.2, 0.5], [1.0, 0.4])
    twice = peak_list([0.2, 0.5, 0.2], [1.0, 0.4, 1.0])
    for pooling in ("sum", "max"):
        model = small_model("deepsets", 3, pooling=pooling).eval()
        with torch.no_grad():
            same = torch.allclose(model.classify(once), model.classify(twice), atol=1e-6)
        assert same == (pooling == "max")


@pytest.mark.parametrize(
    "size, message", [({"width": 0}, "at least 1"), ({"pooling": "mean"}, "pooling among"), ({"n_peaks": 0}, "a peak")]
)
def test_sizes_that_make_no_network(size, message):
    with pytest.raises(ValueError, match=message):
        DeepSetsSize(**size)


def test_too_few_points_and_classes():
    with pytest.raises(ValueError, match="three points"):
        DeepSets(3, 2)
    with pytest.raises(ValueError, match="two classes"):
        DeepSets(1, 100)

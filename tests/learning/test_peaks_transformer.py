"""The transformer over peaks: its size by hand, and what is the same for it."""

import pytest

from paperlib.learning.models import count_parameters
from paperlib.learning.peaks_transformer import PeaksTransformer, PeaksTransformerSize

from .peak_lists import assert_a_set
from .problems import small_model


def test_parameters_counted_by_hand():
    w, features = 16, 2 * 8 + 2
    block = 2 * 2 * w + (w * 3 * w + 3 * w) + (w * w + w) + (w * 2 * w + 2 * w) + (2 * w * w + w)
    expected = features * w + w + w + 2 * block + 2 * w + 3 * w + 3
    assert count_parameters(small_model("peaks_transformer", 3, 40)) == expected
    assert count_parameters(small_model("peaks_transformer", 3, 400, n_peaks=20)) == expected


def test_peaks_are_a_set():
    assert_a_set(small_model("peaks_transformer", 3))


@pytest.mark.parametrize(
    "size, message",
    [({"depth": 0}, "at least 1"), ({"heads": 3}, "share the width"), ({"two_theta": (90, 5)}, "0 < first < last")],
)
def test_sizes_that_make_no_network(size, message):
    with pytest.raises(ValueError, match=message):
        PeaksTransformerSize(**size)


def test_too_few_points_and_classes():
    with pytest.raises(ValueError, match="three points"):
        PeaksTransformer(3, 2)
    with pytest.raises(ValueError, match="two classes"):
        PeaksTransformer(1, 100)

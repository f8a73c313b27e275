"""What is asked for and what is found: frequencies as they are given, and labels as wrong as they are listed."""

import numpy as np
import pytest

from paperlib.datasets.asked_groups import AskedGroups

ITEMS = np.arange(23_000)


def test_a_balanced_set_is_balanced_in_every_beginning_and_its_labels_are_true():
    asked = AskedGroups()
    counts = np.bincount(asked.labels(ITEMS[:1000], 3), minlength=231)[1:]
    assert counts.max() - counts.min() == 1 and np.ptp(np.bincount(asked.labels(ITEMS, 3))[1:]) == 0
    assert np.array_equal(asked.crystals(ITEMS, 3), asked.labels(ITEMS, 3))
    assert np.allclose(asked.expected(), 1 / 230)


def test_a_histogram_is_drawn_from_item_by_item():
    weights = np.zeros(230)
    weights[[0, 61, 229]] = 2, 5, 3
    asked = AskedGroups(histogram=tuple(weights))
    counts = np.bincount(asked.labels(ITEMS, 3), minlength=231)
    assert counts[[1, 62, 230]].sum() == len(ITEMS), "what the histogram lacks is never drawn"
    assert counts[[1, 62, 230]] / len(ITEMS) == pytest.approx([0.2, 0.5, 0.3], abs=0.015)
    assert np.array_equal(asked.labels(ITEMS[40:50], 3), asked.labels(ITEMS, 3)[40:50])
    assert not np.array_equal(asked.labels(ITEMS, 4), asked.labels(ITEMS, 3))
    assert asked.identity() != AskedGroups().identity()


def test_labels_are_as_wrong_as_what_was_found():
    asked = AskedGroups(found=((38, 38, 1), (38, 65, 3), (1, 1, 20)))
    labels, has = asked.labels(ITEMS, 0), asked.crystals(ITEMS, 0)
    assert np.array_equal(labels, AskedGroups().labels(ITEMS, 0)), "the labels are balanced all the same"
    assert set(labels[has != labels]) == {38}, "a group that is not listed keeps its label"
    assert set(has[labels == 38]) == {38, 65}
    assert np.mean(has[labels == 38] == 65) == pytest.approx(0.75, abs=0.15)


@pytest.mark.parametrize("given", [{"histogram": (1.0,) * 229}, {"histogram": (0.0,) * 230}, {"found": ((0, 1, 2),)}])
def test_what_is_no_histogram_and_no_list_is_refused(given):
    with pytest.raises(ValueError, match=r"230 numbers|two space groups"):
        AskedGroups(**given)

"""The random streams: published answers, independence of batching, one answer on every array type."""

import numpy as np
import pytest
import torch
from scipy import stats

from paperlib.lab import rng

# Known answers of philox4x32-10 that the authors ship with Random123 (kat_vectors).
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def _hex(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize("counter, key, answer", KNOWN)
@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_philox_gives_the_published_words(counter, key, answer, kind):
    words = rng.philox(tuple(kind([word]) for word in _hex(counter)), tuple(_hex(key)))
    assert [int(word[0]) for word in words] == _hex(answer)


def test_numpy_and_torch_draw_the_same_bits():
    items = np.array([0, 1, 7, 2**33 + 5])
    ours = rng.uniform(3, "cells", items, 5)
    theirs = rng.uniform(3, "cells", torch.from_numpy(items), 5)
    assert isinstance(theirs, torch.Tensor)
    assert np.array_equal(ours, theirs.numpy())


def test_an_item_does_not_depend_on_its_neighbours_or_on_how_many_draws_follow():
    whole = rng.uniform(1, "x", np.arange(100), 6)
    assert np.array_equal(whole[40:50], rng.uniform(1, "x", np.arange(40, 50), 6))
    assert np.array_equal(whole[:, :2], rng.uniform(1, "x", np.arange(100), 2))


def test_seed_and_stream_change_the_draws():
    draws = [rng.uniform(s, name, np.arange(50)) for s in (0, 1) for name in ("a", "b")]
    for i in range(4):
        for j in range(i):
            assert not np.any(draws[i] == draws[j])


def test_uniforms_are_uniform_and_uncorrelated():
    draws = rng.uniform(11, "u", np.arange(20000), 2)
    assert 0 <= draws.min() and draws.max() < 1
    assert stats.kstest(draws[:, 0], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.03


def test_permutation_is_one_and_changes_with_the_epoch():
    first, second = (rng.permutation(5, "order", epoch, 1000) for epoch in (0, 1))
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, rng.permutation(5, "order", 0, 1000))


def test_negative_items_are_refused():
    with pytest.raises(ValueError, match="-3"):
        rng.uniform(0, "x", np.array([-3]))


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_pairs_take_their_numbers_from_the_same_stream(kind):
    items, keys = [3, 3, 2**40, 0], [0, 5, 2, 7]
    pairs = rng.paired_uniform(11, "pairs", kind(items), kind(keys))
    assert type(pairs) is type(kind([0.5]))
    for item, key, number in zip(items, keys, pairs, strict=True):
        assert float(number) == rng.uniform(11, "pairs", np.array([item]), 16)[0, 2 * key]


def test_pairs_number_their_items_from_zero():
    with pytest.raises(ValueError, match="from 0"):
        rng.paired_uniform(0, "pairs", np.array([-1]), np.array([0]))

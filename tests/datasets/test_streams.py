"""Batches: every pattern once per epoch, an order that the seed and the epoch fix, and no bad input."""

import numpy as np
import pytest
import torch

from paperlib.datasets.streams import ArrayStream


def _data(n=23, n_points=5):
    patterns = np.arange(n * n_points, dtype=np.float32).reshape(n, n_points)
    return patterns, np.arange(n)


def _epoch(stream, epoch):
    batches = list(stream.epoch(epoch))
    return torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])


def test_every_pattern_comes_once_with_its_own_target():
    patterns, targets = _data()
    x, t = _epoch(ArrayStream(patterns, targets, 4, seed=1), 0)
    assert sorted(t.tolist()) == targets.tolist()
    assert np.array_equal(x.numpy(), patterns[t.numpy()])
    assert x.dtype == torch.float32 and t.dtype == torch.int64


def test_the_order_depends_on_seed_and_epoch_alone():
    data = _data()
    first = ArrayStream(*data, 4, seed=1)
    for epoch in range(3):
        _epoch(first, epoch)
    fresh = ArrayStream(*data, 4, seed=1)
    assert torch.equal(_epoch(first, 7)[1], _epoch(fresh, 7)[1])
    assert not torch.equal(_epoch(first, 7)[1], _epoch(first, 8)[1])
    assert not torch.equal(_epoch(first, 7)[1], _epoch(ArrayStream(*data, 4, seed=2), 7)[1])


def test_without_shuffling_the_order_is_that_of_the_array():
    patterns, targets = _data()
    assert _epoch(ArrayStream(patterns, targets, 4, seed=1, shuffle=False), 3)[1].tolist() == targets.tolist()


@pytest.mark.parametrize("drop_last, sizes", [(False, [10, 10, 3]), (True, [10, 10])])
def test_the_last_batch(drop_last, sizes):
    stream = ArrayStream(*_data(), 10, seed=0, drop_last=drop_last)
    assert len(stream) == len(sizes)
    assert [len(t) for _, t in stream.epoch(0)] == sizes


def test_array_tensor_and_mapped_file_give_the_same_batches(tmp_path):
    patterns, targets = _data()
    np.save(tmp_path / "patterns.npy", patterns)
    kinds = [patterns, torch.from_numpy(patterns), np.load(tmp_path / "patterns.npy", mmap_mode="r")]
    streams = [ArrayStream(kind, targets, 4, seed=3) for kind in kinds]
    epochs = [_epoch(stream, 2) for stream in streams]
    assert all(torch.equal(x, epochs[0][0]) and torch.equal(t, epochs[0][1]) for x, t in epochs)
    assert streams[0].identity() == streams[1].identity() == streams[2].identity()


def test_a_batch_does_not_share_memory_with_the_data():
    patterns, targets = _data()
    stream = ArrayStream(patterns, targets, 4, seed=3, shuffle=False)
    next(stream.epoch(0))[0].zero_()
    assert patterns[0, 1] == 1


def test_the_identity_sees_one_changed_number_and_one_changed_target():
    patterns, targets = _data()
    reference = ArrayStream(patterns, targets, 4, seed=3).identity()
    changed = patterns.copy()
    changed[20, 2] += 1
    assert ArrayStream(changed, targets, 4, seed=3).identity() != reference
    assert ArrayStream(patterns, targets[::-1].copy(), 4, seed=3).identity() != reference


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_named(bad):
    patterns, targets = _data(9000, 3)
    patterns[8500, 2] = bad
    with pytest.raises(ValueError, match=r"pattern 8500 holds .* at point 2"):
        ArrayStream(patterns, targets, 4, seed=0)


@pytest.mark.parametrize(
    "patterns, targets, batch_size, drop_last, message",
    [
        (np.zeros((3, 2, 1), np.float32), np.zeros(3, int), 2, False, r"\(n, n_points\)"),
        (np.zeros((3, 2), np.float32), np.zeros(4, int), 2, False, "one per pattern"),
        (np.zeros((3, 2), np.float32), np.array([0, -1, 2]), 2, False, "got -1 in row 1"),
        (np.zeros((3, 2), np.float32), np.array([0.0, 1.0, 2.0]), 2, False, "class indices"),
        (np.zeros((3, 2), np.float32), np.zeros(3, int), 4, True, "no batch"),
        (np.zeros((3, 2), np.float32), np.zeros(3, int), 0, False, "no batch"),
    ],
)
def test_input_that_makes_no_stream(patterns, targets, batch_size, drop_last, message):
    with pytest.raises(ValueError, match=message):
        ArrayStream(patterns, targets, batch_size, seed=0, drop_last=drop_last)

"""Batches: every pattern once per pass, an order that the seed and the pass fix, a recipe as identity, no bad input."""

import numpy as np
import pytest
import torch

from paperlib.datasets.streams import ArrayStream, steps_per_pass


def _data(n=23, n_points=5):
    patterns = np.arange(n * n_points, dtype=np.float32).reshape(n, n_points)
    return patterns, np.arange(n)


def _pass(stream, number):
    steps = steps_per_pass(stream)
    batches = [stream.batch(step) for step in range(number * steps, (number + 1) * steps)]
    return torch.cat([b[0] for b in batches]), torch.cat([b[1] for b in batches])


def test_every_pattern_comes_once_with_its_own_target():
    patterns, targets = _data()
    stream = ArrayStream(patterns, targets, 4, seed=1)
    x, t = _pass(stream, 0)
    assert sorted(t.tolist()) == targets.tolist() and stream.n_items == 23
    assert np.array_equal(x.numpy(), patterns[t.numpy()])
    assert x.dtype == torch.float32 and t.dtype == torch.int64


def test_the_order_depends_on_seed_and_pass_alone():
    data = _data()
    first = ArrayStream(*data, 4, seed=1)
    for number in range(3):
        _pass(first, number)
    fresh = ArrayStream(*data, 4, seed=1)
    assert torch.equal(_pass(first, 7)[1], _pass(fresh, 7)[1])
    assert not torch.equal(_pass(first, 7)[1], _pass(first, 8)[1])
    assert not torch.equal(_pass(first, 7)[1], _pass(ArrayStream(*data, 4, seed=2), 7)[1])


def test_a_batch_is_found_by_its_number_whatever_was_asked_before():
    data = _data()
    wanted = [ArrayStream(*data, 4, seed=1).batch(step)[1].tolist() for step in range(18)]
    stream = ArrayStream(*data, 4, seed=1)
    for step in (17, 0, 6, 5, 17, 12, 11):
        assert stream.batch(step)[1].tolist() == wanted[step]


def test_without_shuffling_the_order_is_that_of_the_array():
    patterns, targets = _data()
    assert _pass(ArrayStream(patterns, targets, 4, seed=1, shuffle=False), 3)[1].tolist() == targets.tolist()


@pytest.mark.parametrize("n, sizes", [(23, [10, 10, 3]), (20, [10, 10]), (4, [4])])
def test_the_last_batch_holds_the_rest(n, sizes):
    stream = ArrayStream(*_data(n), 10, seed=0)
    assert steps_per_pass(stream) == len(sizes)
    assert [len(stream.batch(step)[1]) for step in range(2 * len(sizes))] == 2 * sizes


def test_rows_choose_the_items_of_a_pass_in_their_order():
    patterns, targets = _data()
    rows = np.array([7, 2, 22, 2])
    stream = ArrayStream(patterns, targets, 3, seed=1, shuffle=False, rows=rows)
    x, t = _pass(stream, 5)
    assert t.tolist() == [7, 2, 22, 2] and np.array_equal(x.numpy(), patterns[rows]) and stream.n_items == 4
    shuffled = _pass(ArrayStream(patterns, targets, 3, seed=1, rows=rows), 0)[1]
    assert sorted(shuffled.tolist()) == [2, 2, 7, 22]


def test_array_tensor_and_mapped_file_give_the_same_batches(tmp_path):
    patterns, targets = _data()
    np.save(tmp_path / "patterns.npy", patterns)
    kinds = [patterns, torch.from_numpy(patterns), np.load(tmp_path / "patterns.npy", mmap_mode="r")]
    streams = [ArrayStream(kind, targets, 4, seed=3) for kind in kinds]
    passes = [_pass(stream, 2) for stream in streams]
    assert all(torch.equal(x, passes[0][0]) and torch.equal(t, passes[0][1]) for x, t in passes)
    assert streams[0].identity() == streams[1].identity() == streams[2].identity()


def test_a_batch_does_not_share_memory_with_the_data():
    patterns, targets = _data()
    ArrayStream(patterns, targets, 4, seed=3, shuffle=False).batch(0)[0].zero_()
    assert patterns[0, 1] == 1


def test_without_a_recipe_the_identity_sees_one_changed_number_and_one_changed_target():
    patterns, targets = _data()
    reference = ArrayStream(patterns, targets, 4, seed=3).identity()
    changed = patterns.copy()
    changed[20, 2] += 1
    assert ArrayStream(changed, targets, 4, seed=3).identity() != reference
    assert ArrayStream(patterns, targets[::-1].copy(), 4, seed=3).identity() != reference


def test_with_a_recipe_patterns_that_differ_in_their_last_bits_are_the_same():
    patterns, targets = _data()
    there = np.nextafter(patterns, np.float32(np.inf))
    recipe = {"crystals": "abc", "version": 1}
    here = ArrayStream(patterns, targets, 4, seed=3, recipe=recipe).identity()
    assert ArrayStream(there, targets, 4, seed=3, recipe=recipe).identity() == here
    assert ArrayStream(there, targets, 4, seed=3).identity() != ArrayStream(patterns, targets, 4, seed=3).identity()
    assert ArrayStream(patterns, targets, 4, seed=3, recipe=recipe | {"version": 2}).identity() != here
    assert ArrayStream(patterns, targets[::-1].copy(), 4, seed=3, recipe=recipe).identity() != here


@pytest.mark.parametrize("changed", [{"batch_size": 5}, {"seed": 4}, {"shuffle": False}, {"rows": np.arange(22)}])
def test_what_orders_the_batches_is_part_of_the_identity(changed):
    given = {"batch_size": 4, "seed": 3, "shuffle": True, "rows": np.arange(23), "recipe": {"crystals": "abc"}}
    identities = [ArrayStream(*_data(), **values).identity() for values in (given, given | changed)]
    assert identities[0] != identities[1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_named_by_the_row_of_the_array(bad):
    patterns, targets = _data(9000, 3)
    patterns[8500, 2] = bad
    with pytest.raises(ValueError, match=r"pattern 8500 holds .* at point 2"):
        ArrayStream(patterns, targets, 4, seed=0)
    with pytest.raises(ValueError, match=r"pattern 8500 holds"):
        ArrayStream(patterns, targets, 4, seed=0, rows=np.array([3, 8500]))
    ArrayStream(patterns, targets, 4, seed=0, rows=np.array([3, 8501]))  # a pattern that is not used may be anything


@pytest.mark.parametrize(
    "patterns, targets, batch_size, rows, message",
    [
        (np.zeros((3, 2, 1), np.float32), np.zeros(3, int), 2, None, r"\(n, n_points\)"),
        (np.zeros((0, 2), np.float32), np.zeros(0, int), 2, None, r"\(n, n_points\)"),
        (np.zeros((3, 2), np.float32), np.zeros(4, int), 2, None, "one per pattern"),
        (np.zeros((3, 2), np.float32), np.array([0, -1, 2]), 2, None, "got -1 in row 1"),
        (np.zeros((3, 2), np.float32), np.array([0.0, 1.0, 2.0]), 2, None, "class indices"),
        (np.zeros((3, 2), np.float32), np.zeros(3, int), 2, np.array([], int), "no batch can be made of 0"),
        (np.zeros((3, 2), np.float32), np.zeros(3, int), 0, None, "no batch"),
    ],
)
def test_input_that_makes_no_stream(patterns, targets, batch_size, rows, message):
    with pytest.raises(ValueError, match=message):
        ArrayStream(patterns, targets, batch_size, seed=0, rows=rows)

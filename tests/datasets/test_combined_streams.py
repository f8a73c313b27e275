"""Streams made of streams: shares of a mixture, and batches made ahead that are the same batches."""

import gc
import pickle
import threading
import time

import numpy as np
import pytest
import torch

from paperlib.datasets.combined_streams import MixtureStream, Prefetched, shares
from paperlib.datasets.labels import Labels


class Counting:
    """Patterns that say which stream, step and place they come from; some steps fail."""

    def __init__(self, mark=0, batch_size=4, n_items=20, n_points=3, fails=(), labels=None):
        self.mark, self.batch_size, self.n_items, self.n_points = mark, batch_size, n_items, n_points
        self.fails, self.asked = fails, []
        if labels is not None:
            self.labels = labels

    def batch(self, step, device="cpu"):
        self.asked.append((step, threading.current_thread().name))
        if step in self.fails:
            raise ValueError(f"crystal {step} has no pattern")
        place = torch.arange(self.batch_size)
        patterns = torch.stack([torch.full((self.batch_size,), self.mark), torch.full_like(place, step), place], 1)
        return patterns.float().to(device), (10 * self.mark + place).to(device)

    def identity(self):
        return {"kind": "Counting", "mark": self.mark, "batch_size": self.batch_size}


def test_a_batch_of_a_mixture_holds_the_batches_of_its_streams():
    mixture = MixtureStream([Counting(1, 6), Counting(2, 3, n_items=7)], seed=0)
    assert (mixture.batch_size, mixture.n_points, mixture.n_items) == (9, 3, 4 * 9)
    patterns, targets = mixture.batch(5)
    rows = sorted(map(tuple, patterns.int().tolist()))
    assert rows == [(1, 5, i) for i in range(6)] + [(2, 5, i) for i in range(3)]
    assert torch.equal(targets, (10 * patterns[:, 0] + patterns[:, 2]).long())


def test_the_order_within_a_mixture_is_drawn_for_each_batch():
    orders = [
        MixtureStream([Counting(1, 6), Counting(2, 6)], seed).batch(s)[1].tolist() for seed, s in [(0, 0), (0, 1)]
    ]
    again = MixtureStream([Counting(1, 6), Counting(2, 6)], 0).batch(1)[1].tolist()
    other = MixtureStream([Counting(1, 6), Counting(2, 6)], 1).batch(1)[1].tolist()
    assert orders[0] != orders[1] == again != other
    assert orders[0] != sorted(orders[0])


def test_the_identity_of_a_mixture_knows_its_streams_and_its_seed():
    one, two = Counting(1), Counting(2)
    identities = [MixtureStream(*given).identity() for given in [([one, two], 0), ([two, one], 0), ([one, two], 1)]]
    assert identities[0] == MixtureStream([Counting(1), Counting(2)], 0).identity()
    assert identities[0] != identities[1] and identities[0] != identities[2]


@pytest.mark.parametrize(
    "streams, message",
    [
        ([], "no streams"),
        ([Counting(), Counting(n_points=4)], "n_points: .'3', '4'"),
        ([Counting(labels=Labels("absences")), Counting(labels=Labels("published"))], "differ in labels"),
    ],
)
def test_streams_that_do_not_mix(streams, message):
    with pytest.raises(ValueError, match=message):
        MixtureStream(streams, seed=0)


def test_shares_add_up_and_are_rounded_by_less_than_one():
    assert shares([3, 1], 64) == (48, 16) and shares([1, 1, 1], 64) in [(21, 22, 21), (21, 21, 22), (22, 21, 21)]
    weights = np.random.default_rng(0).uniform(0.1, 1, 9)
    made = np.array(shares(weights, 333))
    assert made.sum() == 333 and np.abs(made - 333 * weights / weights.sum()).max() < 1


@pytest.mark.parametrize("weights", [[], [1, 0], [1, -1], [1, np.nan], [1, 1000]])
def test_weights_without_a_share_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        shares(weights, 64)


def equal(a, b):
    return torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])


def test_batches_made_ahead_are_the_same_in_any_order():
    plain, ahead = Counting(), Prefetched(Counting(), ahead=3)
    for step in [0, 1, 2, 3, 9, 10, 2, 2, 3]:
        assert equal(ahead.batch(step), plain.batch(step, "cpu")), step
    assert (ahead.n_points, ahead.batch_size, ahead.n_items) == (3, 4, 20)
    assert ahead.identity() == plain.identity()
    ahead.close()


def test_the_next_batches_are_made_in_order_and_in_the_background():
    inner = Counting()
    stream = Prefetched(inner, ahead=2)
    stream.batch(0)
    waited = time.monotonic()
    while len(inner.asked) < 3 and time.monotonic() - waited < 20:
        time.sleep(0.01)
    stream.batch(1)
    stream.batch(2)
    stream.close()
    steps = [step for step, _ in inner.asked]
    assert steps[:3] == [0, 1, 2] and len(set(steps)) == len(steps), "each batch is made once"
    assert threading.current_thread().name not in {name for _, name in inner.asked}


def test_an_error_comes_up_at_its_own_step_and_the_rest_goes_on():
    stream = Prefetched(Counting(fails=(2,)), ahead=3)
    assert equal(stream.batch(0), Counting().batch(0)) and equal(stream.batch(1), Counting().batch(1))
    with pytest.raises(
        RuntimeError, match="batch 2 of Counting failed: ValueError: crystal 2 has no pattern"
    ) as caught:
        stream.batch(2)
    assert isinstance(caught.value.__cause__, ValueError)
    assert equal(stream.batch(3), Counting().batch(3))
    stream.close()


def test_a_closed_stream_says_so():
    stream = Prefetched(Counting())
    stream.batch(0)
    stream.close()
    stream.close()
    with pytest.raises(RuntimeError, match=r"batch 1 .* after close\(\)"):
        stream.batch(1)


def threads_of_prefetching():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("how", ["closed", "forgotten"])
def test_the_thread_ends(how):
    before = set(threads_of_prefetching())
    stream = Prefetched(Counting())
    stream.batch(0)
    (mine,) = set(threads_of_prefetching()) - before
    if how == "closed":
        stream.close()
    else:
        del stream
        gc.collect()
    mine.join(timeout=20)
    assert not mine.is_alive()


def test_a_copy_works_ahead_for_itself():
    stream = Prefetched(Counting(mark=7), ahead=4)
    stream.batch(0)
    copy = pickle.loads(pickle.dumps(stream))
    assert copy.ahead == 4 and equal(copy.batch(6), Counting(mark=7).batch(6))
    stream.close()
    assert equal(copy.batch(7), Counting(mark=7).batch(7))
    copy.close()


def test_nothing_is_made_ahead_of_zero_batches():
    with pytest.raises(ValueError, match="ahead is 0"):
        Prefetched(Counting(), ahead=0)

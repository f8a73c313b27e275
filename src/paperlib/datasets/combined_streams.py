"""Streams made of streams: several in one batch, batches made on the CPU for a GPU, and batches made ahead in the
background."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from paperlib.datasets.streams import Stream, steps_per_pass
from paperlib.lab import rng

VERSION = 1
"""Of what a mixture makes of its streams: raised when it is meant to change."""


class MixtureStream:
    """The batches of several ``streams`` in one: each batch holds as many items of a stream as that stream's own
    batches do, in an order drawn for the batch. :func:`shares` turns weights into such batch sizes.

    A pass is one pass of the first stream. Raises ValueError for no streams, and where their points or their labels
    differ.
    """

    def __init__(self, streams: Sequence[Stream], seed: int) -> None:
        if not streams:
            raise ValueError("a mixture of no streams has no items; give at least one stream")
        for name in ("n_points", "labels"):
            kinds = {getattr(stream, name, None) for stream in streams} - {None}
            if len(kinds) > 1:
                raise ValueError(f"the streams of a mixture differ in {name}: {sorted(map(str, kinds))}; give them one")
        self.streams, self.seed = tuple(streams), int(seed)
        self.n_points = streams[0].n_points
        self.batch_size = sum(stream.batch_size for stream in streams)
        self.n_items = self.batch_size * steps_per_pass(streams[0])

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``: patterns (b, n_points) float32, targets (b,) int64."""
        parts = [stream.batch(step, device) for stream in self.streams]
        patterns, targets = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        order = torch.from_numpy(rng.permutation(self.seed, "mixture", step, len(targets))).to(device)
        return patterns[order], targets[order]

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""
        parts = [stream.identity() for stream in self.streams]
        return {"kind": type(self).__name__, "version": VERSION, "seed": self.seed, "streams": parts}


def shares(weights: Sequence[float], batch_size: int) -> tuple[int, ...]:
    """How many of ``batch_size`` items fall to each of the ``weights`` (n,): they add up to ``batch_size``, and each
    is its share rounded up or down. Raises ValueError for weights that are not positive, and where one would get no
    item."""
    given = np.asarray(weights, dtype=np.float64)
    if given.ndim != 1 or not len(given) or not (np.isfinite(given) & (given > 0)).all():
        raise ValueError(f"weights are {list(weights)}; give one positive number for each stream")
    ends = np.rint(np.cumsum(given) / given.sum() * batch_size).astype(int)
    sizes = np.diff(ends, prepend=0)
    if sizes.min() < 1:
        raise ValueError(
            f"of {batch_size} items, weight {given[sizes.argmin()]:g} gets none; raise it or the batch size"
        )
    return tuple(sizes.tolist())


class MadeOnHost:
    """The batches of ``stream`` made on the CPU, on whatever device they are asked for, and copied there. To make a
    small batch on a GPU takes many kernels that do next to nothing, and takes its time from the network."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.n_points, self.batch_size, self.n_items = stream.n_points, stream.batch_size, stream.n_items

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``, as ``stream`` makes it on the CPU."""
        patterns, targets = self.stream.batch(step, "cpu")
        if torch.device(device).type == "cpu":
            return patterns, targets
        # from pinned memory the copy does not wait for what the device is doing
        return tuple(t.pin_memory().to(device, non_blocking=True) for t in (patterns, targets))

    def identity(self) -> dict[str, Any]:
        """That of the stream: patterns made here or there agree within rounding."""
        return self.stream.identity()


class Prefetched:
    """The batches of ``stream``, the next ``ahead`` of them made in a background thread while one is used.

    The batches are the same, and so is the identity. A jump to another step throws away what was made for the old
    place. The thread ends with :meth:`close`, or when nobody holds this object any more; a copy sent to another
    process has a thread of its own there. Raises ValueError for ``ahead`` below 1.
    """

    def __init__(self, stream: Stream, ahead: int = 2) -> None:
        if ahead < 1:
            raise ValueError(f"ahead is {ahead}; give the number of batches to make in advance, at least 1")
        self.stream, self.ahead = stream, ahead
        self.n_points, self.batch_size, self.n_items = stream.n_points, stream.batch_size, stream.n_items
        self._lock, self._made = threading.Lock(), dict[tuple[int, torch.device], Future]()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        # the thread knows the inner stream only, so that it does not keep this object alive
        self._finalizer = weakref.finalize(self, self._pool.shutdown, wait=False, cancel_futures=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.stream, self.ahead)

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``, as ``stream`` makes it. Raises RuntimeError, naming the step
        and the error behind it, where that fails, and after :meth:`close`."""
        wanted = [(later, torch.device(device)) for later in range(step, step + self.ahead + 1)]
        with self._lock:
            if not self._finalizer.alive:
                raise RuntimeError(f"batch {step} was asked for after close(); make a new Prefetched")
            for key in self._made.keys() - set(wanted):
                self._made.pop(key).cancel()
            for key in wanted:
                if key not in self._made:
                    self._made[key] = self._pool.submit(self.stream.batch, *key)
            future = self._made.pop(wanted[0])
        try:
            return future.result()
        except Exception as error:
            kind = type(self.stream).__name__
            raise RuntimeError(f"batch {step} of {kind} failed: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """End the thread as soon as the batch is done that it is working on."""
        self._finalizer()

    def identity(self) -> dict[str, Any]:
        """That of the stream: working ahead changes no number."""
        return self.stream.identity()

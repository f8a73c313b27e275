"""Batches of patterns for training, epoch by epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from paperlib.lab.rng import permutation

_ROWS_AT_ONCE = 8192
"""Rows that are checked together: tens of megabytes, so that a memory-mapped file is never read whole."""


class Stream(Protocol):
    """What training needs of its data."""

    n_points: int
    """Points of a pattern."""

    def __len__(self) -> int:
        """Batches per epoch."""

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of one epoch: patterns (b, n_points) float32 and targets (b,) int64. They depend on the
        stream and the epoch number alone, so that a run which stopped goes on with the same batches."""

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""


class ArrayStream:
    """Batches from an array that holds all patterns; the order of epoch *e* is a function of (seed, e).

    ``patterns`` is (n, n_points), an array, a memory-mapped array (rows are read as they are needed) or a
    tensor on any device; batches are float32. ``targets`` is (n,) class indices from 0. ``drop_last`` leaves
    the last batch of an epoch out where it is smaller than ``batch_size``. Raises ValueError for wrong
    shapes, negative targets, an array without a full batch to give, and the first row with a NaN or an
    infinity.
    """

    def __init__(
        self,
        patterns: np.ndarray | Tensor,
        targets: np.ndarray | Tensor,
        batch_size: int,
        seed: int,
        shuffle: bool = True,
        drop_last: bool = False,
    ) -> None:
        if patterns.ndim != 2 or len(patterns) == 0 or patterns.shape[1] == 0:
            raise ValueError(f"patterns must have the shape (n, n_points), got {tuple(patterns.shape)}")
        targets = torch.as_tensor(targets)
        if targets.shape != (len(patterns),):
            raise ValueError(
                f"targets must have the shape ({len(patterns)},), one per pattern, got {tuple(targets.shape)}"
            )
        if targets.is_floating_point() or targets.is_complex() or targets.dtype == torch.bool:
            raise ValueError(f"targets are class indices, got {targets.dtype}")
        if int(targets.min()) < 0:
            row = int(torch.argmin(targets))
            raise ValueError(f"targets are class indices from 0, got {int(targets[row])} in row {row}")
        if batch_size < 1 or (drop_last and len(patterns) < batch_size):
            raise ValueError(f"no batch can be made of {len(patterns)} patterns with {batch_size=}, {drop_last=}")
        self._patterns = patterns
        self._targets = targets.to(torch.int64)
        self.batch_size, self.seed, self.shuffle, self.drop_last = batch_size, seed, shuffle, drop_last
        self.n_points = int(patterns.shape[1])
        self._fingerprint = self._check_and_hash()

    def _rows(self, chosen: slice) -> np.ndarray:
        rows = self._patterns[chosen]
        rows = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        return np.ascontiguousarray(rows, dtype=np.float32)

    def _check_and_hash(self) -> str:
        digest = hashlib.sha256(self._targets.cpu().numpy().tobytes())
        for start in range(0, len(self._patterns), _ROWS_AT_ONCE):
            rows = self._rows(slice(start, start + _ROWS_AT_ONCE))
            finite = np.isfinite(rows)
            if not finite.all():
                row, point = np.argwhere(~finite)[0]
                raise ValueError(
                    f"pattern {start + row} holds {rows[row, point]} at point {point}; leave it out or mend it before "
                    "training"
                )
            digest.update(rows.tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        n = len(self._patterns)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of epoch number ``epoch`` (from 0): patterns (b, n_points) float32, targets (b,) int64."""
        n = len(self._patterns)
        order = permutation(self.seed, "batches", epoch, n) if self.shuffle else np.arange(n)
        for i in range(len(self)):
            rows = order[i * self.batch_size : (i + 1) * self.batch_size]
            chosen = torch.from_numpy(rows)
            if isinstance(self._patterns, Tensor):
                patterns = self._patterns[chosen.to(self._patterns.device)]
            else:
                patterns = torch.from_numpy(np.array(self._patterns[rows]))
            yield patterns.to(torch.float32), self._targets[chosen.to(self._targets.device)]

    def identity(self) -> dict[str, Any]:
        """Sizes, order and a checksum of patterns and targets."""
        return {
            "kind": type(self).__name__,
            "n": len(self._patterns),
            "n_points": self.n_points,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "sha256": self._fingerprint,
        }

"""Batches of patterns for training, found by the number of the step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
    batch_size: int
    """Items of a batch; the last of a pass may have fewer."""
    n_items: int
    """Items of one pass. A stream that makes its items goes on with new ones after it."""

    def batch(self, step: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``: patterns (b, n_points) float32 and targets (b,) int64.

        It depends on the stream and the number alone, so that a training that stopped goes on with the same batches.
        """

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other, on any machine: a recipe, not the bits of floats."""


def steps_per_pass(stream: Stream) -> int:
    """Batches in which every item of a stream occurs once."""
    return -(-stream.n_items // stream.batch_size)


class ArrayStream:
    """Batches from an array that holds all patterns; the order of pass *p* is a function of (seed, p).

    ``patterns`` is (m, n_points), an array, a memory-mapped array (rows are read as they are needed) or a tensor on any
    device; batches are float32. ``targets`` is (m,) class indices from 0. ``rows`` chooses n of the m patterns, all of
    them where it is None. ``recipe`` says in plain values what the chosen patterns are, in this order; without one they
    are known by a checksum of their bits. Raises ValueError for wrong shapes, negative targets, no pattern at all, and
    the first row with a NaN or an infinity.
    """

    def __init__(
        self,
        patterns: np.ndarray | Tensor,
        targets: np.ndarray | Tensor,
        batch_size: int,
        seed: int,
        shuffle: bool = True,
        rows: np.ndarray | None = None,
        recipe: Mapping[str, Any] | None = None,
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
        self._rows = np.arange(len(patterns)) if rows is None else np.asarray(rows, dtype=np.int64)
        if batch_size < 1 or not len(self._rows):
            raise ValueError(f"no batch can be made of {len(self._rows)} patterns with {batch_size=}")
        self._patterns = patterns
        self._targets = targets.to(torch.int64)
        self.batch_size, self.seed, self.shuffle = batch_size, seed, shuffle
        self.n_points, self.n_items = int(patterns.shape[1]), len(self._rows)
        bits = self._check_and_hash()
        self._content = {"sha256": bits} if recipe is None else dict(recipe)
        self._order = (-1, self._rows)

    def _check_and_hash(self) -> str:
        digest = hashlib.sha256()
        for start in range(0, self.n_items, _ROWS_AT_ONCE):
            rows = self._at(self._rows[start : start + _ROWS_AT_ONCE]).cpu().numpy()
            finite = np.isfinite(rows)
            if not finite.all():
                row, point = np.argwhere(~finite)[0]
                raise ValueError(
                    f"pattern {self._rows[start + row]} holds {rows[row, point]} at point {point}; leave it out or "
                    "mend it before training"
                )
            digest.update(rows.tobytes())
        return digest.hexdigest()

    def _at(self, rows: np.ndarray) -> Tensor:
        if isinstance(self._patterns, Tensor):
            return self._patterns[torch.from_numpy(rows).to(self._patterns.device)].to(torch.float32)
        return torch.from_numpy(np.array(self._patterns[rows], dtype=np.float32))

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch ``step`` (from 0) on ``device``: patterns (b, n_points) float32, targets (b,) int64."""
        number, place = divmod(step, steps_per_pass(self))
        if self._order[0] != number:
            chosen = permutation(self.seed, "batches", number, self.n_items) if self.shuffle else slice(None)
            self._order = (number, self._rows[chosen])
        rows = self._order[1][place * self.batch_size : (place + 1) * self.batch_size]
        targets = self._targets[torch.from_numpy(rows).to(self._targets.device)]
        return self._at(rows).to(device, non_blocking=True), targets.to(device, non_blocking=True)

    def identity(self) -> dict[str, Any]:
        """Sizes, order, what the patterns are, and a checksum of the targets."""
        targets = self._targets.cpu().numpy()[self._rows]
        return {
            "kind": type(self).__name__,
            "n_items": self.n_items,
            "n_points": self.n_points,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "shuffle": self.shuffle,
            "content": self._content,
            "targets": hashlib.sha256(targets.tobytes()).hexdigest(),
        }

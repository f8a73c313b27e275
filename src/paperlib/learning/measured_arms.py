"""Data of arms and tests that are measured patterns, or simulated ones of the same diffractometer.

A measured pattern is shown with a zero shift of its own each time, as the simulated ones are. The splits of such a
study are folds of the measured patterns. Simulated data do not depend on the fold, so that a training on them alone is
one training for all folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from paperlib.datasets.combined_streams import MixtureStream
from paperlib.datasets.labels import Labels
from paperlib.datasets.pattern_sets import PatternSet, SetStream
from paperlib.datasets.specimens import Specimens
from paperlib.datasets.streams import ArrayStream
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.lab import rng
from paperlib.lab.store import sha256_of_text
from paperlib.learning.arms import TestItems


class ChosenStream(SetStream):
    """Those items of a set that are in ``rows`` (n,), their numbers, each once in a pass."""

    def __init__(self, of: PatternSet, labels: Labels, batch_size: int, seed: int, rows: np.ndarray) -> None:
        super().__init__(of, labels, batch_size, seed, len(rows))
        self.rows = rows

    def items(self) -> np.ndarray:
        """(n_items,) int64: their numbers in the set."""
        return self.rows

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""
        return super().identity() | {"kind": "ChosenStream", "rows": sha256_of_text(repr(self.rows.tolist()))}


@dataclass(frozen=True, eq=False)
class SetData:
    """Streams of the patterns of a set, again and again, the same whatever the split: of those in ``rows`` (n,), their
    numbers, or of all."""

    of: PatternSet
    labels: Labels
    batch_size: int
    rows: np.ndarray | None = None

    def __call__(self, split: Any, seed: int) -> SetStream:
        """The stream of one seed."""
        if self.rows is not None:
            return ChosenStream(self.of, self.labels, self.batch_size, seed, self.rows)
        return SetStream(self.of, self.labels, self.batch_size, seed, self.of.n)

    def prepare(self, split: Any) -> None:
        """Make the patterns."""
        self.of.make()

    def space_groups(self, split: Any) -> np.ndarray:
        """(n,) those that the items are labelled with."""
        return self.of.labels(np.arange(self.of.n) if self.rows is None else self.rows)


class ShiftedStream:
    """The patterns of ``stream``, each moved by a whole number of points, up to ``most`` either way, that is drawn for
    step and place."""

    def __init__(self, stream: ArrayStream, most: int) -> None:
        self.stream, self.most = stream, int(most)
        self.n_points, self.batch_size, self.n_items = stream.n_points, stream.batch_size, stream.n_items

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``: patterns (b, n_points) float32, targets (b,) int64."""
        patterns, targets = self.stream.batch(step, "cpu")
        words = rng.integers(self.stream.seed, "shifted", np.array([step]), len(targets))[0]
        shifts = torch.from_numpy(words % (2 * self.most + 1) - self.most)
        source = torch.arange(self.n_points) - shifts[:, None]
        there = (source >= 0) & (source < self.n_points)
        moved = patterns.gather(1, source.clamp(0, self.n_points - 1)).masked_fill(~there, NOT_MEASURED)
        return moved.to(device), targets.to(device)

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""
        return {"kind": type(self).__name__, "most": self.most, "of": self.stream.identity()}


@dataclass(frozen=True, eq=False)
class MeasuredData:
    """Streams of the measured patterns that are in no fold but those trained on: all but fold ``split``; each is moved
    by up to ``shifts`` points (:class:`ShiftedStream`)."""

    of: Specimens
    folds: np.ndarray
    labels: Labels
    batch_size: int
    shifts: int = 2

    def rows(self, split: Any) -> np.ndarray:
        """(n,) int64 of the patterns that are trained on."""
        return np.flatnonzero((self.folds != split) & (self.folds >= 0))

    def __call__(self, split: Any, seed: int) -> ShiftedStream:
        """The stream of one fold and seed."""
        rows, targets = self.rows(split), self.labels.of(self.of.space_group)
        recipe = self.of.recipe(rows)
        stream = ArrayStream(self.of.patterns, targets, self.batch_size, seed, rows=rows, recipe=recipe)
        return ShiftedStream(stream, self.shifts)

    def space_groups(self, split: Any) -> np.ndarray:
        """(n,) those of the patterns that are trained on."""
        return self.of.space_group[self.rows(split)]


@dataclass(frozen=True, eq=False)
class MixedData:
    """Streams of several: each batch holds a batch of each of ``parts``, and a pass is one of the first of them. The
    last batch of a pass over measured patterns may be smaller."""

    parts: tuple[MeasuredData | SetData | MixedData, ...]

    def __call__(self, split: Any, seed: int) -> MixtureStream:
        """The stream of one fold and seed."""
        return MixtureStream([part(split, seed) for part in self.parts], seed)

    def prepare(self, split: Any) -> None:
        """Make the simulated patterns."""
        for part in self.parts:
            if not isinstance(part, MeasuredData):
                part.prepare(split)

    def space_groups(self, split: Any) -> np.ndarray:
        """(n,) those that the items of all parts are labelled with, each part as often as a batch holds it."""
        size = {part: part.space_groups(split) for part in self.parts}
        most = max(len(groups) / part.batch_size for part, groups in size.items())
        repeats = [(groups, round(most * part.batch_size)) for part, groups in size.items()]
        return np.concatenate([np.resize(groups, n) for groups, n in repeats])

    @property
    def batch_size(self) -> int:
        """Items of a whole batch."""
        return sum(part.batch_size for part in self.parts)


@dataclass(frozen=True, eq=False)
class MeasuredTest:
    """The measured patterns of one fold, moved by ``shift`` points of the grid to higher angles."""

    key: str
    of: Specimens
    folds: np.ndarray
    """(n,) int64: fold of each pattern; -1 for those that are in no test."""
    shift: int = 0

    def items(self, split: Any) -> TestItems:
        """The items of one fold; all of their log-probabilities are kept."""
        rows = np.flatnonzero(self.folds == split)
        patterns = moved(self.of.patterns[rows], self.shift)
        identity = self.of.recipe(rows) | {"shift": self.shift}
        return TestItems(patterns, self.of.space_group[rows], self.of.clusters[rows], identity, whole=True)


@dataclass(frozen=True, eq=False)
class SetTest:
    """The first patterns of a set, of items in ``clusters`` (n,), the crystals that they show, dealt out to
    ``n_splits``: each is asked of the trainings of one split, since those on simulated patterns are the same for all.
    ``whole`` as in :class:`paperlib.learning.arms.TestItems`."""

    key: str
    of: PatternSet
    clusters: np.ndarray
    n_splits: int
    whole: bool = False

    def items(self, split: Any) -> TestItems:
        """The items of one split, a number from 0."""
        numbers = np.arange(len(self.clusters))[split :: self.n_splits]
        identity = self.of.identity() | {"n_items": len(self.clusters), "every": (split, self.n_splits)}
        identity |= {"whole": self.whole}
        truth, clusters = self.of.labels(numbers), self.clusters[numbers]
        return TestItems(self.of.patterns(numbers), truth, clusters, identity, whole=self.whole)


def moved(patterns: np.ndarray, points: int) -> np.ndarray:
    """(n, n_points) ``patterns``, moved by ``points`` to higher angles; what comes in was not measured."""
    if points == 0:
        return patterns
    out = np.full_like(patterns, NOT_MEASURED)
    source, target = (
        (slice(None, -points), slice(points, None)) if points > 0 else (slice(-points, None), slice(None, points))
    )
    out[:, target] = patterns[:, source]
    return out

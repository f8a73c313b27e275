"""Data of arms and tests that are measured patterns, or simulated ones of the same diffractometer.

The splits of such a study are folds of the measured patterns. Simulated data do not depend on the fold, so that a
training on them alone is one training for all folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from paperlib.datasets.combined_streams import MixtureStream
from paperlib.datasets.labels import Labels
from paperlib.datasets.pattern_sets import PatternSet, SetStream
from paperlib.datasets.specimens import Specimens
from paperlib.datasets.streams import ArrayStream
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.learning.arms import TestItems


@dataclass(frozen=True, eq=False)
class SetData:
    """Streams of all patterns of a set, again and again, the same whatever the split."""

    of: PatternSet
    labels: Labels
    batch_size: int

    def __call__(self, split: Any, seed: int) -> SetStream:
        """The stream of one seed."""
        return SetStream(self.of, self.labels, self.batch_size, seed, self.of.n)

    def prepare(self, split: Any) -> None:
        """Make the patterns."""
        self.of.make()

    def space_groups(self, split: Any) -> np.ndarray:
        """(n,) those that the items are labelled with."""
        return self.of.labels(np.arange(self.of.n))


@dataclass(frozen=True, eq=False)
class MeasuredData:
    """Streams of the measured patterns that are in no fold but those trained on: all but fold ``split``."""

    of: Specimens
    folds: np.ndarray
    labels: Labels
    batch_size: int

    def rows(self, split: Any) -> np.ndarray:
        """(n,) int64 of the patterns that are trained on."""
        return np.flatnonzero((self.folds != split) & (self.folds >= 0))

    def __call__(self, split: Any, seed: int) -> ArrayStream:
        """The stream of one fold and seed."""
        rows, targets = self.rows(split), self.labels.of(self.of.space_group)
        recipe = self.of.recipe(rows)
        return ArrayStream(self.of.patterns, targets, self.batch_size, seed, rows=rows, recipe=recipe)

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
    """The first ``n`` patterns of a set, the same whatever the split; items of one of the ``clusters`` (n,), of the
    crystals that they show, are no independent evidence. ``whole`` as in :class:`paperlib.learning.arms.TestItems`."""

    key: str
    of: PatternSet
    clusters: np.ndarray
    whole: bool = False

    def items(self, split: Any) -> TestItems:
        """The items."""
        numbers = np.arange(len(self.clusters))
        identity = self.of.identity() | {"n_items": len(numbers), "whole": self.whole}
        return TestItems(self.of.patterns(numbers), self.of.labels(numbers), self.clusters, identity, whole=self.whole)


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

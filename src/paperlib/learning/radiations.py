"""Data of a study of several radiations and programs: mixtures of kinds of patterns, and patterns that come from
elsewhere as a test."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from paperlib.datasets.combined_streams import MixtureStream, shares
from paperlib.datasets.prepared import Prepared
from paperlib.learning.arms import StoredRows, TestItems
from paperlib.learning.study import Trained

OTHER_ORDER = 500_009
"""Added to the seed for each further kind of a mixture."""


@dataclass(frozen=True)
class MixedRows:
    """Streams of several kinds of patterns in one, in equal parts: a batch is as large as one of the first kind.

    Each kind has an order of its own, so that a batch does not hold the same crystals in all kinds.
    """

    kinds: tuple[StoredRows, ...]

    def __call__(self, split: Any, seed: int) -> MixtureStream:
        """The stream of one split and seed. The last batch of a pass may be smaller."""
        sizes = shares([1.0] * len(self.kinds), self.kinds[0].batch_size)
        streams = [
            replace(kind, batch_size=size)(split, seed + OTHER_ORDER * i)
            for i, (kind, size) in enumerate(zip(self.kinds, sizes, strict=True))
        ]
        return MixtureStream(streams, seed)


@dataclass(frozen=True, eq=False)
class GivenTest:
    """Patterns that were not made by us, of ``rows`` of the crystals of ``prepared`` for each split."""

    key: str
    prepared: Prepared
    """Of the same crystals, by which they are known."""
    rows: Mapping[Any, np.ndarray]
    clusters: np.ndarray
    """(n of all,) as in :class:`paperlib.learning.arms.TestItems`."""
    patterns: Mapping[Any, np.ndarray]
    """(n, n_points) by split, in the order of its rows."""
    origin: Mapping[str, Any]
    """What made them and for which instrument, in plain values."""

    def items(self, split: Any) -> TestItems:
        """The items for one split. Raises ValueError where there are not as many patterns as rows."""
        rows, patterns = self.rows[split], self.patterns[split]
        if len(rows) != len(patterns):
            raise ValueError(f"{self.key}: split {split!r} has {len(rows)} crystals and {len(patterns)} patterns")
        groups = self.prepared.crystals.space_group[rows].astype(np.int64)
        identity = {"crystals": self.prepared.recipe(rows)["crystals"]} | dict(self.origin)
        return TestItems(patterns, groups, self.clusters[rows], identity)


def about(trained: Trained, tests: Collection[str]) -> Trained:
    """The same trainings, and only what they say about ``tests``: those about the same crystals, say, which can be
    compared in pairs. Raises KeyError for a test that the study has not."""
    if missing := sorted(set(tests) - {test for test, _ in trained.items}):
        raise KeyError(f"the study has no test {', '.join(missing)}")
    of_tests = {
        name: {key: x for key, x in getattr(trained, name).items() if key[0] in tests}
        for name in ("answers", "items", "whole")
    }
    return replace(trained, **of_tests)

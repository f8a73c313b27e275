"""Data of arms and tests whose patterns are made when they are asked for: reflection data, random crystals, and
crystals with imperfections.

Each is a small object that says how, so that processes that train can be handed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.generated_streams import CrystalStream, IdealStream
from paperlib.datasets.labels import Labels
from paperlib.datasets.pattern_sets import SHARD, SetStream
from paperlib.datasets.random_sets import RandomSet
from paperlib.datasets.streams import Stream, steps_per_pass
from paperlib.diffraction.altered import Alteration
from paperlib.diffraction.ideal import random_cells
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.learning.arms import Arm, ItemBudget, TestItems

PASS = 99_000
"""Items between two rows of the history of a training on reflection data without end: the smallest published set."""
TEST_SEED = 1_000_003
"""Of what is drawn for tests; trainings have the seeds from 0 on."""


@dataclass(frozen=True)
class ReflectionData:
    """Reflection data (:class:`paperlib.datasets.generated_streams.IdealStream`), one stream for each seed whatever
    the split: without end, or ``n_items`` of them that ``repeat``."""

    labels: Labels
    instrument: Instrument
    batch_size: int
    n_items: int
    """Of what is called a pass."""
    balance: str = "groups"
    family: str = "line"
    repeat: bool = False

    def __call__(self, split: Any, seed: int) -> IdealStream:
        """The stream of one seed."""
        size = self.batch_size, self.n_items, seed, self.balance, self.family, self.repeat
        return IdealStream(self.labels, self.instrument, *size)

    def test(self, key: str, n: int) -> ReflectionTest:
        """``n`` items that no training has seen."""
        return ReflectionTest(key, replace(self, batch_size=1024, n_items=n, repeat=False))


@dataclass(frozen=True)
class ReflectionTest:
    """One pass over reflection data with a seed of its own, the same for every split. Every item has a cell of its own,
    and so is evidence of its own."""

    key: str
    data: ReflectionData

    def items(self, split: Any) -> TestItems:
        """The items, which no split changes."""
        stream = self.data(split, TEST_SEED)
        numbers = np.arange(stream.n_items)
        return TestItems(_one_pass(stream), stream.space_groups(numbers), numbers, stream.identity())

    def cells(self) -> np.ndarray:
        """(n, 6) Å and degrees: the cells of the items, which the patterns do not say."""
        stream = self.data(None, TEST_SEED)
        items = np.arange(stream.n_items)
        return random_cells(stream.space_groups(items), TEST_SEED, items)


def reflection_arm(
    key: str,
    labels: Labels,
    model: Mapping[str, Any],
    items: int,
    instrument: Instrument,
    family: str = "line",
    spaces: tuple[str, ...] = (),
    lr: float = 0.002,
    device: str = "auto",
) -> Arm:
    """An arm that sees ``items`` patterns of reflection data once each, balanced over space groups, in batches of 256.
    It is scored in ``spaces``, or in its own ``labels``."""
    data = ReflectionData(labels, instrument, 256, PASS, family=family)
    return Arm(key, labels, data, ItemBudget(items, lr, device), spaces or (labels.scheme,), model)


@dataclass(frozen=True)
class RandomData:
    """Streams of ``n_items`` random crystals that come again in every pass. Each of the ``splits`` has those that
    follow on the ones of the split before, as far as the set goes, and then those from its beginning."""

    random: RandomSet
    labels: Labels
    batch_size: int
    n_items: int
    splits: tuple[Any, ...]

    def __call__(self, split: Any, seed: int) -> SetStream:
        """The stream of one split and seed."""
        first = self.splits.index(split) * self.n_items
        return SetStream(self.random, self.labels, self.batch_size, seed, self.n_items, first)

    def space_groups(self, split: Any) -> np.ndarray:
        """(n_items,) those that the items of one split are labelled with."""
        return self.random.labels(self(split, 0).items())

    def prepare(self, split: Any) -> None:
        """Make the patterns of one split."""
        self.random.make(np.unique(self(split, 0).items() // SHARD).tolist())


@dataclass(frozen=True)
class RandomTest:
    """Patterns of a random set of its own seed; each of the ``splits`` has as many of them, and none twice."""

    key: str
    random: RandomSet
    splits: tuple[Any, ...]

    def items(self, split: Any) -> TestItems:
        """The items for one split. Each is a crystal of its own, and so evidence of its own."""
        n = self.random.n // len(self.splits)
        numbers = self.splits.index(split) * n + np.arange(n)
        identity = self.random.identity() | {"first": int(numbers[0]), "n_items": n}
        expected = self.random.asked.expected() * n
        return TestItems(self.random.patterns(numbers), self.random.labels(numbers), numbers, identity, expected)


@dataclass(frozen=True)
class CrystalData:
    """Streams of crystals whose patterns are made anew for every pass
    (:class:`paperlib.datasets.generated_streams.CrystalStream`): ``rows`` of ``crystals`` for each split. All of them
    have to have a pattern on the instrument (:func:`paperlib.diffraction.simulate.validate`)."""

    crystals: CrystalSet
    rows: Mapping[Any, np.ndarray]
    labels: Labels
    instrument: Instrument
    batch_size: int
    imperfections: Imperfections | None = None
    balance: str | None = None
    alteration: Alteration | None = None

    def __call__(self, split: Any, seed: int) -> CrystalStream:
        """The stream of one split and seed."""
        chosen, how = self.crystals[self.rows[split]], (self.imperfections, self.balance, None, self.alteration)
        return CrystalStream(chosen, self.labels, self.instrument, self.batch_size, seed, *how)


@dataclass(frozen=True)
class CrystalTest:
    """Patterns of ``rows`` of ``crystals`` for each split, with imperfections drawn once; ``clusters`` (n of all,) as
    in :class:`paperlib.learning.arms.TestItems`."""

    key: str
    crystals: CrystalSet
    rows: Mapping[Any, np.ndarray]
    clusters: np.ndarray
    instrument: Instrument
    imperfections: Imperfections | None = None
    alteration: Alteration | None = None

    def items(self, split: Any) -> TestItems:
        """The items for one split, in the order of its rows."""
        rows = self.rows[split]
        labels, how = Labels("space_group"), (self.imperfections, None, None, self.alteration)
        # a stream makes whole batches, whatever the number of its crystals
        batch_size = min(1024, len(rows))
        stream = CrystalStream(self.crystals[rows], labels, self.instrument, batch_size, TEST_SEED, *how)
        order = np.argsort(stream.rows(np.arange(stream.n_items)))
        groups = self.crystals.space_group[rows].astype(np.int64)
        return TestItems(_one_pass(stream)[order], groups, self.clusters[rows], stream.identity())


def _one_pass(stream: Stream) -> np.ndarray:
    """(n_items, n_points) the patterns of the first pass; the last batch may reach beyond it."""
    batches = [stream.batch(step, "cpu")[0].numpy() for step in range(steps_per_pass(stream))]
    return np.concatenate(batches)[: stream.n_items]

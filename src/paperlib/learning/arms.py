"""What a study compares: arms, each a stream, a model, a training and labels; and the test sets they answer about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from paperlib.datasets.labels import Labels
from paperlib.datasets.prepared import Prepared
from paperlib.datasets.splits import Split
from paperlib.datasets.streams import ArrayStream, Stream
from paperlib.learning.configuration import TrainConfig

MakeStream = Callable[[Any, int], Stream]
"""A stream for (split, seed). It must be picklable: an object of a module, not a function of a notebook. One with a
method ``prepare(split)`` has it called before trainings begin, to make with all cores what its streams read."""


@dataclass(frozen=True)
class Arm:
    """One of the things that are compared. ``key`` is short (letters, digits and _); names for readers stand in
    :mod:`paperlib.reporting.names`."""

    key: str
    labels: Labels
    """The classes that the network tells apart."""
    stream: MakeStream
    config: TrainConfig | Callable[[Stream], TrainConfig]
    """Of the training; its seed becomes that of the training. A callable gets the stream, to count passes over it."""
    spaces: tuple[str, ...]
    """Schemes of labels that it is scored in, ``labels`` or coarser ones."""
    model: Mapping[str, Any] = field(default_factory=lambda: {"name": "resnet"})
    """Arguments of :func:`paperlib.learning.models.build_model` but for classes, points and seed."""
    validation: MakeStream | None = None
    """Only watched, see :func:`paperlib.learning.training.fit`."""
    seen: Callable[[Any], np.ndarray] | None = None
    """(n,) space groups that its training items are labelled with, by split. Where they are given, and a test set says
    what to expect, ranks with the frequencies exchanged are kept too (:mod:`paperlib.learning.priors`)."""
    release: bool = False
    """Keep the weights of the first split and seed for ``data/models`` (up to 10 MB)."""
    tests: tuple[str, ...] = ()
    """Keys of the tests that it is asked about; all of them where none is named."""
    seeds: tuple[int, ...] = ()
    """Those of the study that it is trained with; all of them where there is none here."""
    start: str = ""
    """Key of an arm of the study, with the same labels and model, whose trained weights (of the same split and seed) it
    starts from; fresh ones where none is named."""


@dataclass(frozen=True)
class TestItems:
    """The items of a test set for one split."""

    __test__ = False  # no class of tests, whatever pytest makes of the name

    patterns: np.ndarray
    """(n, n_points)."""
    space_group: np.ndarray
    """(n,) int64: the truth."""
    clusters: np.ndarray
    """(n,): items of one cluster are no independent evidence (variants of one crystal, say)."""
    identity: Mapping[str, Any]
    """What the patterns are, in plain values."""
    expected: np.ndarray | None = None
    """(230,) float64: how many items of each space group are expected before one pattern is read."""
    whole: bool = False
    """Keep the log-probabilities of all classes, half a kilobyte an item: where answers of several trainings, or about
    several views of an item, are to be combined."""


@dataclass(frozen=True)
class StoredTest:
    """A test set of prepared patterns: ``rows`` of them for each split, in ``clusters`` (n of all,). ``expected`` has
    the rows, by split, whose space groups are as frequent as those of the test are expected to be: not its own."""

    key: str
    prepared: Prepared
    rows: Mapping[Any, np.ndarray]
    clusters: np.ndarray
    expected: Mapping[Any, np.ndarray] | None = None

    def items(self, split: Any) -> TestItems:
        """The items for one split."""
        rows, all_groups = self.rows[split], self.prepared.crystals.space_group.astype(np.int64)
        identity, expected = self.prepared.recipe(rows), None
        if self.expected is not None:
            expected = np.bincount(all_groups[self.expected[split]], minlength=231)[1:].astype(np.float64)
            identity = identity | {"expected": expected.astype(int).tolist()}
        return TestItems(self.prepared.patterns[rows], all_groups[rows], self.clusters[rows], identity, expected)


class Test(Protocol):
    """A test set of a study."""

    __test__ = False

    @property
    def key(self) -> str:
        """Short, letters, digits and _."""

    def items(self, split: Any) -> TestItems:
        """The items for one split."""


@dataclass(frozen=True)
class StoredRows:
    """Streams of prepared patterns: ``rows`` of them for each split, in an order that follows from the seed."""

    prepared: Prepared
    rows: Mapping[Any, np.ndarray]
    labels: Labels
    batch_size: int
    shuffle: bool = True

    def space_groups(self, split: Any) -> np.ndarray:
        """(n,) those of one split."""
        return self.prepared.crystals.space_group[self.rows[split]].astype(np.int64)

    def __call__(self, split: Any, seed: int) -> ArrayStream:
        """The stream of one split and seed."""
        rows, targets = self.rows[split], self.labels.of(self.prepared.crystals.space_group.astype(np.int64))
        recipe = self.prepared.recipe(rows)
        return ArrayStream(
            self.prepared.patterns, targets, self.batch_size, seed, self.shuffle, rows=rows, recipe=recipe
        )


def stored_arm(
    key: str,
    labels: Labels,
    prepared: Prepared,
    splits: Mapping[Any, Split],
    training: TrainConfig | Callable[[Stream], TrainConfig],
    batch_size: int,
    spaces: tuple[str, ...] = (),
    release: bool = False,
) -> Arm:
    """An arm that trains on the training part of each of ``splits`` of prepared patterns, and watches the validation
    part where there is one. It is scored in ``spaces``, or in its own ``labels``."""
    train, watched = ({s: getattr(x, part) for s, x in splits.items()} for part in ("train", "validation"))
    validation = StoredRows(prepared, watched, labels, 1024, shuffle=False)
    return Arm(
        key,
        labels,
        StoredRows(prepared, train, labels, batch_size),
        training,
        spaces or (labels.scheme,),
        validation=validation if all(map(len, watched.values())) else None,
        release=release,
    )


@dataclass(frozen=True)
class Passes:
    """A configuration by whole passes over the stream, the first ``warmup`` of them warming up: ``passes`` of them, or,
    with ``of_items``, as many as come nearest to ``passes`` over that many items. Arms with sets of different sizes
    take the same number of steps so, within half a pass."""

    passes: int
    lr: float
    device: str = "auto"
    warmup: float = 1.0
    of_items: int = 0

    def __call__(self, stream: Stream) -> TrainConfig:
        """The configuration for one stream."""
        per_pass = -(-stream.n_items // stream.batch_size)
        whole = round(self.passes * self.of_items / stream.n_items) if self.of_items else self.passes
        steps = max(1, whole) * per_pass
        return TrainConfig(steps, lr=self.lr, warmup_steps=self.warmup * per_pass, device=self.device)


@dataclass(frozen=True)
class ItemBudget:
    """A configuration by the number of patterns that are seen, ``items``, whatever a pass is. The rate rises over the
    first ``warmup_items`` of them, or over the first fifth where that is less."""

    items: int
    lr: float
    device: str = "auto"
    warmup_items: int = 50_000

    def __call__(self, stream: Stream) -> TrainConfig:
        """The configuration for one stream."""
        steps = max(1, round(self.items / stream.batch_size))
        warmup = min(self.warmup_items / stream.batch_size, steps / 5)
        return TrainConfig(steps, lr=self.lr, warmup_steps=warmup, device=self.device)


def content_key(identity: Mapping[str, Any]) -> str:
    """A name of 16 hexadecimal digits for plain values, whatever their order."""
    return hashlib.sha256(_plain(identity).encode()).hexdigest()[:16]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_plain(value[key])}" for key in sorted(value, key=str)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_plain, value)) + "]"
    return repr(value)

"""Streams that make their patterns while the network trains: reflection data, and crystals with imperfections.

Item number i of a stream, which is item j of batch s with i = s × batch_size + j, is a function of (stream, i) alone:
which class it belongs to, which crystal or cell it is, and what is drawn for it. Batches are made in any order, by any
process and for any batch size. A pass ends after ``n_items`` items, wherever in a batch that is, and the next pass
brings new draws.

Classes come in turns, in an order that is drawn anew for each turn; so a set is balanced to one item whatever its
size, and a batch of consecutive items is no block of one crystal system.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.prepared import PATTERNS, item_digests
from paperlib.diffraction.altered import Alteration, altered_patterns
from paperlib.diffraction.ideal import FAMILIES, ideal_patterns
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab import rng
from paperlib.lab.store import sha256_of_text

VERSION = 1
"""Of the items of both streams: raised when the numbers are meant to change, it starts trainings anew."""

BALANCES = ("groups", "classes")

_LATER = ("overall_b",)
"""Fields of :class:`Imperfections` that came after trainings were first kept."""


class IdealStream:
    """Reflection data without end: see :func:`paperlib.diffraction.ideal.ideal_patterns`.

    ``balance`` "groups" brings the 230 space groups in turn, "classes" the classes of ``labels`` in turn and within
    each its space groups in turn. ``n_items`` only says what is called a pass, unless the stream is to ``repeat``:
    then it is a set of that many patterns, which every pass after the first brings again in an order of its own.
    Raises ValueError for numbers below 1, another ``balance`` or ``family``.
    """

    def __init__(
        self,
        labels: Labels,
        instrument: Instrument,
        batch_size: int,
        n_items: int,
        seed: int,
        balance: str = "groups",
        family: str = "line",
        repeat: bool = False,
    ) -> None:
        if family not in FAMILIES:
            raise ValueError(f"family is {family!r}; use 'line' or 'laue'")
        self.batch_size, self.n_items = _checked(batch_size, n_items)
        self.labels, self.instrument, self.seed = labels, instrument, int(seed)
        self.balance, self.family, self.repeat = balance, family, repeat
        self.n_points = int(instrument.n_points)
        groups = np.arange(1, 231)
        self._turns = _Turns(_balanced_over(groups, labels, balance), self.seed, "ideal stream")

    def space_groups(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: the space group of each of the ``items`` (n,), numbers from 0."""
        return self._turns.members(self._drawn(items)) + 1

    def _drawn(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: the numbers under which ``items`` (n,) are drawn, which are their own unless they repeat."""
        items = np.asarray(items, dtype=np.int64)
        if not self.repeat:
            return items
        number, place = np.divmod(items, self.n_items)
        drawn = place.copy()
        for again in np.unique(number[number > 0]):
            of_pass = number == again
            drawn[of_pass] = _order(self.seed, "ideal stream/again", int(again), self.n_items)[place[of_pass]]
        return drawn

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``: patterns (b, n_points) float32 of maximum 1, targets (b,)
        int64. Raises ValueError, naming item and cell, where a pattern has no line in the range."""
        drawn = self._drawn(_items_of(step, self.batch_size))
        groups = self._turns.members(drawn) + 1
        patterns = ideal_patterns(groups, self.instrument, self.seed, device, self.family, items=drawn)
        return patterns, torch.from_numpy(self.labels.of(groups)).to(device)

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""
        # trainings that are kept came before streams could repeat
        again = {"repeat": True} if self.repeat else {}
        return _identity(self) | {"balance": self.balance, "family": self.family} | again


class CrystalStream:
    """Patterns of ``crystals``, in each pass with imperfections drawn anew.

    Without ``balance`` a pass brings every crystal once, in an order of its own. ``balance`` "groups" or "classes"
    brings the space groups or classes that occur in turn, and within each its crystals in turn; a pass is again as
    many items as there are crystals. ``digest`` names the crystals in the identity, by default with a checksum of
    what they are. Crystals that :func:`paperlib.diffraction.simulate.validate` lists make the batch fail that they
    turn up in: leave them out before. An ``alteration`` changes lines or points besides. Raises ValueError for no
    crystals, a batch size below 1 or another ``balance``.
    """

    def __init__(
        self,
        crystals: CrystalSet,
        labels: Labels,
        instrument: Instrument,
        batch_size: int,
        seed: int,
        imperfections: Imperfections | None = None,
        balance: str | None = None,
        digest: str | None = None,
        alteration: Alteration | None = None,
    ) -> None:
        if not len(crystals):
            raise ValueError("a stream of no crystals has no items; give at least one crystal")
        self.batch_size, self.n_items = _checked(batch_size, len(crystals))
        self.labels, self.instrument, self.seed = labels, instrument, int(seed)
        self.crystals, self.imperfections, self.balance = crystals, imperfections, balance
        self.alteration = alteration
        self.n_points = int(instrument.n_points)
        self._digest = digest or checksum_of(crystals)
        alone = np.arange(len(crystals))
        kinds = alone if balance is None else _balanced_over(crystals.space_group, labels, balance)
        self._turns = _Turns(kinds, self.seed, "crystal stream")

    def rows(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: which crystal each of the ``items`` (n,), numbers from 0, is."""
        return self._turns.members(items)

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``: patterns (b, n_points) float32 of maximum 1, targets (b,)
        int64. Noise takes points below 0 where the imperfections hold it. Raises ValueError, naming each crystal,
        for those without a pattern."""
        items = _items_of(step, self.batch_size)
        chosen = self.crystals[self.rows(items)]
        targets = torch.from_numpy(self.labels.of(chosen.space_group)).to(device)
        if self.alteration is not None:
            numbered: dict[str, Any] = {"seed": self.seed, "items": items, "imperfections": self.imperfections}
            return altered_patterns(chosen, self.instrument, self.alteration, device, **numbered), targets
        drawn: dict[str, Any] = {} if self.imperfections is None else {"seed": self.seed, "items": items}
        return powder_patterns(chosen, self.instrument, device, imperfections=self.imperfections, **drawn), targets

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""
        spoilt = None if self.imperfections is None else recipe_of(self.imperfections)
        more = {"crystals": self._digest, "imperfections": spoilt, "balance": self.balance}
        # trainings that are kept came before streams could be altered
        more |= {"alteration": repr(self.alteration)} if self.alteration is not None else {}
        return _identity(self) | more | {"simulation": PATTERNS.version}


class _Turns:
    """Members 0 … n - 1 by item: their ``kinds`` (n,) in turn, each turn in an order of its own, and of each kind its
    members in turn."""

    def __init__(self, kinds: np.ndarray, seed: int, name: str) -> None:
        self._seed, self._name = seed, f"{name}/turn"
        shuffled = rng.permutation(seed, f"{name}/members", 0, len(kinds))
        _, kind, self._count = np.unique(kinds[shuffled], return_inverse=True, return_counts=True)
        self._member = shuffled[np.argsort(kind, kind="stable")]
        self._first = np.cumsum(self._count) - self._count

    def members(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64 members of ``items`` (n,)."""
        turn, place = np.divmod(np.asarray(items, dtype=np.int64), len(self._count))
        kind = np.empty_like(turn)
        for t in np.unique(turn):
            of_turn = turn == t
            kind[of_turn] = _order(self._seed, self._name, int(t), len(self._count))[place[of_turn]]
        return self._member[self._first[kind] + turn % self._count[kind]]


@lru_cache(maxsize=4)
def _order(seed: int, name: str, turn: int, n: int) -> np.ndarray:
    """The order of one turn; kept, because a turn of a million crystals lasts for many batches."""
    order = rng.permutation(seed, name, turn, n)
    order.setflags(write=False)
    return order


def _balanced_over(space_groups: np.ndarray, labels: Labels, balance: str) -> np.ndarray:
    if balance not in BALANCES:
        raise ValueError(f"balance is {balance!r}; use 'groups' or 'classes'")
    return np.asarray(space_groups) if balance == "groups" else labels.of(space_groups)


def _checked(batch_size: int, n_items: int) -> tuple[int, int]:
    if batch_size < 1 or n_items < 1:
        raise ValueError(f"a stream needs batches and passes of at least one item: {batch_size=}, {n_items=}")
    return int(batch_size), int(n_items)


def _items_of(step: int, batch_size: int) -> np.ndarray:
    return np.arange(step * batch_size, (step + 1) * batch_size, dtype=np.int64)


def _identity(stream: IdealStream | CrystalStream) -> dict[str, Any]:
    return {
        "kind": type(stream).__name__,
        "version": VERSION,
        "labels": stream.labels.identity(),
        "instrument": repr(stream.instrument),
        "batch_size": stream.batch_size,
        "n_items": stream.n_items,
        "seed": stream.seed,
    }


def recipe_of(imperfections: Imperfections) -> dict[str, Any]:
    """The fields of ``imperfections`` as plain values; the pool of impurities by its checksum. What came after
    trainings were first kept is left out where it has no effect."""
    pool = imperfections.impurities
    fields = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(imperfections).items()}
    fields = {k: v for k, v in fields.items() if k not in _LATER or imperfections.has(k)}
    return fields | {"impurities": None if pool is None else checksum_of(pool)}


def checksum_of(crystals: CrystalSet) -> str:
    """Of all that the patterns and targets of ``crystals`` depend on, by content."""
    return sha256_of_text("".join(item_digests(crystals).tolist()))

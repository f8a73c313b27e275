"""Sets of random crystals that are known by their recipe: their patterns are made when they are first read, and kept.

Item i of a set is a function of (set, i) alone: the space group that was asked for, which is its label, the one that
its crystal has, the crystal and the pattern. A shorter set is the beginning of a longer one. What a set is can
therefore be said, and trainings on it be found, without one crystal of it being made; where a training asks for
patterns they are made in shards, on all cores, found again by whoever wants the same, and go on where they stopped.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.production import RANDOM_SHARDS
from paperlib.crystals.rules import Rules
from paperlib.crystals.synthesis import synthesise
from paperlib.datasets.asked_groups import AskedGroups
from paperlib.datasets.labels import Labels
from paperlib.datasets.prepared import BATCH, PATTERNS, item_digests
from paperlib.datasets.streams import steps_per_pass
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns, validate
from paperlib.lab import machine, paths, rng
from paperlib.lab.progress import progress
from paperlib.lab.stages import Artefact, Items, Stage, key_of, locked, made, use
from paperlib.lab.store import sha256_of_text

RANDOM_PATTERNS = Stage("random patterns", 1, "paperlib.datasets.random_sets", cheap=False)
"""Patterns of random crystals, of which only the recipe is kept beside them."""

SHARD = 11_500
"""Items of a shard: 50 of each space group in a balanced set, 46 MB at 1000 points."""

_AGAIN = 2**40
"""Added to the number of an item for its second crystal, and so on: no set has as many items."""


@dataclass(frozen=True, eq=False)
class RandomSet:
    """``n`` random crystals with the space groups ``asked``, and their powder patterns on ``instrument``.

    ``learnt`` names what the statistics of the ``rules`` were learnt from (a checksum of the crystals; "" where there
    are none): the statistics themselves are floats whose last digits differ between machines.
    """

    asked: AskedGroups
    seed: int
    n: int
    rules: Rules
    learnt: str
    instrument: Instrument

    def identity(self) -> dict[str, Any]:
        """Plain values that tell its items, whatever their number, from those of any other set."""
        plain = self.rules.described() | {"statistics": self.learnt}
        rules = sha256_of_text(repr(sorted(plain.items())))
        versions = [RANDOM_PATTERNS.version, RANDOM_SHARDS.version, PATTERNS.version]
        what = {"seed": self.seed, "rules": rules, "instrument": repr(self.instrument), "versions": versions}
        return {"kind": type(self).__name__, "asked": self.asked.identity()} | what

    def labels(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: the space group that each of ``items`` (n,) is labelled with."""
        return self.asked.labels(items, self.seed)

    def patterns(self, items: np.ndarray) -> np.ndarray:
        """(n, n_points) float32: the patterns of ``items`` (n,), numbers below ``n``, of maximum 1."""
        shard, place = np.divmod(np.asarray(items, dtype=np.int64), SHARD)
        self.make(np.unique(shard).tolist())
        out = np.empty((len(shard), int(self.instrument.n_points)), dtype=np.float32)
        order = np.argsort(shard, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(shard[order])) + 1):
            out[rows] = self._mapped[int(shard[rows[0]])][place[rows]]
        return out

    def redrawn(self) -> int:
        """For how many of the ``n`` items another crystal was drawn, because the first has no pattern."""
        self.make()
        return sum(len(np.load(self._folder(k) / "redrawn.npy")) for k in range(self.n_shards))

    @property
    def n_shards(self) -> int:
        """Files that hold the patterns."""
        return -(-self.n // SHARD)

    def make(self, shards: Sequence[int] | None = None) -> None:
        """Make those of ``shards`` (numbers; all of them by default) that are not there, in a process on each core."""
        wanted = [k for k in (range(self.n_shards) if shards is None else shards) if k not in self._mapped]
        if not wanted:
            return
        use(RANDOM_PATTERNS)
        name = sha256_of_text(repr(self.identity()))[:16]
        with locked(paths.stages() / RANDOM_PATTERNS.name / f".{name}.lock"):
            missing = [k for k in wanted if not self._folder(k).is_dir()]
            # a process that its parent calls a daemon may have no children
            if min(len(missing), machine.cores()) < 2 or multiprocessing.current_process().daemon:
                for k in missing:
                    self.shard(k)
            else:
                _make_apart(self, missing)
        for k in wanted:
            self._mapped[k] = np.load(self._folder(k) / "patterns.npy", mmap_mode="r")

    @cached_property
    def _mapped(self) -> dict[int, np.ndarray]:
        """Patterns of the shards that were asked for."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_mapped"}

    def _arguments(self, shard: int) -> dict[str, Any]:
        first = shard * SHARD
        return {"set": self.identity(), "first": first, "n": min(SHARD, self.n - first)}

    def _folder(self, shard: int) -> Path:
        return paths.stages() / RANDOM_PATTERNS.name / key_of(RANDOM_PATTERNS, self._arguments(shard), {})

    def shard(self, number: int) -> Artefact:
        """What is kept of shard ``number``, made where it is not there: ``patterns.npy`` and ``redrawn.npy``, the items
        for which another crystal was drawn."""
        arguments = self._arguments(number)
        items = arguments["first"] + np.arange(arguments["n"])

        def make(folder: Path) -> Items:
            crystals, redrawn = self.crystals(items)
            patterns = np.empty((len(items), int(self.instrument.n_points)), dtype=np.float32)
            for start in range(0, len(items), BATCH):
                part = powder_patterns(crystals[start : start + BATCH], self.instrument)
                patterns[start : start + len(part)] = part.numpy()
            np.save(folder / "patterns.npy", patterns)
            np.save(folder / "redrawn.npy", redrawn)
            return Items(items, item_digests(crystals))

        return made(RANDOM_PATTERNS, arguments, {}, make)

    def crystals(self, items: np.ndarray) -> tuple[CrystalSet, np.ndarray]:
        """The crystals of consecutive ``items`` (n,), and the numbers of those among them for which another one was
        drawn because the first has no pattern on the instrument. Raises ValueError for items that are not
        consecutive, and where ten crystals of an item have none."""
        if (np.diff(items) != 1).any():
            raise ValueError("crystals are made of consecutive items")
        groups = self.asked.crystals(items, self.seed)
        crystals = synthesise(groups, self.seed, self.rules, first=int(items[0])).crystals
        dark = [i for i, _ in validate(crystals, self.instrument)]
        if not dark:
            return crystals, items[:0]
        parts = {i: self._another(int(items[i]), int(groups[i])) for i in dark}
        pieces = [parts[i] if i in parts else crystals[i : i + 1] for i in range(len(crystals))]
        return CrystalSet.concatenate(pieces), items[dark]

    def _another(self, item: int, group: int) -> CrystalSet:
        for attempt in range(1, 10):
            crystal = synthesise([group], self.seed, self.rules, first=item + attempt * _AGAIN).crystals
            if not validate(crystal, self.instrument):
                return crystal
        raise ValueError(f"ten crystals of space group {group} have no pattern (item {item}); widen the instrument")


def _make_apart(wanted: RandomSet, shards: Sequence[int]) -> None:
    from joblib.externals.loky import get_reusable_executor

    machine.wait_without_spinning()
    executor = get_reusable_executor(max_workers=min(len(shards), machine.cores()), reuse=False, timeout=600)
    try:
        done = [executor.submit(_make_one, wanted, k, paths.root()) for k in shards]
        for future in progress(done, desc="random crystals", unit="shards"):
            future.result()
    finally:
        executor.shutdown(kill_workers=True)


def _make_one(wanted: RandomSet, shard: int, root: Path) -> None:
    """One shard, in a process of its own that takes one core."""
    os.environ["PAPERLIB_ROOT"] = str(root)
    torch.set_num_threads(1)
    wanted.shard(shard)


class RandomStream:
    """Items ``first`` … ``first + n_items - 1`` of a :class:`RandomSet`, each once in a pass, in an order that is a
    function of (seed, pass). Items of a number beyond the end of the set are those from its beginning. Raises
    ValueError for no item or batch, and for more items than the set has."""

    def __init__(self, random: RandomSet, labels: Labels, batch_size: int, seed: int, n_items: int, first: int) -> None:
        if batch_size < 1 or not 1 <= n_items <= random.n:
            raise ValueError(f"{batch_size=} and {n_items=} must be at least 1, and items at most {random.n}")
        self.random, self.labels, self.batch_size, self.seed = random, labels, int(batch_size), int(seed)
        self.n_items, self.first, self.n_points = int(n_items), int(first) % random.n, int(random.instrument.n_points)
        self._order = (-1, np.arange(0))

    def items(self) -> np.ndarray:
        """(n_items,) int64: their numbers in the set."""
        return (self.first + np.arange(self.n_items)) % self.random.n

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``: patterns (b, n_points) float32, targets (b,) int64."""
        number, place = divmod(step, steps_per_pass(self))
        if self._order[0] != number:
            self._order = (number, self.items()[rng.permutation(self.seed, "random set/order", number, self.n_items)])
        items = self._order[1][place * self.batch_size : (place + 1) * self.batch_size]
        targets = torch.from_numpy(self.labels.of(self.random.labels(items)))
        return torch.from_numpy(self.random.patterns(items)).to(device), targets.to(device)

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""
        which = {"first": self.first, "n_items": self.n_items, "of": self.random.n if self._wraps() else 0}
        how = {"labels": self.labels.identity(), "batch_size": self.batch_size, "seed": self.seed}
        return {"kind": type(self).__name__, "set": self.random.identity()} | which | how

    def _wraps(self) -> bool:
        return self.first + self.n_items > self.random.n

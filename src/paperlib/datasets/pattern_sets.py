"""Sets of patterns that are known by their recipe: made when they are first read, in shards, and kept.

Item i of a set is a function of (set, i) alone. What a set is can therefore be said, and trainings on it be found,
without one pattern of it being made; where a training asks for patterns they are made on all cores, found again by
whoever wants the same, and go on where they stopped.
"""

from __future__ import annotations

import multiprocessing
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.prepared import BATCH, item_digests
from paperlib.datasets.streams import steps_per_pass
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.draws import draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.measurement import detector_mask
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab import machine, paths, rng
from paperlib.lab.progress import progress
from paperlib.lab.stages import Artefact, Items, Stage, key_of, locked, made, use
from paperlib.lab.store import sha256_of_text

SHARD = 11_500
"""Items of a shard: 50 of each space group in a balanced set, 46 MB at 1000 points."""


class PatternSet(ABC):
    """``n`` patterns on ``instrument``; what is drawn for them follows from ``seed``. Sets are frozen dataclasses."""

    STAGE: ClassVar[Stage]
    NOUN: ClassVar[str]
    """What is made, for the bar that shows how far it is."""

    n: int
    seed: int
    instrument: Instrument
    imperfections: Imperfections | None

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Plain values that tell its items, whatever their number, from those of any other set."""

    @abstractmethod
    def labels(self, items: np.ndarray) -> np.ndarray:
        """(n,) int64: the space group that each of ``items`` (n,) is labelled with."""

    @abstractmethod
    def crystals(self, items: np.ndarray) -> tuple[CrystalSet, np.ndarray]:
        """The crystals of consecutive ``items`` (n,), and the numbers of those among them that were replaced."""

    def patterns(self, items: np.ndarray) -> np.ndarray:
        """(n, n_points) float32: the patterns of ``items`` (n,), numbers below ``n``, of maximum 1; with imperfections
        :data:`paperlib.diffraction.baseline.NOT_MEASURED` where the detector does not reach."""
        shard, place = np.divmod(np.asarray(items, dtype=np.int64), SHARD)
        self.make(np.unique(shard).tolist())
        out = np.empty((len(shard), int(self.instrument.n_points)), dtype=np.float32)
        order = np.argsort(shard, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(shard[order])) + 1):
            out[rows] = self._mapped[int(shard[rows[0]])][place[rows]]
        return out

    def replaced(self) -> int:
        """For how many of the ``n`` items another crystal was taken, because the first has no pattern."""
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
        use(self.STAGE)
        name = sha256_of_text(repr(self.identity()))[:16]
        with locked(paths.stages() / self.STAGE.name / f".{name}.lock"):
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
        return paths.stages() / self.STAGE.name / key_of(self.STAGE, self._arguments(shard), {})

    def shard(self, number: int) -> Artefact:
        """What is kept of shard ``number``, made where it is not there: ``patterns.npy`` and ``redrawn.npy``, the items
        whose crystal was replaced."""
        arguments = self._arguments(number)
        items = arguments["first"] + np.arange(arguments["n"])

        def make(folder: Path) -> Items:
            crystals, replaced = self.crystals(items)
            # of imperfect patterns half precision loses a tenth of what noise hides
            kind = np.float32 if self.imperfections is None else np.float16
            patterns = np.empty((len(items), int(self.instrument.n_points)), dtype=kind)
            for start in range(0, len(items), BATCH):
                some = slice(start, start + BATCH)
                patterns[some] = self._simulated(crystals[some], items[some]).numpy()
            np.save(folder / "patterns.npy", patterns)
            np.save(folder / "redrawn.npy", replaced)
            return Items(items, item_digests(crystals))

        return made(self.STAGE, arguments, {}, make)

    def _simulated(self, crystals: CrystalSet, items: np.ndarray) -> Tensor:
        if self.imperfections is None:
            return powder_patterns(crystals, self.instrument)
        numbered: dict[str, Any] = {"seed": self.seed, "items": items, "imperfections": self.imperfections}
        patterns = powder_patterns(crystals, self.instrument, **numbered)
        reached = detector_mask(draw(self.imperfections, self.seed, items), self.instrument)
        return patterns.masked_fill(~reached, NOT_MEASURED)


def _make_apart(wanted: PatternSet, shards: Sequence[int]) -> None:
    from joblib.externals.loky import get_reusable_executor

    machine.wait_without_spinning()
    executor = get_reusable_executor(max_workers=min(len(shards), machine.cores()), reuse=False, timeout=600)
    try:
        done = [executor.submit(_make_one, wanted, k, paths.root()) for k in shards]
        for future in progress(done, desc=wanted.NOUN, unit="shards"):
            future.result()
    finally:
        executor.shutdown(kill_workers=True)


def _make_one(wanted: PatternSet, shard: int, root: Path) -> None:
    """One shard, in a process of its own that takes one core."""
    os.environ["PAPERLIB_ROOT"] = str(root)
    torch.set_num_threads(1)
    wanted.shard(shard)


class SetStream:
    """Items ``first`` … ``first + n_items - 1`` of a :class:`PatternSet`, each once in a pass, in an order that is a
    function of (seed, pass). Items of a number beyond the end of the set are those from its beginning. Raises
    ValueError for no item or batch, and for more items than the set has."""

    def __init__(
        self, of: PatternSet, labels: Labels, batch_size: int, seed: int, n_items: int, first: int = 0
    ) -> None:
        if batch_size < 1 or not 1 <= n_items <= of.n:
            raise ValueError(f"{batch_size=} and {n_items=} must be at least 1, and items at most {of.n}")
        self.of, self.labels, self.batch_size, self.seed = of, labels, int(batch_size), int(seed)
        self.n_items, self.first, self.n_points = int(n_items), int(first) % of.n, int(of.instrument.n_points)
        self._order = (-1, np.arange(0))

    def items(self) -> np.ndarray:
        """(n_items,) int64: their numbers in the set."""
        return (self.first + np.arange(self.n_items)) % self.of.n

    def batch(self, step: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Batch number ``step`` (from 0) on ``device``: patterns (b, n_points) float32, targets (b,) int64."""
        number, place = divmod(step, steps_per_pass(self))
        if self._order[0] != number:
            self._order = (number, self.items()[rng.permutation(self.seed, "random set/order", number, self.n_items)])
        items = self._order[1][place * self.batch_size : (place + 1) * self.batch_size]
        targets = torch.from_numpy(self.labels.of(self.of.labels(items)))
        return torch.from_numpy(self.of.patterns(items)).to(device), targets.to(device)

    def identity(self) -> dict[str, Any]:
        """Plain values that tell this stream from any other."""
        which = {"first": self.first, "n_items": self.n_items, "of": self.of.n if self._wraps() else 0}
        how = {"labels": self.labels.identity(), "batch_size": self.batch_size, "seed": self.seed}
        # the name that the stream had when trainings were first kept
        return {"kind": "RandomStream", "set": self.of.identity()} | which | how

    def _wraps(self) -> bool:
        return self.first + self.n_items > self.of.n

"""Many raw entries to one CrystalSet: what cannot be used is named and counted, and the rest goes on."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.standardise import BadCrystalError, Sites, crystal_from_sites
from paperlib.lab.machine import cores

Parser = Callable[[str, Any], Iterable[Sites | BadCrystalError]]
"""From the name and the raw content of one entry to its crystals; a function at the top of a module, so that other
processes can import it."""

CHUNK = 256
SERIAL_CHUNKS = 16
"""Below 16 chunks (4096 entries, some 5 s) the start of the worker processes costs more than they save."""


@dataclass(frozen=True)
class Skipped:
    """An entry that was left out: its name, the kind of fault and the values that show it."""

    name: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a source gave."""

    crystals: CrystalSet
    declared_space_group: np.ndarray
    """(n,) int16: the number that the source states for each crystal, 0 where it states none."""
    skipped: tuple[Skipped, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Counts: ``read``, ``kept``, ``skipped`` (by reason), ``declared`` (crystals whose source states a space
        group) and ``disagreements`` (those among them where another one was found)."""
        declared = self.declared_space_group > 0
        differs = declared & (self.declared_space_group != self.crystals.space_group)
        return {
            "read": len(self.crystals) + len(self.skipped),
            "kept": len(self.crystals),
            "skipped": dict(sorted(Counter(entry.reason for entry in self.skipped).items())),
            "declared": int(declared.sum()),
            "disagreements": int(differs.sum()),
        }


def load_entries(
    entries: Iterable[tuple[str, Any]],
    parse: Parser,
    symprec: float = 0.01,
    standardise: bool = True,
    workers: int | None = None,
    total: int | None = None,
) -> Loaded:
    """Parse and standardise entries of (name, raw content), in order.

    ``workers`` None takes one process per core where there are enough entries for that to pay, 1 stays in this
    process; the result is the same. ``total`` is for the progress bar. Raises RuntimeError, with the remedy, where a
    worker process dies.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, or None to choose; got {workers}")
    chunks = _chunks(entries)
    first = list(itertools.islice(chunks, SERIAL_CHUNKS))
    if workers is None:
        workers = cores() if len(first) == SERIAL_CHUNKS else 1
    results = _results(itertools.chain(first, chunks), parse, symprec, standardise, workers)
    sets, declared, skipped = [CrystalSet.empty()], [np.zeros(0, dtype=np.int16)], []
    with tqdm(total=total, unit=" entries", desc="crystals") as bar:
        for n_entries, crystals, numbers, faults in results:
            sets.append(crystals)
            declared.append(numbers)
            skipped += faults
            bar.update(n_entries)
    return Loaded(CrystalSet.concatenate(sets), np.concatenate(declared), tuple(skipped))


def _chunks(entries: Iterable[tuple[str, Any]]) -> Iterator[list[tuple[str, Any]]]:
    iterator = iter(entries)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk


_Result = tuple[int, CrystalSet, np.ndarray, list[Skipped]]


def _results(
    chunks: Iterator[list], parse: Parser, symprec: float, standardise: bool, workers: int
) -> Iterator[_Result]:
    if workers == 1:
        yield from (_work(chunk, parse, symprec, standardise) for chunk in chunks)
        return
    # loky starts fresh processes, without the locks that a fork would copy from torch's threads, and does not run the
    # caller's script again. Two chunks a worker wait at a time, so that an archive of half a million files never
    # stands in memory as a whole.
    pool = Parallel(workers, backend="loky", return_as="generator", batch_size=1, pre_dispatch="2*n_jobs")
    try:
        yield from pool(delayed(_work)(chunk, parse, symprec, standardise) for chunk in chunks)
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"one of the {workers} worker processes died, most often for want of memory; pass fewer, or workers=1"
        ) from error


def _work(chunk: list[tuple[str, Any]], parse: Parser, symprec: float, standardise: bool) -> _Result:
    crystals, declared, skipped = [CrystalSet.empty()], [], []
    for name, content in chunk:
        for sites in parse(name, content):
            try:
                if isinstance(sites, BadCrystalError):
                    raise sites
                crystals.append(crystal_from_sites(sites, symprec, standardise))
                declared.append(sites.declared_space_group)
            except BadCrystalError as error:
                skipped.append(Skipped(error.name, error.reason, error.detail))
    return len(chunk), CrystalSet.concatenate(crystals), np.array(declared, dtype=np.int16), skipped

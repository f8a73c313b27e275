"""Many raw entries to one CrystalSet: what cannot be used is named and counted, and the rest goes on."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading import plausible
from paperlib.crystals.standardise import BadCrystalError, Sites, crystal_from_sites
from paperlib.lab.display import ROWS, counted, one_line, small_table
from paperlib.lab.machine import cores
from paperlib.lab.progress import progress

Parser = Callable[[str, Any], Iterable[Sites | BadCrystalError]]
"""From the name and the raw content of one entry to its crystals; a function at the top of a module, so that other
processes can import it."""

CHUNK = 256
CHUNK_BYTES = 32 * 2**20
"""A chunk ends at 256 entries or at this many bytes of contents: files may be as large as that each."""
SERIAL_CHUNKS = 16
"""Below 16 chunks (4096 entries, some 5 s) the start of the worker processes costs more than they save."""

MAX_NAME = 1000
"""Characters. The names of a set are one array as wide as its longest name."""
MAX_DETAIL = 400
"""Characters of a detail that are kept; some errors quote the whole file."""

REPEATED = "id used more than once"
"""Kind of the remark on entries that share their name: ``x.cif`` beside ``x.cif.gz``, two lines with one id."""


@dataclass(frozen=True)
class Skipped:
    """An entry that was left out: its name, the kind of fault and the values that show it."""

    name: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Remark:
    """What a reader of an entry, or of the whole source, should know although it was read: its name, the kind of
    remark and the values."""

    name: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a source gave."""

    crystals: CrystalSet
    declared_space_group: np.ndarray
    """(n,) int16: the number that the source states for each crystal, 0 where it states none."""
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def __repr__(self) -> str:
        summary = self.summary()
        notes = counted(len(self.remarks), "remark") if self.remarks else ""
        differ = f"{summary['disagreements']:,} with another space group than declared"
        return one_line("Loaded", f"{summary['kept']:,} of {summary['read']:,} entries read", differ, notes)

    def _repr_html_(self) -> str:
        """The crystals and, below them, what was skipped and remarked."""
        notes = [(s.name, f"skipped: {s.reason}", s.detail) for s in self.skipped]
        notes += [(r.name, r.kind, r.detail) for r in self.remarks]
        columns = dict(zip(("name", "what", "detail"), zip(*notes[:ROWS], strict=True), strict=True)) if notes else {}
        below = small_table("Entries skipped, and remarks", columns, len(notes)) if notes else ""
        return f"<p>{repr(self)[1:-1]}</p>{self.crystals._repr_html_()}{below}"

    def disagreements(self) -> pd.DataFrame:
        """The crystals whose source states another space group than the one that was found: ``source_id``,
        ``formula``, ``declared`` and ``found`` (numbers 1-230)."""
        declared, found = self.declared_space_group, self.crystals.space_group
        rows = np.flatnonzero((declared > 0) & (declared != found))
        columns = {"source_id": self.crystals.source_id, "formula": self.crystals.formula}
        columns |= {"declared": declared, "found": found}
        return pd.DataFrame({name: column[rows] for name, column in columns.items()})

    def summary(self) -> dict[str, Any]:
        """Counts: ``read``, ``kept``, ``skipped`` (by reason), ``remarks`` (by kind), ``declared`` (crystals whose
        source states a space group) and ``disagreements`` (those among them where another one was found)."""
        return {
            "read": len(self.crystals) + len(self.skipped),
            "kept": len(self.crystals),
            "skipped": dict(sorted(Counter(entry.reason for entry in self.skipped).items())),
            "remarks": dict(sorted(Counter(remark.kind for remark in self.remarks).items())),
            "declared": int((self.declared_space_group > 0).sum()),
            "disagreements": len(self.disagreements()),
        }


def load_entries(
    entries: Iterable[tuple[str, Any]],
    parse: Parser,
    symprec: float = 0.01,
    standardise: bool = True,
    workers: int | None = None,
    total: int | None = None,
) -> Loaded:
    """Parse and standardise entries of (name, raw content), in order. A content that is a :class:`Skipped` or a
    :class:`Remark` already is passed on.

    Whatever goes wrong with an entry is a fault of that entry: it is skipped and named, and the rest goes on.
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
    sets, declared, skipped, remarks = [CrystalSet.empty()], [np.zeros(0, dtype=np.int16)], [], []
    with progress(total=total, unit="entries", desc="crystals") as bar:
        for n_entries, crystals, numbers, faults, notes in results:
            sets.append(crystals)
            declared.append(numbers)
            skipped += faults
            remarks += notes
            bar.update(n_entries)
    crystals = CrystalSet.concatenate(sets)
    remarks += repeated_ids(crystals.source_id.tolist())
    return Loaded(crystals, np.concatenate(declared), tuple(skipped), tuple(remarks))


def repeated_ids(names: Sequence[str]) -> list[Remark]:
    """A remark for each name that several crystals have."""
    counts = Counter(names)
    return [Remark(name, REPEATED, f"{n} crystals are called this") for name, n in counts.items() if n > 1]


def printable(text: str) -> str:
    """A text with escapes for what no table, record or terminal should be given: half characters, which are not
    UTF-8, control characters and line ends."""
    if text.isprintable():
        return text
    unfit = ("Cc", "Cs", "Zl", "Zp")
    return "".join(c.encode("unicode_escape").decode() if unicodedata.category(c) in unfit else c for c in text)


def _chunks(entries: Iterable[tuple[str, Any]]) -> Iterator[list[tuple[str, Any]]]:
    chunk: list[tuple[str, Any]] = []
    size = 0
    for name, content in entries:
        chunk.append((name, content))
        size += len(content) if isinstance(content, bytes) else 0
        if len(chunk) == CHUNK or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


_Result = tuple[int, CrystalSet, np.ndarray, list[Skipped], list[Remark]]


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
    crystals, declared = [CrystalSet.empty()], []
    skipped: list[Skipped] = []
    remarks: list[Remark] = []
    for name, content in chunk:
        if isinstance(content, Skipped):
            skipped.append(_skipped(content.name, content.reason, content.detail))
            continue
        if isinstance(content, Remark):
            remarks.append(_remark(content.name, content.kind, content.detail))
            continue
        try:
            for sites in parse(name, content):
                found = _crystal(sites, symprec, standardise)
                if isinstance(found, Skipped):
                    skipped.append(found)
                    continue
                crystal, number, notes = found
                crystals.append(crystal)
                declared.append(number)
                remarks += notes
        except Exception as error:
            skipped.append(_unexpected(name, error))
    return len(chunk), CrystalSet.concatenate(crystals), np.array(declared, dtype=np.int16), skipped, remarks


def _crystal(
    sites: Sites | BadCrystalError, symprec: float, standardise: bool
) -> Skipped | tuple[CrystalSet, int, list[Remark]]:
    """One crystal with the group that its source declares and the remarks on it; or why there is none."""
    try:
        if isinstance(sites, BadCrystalError):
            raise sites
        name = printable(sites.name)
        if len(name) > MAX_NAME:
            raise BadCrystalError(name, "id too long", f"{len(name):,} characters; at most {MAX_NAME} are read")
        plausible.check(sites)
        crystal = crystal_from_sites(replace(sites, name=name), symprec, standardise)
        remarks = [_remark(name, kind, detail) for kind, detail in sites.remarks]
        declared = sites.declared_space_group
        if not 0 <= declared <= 230:
            remarks.append(_remark(name, "declared group impossible", f"{declared:.6g} is not a number from 1 to 230"))
            declared = 0
        return crystal, int(declared), remarks
    except BadCrystalError as error:
        return _skipped(error.name, error.reason, error.detail)
    except Exception as error:
        return _unexpected(sites.name, error)


def _unexpected(name: str, error: Exception) -> Skipped:
    """An error that no reader foresaw. It is a fault of ours, but of one entry, and ends nothing."""
    return _skipped(name, f"reader failed: {type(error).__name__}", str(error))


def _skipped(name: str, reason: str, detail: str) -> Skipped:
    return Skipped(_cut(name, MAX_NAME), reason, _cut(detail, MAX_DETAIL))


def _remark(name: str, kind: str, detail: str) -> Remark:
    return Remark(_cut(name, MAX_NAME), kind, _cut(detail, MAX_DETAIL))


def _cut(text: str, length: int) -> str:
    text = printable(text)
    return text if len(text) <= length else text[: length - 1] + "…"

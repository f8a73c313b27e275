"""Databases as large as the COD (half a million CIFs) read into a sharded set, a run of entries in memory at a time.

What is read, and in which order, is that of :func:`paperlib.crystals.sources.load_crystals`. The set lies on disk as
:mod:`paperlib.crystals.shards` describes it; the record of each shard also holds ``skipped`` (name, reason and detail
of what was left out), ``declared`` (for each crystal the space group that its source states, 0 where it states none)
and ``remarks`` (name, kind and detail of what a reader should know about what was read).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pandas as pd

from paperlib.crystals.reading.archives import Entry
from paperlib.crystals.reading.files import OTHER_FILES
from paperlib.crystals.reading.loading import REPEATED, Loaded, Remark, load_entries, printable, repeated_ids
from paperlib.crystals.reading.opened import Opened, existing, open_source
from paperlib.crystals.shards import ShardedCrystals, confirm, finish, is_finished, open_plan, write_shard
from paperlib.lab.stages import Stage
from paperlib.lab.store import sha256_of, sha256_of_text

READ_SHARDS = Stage("read shards", 1, "paperlib.crystals.reading.ingest")
"""Shards of crystals read from files."""


def read_into_shards(
    source: str | Path,
    folder: str | Path,
    symprec: float = 0.01,
    shard_size: int = 10_000,
    workers: int | None = None,
) -> ShardedCrystals:
    """The crystals of ``source`` as a set in ``folder``: a folder or an archive of CIFs, one CIF, ``.jsonl`` or
    ``.jsonl.gz``.

    Shard k holds the crystals of entries (files or lines) k * ``shard_size`` and on: fewer than ``shard_size`` where
    entries are left out (:func:`skipped_entries` names them), more where a CIF has several blocks. ``symprec`` is
    spglib's tolerance in Å. For ``workers`` see :func:`paperlib.crystals.reading.loading.load_entries`; with None,
    shards of fewer than some 4000 entries are read in this process. Any number of workers writes the same files, byte
    for byte.

    Run again after an interruption it reads only the shards that are missing or damaged: files of a folder are not
    opened twice, while archives and lines are read past. A folder counts as the same while the names, sizes and times
    of change of its CIFs are, a file while its name and content are.

    Raises FileNotFoundError for a source that does not exist; ValueError where it is of another kind, holds no entry,
    cannot be read at all, or is not what ``folder`` was begun with; DiskFullError where there is no room.
    """
    if shard_size < 1:
        raise ValueError(f"{shard_size=} must be at least 1")
    path, folder = existing(source), Path(folder)
    if path.suffix == ".npz":
        raise ValueError(f"{path} is a set that CrystalSet.save wrote; store it with write_sharded")
    opened = open_source(path)
    entries = _that_count(opened.entries)
    first = next(entries, None)
    if first is None:
        raise ValueError(f"{source} holds {opened.nothing}")
    plan = {"kind": "crystals read from files", "symprec": float(symprec), "shard_size": int(shard_size)}
    open_plan(folder, plan | {"stage": [READ_SHARDS.name, READ_SHARDS.version]} | _identity(path, opened))

    def first_shard(other: Path) -> None:
        again = itertools.islice(_that_count(open_source(path).entries), shard_size)
        _write(other, 0, load_entries(again, opened.parse, symprec, workers=workers))

    confirm(folder, READ_SHARDS, first_shard)
    if (folder / "set.json").is_file() and not (there := ShardedCrystals(folder)).damaged():
        return there
    for number, run in enumerate(_runs(itertools.chain([first], entries), shard_size)):
        if not is_finished(folder, number):
            _write(folder, number, load_entries(run, opened.parse, symprec, workers=workers))
    return finish(folder, number + 1)


def skipped_entries(crystals: ShardedCrystals) -> pd.DataFrame:
    """Everything that was left out while a set was read: one row per entry, or block of a CIF, with its name, the
    reason (a kind of fault, for counting) and the detail (the values that show it)."""
    rows = [row for shard in crystals.about["shards"] for row in shard["extra"].get("skipped", [])]
    return pd.DataFrame(rows, columns=["name", "reason", "detail"])


def entry_remarks(crystals: ShardedCrystals) -> pd.DataFrame:
    """What a reader of the files of a set should know although they were read: one row per remark, with the ``name`` of
    the crystal, the ``kind`` and the ``detail``; names that several crystals have come last."""
    rows = [row for shard in crystals.about["shards"] for row in shard["extra"].get("remarks", [])]
    rows += [list(astuple(remark)) for remark in repeated_ids(crystals.index["id"].tolist())]
    return pd.DataFrame(rows, columns=["name", "kind", "detail"])


def _identity(path: Path, opened: Opened) -> dict[str, Any]:
    """What tells this source from another one, for the plan."""
    if opened.marks is not None:
        return {"n_files": len(opened.marks), "files_sha256": sha256_of_text(*opened.marks)}
    # the name too: it is, or is part of, the ids of a single CIF and of bad lines
    return {"file": printable(path.name), "sha256": sha256_of(path)}


def _that_count(entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries without the count of files that are no CIFs: a set may be written into the folder that it is read
    from, and would count itself."""
    return (entry for entry in entries if not (isinstance(entry[1], Remark) and entry[1].kind == OTHER_FILES))


def _runs(entries: Iterator[tuple[str, Any]], size: int) -> Iterator[Iterable[tuple[str, Any]]]:
    """The entries in runs of ``size``; what was not taken of one run is passed over before the next."""
    for first in entries:
        run = itertools.chain([first], itertools.islice(entries, size - 1))
        yield run
        deque(run, maxlen=0)


def _write(folder: Path, number: int, loaded: Loaded) -> None:
    """Write a shard; a function of its own, so that nothing holds its crystals while the next ones are read."""
    extra = {
        "skipped": [list(astuple(entry)) for entry in loaded.skipped],
        "declared": loaded.declared_space_group.tolist(),
        # a name may come again in another shard: entry_remarks looks at all of them
        "remarks": [list(astuple(remark)) for remark in loaded.remarks if remark.kind != REPEATED],
    }
    write_shard(folder, number, loaded.crystals, extra)

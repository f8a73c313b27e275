"""Databases as large as the COD (half a million CIFs) read into a sharded set, a run of entries in memory at a time.

What is read, and in which order, is that of :func:`paperlib.crystals.sources.load_crystals`. The set lies on disk as
:mod:`paperlib.crystals.shards` describes it; the record of each shard also holds ``skipped`` (name, reason and detail
of what was left out) and ``declared`` (for each crystal the space group that its source states, 0 where it states
none).
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

# The readers of sources hold all that they read; the generators and parsers that they are made of, which do not, have
# no public names.
from paperlib.crystals import sources
from paperlib.crystals.reading.loading import Loaded, Parser, load_entries
from paperlib.crystals.shards import ShardedCrystals, confirm, finish, is_finished, open_plan, write_shard
from paperlib.crystals.standardise import BadCrystalError, Sites
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

    Raises FileNotFoundError for a source that does not exist; ValueError where it is of another kind, damaged, holds
    no entry, or is not what ``folder`` was begun with; DiskFullError where there is no room.
    """
    if shard_size < 1:
        raise ValueError(f"{shard_size=} must be at least 1")
    opened, folder = _opened(sources._existing(source)), Path(folder)
    first = next(opened.entries, None)
    if first is None:
        raise ValueError(f"{source} holds {opened.nothing}")
    plan = {"kind": "crystals read from files", "symprec": float(symprec), "shard_size": int(shard_size)}
    open_plan(folder, plan | {"stage": [READ_SHARDS.name, READ_SHARDS.version]} | opened.identity)

    def first_shard(other: Path) -> None:
        again = _opened(sources._existing(source))
        _write(
            other, 0, load_entries(itertools.islice(again.entries, shard_size), again.parse, symprec, workers=workers)
        )

    confirm(folder, READ_SHARDS, first_shard)
    if (folder / "set.json").is_file() and not (there := ShardedCrystals(folder)).damaged():
        return there
    for number, run in enumerate(_runs(itertools.chain([first], opened.entries), shard_size)):
        if not is_finished(folder, number):
            _write(folder, number, load_entries(run, opened.parse, symprec, workers=workers))
    return finish(folder, number + 1)


def skipped_entries(crystals: ShardedCrystals) -> pd.DataFrame:
    """Everything that was left out while a set was read: one row per entry, or block of a CIF, with its name, the
    reason (a kind of fault, for counting) and the detail (the values that show it)."""
    rows = [row for shard in crystals.about["shards"] for row in shard["extra"].get("skipped", [])]
    return pd.DataFrame(rows, columns=["name", "reason", "detail"])


class _Opened(NamedTuple):
    entries: Iterator[tuple[str, bytes | Path]]
    parse: Parser
    identity: dict[str, Any]
    """What tells this source from another one, for the plan."""
    nothing: str
    """What a source without entries holds, and the remedy."""


def _opened(path: Path) -> _Opened:
    entries: Iterator[tuple[str, bytes | Path]]
    parse: Parser = _cif
    nothing = f"no file that ends in {' or '.join(sources._CIFS)}; put CIFs there or name another path"
    if path.is_dir():
        names, checksum = _listing(path)
        entries = ((_printable(name), path / name) for name in names)
        return _Opened(entries, parse, {"n_files": len(names), "files_sha256": checksum}, nothing)
    if path.name.endswith(sources._JSON_LINES):
        entries, parse, nothing = sources._lines(path), sources._json_line, "no line; download or write it again"
    elif path.name.lower().endswith(sources._ARCHIVES):
        entries = ((_printable(name), content) for name, content in sources._archived(path))
    elif sources._is_cif(path.name):
        entries = iter([(_printable(path.name), path)])
    else:
        raise ValueError(
            f"{path} is neither a folder, a CIF, an archive ({', '.join(sources._ARCHIVES)}) of CIFs nor JSON lines "
            f"({', '.join(sources._JSON_LINES)}); a set that CrystalSet.save wrote is stored with write_sharded"
        )
    # the name too: it is, or is part of, the ids of a single CIF and of bad lines
    return _Opened(entries, parse, {"file": _printable(path.name), "sha256": sha256_of(path)}, nothing)


def _cif(name: str, content: bytes | Path) -> Iterator[Sites | BadCrystalError]:
    """As ``sources._cif``; a space group number that gemmi cannot read (``'62'`` in quotes), at which it gives up, is a
    fault of one file, and does not end the reading of half a million."""
    try:
        yield from sources._cif(name, content)
    except (ValueError, RuntimeError) as error:
        yield BadCrystalError(name[: name.lower().rindex(".cif")], "not a valid CIF", str(error))


def _listing(folder: Path) -> tuple[list[str], str]:
    """Relative names of the CIFs of a folder, and a checksum of names, sizes (bytes) and times of change (ns)."""
    names, marks = [], []
    found = (
        (Path(parent).relative_to(folder) / name).as_posix() for parent, _, files in os.walk(folder) for name in files
    )
    # the order of paths, which compare part by part: "a/b" comes before "a.b"; no name holds a zero byte
    for name in sorted(filter(sources._is_cif, found), key=lambda name: name.replace("/", "\0")):
        if (file := folder / name).is_file():
            names.append(name)
            marks.append(f"{name!a} {file.stat().st_size} {file.stat().st_mtime_ns}")
    return names, sha256_of_text(*marks)


def _printable(name: str) -> str:
    """A file name with escapes for what is not UTF-8 in it, which no table or record could hold."""
    return name.encode(errors="backslashreplace").decode()


def _runs(entries: Iterator[tuple[str, Any]], size: int) -> Iterator[Iterable[tuple[str, Any]]]:
    """The entries in runs of ``size``; what was not taken of one run is passed over before the next."""
    for first in entries:
        run = itertools.chain([first], itertools.islice(entries, size - 1))
        yield run
        deque(run, maxlen=0)


def _write(folder: Path, number: int, loaded: Loaded) -> None:
    """Write a shard; a function of its own, so that nothing holds its crystals while the next ones are read."""
    skipped = [[entry.name, entry.reason, entry.detail] for entry in loaded.skipped]
    write_shard(folder, number, loaded.crystals, {"skipped": skipped, "declared": loaded.declared_space_group.tolist()})

"""Sets of crystals too large for memory: checksummed shards in a folder, an index table, loaded when touched.

::

    plan.json        what the set is to be (seed, rules, number, stage and its version, ...): written first, and
                     compared on resuming
    code.json        checksum of the code that made the shards; where it changed, one shard is made again and compared
    00000.npz ...    one CrystalSet each; columns that hold one value are stored once, coordinates on the grid of
                     random crystals as integers
    00000.json ...   number of crystals and checksum of the shard: its presence says that the shard is whole
    index.csv        id, space group, extinction class under each scheme, formula, seed, item; one row per crystal
    set.json         the list of shards and their checksums: written last, its presence says that the set is whole

All files follow from the plan alone, byte for byte.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.saved_columns import checked_columns
from paperlib.lab.display import ROWS, counted, one_line, small_table
from paperlib.lab.stages import Stage, code_of
from paperlib.lab.store import atomic_path, read_json, sha256_of, write_json, write_table
from paperlib.symmetry.extinction import SCHEMES, class_of_space_group
from paperlib.symmetry.wyckoff_tables import GRID

KEPT_SHARDS = 4
"""Shards that an open set keeps in memory."""


def write_shard(folder: str | Path, number: int, crystals: CrystalSet, extra: dict[str, Any] | None = None) -> None:
    """Write shard ``number`` and, after it, its record with the plain values ``extra``. Raises DiskFullError where
    there is no room; what was there before stays."""
    path = _shard(folder, number)
    with atomic_path(path) as partial:
        np.savez_compressed(partial, **_packed(crystals))
    record = {"n": len(crystals), "sha256": sha256_of(path), "extra": extra or {}}
    write_json(path.with_suffix(".json"), record)


def open_plan(folder: str | Path, plan: dict[str, Any]) -> None:
    """Begin or resume a set: write ``plan`` (plain values), or compare it with the one that is there. Raises
    ValueError where the folder holds another set."""
    path = Path(folder) / "plan.json"
    if not path.is_file():
        write_json(path, plan)
    elif (there := read_json(path)) != plan:
        names = sorted(k for k in plan.keys() | there.keys() if plan.get(k) != there.get(k))
        values = ", ".join(f"{name}: {there.get(name)!r} there, {plan.get(name)!r} asked for" for name in names)
        raise ValueError(f"{folder} holds another set of crystals ({values}); choose another folder or delete it")


def confirm(folder: str | Path, stage: Stage, make_first: Callable[[Path], None]) -> None:
    """Whether the shards in ``folder`` are what the code of ``stage`` makes: shards never outlive a mended fault.

    Where the code has changed since they were made, ``make_first(other_folder)`` makes shard 0 again. The same bytes:
    all are kept. Others: the crystals that differ are named, and all shards are removed, to be made anew.
    """
    folder = Path(folder)
    code, known = {"code": code_of(stage)}, folder / "code.json"
    there = read_json(known)["code"] if known.is_file() else ""
    if there == code["code"]:
        return
    if any(folder.glob("*.npz")):
        print(f"{folder}: the code of {stage.name} changed; the first shard is made again and compared", flush=True)
        again = folder / ".again"
        shutil.rmtree(again, ignore_errors=True)
        again.mkdir()
        make_first(again)
        same = is_finished(folder, 0) and sha256_of(_shard(folder, 0)) == sha256_of(_shard(again, 0))
        print(f"{folder}: {'the same' if same else _differences(folder, again)}", flush=True)
        shutil.rmtree(again)
        if not same:
            for path in (*folder.glob("*.npz"), *folder.glob("[0-9]*.json"), folder / "set.json", folder / "index.csv"):
                path.unlink(missing_ok=True)
    write_json(known, code)


def _differences(old: Path, new: Path) -> str:
    """Which crystals of the first shard differ, in one line."""
    if not is_finished(old, 0):
        return "the first shard was not whole; all shards are made anew"
    before, now = _unpacked(_shard(old, 0)), _unpacked(_shard(new, 0))
    names = [f.name for f in fields(before)]
    changed = [
        str(now.source_id[i])
        for i in range(len(now))
        if i >= len(before) or any(not _equal(getattr(before[i : i + 1], x), getattr(now[i : i + 1], x)) for x in names)
    ]
    listed = ", ".join(changed[:5]) + (", …" if len(changed) > 5 else "")
    return f"{len(changed)} of {len(now)} crystals differ ({listed}); all shards are made anew"


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")  # a B that is not known is NaN


def is_finished(folder: str | Path, number: int) -> bool:
    """Whether shard ``number`` is there and has the checksum of its record."""
    path = _shard(folder, number)
    record = path.with_suffix(".json")
    return path.is_file() and record.is_file() and read_json(record)["sha256"] == sha256_of(path)


def finish(folder: str | Path, n_shards: int, seed: int | None = None) -> ShardedCrystals:
    """Write the index and ``set.json`` of a folder whose shards are all there; ``seed`` goes into the index, with
    the number of each crystal as its item, where the crystals are random."""
    folder = Path(folder)
    records = [read_json(_shard(folder, k).with_suffix(".json")) for k in range(n_shards)]
    tables, first = [], 0
    for k, record in enumerate(records):
        tables.append(index_table(_unpacked(_shard(folder, k)), seed, first))
        first += record["n"]
    if tables:
        write_table(folder / "index.csv", pd.concat(tables, ignore_index=True))
    else:
        write_table(folder / "index.csv", index_table(CrystalSet.empty(), seed))
    shards = [{"file": _shard(folder, k).name, **record} for k, record in enumerate(records)]
    write_json(folder / "set.json", {"n": first, "shards": shards, "index_sha256": sha256_of(folder / "index.csv")})
    return ShardedCrystals(folder)


def write_sharded(
    folder: str | Path, crystals: CrystalSet, about: dict[str, Any], shard_size: int = 10_000
) -> ShardedCrystals:
    """Store a set that is in memory, a real database for instance; ``about`` says what it is. Shards that are there
    already are kept. Raises ValueError where the folder holds another set, or for a shard size below 1."""
    if shard_size < 1:
        raise ValueError(f"shard_size={shard_size} must be at least 1")
    open_plan(folder, {"about": about, "n": len(crystals), "shard_size": shard_size})
    starts = range(0, len(crystals), shard_size)
    for number, start in enumerate(starts):
        if not is_finished(folder, number):
            write_shard(folder, number, crystals[start : start + shard_size])
    return finish(folder, len(starts))


def index_table(crystals: CrystalSet, seed: int | None = None, first: int = 0) -> pd.DataFrame:
    """One row per crystal: id, space_group, class_<scheme> (index into ``extinction_classes(scheme)``), formula, and
    for random crystals seed and item."""
    columns: dict[str, Any] = {"id": crystals.source_id, "space_group": crystals.space_group}
    columns |= {f"class_{scheme}": class_of_space_group(scheme)[crystals.space_group] for scheme in SCHEMES}
    columns["formula"] = crystals.formula
    if seed is not None:
        columns |= {"seed": np.full(len(crystals), seed), "item": np.arange(first, first + len(crystals))}
    return pd.DataFrame(columns)


class ShardedCrystals:
    """A finished set in a folder. ``len``, ``index``, slices and numbers as of one :class:`CrystalSet`; a shard is
    read, and its checksum compared, when something of it is asked for."""

    def __init__(self, folder: str | Path) -> None:
        """Raises FileNotFoundError where the folder holds no finished set."""
        self.folder = Path(folder)
        if not (self.folder / "set.json").is_file():
            raise FileNotFoundError(
                f"{self.folder} holds no finished set of crystals (no set.json); make it, or run what made it again: "
                "shards that are there are kept"
            )
        self.about = read_json(self.folder / "set.json")
        self.plan = read_json(self.folder / "plan.json")
        self.start = np.concatenate([[0], np.cumsum([s["n"] for s in self.about["shards"]])]).astype(np.int64)
        self._load = functools.lru_cache(maxsize=KEPT_SHARDS)(self._read)

    def __len__(self) -> int:
        return int(self.start[-1])

    def __repr__(self) -> str:
        shards = counted(len(self.about["shards"]), "shard")
        return one_line("ShardedCrystals", counted(len(self), "crystal"), shards, f"in {self.folder}")

    def _repr_html_(self) -> str:
        return small_table(repr(self), self.index.head(ROWS).to_dict("list"), len(self))

    @functools.cached_property
    def index(self) -> pd.DataFrame:
        """The index table. Raises ValueError where the file is not the one that was written."""
        path = self.folder / "index.csv"
        if sha256_of(path) != self.about["index_sha256"]:
            raise ValueError(f"{path} was changed or damaged (checksum); delete set.json and make the set again")
        return pd.read_csv(path, dtype={"id": str, "formula": str}, keep_default_na=False)

    def shard(self, number: int) -> CrystalSet:
        """The crystals of one shard. Raises ValueError where the file is damaged."""
        return self._load(number)

    def shards(self) -> Iterator[CrystalSet]:
        """All shards in order, one in memory at a time beyond those that are kept."""
        return (self.shard(k) for k in range(len(self.start) - 1))

    def __getitem__(self, index: int | slice | np.ndarray | Sequence[int]) -> CrystalSet:
        """As of a :class:`CrystalSet`; a contiguous slice within one shard shares the memory of the shard."""
        if isinstance(index, (int, np.integer)):
            i = int(index) + (len(self) if index < 0 else 0)
            if not 0 <= i < len(self):
                raise IndexError(f"crystal {index} of a set of {len(self)}")
            index = slice(i, i + 1)
        if isinstance(index, slice) and index.indices(len(self))[2] == 1:
            return self._range(*index.indices(len(self))[:2])
        wanted = np.arange(len(self))[index]
        owner = np.searchsorted(self.start, wanted, side="right") - 1
        order = np.argsort(owner, kind="stable")
        parts = [self.shard(k)[wanted[owner == k] - self.start[k]] for k in np.unique(owner)]
        together = CrystalSet.concatenate([CrystalSet.empty(), *parts])
        return together[np.argsort(order)]

    def _range(self, start: int, stop: int) -> CrystalSet:
        if stop <= start:
            return CrystalSet.empty()
        first, last = np.searchsorted(self.start, [start, stop - 1], side="right") - 1
        parts = [
            self.shard(k)[max(0, start - int(self.start[k])) : stop - int(self.start[k])]
            for k in range(first, last + 1)
        ]
        return parts[0] if len(parts) == 1 else CrystalSet.concatenate(parts)

    def damaged(self) -> list[str]:
        """Names of files that are missing or have another checksum."""
        names = {s["file"]: s["sha256"] for s in self.about["shards"]} | {"index.csv": self.about["index_sha256"]}
        return [n for n, sha in names.items() if not (self.folder / n).is_file() or sha256_of(self.folder / n) != sha]

    def _read(self, number: int) -> CrystalSet:
        entry = self.about["shards"][number]
        path = self.folder / entry["file"]
        if not path.is_file() or sha256_of(path) != entry["sha256"]:
            raise ValueError(f"{path} is missing or damaged (checksum); run what made the set again: it replaces it")
        return _unpacked(path)


def _shard(folder: str | Path, number: int) -> Path:
    return Path(folder) / f"{number:05d}.npz"


def _packed(crystals: CrystalSet) -> dict[str, np.ndarray]:
    columns = {f.name: getattr(crystals, f.name) for f in fields(crystals)}
    columns = {k: v.astype(np.str_) if v.dtype == object else v for k, v in columns.items()}
    for name in ("standard", "occupancy", "b_iso"):
        first = columns[name][:1]
        unknown = name == "b_iso"
        if len(columns[name]) > 1 and np.array_equal(
            columns[name], first.repeat(len(columns[name])), equal_nan=unknown
        ):
            columns[name] = first
    steps = np.rint(crystals.frac * GRID)
    if np.all((steps >= 0) & (steps < GRID)) and np.array_equal(steps / GRID, crystals.frac):
        columns["frac"] = steps.astype(np.uint32)
    return columns


def _unpacked(path: Path) -> CrystalSet:
    with np.load(path, allow_pickle=False) as archive:
        columns = {name: archive[name] for name in archive.files}
    n, m = len(columns["cell"]), len(columns["frac"])
    if columns["frac"].dtype == np.uint32:
        columns["frac"] = columns["frac"] / GRID
    for name, length in (("standard", n), ("occupancy", m), ("b_iso", m)):
        if len(columns[name]) != length:
            columns[name] = np.broadcast_to(columns[name], (length,)).copy()
    try:
        return CrystalSet(**checked_columns(columns))
    except ValueError as error:
        raise ValueError(f"{path} is not a shard of crystals ({error}); run what made the set again") from error

"""Large balanced sets of random crystals on disk: in shards, on any number of workers, resumed where they stopped."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paperlib.crystals.rules import Rules, rules_from
from paperlib.crystals.shards import ShardedCrystals, confirm, finish, is_finished, open_plan, write_shard
from paperlib.crystals.synthesis import balanced_space_groups, checked_groups, synthesise
from paperlib.lab.cluster import done_in_any_order, workers
from paperlib.lab.stages import Stage
from paperlib.lab.store import DiskFullError
from paperlib.symmetry.extinction import extinction_classes
from paperlib.symmetry.groups import SPACE_GROUPS

BYTES_PER_CRYSTAL = 300
"""On disk, index included, with the default rules (measured: 225)."""

GENERATORS = ("paperlib", "pyxtal")

RANDOM_SHARDS = Stage("random shards", 1, "paperlib.crystals.synthesis")
"""Shards of random crystals."""


def random_crystal_set(
    folder: str | Path,
    n: int,
    seed: int,
    balance: str = "space_group",
    scheme: str = "absences",
    among: Sequence[int] = SPACE_GROUPS,
    generator: str = "paperlib",
    shard_size: int = 10_000,
    where: str = "local",
    n_workers: int = 1,
    options: dict[str, Any] | None = None,
    **rules: Any,
) -> ShardedCrystals:
    """A set of ``n`` random crystals in ``folder``, balanced as :func:`balanced_space_groups` does it.

    Crystal i is that of :func:`paperlib.crystals.synthesis.random_crystals` for ``seed`` and item i (with
    ``generator="pyxtal"``, of the module ``pyxtal_reference``). The files are the same, byte for byte, for any number
    of workers; run again after an interruption it makes only the shards that are missing or damaged. ``where``,
    ``n_workers`` and ``options`` choose the workers (:func:`paperlib.lab.cluster.workers`); ``rules`` are those of
    ``synthesis``. Raises ValueError for arguments that make no sense and for a folder that holds another set, and
    DiskFullError before the work begins where the disk cannot hold the set.
    """
    folder, chosen = Path(folder), rules_from(**rules)
    if n < 1 or shard_size < 1:
        raise ValueError(f"{n=} crystals in shards of {shard_size=}: both must be at least 1")
    if generator not in GENERATORS:
        raise ValueError(f"generator={generator!r} is unknown; choose one of {', '.join(GENERATORS)}")
    groups = {"balance": balance, "scheme": scheme, "among": checked_groups(among).tolist()}
    balanced_space_groups(1, **groups)
    extinction_classes(scheme)
    _check_disk(folder, n)
    plan = {"kind": "random crystals", "generator": generator, "n": n, "seed": int(seed), "shard_size": shard_size}
    stage = {"stage": [RANDOM_SHARDS.name, RANDOM_SHARDS.version]}
    open_plan(folder, plan | stage | groups | {"rules": chosen.described()})
    starts = range(0, n, shard_size)
    pieces = [
        (str(folder), k, start, min(shard_size, n - start), seed, groups, chosen, generator)
        for k, start in enumerate(starts)
    ]
    confirm(folder, RANDOM_SHARDS, lambda other: _make_shard(str(other), *pieces[0][1:]))
    pieces = [piece for piece in pieces if not is_finished(folder, piece[1])]
    if pieces:
        with workers(where, min(n_workers, len(pieces)), **(options or {})) as client:
            for _ in done_in_any_order(_make_shard, pieces, client):
                pass
    if not pieces and (folder / "set.json").is_file():
        return ShardedCrystals(folder)
    return finish(folder, len(starts), seed)


def rejections(crystals: ShardedCrystals) -> pd.DataFrame:
    """What was thrown away while a random set was made: one row per reason and space group, with the count."""
    total: dict[tuple[str, int], int] = {}
    for shard in crystals.about["shards"]:
        for reason, counts in shard["extra"].get("rejections", {}).items():
            for group, count in counts.items():
                total[reason, int(group)] = total.get((reason, int(group)), 0) + count
    rows = [(reason, group, count) for (reason, group), count in sorted(total.items())]
    return pd.DataFrame(rows, columns=["reason", "space_group", "count"])


def _make_shard(
    folder: str, number: int, first: int, n: int, seed: int, groups: dict[str, Any], rules: Rules, generator: str
) -> None:
    """Make and write one shard; runs on a worker."""
    space_groups = balanced_space_groups(n, **groups, first=first)
    if generator == "paperlib":
        made = synthesise(space_groups, seed, rules, first)
        by_group = {
            reason: {str(g): int(counts[g]) for g in np.flatnonzero(counts)}
            for reason, counts in made.rejections.items()
        }
        write_shard(folder, number, made.crystals, {"rejections": by_group})
    else:
        from paperlib.crystals import pyxtal_reference

        write_shard(folder, number, pyxtal_reference.synthesise(space_groups, seed, rules, first).crystals)


def _check_disk(folder: Path, n: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    there = sum(path.stat().st_size for path in folder.glob("*.npz"))
    needed, free = n * BYTES_PER_CRYSTAL - there, shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFullError(
            errno.ENOSPC,
            f"{n} crystals take about {needed / 1e9:.1f} GB more in {folder}, {free / 1e9:.1f} GB are free; free some "
            "space, choose another folder or fewer crystals. Nothing was written or lost",
        )

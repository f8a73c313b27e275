"""Duplicates: how fast is each rule, how does its cost grow, and what does plain StructureMatcher take?

    python tests/benchmarks/duplicates.py growth [--sizes N ...] [--rules RULE ...] [--workers N] [--folder DIR]
    python tests/benchmarks/duplicates.py matcher FILE [FILE ...] [--entries N]

``growth``: random crystals, three in ten of them copies of others with a strain of 0.3 % (so that every rule finds
them), written to shards and read from there: seconds per rule and size, and the slope of ln seconds over ln entries (1
is linear); the largest memory of the process. ``matcher``: the entries of FILEs (JSON lines, CIFs) whose formulas are
repeated most: time of `structure` and of all pairs by plain calls of ``fit``, and the agreement of the two partitions.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.production import random_crystal_set
from paperlib.crystals.shards import ShardedCrystals, finish, is_finished, open_plan, write_shard
from paperlib.crystals.sources import load_crystals
from paperlib.datasets.alike.matcher_reference import all_pairs, most_repeated
from paperlib.datasets.duplicates import RULES, find_duplicates, pair_agreement
from paperlib.lab.cluster import workers
from paperlib.lab.rng import uniform

SHARD = 10_000
COPIES = 0.3


def set_with_copies(folder: Path, n: int, seed: int) -> ShardedCrystals:
    """``n`` entries in shards: random crystals, of which the first three in ten of each shard occur once more in it."""
    own = round(SHARD / (1 + COPIES))
    made = random_crystal_set(folder / f"random-{n}", n=-(-n // SHARD) * own, seed=seed, shard_size=own)
    open_plan(folder / f"copies-{n}", {"n": n, "seed": seed})
    for number, crystals in enumerate(made.shards()):
        if not is_finished(folder / f"copies-{n}", number):
            copied = crystals[: SHARD - own]
            strain = 1 + 0.003 * (2 * uniform(seed, "benchmark", number * SHARD + np.arange(len(copied))) - 1)
            cell = np.column_stack([copied.cell[:, :3] * strain[:, None], copied.cell[:, 3:]])
            names = np.char.add(copied.source_id.astype(str), " copy")
            write_shard(
                folder / f"copies-{n}",
                number,
                CrystalSet.concatenate([crystals, replace(copied, cell=cell, source_id=names)]),
            )
    return finish(folder / f"copies-{n}", number + 1)


def growth(sizes: list[int], rules: list[str], n_workers: int, folder: Path, seed: int) -> None:
    """Seconds per rule and size."""
    seconds: dict[str, list[float]] = {rule: [] for rule in rules}
    with workers("local", n_workers) as client:
        find_duplicates(random_crystal_set(folder / "first", n=500, seed=seed)[:], "pattern")  # compiles
        for n in sizes:
            crystals = set_with_copies(folder, n, seed)
            expected = sum(SHARD - round(SHARD / (1 + COPIES)) for _ in range(len(crystals.start) - 1))
            for rule in rules:
                begin = time.perf_counter()
                groups = find_duplicates(crystals, rule, client=client)
                seconds[rule].append(time.perf_counter() - begin)
                found = len(crystals) - len(np.unique(groups))
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(
                    f"{rule:14s} {len(crystals):8d} entries {seconds[rule][-1]:8.1f} s  {found:7d} found, {expected} "
                    f"made  peak {peak:.0f} MiB",
                    flush=True,
                )
    for rule, times in seconds.items():
        if len(sizes) > 1:
            print(f"{rule:14s} slope {np.polyfit(np.log(sizes), np.log(times), 1)[0]:.2f}")


def matcher(files: list[str], n: int) -> None:
    """`structure` beside all pairs."""
    crystals = CrystalSet.concatenate(load_crystals(path).crystals for path in files)
    repeated = crystals[most_repeated(crystals, n)]
    begin = time.perf_counter()
    groups = find_duplicates(repeated, "structure")
    own = time.perf_counter() - begin
    reference = all_pairs(repeated)
    plain = reference.n_pairs * reference.seconds_per_pair
    print(
        f"{len(repeated)} entries, {reference.n_pairs} pairs of one composition, {reference.one_sided} fit one way only"
    )
    print(f"structure {own:.1f} s, plain fit {plain:.1f} s ({1000 * reference.seconds_per_pair:.1f} ms a pair)")
    print(f"ratio {plain / own:.1f}; agreement {pair_agreement(groups, reference.groups)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    grow = parts.add_parser("growth")
    grow.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000, 200_000])
    grow.add_argument("--rules", nargs="+", default=[rule for rule in RULES if rule != "structure"])
    grow.add_argument("--workers", type=int, default=1)
    grow.add_argument("--folder", type=Path)
    grow.add_argument("--seed", type=int, default=0)
    beside = parts.add_parser("matcher")
    beside.add_argument("files", nargs="+")
    beside.add_argument("--entries", type=int, default=5000)
    given = parser.parse_args()
    if given.part == "matcher":
        matcher(given.files, given.entries)
    else:
        with tempfile.TemporaryDirectory() as made:
            growth(given.sizes, given.rules, given.workers, given.folder or Path(made), given.seed)

"""What a pattern costs: ratios to other programs, growth with size, memory.

    python tests/benchmarks/simulator.py [--per-group N] [--device cpu|cuda] [--no-peers]

The crystals are balanced over the 230 space groups, about 30 atoms per cell on average with a tail to 500
(``paperlib.diffraction.mixture``); 5-90° Cu Kα. Install xrd-rust to see it beside pymatgen. On a GPU the bytes and
operations that a pattern needs at least are set against what the device says that it can do.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.mixture import balanced_mixture
from paperlib.diffraction.peers.speed import speed_table
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab.provenance import processor


def growth(device: str) -> pd.DataFrame:
    """Seconds against crystals, (reflections × atoms) and points; a slope of 1 in the logarithm is linear."""
    rows = []

    def clock(what: str, size: float, crystals: CrystalSet, instrument: Instrument) -> None:
        powder_patterns(crystals, instrument, device)
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            powder_patterns(crystals, instrument, device)
            if device != "cpu":
                torch.cuda.synchronize()
            best = min(best, time.perf_counter() - start)
        rows.append({"against": what, "size": size, "seconds": best})

    mixture = balanced_mixture(8)
    for n in (230, 460, 920, 1840):
        clock("crystals", n, mixture[:n], Instrument())
    for atoms in (16, 64, 256, 1024):
        rng = np.random.default_rng(atoms)
        n = 4
        edge = (15.0 * atoms) ** (1 / 3)
        crystals = CrystalSet(
            cell=np.tile([edge, 1.1 * edge, edge / 1.1, 88.0, 93.0, 95.0], (n, 1)),
            space_group=np.ones(n, np.int16),
            standard=np.ones(n, bool),
            site_start=np.arange(n + 1) * atoms,
            frac=rng.random((n * atoms, 3)),
            species=np.full(n * atoms, 26, np.int16),
            occupancy=np.full(n * atoms, 0.1),
            b_iso=np.zeros(n * atoms),
            formula=np.full(n, "Fe"),
            source_id=np.arange(n).astype(str),
        )
        lines = len(powder_reflections(crystals, Instrument(), dtype=torch.float32).d)
        clock("reflections x atoms", lines * atoms, crystals, Instrument())
    for points in (1000, 4000, 16000, 64000):
        clock("points", points, mixture[:460], Instrument(n_points=points))
    table = pd.DataFrame(rows)
    step = table.groupby("against", sort=False)
    table["slope"] = np.log(table.seconds / step.seconds.shift()) / np.log(table["size"] / step["size"].shift())
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-group", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-growth", action="store_true")
    arguments = parser.parse_args()
    crystals = balanced_mixture(arguments.per_group)
    name = processor() if arguments.device == "cpu" else torch.cuda.get_device_name()
    print(f"{name}; torch {torch.__version__}")
    print(f"{len(crystals)} crystals, {crystals.n_sites.mean():.1f} atoms on average, {crystals.n_sites.max()} at most")
    table = speed_table(crystals, arguments.device, peers=not arguments.no_peers)
    print(table.to_string(index=False, float_format="{:.1f}".format))
    if not arguments.no_growth:
        print(growth(arguments.device).to_string(index=False, float_format="{:.3g}".format))
    if arguments.device == "cpu":
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    else:
        print(f"peak memory of the device {torch.cuda.max_memory_allocated() / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()

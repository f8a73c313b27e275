"""What a pattern costs, as a ratio to pymatgen on the same crystals in the same run.

    python tests/benchmarks/simulator.py [--crystals N] [--threads T]

The crystals are the embedded prototypes (about 21 atoms per cell, up to 315), standardised; 5-90° Cu Kα. Each figure
is the best of three rounds, so that another program on the machine does not decide it; pymatgen runs once.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from paperlib.crystals.sources import prototype_structures
from paperlib.diffraction.compare import pymatgen_lines
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.simulate import powder_patterns


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Shortest time of ``work`` in ``rounds`` rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Print patterns per second and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crystals", type=int, default=288)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    crystals = prototype_structures().crystals[: arguments.crystals]
    structures = crystals.to_structures()
    instrument = Instrument()
    powder_patterns(crystals, instrument)  # fills the tables of reflections, as any longer run has
    peer = seconds(lambda: [pymatgen_lines(structure, instrument) for structure in structures], 1)
    works = {
        "line lists": lambda: powder_reflections(crystals, instrument, dtype=torch.float32),
        f"patterns, {instrument.n_points} points": lambda: powder_patterns(crystals, instrument),
    }
    print(f"{len(crystals)} crystals, {arguments.threads} thread(s)")
    print(f"{'pymatgen, line lists':32s} {len(crystals) / peer:10.0f} per second")
    for name, work in works.items():
        own = seconds(work, 3)
        print(f"{'paperlib, ' + name:32s} {len(crystals) / own:10.0f} per second {peer / own:8.0f} x")


if __name__ == "__main__":
    main()

"""What patterns cost, beside other programs on the same crystals in the same run."""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.ideal import ideal_patterns
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.peers.compare import pymatgen_lines
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab.machine import cores


def speed_table(
    crystals: CrystalSet, device: torch.device | str = "cpu", rounds: int = 3, peers: bool = True
) -> pd.DataFrame:
    """Crystals per second, 5–90° Cu Kα: one row per program, task and number of threads.

    Columns: program, task, threads (of the CPU; 0 for another device), per_second, ratio (to pymatgen's line lists on
    one thread; NaN without ``peers``). The peers, pymatgen and xrd-rust where it is installed, make line lists in one
    thread. Each figure is the best of ``rounds``, the peers of two, so that what else the machine does counts little.
    Before the clock starts our own work has run once on the same crystals, which compiles it and fills its tables; on a
    GPU the clock waits for the device.
    """
    n = len(crystals)
    short, long = Instrument(), Instrument(n_points=4096)
    groups = crystals.space_group
    ours: dict[str, Callable[[], object]] = {
        "line lists": lambda: powder_reflections(crystals, short, device, torch.float32),
        "patterns, 1000 points": lambda: powder_patterns(crystals, short, device),
        "patterns, 4096 points": lambda: powder_patterns(crystals, long, device),
        "laboratory, 4096 points": lambda: powder_patterns(crystals, long, device, seed=0, imperfections=LABORATORY),
        "reflection data, 1000 points": lambda: ideal_patterns(groups, short, 0, device),
    }
    rows: list[dict[str, object]] = []
    if peers:
        structures = crystals.to_structures()
        for program, lines in _peers().items():
            seconds = _best(lambda lines=lines: [lines(s) for s in structures], 2, device)
            rows.append({"program": program, "task": "line lists", "threads": 1, "per_second": n / seconds})
    on_cpu = torch.device(device).type == "cpu"
    for threads in sorted({1, cores()}) if on_cpu else [0]:
        with _threads(threads or cores()):
            for task, work in ours.items():
                work()
                seconds = _best(work, rounds, device)
                rows.append({"program": "paperlib", "task": task, "threads": threads, "per_second": n / seconds})
    table = pd.DataFrame(rows)
    table["ratio"] = table.per_second / table.per_second.iloc[0] if peers else np.nan
    return table


def _peers() -> dict[str, Callable[[object], object]]:
    short = Instrument()
    peers: dict[str, Callable[[object], object]] = {"pymatgen": lambda structure: pymatgen_lines(structure, short)}
    if importlib.util.find_spec("xrd_rust_calculator"):
        from xrd_rust_calculator import XRDCalculatorRust

        rust = XRDCalculatorRust(wavelength=short.wavelength)
        peers["xrd-rust"] = lambda structure: rust.get_pattern(structure, two_theta_range=short.two_theta)
    return peers


def _best(work: Callable[[], object], rounds: int, device: torch.device | str) -> float:
    """Shortest time of ``work`` in seconds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - start)
    return best


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""How often the distance of Kα1 and Kα2 tells a wrong wavelength, and how often it warns of a right one.

    python tests/benchmarks/anode.py [--source mp_30587.jsonl.gz] [--measured rruff_open.npz …] [-n 500]

Simulated: patterns of crystals of ``--source`` in the world of minerals, a point every 0.02°, with the doublet of one
anode and the wavelength of another. Measured: sets of patterns that were taken with copper, under its wavelength and
under those of others. No network has a part in it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from paperlib.answers.anode import DOUBLETS, SURE, other_anodes
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.measured import MeasuredPattern
from paperlib.datasets.prepared import prepared_crystals
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS
from paperlib.diffraction.simulate import powder_patterns, validate
from paperlib.lab import rng

STEP = 0.02
SEED = 20


def simulated(crystals: CrystalSet, anode: str, one_line: bool, world: Imperfections) -> tuple[np.ndarray, np.ndarray]:
    """Degrees (m,) and patterns (n, m) with the doublet of an anode, or its Kα1 alone."""
    first, second = DOUBLETS[anode]
    instrument = replace(
        MINERAL_INSTRUMENT,
        two_theta=(5.0, 90.0),
        n_points=round(85 / STEP) + 1,
        wavelength=first,
        second_wavelength=0.0 if one_line else second,
    )
    return instrument.grid(), powder_patterns(crystals, instrument, seed=SEED, imperfections=world).numpy()


def said(two_theta: np.ndarray, counts: np.ndarray, declared: str) -> dict[str, float]:
    """What is said of a pattern (m,) that is declared to be of an anode; of zeros and NaN at its ends nothing is."""
    seen = np.flatnonzero(np.isfinite(counts) & (counts != 0))
    there = slice(seen[0], seen[-1] + 1)
    counts = np.maximum(np.nan_to_num(counts[there]), 0)
    beam = DOUBLETS[declared][0], 0.0, 0.5, "xray"
    return other_anodes(MeasuredPattern(two_theta[there], counts, *beam, Path("-"), "text", ()))


def row(name: str, two_theta: np.ndarray, patterns: np.ndarray, anode: str, declared: str) -> dict[str, object]:
    """One line of the table: shares of the patterns with a warning, of the warnings that name the right anode, and of
    the patterns of which nothing can be said."""
    found = [said(two_theta, one, declared) for one in patterns]
    told = [{other for other, share in shares.items() if share >= SURE} for shares in found]
    named = [anode in names for names in told if names]
    right = np.mean(named) if named and anode != declared else np.nan
    facts = {"warned": len(named) / len(found), "right": right, "nothing": np.mean([not shares for shares in found])}
    return {"patterns": name, "anode": anode, "declared": declared, "n": len(patterns)} | facts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="prototypes")
    parser.add_argument("--measured", nargs="*", default=[])
    parser.add_argument("-n", type=int, default=500)
    arguments = parser.parse_args()

    known = prepared_crystals(arguments.source).crystals
    known = known[rng.permutation(SEED, "anode", 0, len(known))[: 2 * arguments.n]]
    # chromium sees the least of a crystal
    narrow = replace(MINERAL_INSTRUMENT, two_theta=(10.0, 70.0), wavelength=DOUBLETS["Cr"][0], second_wavelength=0.0)
    dark = [index for index, _ in validate(known, narrow)]
    known = known[np.setdiff1d(np.arange(len(known)), dark)]
    crystals, others = known[: arguments.n], known[arguments.n :]
    rows = []
    for anode in DOUBLETS:
        two_theta, patterns = simulated(crystals, anode, False, MINERALS)
        for declared in DOUBLETS if anode == "Cu" else dict.fromkeys([anode, "Cu"]):
            rows.append(row("simulated", two_theta, patterns, anode, declared))
    two_theta, patterns = simulated(crystals, "Cu", True, MINERALS)
    rows.append(row("simulated, Kα1 alone", two_theta, patterns, "Cu", "Cu"))
    mixed = replace(MINERALS, second_phase=(0.3, 0.5), impurities=others)
    two_theta, patterns = simulated(crystals, "Cu", False, mixed)
    rows.append(row("simulated, 30-50 % of a second phase", two_theta, patterns, "Cu", "Cu"))
    for file in arguments.measured:
        with np.load(file, allow_pickle=False) as archive:
            for declared in ("Cu", "Co", "Mo"):
                rows.append(row(file, archive["two_theta"], archive["intensity"], "Cu", declared))
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main()

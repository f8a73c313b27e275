"""Random crystals: are the labels true, how fast are they, and are they PyXtal's?

    python tests/benchmarks/generator.py [--per-group N] [--pyxtal N] [--seed S]

1. Labels: spglib on ``per-group`` crystals of each of the 230 groups at symprec 0.01 and 0.1 Å, and the share of
   crystals whose X-ray pattern (Cu Kα, 5-90°) shows lines above 1e-3 of the strongest that break the conditions of
   every stricter extinction class on the same lattice: the others look like the stricter class, because neighbours in
   the periodic table scatter almost alike or the structure factor is small by chance.
2. Speed, and the distributions of what both programs make of the same compositions, ``pyxtal`` crystals of each group:
   Kolmogorov-Smirnov distances for all crystals of PyXtal and for those whose space group is true.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings

import numpy as np
from scipy.stats import ks_2samp

from paperlib.crystals import pyxtal_reference
from paperlib.crystals.cell_geometry import lattice_of
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.rules import Rules
from paperlib.crystals.synthesis import balanced_space_groups, synthesise
from paperlib.datasets.set_statistics import found_space_groups
from paperlib.datasets.shown_absences import stricter_classes
from paperlib.diffraction.instrument import Instrument
from paperlib.symmetry.extinction import class_of_space_group
from paperlib.symmetry.wyckoff_tables import wyckoff_tables


def report_labels(name: str, found: np.ndarray, asked: np.ndarray) -> None:
    """Print the share of true space groups and extinction classes."""
    classes = class_of_space_group()
    true, same = found == asked, classes[found] == classes[asked]
    worst = min(float(true[asked == g].mean()) for g in np.unique(asked))
    print(f"{name:34s} space group {true.mean():8.4%}   class {same.mean():8.4%}   worst group {worst:.1%}")


def measures(
    crystals: CrystalSet, multiplicity: np.ndarray, start: np.ndarray, kept: np.ndarray
) -> dict[str, np.ndarray]:
    """What is compared: one value per crystal, or per site for the multiplicities."""
    tables = wyckoff_tables()
    general = tables.multiplicity[tables.position_start[crystals.space_group]]
    volume = np.array([abs(np.linalg.det(lattice_of(cell))) for cell in crystals.cell])
    relative = multiplicity / np.repeat(general, np.diff(start))
    return {
        "volume per atom": (volume / crystals.n_sites)[kept],
        "sites per crystal": np.diff(start)[kept],
        "multiplicity / general": relative[np.repeat(kept, np.diff(start))],
        "c / a": (crystals.cell[:, 2] / crystals.cell[:, 0])[kept],
    }


def labels(per_group: int, seed: int) -> None:
    """Part 1."""
    crystals = synthesise(balanced_space_groups(230 * per_group), seed, Rules()).crystals
    print(f"{len(crystals)} crystals, {crystals.n_sites.mean():.1f} atoms per cell")
    for symprec in (0.01, 0.1):
        report_labels(f"ours, spglib symprec {symprec} Å", found_space_groups(crystals, symprec), crystals.space_group)
    shows = stricter_classes(crystals, Instrument()).unbroken == 0
    print(f"patterns that show the class: {shows.mean():.2%}")


def children_seconds() -> float:
    """Processor time of the child processes that have ended, PyXtal's among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def against_pyxtal(per_group: int, seed: int) -> None:
    """Part 2."""
    groups, rules = balanced_space_groups(230 * per_group), Rules()
    synthesise(groups[:230], seed + 1, rules)  # compiles, fills the tables
    many = balanced_space_groups(230 * 40)
    wall, processor = time.perf_counter(), time.process_time()
    synthesise(many, seed + 2, rules)
    ours = len(many) / (time.perf_counter() - wall)
    per_processor = len(many) / (time.process_time() - processor)
    own = synthesise(groups, seed, rules)
    wall, processor = time.perf_counter(), children_seconds()
    reference = pyxtal_reference.synthesise(groups, seed, rules, time_limit=60)
    theirs = len(groups) / (time.perf_counter() - wall)
    theirs_per_processor = len(groups) / (children_seconds() - processor)
    print(f"crystals per second: ours {ours:.0f}, PyXtal {theirs:.1f}, ratio {ours / theirs:.0f}")
    ratio = per_processor / theirs_per_processor
    print(f"per second of processor: ours {per_processor:.0f}, PyXtal {theirs_per_processor:.1f}, ratio {ratio:.0f}")
    print(f"PyXtal, rejected: {dict(reference.rejections)}")
    found = found_space_groups(reference.crystals, 0.01)
    report_labels("PyXtal, spglib symprec 0.01 Å", found, groups)
    tables = wyckoff_tables()
    first = tables.position_start[np.repeat(groups, np.diff(own.site_start))]
    multiplicity = tables.multiplicity[first + own.position]
    same = (own.crystals.formula == reference.crystals.formula) & (own.crystals.n_sites == reference.crystals.n_sites)
    for name, kept in (("same composition", same), ("and PyXtal's group is true", same & (found == groups))):
        print(f"{name}: {kept.sum()} crystals; mean of ours, of PyXtal's, KS distance (p)")
        mine = measures(own.crystals, multiplicity, own.site_start, kept)
        others = measures(reference.crystals, reference.multiplicity, reference.site_start, kept)
        for what in mine:
            distance = ks_2samp(mine[what], others[what])
            means = f"{mine[what].mean():7.3f} {others[what].mean():7.3f}"
            print(f"  {what:24s} {means}   {distance.statistic:.3f} ({distance.pvalue:.2f})")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-group", type=int, default=20)
    parser.add_argument("--pyxtal", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)
    if arguments.per_group:
        labels(arguments.per_group, arguments.seed)
    if arguments.pyxtal:
        against_pyxtal(arguments.pyxtal, arguments.seed)


if __name__ == "__main__":
    main()

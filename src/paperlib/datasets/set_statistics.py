"""What a set of crystals looks like, in numbers that sets can be compared by, found by programs of others.

The space groups come from spglib, the distances from pymatgen: neither takes part in the making of random crystals,
so that both can judge them.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import spglib
from pymatgen.core import Lattice
from pymatgen.optimization.neighbors import find_points_in_spheres
from scipy.stats import ks_2samp

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.minimum_distances import minimum_distances
from paperlib.crystals.occupied_positions import occupied_positions
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import powder_reflections
from paperlib.symmetry.groups import wyckoff_positions

QUANTITIES = (
    "volume",
    "volume_per_atom",
    "atoms",
    "edge_ratio",
    "positions",
    "shortest_distance",
    "reflections",
)
"""Columns of :func:`shape_table` that are compared between sets."""

_SLACK = 1e-6
"""Å by which rounding may bring two atoms closer than a minimum distance."""


def found_space_groups(crystals: CrystalSet, symprec: float) -> np.ndarray:
    """(n,) int64: the space group that spglib finds in each crystal at the tolerance ``symprec`` (Å), 0 where it finds
    none. Raises ValueError, naming the crystal, for one with an occupancy below 1."""
    found = np.zeros(len(crystals), dtype=np.int64)
    for i in range(len(crystals)):
        one = crystals[i]
        if np.any(one.occupancy < 1):
            raise ValueError(
                f"{one.source_id[0]} has an occupancy of {one.occupancy.min():.3f}; the symmetry of disordered "
                "crystals is found when they are read (CrystalSet.from_structures)"
            )
        try:
            data = spglib.get_symmetry_dataset((_lattice(one).matrix, one.frac, one.species), symprec)
        except spglib.SpglibError:
            data = None
        found[i] = 0 if data is None else data.number
    return found


def shape_table(crystals: CrystalSet, instrument: Instrument | None = None) -> pd.DataFrame:
    """One row per crystal: ``source_id``, ``space_group``, and

    - ``volume``, Å³ of the conventional cell; ``volume_per_atom``; ``atoms``, the sum of the occupancies in it;
    - ``edge_ratio``, the longest edge over the shortest;
    - ``positions``, occupied Wyckoff positions (NaN where they cannot be assigned: disorder, another setting);
    - ``shortest_distance``, Å between two atoms, and ``too_close``, whether a pair is closer than PyXtal's minimum
      distance (see :func:`closest_pairs`);
    - ``reflections`` in the range of ``instrument`` (default: 5 to 90° at Cu Kα), equivalents counted once and
      systematic absences left out (NaN for a cell in another setting).

    Raises ValueError for crystals whose pattern cannot be computed.
    """
    n = len(crystals)
    volume = np.array([_lattice(crystals[i]).volume for i in range(n)])
    atoms = np.add.reduceat(crystals.occupancy, crystals.site_start[:-1]) if n else np.zeros(0)
    positions = np.diff(occupied_positions(crystals).start).astype(np.float64)
    reflections = powder_reflections(crystals, instrument or Instrument())
    shortest, too_close = closest_pairs(crystals)
    edges = crystals.cell[:, :3]
    return pd.DataFrame(
        {
            "source_id": crystals.source_id,
            "space_group": crystals.space_group,
            "volume": volume,
            "volume_per_atom": volume / atoms,
            "atoms": atoms,
            "edge_ratio": edges.max(axis=1) / edges.min(axis=1),
            "positions": np.where(positions > 0, positions, np.nan),
            "shortest_distance": shortest,
            "too_close": too_close,
            "reflections": np.where(crystals.standard, np.diff(reflections.start.numpy()), np.nan),
        }
    )


def closest_pairs(crystals: CrystalSet) -> tuple[np.ndarray, np.ndarray]:
    """(n,) Å: the shortest distance between two atoms of each crystal, images included; and (n,) bool: whether any
    pair is closer than half the sum of its covalent radii (PyXtal's ``Tol_matrix(prototype="atomic")``).

    N atoms in a volume V have two that are no further apart than (√2 V/N)^(1/3), the distance in close packing, so
    that one search with pymatgen finds the shortest. Rows at one place (a disordered site) are one atom.
    """
    least = minimum_distances()
    shortest, too_close = np.zeros(len(crystals)), np.zeros(len(crystals), dtype=bool)
    for i in range(len(crystals)):
        one = crystals[i]
        lattice = _lattice(one)
        allowed = least[one.species[:, None], one.species]
        reach = max((math.sqrt(2) * lattice.volume / one.occupancy.sum()) ** (1 / 3), allowed.max()) + 1e-3
        points = np.ascontiguousarray(one.frac @ lattice.matrix)
        periodic = np.ones(3, dtype=np.int64)
        first, second, _, distance = find_points_in_spheres(
            points, points, r=reach, pbc=periodic, lattice=np.ascontiguousarray(lattice.matrix), tol=1e-8
        )
        pair = distance > 1e-3  # an atom finds itself, and the other rows of its own site
        shortest[i] = distance[pair].min()
        too_close[i] = np.any(distance[pair] < allowed[first[pair], second[pair]] - _SLACK)
    return shortest, too_close


def relative_multiplicities(crystals: CrystalSet) -> np.ndarray:
    """(s,) float64: multiplicity of every occupied Wyckoff position of all crystals over that of the general position
    of its group: 1 for a general position, down to 1/192."""
    occupation = occupied_positions(crystals)
    group = np.repeat(crystals.space_group.astype(np.int64), np.diff(occupation.start))
    share = np.zeros(len(group))
    for number in np.unique(group):
        rows = group == number
        multiplicity = np.array([position.multiplicity for position in wyckoff_positions(int(number))])
        share[rows] = multiplicity[occupation.position[rows]] / multiplicity[0]
    return share


def distribution_distance(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """How far two samples (n,) and (m,) lie apart; NaN is left out.

    ``distance`` is Kolmogorov and Smirnov's: the largest difference of the two cumulative distributions, 0 … 1.
    ``noise`` is what two samples of these sizes from one continuous distribution exceed once in twenty times,
    1.358 √((n + m) / n m). ``median_a``, ``median_b``, ``n_a`` and ``n_b`` stand beside. Raises ValueError for a
    sample without numbers.
    """
    a, b = (np.asarray(x, dtype=np.float64) for x in (a, b))
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    n, m = len(a), len(b)
    if not (n and m):
        raise ValueError(f"distributions of {n} and {m} numbers cannot be compared; each needs at least one")
    return {
        "distance": float(ks_2samp(a, b, method="asymp").statistic),
        "noise": 1.358 * math.sqrt((n + m) / (n * m)),
        "median_a": float(np.median(a)),
        "median_b": float(np.median(b)),
        "n_a": n,
        "n_b": m,
    }


def at_most_per_group(crystals: CrystalSet, most: int) -> np.ndarray:
    """(k,) int64, rising: at most ``most`` crystals of each space group, evenly spread over the order of the set.
    Raises ValueError for ``most`` below 1."""
    if most < 1:
        raise ValueError(f"{most=} crystals of each group leave none; give at least 1")
    chosen = []
    for number in np.unique(crystals.space_group):
        members = np.flatnonzero(crystals.space_group == number)
        step = max(1.0, len(members) / most)
        chosen.append(members[np.unique((np.arange(min(most, len(members))) * step).astype(np.int64))])
    return np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *chosen]))


def _lattice(one: CrystalSet) -> Lattice:
    return Lattice.from_parameters(*one.cell[0])

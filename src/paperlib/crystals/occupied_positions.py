"""Which Wyckoff positions the atoms of a crystal in the standard setting occupy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from paperlib.crystals.compiled import compiled
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.generator.wyckoff_choice import identify, site_symmetry_order
from paperlib.symmetry.wyckoff_tables import GRID, WyckoffTables, wyckoff_tables

_STEP = 1.0 / GRID

SAME = 1e-4
"""Fractional coordinates that differ by less are the same: spglib's idealised coordinates keep the six or so digits of
published ones."""


class Occupation(NamedTuple):
    """Occupied positions of n crystals; those of crystal i are rows ``start[i]:start[i + 1]``."""

    start: np.ndarray
    """(n + 1,) int64; a crystal that could not be assigned has no rows."""
    position: np.ndarray
    """(s,) int64: index into ``symmetry.groups.wyckoff_positions(space_group)``."""
    species: np.ndarray
    """(s,) int64: species code."""


def occupied_positions(crystals: CrystalSet) -> Occupation:
    """Positions and species of all occupied positions.

    Crystals that are disordered (an occupancy below 1), not in the standard setting, or whose atoms are not whole
    orbits of their group get no rows.
    """
    tables, counts, rows, species = wyckoff_tables(), [], [], []
    for i in range(len(crystals)):
        atoms = slice(crystals.site_start[i], crystals.site_start[i + 1])
        found = np.zeros((0, 2), dtype=np.int64)
        if crystals.standard[i] and np.all(crystals.occupancy[atoms] > 1 - 1e-6):
            codes = crystals.species[atoms].astype(np.int64)
            found = _assign(tables, int(crystals.space_group[i]), crystals.frac[atoms], codes, SAME)
        counts.append(len(found))
        rows.append(found[:, 0])
        species.append(found[:, 1])
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    empty = np.zeros(0, dtype=np.int64)
    return Occupation(start, np.concatenate([empty, *rows]), np.concatenate([empty, *species]))


@compiled
def _assign(tables: WyckoffTables, group: int, fractions: np.ndarray, codes: np.ndarray, same: float) -> np.ndarray:
    """(s, 2): index of the position and species of each orbit; no rows where the atoms are no whole orbits."""
    n = len(fractions)
    taken = np.zeros(n, dtype=np.bool_)
    found, n_found = np.empty((n, 2), dtype=np.int64), 0
    start, stop = tables.operation_start[group], tables.operation_start[group + 1]
    point, moved = np.zeros(3, dtype=np.int64), np.zeros(3)
    for j in range(n):
        if taken[j]:
            continue
        order = site_symmetry_order(tables, group, fractions[j], same)
        position = identify(tables, group, fractions[j], order, point, same)
        if position < 0:
            return found[:0].copy()
        members = 0
        for g in range(start, stop):
            for i in range(3):
                moved[i] = tables.translation[g, i] * _STEP
                for k in range(3):
                    moved[i] += tables.rotation[g, i, k] * fractions[j, k]
            for other in range(j, n):
                if not taken[other] and codes[other] == codes[j]:
                    near = True
                    for i in range(3):
                        d = moved[i] - fractions[other, i]
                        near = near and abs(d - round(d)) < 10 * same
                    if near:
                        taken[other] = True
                        members += 1
                        break
        if members != tables.multiplicity[position]:
            return found[:0].copy()
        found[n_found, 0], found[n_found, 1] = position - tables.position_start[group], codes[j]
        n_found += 1
    return found[:n_found].copy()

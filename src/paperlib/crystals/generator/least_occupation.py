"""The smallest Wyckoff multiplicity that a crystal of a group cannot do without.

In many groups the special positions together still have the symmetry of a supergroup: atoms on them alone, whatever
their species, never make a crystal of the group (in Pn-3n, 222, every special position is body-centred; in P432, 207,
each lies on what would be a mirror of Pm-3m). A composition whose species are all less numerous than the first
position that breaks the supergroups is hopeless, and need not be tried.
"""

from __future__ import annotations

import functools

import numpy as np

from paperlib.crystals.cell_geometry import new_frame, set_frame
from paperlib.crystals.generator.hidden_symmetry import NONE, hidden_symmetry
from paperlib.crystals.generator.wyckoff_choice import add_to_frame, point_on
from paperlib.lab import rng
from paperlib.symmetry.wyckoff_tables import GRID, wyckoff_tables

_EDGES = np.array([11.0, 13.7, 17.3])
_ANGLES = np.array([83.0, 99.0, 107.0])


@functools.cache
def least_multiplicity(number: int) -> int:
    """The smallest m for which all positions of group ``number`` with at most m points have the symmetry of the group
    and no more, when each is occupied by a species of its own (by three where it has free parameters: one atom alone
    hides polarity, in P1 even its absence of a centre)."""
    tables, frame = wyckoff_tables(), new_frame()
    rows = np.arange(*tables.position_start[number : number + 2])[::-1]
    set_frame(_generic_cell(int(tables.system[number])), tables.primitive[number], frame)
    most = 3 * int(tables.multiplicity[rows].sum())
    fractions, kinds = np.zeros((most, 3)), np.zeros(most, dtype=np.int64)
    point, n, kind = np.zeros(3, dtype=np.int64), 0, 0
    for row in rows:
        for _ in range(3 if tables.freedom[row] else 1):
            free = (rng.uniform(number, "probe", [kind], 3)[0] * GRID).astype(np.int64)
            point_on(tables, row, free, point)
            n = add_to_frame(tables, row, point, kind, frame, fractions, kinds, n)
            kind += 1
        last = row == rows[-1] or tables.multiplicity[row - 1] > tables.multiplicity[row]
        if last and hidden_symmetry(tables, number, fractions, kinds, n, kind, frame, 1e-3) == NONE:
            return int(tables.multiplicity[row])
    raise AssertionError(f"the general position of group {number} has a symmetry beyond the group")


def _generic_cell(system: int) -> np.ndarray:
    """A cell of a crystal system (0 triclinic … 6 cubic) without accidental symmetry."""
    edges, angles = _EDGES.copy(), np.full(3, 90.0)
    if system == 0:
        angles = _ANGLES
    elif system == 1:
        angles[1] = _ANGLES[1]
    elif system >= 3:
        edges[1] = edges[0]
    if system in (4, 5):
        angles[2] = 120.0
    if system == 6:
        edges[:] = edges[0]
    return np.concatenate([edges, angles])

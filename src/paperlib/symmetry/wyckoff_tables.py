"""The tables of ``symmetry.groups`` laid out for compiled loops: exact integers, all 230 groups in flat arrays.

Fractional coordinates are integers over ``GRID``. The operations and Wyckoff positions of the settings used here
have integer matrices and translations over 24, which divides ``GRID``: an orbit is computed without rounding, and
its points obey the operations to the last bit.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from paperlib.symmetry import groups

GRID = 3 * 2**30
"""Steps per cell edge: divisible by 24, below 2**32 (a coordinate is a uint32), finer than 1e-8 Å."""

_PRIMITIVE = {
    "P": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "A": ((1, 0, 0), (0, 0.5, -0.5), (0, 0.5, 0.5)),
    "C": ((0.5, -0.5, 0), (0.5, 0.5, 0), (0, 0, 1)),
    "I": ((-0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.5, 0.5, -0.5)),
    "F": ((0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)),
    "R": ((2 / 3, 1 / 3, 1 / 3), (-1 / 3, 1 / 3, 1 / 3), (-1 / 3, -2 / 3, 1 / 3)),
}

_SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")


class WyckoffTables(NamedTuple):
    """Rows of group g are ``start[g] : start[g + 1]``; group 0 is empty. All arrays are C-contiguous."""

    system: np.ndarray
    """(231,) int64: 0 triclinic … 6 cubic, in the order of ``_SYSTEMS``."""
    primitive: np.ndarray
    """(231, 3, 3) float64: rows are primitive lattice vectors in fractions of the conventional cell."""
    lattice_points: np.ndarray
    """(231,) int64 per conventional cell."""
    operation_start: np.ndarray
    """(232,) int64."""
    rotation: np.ndarray
    """(operations, 3, 3) int64."""
    translation: np.ndarray
    """(operations, 3) int64, over ``GRID``."""
    rotation_order: np.ndarray
    """(operations,) int64: smallest k with R^k = 1."""
    position_start: np.ndarray
    """(232,) int64."""
    multiplicity: np.ndarray
    """(positions,) int64 in the conventional cell, falling within a group."""
    freedom: np.ndarray
    """(positions,) int64: number of free parameters."""
    linear: np.ndarray
    """(positions, 3, 3) int64: the representative point is linear @ (x, y, z) + shift."""
    shift: np.ndarray
    """(positions, 3) int64, over ``GRID``."""
    pivot: np.ndarray
    """(positions, 3) int64: for each parameter the row that shows it alone with coefficient ±1; -1 if unused."""
    orbit_start: np.ndarray
    """(positions + 1,) int64."""
    orbit: np.ndarray
    """(points,) int64: rows of ``rotation`` that make each point of the orbit once."""
    primitive_orbit_start: np.ndarray
    """(positions + 1,) int64."""
    primitive_orbit: np.ndarray
    """(points,) int64: the same for one point of each class of points that differ by a lattice translation."""


@functools.cache
def wyckoff_tables() -> WyckoffTables:
    """The tables, built once (about 0.1 s)."""
    operations = {n: groups.operations(n) for n in groups.SPACE_GROUPS}
    positions = {n: groups.wyckoff_positions(n) for n in groups.SPACE_GROUPS}
    operation_start = _starts([len(operations[n].rotations) for n in groups.SPACE_GROUPS])
    rotation = np.concatenate([operations[n].rotations for n in groups.SPACE_GROUPS]).astype(np.int64)
    flat = [(n, position) for n in groups.SPACE_GROUPS for position in positions[n]]
    linear = np.array([p.representative[:, :3] for _, p in flat]).astype(np.int64)
    primitive = np.zeros((231, 3, 3))
    primitive[1:] = [_PRIMITIVE[groups.centring(n)] for n in groups.SPACE_GROUPS]
    orbits = [operation_start[n] + p.orbit.astype(np.int64) for n, p in flat]
    primitive_orbits = [_one_per_lattice_point(n, p, orbit) for (n, p), orbit in zip(flat, orbits, strict=True)]
    return WyckoffTables(
        system=np.array([0, *(_SYSTEMS.index(groups.crystal_system(n)) for n in groups.SPACE_GROUPS)]),
        primitive=primitive,
        lattice_points=np.array([1, *(round(1 / np.linalg.det(m)) for m in primitive[1:])]),
        operation_start=operation_start,
        rotation=rotation,
        translation=_on_grid(np.concatenate([operations[n].translations for n in groups.SPACE_GROUPS])),
        rotation_order=np.array([_order(matrix) for matrix in rotation]),
        position_start=_starts([len(positions[n]) for n in groups.SPACE_GROUPS]),
        multiplicity=np.array([p.multiplicity for _, p in flat]),
        freedom=np.array([p.degrees_of_freedom for _, p in flat]),
        linear=linear,
        shift=_on_grid(np.array([p.representative[:, 3] for _, p in flat])),
        pivot=np.array([[_pivot(matrix, k) for k in range(3)] for matrix in linear]),
        orbit_start=np.concatenate([[0], np.cumsum([len(orbit) for orbit in orbits])]),
        orbit=np.concatenate(orbits),
        primitive_orbit_start=np.concatenate([[0], np.cumsum([len(orbit) for orbit in primitive_orbits])]),
        primitive_orbit=np.concatenate(primitive_orbits),
    )


@functools.cache
def achievable_counts(number: int, highest: int = 200) -> np.ndarray:
    """Numbers of atoms per conventional cell, 1 … ``highest``, that occupied Wyckoff positions can add up to, rising.

    Positions without free parameters are used at most once. (n,) int64; empty where even the smallest position
    has more points. Raises ValueError for a group outside 1-230.
    """
    reachable = np.zeros(highest + 1, dtype=bool)
    reachable[0] = True
    for position in groups.wyckoff_positions(number):
        m = position.multiplicity
        if position.degrees_of_freedom == 0:
            reachable[m:] |= reachable[: len(reachable) - m].copy() if m <= highest else False
        else:
            for count in range(m, highest + 1):
                reachable[count] |= reachable[count - m]
    return np.flatnonzero(reachable)[1:]


def _one_per_lattice_point(number: int, position: groups.WyckoffPosition, orbit: np.ndarray) -> np.ndarray:
    rotations, translations = groups.operations(number)
    site = position.representative @ [0.1234, 0.2718, 0.0577, 1.0]
    points = rotations[position.orbit] @ site + translations[position.orbit]
    inside = points @ np.linalg.inv(_PRIMITIVE[groups.centring(number)])
    _, first = np.unique(np.rint((inside % 1.0) * 1e6).astype(np.int64) % 10**6, axis=0, return_index=True)
    return orbit[np.sort(first)]


def _starts(counts: list[int]) -> np.ndarray:
    return np.concatenate([[0, 0], np.cumsum(counts)]).astype(np.int64)


def _on_grid(fractions: np.ndarray) -> np.ndarray:
    return np.rint(fractions * groups.DENOMINATOR).astype(np.int64) % groups.DENOMINATOR * (GRID // groups.DENOMINATOR)


def _order(rotation: np.ndarray) -> int:
    power, order = rotation, 1
    while not np.array_equal(power, np.eye(3)):
        power, order = power @ rotation, order + 1
    return order


def _pivot(linear: np.ndarray, parameter: int) -> int:
    if not linear[:, parameter].any():
        return -1
    others = np.delete(np.abs(linear), parameter, axis=1).sum(axis=1)
    return int(np.flatnonzero((np.abs(linear[:, parameter]) == 1) & (others == 0))[0])

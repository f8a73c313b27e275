"""What becomes of the Wyckoff letters of triclinic and monoclinic groups when other axes are chosen.

The vectors of these lattices may be combined into other axes of the same kind in infinitely many ways. Which is taken
depends on lengths and angles alone, so that one arrangement of atoms, strained, can come to stand under other letters:
an atom halfway along the shortest axis in one compound may lie halfway along the longest in another. The orthorhombic
and higher groups have no such freedom beyond their Euclidean normaliser.
"""

from __future__ import annotations

import itertools

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.occupied_positions import occupied_positions
from paperlib.symmetry.groups import crystal_system, operations, wyckoff_positions

_QUARTER = 4
"""Translations of the triclinic and monoclinic groups and of their normalisers are multiples of 1/4."""

_GENERIC = np.array([0.1234, 0.2718, 0.3391])
"""Free coordinates at which no position meets another."""


def other_axes(number: int) -> list[tuple[str, ...]]:
    """For changes of axes that leave space group ``number`` as it is, what each Wyckoff letter becomes, the letters in
    alphabetical order; together with shifts of the origin they generate all. Empty from the orthorhombic groups on.

    Raises ValueError for a number outside 1-230.
    """
    system = crystal_system(number)
    if system not in ("triclinic", "monoclinic"):
        return []
    positions = sorted(wyckoff_positions(number), key=lambda position: position.letter)
    rotations, translations = operations(number)
    places = [position.representative[:, :3] @ _GENERIC + position.representative[:, 3] for position in positions]
    orbits = [rotations[p.orbit] @ place + translations[p.orbit] for p, place in zip(positions, places, strict=True)]
    species = np.repeat(np.arange(1, len(orbits) + 1), [len(orbit) for orbit in orbits])
    moves = _moves(system, rotations, translations)
    moved = CrystalSet.concatenate(_crystal(number, np.concatenate(orbits) @ m.T + t, species) for m, t in moves)
    found = occupied_positions(moved)
    names = [position.letter for position in wyckoff_positions(number)]
    rows = [slice(*found.start[i : i + 2]) for i in range(len(moved))]
    become = (dict(zip(found.species[row].tolist(), found.position[row].tolist(), strict=True)) for row in rows)
    return list(dict.fromkeys(tuple(names[letters[k + 1]] for k in range(len(orbits))) for letters in become))


def _moves(system: str, rotations: np.ndarray, translations: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Changes of axes (3, 3), each with one shift (3,) of the origin after which the operations are the same again."""
    place = np.rint(translations * _QUARTER).astype(np.int64)
    allowed = {(r.tobytes(), tuple(t % _QUARTER)) for r, t in zip(rotations, place, strict=True)}
    shifts = np.array([*itertools.product(range(_QUARTER), repeat=3)])
    moves = []
    for matrix in _triclinic() if system == "triclinic" else _monoclinic():
        for shift in shifts:
            # the rotations themselves, which only turn signs of b or of all axes, stay as they are
            moved = place @ matrix.T + shift - np.einsum("oij,j->oi", rotations, shift).astype(np.int64)
            keys = zip((r.tobytes() for r in rotations), (tuple(t % _QUARTER) for t in moved), strict=True)
            if allowed.issuperset(keys):
                moves.append((matrix, shift / _QUARTER))
                break
    return moves


def _triclinic() -> list[np.ndarray]:
    """Generators of all changes of axes: two of them exchanged, all three in turn, one added to another."""
    identity = np.eye(3, dtype=np.int64)
    sheared = identity.copy()
    sheared[0, 1] = 1
    return [identity[[1, 0, 2]], identity[[1, 2, 0]], sheared]


def _monoclinic() -> list[np.ndarray]:
    """Changes of the axes a and c: with c-glides or C-centring some only serve with coefficients of 2."""
    found = []
    for p, q, r, s in itertools.product(range(-2, 3), repeat=4):
        if abs(p * s - q * r) == 1:
            found.append(np.array([[p, 0, q], [0, 1, 0], [r, 0, s]]))
    return found


def _crystal(number: int, frac: np.ndarray, species: np.ndarray) -> CrystalSet:
    return CrystalSet(
        cell=np.array([[1.0, 1, 1, 90, 90, 90]]),
        space_group=np.array([number], dtype=np.int16),
        standard=np.array([True]),
        site_start=np.array([0, len(frac)]),
        frac=frac % 1.0,
        species=species.astype(np.int16),
        occupancy=np.ones(len(frac)),
        b_iso=np.zeros(len(frac)),
        formula=np.array([""]),
        source_id=np.array([""]),
    )

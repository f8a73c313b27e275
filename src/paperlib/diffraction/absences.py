"""Systematic absences of many crystals at once: a table look-up in place of one rule after the other.

Whether a reflection is absent depends on two things: which symmetry operations leave it in place, which for
the representatives of an asymmetric unit follows from which of h, k, l are zero or equal; and h, k, l modulo 12, since
every glide and screw translation is a multiple of 1/12. Both together are the *code* of a reflection.
"""

# ruff: noqa: E741 -- the letter l is the third Miller index
from __future__ import annotations

import functools
from typing import Any

import numpy as np

from paperlib.symmetry import groups

PERIOD = 12
"""Adding this to an index never changes whether the reflection is present."""

N_CODES = 32 * PERIOD**3
"""Number of codes: five yes-or-no relations, and three remainders."""

EXAMPLES = {
    "-1": 2,
    "2/m": 10,
    "mmm": 47,
    "4/m": 83,
    "4/mmm": 123,
    "-3": 147,
    "-31m": 162,
    "-3m1": 164,
    "6/m": 175,
    "6/mmm": 191,
    "m-3": 200,
    "m-3m": 221,
}
"""For each Laue class, with its orientation, a space group that is symmorphic, centrosymmetric and primitive in it."""

_PATTERNS = ("ABC", "AAB", "ABB", "AAA", "0AB", "A0B", "AB0", "0AA", "AA0", "00A", "0A0", "A00")
"""Every way in which zeros and equal letters can stand in h, k, l, as far as the code tells them apart."""


def oriented_laue_class(number: int) -> str:
    """Laue class of a space group, the two orientations of -3m told apart: ``-31m`` (mirror planes that contain
    the a axes) or ``-3m1``. Raises ValueError for a number outside 1-230."""
    name = groups.laue_class(number)
    if name != "-3m":
        return name
    swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    return "-31m" if np.any(np.all(groups.laue_rotations(number) == swap, axis=(1, 2))) else "-3m1"


def holohedry(number: int) -> str:
    """Laue class that the lattice of a space group has when nothing is in it: -1, 2/m, mmm, 4/mmm, 6/mmm (also
    trigonal groups on a primitive lattice), -3m1 (rhombohedral lattice, hexagonal axes) or m-3m. Raises ValueError for
    a number outside 1-230."""
    if groups.centring(number) == "R":
        return "-3m1"
    return {
        "triclinic": "-1",
        "monoclinic": "2/m",
        "orthorhombic": "mmm",
        "tetragonal": "4/mmm",
        "hexagonal": "6/mmm",
        "cubic": "m-3m",
    }[groups.crystal_family(number)]


def reflection_codes(h: Any, k: Any, l: Any) -> Any:
    """Codes, 0 to ``N_CODES`` - 1, of reflections given as three integer arrays or tensors of one shape."""
    relations = (h == 0) * 1 + (k == 0) * 2 + (l == 0) * 4 + (h == k) * 8 + (k == l) * 16
    return ((relations * PERIOD + h % PERIOD) * PERIOD + k % PERIOD) * PERIOD + l % PERIOD


@functools.cache
def _samples() -> tuple[np.ndarray, np.ndarray]:
    """One reflection (m, 3) for every code that occurs, and the codes (m,)."""
    parts = []
    for pattern in _PATTERNS:
        letters = sorted(set(pattern) - {"0"})
        remainders = np.indices((PERIOD,) * len(letters)).reshape(len(letters), -1)
        # far apart, so that no index is the same as, or twice, another by accident
        values = {
            name: row + PERIOD * (1, 5, 11)["ABC".index(name)] for name, row in zip(letters, remainders, strict=True)
        }
        values["0"] = np.zeros(remainders.shape[1], dtype=np.int64)
        parts.append(np.stack([values[name] for name in pattern], axis=1))
    hkl = np.concatenate(parts)
    return hkl, reflection_codes(*hkl.T)


@functools.cache
def present_codes(number: int, laue: str) -> np.ndarray:
    """(``N_CODES``,) bool, read-only: which reflections of the asymmetric unit of the Laue class ``laue`` space group
    ``number`` shows. With a class that is higher than its own (the holohedry), a reflection counts as present where
    any of its equivalents under that class is. Raises ValueError for a number outside 1-230."""
    hkl, codes = _samples()
    if laue == oriented_laue_class(number):
        present = ~groups.is_absent(number, hkl)
    else:
        orbits = hkl @ groups.laue_rotations(EXAMPLES[laue]).astype(np.int64)
        present = ~groups.is_absent(number, orbits.reshape(-1, 3)).reshape(orbits.shape[:2]).all(axis=0)
    table = np.zeros(N_CODES, dtype=bool)
    table[codes] = present
    table.setflags(write=False)
    return table


@functools.cache
def _table_of_all(lattice: bool) -> tuple[np.ndarray, dict[int, str]]:
    """(231, ``N_CODES``) bool and the Laue classes of the rows that have been filled; the rest follows on demand."""
    return np.zeros((231, N_CODES), dtype=bool), {}


def present_table(numbers: np.ndarray, lattice: bool = False) -> tuple[np.ndarray, dict[int, str]]:
    """Rows of :func:`present_codes` by space group number, (231, ``N_CODES``), filled for all that occur in
    ``numbers`` (n,), and the Laue class whose asymmetric unit each of these is meant in: that of the empty lattice
    where ``lattice`` is set, else that of the group. Raises ValueError for a number outside 1-230."""
    table, laue = _table_of_all(lattice)
    for number in set(np.unique(numbers).tolist()) - laue.keys():
        name = holohedry(number) if lattice else oriented_laue_class(number)
        table[number] = present_codes(number, name)
        laue[number] = name
    return table, laue


@functools.cache
def multiplicities(laue: str) -> np.ndarray:
    """(32,) int16: number of equivalents, Friedel opposites included, of a reflection of the asymmetric unit of a
    Laue class, by the relations in its code (code // ``PERIOD``³)."""
    hkl, codes = _samples()
    rotations = groups.laue_rotations(EXAMPLES[laue]).astype(np.int64)
    fixed = np.all(hkl @ rotations == hkl, axis=2).sum(axis=0)
    table = np.zeros(32, dtype=np.int16)
    table[codes // PERIOD**3] = len(rotations) // fixed
    table.setflags(write=False)
    return table

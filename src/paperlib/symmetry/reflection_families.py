"""Families of reflections that no powder pattern of a lattice can tell apart, and the setting of a class.

A family holds the reflections that the holohedry of the lattice makes equivalent: they fall on one line in every
crystal of the lattice. Where the Laue class of a group is the holohedry, a family is a set of Laue-equivalent
reflections; in the lower Laue classes of a lattice (4/m, -3, -3m on a primitive lattice, 6/m, m-3) it joins sets that
differ in intensity and never in place. It is called by one of its reflections, with as few negative indices as can be
and then the highest h, k, l in this order: 311, and not -3 1 1 or 131.

The space groups of an orthorhombic class may stand in different settings, since their axes carry no name in a powder
pattern; the setting of a class is that of its lowest-numbered group.
"""

from __future__ import annotations

import functools

import numpy as np

from paperlib.symmetry.extinction import class_members
from paperlib.symmetry.groups import centring, crystal_family, is_absent, laue_rotations

_HOLOHEDRIES = {"triclinic": 2, "monoclinic": 10, "orthorhombic": 47, "tetragonal": 123, "hexagonal": 191, "cubic": 221}
"""A space group whose Laue class is the holohedry, by crystal family."""
_RHOMBOHEDRAL = 166
_INDICES = np.arange(-6, 7)
_BOX = np.stack(np.meshgrid(_INDICES, _INDICES, _INDICES, indexing="ij"), axis=-1).reshape(-1, 3)
_BASE = 2048
_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


def equivalents(number: int, hkl: np.ndarray) -> np.ndarray:
    """(r, m, 3): the reflections that the lattice of space group ``number`` makes equivalent to each of ``hkl`` (m, 3),
    with repetitions. Raises ValueError for a number outside 1-230."""
    lattice = _RHOMBOHEDRAL if centring(number) == "R" else _HOLOHEDRIES[crystal_family(number)]
    return np.asarray(hkl, dtype=np.int64) @ laue_rotations(lattice).astype(np.int64)


def representatives(number: int, hkl: np.ndarray) -> np.ndarray:
    """(m, 3): the reflections that the families of ``hkl`` (m, 3) are called by. Raises ValueError for a number outside
    1-230 and for indices of a thousand and more."""
    orbits = equivalents(number, hkl)
    if np.abs(orbits).max(initial=0) >= _BASE // 2:
        raise ValueError(f"an index of {np.abs(orbits).max()} is too large to name families by")
    rank = -(orbits < 0).sum(2)
    for index in range(3):
        rank = rank * _BASE + orbits[..., index]
    return np.take_along_axis(orbits, rank.argmax(0)[None, :, None], axis=0)[0]


def is_forbidden(number: int, hkl: np.ndarray) -> np.ndarray:
    """(m,) bool: whether space group ``number`` extinguishes all reflections of the families of ``hkl`` (m, 3)."""
    orbits = equivalents(number, hkl)
    return np.all(is_absent(number, orbits.reshape(-1, 3)).reshape(orbits.shape[:2]), axis=0)


@functools.cache
def axes_of_class(number: int, scheme: str = "absences") -> tuple[int, int, int]:
    """Which index of a reflection of space group ``number`` is h, k, l in the setting of its class: (0, 1, 2) but for
    orthorhombic groups, and for these wherever that fits.

    Raises ValueError for a number outside 1-230 or an unknown scheme.
    """
    first = class_members(number, scheme)[0]
    own = is_absent(number, _BOX)
    orders = _ORDERS if crystal_family(number) == "orthorhombic" else _ORDERS[:1]
    return next(axes for axes in orders if np.array_equal(is_absent(first, _BOX[:, axes]), own))

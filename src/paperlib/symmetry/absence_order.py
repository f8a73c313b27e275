"""Which extinction classes allow what a space group forbids, and which forbid what it allows.

The absences of a lattice (crystal family and conventional cell) are ordered by inclusion. A class is *looser* than a
space group where its absences are a proper subset of those of the group, and *stricter* where they are a proper
superset: reflections put into a pattern lead from a group to looser classes, reflections taken away to stricter ones.
P, without any absences, is looser than all others. Orthorhombic axes carry no name in a powder pattern, so that a class
counts in each of the six orders of axes; among several that fit, the one is taken that differs least.

The order is computed over all reflections with indices up to 6, which show every condition there is.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from paperlib.symmetry.extinction import extinction_classes
from paperlib.symmetry.groups import crystal_family, is_absent, operations

KINDS = ("centring", "glide", "screw")
"""What extinguishes a reflection, the most general first: a centring vector, a glide plane, a screw axis."""

_INDICES = np.arange(-6, 7)
_BOX = np.stack(np.meshgrid(_INDICES, _INDICES, _INDICES, indexing="ij"), axis=-1).reshape(-1, 3)


@dataclass(frozen=True)
class Related:
    """A class whose absences contain, or are contained in, those of a space group."""

    index: int
    """Its place among the classes of the scheme "absences"."""
    member: int
    """The lowest number of its space groups, whose setting it is meant in but for ``axes``."""
    axes: tuple[int, int, int]
    """Which index of a reflection of the group is h, k, l of ``member``: (0, 1, 2) but for orthorhombic classes."""
    kind: str
    """The most general of :data:`KINDS` among what the two differ by."""

    def absent(self, hkl: np.ndarray) -> np.ndarray:
        """(m,) bool: which reflections (m, 3), indexed on the cell of the group, the class forbids."""
        return is_absent(self.member, np.asarray(hkl)[:, self.axes])


@functools.cache
def looser_classes(number: int) -> tuple[Related, ...]:
    """The classes of the same crystal family that allow some of what space group ``number`` forbids, and forbid nothing
    that it allows, by index. Raises ValueError for a number outside 1-230."""
    return _related(number, stricter=False)


@functools.cache
def stricter_classes(number: int) -> tuple[Related, ...]:
    """The classes of the same crystal family that forbid some of what space group ``number`` allows, and allow nothing
    that it forbids, by index. Raises ValueError for a number outside 1-230."""
    return _related(number, stricter=True)


@functools.cache
def looser_variants(number: int) -> tuple[tuple[int, int, tuple[int, int, int]], ...]:
    """Index, lowest member and order of axes of every class, in every order, that forbids nothing that space group
    ``number`` allows and less than it."""
    own = _absent(number, (0, 1, 2))
    theirs = ((variant, _absent(*variant[1:])) for variant in _variants(crystal_family(number)))
    return tuple(v for v, absent in theirs if not (absent & ~own).any() and (own & ~absent).any())


def classes_that_allow(number: int, hkl: np.ndarray) -> tuple[int, ...]:
    """The looser classes, by index, that allow all of ``hkl`` (m, 3) in one and the same order of axes, together with
    all that space group ``number`` allows."""
    hkl = np.asarray(hkl)
    allow = {index for index, n, axes in looser_variants(number) if not is_absent(n, hkl[:, axes]).any()}
    return tuple(sorted(allow))


def kinds_of_absence(number: int, hkl: np.ndarray) -> np.ndarray:
    """(m,) text: by which of :data:`KINDS` space group ``number`` extinguishes each of ``hkl`` (m, 3), the most general
    where several do; "" where none does."""
    hkl = np.asarray(hkl, dtype=np.int64)
    by = {kind: np.zeros(len(hkl), dtype=bool) for kind in KINDS}
    rotations, translations = operations(number)
    whole = np.rint(24 * translations).astype(np.int64)
    for rotation, translation in zip(rotations.astype(np.int64), whole, strict=True):
        if not translation.any():
            continue
        kind = "glide" if round(np.linalg.det(rotation)) < 0 else "screw"
        kind = "centring" if np.array_equal(rotation, np.eye(3)) else kind
        by[kind] |= (hkl @ translation % 24 != 0) & np.all(hkl @ rotation == hkl, axis=1)
    return np.select([by[kind] for kind in KINDS], KINDS, default="")


def _related(number: int, stricter: bool) -> tuple[Related, ...]:
    own, best = _absent(number, (0, 1, 2)), {}
    for index, member, axes in _variants(crystal_family(number)):
        theirs = _absent(member, axes)
        more, less = (theirs, own) if stricter else (own, theirs)
        differ = more & ~less
        if (less & ~more).any() or not differ.any():
            continue
        if index not in best or differ.sum() < best[index][0]:
            best[index] = (int(differ.sum()), member, axes, differ)
    found = []
    for index, (_, member, axes, differ) in sorted(best.items()):
        hkl = _BOX[differ]
        kinds = kinds_of_absence(member, hkl[:, axes]) if stricter else kinds_of_absence(number, hkl)
        found.append(Related(index, member, axes, next(kind for kind in KINDS if kind in kinds)))
    return tuple(found)


@functools.cache
def _variants(family: str) -> tuple[tuple[int, int, tuple[int, int, int]], ...]:
    """Index, lowest member and order of axes of every class of a crystal family. Trigonal and hexagonal groups of a
    class share their absences, and monoclinic ones stand in one setting."""
    orders = list(permutations(range(3))) if family == "orthorhombic" else [(0, 1, 2)]
    classes = extinction_classes("absences")
    own = [(i, members[0]) for i, members in enumerate(classes) if crystal_family(members[0]) == family]
    return tuple((index, member, axes) for index, member in own for axes in orders)


@functools.cache
def _absent(number: int, axes: tuple[int, int, int]) -> np.ndarray:
    """(13³,) bool, read-only: absences of a group over the box, its indices taken from the reflections' in the order
    ``axes``."""
    absent = is_absent(number, _BOX[:, axes])
    absent.setflags(write=False)
    return absent

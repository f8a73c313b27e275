"""Extinction classes: which space groups a powder pattern can tell apart by its systematic absences.

Two groups fall into one class when they extinguish the same reflections of the same lattice. The classes are
computed from the symmetry operations, not copied from a table:

1. the absences of each group among all hkl with indices up to 6, which shows every residue of the moduli 2, 3, 4
   and 6 that occur, in every zone;
2. orthorhombic axes carry no name in a powder pattern: of the six permutations the canonical one is kept.
   Monoclinic groups all stand in one setting and need no such step;
3. groups of different crystal families never merge (their lattices have other metrics); trigonal groups with a
   primitive lattice share it with the hexagonal ones, and the centring absences keep the rhombohedral lattice apart.

This gives 97 classes ("absences"). Two variants are in use. "published", 99 classes, is the table of Baggett et
al., arXiv:2604.23811: it keeps two pairs of extinction symbols apart whose absences agree, P31-- from P62--
(00l: l = 3n) and cubic P21-- from P42-- (00l: l = 2n). "crystal_system", 101 classes, is that of Park et al.,
IUCrJ 4 (2017) 486: classes are not merged across crystal systems, which parts the four classes that hold both
trigonal and hexagonal groups.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from itertools import permutations

import numpy as np

from paperlib.symmetry.conditions import reflection_conditions
from paperlib.symmetry.groups import SPACE_GROUPS, crystal_family, crystal_system, is_absent

__all__ = [
    "SCHEMES",
    "class_members",
    "class_of_space_group",
    "class_symbols",
    "class_top_k_ceiling",
    "extinction_classes",
    "reflection_conditions",
    "top_k_ceiling",
]

SCHEMES = ("absences", "published", "crystal_system")

_HIGHEST_INDEX = 6
"""00l: l = 6n (6_1 axes) has the longest period of all reflection conditions."""

_KEPT_APART = {144: "P31", 145: "P31", 151: "P31", 152: "P31", 153: "P31", 154: "P31", 198: "P21"}
"""Groups that the published table sets apart from others with the same absences."""

# fmt: off
_SYMBOLS = {
    1: "P -",
    3: "P 1 - 1", 4: "P 1 21 1", 5: "C 1 - 1", 7: "P 1 c 1", 9: "C 1 c 1", 14: "P 1 21/c 1",
    16: "P - - -", 17: "P - - 21", 18: "P 21 21 -", 19: "P 21 21 21", 20: "C - - 21", 21: "C - - -",
    22: "F - - -", 23: "I - - -", 26: "P - c -", 27: "P c c -", 29: "P c a -", 30: "P n c -",
    31: "P - n -", 32: "P b a -", 33: "P n a -", 34: "P n n -", 36: "C - c -", 37: "C c c -",
    39: "A (bc) - -", 41: "A (bc) a -", 43: "F d d -", 45: "I b a -", 46: "I - (ac) -", 48: "P n n n",
    50: "P b a n", 52: "P n n a", 54: "P c c a", 56: "P c c n", 60: "P b c n", 61: "P b c a",
    68: "C c c (ab)", 70: "F d d d", 73: "I b c a",
    75: "P - - -", 76: "P 41 - -", 77: "P 42 - -", 79: "I - - -", 80: "I 41 - -", 85: "P n - -",
    86: "P 42/n - -", 88: "I 41/a - -", 90: "P - 21 -", 92: "P 41 21 -", 94: "P 42 21 -",
    100: "P - b -", 101: "P - c -", 102: "P - n -", 103: "P - c c", 104: "P - n c", 105: "P - - c",
    106: "P - b c", 108: "I - c -", 109: "I - - d", 110: "I - c d", 114: "P - 21 c", 125: "P n b -",
    126: "P n n c", 130: "P n c c", 133: "P n b c", 134: "P n n -", 137: "P n - c", 138: "P n c -",
    141: "I a - d", 142: "I a c d",
    143: "P - - -", 144: "P 31 - -", 146: "R - -", 158: "P - c -", 159: "P - - c", 161: "R - c",
    168: "P - - -", 169: "P 61 - -", 171: "P 62 - -", 173: "P 63 - -", 184: "P - c c", 185: "P - c -",
    186: "P - - c",
    195: "P - - -", 196: "F - - -", 197: "I - - -", 198: "P 21 - -", 201: "P n - -", 203: "F d - -",
    205: "P a - -", 206: "I a - -", 208: "P 42 - -", 210: "F 41 - -", 212: "P 41 - -", 214: "I 41 - -",
    218: "P - - n", 219: "F - - c", 220: "I - - d", 222: "P n - n", 228: "F d - c", 230: "I a - d",
}
# fmt: on
"""Extinction symbols (International Tables A, 5th ed., Table 3.1.4.1), by the lowest-numbered group with the symbol;
orthorhombic ones in the standard setting of that group."""


@functools.cache
def extinction_classes(scheme: str = "absences") -> tuple[tuple[int, ...], ...]:
    """The space groups of each extinction class, rising; classes are ordered by their smallest member.

    ``scheme`` is "absences" (97 classes), "published" (99) or "crystal_system" (101); see the module's
    docstring. Raises ValueError for another scheme.
    """
    _check_scheme(scheme)
    classes = defaultdict(list)
    for number in SPACE_GROUPS:
        apart = _KEPT_APART.get(number, "") if scheme == "published" else ""
        lattice = crystal_system(number) if scheme == "crystal_system" else crystal_family(number)
        classes[lattice, apart, _absence_signature(number)].append(number)
    return tuple(tuple(members) for members in classes.values())


@functools.cache
def class_of_space_group(scheme: str = "absences") -> np.ndarray:
    """(231,) int64: index into :func:`extinction_classes` of every space group number; -1 at the unused 0.

    The array is read-only. Raises ValueError for an unknown scheme.
    """
    index = np.full(len(SPACE_GROUPS) + 1, -1, dtype=np.int64)
    for i, members in enumerate(extinction_classes(scheme)):
        index[list(members)] = i
    index.setflags(write=False)
    return index


def class_members(number: int, scheme: str = "absences") -> tuple[int, ...]:
    """All space groups in the class of group ``number``, itself included. Raises ValueError for a number outside
    1-230 or an unknown scheme."""
    crystal_system(number)
    return extinction_classes(scheme)[class_of_space_group(scheme)[number]]


@functools.cache
def class_symbols(scheme: str = "absences") -> tuple[str, ...]:
    """One unique label per class: its extinction symbol as in International Tables A.

    A class that joins two symbols shows both ("P 31 - - / P 62 - -"). A symbol that occurs in several crystal
    families (or systems, where the scheme parts them) is followed by the family: "P - - - (cubic)". Merged
    orthorhombic permutations bear the symbol of the standard setting of their lowest-numbered group. Raises
    ValueError for an unknown scheme.
    """
    classes = extinction_classes(scheme)
    joined = [" / ".join(dict.fromkeys(_SYMBOLS[n] for n in members if n in _SYMBOLS)) for members in classes]
    frequency = Counter(joined)
    lattice = crystal_system if scheme == "crystal_system" else crystal_family
    return tuple(
        text if frequency[text] == 1 else f"{text} ({lattice(members[0])})"
        for text, members in zip(joined, classes, strict=True)
    )


def top_k_ceiling(k: int, scheme: str = "absences") -> float:
    """Best possible top-k accuracy (0-1) of a 230-class model on data balanced over the space groups, if only
    absences carry information: within a class of m groups at most min(k, m) of m are named correctly.

    Raises ValueError for k below 1 or an unknown scheme.
    """
    if k < 1:
        raise ValueError(f"top-k needs k of at least 1, got {k}")
    classes = extinction_classes(scheme)
    return sum(min(k, len(members)) for members in classes) / len(SPACE_GROUPS)


def class_top_k_ceiling(k: int, scheme: str = "absences") -> float:
    """Best possible top-k accuracy (0-1) of a model over the classes of ``scheme`` on data balanced over them, if only
    absences carry information: classes of the scheme that share their absences cannot be told apart.

    Raises ValueError for k below 1 or an unknown scheme.
    """
    if k < 1:
        raise ValueError(f"top-k needs k of at least 1, got {k}")
    classes = extinction_classes(scheme)
    alike = Counter(int(class_of_space_group("absences")[members[0]]) for members in classes)
    return sum(min(k, count) for count in alike.values()) / len(classes)


def _check_scheme(scheme: str) -> None:
    if scheme not in SCHEMES:
        raise ValueError(f"unknown scheme {scheme!r} of extinction classes; choose one of {', '.join(SCHEMES)}")


@functools.cache
def _absence_signature(number: int) -> bytes:
    """The absences in the box |h|, |k|, |l| <= 6, one bit each; the same for each choice of orthorhombic axes."""
    indices = np.arange(-_HIGHEST_INDEX, _HIGHEST_INDEX + 1)
    hkl = np.stack(np.meshgrid(indices, indices, indices, indexing="ij"), axis=-1)
    absent = is_absent(number, hkl.reshape(-1, 3)).reshape(hkl.shape[:3])
    axes = permutations(range(3)) if crystal_system(number) == "orthorhombic" else [(0, 1, 2)]
    return min(np.packbits(absent.transpose(order)).tobytes() for order in axes)

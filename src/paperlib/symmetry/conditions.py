"""Reflection conditions in words, such as "00l: l = 4n", derived from the operations of a space group.

A condition restricts one zone or row of reflections (0kl, hhl, 00l, …) to indices that fulfil congruences. The
zones of a crystal system are searched from the general to the special; a zone is reported only where it adds
absences that the conditions already found, applied to all Laue-equivalent reflections, do not imply.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from paperlib.symmetry.groups import crystal_system, is_absent, laue_rotations

_INDICES = np.arange(-6, 7)
_BOX = np.stack(np.meshgrid(_INDICES, _INDICES, _INDICES, indexing="ij"), axis=-1).reshape(-1, 3)

_ZONES = {
    "triclinic": ("hkl",),
    "monoclinic": ("hkl", "h0l", "0k0"),
    "orthorhombic": ("hkl", "0kl", "h0l", "hk0", "h00", "0k0", "00l"),
    "tetragonal": ("hkl", "hk0", "0kl", "hhl", "h00", "00l"),
    "trigonal": ("hkl", "h0l", "hhl", "00l"),
    "hexagonal": ("hkl", "h0l", "hhl", "00l"),
    "cubic": ("hkl", "0kl", "hhl", "00l"),
}


class _Congruence(NamedTuple):
    """Each of some linear forms of (h, k, l) is a multiple of the modulus."""

    forms: tuple[tuple[int, int, int], ...]
    modulus: int

    def holds(self, hkl: np.ndarray) -> np.ndarray:
        return np.all(hkl @ np.array(self.forms).T % self.modulus == 0, axis=-1)

    def __str__(self) -> str:
        return f"{', '.join(_form_text(form) for form in self.forms)} = {self.modulus}n"


@functools.cache
def reflection_conditions(number: int) -> tuple[str, ...]:
    """The independent reflection conditions of a space group in our setting, e.g. ("h0l: l = 2n", "0k0: k = 2n").

    Indices are the three of the conventional cell, on hexagonal axes too: "h0l" there is the zone that
    International Tables A write as h-h0l, "hhl" is hh-2hl. A condition holds for all reflections that the Laue
    class makes equivalent to the zone: cyclic permutations in the cubic classes, h0l with 0kl in the tetragonal
    ones. Conditions that follow from others of the list are left out. Empty where nothing is absent. Raises
    ValueError for a number outside 1-230.
    """
    absent, equivalents = is_absent(number, _BOX), _BOX @ laue_rotations(number).astype(np.int64)
    implied = np.zeros(len(_BOX), dtype=bool)
    conditions = []
    zones = _ZONES[crystal_system(number)]
    for i, zone in enumerate(zones):
        # Rows and zones that come later have conditions of their own: look at the general members only.
        general = _in_zone(zone, _BOX)
        for later in zones[i + 1 :]:
            general &= ~_in_zone(later, equivalents).any(axis=0)
        if np.array_equal(absent[general], implied[general]):
            continue
        found = next(
            candidate
            for candidate in _candidates(zone)
            if np.array_equal(_all_hold(candidate, _BOX[general]), ~absent[general])
        )
        implied |= np.any(_in_zone(zone, equivalents) & ~_all_hold(found, equivalents), axis=0)
        conditions.append(f"{zone}: {' and '.join(str(congruence) for congruence in found)}")
    return tuple(conditions)


def _all_hold(congruences: tuple[_Congruence, ...], hkl: np.ndarray) -> np.ndarray:
    return np.all([congruence.holds(hkl) for congruence in congruences], axis=0)


def _in_zone(zone: str, hkl: np.ndarray) -> np.ndarray:
    """Which of hkl (..., 3) have the zeros, and the equal indices, of the zone's label."""
    inside = np.ones(hkl.shape[:-1], dtype=bool)
    for i, letter in enumerate(zone):
        inside &= hkl[..., i] == (0 if letter == "0" else hkl[..., zone.index(letter)])
    return inside


def _candidates(zone: str) -> list[tuple[_Congruence, ...]]:
    """What the operations of the 230 groups can demand of a zone, the simplest first."""
    unit = {"h": np.array([1, 0, 0]), "k": np.array([0, 1, 0]), "l": np.array([0, 0, 1])}
    free = [unit[letter] for letter in dict.fromkeys(zone.replace("0", ""))]

    def congruence(modulus: int, *forms: np.ndarray) -> _Congruence:
        return _Congruence(tuple(tuple(int(x) for x in form) for form in forms), modulus)

    if len(free) == 1:
        return [(congruence(modulus, free[0]),) for modulus in (2, 3, 4, 6)]
    if len(free) == 2:
        p, q = free
        simple = [congruence(2, p), congruence(2, q), congruence(2, p + q), congruence(2, p, q)]
        return [
            *((c,) for c in simple),
            (congruence(4, 2 * p + q),),
            (congruence(4, p + q), congruence(2, p, q)),
            (congruence(3, -p + q), congruence(2, q)),
        ]
    h, k, l = free  # noqa: E741
    pairs = [congruence(2, h + k), congruence(2, k + l), congruence(2, h + l)]
    rest = [congruence(2, h + k + l), congruence(2, h + k, h + l, k + l), congruence(3, -h + k + l)]
    return [(c,) for c in pairs + rest]


def _form_text(form: tuple[int, int, int]) -> str:
    """A linear form as it is printed: (-1, 1, 1) is "-h + k + l"."""
    terms = [f"{'' if abs(c) == 1 else abs(c)}{name}" for c, name in zip(form, "hkl", strict=True) if c]
    signs = ["-" if c < 0 else "+" for c in form if c]
    rest = "".join(f" {sign} {term}" for sign, term in zip(signs[1:], terms[1:], strict=True))
    return ("-" if signs[0] == "-" else "") + terms[0] + rest

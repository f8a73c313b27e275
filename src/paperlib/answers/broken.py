"""Which reflection condition a reflection breaks, read from the words of :mod:`paperlib.symmetry.conditions`."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import numpy as np

from paperlib.symmetry.conditions import reflection_conditions
from paperlib.symmetry.groups import laue_rotations

_TERM = re.compile(r"([+-]?)(\d*)([hkl])")


class _Condition(NamedTuple):
    """A zone or row of reflections, and what it demands."""

    text: str
    zone: str
    congruences: tuple[tuple[np.ndarray, int], ...]
    """Linear forms (f, 3), each of which is a multiple of a modulus."""

    def broken(self, hkl: np.ndarray) -> np.ndarray:
        """(r,) bool of ``hkl`` (r, 3)."""
        # as many zeros, and as many equal indices, as the label of the zone has
        wanted = [hkl[:, self.zone.index(letter)] if letter != "0" else 0 for letter in self.zone]
        inside = np.all([hkl[:, i] == index for i, index in enumerate(wanted)], axis=0)
        kept = [np.all(hkl @ forms.T % modulus == 0, axis=1) for forms, modulus in self.congruences]
        return inside & ~np.all(kept, axis=0)


def broken_condition(number: int, hkl: tuple[int, int, int]) -> str:
    """The first of ``reflection_conditions(number)`` that ``hkl``, or a reflection that the Laue class makes equivalent
    to it, does not fulfil; "" where it fulfils all. Raises ValueError for a number outside 1-230."""
    equivalents = np.asarray(hkl, dtype=np.int64) @ laue_rotations(number).astype(np.int64)
    return next((one.text for one in _conditions(number) if one.broken(equivalents).any()), "")


@functools.cache
def _conditions(number: int) -> tuple[_Condition, ...]:
    return tuple(_read(text) for text in reflection_conditions(number))


def _read(text: str) -> _Condition:
    """A condition from its text, e.g. "hhl: 2h + l = 4n" or "hk0: h + k = 4n and h, k = 2n"."""
    zone, _, demanded = text.partition(": ")
    congruences = []
    for congruence in demanded.split(" and "):
        forms, _, multiple = congruence.partition(" = ")
        congruences.append((np.array([_form(form) for form in forms.split(", ")]), int(multiple.rstrip("n"))))
    return _Condition(text, zone, tuple(congruences))


def _form(text: str) -> list[int]:
    """The coefficients of h, k and l in a linear form, e.g. [-1, 1, 1] of "-h + k + l"."""
    found = {name: int(f"{sign}{factor or 1}") for sign, factor, name in _TERM.findall(text.replace(" ", ""))}
    return [found.get(name, 0) for name in "hkl"]

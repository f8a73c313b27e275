"""The structure type of a crystal: anonymous formula, space group and Wyckoff sequence, whatever the elements.

Rock salt, with any two elements, is ``AB 225 ab``. Types that differ only in the choice of the origin, or of axes that
the space group does not tell apart, are one: of all Wyckoff sequences that the affine normaliser of the group makes of
one another the first in the alphabet stands for all. That is PyXtal's table of Wyckoff sets, after the Bilbao
Crystallographic Server, and for triclinic and monoclinic groups, whose axes may be chosen in more ways than their
lengths and angles show, also :mod:`paperlib.crystals.other_axes`. Mixed and partly vacant sites count as elements of
their own.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from dataclasses import replace

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.occupied_positions import occupied_positions
from paperlib.crystals.other_axes import other_axes
from paperlib.crystals.shards import ShardedCrystals
from paperlib.crystals.species import MIXTURE_DECIMALS
from paperlib.datasets.alike.entries import ONE_HAND, chunks, comparable
from paperlib.symmetry.groups import wyckoff_positions

UNKNOWN = "?"
"""In place of a Wyckoff sequence where atoms are no whole orbits of the space group."""


def structure_types(crystals: CrystalSet | ShardedCrystals) -> np.ndarray:
    """(n,) str, e.g. ``AB2C4 227 ade``: kinds of site from the rarest to the commonest, space group (one of each
    enantiomorphic pair), letters of the occupied positions.

    Crystals whose atoms cannot be assigned get :data:`UNKNOWN` in place of the letters and so share a type with no
    crystal whose atoms can; entries that cannot be compared at all get a type of their own, ``? <source id>``.
    """
    found = [np.zeros(0, dtype=np.str_)]
    for _, part in chunks(crystals):
        types = [f"{UNKNOWN} {name}" for name in part.source_id]
        good, standard, _ = comparable(part)
        for i, name in zip(good.tolist(), _types(standard), strict=True):
            types[i] = name
        found.append(np.array(types, dtype=np.str_))
    return np.concatenate(found)


def _types(crystals: CrystalSet) -> list[str]:
    one_atom_per_site, kinds = _by_kind(crystals)
    occupation = occupied_positions(one_atom_per_site)
    names = []
    for i in range(len(crystals)):
        group = int(crystals.space_group[i])
        rows = slice(int(occupation.start[i]), int(occupation.start[i + 1]))
        positions = wyckoff_positions(group)
        letters = tuple(sorted(positions[p].letter for p in occupation.position[rows]))
        sequence = _standard_sequence(group, letters) if letters else UNKNOWN
        names.append(f"{_anonymous(kinds[i])} {ONE_HAND[group]} {sequence}")
    return names


def _by_kind(crystals: CrystalSet) -> tuple[CrystalSet, list[Counter[int]]]:
    """The crystals with one fully occupied row per site, whose species is the number of its kind within the crystal,
    and how many sites of each kind there are."""
    kept, species, counts, kinds = [], [], [], []
    for i in range(len(crystals)):
        rows = range(int(crystals.site_start[i]), int(crystals.site_start[i + 1]))
        sites: dict[int, list[tuple[int, float]]] = {}
        for row in rows:
            if row == rows.start or np.any(crystals.frac[row] != crystals.frac[row - 1]):
                first = row
            sites.setdefault(first, []).append(
                (int(crystals.species[row]), round(float(crystals.occupancy[row]), MIXTURE_DECIMALS))
            )
        number: dict[tuple[tuple[int, float], ...], int] = {}
        codes = [number.setdefault(tuple(sorted(site)), len(number) + 1) for site in sites.values()]
        kept += sites
        species += codes
        counts.append(len(codes))
        kinds.append(Counter(codes))
    chosen = np.array(kept, dtype=np.int64)
    whole = replace(
        crystals,
        site_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        frac=crystals.frac[chosen],
        species=np.array(species, dtype=np.int16),
        occupancy=np.ones(len(chosen)),
        b_iso=np.zeros(len(chosen)),
    )
    return whole, kinds


def _anonymous(kinds: Counter[int]) -> str:
    numbers = sorted(kinds.values())
    divisor = math.gcd(*numbers)
    letters = (chr(ord("A") + k) if k < 26 else f"[{k + 1}]" for k in range(len(numbers)))
    return "".join(f"{x}{n // divisor if n > divisor else ''}" for x, n in zip(letters, numbers, strict=True))


@functools.lru_cache(maxsize=2**16)
def _standard_sequence(group: int, letters: tuple[str, ...]) -> str:
    return min("".join(sorted(map(table.__getitem__, letters))) for table in _relettering(group))


@functools.cache
def _relettering(group: int) -> tuple[dict[str, str], ...]:
    """What the Wyckoff letters of a group become under its affine normaliser; first the identity."""
    from pyxtal.symmetry import Group

    rows = [tuple(row.split()) for row in dict.fromkeys(Group(group).get_alternatives()["Transformed WP"])]
    letters, changes = rows[0], other_axes(group)
    steps, found = [*rows[1:], *changes], dict.fromkeys(rows)
    waiting = list(found) if changes else []
    while waiting:  # shifts of the origin and changes of axes may follow one another in any order
        place = dict(zip(letters, waiting.pop(), strict=True))
        for step in steps:
            reached = tuple(place[letter] for letter in step)
            if reached not in found:
                found[reached] = None
                waiting.append(reached)
    return tuple(dict(zip(letters, row, strict=True)) for row in found)

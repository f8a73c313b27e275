"""Species codes and the chemical formulas made of them.

A species is stored as one small integer: the atomic number, or ``DEUTERIUM``, whose neutron scattering length
differs from that of hydrogen so much that the two must not share a code.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping

import gemmi

from paperlib.crystals.crystal_set import DEUTERIUM

MIXTURE_DECIMALS = 4
"""Occupancies are told apart to this many decimals. Published occupancies have at most four, so that they lie
at the centres of the rounding intervals and float noise moves none of them across an edge."""


@functools.cache
def species_code(symbol: str) -> int:
    """Code of an element symbol such as ``Fe`` or ``D``. Raises ValueError for anything else, charges included."""
    element = gemmi.Element(symbol)
    if element.name != symbol or element.atomic_number == 0:
        raise ValueError(f"{symbol!r} is not the symbol of an element (H … Og, or D for deuterium)")
    return DEUTERIUM if symbol == "D" else element.atomic_number


@functools.cache
def species_symbol(code: int) -> str:
    """Element symbol of a species code, ``D`` for deuterium. Raises ValueError outside 1-119."""
    if not 1 <= code <= DEUTERIUM:
        raise ValueError(f"{code} is not a species code (1-118, or {DEUTERIUM} for deuterium)")
    return "D" if code == DEUTERIUM else gemmi.Element(int(code)).name


def mixture_key(occupants: Mapping[int, float]) -> tuple[tuple[int, float], ...]:
    """What makes two sites alike: the species on a site and their occupancies, to ``MIXTURE_DECIMALS``."""
    return tuple(sorted((int(code), round(float(amount), MIXTURE_DECIMALS)) for code, amount in occupants.items()))


def reduced_formula(sites: Iterable[Mapping[int, float]]) -> str:
    """Reduced formula of the sites of one cell, ``{species code: occupancy}`` each.

    Ordered crystals get pymatgen's reduced formula (``MgAl2O4``). Where sites are mixed or partly vacant the
    amounts are counted per formula unit, the greatest common divisor of the numbers of sites of each mixture:
    the same text for a primitive cell, the conventional cell and supercells (``La1.85Sr0.15Cu1O4``). pymatgen's
    own reduction leaves such compositions as they stand in the given cell.
    """
    counts: dict[tuple[tuple[int, float], ...], int] = {}
    for occupants in sites:
        key = mixture_key(occupants)
        counts[key] = counts.get(key, 0) + 1
    if not counts:
        raise ValueError("a formula needs at least one site")
    divisor = math.gcd(*counts.values())
    return _formula(tuple(sorted((key, n // divisor) for key, n in counts.items())))


@functools.lru_cache(maxsize=65536)
def _formula(counts: tuple[tuple[tuple[tuple[int, float], ...], int], ...]) -> str:
    from pymatgen.core import Composition

    amounts: dict[str, float] = {}
    for mixture, n in counts:
        for code, occupancy in mixture:
            amounts[species_symbol(code)] = amounts.get(species_symbol(code), 0.0) + occupancy * n
    composition = Composition(amounts)
    if all(len(mixture) == 1 and mixture[0][1] == 1.0 for mixture, _ in counts):
        return composition.reduced_formula
    return composition.formula.replace(" ", "")

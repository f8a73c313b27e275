"""Species codes and the chemical formulas made of them.

A species is stored as one small integer: the atomic number, or ``DEUTERIUM``, whose neutron scattering length
differs from that of hydrogen so much that the two must not share a code.
"""

from __future__ import annotations

import functools
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from fractions import Fraction

import gemmi

from paperlib.crystals.crystal_set import DEUTERIUM

MIXTURE_DECIMALS = 4
"""Occupancies are told apart to this many decimals. Published occupancies have at most four, so that they lie
at the centres of the rounding intervals and float noise moves none of them across an edge."""

_TERM = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|)")


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
    """Reduced formula of the sites of one cell, ``{species code: occupancy}`` each; cations stand first (order of
    Pauling electronegativity, then of symbol).

    Amounts are counted per formula unit, the greatest common divisor of the numbers of sites of each mixture: for
    ordered crystals the usual formula (``MgAl2O4``), and for mixed or partly vacant sites the same text for a
    primitive cell, the conventional cell and supercells (``Sr0.15La1.85CuO4``), which pymatgen's own reduction, that
    we do not use for this reason, does not give; nor does it tell deuterium from hydrogen. Raises ValueError where
    there is no site.
    """
    counts: dict[tuple[tuple[int, float], ...], int] = {}
    for occupants in sites:
        key = mixture_key(occupants)
        counts[key] = counts.get(key, 0) + 1
    if not counts:
        raise ValueError("a formula needs at least one site")
    divisor = math.gcd(*counts.values())
    amounts: dict[int, float] = {}
    for mixture, n in counts.items():
        for code, occupancy in mixture:
            amounts[code] = amounts.get(code, 0.0) + occupancy * n / divisor
    symbols = sorted((_electronegativity(code), species_symbol(code), code) for code in amounts)
    texts = ((symbol, f"{amounts[code]:.{MIXTURE_DECIMALS}f}".rstrip("0").rstrip(".")) for _, symbol, code in symbols)
    return "".join(symbol + ("" if amount == "1" else amount) for symbol, amount in texts)


@functools.lru_cache(maxsize=2**16)
def whole_formula(formula: str) -> str:
    """A formula in the smallest whole numbers, deuterium as hydrogen: one text for each composition. ``La0.8Sn2`` and
    ``La2Sn5`` both give ``La2Sn5``, ``D2O`` gives ``H2O``; a reduced formula without fractions gives itself.

    Amounts are taken as they are written, to ``MIXTURE_DECIMALS``: ratios are exact and equality is transitive, but
    ``W1.6666O5`` is not ``WO3``. Raises ValueError for a text that is no formula (element symbols and amounts).
    """
    amounts: dict[int, Fraction] = {}
    terms = _TERM.findall(formula)
    if not terms or "".join(symbol + amount for symbol, amount in terms) != formula:
        raise ValueError(f"{formula!r} is not a formula like NaCl or La1.85Sr0.15CuO4")
    for symbol, amount in terms:
        code = 1 if symbol == "D" else species_code(symbol)
        amounts[code] = amounts.get(code, Fraction(0)) + Fraction(amount or 1)
    unit = math.lcm(*(amount.denominator for amount in amounts.values()))
    divisor = math.gcd(*(int(amount * unit) for amount in amounts.values()))
    if divisor == 0:
        raise ValueError(f"the formula {formula!r} has no atoms")
    symbols = sorted((_electronegativity(code), species_symbol(code), code) for code, x in amounts.items() if x)
    counts = ((symbol, int(amounts[code] * unit) // divisor) for _, symbol, code in symbols)
    return "".join(symbol + ("" if n == 1 else str(n)) for symbol, n in counts)


@functools.cache
def _electronegativity(code: int) -> float:
    """Pauling's value, infinite for the elements without one (light noble gases and the heaviest)."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns where there is no value
        value = Element("H" if code == DEUTERIUM else species_symbol(code)).X
    return float(value) if value == value else math.inf

"""What stands on a site, from its type symbol and its label.

A type symbol that is an element is a statement and is taken as it is. The chemical formula is a hint, and only where
the spelling leaves a choice: ``CA`` is calcium or a carbon called A, ``HO`` holmium or the hydrogen of a water.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from paperlib.crystals.crystal_set import DEUTERIUM
from paperlib.crystals.reading.cif_document import UNKNOWN
from paperlib.crystals.species import species_code

_TYPE = re.compile(r"(\d{0,3})([A-Za-z]{1,2})(?:\d*\.?\d*[+-]\d*\.?\d*|[+-]*|\d*)")
_LETTERS = re.compile(r"[^A-Za-z]*([A-Za-z]+)")
_TERM = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+|)")
_WORD = re.compile(r"([A-Z]{1,2})(\d+\.?\d*|\.\d+|)")
_MIXTURE = re.compile(r"(\d*\.?\d+)\s*\*?\s*([A-Z][a-z]?)|([A-Z][a-z]?)\s*(\d*\.\d+|\d+)")
_WATER = re.compile(r"wat|wtr|hoh(?![a-z])|h2o", re.IGNORECASE)
_MARKED = (1, 6, 7, 8)
"""Elements whose symbol often carries a small letter as a mark (``Oa``, ``Hw``), though no element is called so."""

WATER = "water without its hydrogens"
ISOTOPE = "isotope read as its element"
GUESS = "element guessed from a label"


def element(symbol: str) -> int | None:
    """Species code of a symbol in any case of letters (``SI``, ``d``), None where there is no such element."""
    try:
        return species_code(symbol[:1].upper() + symbol[1:].lower())
    except ValueError:
        return None


def formula_amounts(text: str) -> dict[int, float]:
    """Amounts by species code of a chemical formula, in any case of letters where blanks keep the elements apart
    (``NA CL``), else in proper capitals (``NaCl``); deuterium stands apart. Empty where the text is none of these."""
    amounts: dict[int, float] = {}
    tokens = text.replace(",", " ").split()
    capitals = len(tokens) > 1 and text == text.upper()
    for token in tokens:
        terms = (_WORD if capitals else _TERM).findall(token)
        if "".join(symbol + amount for symbol, amount in terms) != token or (capitals and len(terms) > 1):
            return {}
        for symbol, amount in terms:
            code = element(symbol)
            if code is None:
                return {}
            amounts[code] = amounts.get(code, 0.0) + float(amount or 1)
    return amounts


def occupants(label: str, type_symbol: str, formula: Mapping[int, float]) -> tuple[dict[int, float], str]:
    """Shares by species code of what stands on a site, and the kind of remark that its spelling asks for, or "".

    ``formula`` holds the elements of the chemical formula (empty where it is not known). A mixture on one site
    (``0.8Nb + 0.2Zr``) has several. Raises ValueError where no element, or more than one, can be meant.
    """
    if type_symbol not in UNKNOWN:
        shares, remark = _of_type(type_symbol, formula)
        if shares:
            return shares, remark
    return _of_label(label if type_symbol in UNKNOWN else type_symbol, formula)


def _of_type(symbol: str, formula: Mapping[int, float]) -> tuple[dict[int, float], str]:
    match = _TYPE.fullmatch(symbol)
    if match is None:
        return _mixture(symbol)
    mass, letters = match[1], match[2]
    code = element(letters)
    if mass and code == 1 and mass == "2":
        return {DEUTERIUM: 1.0}, ""
    if mass and code is not None:
        return {code: 1.0}, ISOTOPE
    if code is not None and (len(letters) == 1 or letters[1].islower() or _fits(letters, code, formula)):
        return {code: 1.0}, ""
    return {}, ""


def _fits(letters: str, code: int, formula: Mapping[int, float]) -> bool:
    """Whether two capitals mean the element of both (``SI``), and not the first letter's with a mark (``HO``)."""
    return not formula or code in formula or element(letters[0]) not in formula


def _mixture(symbol: str) -> tuple[dict[int, float], str]:
    """Shares of ``0.8Nb + 0.2Zr``, ``(Fe0.5Mg0.5)``; empty where no amounts stand there."""
    rest = _MIXTURE.sub("", symbol)
    if re.sub(r"[\s+,/()&;|-]", "", rest) or not _MIXTURE.search(symbol):
        if len(found := [code for part in re.split(r"[\s+,/()&;|]+", symbol) if (code := element(part))]) > 1:
            raise ValueError(f"type {symbol!r} names {len(found)} elements without their amounts")
        return {}, ""
    shares: dict[int, float] = {}
    for before, first, second, after in _MIXTURE.findall(symbol):
        code, amount = element(first or second), float(before or after)
        if code is None or amount <= 0:
            return {}, ""
        shares[code] = shares.get(code, 0.0) + amount
    if sum(shares.values()) > 1.001:
        raise ValueError(f"the amounts of type {symbol!r} add up to {sum(shares.values()):g}")
    return shares, ""


def _of_label(label: str, formula: Mapping[int, float]) -> tuple[dict[int, float], str]:
    """The element at the beginning of a label. Small letters must belong to the symbol: ``Cation`` is no calcium and
    ``Site1`` no silicon."""
    if _WATER.match(label):
        return {8: 1.0}, WATER
    match = _LETTERS.match(label)
    letters = match[1] if match else ""
    if re.search(r"[A-Za-z]\d*[,/&]\d*[A-Za-z]", label):
        raise ValueError(f"label {label!r} names several elements, and there is no type symbol")
    two, one = element(letters[:2]) if len(letters) > 1 else None, element(letters[:1])
    if letters[:1].isupper() and letters[1:2].islower():  # Na, Cl, Oa; what is longer is a word
        marked = one if one in formula or (not formula and one in _MARKED) else None
        codes = [] if letters[2:3].islower() else [code for code in (two, marked) if code is not None][:1]
    elif len(letters) < 2:  # C1, o2
        codes = [one] if one is not None else []
    else:  # CA, FE1, OW, na: capitals or small letters alone leave it open how long the symbol is
        codes = [code for code in (two, one) if code is not None]
        codes = [code for code in codes if code in formula] if formula else codes[: 1 if len(letters) < 4 else 0]
    if len(codes) == 1:
        open_to_two = not formula and two is not None and one is not None and not letters[1:2].islower()
        return {codes[0]: 1.0}, GUESS if open_to_two else ""
    if codes:
        raise ValueError(f"{label!r} may mean two elements of the formula; give it a type symbol")
    raise ValueError(f"{label!r} names no element")

"""Numbers as crystallographers write them: with a standard uncertainty, a decimal comma, as a fraction."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from paperlib.crystals.reading.cif_document import UNKNOWN

_PLAIN = re.compile(r"([+-]?(?:\d+\.?(\d*)|\.(\d+))(?:[eE][+-]?\d{1,3})?)(?:\(\d*\))?")
_FRACTION = re.compile(r"([+-]?\d{1,3})/(\d{1,3})")


class Number(NamedTuple):
    """A number of a file."""

    value: float
    decimals: int
    """Digits behind the point; 16 for a fraction, which is exact."""
    plain: bool
    """Whether it is written as CIF demands; otherwise it was read in spite of its spelling."""


def number(text: str) -> Number | None:
    """The number that ``text`` gives, None where it says that there is none (``?``, ``.``).

    Besides what CIF allows (``0.25``, ``.25``, ``0.25(3)``, ``2.5e-1``), these are read: a decimal comma, a fraction
    (``1/3``), per cent, and a mark of doubt behind the number (``0.25?``, ``0.25*``).
    Raises ValueError, naming the text, for everything else, infinities and NaN included.
    """
    given = text
    if text in UNKNOWN:
        return None
    text = text.strip()
    percent = text.endswith("%")
    text = text.rstrip("%?* ").replace(" (", "(")
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if (fraction := _FRACTION.fullmatch(text)) and int(fraction[2]):
        return Number(int(fraction[1]) / int(fraction[2]), 16, False)
    match = _PLAIN.fullmatch(text)
    if match is None or not math.isfinite(value := float(match[1])):
        raise ValueError(f"{given!r} is not a finite number")
    return Number(value / 100 if percent else value, len(match[2] or match[3] or ""), text == given)

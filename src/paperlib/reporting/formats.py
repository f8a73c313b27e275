"""Numbers and texts as the manuscript prints them: one rounding for tables, captions and running text."""

from __future__ import annotations

import math
from typing import Any

from paperlib.lab.results import Results, Value

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def tex_escape(text: str) -> str:
    """A plain text in which no character has a meaning for TeX."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def origin_text(results: Results, stem: str) -> str:
    """Which profile made the results of a stem, and when; a smoke run is called what it is."""
    warning = " (smoke run, wiring check only)" if results.manifest(stem)["record"]["profile"] == "smoke" else ""
    return tex_escape(results.origin(stem)) + warning


def format_count(number: float) -> str:
    """A whole number; from five digits on with thin spaces (24469 is ``24\\,469``)."""
    text = f"{abs(round(number)):d}"
    if len(text) > 4:
        text = f"{int(text):,}".replace(",", r"\,")
    return f"$-${text}" if number < 0 else text


def format_scientific(number: float) -> str:
    """Two significant digits and a power of ten, in math mode."""
    if number == 0:
        return "0"
    mantissa, _, exponent = f"{number:.1e}".partition("e")
    return rf"${mantissa}\times10^{{{int(exponent)}}}$"


def format_number(number: float, decimals: int | None = None) -> str:
    """A decimal number; without ``decimals`` to three significant digits. What would be rounded to zero, or
    is too long to read, gets a power of ten."""
    if number != 0 and not (10.0 ** -(2 if decimals is None else decimals) <= abs(number) < 1e6):
        return format_scientific(number)
    if decimals is None:
        decimals = max(0, 2 - math.floor(math.log10(abs(number)))) if number else 0
    return f"{number:.{decimals}f}".replace("-", "$-$")


def format_value(value: Value) -> str:
    """An estimate as its kind asks, with its 95 % interval, all three with the same decimals: "61.2 [60.1, 62.3]".

    Shares and points are multiplied by 100 (no sign is printed, so that the text can add it) and have one decimal;
    more where the interval is so narrow that its ends would look alike. Counts are whole numbers, rates are where
    three digits are less than the whole number, deviations have a power of ten. Without an interval the estimate
    stands alone.
    """
    if value.kind == "text":
        return tex_escape(str(value.value))
    estimate, low, high = _parts(value)
    return f"{estimate} [{low}, {high}]" if low and high else estimate


def format_part(value: Value, part: str = "value") -> str:
    """The ``part`` ("value", "low", "high", "n" or "interval") of a value, by its kind.

    Returns "" for a part that the value does not have. Raises ValueError for another part.
    """
    if part not in ("value", "low", "high", "n", "interval"):
        raise ValueError(f"{part=} is none of value, low, high, n, interval")
    if part == "n":
        return "" if value.n is None else format_count(value.n)
    if part == "interval" or (part == "value" and value.kind == "text"):
        return format_value(value)
    return "" if getattr(value, part) is None else _parts(value)[("value", "low", "high").index(part)]


def _parts(value: Value) -> list[str]:
    """Estimate, low and high end as text; with an interval all have the same decimals, without one "" for its ends."""
    numbers: list[Any] = [value.value, value.low, value.high]
    if value.kind == "deviation" or None in numbers:
        return ["" if number is None else _alone(number, value.kind) for number in numbers]
    scale = 100 if value.kind in ("share", "points") else 1
    estimate, low, high = (number * scale for number in numbers)
    decimals = 1 if scale == 100 else _decimals(estimate, high - low)
    while decimals < 6 and high > low and f"{low:.{decimals}f}" == f"{high:.{decimals}f}":
        decimals += 1
    # an interval that reaches zero is printed as zero, not as a power of ten
    return [f"{number + 0.0:.{decimals}f}".replace("-", "$-$") for number in (estimate, low, high)]


def _alone(number: float, kind: str) -> str:
    """A number of a kind by itself."""
    if kind in ("share", "points"):
        return format_number(100 * number, 1)
    if kind == "deviation":
        return format_scientific(number)
    if kind == "count" or (kind == "rate" and abs(number) >= 1000):
        return format_count(number)
    return format_number(number)


def _decimals(estimate: float, width: float) -> int:
    """Decimals that show two significant digits of the interval's width."""
    reference = width if width > 0 else abs(estimate)
    return min(6, max(0, 1 - math.floor(math.log10(reference)))) if reference > 0 else 0

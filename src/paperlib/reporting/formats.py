"""Numbers and texts as the manuscript prints them: one rounding for tables, captions and running text."""

from __future__ import annotations

import math
import re

from paperlib.lab.results import Results, Value

_PERCENT = re.compile(
    r"top[135]$|ceiling_|share|(^|_)r_|^balanced_|_on_lines$|(^|_)ece$|relative_delta$|^tolerance$|^probability$"
)
_SCIENTIFIC = re.compile(r"deviation$|_max_(xray|neutron|d)$")
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


def is_percent(name: str) -> bool:
    """Whether a value of this name is a fraction that is printed as a percentage."""
    return _PERCENT.search(name) is not None


def is_scientific(name: str) -> bool:
    """Whether a value of this name spans orders of magnitude and is printed with a power of ten."""
    return _SCIENTIFIC.search(name) is not None


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


def format_value(value: Value, percent: bool = False, with_interval: bool = True) -> str:
    """An estimate with its 95 % interval, all three with the same decimals: "61.2 [60.1, 62.3]".

    ``percent`` multiplies by 100 (no sign is printed). There is one decimal for percentages; more where the
    interval is so narrow that its ends would look alike. Without an interval the estimate stands alone.
    """
    if isinstance(value.value, str):
        return tex_escape(value.value)
    scale = 100 if percent else 1
    estimate = value.value * scale
    if value.low is None or value.high is None:
        if isinstance(value.value, int) and not percent:
            return format_count(estimate)
        return format_number(estimate, 1 if percent else None)
    decimals = 1 if percent else _decimals(estimate, (value.high - value.low) * scale)
    low, high = value.low * scale, value.high * scale
    while decimals < 6 and high > low and f"{low:.{decimals}f}" == f"{high:.{decimals}f}":
        decimals += 1
    # an interval that reaches zero is printed as zero, not as a power of ten
    shown = [f"{number + 0.0:.{decimals}f}".replace("-", "$-$") for number in (estimate, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]" if with_interval else shown[0]


def _decimals(estimate: float, width: float) -> int:
    """Decimals that show two significant digits of the interval's width."""
    reference = width if width > 0 else abs(estimate)
    return min(6, max(0, 1 - math.floor(math.log10(reference)))) if reference > 0 else 0


def format_named(name: str, value: Value, part: str = "value") -> str:
    """The ``part`` ("value", "low", "high", "n" or "interval") of the value called ``name``, by its kind.

    Percentages carry no sign, so that the text can add it. Returns "" for a part that the value does not
    have. Raises ValueError for another part.
    """
    if part not in ("value", "low", "high", "n", "interval"):
        raise ValueError(f"{part=} of {name} is none of value, low, high, n, interval")
    if part == "n":
        return "" if value.n is None else format_count(value.n)
    if isinstance(value.value, str):
        return tex_escape(value.value) if part in ("value", "interval") else ""
    if part in ("low", "high") and getattr(value, part) is None:
        return ""
    if is_scientific(name):
        return format_scientific(value.value if part == "interval" else getattr(value, part))
    whole = format_value(value, percent=is_percent(name))
    if part == "interval":
        return whole
    pieces = re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", whole)
    return pieces.group(("value", "low", "high").index(part) + 1) if pieces else whole

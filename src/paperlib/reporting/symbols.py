"""Space-group symbols, extinction symbols and hkl as they are printed, in figures and in LaTeX.

Both matplotlib's mathtext and LaTeX read the strings that this module returns.
"""

from __future__ import annotations

import re

_SCREW = re.compile(r"(?<!\d)([2346])([1-5])(?!\d)")
_BAR = re.compile(r"-([1346])")


def space_group_symbol(symbol: str) -> str:
    """A Hermann–Mauguin symbol ("P 21/c", "F m -3 m") in math mode: screw axes as subscripts, a bar over
    the number of a rotoinversion axis, letters in italics. Settings ("R -3 m:H") are left out."""
    plain = symbol.split(":")[0].strip()
    words = [_BAR.sub(r"\\bar{\1}", _SCREW.sub(r"\1_{\2}", word)) for word in plain.split()]
    return "$" + r"\,".join(words) + "$"


def extinction_symbol(symbol: str) -> str:
    """An extinction symbol ("P 21 - -") in math mode: screw axes as subscripts, and a long dash where a
    direction has no condition (which is not the bar of a rotoinversion axis)."""
    marked = _SCREW.sub(r"\1_{\2}", symbol.strip())
    text = re.sub(r"\s+", r"\\,", marked)
    return "$" + text.replace("-", r"\mathrm{–}") + "$"


def hkl_symbol(h: int, k: int, l: int) -> str:  # noqa: E741 - the name of the third index
    """Indices of a reflection: negative ones with a bar, with thin spaces where one has two digits."""
    indices = [int(h), int(k), int(l)]
    parts = [rf"\overline{{{-i}}}" if i < 0 else str(i) for i in indices]
    return "$" + (r"\," if any(abs(i) > 9 for i in indices) else "").join(parts) + "$"


def formula_symbol(formula: str) -> str:
    """A chemical formula ("Al2O3", "Na Cl") with its numbers as subscripts, upright."""
    compact = "".join(formula.split())
    return "$" + re.sub(r"(\d+(?:\.\d+)?)", r"_{\1}", rf"\mathrm{{{compact}}}") + "$"

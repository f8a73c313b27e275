"""Space-group symbols, extinction symbols and hkl as they are printed, in figures and in LaTeX.

Both matplotlib's mathtext and LaTeX read the strings that this module returns.
"""

from __future__ import annotations

import re

import gemmi

_SCREW = re.compile(r"(?<!\d)([2346])([1-5])(?!\d)")
_BAR = re.compile(r"-([1346])")
_FAMILY = re.compile(r" \(([a-z]{5,})\)$")


def space_group_symbol(symbol: str) -> str:
    """A Hermann–Mauguin symbol ("P 1 21/c 1", "P21/c", "Fm-3m") in math mode: screw axes as subscripts, a bar
    over the number of a rotoinversion axis, letters in italics.

    A symbol without spaces is parted into its directions with gemmi ("P213" is P 2₁ 3); where gemmi does not
    know it, it is printed as it is.
    """
    plain = symbol.split(":")[0].strip()
    plain = plain if " " in plain else _parted(plain)
    return "$" + r"\,".join(_BAR.sub(r"\\bar{\1}", _screws(word)) for word in plain.split()) + "$"


def _parted(short: str) -> str:
    group = gemmi.find_spacegroup_by_name(short)
    words = group.hm.split() if group else []
    for choice in (words, [word for word in words if word != "1"]):
        if "".join(choice) == short:
            return " ".join(choice)
    return short  # a newer name (Aem2) is not turned into the older one under which gemmi knows it


def extinction_symbol(symbol: str) -> str:
    """An extinction symbol ("P 21 - -", "P - - - (cubic)", "P 31 - - / P 62 - -") for print: screw axes as
    subscripts, and a dash where a direction has no condition (not the bar of a rotoinversion axis)."""
    family = _FAMILY.search(symbol)
    parts = (symbol[: family.start()] if family else symbol).split(" / ")
    printed = " / ".join("$" + r"\,".join(_screws(word).replace("-", "{-}") for word in p.split()) + "$" for p in parts)
    return f"{printed} ({family.group(1)})" if family else printed


def _screws(word: str) -> str:
    return _SCREW.sub(r"\1_{\2}", word)


def hkl_symbol(h: int, k: int, l: int) -> str:  # noqa: E741 - the name of the third index
    """Indices of a reflection: negative ones with a bar, with thin spaces where one has two digits."""
    indices = [int(h), int(k), int(l)]
    parts = [rf"\overline{{{-i}}}" if i < 0 else str(i) for i in indices]
    return "$" + (r"\," if any(abs(i) > 9 for i in indices) else "").join(parts) + "$"


def formula_symbol(formula: str) -> str:
    """A chemical formula ("Al2O3", "Na Cl") with its numbers as subscripts, upright."""
    compact = "".join(formula.split())
    return "$" + re.sub(r"(\d+(?:\.\d+)?)", r"_{\1}", rf"\mathrm{{{compact}}}") + "$"

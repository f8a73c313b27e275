"""What all tables of the manuscript are made with: booktabs, a note with the profile and n, escaped signs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from paperlib.lab.results import Results, Value
from paperlib.reporting.formats import format_value, origin_text, tex_escape


@dataclass(frozen=True)
class Table:
    """A table: its file name, the stems whose results it needs, and what makes its LaTeX."""

    name: str
    needs: tuple[str, ...]
    make: Callable[[Results], str]


def tabular(columns: str, header: Sequence[str], rows: Iterable[Sequence[str]], note: str) -> str:
    """A booktabs ``tabular`` with a note beneath. Cells are LaTeX already."""
    lines = [rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}", r"\toprule", " & ".join(header) + r" \\", r"\midrule"]
    lines += [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", rf"\par\smallskip{{\footnotesize {note}}}", ""])


def longtable(columns: str, header: Sequence[str], rows: Iterable[Sequence[str]], note: str) -> str:
    """The same over several pages; the column type ``L{width}`` of the manuscript is a ragged paragraph."""
    head = r"\toprule " + " & ".join(header) + r" \\ \midrule"
    last = rf"\bottomrule \multicolumn{{{len(header)}}}{{@{{}}l}}{{\footnotesize {note}}} \endlastfoot"
    lines = [rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}", rf"{head} \endfirsthead", rf"{head} \endhead"]
    lines += [r"\bottomrule \endfoot", last, *(" & ".join(row) + r" \\" for row in rows)]
    return "\n".join([*lines, r"\end{longtable}", ""])


def origin_note(results: Results, stem: str, items: str) -> str:
    """The note beneath a table: where its results come from, and ``items``."""
    return f"{origin_text(results, stem)}; {items}."


_UNICODE = {
    "Σ|F|²": r"$\Sigma|F|^2$", "1 - correlation": r"$1-{}$correlation", "Kα": r"K$\alpha$", "2θ": r"$2\theta$",
    "Δd / d": r"$\Delta d/d$", "°": r"\textdegree{}",
}  # fmt: skip
"""What stands in tables of the results and what LaTeX prints of it."""


def tex_signs(text: str) -> str:
    """Escaped, with the crystallographer's signs as LaTeX commands."""
    escaped = tex_escape(text)
    for sign, command in _UNICODE.items():
        escaped = escaped.replace(sign, command)
    return escaped


def breakable(text: str) -> str:
    """Escaped, with places where long keys may be broken at the end of a line."""
    return tex_escape(text).replace("/", r"/\allowbreak{}").replace(r"\_", r"\_\allowbreak{}")


def share(fraction: float) -> str:
    """A fraction in per cent."""
    return format_value(Value(float(fraction), kind="share"))


def score(row: pd.Series) -> str:
    """``value`` with its ends ``low`` and ``high`` (NaN where there is no interval), in per cent."""
    low, high = (None if pd.isna(row[end]) else float(row[end]) for end in ("low", "high"))
    return format_value(Value(float(row["value"]), low, high, kind="share"))

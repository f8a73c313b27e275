"""How objects that hold large arrays are shown: one line of text, and a small table in a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 110
"""Characters of the line."""
ROWS = 5
"""Rows of the table; what is beyond them is counted."""


def one_line(name: str, *facts: str) -> str:
    """``<name: fact, fact>`` without line breaks, cut at :data:`WIDTH` characters."""
    text = " ".join(f"<{name}: {', '.join(fact for fact in facts if fact)}".split())
    return f"{text}>" if len(text) < WIDTH else f"{text[: WIDTH - 2]}…>"


def counted(n: int, what: str, many: str = "") -> str:
    """``1 crystal``, ``30,587 crystals``; ``many`` where an s is not enough."""
    return f"{n:,} {what if n == 1 else many or what + 's'}"


def small_table(title: str, columns: Mapping[str, Sequence[Any]], total: int) -> str:
    """HTML of a table of ``total`` rows of which ``columns`` hold the first few; numbers with four decimals."""
    rows = [list(map(_cell, row)) for row in zip(*columns.values(), strict=True)]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    more = f"<p>… and {total - len(rows):,} more</p>" if total > len(rows) else ""
    return f"<p>{html.escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return html.escape(text if len(text) <= 60 else f"{text[:59]}…")

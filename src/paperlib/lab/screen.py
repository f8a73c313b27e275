"""What a notebook shows, as lines for a terminal: text as it stands, tables laid out again, pictures left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

WIDTH = 100
"""Columns that a table may take."""
ROWS = 24
"""Rows of a table that are shown; the executed notebook holds them all."""
INDENT = "    "

_BARE = re.compile(r"<[^<>]* at 0x[0-9a-f]+>|<Figure size [^>]*>|<PIL\.[^>]*>")
"""What Python prints of an object that has no text of its own."""
_NUMBER = re.compile(r"[-+−]?[\d,.]*\d(e[-+]?\d+)?\s?%?|nan|NaN|")


class Screen:
    """The outputs of one notebook, written line by line through ``write``, indented, without blank lines."""

    def __init__(self, write: Callable[[str], object] = lambda line: print(line, flush=True)) -> None:
        self._write = write
        self._begun = {"stdout": "", "stderr": ""}

    def show(self, output: Mapping[str, Any]) -> None:
        """Show one output of a cell (as nbformat has it)."""
        if output["output_type"] == "stream":
            self._stream(output["name"], "".join(output["text"]))
        elif "data" in output:
            self.flush()
            self._lines(_as_text(output["data"]))

    def flush(self) -> None:
        """Show lines that were begun and not ended."""
        for name, text in self._begun.items():
            self._begun[name] = ""
            self._lines(text)

    def _stream(self, name: str, text: str) -> None:
        # a kernel sends what is printed in pieces, which end anywhere: a line is shown when it is whole
        whole, newline, rest = (self._begun[name] + text).rpartition("\n")
        self._begun[name] = rest
        self._lines(whole + newline)

    def _lines(self, text: str) -> None:
        for line in text.split("\n"):
            # of a line that was written over, as bars do, the last text counts
            if shown := line.rstrip().rpartition("\r")[2].rstrip():
                self._write(INDENT + shown)


def _as_text(data: Mapping[str, Any]) -> str:
    rows = table_rows("".join(data.get("text/html", "")))
    if rows:
        return laid_out(rows)
    if any(kind.startswith("image/") or "widget-view" in kind for kind in data):
        return ""
    text = "".join(data.get("text/plain", ""))
    return "" if _BARE.fullmatch(text.strip()) else text


def table_rows(html: str) -> list[list[str]]:
    """The cells of the tables in a piece of HTML, row by row; none where it holds no table."""
    parser = _Cells()
    parser.feed(html)
    parser.close()
    return [row for row in parser.rows if row]


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None
        self._columns = 1
        self._down: dict[int, int] = {}
        """Columns that a cell further up reaches down into, and for how many rows more."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self._fill()
            given = dict(attrs)
            self._cell, self._columns = [], int(given.get("colspan") or 1)
            if (rows := int(given.get("rowspan") or 1)) > 1:
                self._down[len(self.rows[-1])] = rows - 1
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.rows[-1] += [" ".join("".join(self._cell).split()), *[""] * (self._columns - 1)]
            self._cell = None
        elif tag == "tr" and self.rows:
            self._fill()

    def _fill(self) -> None:
        row = self.rows[-1]
        while self._down.get(len(row), 0) > 0:
            self._down[len(row)] -= 1
            row.append("")


def laid_out(rows: list[list[str]], width: int = WIDTH) -> str:
    """Rows of texts as columns side by side in ``width`` characters: numbers to the right, long texts cut with "…", and
    columns that find no room left out and counted."""
    n_columns = max(map(len, rows))
    full = [row + [""] * (n_columns - len(row)) for row in rows]
    shown = full[: ROWS + 1]
    # the index of a table that has none is an empty column
    columns = [column for column in zip(*shown, strict=True) if any(column)]
    cap = width
    while cap > 12 and sum(min(cap, max(map(len, column))) + 2 for column in columns) - 2 > width:
        cap -= 1
    widths = [min(cap, max(map(len, column))) for column in columns]
    kept = len(columns)
    while kept > 1 and sum(widths[:kept]) + 2 * (kept - 1) > width:
        kept -= 1
    right = [all(_NUMBER.fullmatch(cell) for cell in column[1:]) for column in columns]
    lines = []
    for i in range(len(shown)):
        cells = [column[i] for column in columns[:kept]]
        cells = [text if len(text) <= w else text[: w - 1] + "…" for text, w in zip(cells, widths, strict=False)]
        fitted = zip(cells, widths, right, strict=False)
        lines.append("  ".join(text.rjust(w) if r else text.ljust(w) for text, w, r in fitted).rstrip())
    left_out = [f"{len(full) - len(shown):,} more rows"] if len(full) > len(shown) else []
    left_out += [f"{len(columns) - kept} more columns"] if len(columns) > kept else []
    return "\n".join([*lines, f"… {' and '.join(left_out)}"] if left_out else lines)

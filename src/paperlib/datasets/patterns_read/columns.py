"""Text in columns in any of its dialects: points or commas in numbers, what separates them, headers, remarks.

geddes reads ``5,00 123`` as x = 5 and y = 0 without a word; so text is read here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from paperlib.datasets.patterns_read.axis import named
from paperlib.datasets.patterns_read.beam import in_prose
from paperlib.datasets.patterns_read.opened import EXPORT, Opened
from paperlib.datasets.patterns_read.scan import Scan

_REMARK = ("#", "!", "'", "/", ";", "*", "%")
_NUMERIC = re.compile(r"[+-]?[.,]?\d")
_MISSING = {"", "nan", "na", "n/a", "?", ".", "-", "--", "null", "none", "inf", "-inf", "+inf"}
_COUNTS = re.compile(r"(?i)\s*(?:i\b|i[\s_(\[]|int|count|cps|y\b|yobs|obs|meas)")
_HEADINGS = 4
"""Lines above the data among which the names of the columns are looked for; FIT2D writes them four lines above."""


@dataclass(frozen=True)
class Dialect:
    """How the lines of a file are cut into numbers."""

    separator: str
    """``;``, ``,`` or a tab where an empty field is a missing value, "" for any white space."""
    decimal_comma: bool

    def fields(self, line: str) -> list[str]:
        """The fields of a line."""
        line = line.strip().strip("\f\x1a").replace('"', "")
        if not self.separator:
            return line.split()
        return [part for piece in line.split(self.separator) for part in (piece.split() or [""])]

    def number(self, field: str) -> float | None:
        """The number of a field, NaN for one that says that the value is missing, None for anything else."""
        if field.lower() in _MISSING:
            return np.nan
        if self.decimal_comma:
            field = field.replace(",", ".")
        try:
            return float(field) if "_" not in field else None
        except ValueError:
            return None


def dialect(lines: list[str]) -> Dialect:
    """How the lines that begin with a number are written.

    A comma between two digits is a decimal mark where something else separates the numbers, and where no number has a
    point; else it separates. ``;`` separates wherever most lines have it.
    """
    rows = [row for line in lines if _NUMERIC.match(row := line.strip().replace('"', ""))]
    n = max(len(rows), 1)
    pointed = any(re.search(r"\d\.\d|\.\d", row) for row in rows)
    inside = any(re.search(r"\d,\d", row) for row in rows)
    if sum(";" in row for row in rows) > n / 2:
        return Dialect(";", inside and not pointed)
    if not any("," in row for row in rows):
        empty = 0 < sum("\t\t" in row for row in rows) <= n / 2
        return Dialect("\t" if empty else "", False)
    spaced = sum(len(row.split()) > 1 for row in rows) > n / 2
    if spaced and inside and not pointed and not any(re.search(r",(?!\d)", row) for row in rows):
        return Dialect("", True)
    return Dialect(",", False)


def columns(source: Opened) -> Scan:
    """The first two columns of a text file, or those that its header names; further ones are left out.

    Raises PatternError for a text without two columns of numbers and for one with both kinds of decimal mark. A line
    within the data that is no row counts as a missing point.
    """
    lines = source.lines
    how = dialect(lines)
    rows = [_row(how, line) for line in lines]
    width, first = _start(rows)
    if first is None:
        raise source.error(
            f"no two columns of numbers, so this is no powder pattern that can be read here; {EXPORT}",
            next((i + 1 for i, line in enumerate(lines) if line.strip()), None),
        )
    _check_marks(source, how, lines, first)
    above = [line for line in lines[:first] if line.strip()]
    axis, at_x, at_y = _columns_named(how, above, width)
    x, y, bad = [], [], []
    for i, row in enumerate(rows[first:], first):
        if row is None:
            continue
        if len(row) > max(at_x, at_y) and None not in (row[at_x], row[at_y]):
            x.append(row[at_x])
            y.append(row[at_y])
        else:
            bad.append(i + 1)
    warnings = (f"{len(bad)} lines are no rows of numbers, the first is line {bad[0]}",) if bad else ()
    missing = [np.nan] * len(bad)
    numbers = np.array(x + missing, np.float64), np.array(y + missing, np.float64)
    return Scan("text", *numbers, axis, in_prose(above, how.decimal_comma), warnings)


def _row(how: Dialect, line: str) -> list[float | None] | None:
    """The numbers of a line, None for a blank one or a remark."""
    stripped = line.strip().strip("\f\x1a")
    if not stripped or stripped.startswith(_REMARK):
        return None
    return [how.number(field) for field in how.fields(stripped)]


def _is_data(row: list[float | None] | None) -> bool:
    return row is not None and len(row) > 1 and None not in row[:2] and not np.isnan(row[0])


def _start(rows: list[list[float | None] | None]) -> tuple[int, int | None]:
    """The usual number of fields of a row of data and the first such row: a header may hold some numbers too."""
    widths = Counter(len(row) for row in rows if _is_data(row))
    if not widths:
        return 0, None
    width = widths.most_common(1)[0][0]
    return width, next(i for i, row in enumerate(rows) if _is_data(row) and len(row) == width)


def _check_marks(source: Opened, how: Dialect, lines: list[str], first: int) -> None:
    if how.separator != ";" or how.decimal_comma:
        return
    for i, line in enumerate(lines[first:], first):
        if re.search(r"\d,\d", line) and not line.strip().startswith(_REMARK):
            raise source.error("both points and commas stand in its numbers; write all of them with points", i + 1)


def _columns_named(how: Dialect, above: list[str], width: int) -> tuple[str, int, int]:
    """The axis and the places of x and y, from the last line above the data that names an axis."""
    for line in reversed(above[-_HEADINGS:]):
        names = [name.strip() for name in re.split(r"[;,\t]", line.replace('"', ""))]
        if len(names) == width:
            for at, name in enumerate(names):
                if axis := named(name):
                    counts = [i for i, other in enumerate(names) if i != at and _COUNTS.match(other)]
                    return axis, at, counts[0] if counts else (at + 1 if at + 1 < width else 0)
        if axis := named(line):
            return axis, 0, 1
    return "", 0, 1

"""The look of the explorer: type, colours and small pieces of HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

from paperlib.reporting import style

FONT = {"family": "DejaVu Sans, Verdana, sans-serif", "size": 12, "color": style.BLACK}
GRID = "#E6E6E6"
PLOT = {
    "font": FONT,
    "paper_bgcolor": "white",
    "plot_bgcolor": "white",
    "margin": {"l": 48, "r": 12, "t": 34, "b": 40},
    "hoverlabel": {"bgcolor": "white", "font": FONT},
    "modebar": {"remove": ["select2d", "lasso2d", "autoScale2d", "toImage"]},
}
ROW = {"showticklabels": False, "ticks": "", "showgrid": False}
"""Of an axis without numbers."""
AXIS = {"showline": True, "linecolor": "#555555", "gridcolor": GRID, "zeroline": False, "ticks": "outside"}

PLOT_BOX = {"flex": "1 1 500px", "min_width": "0", "overflow": "hidden"}
"""Of the box that a plot stands in, beside others or below them where the page is narrow."""

_CELL = "padding:2px 10px 2px 0;text-align:left;vertical-align:top;white-space:nowrap"
SHEET = """<style>
.explore {font: 13px/1.4 'DejaVu Sans', Verdana, sans-serif; color: #1A1A1A}
.explore h3 {font-size: 16px; margin: 4px 0 2px 0}
.explore h4 {font-size: 13px; margin: 10px 0 2px 0}
.explore p {margin: 2px 0}
.explore table {border-collapse: collapse; background: none}
.explore .bar {display: inline-block; height: 11px; vertical-align: middle}
.explore .quiet {color: #666}
.explore .wrong {color: #B2182B}
</style>"""
"""Once in a page."""


def escape(text: str) -> str:
    """``text`` as it may stand in HTML: names of files and messages come from elsewhere."""
    return html.escape(text)


def block(content: str) -> str:
    """Something in the type of the explorer."""
    return f'<div class="explore">{content}</div>'


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> str:
    """A table of cells that are HTML already."""
    first = "".join(f'<th style="{_CELL};font-weight:600">{cell}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{first}</tr>' if head else ''}{body}</table>"


def bar(share: float, colour: str, width: int = 120) -> str:
    """A bar as long as a ``share`` (0-1) of ``width`` pixels."""
    return f'<span class="bar" style="width:{max(1, round(width * share))}px;background:{colour}"></span>'


def percent(p: float) -> str:
    """A probability."""
    return f"{100 * p:.1f} %"

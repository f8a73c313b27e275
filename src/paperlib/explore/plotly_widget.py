"""Plotly's widget, loaded without what takes longer than all else.

Plotly loads nbformat, and that jsonschema, which compiles the grammar of international web addresses where the package
for it is installed: seconds, for a check that nothing here asks for. jsonschema does without that package.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import plotly.graph_objects as go

_SLOW = "rfc3987_syntax"


def new_widget() -> go.FigureWidget:
    """An empty figure that is a widget."""
    with _missing(_SLOW):
        figure = go.FigureWidget()
    figure._config = {"displaylogo": False}
    return figure


@contextlib.contextmanager
def _missing(name: str) -> Iterator[None]:
    """While a package cannot be imported, if it has not been."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # how Python is told so
    try:
        yield
    finally:
        del sys.modules[name]

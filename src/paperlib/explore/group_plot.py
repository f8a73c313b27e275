"""Up to three crystals of a group or class: their cells in three dimensions, and below them their patterns with the
reflections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from paperlib.explore.cell_scene import cell_traces, scene_layout
from paperlib.explore.lines import Lines
from paperlib.explore.look import AXIS, FONT, PLOT, ROW
from paperlib.explore.plotly_widget import new_widget
from paperlib.explore.subject import Shown, Subject
from paperlib.reporting import style

HEIGHT = 640
COLOURS = (style.BLUE, style.VERMILION, style.GREEN)
_APART = 1.25
"""Between the feet of two patterns, of which each is 1 high."""
_WIDE = 1 / 3


def new_figure() -> go.FigureWidget:
    """An empty figure for :func:`draw`."""
    figure = new_widget()
    scenes = {
        f"scene{i + 1 if i else ''}": scene_layout()
        | {"domain": {"x": [i * _WIDE + 0.01, (i + 1) * _WIDE - 0.01], "y": [0.5, 0.94]}}
        for i in range(3)
    }
    figure.update_layout(
        **PLOT,
        **scenes,
        height=HEIGHT,
        xaxis=AXIS | {"title": {"text": "2θ (°)", "standoff": 4}, "range": [5, 90], "anchor": "y"},
        yaxis=AXIS | ROW | {"domain": [0.0, 0.46], "fixedrange": True, "title": "√ intensity"},
        hovermode="closest",
    )
    return figure


def draw(figure: go.FigureWidget, subjects: Sequence[Subject], shown: Sequence[Shown], lines: Sequence[Lines]) -> None:
    """Show ``subjects``, all crystals, with their patterns and lines, in place of what was there."""
    traces: list = []
    notes = []
    for i, (subject, pattern, table) in enumerate(zip(subjects, shown, lines, strict=True)):
        traces += cell_traces(subject.crystal, f"scene{i + 1 if i else ''}")
        foot = _APART * (len(subjects) - 1 - i)
        root = np.sqrt(np.clip(pattern.intensity, 0, None))
        line = {"color": COLOURS[i], "width": 1.1}
        traces.append(go.Scatter(x=pattern.two_theta, y=root + foot, line=line, hoverinfo="skip", showlegend=False))
        seen = table.allowed & (table.height > 0)
        marker = {"symbol": "line-ns", "size": 8, "line": {"color": COLOURS[i], "width": 1.2}}
        text = [said for said, kept in zip(table.text, seen, strict=True) if kept]
        traces.append(
            go.Scatter(
                x=table.two_theta[seen],
                y=np.full(int(seen.sum()), foot - 0.08),
                mode="markers",
                marker=marker,
                text=text,
                hoverinfo="text",
                showlegend=False,
            )
        )
        notes.append(_note(subject.name, (i + 0.5) * _WIDE, 1.0, COLOURS[i]))
    with figure.batch_update():
        figure.data = ()
        figure.add_traces(traces)
        figure.layout.annotations = notes
        figure.layout.yaxis.range = [-0.2, _APART * max(len(subjects) - 1, 0) + 1.1]


def _note(text: str, x: float, y: float, colour: str) -> dict:
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "center", "yanchor": "top"}
    return {"text": f"<b>{text}</b>", "showarrow": False, "font": FONT | {"color": colour}} | place

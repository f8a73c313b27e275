"""One pattern with its lines, to be pointed at and clicked on: curve above, marks of the lines below it, and a map of
what the network looks at below these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go

from paperlib.answers.lines import angle_of
from paperlib.explore.look import AXIS, FONT, PLOT, ROW
from paperlib.explore.plotly_widget import new_widget
from paperlib.explore.subject import Edits, Shown
from paperlib.reporting import style

HEIGHT = 470
CURVE, ALLOWED, FORBIDDEN, PUT, FOR, AGAINST, MAP_FOR, MAP_AGAINST = range(8)
"""The traces, in order."""
ROWS = {ALLOWED: 1.0, FORBIDDEN: 0.0}
"""Where marks stand: allowed lines above forbidden ones."""
SYMBOLS = {ALLOWED: ("line-ns-open", "x-thin-open"), FORBIDDEN: ("circle-open", "circle")}
"""Of a line as it is, and of one that was taken away or put in."""
PUT_COLOUR = style.GREEN


@dataclass(frozen=True, eq=False)
class Marks:
    """Lines that are marked: those that are there, or allowed, and those that the space group forbids."""

    d: np.ndarray
    """(m,) Å."""
    allowed: np.ndarray
    """(m,) bool."""
    text: Sequence[str] = ()
    """(m) what is said of each."""


@dataclass(frozen=True, eq=False)
class Map:
    """What the network looks at, in the same order: angles at the wavelength that is shown, and values."""

    two_theta: np.ndarray = field(default_factory=lambda: np.zeros(0))
    value: np.ndarray = field(default_factory=lambda: np.zeros(0))
    bars: bool = True
    """Of single lines; a curve over all points otherwise."""
    title: str = ""


def new_figure(clicked: Callable[[int, int], None]) -> go.FigureWidget:
    """An empty figure for :func:`draw`. ``clicked`` is called with the trace and the number of the point in it."""
    figure = new_widget()
    tick = {"size": 11, "line": {"width": 1.6}, "color": style.BLUE}
    ring = {"size": 8, "line": {"width": 1.4}, "color": style.VERMILION}
    text = {"mode": "markers", "hoverinfo": "text", "showlegend": False}
    figure.add_scatter(
        mode="lines",
        line={"color": style.PATTERN, "width": 1.2},
        hovertemplate="2θ = %{x:.2f}°<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(yaxis="y2", marker=tick, **text)
    figure.add_scatter(yaxis="y2", marker=ring, **text)
    figure.add_scatter(marker={"size": 10, "color": PUT_COLOUR}, **text)
    figure.add_scatter(marker={"size": 8, "color": style.POSITIVE}, **text)
    figure.add_scatter(marker={"size": 8, "color": style.NEGATIVE}, **text)
    for colour in (style.POSITIVE, style.NEGATIVE):
        figure.add_scatter(
            yaxis="y3",
            mode="lines",
            line={"color": colour, "width": 1.6},
            hovertemplate="2θ = %{x:.2f}°: %{y:.3g}<extra></extra>",
            showlegend=False,
        )
    row = AXIS | {"fixedrange": True, "showgrid": False, "showline": False, "ticks": ""}
    figure.update_layout(
        **PLOT,
        height=HEIGHT,
        hovermode="closest",
        xaxis=AXIS | {"title": {"text": "2θ (°)", "standoff": 4}, "range": [5, 90], "anchor": "y3"},
        yaxis=AXIS | ROW | {"domain": [0.36, 1.0], "title": "√ intensity", "range": [0, 1.2]},
        yaxis2=row
        | {"domain": [0.23, 0.34], "range": [-0.6, 1.6], "tickvals": [0, 1], "ticktext": ["forbidden", "allowed"]},
        yaxis3=AXIS
        | {"domain": [0.0, 0.19], "fixedrange": True, "nticks": 5, "zeroline": True, "zerolinecolor": "#888"},
    )
    figure.layout.margin.l = 72
    for number, trace in enumerate(figure.data):
        trace.on_click(lambda _trace, points, _state, number=number: _tell(clicked, number, points))
    return figure


def draw(figure: go.FigureWidget, shown: Shown, marks: Marks, edits: Edits, effects: Marks, weight: np.ndarray) -> None:
    """Show a pattern, its ``marks``, lines that were put in or taken away, and ``effects``: the lines that decide, with
    their ``weight`` (m,), above 0 for the first class."""
    root = np.sqrt(np.clip(shown.intensity, 0, None))
    angle = angle_of(marks.d, shown.wavelength)
    taken = _among(marks.d, edits.taken)
    filled = _among(marks.d, [d for d, _ in edits.put])
    put = np.array(edits.put).reshape(-1, 2)
    place = angle_of(put[:, 0], shown.wavelength)
    deciding = angle_of(effects.d, shown.wavelength)
    top = np.interp(deciding, shown.two_theta, np.nan_to_num(_highest(root))) + 0.06
    with figure.batch_update():
        figure.data[CURVE].update(x=shown.two_theta, y=root)
        for number, chosen in ((ALLOWED, marks.allowed), (FORBIDDEN, ~marks.allowed)):
            changed = (taken if number == ALLOWED else filled)[chosen]
            text = [text for text, kept in zip(marks.text, chosen, strict=True) if kept]
            symbols = [SYMBOLS[number][int(done)] for done in changed]
            _set(figure.data[number], angle[chosen], np.full(len(text), ROWS[number]), text, symbols)
        text = [_put_text(*one) for one in edits.put]
        _set(figure.data[PUT], place, np.full(len(place), 1.14), text, ["star-triangle-down"] * len(place))
        for number, chosen in ((FOR, weight > 0), (AGAINST, weight < 0)):
            text = [text for text, kept in zip(effects.text, chosen, strict=True) if kept]
            _set(figure.data[number], deciding[chosen], top[chosen], text, ["triangle-down"] * len(text))


def draw_map(figure: go.FigureWidget, map_: Map) -> None:
    """Show a map below the lines."""
    size = max(float(np.abs(map_.value).max(initial=0.0)), 1e-9) * 1.15
    with figure.batch_update():
        for number, value in ((MAP_FOR, np.maximum(map_.value, 0)), (MAP_AGAINST, np.minimum(map_.value, 0))):
            x, y = _bars(map_.two_theta, value) if map_.bars else (map_.two_theta, value)
            figure.data[number].update(x=x, y=y)
        figure.layout.yaxis3.range = [-size, size]
        figure.layout.annotations = [
            {
                "text": map_.title,
                "showarrow": False,
                "font": FONT | {"size": 11},
                "x": 0,
                "y": 0.195,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
            }
        ]


def _bars(place: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One line through bars from 0 to each value that is not 0, parted by gaps."""
    place, value = place[value != 0], value[value != 0]
    nothing = np.zeros(len(value))
    return np.repeat(place, 3), np.stack([nothing, value, nothing + np.nan], axis=1).ravel()


def _set(trace: go.Scatter, x: np.ndarray, y: np.ndarray, text: list[str], symbols: list[str]) -> None:
    """The points of a trace. Symbols are told for each of them, since the browser forgets the one symbol of a trace
    that has had no points."""
    trace.update(x=x, y=y, text=text)
    trace.marker.symbol = symbols


def _tell(clicked: Callable[[int, int], None], trace: int, points: go.callbacks.Points) -> None:
    if points.point_inds:
        clicked(trace, int(points.point_inds[0]))


def _among(d: np.ndarray, spacings: Sequence[float]) -> np.ndarray:
    if not len(spacings):
        return np.zeros(len(d), dtype=bool)
    return (np.abs(d[:, None] / np.array(spacings) - 1) < 1e-6).any(axis=1)


def _put_text(d: float, height: float) -> str:
    return f"put in: {100 * height:.3g} % of the highest line<br>d = {d:.4f} Å"


def _highest(values: np.ndarray, reach: int = 4) -> np.ndarray:
    """The largest of the points within ``reach`` of each, so that a mark stands above a line."""
    padded = np.pad(np.nan_to_num(values), reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)

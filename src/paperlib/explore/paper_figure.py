"""What is shown, as a figure of the paper's style: pattern, marks of its lines, map, and the answer beside them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.answers.answer import class_name
from paperlib.answers.lines import angle_of
from paperlib.answers.written import UNKNOWN
from paperlib.explore.answer_text import TOP
from paperlib.explore.pattern_plot import Map
from paperlib.explore.session import Session
from paperlib.lab import paths
from paperlib.reporting import style
from paperlib.reporting.symbols import extinction_symbol

FOLDER = "explore"
"""Below ``data/work``."""


@style.look()
def draw(session: Session, map_: Map) -> Figure:
    """The pattern on the bench of ``session`` with its ``map_``."""
    figure = style.figure("double", 2.6)
    grid = figure.add_gridspec(3, 2, width_ratios=(3, 1), height_ratios=(6, 1, 2), hspace=0.02)
    curve = figure.add_subplot(grid[0, 0])
    marks = figure.add_subplot(grid[1, 0], sharex=curve)
    below = figure.add_subplot(grid[2, 0], sharex=curve)
    _curve(curve, session)
    _marks(marks, session)
    _map(below, map_)
    _answer(figure.add_subplot(grid[:, 1]), session)
    for ax in (curve, marks):
        ax.tick_params(labelbottom=False)
    below.set_xlabel(f"2θ (°) at {session.shown.wavelength:.4f} Å")
    below.set_xlim(*session.shown.instrument.two_theta)
    return figure


def save(session: Session, map_: Map) -> list[Path]:
    """Write :func:`draw` as PDF and PNG below ``data/work/explore``, named after the subject; an older figure stays."""
    folder = paths.work(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "_", session.subject.name).strip("_") or "pattern"
    number = 1
    while (folder / f"{name}_{number}.pdf").exists():
        number += 1
    return style.save(draw(session, map_), folder / f"{name}_{number}")


def _curve(ax: Axes, session: Session) -> None:
    shown = session.shown
    ax.plot(shown.two_theta, np.sqrt(np.clip(shown.intensity, 0, None)), color=style.PATTERN, linewidth=0.6)
    if session.edits.put:
        place = angle_of(np.array([d for d, _ in session.edits.put]), shown.wavelength)
        ax.plot(place, np.full(len(place), 1.1), "v", color=style.GREEN, markersize=3)
    ax.set_ylim(0, 1.2)
    ax.set_yticks([])
    ax.set_ylabel("√ intensity")
    ax.set_title(session.subject.name, loc="left")


def _marks(ax: Axes, session: Session) -> None:
    angle, allowed = angle_of(session.marks.d, session.shown.wavelength), session.marks.allowed
    gone = np.zeros(len(angle), dtype=bool)
    for d in session.edits.taken:
        gone |= np.abs(session.marks.d / d - 1) < 1e-6
    ax.vlines(angle[allowed & ~gone], 0.6, 1.4, color=style.BLUE, linewidth=0.6)
    ax.plot(angle[gone], np.ones(int(gone.sum())), "x", color=style.BLUE, markersize=3, markeredgewidth=0.6)
    ring = {"markersize": 2.5, "markeredgewidth": 0.5, "markerfacecolor": "none"}
    ax.plot(angle[~allowed], np.zeros(int((~allowed).sum())), "o", color=style.VERMILION, **ring)
    ax.set_ylim(-0.6, 1.6)
    both = bool((~allowed).any())
    ax.set_yticks([0, 1] if both else [1], ["forbidden", "allowed"] if both else ["lines"])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(length=0)


def _map(ax: Axes, map_: Map) -> None:
    if map_.bars:
        colours = np.where(map_.value > 0, style.POSITIVE, style.NEGATIVE)
        ax.vlines(map_.two_theta, 0, map_.value, color=colours.tolist(), linewidth=0.9)
    else:
        ax.plot(map_.two_theta, map_.value, color=style.BLACK, linewidth=0.6)
    ax.axhline(0, color=style.GREY, linewidth=0.4)
    ax.set_title(map_.title, loc="left", size=6)
    ax.locator_params(axis="y", nbins=3)


def _answer(ax: Axes, session: Session) -> None:
    opinion = session.opinion
    best = opinion.classes[:TOP]
    colour = style.BLUE if opinion.known else style.GREY
    ax.barh(np.arange(TOP), style.percent(opinion.class_p[best]), color=colour, height=0.6)
    ax.set_yticks(np.arange(TOP), [extinction_symbol(class_name(int(k))) for k in best])
    ax.invert_yaxis()
    ax.set_xlim(0, 100)
    ax.set_xlabel("probability (%)")
    ax.set_title("" if opinion.known else UNKNOWN, loc="left")

"""A picture of answers about measured patterns: each pattern with the lines that decide, beside its classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.answers.answer import INSTRUMENT, Answer, class_name
from paperlib.answers.network_input import is_measured
from paperlib.answers.written import LINES, TOP, UNKNOWN
from paperlib.lab.store import atomic_path
from paperlib.reporting import style

MOST = 6
"""Patterns on one page."""


@style.look()
def draw(answers: Sequence[Answer]) -> Figure:
    """The first :data:`MOST` of ``answers``. Raises ValueError for none."""
    if not answers:
        raise ValueError("there is no answer to draw")
    shown = answers[:MOST]
    figure = style.figure("double", 0.3 + 1.5 * len(shown))
    axes = figure.subplots(len(shown), 2, squeeze=False, width_ratios=(3, 1))
    for (left, right), answer in zip(axes, shown, strict=True):
        _pattern(left, answer)
        _classes(right, answer)
    axes[-1][0].set_xlabel(f"2θ (°) at {INSTRUMENT.wavelength:.4f} Å")
    axes[-1][1].set_xlabel("probability (%)")
    return figure


def save_picture(path: str | Path, answers: Sequence[Answer]) -> None:
    """Write :func:`draw` of ``answers`` to ``path``, which ends in one of :data:`paperlib.answers.written.PICTURES`."""
    figure = draw(answers)
    with style.look(), atomic_path(path) as partial:
        figure.savefig(partial, dpi=style.DPI)


def _pattern(ax: Axes, answer: Answer) -> None:
    shown = np.where(is_measured(answer.pattern), answer.above, np.nan)
    grid = INSTRUMENT.grid()
    # the root, as the network sees it: weak lines are what decides
    ax.plot(grid, np.sqrt(np.clip(shown, 0, None)), color=style.PATTERN, linewidth=0.5)
    for one in answer.lines[:LINES]:
        colour = style.POSITIVE if one.effect > 0 else style.NEGATIVE
        ax.plot(one.line.two_theta, np.sqrt(one.line.height) + 0.06, marker="v", markersize=3, color=colour)
    ax.set_xlim(*INSTRUMENT.two_theta)
    ax.set_ylim(0, 1.15)
    ax.set_yticks([])
    first, second = (class_name(k) for k in answer.classes[:2])
    ax.set_title(f"{Path(answer.file).name}: red for {first}, blue for {second}", loc="left")


def _classes(ax: Axes, answer: Answer) -> None:
    best = answer.classes[:TOP]
    p = style.percent(answer.class_p[best])
    ax.barh(np.arange(TOP), p, color=style.BLUE if answer.known else style.GREY, height=0.7)
    ax.set_yticks(np.arange(TOP), [class_name(k) for k in best])
    ax.invert_yaxis()
    ax.set_xlim(0, 100)
    ax.set_title("" if answer.known else UNKNOWN, loc="left")

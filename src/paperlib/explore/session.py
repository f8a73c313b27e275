"""One pattern under examination: what is shown of it, what the network says, and what a click does. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from paperlib.answers.answer import members
from paperlib.answers.indexing import index_lines
from paperlib.answers.lines import Line, angle_of
from paperlib.explore import bench, points
from paperlib.explore.lines import Lines, lines_of
from paperlib.explore.networks import NETWORKS, Network, Opinion, diffractometer
from paperlib.explore.pattern_plot import ALLOWED, CURVE, FORBIDDEN, PUT, Map, Marks
from paperlib.explore.subject import Edits, Settings, Shown, Subject

LOOK, INSERT, DELETE = "look", "put a line in", "take a line away"
"""What a click on the curve does."""
MOST_PUT = 40
"""Forbidden lines that are put in one by one for a map, the lowest."""
_SAID = 3
"""Reflections that are named of a line."""


@dataclass(frozen=True, eq=False)
class Deciding:
    """The lines of a pattern, the one that says the most first, and what each says between the two best classes."""

    lines: tuple[Line, ...]
    effect: np.ndarray
    """(m,) by how much ln(P1 / P2) falls when the line is taken away."""
    names: tuple[str, ...]
    """(m) hkl of each, where the cell is known."""


class Session:
    """A subject with its settings and edits, asked of one network.

    Whatever fails raises ValueError in words for the user and leaves everything as it was.
    """

    subject: Subject

    def __init__(self, subject: Subject, network: str = "robust") -> None:
        self.settings, self.edits, self.height = Settings(), Edits(), 0.02
        self._network = network
        self.put(subject)

    @property
    def network(self) -> Network:
        """The network that is asked: for a measurement the one that reads measurements, whatever was chosen."""
        return NETWORKS["robust" if self.subject.measured is not None else self._network]()

    def put(self, subject: Subject) -> None:
        """Put another subject on the bench, without edits."""
        self._try(subject=subject, edits=Edits())

    def ask(self, network: str) -> None:
        """Ask the ``network`` of this name from now on."""
        self._try(_network=network)

    def change(self, **settings: Any) -> None:
        """Move sliders: fields of :class:`paperlib.explore.subject.Settings`."""
        self._try(settings=replace(self.settings, **settings))

    def click(self, trace: int, point: int, mode: str) -> bool:
        """What a click on a ``point`` of a ``trace`` of the plot does in a ``mode``; whether it did anything."""
        edits = self._clicked(trace, point, mode)
        if edits is None:
            return False
        self._try(edits=edits)
        return True

    def undo_all(self) -> None:
        """All lines as they were."""
        self._try(edits=Edits())

    def deciding(self) -> Deciding:
        """What each of the highest lines says; a fraction of a second."""
        lines, effect = self.network.effects(self.shown.pattern, self.shown.doublet)
        names: tuple[str, ...] = ("",) * len(lines)
        if self.subject.crystal is not None:
            first, second = (members(int(k))[0] for k in self.opinion.classes[:2])
            mean = diffractometer(self.network.instrument).mean_wavelength
            indexed = index_lines(lines, self.subject.crystal.cell[0], mean, (first, second))
            names = tuple("; ".join(" ".join(map(str, r.hkl)) for r in rows[:_SAID]) for rows in indexed)
        return Deciding(tuple(lines), effect, names)

    def line_map(self, deciding: Deciding) -> Map:
        """Experiments as a map, above 0 what speaks for the first class against the second: of lines that are there,
        what ln(P1 / P2) loses when they are taken away; of forbidden ones, that they are not there, which is what it
        loses when they are put in at the height of the slider."""
        place = angle_of(np.array([line.d for line in deciding.lines]), self.shown.wavelength)
        value = deciding.effect
        rows = np.flatnonzero(~self.marks.allowed)[:MOST_PUT] if self.subject.crystal is not None else []
        if len(rows):
            edited = [self.edits.insert(float(self.marks.d[row]), self.height) for row in rows]
            patterns = [bench.show(self.subject, self.settings, one, self.network).pattern for one in edited]
            place = np.concatenate([place, angle_of(self.marks.d[rows], self.shown.wavelength)])
            value = np.concatenate([value, -self.network.odds_with(patterns, self.shown.pattern)])
        return Map(place, value, True, "ln(P1/P2) lost when a line is taken away, or a forbidden one put in")

    def _clicked(self, trace: int, point: int, mode: str) -> Edits | None:
        """The edits after a click, None where it means nothing."""
        if trace in (ALLOWED, FORBIDDEN):
            d = float(self.marks.d[self.marks.allowed == (trace == ALLOWED)][point])
            return self.edits.take(d) if trace == ALLOWED else self.edits.insert(d, self.height)
        if trace == PUT:
            return self.edits.take(self.edits.put[point][0])
        if trace != CURVE or mode == LOOK:
            return None
        two_theta = float(self.shown.two_theta[point])
        if mode == INSERT:
            d = self.shown.wavelength / (2 * np.sin(np.radians(two_theta / 2)))
            return self.edits.insert(float(d), self.height)
        places = np.concatenate([self.marks.d[self.marks.allowed], [one for one, _ in self.edits.put]])
        apart = np.abs(angle_of(places, self.shown.wavelength) - two_theta)
        return self.edits.take(float(places[apart.argmin()])) if apart.min(initial=np.inf) <= points.NEAR else None

    def _try(self, **changed: object) -> None:
        """Change fields and compute everything, or leave all as it was and raise."""
        before = dict(self.__dict__)
        try:
            self.__dict__.update(changed)
            self.shown: Shown = bench.show(self.subject, self.settings, self.edits, self.network)
            self.opinion: Opinion = self.network.opinion(self.shown.pattern)
            if not {"subject", "settings", "_network"}.isdisjoint(changed):
                self.marks: Marks = self._marks()
        except (ValueError, OSError):
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _marks(self) -> Marks:
        if self.subject.crystal is not None:
            table: Lines = lines_of(self.subject.crystal, self.shown.instrument, self.shown.reflections)
            return Marks(table.d, table.allowed, table.text)
        lines = points.lines_in(self.shown.pattern, self.network.instrument, self.shown.doublet)
        text = [f"d = {one.d:.4f} Å, 2θ = {one.two_theta:.2f}°, {100 * one.height:.3g} %" for one in lines]
        return Marks(np.array([line.d for line in lines]), np.ones(len(lines), dtype=bool), text)

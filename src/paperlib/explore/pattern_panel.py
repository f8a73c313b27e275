"""The panel of one pattern: where it comes from, sliders, a plot to click in, the answer, and what decides it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from paperlib.explore import answer_text, controls, paper_figure, pattern_plot
from paperlib.explore.catalogue import Choice, examples
from paperlib.explore.fitted import Fitted
from paperlib.explore.later import Later
from paperlib.explore.loading import crystal_subject, test_offers, uploaded
from paperlib.explore.look import PLOT_BOX, block, escape
from paperlib.explore.maps import attribution_map
from paperlib.explore.pattern_plot import Map, Marks
from paperlib.explore.session import Deciding, Session
from paperlib.explore.subject import Subject

if TYPE_CHECKING:
    from paperlib.explore.explorer import Shared


class PatternPanel:
    """A :class:`paperlib.explore.session.Session` with its widgets. The answer follows the hand; what takes longer, the
    lines that decide and the map, comes when it rests."""

    def __init__(self, shared: Shared) -> None:
        self._offers = dict(test_offers(shared.crystals))
        self._later, self._quiet = Later(), False
        self.controls = controls.Controls(list(self._offers))
        self.figure = pattern_plot.new_figure(self._clicked)
        self._fitted = Fitted(self.figure)
        self.answer, self.decides, self.message = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.name = widgets.HTML()
        self.map = Map()
        self.session = Session(self._first(shared))
        self._new_subject()
        self._observe()
        right = widgets.VBox(
            [self.answer, self.decides], layout={"flex": "0 1 390px", "min_width": "320px", "overflow": "hidden"}
        )
        left = widgets.VBox([self.figure, self.controls.below, self._fitted], layout=PLOT_BOX)
        both = widgets.Box([left, right], layout={"display": "flex", "flex_flow": "row wrap", "width": "100%"})
        self.widget = widgets.VBox([self.controls.above, self.name, self.message, both])

    def put(self, subject: Subject) -> None:
        """Put a subject on the bench."""
        self._quiet = True
        self.controls.test.value = ""
        self._quiet = False
        self._do(lambda: self.session.put(subject), self._new_subject)

    def _first(self, shared: Shared) -> Subject:
        """What stands on the bench at the beginning: a crystal of the group, or a test pattern."""
        rows = examples(shared.crystals, Choice(shared.space_group))
        return crystal_subject(shared.crystals, rows[-1]) if len(rows) else next(iter(self._offers.values()))()

    def _observe(self) -> None:
        own = self.controls
        own.test.observe(lambda change: self._choose(change["new"]), "value")
        own.found.observe(lambda change: self._found(change["new"]), "value")
        own.upload.observe(lambda change: self._uploaded(change["new"]), "value")
        for name, slider in own.sliders.items():
            slider.observe(lambda change, name=name: self._slid(name, change["new"]), "value")
        own.network.observe(
            lambda change: self._do(lambda: self.session.ask(change["new"]), self._new_subject), "value"
        )
        own.height.observe(lambda change: self._height(change["new"]), "value")
        own.map.observe(lambda _change: self._later(self._slow), "value")
        own.undo.on_click(lambda _button: self._do(self.session.undo_all))
        own.export.on_click(lambda _button: self._export())

    def _found(self, subject: Subject | None) -> None:
        if subject is not None and not self._quiet:
            self.put(subject)

    def _choose(self, offer: str) -> None:
        if offer and not self._quiet:
            self._do(lambda: self.session.put(self._offers[offer]()), self._new_subject)

    def _uploaded(self, files: tuple[dict[str, Any], ...]) -> None:
        if not files:
            return

        def read() -> None:
            file, beam = files[-1], self.controls.beam.value.strip()
            try:
                wavelength = float(beam.replace(",", ".")) if beam else None
            except ValueError:
                raise ValueError(f"the wavelength is {beam!r}; give Å as 1.5406") from None
            subjects = uploaded(file["name"], bytes(file["content"]), wavelength)
            self.session.put(subjects[0])
            self._quiet = True
            self.controls.offer(subjects)
            self.controls.test.value = ""
            self._quiet = False

        self._do(read, self._new_subject)
        self.controls.upload.value = ()  # so that the same file can be chosen again

    def _slid(self, name: str, value: float) -> None:
        if not self._quiet:
            self._do(lambda: self.session.change(**{name: value}))

    def _height(self, value: float) -> None:
        self.session.height = value
        self._later(self._slow)

    def _clicked(self, trace: int, point: int) -> None:
        self._do(lambda: self.session.click(trace, point, self.controls.mode.value))

    def _do(self, work: Callable[[], Any], then: Callable[[], None] | None = None) -> None:
        """Do something and show what comes of it. What a widget's callback raises is seen nowhere: here it is said, and
        what was shown stays."""
        try:
            work()
        except Exception as error:
            self.message.value = block(f'<p class="wrong explore-error">{escape(str(error) or repr(error))}</p>')
            return
        self.message.value = ""
        (then or self._show)()

    def _new_subject(self) -> None:
        """Sliders that hold for the subject, at the session's settings, then everything else."""
        subject, own = self.session.subject, self.controls
        self._quiet = True
        for name, slider in own.sliders.items():
            slider.value = getattr(self.session.settings, name)
            slider.disabled = subject.crystal is None
        self._quiet = False
        own.network.disabled = subject.crystal is None
        own.maps_for(self.session.network)
        note = f' <span class="quiet">({escape(subject.note)})</span>' if subject.note else ""
        self.name.value = block(f"<h3>{escape(subject.name)}{note}</h3>")
        self._show()

    def _show(self) -> None:
        """At once: the pattern and the answer. Effects of lines are those of another pattern now, and go."""
        none = Marks(np.zeros(0), np.zeros(0, dtype=bool))
        session = self.session
        pattern_plot.draw(self.figure, session.shown, session.marks, session.edits, none, np.zeros(0))
        self._fitted.changed()
        self.answer.value = answer_text.opinion_html(session.opinion, session.subject)
        self.controls.undo.disabled = not (session.edits.taken or session.edits.put)
        self._later(self._slow)

    def _slow(self) -> None:
        """When the hand rests: the lines that decide, and the map."""
        session = self.session
        try:
            deciding = session.deciding()
            self.decides.value = answer_text.deciding_html(session, deciding)
            d = np.array([line.d for line in deciding.lines[: answer_text.LINES]])
            marks = Marks(d, np.ones(len(d), dtype=bool), _said(deciding))
            effect = deciding.effect[: answer_text.LINES]
            pattern_plot.draw(self.figure, session.shown, session.marks, session.edits, marks, effect)
            self.map = self._mapped(deciding)
            pattern_plot.draw_map(self.figure, self.map)
            self._fitted.changed()
        except Exception as error:  # as in _do
            self.message.value = block(f'<p class="wrong explore-error">{escape(str(error) or repr(error))}</p>')

    def _mapped(self, deciding: Deciding) -> Map:
        method = self.controls.map.value
        if method == controls.EXPERIMENTS:
            return self.session.line_map(deciding)
        best = int(self.session.opinion.classes[0])
        return attribution_map(self.session.network, self.session.shown, best, method)

    def _export(self) -> None:
        def write() -> None:
            pdf, _ = paper_figure.save(self.session, self.map)
            self.controls.written.value = block(f"written: <code>{escape(str(pdf))}</code> and <code>.png</code>")

        self._do(write, lambda: None)


def _said(deciding: Deciding) -> list[str]:
    return [
        f"{name}<br>ln(P1/P2) loses {effect:+.2f} without it" if name else f"ln(P1/P2) loses {effect:+.2f} without it"
        for name, effect in list(zip(deciding.names, deciding.effect, strict=True))[: answer_text.LINES]
    ]

"""The explorer as a whole: panels under tabs, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import ipywidgets as widgets

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.explore.bench import start_at_once
from paperlib.explore.group_panel import GroupPanel
from paperlib.explore.loading import crystals_of
from paperlib.explore.look import SHEET
from paperlib.explore.map_panel import MapPanel
from paperlib.explore.pattern_panel import PatternPanel
from paperlib.explore.subject import Subject


@dataclass(eq=False)
class Shared:
    """What the panels know of one another."""

    crystals: CrystalSet
    space_group: int
    """That the explorer opens with."""
    to_bench: Callable[[Subject], None] = field(default=lambda _subject: None)
    """Put a subject on the bench and show it."""


class Panel(Protocol):
    """What stands under one tab."""

    widget: widgets.Widget


PANELS: tuple[tuple[str, Callable[[Shared], Panel]], ...] = (
    ("Groups and classes", GroupPanel),
    ("One pattern", PatternPanel),
    ("Maps by hkl", MapPanel),
)
"""Title of each tab and what makes its panel of :class:`Shared`. A further panel is a further line here."""


def explorer(source: str = "prototypes", space_group: int = 225) -> widgets.Widget:
    """The explorer of the crystals of ``source`` (an embedded set, a file of the registry, or a path), to be shown as
    the last line of a cell; it opens with a ``space_group``. Raises FileNotFoundError, with the remedy, where the
    crystals or the released weights are not there, and ValueError for another number than 1-230."""
    start_at_once()
    shared = Shared(crystals_of(source), space_group)
    panels = {title: make(shared) for title, make in PANELS}
    tabs = widgets.Tab(children=[panel.widget for panel in panels.values()], titles=tuple(panels))
    for place, panel in enumerate(panels.values()):
        if isinstance(panel, PatternPanel):
            shared.to_bench = _opener(tabs, place, panel)
        if isinstance(panel, MapPanel):
            tabs.observe(_first_look(place, panel), "selected_index")
    return widgets.VBox([widgets.HTML(SHEET), tabs])


def _opener(tabs: widgets.Tab, place: int, panel: PatternPanel) -> Callable[[Subject], None]:
    def put(subject: Subject) -> None:
        panel.put(subject)
        tabs.selected_index = place

    return put


def _first_look(place: int, panel: MapPanel) -> Callable[[dict[str, Any]], None]:
    def look(change: dict[str, Any]) -> None:
        if change["new"] == place:
            panel.opened()

    return look

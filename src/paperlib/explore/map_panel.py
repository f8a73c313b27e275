"""The panel of maps by hkl: what each reflection says for or against a class or a group, from published results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from paperlib.explore.look import block, escape
from paperlib.lab import paths
from paperlib.lab.results import MissingResultError, Results

if TYPE_CHECKING:
    from paperlib.explore.explorer import Shared

STEM = "16_maps"
LABELS = {"extinction class": "class_labels", "space group": "group_labels"}
SHOWN = {
    "lines taken away and put in": "experiment",
    "… put in beside the lattice": "beside",
    "integrated gradients from nothing": "gradients",
    "integrated gradients from a flat level": "background",
}
"""What can be drawn, see :data:`paperlib.reporting.figures.fig_maps.SHOWN`."""
NETWORKS = {"trained": False, "random weights, as a control": True}


class MapPanel:
    """A list of all classes and groups that have a map, and the map of the chosen one. It is drawn when the panel is
    opened first: matplotlib takes a second to come."""

    def __init__(self, shared: Shared) -> None:
        self._first = shared.space_group
        self.kind = widgets.ToggleButtons(options=list(LABELS), style={"button_width": "130px"})
        self.chosen = widgets.Dropdown(layout={"width": "270px"})
        self.shown = widgets.Dropdown(options=SHOWN, layout={"width": "300px"})
        self.network = widgets.Dropdown(options=NETWORKS, layout={"width": "230px"})
        self.message = widgets.HTML()
        self.image = widgets.Image(format="png", layout={"max_width": "100%", "object_fit": "contain"})
        choices = widgets.HBox([self.kind, self.chosen], layout={"flex_flow": "row wrap"})
        what = widgets.HBox([self.shown, self.network], layout={"flex_flow": "row wrap"})
        self.widget = widgets.VBox([choices, what, self.message, self.image])
        self._is_open = False

    def opened(self) -> None:
        """Fill the list and draw, once."""
        if self._is_open:
            return
        self._is_open = True
        self._list()
        self.kind.observe(lambda _change: self._list(), "value")
        for choice in (self.chosen, self.shown, self.network):
            choice.observe(lambda _change: self._draw(), "value")

    def _list(self) -> None:
        try:
            labels = Results(paths.published_results()).table(STEM, LABELS[self.kind.value])
        except (MissingResultError, OSError) as error:
            self._say(f"no published maps: {error}")
            return
        rows = labels.sort_values("space_group", kind="stable")
        self.chosen.options = [
            (f"{row.symbol} · {row.crystals} crystals", row.symbol) for row in rows.itertuples(index=False)
        ]
        # that of the group that the explorer opens with, or what comes before it; a class stands at its first group
        before = rows.loc[rows["space_group"] <= self._first, "symbol"]
        self.chosen.value = (before if len(before) else rows["symbol"]).iloc[-1 if len(before) else 0]
        self._draw()

    def _draw(self) -> None:
        from paperlib.reporting.class_maps import class_map_png

        if self.chosen.value is None:
            return
        try:
            picture = class_map_png(
                Results(paths.published_results()), self.chosen.value, self.shown.value, self.network.value
            )
        except (MissingResultError, ValueError, OSError) as error:  # nobody sees what a widget's callback raises
            self._say(str(error))
            return
        self.image.value = picture
        self.message.value = block(
            '<p class="quiet">Filled: reflections that are allowed, taken away; rings: forbidden ones, put in. Red '
            "speaks for the class, blue against it, white neither (notebook 16_maps; network of 06_labels).</p>"
        )

    def _say(self, text: str) -> None:
        self.image.value = b""
        self.message.value = block(f'<p class="wrong">{escape(text)}</p>')

"""The controls of the panel of one pattern."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from paperlib.explore.look import block
from paperlib.explore.maps import methods_for
from paperlib.explore.networks import NETWORKS, Network
from paperlib.explore.session import DELETE, INSERT, LOOK
from paperlib.explore.subject import COPPER, Subject

EXPERIMENTS = "experiments"
"""The map of what lines do, which is there for every network."""
SHORTEST, LONGEST = 0.7, 2.3
"""Å, from molybdenum to chromium."""
_SIZES = (0.0, 300.0, 200.0, 100.0, 70.0, 50.0, 40.0, 30.0, 20.0, 15.0, 10.0)
_NOISE = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.02, 0.03, 0.05, 0.1)
_HEIGHTS = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_WRAP = {"display": "flex", "flex_flow": "row wrap", "width": "100%", "align_items": "center"}
_ROOM = {"description_width": "initial"}


class Controls:
    """Widgets in two rows above the plot and two below it."""

    def __init__(self, tests: Sequence[str]) -> None:
        wide = {"width": "330px"}
        self.test = widgets.Dropdown(
            options=[("choose one", ""), *((name, name) for name in tests)],
            description="test pattern",
            style=_ROOM,
            layout={"width": "400px"},
        )
        self.upload = widgets.FileUpload(description="your CIF or pattern", layout={"width": "190px"})
        self.beam = widgets.Text(
            placeholder="as 1.5406", description="its wavelength / Å", style=_ROOM, layout={"width": "215px"}
        )
        self.found = widgets.Dropdown(
            description="crystal of the file", style=_ROOM, layout={"width": "330px", "display": "none"}
        )
        self.sliders = {
            "wavelength": widgets.FloatSlider(
                COPPER, min=SHORTEST, max=LONGEST, step=0.001, readout_format=".3f", description="wavelength / Å",
                style=_ROOM, layout=wide,
            ),
            "crystallite_size": widgets.SelectionSlider(
                options=[(f"{size:g} nm" if size else "large", size) for size in _SIZES],
                description="crystallites", style=_ROOM, layout=wide,
            ),
            "noise": widgets.SelectionSlider(
                options=[(f"{100 * noise:g} %", noise) for noise in _NOISE], description="noise",
                style=_ROOM, layout=wide,
            ),
        }  # fmt: skip
        titles = {"robust": "for measured patterns (13)", "clean": "for clean patterns (06)"}
        self.network = widgets.Dropdown(
            options=[(titles[name], name) for name in NETWORKS],
            description="network",
            style=_ROOM,
            layout={"width": "270px"},
        )
        self.mode = widgets.ToggleButtons(options=[LOOK, INSERT, DELETE], style={"button_width": "140px"})
        self.height = widgets.SelectionSlider(
            options=[(f"{100 * height:g} %", height) for height in _HEIGHTS],
            value=0.02,
            description="height of lines put in",
            style=_ROOM,
            layout={"width": "330px"},
        )
        self.undo = widgets.Button(description="all lines as they were", disabled=True, layout={"width": "170px"})
        self.map = widgets.Dropdown(description="map below", style=_ROOM, layout={"width": "270px"})
        self.export = widgets.Button(description="figure for a paper", layout={"width": "150px"})
        self.written = widgets.HTML()
        self.above = widgets.VBox(
            [
                widgets.Box([self.test, self.upload, self.beam, self.found], layout=_WRAP),
                widgets.Box([*self.sliders.values(), self.network], layout=_WRAP),
            ]
        )
        hint = block(
            '<p class="quiet">Click a mark to take that line away, a ring to put a forbidden line in, once more to '
            "undo it; on the curve, a click does what is chosen here. Red speaks for the first class, blue for the "
            "second.</p>"
        )
        self.below = widgets.VBox(
            [
                widgets.HTML(hint),
                widgets.Box([self.mode, self.height, self.undo], layout=_WRAP),
                widgets.Box([self.map, self.export, self.written], layout=_WRAP),
            ]
        )

    def maps_for(self, network: Network) -> None:
        """Offer the maps that say something of a network; the chosen one stays where it is among them."""
        options = [("what lines do (experiments)", EXPERIMENTS), *methods_for(network).items()]
        if tuple(options) != self.map.options:
            kept = self.map.value if self.map.value in [value for _, value in options] else EXPERIMENTS
            self.map.options = options
            self.map.value = kept

    def offer(self, subjects: Sequence[Subject]) -> None:
        """Offer the crystals of an upload; nothing is to be chosen where there is one."""
        self.found.layout.display = "" if len(subjects) > 1 else "none"
        self.found.options = [(f"{i + 1}: {one.name}", one) for i, one in enumerate(subjects)]

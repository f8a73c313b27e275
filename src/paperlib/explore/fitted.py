"""Plots that miss nothing, and are as wide as their place.

Plotly's widget has some megabytes of code, and what a figure is told before the browser has loaded them is lost: it
comes up empty. It is drawn before it has a place in the page, 700 pixels wide, and stays so: what would fit it to its
place is not called by anywidget, which it stands on.
"""

from __future__ import annotations

from typing import Any

import anywidget
import plotly.graph_objects as go
import traitlets


class Fitted(anywidget.AnyWidget):
    """Nothing to be seen: as wide as the box that it is put into, it gives its width to a figure in the same box."""

    _esm = """
    export default {
      render({ model, el }) {
        const fit = () => {
          // a hidden tab has no width; and a little more room is left free, since it may be that of a scroll bar
          // which a wider plot would bring back
          const plot = el.closest(".widget-vbox")?.querySelector(".js-plotly-plot");
          const width = Math.floor(el.getBoundingClientRect().width);
          const now = model.get("width");
          if (plot?._fullData?.length && width > 0 && (width < now || width > now + 24)) {
            model.set("width", width);
            model.save_changes();
          }
        };
        const timer = setInterval(fit, 200);
        return () => clearInterval(timer);
      },
    };
    """
    width = traitlets.Int(0).tag(sync=True)
    """Pixels, 0 before it is shown."""

    def __init__(self, figure: go.FigureWidget, **more: Any) -> None:
        super().__init__(**more)
        self._figure = figure
        self.observe(lambda change: figure.update_layout(width=change["new"]), "width")

    def changed(self) -> None:
        """To be called when the figure was changed: tell the browser all of it, until it is known to have drawn it."""
        if not self.width:
            self._figure._repr_mimebundle_()  # what plotly itself does where a figure stands alone in an output

"""Plots that are as wide as their place.

Plotly's widget draws itself before it has a place in the page, 700 pixels wide, and stays so: what would fit it to its
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
        const watch = new ResizeObserver(() => {
          const width = Math.floor(el.getBoundingClientRect().width);
          if (width > 0 && width !== model.get("width")) {  // a hidden tab has no width
            model.set("width", width);
            model.save_changes();
          }
        });
        watch.observe(el);
        return () => watch.disconnect();
      },
    };
    """
    width = traitlets.Int(0).tag(sync=True)
    """Pixels, 0 before it is shown."""

    def __init__(self, figure: go.FigureWidget, **more: Any) -> None:
        super().__init__(**more)
        self.observe(lambda change: figure.update_layout(width=change["new"]), "width")

"""Plots that are as wide as their place.

Plotly's widgets fit themselves to their place when the window changes its size, but not when a tab is opened or a
sidebar moved: the first drawing of a hidden plot keeps a width that fits nothing.
"""

from __future__ import annotations

import anywidget


class Fitted(anywidget.AnyWidget):
    """Nothing to be seen; where the box that it stands in changes its width, plots are told to fit themselves."""

    _esm = """
    export default {
      render({ el }) {
        let width = 0;
        const watch = new ResizeObserver(([entry]) => {
          const now = Math.round(entry.contentRect.width);
          if (now > 0 && now !== width) window.dispatchEvent(new Event("resize"));
          width = now;
        });
        watch.observe(el);
        return () => watch.disconnect();
      },
    };
    """

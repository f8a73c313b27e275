"""The map of one class or space group as a picture, for those who show it elsewhere than in the paper."""

from __future__ import annotations

import io

from paperlib.lab.results import Results
from paperlib.reporting.figures import fig_maps


def class_map_png(
    results: Results, symbol: str | int, shown: str = "experiment", random: bool = False, dpi: int = 130
) -> bytes:
    """The bytes of a PNG of :func:`paperlib.reporting.figures.fig_maps.draw_class`, at ``dpi`` points per inch.
    Raises what that raises."""
    content = io.BytesIO()
    fig_maps.draw_class(results, symbol, shown, random).savefig(content, format="png", dpi=dpi)
    return content.getvalue()

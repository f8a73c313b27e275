"""Where measured patterns come from: the one place of this room that imports their reader."""

from __future__ import annotations

from paperlib.datasets.measured import MeasuredPattern, PatternError, on_instrument, read_pattern

__all__ = ["MeasuredPattern", "PatternError", "on_instrument", "read_pattern"]

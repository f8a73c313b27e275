"""What a reader takes from a file, before anything is checked or converted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paperlib.datasets.patterns_read.beam import Beam


@dataclass(frozen=True, eq=False)
class Scan:
    """The first scan of a file."""

    format: str
    x: np.ndarray
    """(n,) float64, in the order of the file; NaN where a value is missing."""
    y: np.ndarray
    """(n,) float64; NaN where a value is missing."""
    axis: str
    """What x is, a key of :data:`paperlib.datasets.patterns_read.axis.AXES`, or "" where the file does not say."""
    beam: Beam
    warnings: tuple[str, ...] = ()


def several(n: int) -> tuple[str, ...]:
    """The warning about a file with ``n`` scans."""
    return (f"the file holds {n} scans: the first is read, the others are not",) if n > 1 else ()

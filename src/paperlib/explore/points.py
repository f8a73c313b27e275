"""Lines put into a measured pattern and taken out of it, point by point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from paperlib.answers.answer import doublet_of
from paperlib.answers.lines import Doublet, Line, angle_of, find_lines, without
from paperlib.answers.network_input import above_baseline, baseline, is_measured
from paperlib.datasets.measured import MeasuredPattern, on_instrument
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import single_lines
from paperlib.diffraction.profile import draw_peaks
from paperlib.diffraction.without_torch import NOT_MEASURED
from paperlib.explore.networks import diffractometer
from paperlib.explore.subject import Edits, Shown

NEAR = 0.4
"""Degrees 2θ within which a click means a line."""
_SAME_LINE = 1e-3
"""Relative difference of two spacings below which a line is one that was found before: its top may move by a point
where a neighbour goes."""


def edited_points(measured: MeasuredPattern, edits: Edits, instrument: Instrument) -> Shown:
    """A measured pattern on the points of ``instrument``. A line that is taken away is cut down to the straight line
    between its feet; one that is put in has the shape of the instrument. Raises PatternError, a ValueError, where the
    pattern does not fit the instrument, and ValueError where nothing is left of it."""
    intensity, seen = on_instrument(measured, instrument)
    changed = intensity.astype(np.float64)
    as_it_was = to_read(intensity, seen)
    if edits.taken:
        above = above_baseline(as_it_was[None], instrument.step)[0]
        scale = float((as_it_was - baseline(as_it_was[None], instrument.step)[0])[seen].max())
        found = lines_in(as_it_was, instrument, doublet_of(measured))
        gone = [line for line in found if _among(line.d, edits.taken)]
        for line in gone:
            changed -= scale * (above - without(above, line))
    if edits.put:
        d, height = np.array(edits.put).T
        angle = angle_of(d, diffractometer(instrument).mean_wavelength)
        lines = single_lines(np.zeros(len(d), dtype=np.int64), np.zeros((len(d), 3)), angle, 1, instrument)
        lines = replace(lines, intensity=lines.intensity * torch.from_numpy(height))
        changed += draw_peaks(lines, instrument)[0].numpy()
    if not changed[seen].max() > 0:
        raise ValueError("nothing is left of the pattern; put a line back")
    changed = np.where(seen, changed / changed[seen].max(), np.nan)
    mean = diffractometer(instrument).mean_wavelength
    doublet = doublet_of(measured)
    return Shown(instrument.grid(), changed, mean, to_read(changed, seen), None, instrument, doublet)


def lines_in(pattern: np.ndarray, instrument: Instrument, doublet: Doublet | None) -> tuple[Line, ...]:
    """The lines of a ``pattern`` (n_points,) on the points of ``instrument``, by rising angle."""
    above = above_baseline(pattern[None], instrument.step)[0]
    return find_lines(above, is_measured(pattern), diffractometer(instrument), doublet)


def to_read(intensity: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(n_points,) float32 as networks read it, ``NOT_MEASURED`` where nothing was ``seen``."""
    return np.where(seen, intensity, NOT_MEASURED).astype(np.float32)


def _among(d: float, spacings: tuple[float, ...]) -> bool:
    return any(abs(d / one - 1) < _SAME_LINE for one in spacings)

"""Measured powder patterns as instruments write them, read with their wavelength and put on an instrument's points.

1. The file is read whole, if it is not too large, and its kind is told by its content.
2. x and y of the formats of instruments are read by geddes (MIT, J. C. Wang; github.com/jcwang587/geddes), those of
   text and powder CIF here; the wavelength and the radiation come from the header, or from the user, never from a
   default.
3. x becomes 2θ; points are put in order. What is repaired is a warning, what cannot be is a :class:`PatternError`.

What is not done: no background, Kα2 or sample displacement is removed, and the intensity keeps the polarisation and
Lorentz factors of its own wavelength when another one is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from paperlib.datasets.patterns_read import cleaning
from paperlib.datasets.patterns_read.axis import as_two_theta
from paperlib.datasets.patterns_read.beam import Beam, settled
from paperlib.datasets.patterns_read.formats import scan_of
from paperlib.datasets.patterns_read.opened import PatternError, opened
from paperlib.datasets.patterns_read.regridding import at_wavelength, on_grid
from paperlib.diffraction.without_torch import Diffractometer

if TYPE_CHECKING:
    from paperlib.diffraction.instrument import Instrument

__all__ = ["MeasuredPattern", "PatternError", "on_instrument", "read_pattern", "read_patterns"]

MIN_OVERLAP = 15.0
"""Degrees 2θ of an instrument's range that a pattern must cover."""


@dataclass(frozen=True, eq=False)
class MeasuredPattern:
    """A powder pattern and the beam that it was measured with."""

    two_theta: np.ndarray
    """(n,) float64 degrees, strictly increasing, between 0 and 180."""
    intensity: np.ndarray
    """(n,) float64, in the units of the file, not negative."""
    wavelength: float
    """Å; of a doublet the first line."""
    second_wavelength: float
    """Å: the other line of a doublet, 0 for one line."""
    second_ratio: float
    """Intensity of the second line relative to the first."""
    radiation: str
    """``xray`` or ``neutron``."""
    source: Path
    """The file."""
    format: str
    """``xrdml``, ``brml``, ``rasx``, ``bruker raw 1`` to ``4``, ``uxd``, ``ras``, ``gsas``, ``pdcif`` or ``text``."""
    warnings: tuple[str, ...]
    """What was assumed or repaired."""

    @property
    def mean_wavelength(self) -> float:
        """Å: the mean of the lines weighted with their intensities."""
        return Beam(self.wavelength, self.second_wavelength, self.second_ratio).mean


def read_pattern(path: str | Path, wavelength: float | None = None, radiation: str | None = None) -> MeasuredPattern:
    """The powder pattern of a file: the first, where it holds several.

    ``wavelength`` in Å and ``radiation`` (``"xray"`` or ``"neutron"``) are needed where the file does not state them,
    and hold, with a warning, where it states others; X-rays are assumed, with a warning unless the wavelength is that
    of a tube. Text has two columns or more, with any separator, decimal mark and encoding; q and d are converted where
    the header names them.

    Raises FileNotFoundError for a path where nothing is, and :class:`PatternError`, a ValueError that names file, line
    and remedy, for a file that is no powder pattern, states no wavelength, or cannot be trusted.
    """
    source = opened(path)
    scan = scan_of(source)
    beam, about_beam = settled(source, scan.beam, wavelength, radiation)
    whole, about_points = cleaning.complete(source, scan)
    two_theta, intensity, about_axis = as_two_theta(source, whole, beam.wavelength)
    cleaning.enough(source, len(two_theta))
    two_theta, intensity, about_order = cleaning.ordered(source, two_theta, intensity)
    cleaning.enough(source, len(two_theta))
    intensity, about_counts = cleaning.counted(source, intensity)
    warnings = [*scan.warnings, *about_beam, *about_points, *about_axis, *about_order, *about_counts]
    if scan.axis not in ("q", "q_nm", "d", "d_nm"):
        warnings += cleaning.stepping(two_theta)
    return MeasuredPattern(
        two_theta,
        intensity,
        beam.wavelength,
        beam.second_wavelength,
        beam.second_ratio,
        beam.radiation,
        source.path,
        scan.format,
        tuple(warnings),
    )


def read_patterns(
    paths: Iterable[str | Path], wavelength: float | None = None, radiation: str | None = None
) -> Iterator[tuple[Path, MeasuredPattern | PatternError | OSError]]:
    """Each path with its pattern, or with the error that :func:`read_pattern` raised for it, in the order of the paths:
    one bad file does not end the reading of the others."""
    for path in paths:
        try:
            yield Path(path), read_pattern(path, wavelength, radiation)
        except (PatternError, OSError) as error:
            yield Path(path), error


def on_instrument(pattern: MeasuredPattern, instrument: Instrument | Diffractometer) -> tuple[np.ndarray, np.ndarray]:
    """The intensity (n_points,) float32 of ``pattern`` on the points of ``instrument``, with a maximum of 1, and where
    it was measured (n_points,) bool; elsewhere the intensity is 0.

    Angles are those at which the instrument shows the same d; of doublets the mean wavelengths are compared, because
    most of their lines are not resolved. A finer pattern is averaged over the bins of the points, a coarser one
    interpolated; gaps stay gaps. The radiation is not compared. Raises PatternError where less than
    :data:`MIN_OVERLAP` degrees of the instrument's range were measured, and where nothing stands there.
    """
    mean = Beam(instrument.wavelength, instrument.second_wavelength, instrument.second_ratio).mean
    two_theta = at_wavelength(pattern.two_theta, pattern.mean_wavelength, mean)
    seen = np.isfinite(two_theta)
    first, last = instrument.two_theta
    where = f"{first:g}° to {last:g}° at {mean:g} Å"
    if seen.sum() < 2:
        raise PatternError(pattern.source, f"nothing of it can be seen from {where}; take another instrument")
    intensity, measured = on_grid(two_theta[seen], pattern.intensity[seen], instrument.grid())
    overlap = float(measured.sum()) * instrument.step
    if overlap < MIN_OVERLAP:
        raise PatternError(
            pattern.source,
            f"measured from {pattern.two_theta[0]:g}° to {pattern.two_theta[-1]:g}° at {pattern.mean_wavelength:g} Å, "
            f"that is {two_theta[seen][0]:.1f}° to {two_theta[seen][-1]:.1f}° at {mean:g} Å: {overlap:.1f}° "
            f"of {where}, less than the {MIN_OVERLAP:g}° that are needed; measure a wider range",
        )
    if not intensity.max() > 0:
        raise PatternError(pattern.source, f"nothing but zeros from {where}; measure a wider range")
    return (intensity / intensity.max()).astype(np.float32), measured

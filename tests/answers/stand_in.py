"""A reader of two-column text with the interface of ``paperlib.datasets.measured``, where that is not there."""

import dataclasses
import sys
import types
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class MeasuredPattern:
    two_theta: np.ndarray
    intensity: np.ndarray
    wavelength: float
    second_wavelength: float
    second_ratio: float
    radiation: str
    source: Path
    format: str
    warnings: tuple


class PatternError(ValueError):
    pass


def read_pattern(path, wavelength=None, radiation=None):
    text = Path(path).read_text()
    if wavelength is None:
        raise PatternError(f"{path}: the file states no wavelength; give it with --wavelength")
    try:
        rows = np.array([line.split() for line in text.splitlines()], dtype=float).reshape(-1, 2)
    except ValueError as error:
        raise PatternError(f"{path}, line 1: no two columns of numbers ({error}); export it as text") from error
    if len(rows) < 10:
        raise PatternError(f"{path}: {len(rows)} points; a pattern has more")
    second = 1.5444256 if abs(wavelength - 1.5406) < 1e-3 else 0.0
    return MeasuredPattern(rows[:, 0], rows[:, 1], wavelength, second, 0.5, radiation or "xray", Path(path), "text", ())


def on_instrument(pattern, instrument):
    mean = [
        (first + ratio * second) / (1 + ratio) if second else first
        for first, second, ratio in (
            (pattern.wavelength, pattern.second_wavelength, pattern.second_ratio),
            (instrument.wavelength, instrument.second_wavelength, instrument.second_ratio),
        )
    ]
    sine = np.sin(np.radians(pattern.two_theta / 2)) * mean[1] / mean[0]
    two_theta = 2 * np.degrees(np.arcsin(np.minimum(sine, 1)))
    grid = instrument.grid()
    measured = (grid >= two_theta[0] - instrument.step / 2) & (grid <= two_theta[-1] + instrument.step / 2)
    if measured.sum() * instrument.step < 15:
        raise PatternError(f"{pattern.source}: {measured.sum() * instrument.step:.1f}° of the range; measure more")
    intensity = np.where(measured, np.interp(grid, two_theta, pattern.intensity), 0)
    if not intensity.max() > 0:
        raise PatternError(f"{pattern.source}: nothing but zeros")
    return (intensity / intensity.max()).astype(np.float32), measured


def install():
    """Take the place of the reader, if it is not there."""
    try:
        import paperlib.datasets.measured  # noqa: F401
    except ImportError:
        module = types.ModuleType("paperlib.datasets.measured")
        names = ("MeasuredPattern", "PatternError", "read_pattern", "on_instrument")
        module.__dict__.update({name: globals()[name] for name in names})
        sys.modules["paperlib.datasets.measured"] = module

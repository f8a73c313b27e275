"""Sets of measured patterns, each on the angles that it was measured at, in one file of plain arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paperlib.lab.store import write_arrays

SHORTEST = 10
"""Points below which two columns of numbers are no pattern."""


@dataclass(frozen=True)
class LabelledPattern:
    """One pattern and what it is of: ``two_theta`` (k,) degrees, ascending, ``intensity`` (k,), ``wavelength`` in Å
    (NaN where unknown), and the number of the ``space_group``, 0 where unknown."""

    two_theta: np.ndarray
    intensity: np.ndarray
    wavelength: float
    name: str
    source_id: str
    space_group: int = 0


@dataclass(frozen=True)
class MeasuredSet:
    """Patterns one after the other: of pattern i, ``two_theta`` (degrees) and ``intensity`` from ``start[i]`` to
    ``start[i + 1]``; ``wavelength`` (n,) in Å, NaN where unknown, ``name`` and ``source_id`` (n,), and
    ``space_group`` (n,), 0 where unknown."""

    intensity: np.ndarray
    two_theta: np.ndarray
    start: np.ndarray
    wavelength: np.ndarray
    name: np.ndarray
    source_id: np.ndarray
    space_group: np.ndarray

    def __len__(self) -> int:
        return len(self.name)

    def pattern(self, index: int) -> LabelledPattern:
        """One of the patterns. Raises IndexError beyond the last."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"pattern {index} of {len(self)}")
        index %= len(self)
        points = slice(self.start[index], self.start[index + 1])
        return LabelledPattern(
            self.two_theta[points],
            self.intensity[points],
            float(self.wavelength[index]),
            str(self.name[index]),
            str(self.source_id[index]),
            int(self.space_group[index]),
        )

    def on_grid(self, two_theta: np.ndarray) -> np.ndarray:
        """The intensities (n, len(two_theta)) float32 at common angles (degrees), interpolated linearly, NaN outside
        the range that was measured."""
        patterns = np.empty((len(self), len(two_theta)), np.float32)
        for row in range(len(self)):
            one = self.pattern(row)
            patterns[row] = np.interp(two_theta, one.two_theta, one.intensity, left=np.nan, right=np.nan)
        return patterns

    def save(self, path: str | Path) -> None:
        """Write the set as a compressed ``.npz`` of plain arrays, for :func:`load_measured`."""
        write_arrays(path, vars(self))


def collect(patterns: Iterable[LabelledPattern]) -> MeasuredSet:
    """A set of patterns, which are taken one at a time; angles and intensities are kept as float32."""
    two_theta, intensity, labels = [np.empty(0, np.float32)], [np.empty(0, np.float32)], []
    for one in patterns:
        two_theta.append(one.two_theta.astype(np.float32))
        intensity.append(one.intensity.astype(np.float32))
        labels.append((one.wavelength, one.name, one.source_id, one.space_group))
    wavelength, name, source_id, space_group = zip(*labels, strict=True) if labels else [()] * 4
    return MeasuredSet(
        intensity=np.concatenate(intensity),
        two_theta=np.concatenate(two_theta),
        start=np.cumsum([len(angles) for angles in two_theta], dtype=np.int64),
        wavelength=np.array(wavelength, np.float64),
        name=np.array(name, np.str_),
        source_id=np.array(source_id, np.str_),
        space_group=np.array(space_group, np.int16),
    )


def load_measured(path: str | Path) -> MeasuredSet:
    """A set that :meth:`MeasuredSet.save` wrote. Raises FileNotFoundError, and ValueError, naming the path, for another
    or a damaged file; nothing in a file is ever run."""
    names = MeasuredSet.__dataclass_fields__
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = MeasuredSet(**{name: stored[name] for name in names})
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no set of measured patterns, or is damaged ({error})") from error
    lengths = {len(found.start) - 1, len(found.wavelength), len(found), len(found.source_id), len(found.space_group)}
    points = {len(found.two_theta), len(found.intensity), int(found.start[-1]) if len(found.start) else -1}
    if len(lengths) > 1 or len(points) > 1 or np.any(np.diff(found.start) < 0):
        raise ValueError(f"{path} is damaged: its arrays are of {sorted(lengths)} patterns and {sorted(points)} points")
    return found


def columns(two_theta: object, intensity: object) -> tuple[np.ndarray, np.ndarray]:
    """Two columns as a pattern, (k,) float64 each: finite points only, by ascending angle (degrees), the first of any
    that share one. Raises ValueError, saying why, where they are no pattern."""
    try:
        angles, counts = np.asarray(two_theta, np.float64), np.asarray(intensity, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("columns that are no numbers") from error
    if angles.ndim != 1 or angles.shape != counts.shape:
        raise ValueError("columns of unequal length")
    finite = np.isfinite(angles) & np.isfinite(counts)
    angles, first = np.unique(angles[finite], return_index=True)
    if len(angles) < SHORTEST:
        raise ValueError(f"fewer than {SHORTEST} points")
    if angles[0] < -10 or angles[-1] > 180:
        raise ValueError("angles that are no 2θ in degrees")
    return angles, counts[finite][first]

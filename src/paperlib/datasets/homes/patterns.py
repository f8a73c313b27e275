"""Measured mineral patterns of RRUFF, rebuilt from two public repositories: only the rows that are open.

Both repositories hold more patterns than are listed here. The others are kept for an examination that nothing is tuned
to: files are fetched one by one from the lists of open rows, never a folder or an archive.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

POINTS = 8500
"""Points of a pattern of the unnamed set: 5° to 89.99° in steps of 0.01°."""

_PATTERN_AT, _LABEL_AT, _SIZE = 373, 34508, 34531


def unnamed(files: Sequence[Path], rows: Sequence[int]) -> dict[str, np.ndarray]:
    """``intensity`` (n, 8500) uint16, ``two_theta`` (8500,) degrees, ``space_group`` (n,) and ``index`` (n,).

    The files are pickles, which could run code when loaded: they are never unpickled. All have one layout, and numbers
    are read at their places. Raises ValueError, naming the file, where that layout gives no pattern and no space group.
    """
    intensity = np.empty((len(files), POINTS), np.uint16)
    space_group = np.empty(len(files), np.int16)
    for row, path in enumerate(files):
        content = path.read_bytes()
        if len(content) != _SIZE:
            raise ValueError(f"{path} has {len(content)} bytes, {_SIZE} are expected: another layout")
        values = np.frombuffer(content, "<f4", POINTS, _PATTERN_AT)
        (label,) = struct.unpack_from("<q", content, _LABEL_AT)
        if not 0 <= label < 230 or not np.array_equal(values, np.clip(np.rint(values), 0, 1000)):
            raise ValueError(f"{path} holds no whole counts up to 1000 and no space group where they are expected")
        intensity[row], space_group[row] = values, label + 1
    return {
        "intensity": intensity,
        "two_theta": (5 + 0.01 * np.arange(POINTS)).astype(np.float32),
        "space_group": space_group,
        "index": np.asarray(rows, np.int16),
    }


def named(files: Sequence[Path]) -> dict[str, np.ndarray]:
    """``intensity`` (n, 8501) float32 on ``two_theta`` (8501,) degrees, interpolated from files of two columns, NaN
    outside the range that was measured. Raises ValueError, naming the file, where it has no two columns of numbers."""
    two_theta = 5 + 0.01 * np.arange(8501)
    patterns = []
    for path in files:
        try:
            angles, counts = np.loadtxt(path, ndmin=2, usecols=(0, 1)).T
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path} has no two columns of numbers: {error}") from error
        patterns.append(np.interp(two_theta, angles, counts, left=np.nan, right=np.nan))
    return {"intensity": np.array(patterns, np.float32), "two_theta": two_theta.astype(np.float32)}

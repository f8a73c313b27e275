"""Golden samples: what numbers were when their version was last raised, and whether they still are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
"""Samples are ``<name>.npz``: the arrays and, as ``version``, the version that they belong to."""


def stored(name: str, folder: Path = FOLDER) -> tuple[int, dict[str, np.ndarray]] | None:
    """Version and arrays of the sample ``name``; None where it has not been written."""
    path = folder / f"{name}.npz"
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    return int(arrays.pop("version")), arrays


def moved(before: Mapping[str, np.ndarray], now: Mapping[str, np.ndarray], tolerance: float = 0.0) -> list[str]:
    """What differs, in words, array by array.

    Floats may differ by ``tolerance`` times the largest magnitude that the array had before (0: not at all); whole
    numbers and texts may not, nor may kinds of arrays, shapes and names.
    """
    differences = [f"{name} is not made any more" for name in before.keys() - now.keys()]
    differences += [f"{name} is new" for name in now.keys() - before.keys()]
    for name in sorted(before.keys() & now.keys()):
        old, new = before[name], now[name]
        if old.shape != new.shape or old.dtype.kind != new.dtype.kind:
            differences.append(f"{name} was {old.dtype} {old.shape}, is {new.dtype} {new.shape}")
        elif old.dtype.kind != "f":
            if count := np.sum(old != new):
                differences.append(f"{name}: {count} of {old.size} differ")
        elif old.size:
            off = np.abs(new.astype(np.float64) - old)
            allowed = tolerance * np.nanmax(np.abs(old), initial=0.0)
            wrong = ~((off <= allowed) | (np.isnan(old) & np.isnan(new)))  # NaN: not known, before and now
            if wrong.any():
                first = np.argwhere(wrong)[0].tolist()
                largest = f"by up to {np.max(off):.3g}, allowed {allowed:.3g}"
                differences.append(f"{name}: {wrong.sum()} of {old.size} differ, {largest}, the first at {first}")
    return differences


def check(
    name: str, version: int, arrays: Mapping[str, np.ndarray], tolerance: float = 0.0, folder: Path = FOLDER
) -> None:
    """Compare ``arrays``, made by code whose stage ``name`` has this ``version``, with the golden sample.

    ``tolerance`` is that of :func:`moved`. Raises AssertionError, with the remedy, where there is no sample, where
    the numbers moved though the version did not, and where the version was raised without a new sample.
    """
    again = f"write the golden sample anew with `python -m tests.golden.write {name}`"
    sample = stored(name, folder)
    if sample is None:
        raise AssertionError(f"stage {name} has no golden sample; {again}")
    if sample[0] != version:
        raise AssertionError(f"stage {name} has version {version}, its golden sample version {sample[0]}; {again}")
    if differences := moved(sample[1], arrays, tolerance):
        what = "; ".join(differences)
        raise AssertionError(f"numbers moved; raise VERSION of stage {name} and {again} ({what})")

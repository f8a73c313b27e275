"""The columns of a saved set as they come from a file: no array that cannot be one of a CrystalSet passes.

A file may come from anywhere: nothing in it is run (pickles are refused), and a cell as text or a species that no
element has is named here rather than met deep in a simulation.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from paperlib.crystals.crystal_set import N_SPECIES, CrystalSet

_KINDS = {"f": "numbers with a fraction", "iu": "whole numbers", "b": "true or false", "U": "texts"}

_COLUMNS: dict[str, tuple[str, type, Callable[[np.ndarray], np.ndarray] | None, str]] = {
    "cell": ("f", np.float64, lambda a: np.isfinite(a) & (a > 0), "positive lengths (Å) and angles (degrees)"),
    "space_group": ("iu", np.int16, lambda a: (a >= 1) & (a <= 230), "numbers from 1 to 230"),
    "standard": ("b", np.bool_, None, ""),
    "site_start": ("iu", np.int64, lambda a: a >= 0, "rows of the site arrays"),
    "frac": ("f", np.float64, np.isfinite, "finite coordinates"),
    "species": ("iu", np.int16, lambda a: (a >= 1) & (a < N_SPECIES), f"species codes from 1 to {N_SPECIES - 1}"),
    "occupancy": ("f", np.float64, lambda a: (a > 0) & (a <= 1), "occupancies above 0 and up to 1"),
    "b_iso": ("f", np.float64, lambda a: ~np.isinf(a), "finite B (Å²), or NaN where it is not known"),
    "formula": ("U", np.str_, None, ""),
    "source_id": ("U", np.str_, None, ""),
}
"""By field: kind and type of its numbers, which values it may hold, and what these are in words."""


def load_set(path: str | Path) -> CrystalSet:
    """The set of an ``.npz`` that ``CrystalSet.save`` wrote. Raises ValueError, naming the file, the field and the
    value, where it is not one, FileNotFoundError where there is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [member.filename for member in archive.infolist() if member.compress_type != zipfile.ZIP_STORED]
            if packed:  # save packs nothing, and a packed megabyte may unpack to any number of gigabytes
                raise ValueError(f"{packed[0]} is compressed, which CrystalSet.save does not do")
        with np.load(path, allow_pickle=False) as arrays:
            return CrystalSet(**checked_columns({f.name: arrays[f.name] for f in fields(CrystalSet)}))
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is not a complete CrystalSet ({error}); delete it and make it again") from error


def checked_columns(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same columns in the types of a CrystalSet, whose constructor compares their shapes. Raises ValueError, naming
    field, row and value, for what a set cannot hold."""
    checked = {}
    for name, column in columns.items():
        kind, dtype, allowed, meaning = _COLUMNS[name]
        if column.dtype.kind not in kind:
            raise ValueError(f"{name} holds {column.dtype} such as {_first(column)}, expected {_KINDS[kind]}")
        if allowed is not None and not (good := allowed(column)).all():
            where = tuple(np.argwhere(~good)[0].tolist())
            raise ValueError(f"{name}{list(where)} is {column[where]}, expected {meaning}")
        checked[name] = column if dtype is np.str_ else column.astype(dtype, copy=False)
    if checked["cell"].ndim == 2 and (angles := checked["cell"][:, 3:]).size and angles.max() >= 180:
        raise ValueError(f"cell holds an angle of {angles.max()}, expected less than 180 degrees")
    return checked


def _first(column: np.ndarray) -> str:
    return repr(column.flat[0].item())[:40] if column.size else "nothing"

"""Many crystals as a few flat arrays.

A list of structure objects costs kilobytes and milliseconds per crystal; a ``CrystalSet`` holds the same
content as a struct of arrays that can be sliced without a copy, written as one file and handed to a GPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from paperlib.lab.display import ROWS, counted, one_line, small_table
from paperlib.lab.store import atomic_path

if TYPE_CHECKING:
    from pymatgen.core import Structure

DEUTERIUM = 119
"""Species code of deuterium; every other species is its atomic number (1-118)."""

N_SPECIES = DEUTERIUM + 1
"""Length of tables by species code; row 0 belongs to no element."""

_PER_CRYSTAL = ("cell", "space_group", "standard", "formula", "source_id")
_PER_SITE = ("frac", "species", "occupancy", "b_iso")


@dataclass(frozen=True, eq=False)
class CrystalSet:
    """Crystals 0 … n-1, each a whole conventional cell; sites of crystal *i* are rows
    ``site_start[i]:site_start[i + 1]`` of the site arrays (m rows in all).

    A disordered site is several rows at one place whose occupancies add up to at most 1.
    """

    cell: np.ndarray
    """(n, 6) float64: a, b, c in Å, alpha, beta, gamma in degrees."""
    space_group: np.ndarray
    """(n,) int16: number 1-230 of the symmetry that the crystal has."""
    standard: np.ndarray
    """(n,) bool: the cell stands in the standard setting of ``symmetry.groups`` (so that the operations of
    ``space_group`` map the crystal onto itself); False for a cell kept as it was given."""
    site_start: np.ndarray
    """(n + 1,) int64: row offsets into the site arrays."""
    frac: np.ndarray
    """(m, 3) float64: fractional coordinates."""
    species: np.ndarray
    """(m,) int16: atomic number, or ``DEUTERIUM``."""
    occupancy: np.ndarray
    """(m,) float64: 0 < occupancy <= 1."""
    b_iso: np.ndarray
    """(m,) float64: isotropic displacement parameter B in Å², NaN where none is known (simulated as 0)."""
    formula: np.ndarray
    """(n,) str: reduced formula."""
    source_id: np.ndarray
    """(n,) str: identifier in the source, e.g. ``mp-31117``."""

    def __post_init__(self) -> None:
        n, m = len(self.cell), len(self.frac)
        shapes = {"cell": (n, 6), "site_start": (n + 1,), "frac": (m, 3)}
        shapes |= {name: (n,) for name in _PER_CRYSTAL if name != "cell"}
        shapes |= {name: (m,) for name in _PER_SITE if name != "frac"}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"CrystalSet.{name} has shape {getattr(self, name).shape}, expected {shape}")
        if self.site_start[0] != 0 or self.site_start[-1] != m or np.any(np.diff(self.site_start) < 0):
            raise ValueError(f"CrystalSet.site_start must rise from 0 to {m}, the number of site rows")

    def __len__(self) -> int:
        return len(self.cell)

    def __repr__(self) -> str:
        only = f"{self.source_id[0]}: {self.formula[0]}" if len(self) == 1 else ""
        groups = counted(len(np.unique(self.space_group)), "space group")
        return one_line("CrystalSet", counted(len(self), "crystal"), counted(len(self.frac), "site"), groups, only)

    def _repr_html_(self) -> str:
        first = self[:ROWS]
        columns = {"source_id": first.source_id, "formula": first.formula, "space_group": first.space_group}
        lengths = zip(("a", "b", "c", "α", "β", "γ"), first.cell.T.tolist(), strict=True)
        return small_table(repr(self), columns | dict(lengths) | {"sites": first.n_sites}, len(self))

    @property
    def n_sites(self) -> np.ndarray:
        """(n,) number of site rows of each crystal."""
        return np.diff(self.site_start)

    def __getitem__(self, index: int | slice | np.ndarray | Sequence[int]) -> CrystalSet:
        """A contiguous slice shares memory with this set; any other choice of crystals copies their rows."""
        if isinstance(index, (int, np.integer)):
            i = int(index) + (len(self) if index < 0 else 0)
            if not 0 <= i < len(self):
                raise IndexError(f"crystal {index} of a set of {len(self)}")
            index = slice(i, i + 1)
        if isinstance(index, slice) and index.indices(len(self))[2] == 1:
            start, stop, _ = index.indices(len(self))
            stop = max(start, stop)
            rows: slice | np.ndarray = slice(int(self.site_start[start]), int(self.site_start[stop]))
            chosen: slice | np.ndarray = slice(start, stop)
            site_start = self.site_start[start : stop + 1] - self.site_start[start]
        else:
            chosen = np.arange(len(self))[index]
            counts = self.n_sites[chosen]
            site_start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            rows = np.arange(site_start[-1]) + np.repeat(self.site_start[chosen] - site_start[:-1], counts)
        columns = {name: getattr(self, name)[chosen] for name in _PER_CRYSTAL}
        columns |= {name: getattr(self, name)[rows] for name in _PER_SITE}
        return CrystalSet(site_start=site_start, **columns)

    @classmethod
    def empty(cls) -> CrystalSet:
        """A set of no crystals."""
        shapes = {"cell": ((0, 6), np.float64), "frac": ((0, 3), np.float64), "site_start": ((1,), np.int64)}
        shapes |= {"space_group": ((0,), np.int16), "standard": ((0,), np.bool_), "species": ((0,), np.int16)}
        shapes |= {"occupancy": ((0,), np.float64), "b_iso": ((0,), np.float64)}
        shapes |= {"formula": ((0,), np.str_), "source_id": ((0,), np.str_)}
        return cls(**{name: np.zeros(shape, dtype) for name, (shape, dtype) in shapes.items()})

    @staticmethod
    def concatenate(sets: Iterable[CrystalSet]) -> CrystalSet:
        """All crystals of ``sets``, in order. Raises ValueError when there is no set at all."""
        parts = list(sets)
        if not parts:
            raise ValueError("CrystalSet.concatenate needs at least one set")
        site_start = np.concatenate([[0], np.cumsum(np.concatenate([p.n_sites for p in parts]))])
        columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _PER_CRYSTAL + _PER_SITE}
        return CrystalSet(site_start=site_start.astype(np.int64), **columns)

    @classmethod
    def from_structures(
        cls, structures: Iterable[Structure], symprec: float = 0.01, standardise: bool = True
    ) -> CrystalSet:
        """Crystals from pymatgen structures; see :func:`paperlib.crystals.standardise.crystal_from_sites`.

        ``symprec`` is spglib's tolerance in Å. With ``standardise=False`` the cell stays as given and only
        the space group is found. Raises ValueError, naming the structure and the value, for a structure that
        cannot be used.
        """
        from paperlib.crystals.standardise import from_structures

        return from_structures(structures, symprec=symprec, standardise=standardise)

    def to_structures(self) -> list[Structure]:
        """pymatgen structures, the rows of one disordered site joined again; the source id and the
        displacement parameters are kept as properties."""
        from paperlib.crystals.standardise import to_structures

        return to_structures(self)

    def save(self, path: str | Path) -> None:
        """Write all arrays to one uncompressed ``.npz`` file, whole or not at all. Raises ValueError for a path
        with another suffix."""
        if Path(path).suffix != ".npz":
            raise ValueError(f"a CrystalSet is saved as .npz; got {path}")
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        with atomic_path(path) as partial:
            np.savez(partial, **{k: v.astype(np.str_) if v.dtype == object else v for k, v in arrays.items()})

    @classmethod
    def load(cls, path: str | Path) -> CrystalSet:
        """Read a set that :meth:`save` wrote. Raises ValueError, naming the file, the field and the value, where it is
        not one. Nothing in the file is ever run (no pickles)."""
        from paperlib.crystals.saved_columns import load_set

        return load_set(path)

"""Which reflections a powder line list needs: one of each set of equivalents, and how many it stands for.

Every Laue class has an asymmetric unit, a cone of reciprocal space that holds one reflection of each set of
equivalents (International Tables B, section 1.3.4.2.2.4). The cones are chosen so that the reflection carries the
indices that are usually printed, 200 and 311 rather than 020 and 131. A table holds the reflections of a cone inside
a box of indices; boxes come in few sizes, so that all crystals of a Laue class share tables. Those that the space
group extinguishes are left out when the limiting sphere has been cut out of the box.
"""

# ruff: noqa: E741 -- the letter l is the third Miller index
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paperlib.diffraction.absences import PERIOD, multiplicities, reflection_codes
from paperlib.diffraction.cpu import compiled_for, in_threads
from paperlib.diffraction.kernels import find_reflections

BOX_EDGES = np.array([2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256])
"""The largest indices that boxes come with. Finer steps would waste fewer candidates and need more tables."""

_Indices = NDArray[np.integer]
_CONES: dict[str, Callable[[_Indices, _Indices, _Indices], NDArray[np.bool_]]] = {
    "-1": lambda h, k, l: (l > 0) | (l == 0) & ((h > 0) | (h == 0) & (k >= 0)),
    "2/m": lambda h, k, l: (k >= 0) & ((l > 0) | (l == 0) & (h >= 0)),
    "mmm": lambda h, k, l: (h >= 0) & (k >= 0) & (l >= 0),
    "4/m": lambda h, k, l: (l >= 0) & ((h > 0) & (k >= 0) | (h == 0) & (k == 0)),
    "4/mmm": lambda h, k, l: (h >= k) & (k >= 0) & (l >= 0),
    "-3": lambda h, k, l: (h > 0) & (k >= 0) | (h == 0) & (k == 0) & (l >= 0),
    "-31m": lambda h, k, l: (h >= k) & (k >= 0) & ((k > 0) | (l >= 0)),
    "-3m1": lambda h, k, l: (h >= k) & (k >= 0) & ((h > k) | (l >= 0)),
    "6/m": lambda h, k, l: (l >= 0) & ((h > 0) & (k >= 0) | (h == 0) & (k == 0)),
    "6/mmm": lambda h, k, l: (h >= k) & (k >= 0) & (l >= 0),
    "m-3": lambda h, k, l: (l >= 0) & ((k >= l) & (h > l) | (k == l) & (h == l)),
    "m-3m": lambda h, k, l: (h >= k) & (k >= l) & (l >= 0),
}
_NEGATIVE_AXES = {"-1": (1, 1, 0), "2/m": (1, 0, 0), "-3": (0, 0, 1), "-31m": (0, 0, 1), "-3m1": (0, 0, 1)}
"""For the cones that reach into negative h, k or l: which of them."""


class ReflectionTable(NamedTuple):
    """Reflections of one asymmetric unit inside a box, without (0, 0, 0)."""

    hkl: np.ndarray
    """(r, 3) int16."""
    multiplicity: np.ndarray
    """(r,) int16: number of equivalents, Friedel opposites included."""
    code: np.ndarray
    """(r,) int32: see :func:`paperlib.diffraction.absences.reflection_codes`."""


_COLUMNS = (((3,), np.int16), ((), np.int16), ((), np.int32))
"""Shape of an entry and type of the columns of a table."""


class Candidates(NamedTuple):
    """Reflections inside the limiting sphere of several crystals, ordered by crystal and falling d."""

    crystal: Tensor
    """(r,) int64."""
    hkl: Tensor
    """(r, 3) int16."""
    multiplicity: Tensor
    """(r,) int16."""
    inverse_d_squared: Tensor
    """(r,) float64: 1 / d² in Å⁻²."""


def in_asymmetric_unit(laue: str, hkl: np.ndarray) -> np.ndarray:
    """(r,) bool: which of ``hkl`` (r, 3) lie in the asymmetric unit of an oriented Laue class."""
    return _CONES[laue](*np.asarray(hkl).T)


@functools.lru_cache(maxsize=16384)
def reflection_table(laue: str, box: tuple[int, int, int]) -> ReflectionTable:
    """Reflections with |h|, |k|, |l| up to ``box``, one of each set of equivalents under an oriented Laue class
    (:func:`paperlib.diffraction.absences.oriented_laue_class`), systematic absences included."""
    lower = -np.array(box) * _NEGATIVE_AXES.get(laue, (0, 0, 0))
    shape = tuple(int(high - low + 1) for low, high in zip(lower, box, strict=True))
    hkl = np.indices(shape, dtype=np.int16).reshape(3, -1).T + lower.astype(np.int16)
    hkl = hkl[in_asymmetric_unit(laue, hkl) & hkl.any(axis=1)]
    code = reflection_codes(*hkl.T.astype(np.int32))
    return ReflectionTable(hkl, multiplicities(laue)[code // PERIOD**3], code)


def boxes(cell: np.ndarray, max_inverse_d: float) -> np.ndarray:
    """(n, 3) int64: for cells (n, 6) the box that holds every reflection with 1 / d <= ``max_inverse_d`` Å⁻¹.

    |h| = |a · G| <= a |G|, so that a / d bounds h whatever the angles. Raises ValueError for an edge that needs
    indices beyond the largest box.
    """
    bound = np.floor(cell[:, :3] * max_inverse_d + 1e-9)
    if bound.max(initial=0) > BOX_EDGES[-1]:
        raise ValueError(
            f"a cell edge of {cell[:, :3].max():.6g} Å needs reflection indices up to {bound.max():.0f}, beyond "
            f"{BOX_EDGES[-1]}; leave the crystal out, shorten the 2θ range or take a longer wavelength"
        )
    return BOX_EDGES[np.searchsorted(BOX_EDGES, bound)]


def reciprocal_metric(cell: np.ndarray) -> np.ndarray:
    """(n, 3, 3) metric tensors of the reciprocal lattices in Å⁻² for cells (n, 6) in Å and degrees."""
    a, b, c = cell[:, :3].T
    # A cosine of exactly zero keeps lines that symmetry makes equal equal to the last digit.
    cosine = np.where(cell[:, 3:] == 90.0, 0.0, np.cos(np.radians(cell[:, 3:])))
    direct = np.empty((len(cell), 3, 3))
    direct[:, 0, 0], direct[:, 1, 1], direct[:, 2, 2] = a * a, b * b, c * c
    direct[:, 1, 2] = direct[:, 2, 1] = b * c * cosine[:, 0]
    direct[:, 0, 2] = direct[:, 2, 0] = a * c * cosine[:, 1]
    direct[:, 0, 1] = direct[:, 1, 0] = a * b * cosine[:, 2]
    return np.linalg.inv(direct)


def candidates(
    tables: list[ReflectionTable],
    table_of: np.ndarray,
    present: np.ndarray,
    present_of: np.ndarray,
    cell: np.ndarray,
    inverse_d_range: tuple[float, float],
    device: torch.device | str,
) -> Candidates:
    """Reflections of n crystals with 1 / d inside ``inverse_d_range`` (Å⁻¹, ends included).

    Crystal i, with cell ``cell[i]`` ((n, 6), Å and degrees), takes those of ``tables[table_of[i]]`` whose code is set
    in ``present[present_of[i]]``, ``present`` (p, ``N_CODES``) bool being rows of
    :func:`paperlib.diffraction.absences.present_codes`.
    """
    length = np.array([len(table.hkl) for table in tables], dtype=np.int64)
    first = np.cumsum(length) - length
    no_table = ReflectionTable(*(np.zeros((0, *shape), dtype) for shape, dtype in _COLUMNS))
    hkl, multiplicity, code = (np.concatenate(arrays) for arrays in zip(no_table, *tables, strict=True))
    g = reciprocal_metric(cell)[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    limits = inverse_d_range[0] ** 2, inverse_d_range[1] ** 2
    if compiled_for(torch.device(device)):
        room = np.concatenate([[0], np.cumsum(length[table_of])])
        row, inverse = np.empty(room[-1], np.int64), np.empty(room[-1])
        count = np.zeros(len(cell), np.int64)
        start = np.append(first, length.sum())
        arguments = (hkl, code, start, table_of, present, present_of, g, *limits, room)
        in_threads(lambda *ends: find_reflections(*arguments, *ends, row, inverse, count), length[table_of])
        found = np.repeat(room[:-1] - np.cumsum(count) + count, count) + np.arange(count.sum())
        row, crystal = row[found], np.repeat(np.arange(len(cell)), count)
        return Candidates(*map(torch.from_numpy, (crystal, hkl[row], multiplicity[row], inverse[found])))

    def move(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(device)

    count, shift = move(length[table_of]), move(first[table_of])
    crystal = torch.repeat_interleave(count)
    row = torch.arange(len(crystal), device=device) + (shift - (count.cumsum(0) - count))[crystal]
    hkl, multiplicity, code = move(hkl), move(multiplicity), move(code)
    h, k, l = (index[row] for index in hkl.T.to(torch.float64, memory_format=torch.contiguous_format))
    g11, g22, g33, g23, g13, g12 = (column[crystal] for column in move(g).T)
    inverse_d_squared = h * (g11 * h + 2 * g12 * k + 2 * g13 * l) + k * (g22 * k + 2 * g23 * l) + g33 * l * l

    used, present_of = np.unique(present_of, return_inverse=True)
    keep = ((inverse_d_squared >= limits[0]) & (inverse_d_squared <= limits[1])).nonzero().squeeze(1)
    place = move(present_of)[crystal[keep]] * present.shape[1] + code[row[keep]]
    keep = keep[move(present[used].reshape(-1))[place]]
    keep = keep[torch.argsort(inverse_d_squared[keep], stable=True)]
    keep = keep[torch.argsort(crystal[keep], stable=True)]
    row = row[keep]
    return Candidates(crystal[keep], hkl[row], multiplicity[row], inverse_d_squared[keep])

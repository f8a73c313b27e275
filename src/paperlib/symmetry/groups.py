"""The 230 space groups as arrays: operations, classes, cell metrics, Wyckoff positions, systematic absences.

Everything is read from ``space_groups.npz``, which ``tools/make_space_groups.py`` writes from gemmi and pyxtal.
Settings are those of International Tables A: unique axis b with cell choice 1, hexagonal axes for the R groups,
origin choice 2. Arrays that come out of a cache are read-only.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

DENOMINATOR = 24
"""Every translation of the settings used here is a multiple of 1/24."""

SPACE_GROUPS = range(1, 231)

ENANTIOMORPHIC_PAIRS = (
    (76, 78),
    (91, 95),
    (92, 96),
    (144, 145),
    (151, 153),
    (152, 154),
    (169, 170),
    (171, 172),
    (178, 179),
    (180, 181),
    (212, 213),
)
"""The 11 pairs of groups that are mirror images of one another (International Tables A, section 1.4.2)."""


class Operations(NamedTuple):
    """Symmetry operations x' = R x + t on column vectors of direct-space fractional coordinates."""

    rotations: np.ndarray
    """(n, 3, 3) int8."""
    translations: np.ndarray
    """(n, 3) float64, 0 <= t < 1."""


class CellConstraints(NamedTuple):
    """What the crystal system demands of a, b, c, alpha, beta, gamma."""

    equal_edge: tuple[int, int, int]
    """For each edge the index (0 a, 1 b, 2 c) of the first edge that it must equal; its own where it is free."""
    fixed_angle: tuple[float | None, float | None, float | None]
    """For alpha, beta, gamma the value in degrees, None where the angle is free."""


class WyckoffPosition(NamedTuple):
    """One Wyckoff position of a space group; multiplicity and orbit refer to the conventional cell."""

    letter: str
    multiplicity: int
    site_symmetry: str
    degrees_of_freedom: int
    representative: np.ndarray
    """(3, 4) float64: affine map from any point (x, y, z) to the representative point, M[:, :3] @ xyz + M[:, 3]."""
    orbit: np.ndarray
    """(multiplicity,) indices into ``operations(number)``: these carry the representative to each point once."""


_FREE = (None, None, None)
_CONSTRAINTS = {
    "triclinic": CellConstraints((0, 1, 2), _FREE),
    "monoclinic": CellConstraints((0, 1, 2), (90.0, None, 90.0)),
    "orthorhombic": CellConstraints((0, 1, 2), (90.0, 90.0, 90.0)),
    "tetragonal": CellConstraints((0, 0, 2), (90.0, 90.0, 90.0)),
    "trigonal": CellConstraints((0, 0, 2), (90.0, 90.0, 120.0)),
    "hexagonal": CellConstraints((0, 0, 2), (90.0, 90.0, 120.0)),
    "cubic": CellConstraints((0, 0, 0), (90.0, 90.0, 90.0)),
}


@functools.cache
def _tables() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("space_groups.npz"), allow_pickle=False) as archive:
        tables = {name: archive[name] for name in archive.files}
    for array in tables.values():
        array.setflags(write=False)
    return tables


def _row(number: int) -> int:
    """Row of a space group in the tables. Raises ValueError unless it is an integer from 1 to 230."""
    if not isinstance(number, (int, np.integer)) or not 1 <= number <= 230:
        raise ValueError(f"space group {number!r} does not exist; give an integer from 1 to 230")
    return int(number) - 1


def symbol(number: int) -> str:
    """Short Hermann–Mauguin symbol, e.g. ``P21/c``. Raises ValueError for a number outside 1-230."""
    return str(_tables()["symbol"][_row(number)])


def hall_number(number: int) -> int:
    """Number (1-530) of the Hall symbol of our setting, as spglib counts them; pass it to spglib, whose default
    takes origin choice 1. Raises ValueError for a number outside 1-230."""
    return int(_tables()["hall_number"][_row(number)])


def crystal_system(number: int) -> str:
    """``triclinic``, ``monoclinic``, ``orthorhombic``, ``tetragonal``, ``trigonal``, ``hexagonal`` or ``cubic``;
    the R groups are trigonal. Raises ValueError for a number outside 1-230."""
    return str(_tables()["crystal_system"][_row(number)])


def crystal_family(number: int) -> str:
    """The crystal system, with trigonal counted as hexagonal. Raises ValueError for a number outside 1-230."""
    system = crystal_system(number)
    return "hexagonal" if system == "trigonal" else system


def laue_class(number: int) -> str:
    """One of the 11 Laue classes: ``-1 2/m mmm 4/m 4/mmm -3 -3m 6/m 6/mmm m-3 m-3m``. The two orientations of
    -3m (-31m, -3m1) share one name. Raises ValueError for a number outside 1-230."""
    return str(_tables()["laue_class"][_row(number)])


def point_group(number: int) -> str:
    """One of the 32 point groups, without its orientation (-42m also for -4m2). Raises ValueError for a number
    outside 1-230."""
    return str(_tables()["point_group"][_row(number)])


def centring(number: int) -> str:
    """Lattice letter ``P``, ``A``, ``C``, ``I``, ``F`` or ``R`` (obverse, hexagonal axes). Raises ValueError for
    a number outside 1-230."""
    return str(_tables()["centring"][_row(number)])


@functools.cache
def _integer_operations(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (n, 3, 3) int8 and translations (n, 3) int8 over 24; views into the tables."""
    tables, row = _tables(), _row(number)
    rows = slice(*tables["operation_start"][row : row + 2])
    return tables["rotations"][rows], tables["translations_24"][rows]


@functools.cache
def operations(number: int) -> Operations:
    """All operations of the conventional cell, centring translations included; the identity stands first.

    The first n / (number of lattice points) operations hold one of each coset of the lattice, then the same
    again for every centring vector. Raises ValueError for a number outside 1-230.
    """
    rotations, translations_24 = _integer_operations(number)
    return Operations(rotations, _read_only(translations_24 / DENOMINATOR))


@functools.cache
def laue_rotations(number: int) -> np.ndarray:
    """(m, 3, 3) int8: the rotation parts of the group with the inversion added, each once, identity first.

    They act on columns of direct-space fractional coordinates. Reflection indices are rows and transform as
    h' = h R (``hkl @ R``): the m rows ``hkl @ laue_rotations`` hold each reflection of equal d-spacing and,
    without anomalous scattering, equal intensity. Raises ValueError for a number outside 1-230.
    """
    rotations, _ = _integer_operations(number)
    both = np.concatenate([rotations, -rotations])
    _, first = np.unique(both.reshape(-1, 9), axis=0, return_index=True)
    return _read_only(both[np.sort(first)])


def cell_constraints(number: int) -> CellConstraints:
    """Which edges are tied and which angles fixed in our setting. Raises ValueError for a number outside 1-230."""
    return _CONSTRAINTS[crystal_system(number)]


@functools.cache
def constraint_tables() -> tuple[np.ndarray, np.ndarray]:
    """The :func:`cell_constraints` of all groups: equal edges (231, 3) int, and fixed angles (231, 3) float64 in
    degrees, nan where an angle is free. Row 0 stands for no group and asks for nothing."""
    constraints = [CellConstraints((0, 1, 2), _FREE), *(cell_constraints(number) for number in SPACE_GROUPS)]
    edges = np.array([c.equal_edge for c in constraints])
    return _read_only(edges), _read_only(np.array([c.fixed_angle for c in constraints], dtype=np.float64))


def conforming_cell(number: int | np.ndarray, cell: np.ndarray, tolerance: float = 1e-4) -> np.ndarray | bool:
    """Whether cells obey the metric of the crystal system.

    ``cell`` (..., 6) holds a, b, c in Å and alpha, beta, gamma in degrees; ``number`` is one group, or (...) one for
    each cell; ``tolerance`` is relative for tied edges and in radians for fixed angles, so that both allow the same
    strain. A metric of higher symmetry conforms too. Returns a bool for one cell, else a (...) array. Raises
    ValueError for a number outside 1-230 and for a cell of another shape.
    """
    numbers, cell = np.asarray(number), np.asarray(cell, dtype=np.float64)
    if cell.shape[-1:] != (6,):
        raise ValueError(f"a cell is (..., 6): a, b, c in Å, alpha, beta, gamma in degrees; got shape {cell.shape}")
    for wrong in numbers[(numbers < 1) | (numbers > 230)].ravel()[:1]:
        _row(int(wrong))
    equal_edge, fixed_angle = (table[numbers] for table in constraint_tables())
    edges, angles = cell[..., :3], cell[..., 3:]
    tied = np.take_along_axis(edges, np.broadcast_to(equal_edge, edges.shape), axis=-1)
    wrong = np.abs(edges - tied) > tolerance * tied
    wrong |= np.abs(angles - fixed_angle) > np.degrees(tolerance)  # never where the fixed angle is nan
    conforms = ~(wrong[..., 0] | wrong[..., 1] | wrong[..., 2])
    return bool(conforms) if cell.ndim == 1 else conforms


@functools.cache
def wyckoff_positions(number: int) -> tuple[WyckoffPosition, ...]:
    """The Wyckoff positions as in International Tables A: the general position first, letter a last.

    Points of a position, for free parameters x, y, z (those that the position does not use drop out)::

        rotations, translations = operations(number)
        site = position.representative[:, :3] @ (x, y, z) + position.representative[:, 3]
        points = rotations[position.orbit] @ site + translations[position.orbit]

    Raises ValueError for a number outside 1-230.
    """
    tables, row = _tables(), _row(number)
    positions = []
    for i in range(*tables["position_start"][row : row + 2]):
        representative = _read_only(tables["representative_24"][i] / DENOMINATOR)
        orbit = tables["orbit_operation"][slice(*tables["orbit_start"][i : i + 2])]
        letter, site_symmetry = str(tables["letter"][i]), str(tables["site_symmetry"][i])
        freedom = int(tables["freedom"][i])
        positions.append(WyckoffPosition(letter, len(orbit), site_symmetry, freedom, representative, orbit))
    return tuple(positions)


@functools.cache
def _extinguishing_operations(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Operations with a glide or screw part, or a centring vector: the only ones that extinguish reflections.

    An operation (R, t) of order k has (R, t)^k = (1, k w), w the intrinsic translation (mean of R^j t); for
    h R = h, h·t = h·w, so operations whose w is zero (proper to a plane or axis that can be shifted to the
    origin) never act. Centring vectors are followed by one operation per coset of the lattice: with the
    centring condition fulfilled, the others of the coset say nothing new.
    """
    rotations, translations = (array.astype(np.int64) for array in _integer_operations(number))
    is_centring = np.all(rotations == np.eye(3, dtype=np.int64), axis=(1, 2))
    n_cosets = len(rotations) // int(is_centring.sum())
    power, summed = np.broadcast_to(np.eye(3, dtype=np.int64), rotations.shape), np.zeros_like(translations)
    for _ in range(12):  # a multiple of every order k, so that the sum is 12 w
        summed += np.einsum("nij,nj->ni", power, translations)
        power = rotations @ power
    acts = summed.any(axis=1) & (is_centring | (np.arange(len(rotations)) < n_cosets))
    return rotations[acts], translations[acts]


def is_absent(number: int, hkl: np.ndarray) -> np.ndarray:
    """(m,) bool: which reflections ``hkl`` (m, 3; integers) the space group extinguishes systematically.

    A reflection is absent when an operation (R, t) leaves it in place, h R = h, and shifts its phase: h·t is
    not an integer (International Tables B, section 1.4.4). Exact: integer arithmetic over 24. Absences that only
    the occupation of special positions causes are not counted. Raises ValueError for a number
    outside 1-230 and for indices that are not integers or not (m, 3).
    """
    _row(number)
    hkl = np.asarray(hkl)
    if hkl.ndim != 2 or hkl.shape[1] != 3 or not np.issubdtype(hkl.dtype, np.integer):
        raise ValueError(f"hkl must be integers of shape (m, 3), got {hkl.dtype} of shape {hkl.shape}")
    hkl = hkl.astype(np.int64)
    absent = np.zeros(len(hkl), dtype=bool)
    for rotation, translation in zip(*_extinguishing_operations(number), strict=True):
        absent |= (hkl @ translation % DENOMINATOR != 0) & np.all(hkl @ rotation == hkl, axis=1)
    return absent


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array

"""Cells and their volumes, distances between their periodic points, and random cells as PyXtal draws them; compiled.

Distances are taken in a :class:`Frame`. Its ``spacing`` is the distance between neighbouring lattice planes: no
vector shorter than r crosses more than r / spacing of them, so a search over the images within that range misses
none, however oblique the cell is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from paperlib.crystals.compiled import compiled
from paperlib.crystals.generator.counter_draws import normal
from paperlib.symmetry.wyckoff_tables import GRID

FLAT = 1e-14
"""Square of the volume, as a share of that of a box with the same edges, which rounding makes of none at all."""

EDGE_SPREAD = 0.35
"""Standard deviation of ln of the three numbers whose ratios become axial ratios (PyXtal's ``random_vector``)."""

SHEAR_SPREAD = 0.2
"""Standard deviation of the off-diagonal elements that make triclinic angles (PyXtal's ``random_shear_matrix``)."""


class Frame(NamedTuple):
    """The primitive lattice of a cell by its three shortest vectors: the fewest points and images to look at.

    Arrays are filled by :func:`set_frame`.
    """

    lattice: np.ndarray
    """(3, 3) Å: the vectors as rows, lower triangular."""
    spacing: np.ndarray
    """(3,) Å between neighbouring lattice planes of each vector."""
    from_cell: np.ndarray
    """(3, 3): fractions of the cell (row) @ from_cell are fractions of the three vectors."""
    vectors: np.ndarray
    """(3, 3) int64: the vectors in fractions of the cell, over ``GRID``."""


@compiled
def new_frame() -> Frame:
    """A frame to be filled."""
    return Frame(np.zeros((3, 3)), np.zeros(3), np.zeros((3, 3)), np.zeros((3, 3), np.int64))


def cell_volume(cell: np.ndarray) -> np.ndarray:
    """(…) Å³ of cells (…, 6) given by a, b, c in Å and alpha, beta, gamma in degrees; NaN where no such cell exists."""
    edges, angles = cell[..., :3], cell[..., 3:]
    with np.errstate(invalid="ignore", over="ignore"):
        cosine = np.cos(np.radians(angles))
        square = 1 - np.sum(cosine**2, axis=-1) + 2 * np.prod(cosine, axis=-1)
        volume = np.prod(edges, axis=-1) * np.sqrt(square)
    exists = np.all(edges > 0, axis=-1) & np.all((angles > 0) & (angles < 180), axis=-1) & (square > FLAT)
    return np.where(exists, volume, np.nan)


@compiled
def lattice_of(cell: np.ndarray) -> np.ndarray:
    """(3, 3) Å, rows a, b, c of ``cell`` (a, b, c in Å, alpha, beta, gamma in degrees): a along x, b in the xy plane.
    All zero where no such cell exists."""
    # degrees 90 and 120 occur in most cells, and their cosines are exact only where they are not computed
    cosines = np.empty(3)
    for i in range(3):
        angle = cell[3 + i]
        cosines[i] = 0.0 if angle == 90.0 else -0.5 if angle == 120.0 else math.cos(math.radians(angle))
    ca, cb, cg = cosines
    lattice = np.zeros((3, 3))
    inside = 1.0 - ca * ca - cb * cb - cg * cg + 2.0 * ca * cb * cg
    if inside <= 0.0:
        return lattice
    sg = math.sqrt(1.0 - cg * cg)
    lattice[0, 0] = cell[0]
    lattice[1, 0], lattice[1, 1] = cell[1] * cg, cell[1] * sg
    lattice[2, 0], lattice[2, 1] = cell[2] * cb, cell[2] * (ca - cb * cg) / sg
    lattice[2, 2] = cell[2] * math.sqrt(inside) / sg
    return lattice


@compiled
def dot(v: np.ndarray, w: np.ndarray) -> float:
    """Scalar product of two vectors (3,)."""
    return v[0] * w[0] + v[1] * w[1] + v[2] * w[2]


@compiled
def determinant(m: np.ndarray) -> float:
    """Determinant of a matrix (3, 3)."""
    return (
        m[0, 0] * (m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1])
        - m[0, 1] * (m[1, 0] * m[2, 2] - m[1, 2] * m[2, 0])
        + m[0, 2] * (m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0])
    )


@compiled
def inverse(m: np.ndarray) -> np.ndarray:
    """Inverse of a regular matrix (3, 3)."""
    out, d = np.empty((3, 3)), determinant(m)
    for i in range(3):
        for k in range(3):
            r, s = (k + 1) % 3, (k + 2) % 3
            c, e = (i + 1) % 3, (i + 2) % 3
            out[i, k] = (m[r, c] * m[s, e] - m[r, e] * m[s, c]) / d
    return out


@compiled
def product(m: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Product of two matrices (3, 3)."""
    out = np.empty((3, 3))
    for i in range(3):
        for k in range(3):
            out[i, k] = m[i, 0] * n[0, k] + m[i, 1] * n[1, k] + m[i, 2] * n[2, k]
    return out


@compiled
def set_frame(cell: np.ndarray, primitive: np.ndarray, frame: Frame) -> bool:
    """Fill ``frame`` for ``cell`` (6,) with primitive vectors ``primitive`` (3, 3; rows, fractions of the cell);
    False where no such cell exists."""
    lattice = lattice_of(cell)
    if lattice[0, 0] == 0.0:
        return False
    basis = reduced_basis(product(primitive, lattice))
    in_cell = product(basis, inverse(lattice))
    from_cell = inverse(in_cell)
    for i in range(3):
        for k in range(3):
            frame.from_cell[i, k] = from_cell[i, k]
            # a multiple of 1/6; the product with GRID is that integer but for rounding
            frame.vectors[i, k] = round(in_cell[i, k] * 6.0) * (GRID // 6)
    t = frame.lattice
    t[0, 0] = math.sqrt(dot(basis[0], basis[0]))
    t[1, 0] = dot(basis[0], basis[1]) / t[0, 0]
    t[1, 1] = math.sqrt(dot(basis[1], basis[1]) - t[1, 0] ** 2)
    t[2, 0] = dot(basis[0], basis[2]) / t[0, 0]
    t[2, 1] = (dot(basis[1], basis[2]) - t[1, 0] * t[2, 0]) / t[1, 1]
    t[2, 2] = math.sqrt(dot(basis[2], basis[2]) - t[2, 0] ** 2 - t[2, 1] ** 2)
    planes = inverse(t)
    for i in range(3):
        frame.spacing[i] = 1.0 / math.sqrt(planes[0, i] ** 2 + planes[1, i] ** 2 + planes[2, i] ** 2)
    return True


@compiled
def reduced_basis(basis: np.ndarray) -> np.ndarray:
    """The three shortest independent vectors (Minkowski), shortest first, of the lattice with rows ``basis`` (3, 3)."""
    basis = basis.copy()
    changed, steps = True, 0
    while changed and steps < 100:
        changed, steps = False, steps + 1
        for i in range(2):
            for j in range(2 - i):
                if dot(basis[j + 1], basis[j + 1]) < dot(basis[j], basis[j]):
                    for k in range(3):
                        basis[j, k], basis[j + 1, k] = basis[j + 1, k], basis[j, k]
        b0, b1, b2 = basis[0], basis[1], basis[2]
        turns = round(dot(b0, b1) / dot(b0, b0))
        if turns != 0:
            before = dot(b1, b1)
            for k in range(3):
                b1[k] -= turns * b0[k]
            changed = dot(b1, b1) < before * (1.0 - 1e-9)
        # the vector of the third layer that is nearest to the origin lies around its projection on the first two
        g00, g01, g11, p0, p1 = dot(b0, b0), dot(b0, b1), dot(b1, b1), dot(b0, b2), dot(b1, b2)
        area = g00 * g11 - g01 * g01
        x, y = round((g11 * p0 - g01 * p1) / area), round((g00 * p1 - g01 * p0) / area)
        best_x, best_y, shortest = 0, 0, dot(b2, b2) * (1.0 - 1e-9)
        for m in range(x - 1, x + 2):
            for n in range(y - 1, y + 2):
                square = 0.0
                for k in range(3):
                    square += (b2[k] - m * b0[k] - n * b1[k]) ** 2
                if square < shortest:
                    best_x, best_y, shortest, changed = m, n, square * (1.0 - 1e-9), True
        for k in range(3):
            b2[k] -= best_x * b0[k] + best_y * b1[k]
    return basis


@compiled
def nearest(d0: float, d1: float, d2: float, frame: Frame, reach: float, image: np.ndarray) -> float:
    """Squared length in Å² of the shortest vector (d + n) @ frame.lattice, n integer, that is below ``reach`` Å; else
    inf. The vector of length zero counts. ``image`` (3,) int64 gets n.
    """
    lattice, spacing = frame.lattice, frame.spacing
    best = math.inf
    limit = reach * reach
    r2 = reach / spacing[2]
    low2, high2 = math.ceil(-r2 - d2), math.floor(r2 - d2)
    if low2 > high2:
        return best
    r1 = reach / spacing[1]
    low1, high1 = math.ceil(-r1 - d1), math.floor(r1 - d1)
    if low1 > high1:
        return best
    r0 = reach / spacing[0]
    low0, high0 = math.ceil(-r0 - d0), math.floor(r0 - d0)
    for n2 in range(low2, high2 + 1):
        for n1 in range(low1, high1 + 1):
            for n0 in range(low0, high0 + 1):
                f0, f1, f2 = d0 + n0, d1 + n1, d2 + n2
                x = f0 * lattice[0, 0] + f1 * lattice[1, 0] + f2 * lattice[2, 0]
                y = f1 * lattice[1, 1] + f2 * lattice[2, 1]
                z = f2 * lattice[2, 2]
                square = x * x + y * y + z * z
                if square < limit and square < best:
                    best = square
                    image[0], image[1], image[2] = n0, n1, n2
    return best


@compiled
def draw_cell(
    state: np.ndarray,
    system: int,
    volume: float,
    angle_low: float,
    angle_high: float,
    ratio: float,
    edge: float,
    cell: np.ndarray,
) -> bool:
    """Draw a cell of crystal ``system`` (0 triclinic … 6 cubic) and ``volume`` Å³ into ``cell`` (6,), as PyXtal's
    ``generate_cellpara`` does; return whether it keeps the rules.

    Free angles lie between ``angle_low`` and ``angle_high`` degrees; ``ratio`` is the largest ratio of two edges,
    ``edge`` the shortest edge in Å.
    """
    cell[3] = cell[4] = cell[5] = 90.0
    if system == 6:
        cell[0] = cell[1] = cell[2] = volume ** (1.0 / 3.0)
        return bool(cell[0] >= edge)
    u = math.exp(EDGE_SPREAD * normal(state))
    v = math.exp(EDGE_SPREAD * normal(state))
    w = math.exp(EDGE_SPREAD * normal(state))
    if 3 <= system <= 5:
        base = 1.0
        if system > 3:
            cell[5] = 120.0
            base = math.sqrt(3.0) / 2.0
        cell[2] = w / (u * v) * (volume / base) ** (1.0 / 3.0)
        cell[0] = math.sqrt(volume / base / cell[2])
        cell[1] = cell[0]
    else:
        root = 1.0
        if system == 1:
            centre, spread = 0.5 * (angle_low + angle_high), (angle_high - angle_low) / 6.0
            cell[4] = centre + spread * normal(state)
            root = math.sin(math.radians(cell[4]))
        elif system == 0:
            root = _draw_triclinic_angles(state, cell)
        for i in range(3, 6):
            if not angle_low < cell[i] < angle_high and cell[i] != 90.0:
                return False
        if root <= 0.0:
            return False
        scale = (volume / (root * u * v * w)) ** (1.0 / 3.0)
        cell[0], cell[1], cell[2] = u * scale, v * scale, w * scale
    shortest, longest = min(cell[0], cell[1], cell[2]), max(cell[0], cell[1], cell[2])
    return bool(shortest >= edge and longest < ratio * shortest)


@compiled
def _draw_triclinic_angles(state: np.ndarray, cell: np.ndarray) -> float:
    """Angles of the rows of a random symmetric matrix with unit diagonal; returns the volume of the unit cell."""
    p, q, r = SHEAR_SPREAD * normal(state), SHEAR_SPREAD * normal(state), SHEAR_SPREAD * normal(state)
    # products of the rows (1, p, q), (p, 1, r), (q, r, 1)
    n0, n1, n2 = math.sqrt(1 + p * p + q * q), math.sqrt(1 + p * p + r * r), math.sqrt(1 + q * q + r * r)
    ca = (p * q + 2 * r) / (n1 * n2)
    cb = (2 * q + p * r) / (n0 * n2)
    cg = (2 * p + q * r) / (n0 * n1)
    cell[3], cell[4], cell[5] = math.degrees(math.acos(ca)), math.degrees(math.acos(cb)), math.degrees(math.acos(cg))
    return math.sqrt(max(0.0, 1.0 - ca * ca - cb * cb - cg * cg + 2.0 * ca * cb * cg))

"""The inner loops of line lists, compiled for the CPU (:mod:`paperlib.diffraction.cpu`)."""

# ruff: noqa: E741 -- the letter l is the third Miller index
from __future__ import annotations

import math

import numpy as np

from paperlib.diffraction.cpu import compiled, fast

_LANES = 16
"""The atoms of a kind are padded to a multiple of this, the single-precision lanes of a wide processor."""


@compiled
def find_reflections(
    hkl: np.ndarray,
    code: np.ndarray,
    table_start: np.ndarray,
    table_of: np.ndarray,
    present: np.ndarray,
    present_of: np.ndarray,
    metric: np.ndarray,
    low: float,
    high: float,
    room: np.ndarray,
    begin: int,
    end: int,
    row: np.ndarray,
    inverse: np.ndarray,
    count: np.ndarray,
) -> None:
    """Rows of the tables that crystals ``begin`` to ``end`` show between 1/d² of ``low`` and ``high``, by rising 1/d²:
    into ``row`` and ``inverse`` from ``room[i]`` on, their number into ``count[i]``."""
    for i in range(begin, end):
        g11, g22, g33, g23, g13, g12 = metric[i]
        allowed = present[present_of[i]]
        first = room[i]
        n = 0
        for r in range(table_start[table_of[i]], table_start[table_of[i] + 1]):
            h, k, l = float(hkl[r, 0]), float(hkl[r, 1]), float(hkl[r, 2])
            value = h * (g11 * h + 2 * g12 * k + 2 * g13 * l) + k * (g22 * k + 2 * g23 * l) + g33 * l * l
            if low <= value <= high and allowed[code[r]]:
                row[first + n] = r
                inverse[first + n] = value
                n += 1
        order = np.argsort(inverse[first : first + n], kind="mergesort")
        row[first : first + n] = row[first : first + n][order]
        inverse[first : first + n] = inverse[first : first + n][order]
        count[i] = n


@compiled
def find_crowded(
    frac: np.ndarray, occupancy: np.ndarray, site_start: np.ndarray, tolerance: float, limit: float, crowded: np.ndarray
) -> None:
    """Sets ``crowded[i]`` where the occupancies of the sites of crystal i within ``tolerance`` of one of them
    (fractional coordinates, modulo 1) add up to more than ``limit``."""
    for i in range(len(crowded)):
        first, last = site_start[i], site_start[i + 1]
        total = occupancy[first:last].copy()
        for j in range(first, last):
            for k in range(first, j):
                together = True
                for axis in range(3):
                    apart = frac[j, axis] - frac[k, axis]
                    if not abs(apart - round(apart)) < tolerance:
                        together = False
                        break
                if together:
                    total[j - first] += occupancy[k]
                    total[k - first] += occupancy[j]
        for value in total:
            if value > limit:
                crowded[i] = True


@compiled
def _powers(coordinate: np.ndarray, amplitude: np.ndarray, real: np.ndarray, imaginary: np.ndarray) -> None:
    """amplitude exp(2πi h x) for h = 0, 1, … into the rows of two tables, by repeated multiplication; the columns are
    the atoms at ``coordinate``, those beyond stay 0."""
    for j in range(len(coordinate)):
        angle = 2 * math.pi * (coordinate[j] - round(coordinate[j]))
        c, s = math.cos(angle), math.sin(angle)
        a, b = amplitude[j], 0.0
        for h in range(len(real)):
            real[h, j], imaginary[h, j] = a, b
            a, b = a * c - b * s, a * s + b * c


@fast
def _sums(
    cx: np.ndarray,
    sx: np.ndarray,
    cy: np.ndarray,
    sy: np.ndarray,
    cz: np.ndarray,
    sz: np.ndarray,
    sign_h: float,
    sign_k: float,
    sign_l: float,
) -> tuple[float, float]:
    """Real and imaginary part of Σ exp(2πi (hx + ky + lz)) from rows of the tables of x, y and z."""
    real, imaginary = cx.dtype.type(0), cx.dtype.type(0)
    for j in range(len(cx)):
        b, d, f = sign_h * sx[j], sign_k * sy[j], sign_l * sz[j]
        re, im = cx[j] * cy[j] - b * d, cx[j] * d + b * cy[j]
        real += re * cz[j] - im * f
        imaginary += re * f + im * cz[j]
    return real, imaginary


@fast
def _add_exponential(target: np.ndarray, amplitude: float, width: float, s_squared: np.ndarray) -> None:
    """Add amplitude exp(-width s²). Divided by 1024, six terms of the series are enough; ten squarings undo it: good to
    1e-13 of the amplitude, and unlike the library's function it can be computed for many lines at once."""
    for r in range(len(target)):
        y = -width * s_squared[r] / 1024
        e = 1 + y * (1 + y / 2 * (1 + y / 3 * (1 + y / 4 * (1 + y / 5))))
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        e *= e
        target[r] += amplitude * e


@compiled
def squared_factors(
    hkl: np.ndarray,
    s_squared: np.ndarray,
    start: np.ndarray,
    frac: np.ndarray,
    occupancy: np.ndarray,
    site_start: np.ndarray,
    kind_site: np.ndarray,
    crystal_kind: np.ndarray,
    species: np.ndarray,
    b_iso: np.ndarray,
    amplitude: np.ndarray,
    width: np.ndarray,
    constant: np.ndarray,
    second: np.ndarray,
    times_s_squared: bool,
    begin: int,
    end: int,
    result: np.ndarray,
) -> None:
    """|F|² of the reflections of crystals ``begin`` to ``end`` into ``result``, in its type.

    Sites stand by kind: those of kind q are ``kind_site[q]:kind_site[q + 1]``, the kinds of crystal i are
    ``crystal_kind[i]:crystal_kind[i + 1]``. ``second`` is f'' by species; the other tables are those of
    :class:`paperlib.diffraction.scattering.ScatteringTable`.
    """
    one = result.dtype.type(1)
    for i in range(begin, end):
        s2, n_lines = s_squared[start[i] : start[i + 1]], start[i + 1] - start[i]
        n_kinds = crystal_kind[i + 1] - crystal_kind[i]
        largest = np.zeros(3, np.int64)
        for r in range(start[i], start[i + 1]):
            for axis in range(3):
                largest[axis] = max(largest[axis], abs(hkl[r, axis]))
        column = np.zeros(n_kinds + 1, np.int64)
        for q in range(n_kinds):
            kind = crystal_kind[i] + q
            column[q + 1] = column[q] - (kind_site[kind] - kind_site[kind + 1]) // _LANES * _LANES
        cx = np.zeros((largest[0] + 1, column[-1]), result.dtype)
        cy = np.zeros((largest[1] + 1, column[-1]), result.dtype)
        cz = np.zeros((largest[2] + 1, column[-1]), result.dtype)
        sx, sy, sz = np.zeros_like(cx), np.zeros_like(cy), np.zeros_like(cz)

        factor, damping = np.zeros((n_kinds, n_lines)), np.ones((n_kinds, n_lines))
        for q in range(n_kinds):
            kind = crystal_kind[i] + q
            sites, columns = slice(kind_site[kind], kind_site[kind + 1]), slice(column[q], column[q + 1])
            ones = np.ones(kind_site[kind + 1] - kind_site[kind])
            _powers(frac[sites, 0], ones, cx[:, columns], sx[:, columns])
            _powers(frac[sites, 1], ones, cy[:, columns], sy[:, columns])
            _powers(frac[sites, 2], occupancy[sites], cz[:, columns], sz[:, columns])
            z, b = species[kind], b_iso[kind]
            for g in range(amplitude.shape[1]):
                _add_exponential(factor[q], amplitude[z, g], width[z, g], s2)
            if times_s_squared:
                factor[q] *= s2
            factor[q] += constant[z]
            if b:
                damping[q] = 0
                _add_exponential(damping[q], 1.0, b, s2)
                factor[q] *= damping[q]

        for line in range(n_lines):
            h, k, l = hkl[start[i] + line]
            signs = (one if h >= 0 else -one, one if k >= 0 else -one, one if l >= 0 else -one)
            h, k, l = abs(h), abs(k), abs(l)
            a1, b1, a2, b2 = 0.0, 0.0, 0.0, 0.0
            for q in range(n_kinds):
                c = slice(column[q], column[q + 1])
                real, imaginary = _sums(cx[h, c], sx[h, c], cy[k, c], sy[k, c], cz[l, c], sz[l, c], *signs)
                f1, f2 = factor[q, line], second[species[crystal_kind[i] + q]] * damping[q, line]
                a1, b1 = a1 + f1 * real, b1 + f1 * imaginary
                a2, b2 = a2 + f2 * real, b2 + f2 * imaginary
            result[start[i] + line] = a1 * a1 + b1 * b1 + a2 * a2 + b2 * b2

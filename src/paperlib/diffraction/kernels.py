"""The inner loops of the simulator, compiled for the CPU.

Each does what a few tensor operations do elsewhere in this room (those run on a GPU, and are the reference in the
tests), without their temporary arrays: a crystal fits into the cache of a core. Kernels release the interpreter
lock, and :func:`in_threads` gives each thread its own crystals, so that no two ever write to one place.
"""

# ruff: noqa: E741 -- the letter l is the third Miller index
from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import torch

ENABLED = True
"""False sends the CPU down the path of the GPU, for comparison."""

_LANES = 16
"""The atoms of a kind are padded to a multiple of this, the single-precision lanes of a wide processor."""

_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")
_fast = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})


def compiled_for(device: torch.device) -> bool:
    """Whether the kernels of this module do the work on ``device``."""
    return ENABLED and device.type == "cpu"


_thread = threading.local()


def each_in_a_thread(work: Callable[[slice], None], parts: list[slice]) -> None:
    """Call ``work`` for all parts, in as many threads as torch uses; in them :func:`in_threads` opens no others. The
    error of the first part that fails is raised."""

    def alone(part: slice) -> None:
        _thread.busy = True
        try:
            work(part)
        finally:
            _thread.busy = False

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for task in [pool.submit(alone, part) for part in parts]:
            task.result()


def in_threads(work: Callable[[int, int], None], cost: np.ndarray) -> None:
    """Call ``work(begin, end)`` for runs of the n items of ``cost`` (n,), in as many threads as torch uses, each with
    about the same cost."""
    threads = 1 if getattr(_thread, "busy", False) else min(torch.get_num_threads(), len(cost))
    if threads <= 1:
        work(0, len(cost))
        return
    total = np.cumsum(cost)
    cuts = np.searchsorted(total - cost / 2, total[-1] * np.arange(1, threads) / threads)
    edges = np.unique(np.concatenate([[0], cuts, [len(cost)]])).tolist()
    with ThreadPoolExecutor(len(edges) - 1) as pool:
        for task in [pool.submit(work, *ends) for ends in itertools.pairwise(edges)]:
            task.result()


@_compiled
def find_reflections(
    hkl, code, table_start, table_of, present, present_of, metric, low, high, room, begin, end, row, inverse, count
):
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


@_compiled
def find_crowded(frac, occupancy, site_start, tolerance, limit, crowded):
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


@_compiled
def _powers(coordinate, amplitude, real, imaginary):
    """amplitude exp(2πi h x) for h = 0, 1, … into the rows of two tables, by repeated multiplication; the columns are
    the atoms at ``coordinate``, those beyond stay 0."""
    for j in range(len(coordinate)):
        angle = 2 * math.pi * (coordinate[j] - round(coordinate[j]))
        c, s = math.cos(angle), math.sin(angle)
        a, b = amplitude[j], 0.0
        for h in range(len(real)):
            real[h, j], imaginary[h, j] = a, b
            a, b = a * c - b * s, a * s + b * c


@_fast
def _sums(cx, sx, cy, sy, cz, sz, sign_h, sign_k, sign_l):
    """Real and imaginary part of Σ exp(2πi (hx + ky + lz)) from rows of the tables of x, y and z."""
    real, imaginary = cx.dtype.type(0), cx.dtype.type(0)
    for j in range(len(cx)):
        b, d, f = sign_h * sx[j], sign_k * sy[j], sign_l * sz[j]
        re, im = cx[j] * cy[j] - b * d, cx[j] * d + b * cy[j]
        real += re * cz[j] - im * f
        imaginary += re * f + im * cz[j]
    return real, imaginary


@_fast
def _add_exponential(target, amplitude, width, s_squared):
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


@_compiled
def squared_factors(
    hkl, s_squared, start, frac, occupancy, site_start, kind_site, crystal_kind, species, b_iso,
    amplitude, width, constant, second, times_s_squared, begin, end, result,
):  # fmt: skip
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


@_compiled
def add_gaussians(patterns, order, start, position, width, height, reach, begin, end):
    """Add height exp(-4 ln 2 (x - position)² / width²) to the patterns ``begin`` to ``end``, at the points (counted
    from 0) within ``reach`` widths. The lines of pattern i are ``order[start[i]:start[i + 1]]``.

    From the centre outwards each value is the one before times a ratio, and each ratio the one before times a constant.
    """
    n_points = patterns.shape[1]
    for i in range(begin, end):
        pattern = patterns[i]
        for r in order[start[i] : start[i + 1]]:
            p, w = position[r], width[r]
            c = 4 * math.log(2) / (w * w)
            first, last = max(0, math.ceil(p - reach * w)), min(n_points - 1, math.floor(p + reach * w))
            if last < first:
                continue
            middle = min(max(round(p), first), last)
            x = middle - p
            peak = height[r] * math.exp(-c * x * x)
            constant = math.exp(-2 * c)
            up, down = math.exp(-c * (1 + 2 * x)), math.exp(-c * (1 - 2 * x))
            pattern[middle] += peak
            value, ratio = peak, up
            for k in range(middle + 1, last + 1):
                value *= ratio
                ratio *= constant
                pattern[k] += value
            value, ratio = peak, down
            for k in range(middle - 1, first - 1, -1):
                value *= ratio
                ratio *= constant
                pattern[k] += value


@_fast
def _add_core(pattern, u, slope, height, c4):
    number = pattern.dtype.type
    for k in range(len(pattern)):
        u2 = (u + number(k) * slope) ** 2
        pattern[k] += height * (c4 - u2 * number(0.25)) / ((u2 + number(0.25)) * (u2 * u2 + c4))


@_fast
def _add_tail(pattern, u, slope, height, c4):
    number = pattern.dtype.type
    for k in range(len(pattern)):
        u2 = (u + number(k) * slope) ** 2
        pattern[k] += height * u2 / (u2 * u2 + c4)


@_compiled
def add_cores(patterns, order, start, position, width, height, core, reach, begin, end):
    """Like :func:`add_gaussians` for the cores of Lorentzians, see :mod:`paperlib.diffraction.profile`."""
    n_points, number = patterns.shape[1], patterns.dtype.type
    for i in range(begin, end):
        for r in order[start[i] : start[i + 1]]:
            p, w = position[r], width[r]
            first, last = max(0, math.ceil(p - reach * w)), min(n_points - 1, math.floor(p + reach * w))
            if last >= first:
                scaled = number(height[r] / (2 * math.pi))
                u, slope = number((first - p) / w), number(1 / w)
                _add_core(patterns[i, first : last + 1], u, slope, scaled, number(core**4))


@_compiled
def add_tails(coarse, first, stride, order, start, position, width, height, core, begin, end):
    """Add the tails of Lorentzians to coarse grids with the points ``first`` + k ``stride``."""
    number = coarse.dtype.type
    for i in range(begin, end):
        for r in order[start[i] : start[i + 1]]:
            w = width[r]
            u, slope = number((first - position[r]) / w), number(stride / w)
            _add_tail(coarse[i], u, slope, number(height[r] / (2 * math.pi)), number(core**4))


@_compiled
def add_interpolated(patterns, coarse, stride, weights, begin, end):
    """Add coarse grids to the patterns ``begin`` to ``end``: point q ``stride`` + t takes Σ ``weights[t, i]`` times the
    coarse value q + i."""
    n_points, n_nodes = patterns.shape[1], weights.shape[1]
    for p in range(begin, end):
        for point in range(n_points):
            q, t = point // stride, point % stride
            value = 0.0
            for i in range(n_nodes):
                value += weights[t, i] * coarse[p, q + i]
            patterns[p, point] += value

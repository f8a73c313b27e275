"""Which Wyckoff positions the atoms of a crystal take, and where on them; PyXtal's method, compiled.

For each species in turn: choose a position whose multiplicity is not above the number of atoms still to place
(half of the time the largest that fits), draw its free coordinates, and where an atom comes closer to its own
images than the minimum distance, move it onto the nearest symmetry element, that is, to a position of lower
multiplicity. The site is kept if it is far enough from all others. (PyXtal: ``choose_wyckoff``, ``merge`` and
``random_crystal``; Fredericks et al., Comput. Phys. Commun. 261 (2021) 107810.)

Points are integers over ``GRID``. Rows of the flat tables are global: ``position`` and ``operation`` numbers below
are rows of :class:`WyckoffTables`.
"""

from __future__ import annotations

import math

import numpy as np

from paperlib.crystals.cell_geometry import Frame, nearest
from paperlib.crystals.compiled import compiled
from paperlib.crystals.generator.counter_draws import below, uniform
from paperlib.symmetry.wyckoff_tables import GRID, WyckoffTables

_STEP = 1.0 / GRID
_SAME = 1e-7
"""Two fractional coordinates that differ by less are the same point (GRID steps are 3e-10)."""


@compiled
def choose_position(tables: WyckoffTables, group: int, room: int, state: np.ndarray) -> int:
    """A position with at most ``room`` points, or -1: with probability 1/2 one of the largest that fit, else any."""
    first, last = tables.position_start[group], tables.position_start[group + 1]
    largest_first = uniform(state) > 0.5
    while first < last and tables.multiplicity[first] > room:
        first += 1
    if first == last:
        return -1
    if largest_first:
        last = first + 1
        while last < tables.position_start[group + 1] and tables.multiplicity[last] == tables.multiplicity[first]:
            last += 1
    return first + below(state, last - first)


@compiled
def point_on(tables: WyckoffTables, position: int, free: np.ndarray, point: np.ndarray) -> None:
    """Fill ``point`` (3,) with the representative of ``position`` for the parameters ``free`` (3,)."""
    for i in range(3):
        value = tables.shift[position, i]
        for k in range(3):
            value += tables.linear[position, i, k] * free[k]
        point[i] = value % GRID


@compiled
def settle(
    tables: WyckoffTables,
    group: int,
    position: int,
    point: np.ndarray,
    reach: float,
    frame: Frame,
) -> int:
    """Move ``point`` onto symmetry elements until none of its images is closer than ``reach`` Å.

    Of all elements that a too-close image belongs to, the nearest is taken. Returns the position that the point
    then occupies (``point`` is its representative), or -1 where no element can be reached.
    """
    rotation, translation = tables.rotation, tables.translation
    start, stop = tables.operation_start[group], tables.operation_start[group + 1]
    one_per_lattice_point = start + (stop - start) // tables.lattice_points[group]
    to_frame, lattice = frame.from_cell, frame.lattice
    image = np.zeros(3, dtype=np.int64)
    moved, turned, sum_ = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64)
    shift, mean, best_mean = np.zeros(3, np.int64), np.zeros(3), np.zeros(3)
    while True:
        found, best, best_order = False, math.inf, 0
        here = tables.multiplicity[position]
        for g in range(start + 1, one_per_lattice_point):
            for i in range(3):
                turned[i] = 0
                for k in range(3):
                    turned[i] += rotation[g, i, k] * point[k]
                moved[i] = turned[i] + translation[g, i]
            f0, f1, f2 = moved[0] - point[0], moved[1] - point[1], moved[2] - point[2]
            square = nearest(
                (f0 * to_frame[0, 0] + f1 * to_frame[1, 0] + f2 * to_frame[2, 0]) * _STEP,
                (f0 * to_frame[0, 1] + f1 * to_frame[1, 1] + f2 * to_frame[2, 1]) * _STEP,
                (f0 * to_frame[0, 2] + f1 * to_frame[1, 2] + f2 * to_frame[2, 2]) * _STEP,
                frame,
                reach,
                image,
            )
            if square == math.inf:
                continue
            same = True
            for i in range(3):
                moved[i] += (
                    image[0] * frame.vectors[0, i] + image[1] * frame.vectors[1, i] + image[2] * frame.vectors[2, i]
                )
                same = same and moved[i] == point[i]
            if same:
                continue  # the operation leaves the point in place
            found = True
            # the mean of the points that (R, t') makes one after the other lies on its element, if it has one
            for i in range(3):
                shift[i] = moved[i] - turned[i]
                sum_[i] = point[i] + moved[i]
            order = tables.rotation_order[g]
            for _ in range(order - 2):
                for i in range(3):
                    turned[i] = shift[i]
                    for k in range(3):
                        turned[i] += rotation[g, i, k] * moved[k]
                for i in range(3):
                    moved[i] = turned[i]
                    sum_[i] += moved[i]
            closes = order > 1
            for i in range(3):
                turned[i] = shift[i]
                for k in range(3):
                    turned[i] += rotation[g, i, k] * moved[k]
                closes = closes and turned[i] == point[i]
            if not closes:
                continue  # a translation, screw or glide: no point stays in place
            for i in range(3):
                mean[i] = sum_[i] * _STEP / order
            # the way to the element, in the frame and then in Å
            d0, d1, d2 = mean[0] - point[0] * _STEP, mean[1] - point[1] * _STEP, mean[2] - point[2] * _STEP
            g0 = d0 * to_frame[0, 0] + d1 * to_frame[1, 0] + d2 * to_frame[2, 0]
            g1 = d0 * to_frame[0, 1] + d1 * to_frame[1, 1] + d2 * to_frame[2, 1]
            g2 = d0 * to_frame[0, 2] + d1 * to_frame[1, 2] + d2 * to_frame[2, 2]
            x = g0 * lattice[0, 0] + g1 * lattice[1, 0] + g2 * lattice[2, 0]
            y = g1 * lattice[1, 1] + g2 * lattice[2, 1]
            z = g2 * lattice[2, 2]
            distance = x * x + y * y + z * z
            if distance < best - 1e-12:
                stabiliser = site_symmetry_order(tables, group, mean, _SAME)
                if (stop - start) < here * stabiliser:  # multiplicity (stop - start) / stabiliser becomes smaller
                    best, best_order = distance, stabiliser
                    for i in range(3):
                        best_mean[i] = mean[i]
        if not found:
            return position
        if best == math.inf:
            return -1
        position = identify(tables, group, best_mean, best_order, point, _SAME)
        if position < 0:
            return -1


@compiled
def site_symmetry_order(tables: WyckoffTables, group: int, fraction: np.ndarray, same: float) -> int:
    """How many operations of the cell leave a point (3,) in place, modulo lattice translations; ``same`` is the
    difference of fractional coordinates that counts as none."""
    count = 0
    for g in range(tables.operation_start[group], tables.operation_start[group + 1]):
        stays = True
        for i in range(3):
            d = tables.translation[g, i] * _STEP - fraction[i]
            for k in range(3):
                d += tables.rotation[g, i, k] * fraction[k]
            if abs(d - round(d)) > same:
                stays = False
                break
        if stays:
            count += 1
    return count


@compiled
def identify(
    tables: WyckoffTables, group: int, fraction: np.ndarray, order: int, point: np.ndarray, same: float
) -> int:
    """The position of a point (3,) whose site symmetry has ``order`` operations, -1 where none fits within ``same``;
    ``point`` gets its representative, exact on the grid."""
    start, stop = tables.operation_start[group], tables.operation_start[group + 1]
    free, moved = np.zeros(3, dtype=np.int64), np.zeros(3)
    for position in range(tables.position_start[group], tables.position_start[group + 1]):
        if tables.multiplicity[position] * order != stop - start:
            continue
        for g in range(start, stop):
            for i in range(3):
                moved[i] = tables.translation[g, i] * _STEP
                for k in range(3):
                    moved[i] += tables.rotation[g, i, k] * fraction[k]
            for k in range(3):
                row = tables.pivot[position, k]
                free[k] = 0
                if row >= 0:
                    value = (moved[row] - tables.shift[position, row] * _STEP) * tables.linear[position, row, k]
                    free[k] = round((value - math.floor(value)) * GRID)
            point_on(tables, position, free, point)
            fits = True
            for i in range(3):
                d = moved[i] - point[i] * _STEP
                fits = fits and abs(d - round(d)) < same
            if fits:
                return position
    return -1


@compiled
def is_clear(
    point: np.ndarray, reach_of: np.ndarray, fractions: np.ndarray, kinds: np.ndarray, n: int, frame: Frame
) -> bool:
    """Whether ``point`` keeps ``reach_of[kind]`` Å from each of the first ``n`` of ``fractions`` (m, 3; of the
    frame)."""
    image, own = np.zeros(3, dtype=np.int64), np.zeros(3)
    _to_frame(point[0], point[1], point[2], frame, own)
    for j in range(n):
        square = nearest(
            fractions[j, 0] - own[0],
            fractions[j, 1] - own[1],
            fractions[j, 2] - own[2],
            frame,
            reach_of[kinds[j]],
            image,
        )
        if square < math.inf:
            return False
    return True


@compiled
def _to_frame(x: int, y: int, z: int, frame: Frame, fraction: np.ndarray) -> None:
    for i in range(3):
        fraction[i] = (x * frame.from_cell[0, i] + y * frame.from_cell[1, i] + z * frame.from_cell[2, i]) * _STEP


@compiled
def add_to_frame(
    tables: WyckoffTables,
    position: int,
    point: np.ndarray,
    kind: int,
    frame: Frame,
    fractions: np.ndarray,
    kinds: np.ndarray,
    n: int,
) -> int:
    """Write the orbit of ``point`` in one primitive cell, as fractions of the frame, behind the first ``n`` rows;
    returns the new number of rows."""
    moved = np.zeros(3, dtype=np.int64)
    for row in range(tables.primitive_orbit_start[position], tables.primitive_orbit_start[position + 1]):
        _image_of(tables, tables.primitive_orbit[row], point, moved)
        _to_frame(moved[0], moved[1], moved[2], frame, fractions[n])
        kinds[n] = kind
        n += 1
    return n


@compiled
def add_to_cell(tables: WyckoffTables, position: int, point: np.ndarray, points: np.ndarray, n: int) -> int:
    """Write all points of the orbit of ``point`` in the cell behind the first ``n`` rows of ``points`` (m, 3)."""
    for row in range(tables.orbit_start[position], tables.orbit_start[position + 1]):
        _image_of(tables, tables.orbit[row], point, points[n])
        n += 1
    return n


@compiled
def _image_of(tables: WyckoffTables, operation: int, point: np.ndarray, image: np.ndarray) -> None:
    for i in range(3):
        value = tables.translation[operation, i]
        for k in range(3):
            value += tables.rotation[operation, i, k] * point[k]
        image[i] = value % GRID

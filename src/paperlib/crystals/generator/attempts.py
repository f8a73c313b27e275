"""One crystal after the other: cell, positions, coordinates, until the intended group is met; compiled.

Bounded everywhere: a composition gets ``Limits.cells`` cells with ``Limits.placements`` placements each, and is
given up after ``Limits.symmetry_failures`` crystals of another group. What was thrown away is counted by reason.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from paperlib.crystals.cell_geometry import Frame, draw_cell, new_frame, set_frame
from paperlib.crystals.compiled import compiled
from paperlib.crystals.generator.counter_draws import new_state, restart, uniform
from paperlib.crystals.generator.hidden_symmetry import NONE, TRANSLATION, hidden_symmetry
from paperlib.crystals.generator.wyckoff_choice import (
    add_to_cell,
    add_to_frame,
    choose_position,
    is_clear,
    point_on,
    settle,
)
from paperlib.symmetry.wyckoff_tables import GRID, WyckoffTables

REASONS = (
    "volume per atom out of range",
    "no cell with this volume keeps the rules",
    "an atom too close to its own image",
    "no place found for all atoms",
    "too few or too many sites",
    "a translation beyond the group",
    "a rotation beyond the group",
    "composition given up",
)
"""What a thrown-away attempt is counted under; the last one counts compositions, the others attempts."""

_VOLUME, _CELL, _IMAGE, _PLACE, _SITES, _TRANSLATION, _ROTATION, _COMPOSITION = range(8)
_SITE_TRIES = 10
_CELL_TRIES = 100


class Limits(NamedTuple):
    """Rules as numbers for compiled code; units Å, Å³, degrees."""

    volume_factor: float
    volume_low: float
    volume_high: float
    angle_low: float
    angle_high: float
    ratio: float
    edge: float
    margin: float
    sites_low: int
    sites_high: int
    cells: int
    placements: int
    symmetry_failures: int


class Chemistry(NamedTuple):
    """What the atoms need: minimum distances and volumes by species code (0 … 119)."""

    reach: np.ndarray
    """(N_SPECIES, N_SPECIES) Å: minimum distance of each pair of species."""
    smallest_volume: np.ndarray
    """(N_SPECIES,) Å³ per atom."""
    largest_volume: np.ndarray
    """(N_SPECIES,) Å³ per atom."""


class Order(NamedTuple):
    """What is to be made. Species of item j are rows ``species_start[j]:species_start[j + 1]``."""

    item: np.ndarray
    """(n,) int64: number of the item in its random stream."""
    group: np.ndarray
    """(n,) int64: space group."""
    species_start: np.ndarray
    """(n + 1,) int64."""
    species: np.ndarray
    """(k,) int64: species codes."""
    count: np.ndarray
    """(k,) int64: atoms per conventional cell."""
    site_start: np.ndarray
    """(k + 1,) int64: prescribed positions of a species are rows ``site_start[r]:site_start[r + 1]`` of
    ``site_position``; where there are none, positions are chosen at random."""
    site_position: np.ndarray
    """(s,) int64: rows of :class:`WyckoffTables`."""
    volume_ratio: np.ndarray
    """(q,) float64: quantiles of the cell volume over the sum of ``smallest_volume``; empty for PyXtal's estimate."""


class Work(NamedTuple):
    """The crystal being made: atoms of one primitive cell, and sites."""

    fractions: np.ndarray
    """(m, 3) float64, of the frame."""
    kinds: np.ndarray
    """(m,) int64."""
    sites: np.ndarray
    """(m, 3) int64 over ``GRID``: representative points."""
    site_kinds: np.ndarray
    """(m,) int64."""


class Made(NamedTuple):
    """What became of an :class:`Order` of n items; cells hold up to m atoms."""

    n_atoms: np.ndarray
    """(n,) int64; 0 where no crystal was found."""
    cell: np.ndarray
    """(n, 6) Å, degrees."""
    points: np.ndarray
    """(n, m, 3) int64 over ``GRID``; of item j the first ``n_atoms[j]`` count."""
    kinds: np.ndarray
    """(n, m) int64: index of the species of each atom within its item."""
    n_sites: np.ndarray
    """(n,) int64."""
    positions: np.ndarray
    """(n, m) int64: row of the Wyckoff position of each site; of item j the first ``n_sites[j]`` count."""
    rejected: np.ndarray
    """(n, len(REASONS)) int64."""


@compiled
def make(order: Order, key: np.ndarray, tables: WyckoffTables, chemistry: Chemistry, limits: Limits, m: int) -> Made:
    """Try each item of ``order`` once; ``key`` (2,) uint64 names the random stream, ``m`` is the largest number of
    atoms per cell."""
    n = len(order.item)
    made = Made(
        np.zeros(n, np.int64),
        np.zeros((n, 6)),
        np.zeros((n, m, 3), np.int64),
        np.zeros((n, m), np.int64),
        np.zeros(n, np.int64),
        np.zeros((n, m), np.int64),
        np.zeros((n, len(REASONS)), np.int64),
    )
    state = new_state()
    for j in range(n):
        restart(state, key, order.item[j])
        _make_one(order, j, state, tables, chemistry, limits, made)
        if made.n_atoms[j] == 0:
            made.rejected[j, _COMPOSITION] += 1
    return made


@compiled
def _make_one(
    order: Order, j: int, state: np.ndarray, tables: WyckoffTables, chemistry: Chemistry, limits: Limits, made: Made
) -> None:
    group, rejected, cell = order.group[j], made.rejected[j], made.cell[j]
    first, last = order.species_start[j], order.species_start[j + 1]
    frame, n_kinds, wrong_symmetry = new_frame(), last - first, 0
    work = Work(
        np.zeros((made.points.shape[1], 3)),
        np.zeros(made.points.shape[1], np.int64),
        np.zeros((made.points.shape[1], 3), np.int64),
        np.zeros(made.points.shape[1], np.int64),
    )
    for _ in range(limits.cells):
        volume = _draw_volume(order, j, state, chemistry, limits)
        atoms = 0
        for r in range(first, last):
            atoms += order.count[r]
        if not limits.volume_low <= volume / atoms <= limits.volume_high:
            rejected[_VOLUME] += 1
            continue
        for _ in range(_CELL_TRIES):
            fits = draw_cell(
                state,
                tables.system[group],
                volume,
                limits.angle_low,
                limits.angle_high,
                limits.ratio,
                limits.edge,
                cell,
            )
            if fits:
                break
        if not fits or not set_frame(cell, tables.primitive[group], frame):
            rejected[_CELL] += 1
            continue
        reach = 0.0
        for r in range(first, last):
            reach = max(reach, chemistry.reach[order.species[r], order.species[r]])
        if frame.lattice[0, 0] < reach:  # the shortest lattice vector
            rejected[_IMAGE] += 1
            continue
        for _ in range(limits.placements):
            n, n_sites = _place(order, j, state, tables, chemistry, frame, made.positions[j], work)
            if n == 0:
                rejected[_PLACE] += 1
                continue
            if not limits.sites_low <= n_sites <= limits.sites_high:
                rejected[_SITES] += 1
                continue
            hidden = hidden_symmetry(tables, group, work.fractions, work.kinds, n, n_kinds, frame, limits.margin)
            if hidden == NONE:
                _write(j, n_sites, tables, work, made)
                return
            rejected[_TRANSLATION if hidden == TRANSLATION else _ROTATION] += 1
            wrong_symmetry += 1
            if wrong_symmetry >= limits.symmetry_failures:
                return


@compiled
def _draw_volume(order: Order, j: int, state: np.ndarray, chemistry: Chemistry, limits: Limits) -> float:
    """Å³ of the conventional cell: PyXtal's estimate (a sphere per atom, between covalent and van der Waals radius,
    one draw per species), or a learnt ratio to learnt atomic volumes."""
    volume = 0.0
    learnt = len(order.volume_ratio)
    for r in range(order.species_start[j], order.species_start[j + 1]):
        low, high = chemistry.smallest_volume[order.species[r]], chemistry.largest_volume[order.species[r]]
        share = 0.0 if learnt else uniform(state)
        volume += order.count[r] * (low + share * (high - low))
    if not learnt:
        return limits.volume_factor * volume
    place = uniform(state) * (learnt - 1)
    k = int(place)
    return volume * (order.volume_ratio[k] + (place - k) * (order.volume_ratio[k + 1] - order.volume_ratio[k]))


@compiled
def _place(
    order: Order,
    j: int,
    state: np.ndarray,
    tables: WyckoffTables,
    chemistry: Chemistry,
    frame: Frame,
    positions: np.ndarray,
    work: Work,
) -> tuple[int, int]:
    """Numbers of atoms in the primitive cell and of sites placed for item ``j``; (0, 0) where not all found a place."""
    group = order.group[j]
    first, last = order.species_start[j], order.species_start[j + 1]
    free, point, reach_of = np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(last - first)
    general = tables.multiplicity[tables.position_start[group]]
    n = n_sites = 0
    for r in range(first, last):
        for other in range(first, last):
            reach_of[other - first] = chemistry.reach[order.species[r], order.species[other]]
        own = reach_of[r - first]
        row, n_rows = order.site_start[r], order.site_start[r + 1]
        prescribed = n_rows > row
        room = order.count[r]
        tries = _SITE_TRIES * (n_rows - row) if prescribed else max(2 * (room // general), _SITE_TRIES)
        while tries > 0 and room > 0:
            tries -= 1
            position = order.site_position[row] if prescribed else choose_position(tables, group, room, state)
            if position < 0:
                continue
            for i in range(3):
                free[i] = int(uniform(state) * GRID)
            point_on(tables, position, free, point)
            settled = settle(tables, group, position, point, own, frame)
            if settled < 0 or (prescribed and settled != position):
                continue
            if is_clear(point, reach_of, work.fractions, work.kinds, n, frame):
                n = add_to_frame(tables, settled, point, r - first, frame, work.fractions, work.kinds, n)
                positions[n_sites], work.site_kinds[n_sites] = settled, r - first
                for i in range(3):
                    work.sites[n_sites, i] = point[i]
                room -= tables.multiplicity[settled]
                n_sites += 1
                row += 1
        if room > 0:
            return 0, 0
    return n, n_sites


@compiled
def _write(j: int, n_sites: int, tables: WyckoffTables, work: Work, made: Made) -> None:
    """All atoms of the conventional cell of item ``j``."""
    n = 0
    for s in range(n_sites):
        end = add_to_cell(tables, made.positions[j, s], work.sites[s], made.points[j], n)
        for row in range(n, end):
            made.kinds[j, row] = work.site_kinds[s]
        n = end
    made.n_atoms[j], made.n_sites[j] = n, n_sites

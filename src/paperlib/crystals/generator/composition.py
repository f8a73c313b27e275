"""Which elements, and how many atoms of each, a random crystal of a space group is made of.

PyXtal leaves the composition to its user. "uniform" is what its users do: some elements at random, a small-integer
stoichiometry, a number of formula units, rounded to what the multiplicities of the group allow.
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import numpy as np

from paperlib.crystals.generator.least_occupation import least_multiplicity
from paperlib.crystals.minimum_distances import element_codes
from paperlib.crystals.rules import Rules
from paperlib.lab import rng
from paperlib.symmetry.wyckoff_tables import achievable_counts, wyckoff_tables

STREAM = "random crystals/composition"


class Compositions(NamedTuple):
    """Compositions of n items, p of them possible; species of possible item j are rows ``start[j]:start[j + 1]``."""

    possible: np.ndarray
    """(n,) bool: False where no numbers of atoms fit the group and ``max_atoms``."""
    start: np.ndarray
    """(p + 1,) int64."""
    species: np.ndarray
    """(k,) int64 species codes."""
    count: np.ndarray
    """(k,) int64 atoms per conventional cell."""
    site_start: np.ndarray
    """(k + 1,) int64: prescribed positions of each species, see :class:`paperlib.crystals.generator.attempts.Order`."""
    site_position: np.ndarray
    """(s,) int64."""


def draw_compositions(groups: np.ndarray, items: np.ndarray, seed: int, trial: int, rules: Rules) -> Compositions:
    """Composition number ``trial`` of each of ``items`` (n,), for the space groups ``groups`` (n,); a function of
    (seed, item, trial), its group and the rules alone."""
    if rules.composition == "uniform":
        return uniform_compositions(groups, items, seed, trial, rules)
    return rules.statistics.compositions(groups, items, seed, trial, rules)


def uniform_compositions(groups: np.ndarray, items: np.ndarray, seed: int, trial: int, rules: Rules) -> Compositions:
    """:func:`draw_compositions` for ``composition="uniform"``; no positions are prescribed."""
    n, codes = len(items), element_codes(rules.elements)
    most = rules.n_species[1]
    draws = rng.uniform(seed, f"{STREAM}/{trial}", items, 2 + 2 * most)
    n_species = rules.n_species[0] + (draws[:, 0] * (most - rules.n_species[0] + 1)).astype(np.int64)
    used = np.arange(most) < n_species[:, None]
    chosen = np.broadcast_to(np.arange(len(codes)), (n, len(codes))).copy()
    rows = np.arange(n)
    for j in range(most):  # the first steps of a Fisher-Yates shuffle
        k = j + (draws[:, 2 + j] * (len(codes) - j)).astype(np.int64)
        chosen[rows, j], chosen[rows, k] = chosen[rows, k], chosen[rows, j]
    low, high = np.log(rules.atoms_per_lattice_point)
    coefficient = np.where(used, 1 + (draws[:, 2 + most :] * rules.max_coefficient).astype(np.int64), 0)
    target = np.exp(low + draws[:, 1] * (high - low)) * wyckoff_tables().lattice_points[groups]
    wanted = target[:, None] * coefficient / coefficient.sum(axis=1, keepdims=True)
    wanted = np.rint(wanted).astype(np.int64)
    # Many groups show only where a position of high multiplicity is occupied: the main species gets that many atoms.
    main = wanted.argmax(axis=1)
    wanted[rows, main] = np.maximum(wanted[rows, main], [least_multiplicity(int(group)) for group in groups])
    count = np.where(used, _nearest_counts(rules.max_atoms)[groups[:, None], np.minimum(wanted, rules.max_atoms)], 0)
    possible = np.all((count > 0) | ~used, axis=1) & (count.sum(axis=1) <= rules.max_atoms)
    for row in np.flatnonzero(possible):
        possible[row] = positions_suffice(int(groups[row]), tuple(np.sort(count[row, used[row]]).tolist()))
    kept = used & possible[:, None]
    start = np.concatenate([[0], np.cumsum(kept[possible].sum(axis=1))])
    nothing = np.zeros(start[-1] + 1, dtype=np.int64)
    return Compositions(possible, start, codes[chosen[:, :most]][kept], count[kept], nothing, nothing[:0])


@functools.lru_cache(maxsize=200_000)
def positions_suffice(group: int, counts: tuple[int, ...]) -> bool:
    """Whether Wyckoff positions of ``group`` hold ``counts`` atoms of different species, positions without free
    parameters being used at most once in all."""
    needs, stock = _fixed_positions(group, -(-max(counts) // 200) * 200)  # few different tables
    taken = [needs[count] for count in counts if needs[count] != [(0,) * len(stock)]]

    def fits(species: int, left: tuple[int, ...]) -> bool:
        if species == len(taken):
            return True
        rests = (tuple(have - take for have, take in zip(left, need, strict=True)) for need in taken[species])
        return any(min(rest) >= 0 and fits(species + 1, rest) for rest in rests)

    return all(needs[count] for count in counts) and fits(0, stock)


@functools.lru_cache(maxsize=2_000)
def _fixed_positions(group: int, highest: int) -> tuple[list[list[tuple[int, ...]]], tuple[int, ...]]:
    """For each number of atoms 0 … ``highest`` the fewest positions without free parameters that it needs (all
    minimal choices, as numbers per multiplicity), and how many of each multiplicity the group has."""
    tables = wyckoff_tables()
    rows = slice(*tables.position_start[group : group + 2])
    multiplicity, freedom = tables.multiplicity[rows], tables.freedom[rows]
    fixed, stock = np.unique(multiplicity[freedom == 0], return_counts=True)
    free_sum = np.zeros(highest + 1, dtype=bool)
    free_sum[0] = True
    for m in np.unique(multiplicity[freedom > 0]):
        for count in range(m, highest + 1):
            free_sum[count] |= free_sum[count - m]
    needs: list[list[tuple[int, ...]]] = [[] for _ in range(highest + 1)]
    choices = sorted(itertools.product(*(range(n + 1) for n in stock)), key=sum)
    for choice in choices:
        total = int(np.dot(choice, fixed)) if len(fixed) else 0
        for count in range(total, highest + 1):
            smaller = any(all(a <= b for a, b in zip(other, choice, strict=True)) for other in needs[count])
            if free_sum[count - total] and not smaller:
                needs[count].append(choice)
    return needs, tuple(stock.tolist())


@functools.cache
def _nearest_counts(highest: int) -> np.ndarray:
    """(231, highest + 1): the achievable number of atoms that is nearest to each wanted number (the smaller of two);
    0 where a group has none up to ``highest``."""
    table = np.zeros((231, highest + 1), dtype=np.int64)
    wanted = np.arange(highest + 1)
    for group in range(1, 231):
        counts = achievable_counts(group, highest)
        if len(counts):
            table[group] = counts[np.abs(wanted[:, None] - counts).argmin(axis=1)]
    return table

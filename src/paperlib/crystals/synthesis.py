"""Random crystals of given space groups whose labels are true.

The method is PyXtal's: a composition, a cell that obeys the metric and a volume estimate, Wyckoff positions and
free coordinates at random, minimum distances by pair of elements. What it adds: a crystal is kept only if it has
no more symmetry than the group that was asked for (:mod:`paperlib.crystals.generator.hidden_symmetry`), and another is
drawn until that is so; the set stays balanced. All steps are compiled and bounded; nothing can hang.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.generator.attempts import REASONS, Made, Order, make
from paperlib.crystals.generator.composition import draw_compositions
from paperlib.crystals.rules import Rules, rules_from
from paperlib.crystals.species import reduced_formula
from paperlib.lab import rng
from paperlib.symmetry.extinction import extinction_classes
from paperlib.symmetry.groups import SPACE_GROUPS
from paperlib.symmetry.wyckoff_tables import GRID, wyckoff_tables

STREAM = "random crystals/places"
NO_COMPOSITION = "no composition fits the group"
BATCH = 1024
"""Crystals per call of compiled code: a few megabytes."""


class ImpossibleRulesError(ValueError):
    """No crystal of a space group was found under the rules; the message counts what was rejected and why."""


class Synthesis(NamedTuple):
    """Random crystals and what it took to make them."""

    crystals: CrystalSet
    rejections: dict[str, np.ndarray]
    """For each reason (231,) int64: attempts thrown away, by space group."""
    site_start: np.ndarray
    """(n + 1,) int64: occupied positions of crystal i are rows ``site_start[i]:site_start[i + 1]``."""
    position: np.ndarray
    """(s,) int64: index into ``symmetry.groups.wyckoff_positions(space_group)`` of each occupied position."""


def random_crystals(space_groups: Sequence[int] | np.ndarray, seed: int, first: int = 0, **rules: Any) -> CrystalSet:
    """One random crystal of each of ``space_groups`` (n,), in standard settings; the space group of each is the
    symmetry that it has.

    Crystal i is number ``first + i`` of ``seed``: it depends on these, its space group and the ``rules`` alone, not
    on the others. Rules are the fields of :class:`paperlib.crystals.rules.Rules`; displacement parameters are 0.
    Raises ValueError for an unknown group, element or rule and for rules that contradict one another, and
    :class:`ImpossibleRulesError`, with the rejections counted, where a bounded number of attempts meets none.
    """
    return synthesise(space_groups, seed, rules_from(**rules), first).crystals


def balanced_space_groups(
    n: int, balance: str = "space_group", scheme: str = "absences", among: Sequence[int] = SPACE_GROUPS, first: int = 0
) -> np.ndarray:
    """(n,) space groups of items ``first`` … ``first + n - 1`` of a balanced set.

    ``balance`` "space_group": the groups ``among`` in turn; "extinction_class": the extinction classes of ``scheme``
    in turn, and within each its groups in turn. Any prefix is balanced to one crystal. Raises ValueError for a group
    that does not exist, for none, and for an unknown balance or scheme.
    """
    chosen = checked_groups(among)
    if not len(chosen):
        raise ValueError("among names no space group to balance over")
    items = np.arange(first, first + n)
    if balance == "space_group":
        return chosen[items % len(chosen)]
    if balance != "extinction_class":
        raise ValueError(f"balance={balance!r} is unknown; choose 'space_group' or 'extinction_class'")
    allowed = set(chosen.tolist())
    classes = [kept for members in extinction_classes(scheme) if (kept := [m for m in members if m in allowed])]
    turn = items // len(classes)
    return np.array(
        [classes[i % len(classes)][t % len(classes[i % len(classes)])] for i, t in zip(items, turn, strict=True)]
    )


def synthesise(space_groups: Sequence[int] | np.ndarray, seed: int, rules: Rules, first: int = 0) -> Synthesis:
    """:func:`random_crystals` with the rejections and the occupied positions."""
    groups = checked_groups(space_groups)
    rejections = {reason: np.zeros(231, dtype=np.int64) for reason in (NO_COMPOSITION, *REASONS)}
    parts: list[_Part] = []
    # One crystal of each group first: rules that a group cannot meet are found out before the others are tried.
    _, scouts = np.unique(groups, return_index=True)
    for rows in (scouts, np.setdiff1d(np.arange(len(groups)), scouts)):
        for start in range(0, len(rows), BATCH):
            chunk = rows[start : start + BATCH]
            parts += _batch(groups[chunk], first + chunk, chunk, seed, rules, rejections)
    if not parts:
        return Synthesis(CrystalSet.empty(), rejections, np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64))
    return _assembled(parts, groups, seed, first, rejections)


class _Part(NamedTuple):
    """Accepted crystals of one call of compiled code, flat."""

    row: np.ndarray
    """(k,) where each belongs in the result."""
    cell: np.ndarray
    n_atoms: np.ndarray
    points: np.ndarray
    species: np.ndarray
    n_sites: np.ndarray
    position: np.ndarray


def _batch(
    groups: np.ndarray, items: np.ndarray, rows: np.ndarray, seed: int, rules: Rules, rejections: dict[str, np.ndarray]
) -> list[_Part]:
    """The crystals of some items, one composition after the other; adds to ``rejections``."""
    tables, chemistry, limits = wyckoff_tables(), rules.chemistry(), rules.limits()
    parts, pending = [], np.arange(len(items))
    for trial in range(rules.max_compositions):
        if len(pending) == 0:
            return parts
        compositions = draw_compositions(groups[pending], items[pending], seed, trial, rules)
        tried = pending[compositions.possible]
        np.add.at(rejections[NO_COMPOSITION], groups[pending[~compositions.possible]], 1)
        order = Order(items[tried], groups[tried], *compositions[1:], rules.volume_ratio())
        key = np.array(rng.stream_key(seed, f"{STREAM}/{trial}"), dtype=np.uint64)
        made = make(order, key, tables, chemistry, limits, rules.max_atoms)
        for column, reason in enumerate(REASONS):
            np.add.at(rejections[reason], groups[tried], made.rejected[:, column])
        parts.append(_accepted(made, order, rows[tried]))
        pending = np.setdiff1d(pending, tried[made.n_atoms > 0])
    if len(pending):
        group = int(groups[pending[0]])
        counts = ", ".join(f"{reason}: {count[group]}" for reason, count in rejections.items() if count[group])
        raise ImpossibleRulesError(
            f"no crystal of space group {group} (item {items[pending[0]]}) in {rules.max_compositions} compositions; "
            f"rejected for this group: {counts}. Loosen the rule that rejects most, or raise max_compositions"
        )
    return parts


def _accepted(made: Made, order: Order, rows: np.ndarray) -> _Part:
    kept = np.flatnonzero(made.n_atoms > 0)
    n_atoms, n_sites = made.n_atoms[kept], made.n_sites[kept]
    atoms = np.arange(made.points.shape[1]) < n_atoms[:, None]
    sites = np.arange(made.positions.shape[1]) < n_sites[:, None]
    species = order.species[(order.species_start[kept, None] + made.kinds[kept])[atoms]]
    first = wyckoff_tables().position_start[order.group[kept]]
    position = (made.positions[kept] - first[:, None])[sites]
    return _Part(rows[kept], made.cell[kept], n_atoms, made.points[kept][atoms], species, n_sites, position)


def _assembled(
    parts: list[_Part], groups: np.ndarray, seed: int, first: int, rejections: dict[str, np.ndarray]
) -> Synthesis:
    row, cell, n_atoms, points, species, n_sites, position = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    by_row = np.argsort(row)
    atom_rows, site_start = _ragged(n_atoms, by_row)
    position_rows, position_start = _ragged(n_sites, by_row)
    species = species[atom_rows].astype(np.int16)
    n, m = len(row), len(species)
    crystals = CrystalSet(
        cell=cell[by_row],
        space_group=groups.astype(np.int16),
        standard=np.ones(n, dtype=bool),
        site_start=site_start,
        frac=points[atom_rows] / GRID,
        species=species,
        occupancy=np.ones(m),
        b_iso=np.zeros(m),
        formula=formula_of_atoms(species, site_start),
        source_id=np.array([f"random-{seed}-{first + i}" for i in range(n)], dtype=np.str_),
    )
    return Synthesis(crystals, rejections, position_start, position[position_rows])


def _ragged(counts: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that put groups of ``counts`` rows into ``order``, and where each group then starts."""
    old = np.concatenate([[0], np.cumsum(counts)])[:-1][order]
    start = np.concatenate([[0], np.cumsum(counts[order])]).astype(np.int64)
    return np.arange(start[-1]) + np.repeat(old - start[:-1], counts[order]), start


def formula_of_atoms(species: np.ndarray, site_start: np.ndarray) -> np.ndarray:
    """(n,) str: reduced formulas of ordered crystals, atoms of crystal i in rows ``site_start[i]:site_start[i + 1]``
    of ``species``."""
    return np.array([_formula(species[a:b]) for a, b in itertools.pairwise(site_start)], dtype=np.str_)


def _formula(species: np.ndarray) -> str:
    codes, counts = np.unique(species, return_counts=True)
    divisor = math.gcd(*counts.tolist())
    return _formula_of(tuple(codes.tolist()), tuple((counts // divisor).tolist()))


@lru_cache(maxsize=100_000)
def _formula_of(codes: tuple[int, ...], counts: tuple[int, ...]) -> str:
    return reduced_formula({code: 1.0} for code, count in zip(codes, counts, strict=True) for _ in range(count))


def checked_groups(space_groups: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n,) int64 of space group numbers. Raises ValueError for anything else."""
    groups = np.asarray(space_groups)
    if groups.ndim != 1 or (len(groups) and not np.issubdtype(groups.dtype, np.integer)):
        raise ValueError(f"space_groups must be a list of whole numbers, got {groups.dtype} of shape {groups.shape}")
    if len(groups) and (wrong := groups[(groups < 1) | (groups > 230)]).size:
        raise ValueError(f"space group {wrong[0]} does not exist; give numbers from 1 to 230")
    return groups.astype(np.int64)

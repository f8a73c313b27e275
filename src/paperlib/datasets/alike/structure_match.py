"""Crystals of one formula that pymatgen's StructureMatcher calls the same structure, whatever their space group."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from paperlib.crystals.crystal_set import DEUTERIUM, CrystalSet
from paperlib.crystals.shards import ShardedCrystals
from paperlib.datasets.alike.entries import within_full
from paperlib.lab.cluster import done_in_any_order

PIECE = 250
"""Crystals in a piece of work: some seconds."""

GATHERED = 20_000
"""Crystals that are in memory at a time."""


def matching_pairs(
    crystals: CrystalSet | ShardedCrystals,
    groups: list[np.ndarray],
    tolerances: dict[str, float],
    client: Any = None,
) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Pairs (e, 2) of crystals that fit, as many as are needed to join what belongs together, and (crystal, reason) of
    what failed.

    Each of ``groups`` holds the numbers of crystals to be compared with one another. Two fit when
    ``StructureMatcher(**tolerances).fit`` says so of (a, b) or of (b, a): the matcher is not symmetric for pairs near
    its tolerances. Crystals that pymatgen cannot reduce are compared with none. ``client`` is that of
    :func:`paperlib.lab.cluster.workers`.
    """
    pairs, failed = [np.zeros((0, 2), dtype=np.int64)], []
    for gathered in _runs(groups, GATHERED):
        numbers = np.concatenate(gathered)
        here = crystals[numbers]
        cuts = np.concatenate([[0], np.cumsum([len(group) for group in gathered])])
        parts = list(_runs([np.arange(begin, end) for begin, end in itertools.pairwise(cuts)], PIECE))
        pieces = ((here[part[0][0] : part[-1][-1] + 1], [len(group) for group in part], tolerances) for part in parts)
        for piece, (found, faults) in sorted(done_in_any_order(_match, pieces, client), key=lambda done: done[0]):
            first = parts[piece][0][0]
            pairs.append(numbers[found + first])
            failed += [(int(numbers[i + first]), reason) for i, reason in faults]
    return np.concatenate(pairs), failed


def _runs(groups: Iterable[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    """Consecutive groups, so many that they hold ``size`` crystals or just more."""
    run, held = [], 0
    for group in groups:
        run.append(group)
        held += len(group)
        if held >= size:
            yield run
            run, held = [], 0
    if run:
        yield run


def _match(
    crystals: CrystalSet, sizes: list[int], tolerances: dict[str, float]
) -> tuple[np.ndarray, list[tuple[int, str]]]:
    """Pairs and faults of consecutive groups of ``crystals``, deuterium as hydrogen; runs on a worker."""
    matcher = StructureMatcher(**tolerances)
    pairs: list[tuple[int, int]] = []
    failed: list[tuple[int, str]] = []
    crystals = within_full(crystals)
    crystals = replace(crystals, species=np.where(crystals.species == DEUTERIUM, 1, crystals.species))
    structures = crystals.to_structures()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen's remarks on electronegativities and the like
        for end, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True):
            cells: dict[int, Structure] = {}
            for i in range(end - size, end):
                try:
                    cells[i] = structures[i].get_reduced_structure("niggli").get_primitive_structure()
                except Exception as error:  # pymatgen has no one class for it; an odd cell must not end the batch
                    failed.append((i, f"pymatgen cannot reduce the cell: {error}"))
            pairs += _joined(cells, matcher)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), failed


def _joined(cells: dict[int, Structure], matcher: StructureMatcher) -> Iterator[tuple[int, int]]:
    """Pairs that fit of crystals that no earlier pair joins already."""
    group = {i: {i} for i in cells}
    for i, j in itertools.combinations(cells, 2):
        if j not in group[i] and len(cells[i]) == len(cells[j]) and _fits(matcher, cells[i], cells[j]):
            together = group[i] | group[j]
            group |= dict.fromkeys(together, together)
            yield i, j


def _fits(matcher: StructureMatcher, first: Structure, second: Structure) -> bool:
    return any(matcher.fit(*pair, skip_structure_reduction=True) for pair in ((first, second), (second, first)))

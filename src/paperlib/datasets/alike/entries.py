"""What duplicates are recognised by, entry by entry, and the entries that cannot be compared."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import DEUTERIUM, N_SPECIES, CrystalSet
from paperlib.crystals.lattice_lengths import lattice_lengths
from paperlib.crystals.shards import ShardedCrystals
from paperlib.crystals.species import whole_formula
from paperlib.crystals.standardise import BadCrystalError, crystal_from_sites, sites_from_structure
from paperlib.datasets.alike.fingerprints import INSTRUMENT, begins_place
from paperlib.diffraction.problems import crystal_problems
from paperlib.diffraction.scattering import scattering_table
from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS

CHUNK = 10_000
"""Crystals that are in memory at a time."""

SYMPREC = 0.01
"""Å, spglib's tolerance where a crystal is brought to the standard setting to be compared."""

ONE_HAND = np.arange(231)
"""(231,) the space group, or the first of its enantiomorphic pair."""
ONE_HAND[[right for _, right in ENANTIOMORPHIC_PAIRS]] = [left for left, _ in ENANTIOMORPHIC_PAIRS]


class Entries(NamedTuple):
    """What is compared, for n entries."""

    usable: np.ndarray
    """(n,) bool: the entry can be compared; the others stand alone."""
    space_group: np.ndarray
    """(n,) int64; the two groups of an enantiomorphic pair count as one."""
    formula: np.ndarray
    """(n,) str: reduced formula, as the set has it."""
    composition: np.ndarray
    """(n,) str: :func:`paperlib.crystals.species.whole_formula`, one text for each composition; empty where the entry
    cannot be compared."""
    start: np.ndarray
    """(n + 1,) int64: rows of ``element`` and ``fraction``."""
    element: np.ndarray
    """(c,) int64: atomic numbers, rising within an entry; deuterium counts as hydrogen."""
    fraction: np.ndarray
    """(c,) float64: share of the atoms of the cell."""
    lengths: np.ndarray
    """(n, 7) Å, see :func:`paperlib.crystals.lattice_lengths.lattice_lengths`."""
    rank: np.ndarray
    """(n,) int64: place of the entry in an order that its id and content give, whatever the order of the set."""
    problems: pd.DataFrame
    """See :func:`entry_problems`."""


def chunks(crystals: CrystalSet | ShardedCrystals) -> Iterator[tuple[int, CrystalSet]]:
    """Number of the first crystal and the crystals of each piece of a set, a shard or two in memory at a time."""
    for first in range(0, len(crystals), CHUNK):
        yield first, crystals[first : first + CHUNK]


def comparable(part: CrystalSet) -> tuple[np.ndarray, CrystalSet, dict[int, str]]:
    """Numbers of the crystals that can be compared with others, rising; these crystals in the standard setting; and
    why the rest cannot, by number."""
    faults = dict(crystal_problems(part, INSTRUMENT, scattering_table("xray")))
    for i, formula in enumerate(part.formula.tolist()):
        try:
            whole_formula(formula)
        except ValueError as error:
            faults.setdefault(i, str(error) if formula else "has no formula")
    good = np.array([i for i in range(len(part)) if i not in faults], dtype=np.int64)
    kept, ready = [], [CrystalSet.empty()]
    for begin, end in _runs(part.standard[good]):
        numbers = good[begin:end]
        if part.standard[numbers[0]]:
            kept += numbers.tolist()
            ready.append(part[numbers])
            continue
        for i in numbers.tolist():
            try:
                ready.append(_standardised(part[i]))
                kept.append(i)
            except BadCrystalError as error:
                faults[i] = f"{error.reason}: {error.detail}"
    return np.array(kept, dtype=np.int64), CrystalSet.concatenate(ready), faults


def _runs(flags: np.ndarray) -> Iterator[tuple[int, int]]:
    """Begin and end of each run of equal flags."""
    ends = np.flatnonzero(np.diff(flags)) + 1
    return itertools.pairwise([0, *ends.tolist(), len(flags)]) if len(flags) else iter(())


def _standardised(crystal: CrystalSet) -> CrystalSet:
    structure = within_full(crystal).to_structures()[0]
    return crystal_from_sites(sites_from_structure(structure, str(crystal.source_id[0])), SYMPREC)


def within_full(crystals: CrystalSet) -> CrystalSet:
    """The crystals with no place more than full: occupancies that add up to a little more than 1, by rounding, are
    scaled down, since pymatgen ends with an error where they exceed 1."""
    if not len(crystals.frac):
        return crystals
    place = np.cumsum(begins_place(crystals)).astype(np.int64) - 1
    held = np.bincount(place, crystals.occupancy)
    return replace(crystals, occupancy=crystals.occupancy / np.maximum(held, 1.0)[place])


def read_entries(crystals: CrystalSet | ShardedCrystals) -> Entries:
    """What all entries of a set are compared by. A set in shards is never in memory as a whole."""
    faults: list[tuple[int, str]] = []
    parts: dict[str, list[np.ndarray]] = {k: [] for k in ("space_group", "formula", "id", "lengths", "counts")}
    elements, fractions = [], []
    for first, part in chunks(crystals):
        good, ready, failed = comparable(part)
        faults += [(first + i, reason) for i, reason in sorted(failed.items())]
        counts, element, fraction = _compositions(ready)
        parts["space_group"].append(_spread(ONE_HAND[ready.space_group], good, len(part), 0))
        parts["lengths"].append(_spread(lattice_lengths(ready.cell, ready.space_group), good, len(part), np.nan))
        parts["counts"].append(_spread(counts, good, len(part), 0))
        parts["formula"].append(part.formula.astype(np.str_))
        parts["id"].append(part.source_id.astype(np.str_))
        elements.append(element)
        fractions.append(fraction)
    if not parts["id"]:
        parts = {k: [np.zeros((0, 7) if k == "lengths" else 0, "U1" if k in ("formula", "id") else int)] for k in parts}
        elements, fractions = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    space_group, formula, name, lengths, counts = (np.concatenate(part) for part in parts.values())
    usable = np.ones(len(name), dtype=bool)
    usable[[i for i, _ in faults]] = False
    composition = [whole_formula(text) if good else "" for text, good in zip(formula.tolist(), usable, strict=True)]
    order = np.lexsort((*lengths.T, space_group, formula, name))
    return Entries(
        usable=usable,
        space_group=space_group,
        formula=formula,
        composition=np.array(composition, dtype=np.str_),
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        element=np.concatenate(elements),
        fraction=np.concatenate(fractions),
        lengths=lengths,
        rank=np.argsort(order),
        problems=_problem_table(name, faults),
    )


def entry_problems(crystals: CrystalSet | ShardedCrystals) -> pd.DataFrame:
    """One row per fault: ``index``, ``source_id``, ``problem``, ``compared``.

    Entries without formula, or with one that cannot be read, without atoms, with coordinates, occupancies, cells or
    elements that no pattern can be computed from, and those that spglib finds no symmetry in, are not compared with any
    other: each stands alone. Entries that share their id are compared like all others, and named here.
    """
    return read_entries(crystals).problems


def _compositions(crystals: CrystalSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of elements of each crystal (n,), and for each its elements and their shares of the atoms."""
    species = np.where(crystals.species == DEUTERIUM, 1, crystals.species).astype(np.int64)
    crystal = np.repeat(np.arange(len(crystals)), crystals.n_sites)
    keys, inverse = np.unique(crystal * N_SPECIES + species, return_inverse=True)
    amount = np.bincount(inverse, crystals.occupancy, len(keys))
    owner, element = np.divmod(keys, N_SPECIES)
    total = np.bincount(owner, amount, len(crystals))
    return np.bincount(owner, minlength=len(crystals)), element, amount / total[owner]


def _spread(values: np.ndarray, good: np.ndarray, n: int, missing: float) -> np.ndarray:
    spread = np.full((n, *values.shape[1:]), missing, dtype=values.dtype)
    spread[good] = values
    return spread


def _problem_table(names: np.ndarray, faults: list[tuple[int, str]]) -> pd.DataFrame:
    rows = [(i, names[i], reason, False) for i, reason in faults]
    times = Counter(names.tolist())
    if len(times) < len(names):
        shared = [(i, name) for i, name in enumerate(names.tolist()) if times[name] > 1]
        rows += [(i, name, f"id is that of {times[name]} entries", True) for i, name in shared]
    table = pd.DataFrame(rows, columns=["index", "source_id", "problem", "compared"])
    return table.sort_values("index", kind="stable", ignore_index=True)

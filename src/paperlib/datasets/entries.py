"""What duplicates are recognised by, entry by entry, and the entries that cannot be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import DEUTERIUM, CrystalSet
from paperlib.crystals.lattice_lengths import lattice_lengths
from paperlib.crystals.shards import ShardedCrystals
from paperlib.crystals.standardise import BadCrystalError, crystal_from_sites, sites_from_structure
from paperlib.datasets.fingerprints import INSTRUMENT
from paperlib.diffraction.problems import crystal_problems
from paperlib.diffraction.scattering import scattering_table
from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS

CHUNK = 10_000
"""Crystals that are in memory at a time."""

SYMPREC = 0.01
"""Å, spglib's tolerance where a crystal is brought to the standard setting to be compared."""

_LENGTH_OF_CODES = DEUTERIUM + 1
_ONE_HAND = np.arange(231)
_ONE_HAND[[right for _, right in ENANTIOMORPHIC_PAIRS]] = [left for left, _ in ENANTIOMORPHIC_PAIRS]


class Entries(NamedTuple):
    """What is compared, for n entries."""

    usable: np.ndarray
    """(n,) bool: the entry can be compared; the others stand alone."""
    space_group: np.ndarray
    """(n,) int64; the two groups of an enantiomorphic pair count as one."""
    formula: np.ndarray
    """(n,) str: reduced formula."""
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


def standard_cells(crystals: CrystalSet) -> CrystalSet:
    """The crystals in the standard setting; those that stand in it already as they are. Raises BadCrystalError (a
    ValueError), naming the crystal, where spglib finds no symmetry."""
    if crystals.standard.all():
        return crystals
    runs = np.flatnonzero(np.diff(crystals.standard, prepend=~crystals.standard[0], append=~crystals.standard[-1]))
    parts = []
    for begin, end in zip(runs[:-1].tolist(), runs[1:].tolist(), strict=True):
        part = crystals[begin:end]
        if not part.standard[0]:
            named = zip(part.to_structures(), part.source_id, strict=True)
            ready = [crystal_from_sites(sites_from_structure(s, str(name)), SYMPREC) for s, name in named]
            part = CrystalSet.concatenate(ready)
        parts.append(part)
    return CrystalSet.concatenate(parts)


def read_entries(crystals: CrystalSet | ShardedCrystals) -> Entries:
    """What all entries of a set are compared by. A set in shards is never in memory as a whole."""
    faults: list[tuple[int, str]] = []
    parts: dict[str, list[np.ndarray]] = {k: [] for k in ("space_group", "formula", "id", "lengths", "counts")}
    elements, fractions = [], []
    for first, part in chunks(crystals):
        found = dict(_unusable(part))
        good = np.array([i for i in range(len(part)) if i not in found], dtype=np.int64)
        ready, failed = _standardised(part, good)
        faults += [(first + i, reason) for i, reason in sorted((found | failed).items())]
        good = np.setdiff1d(good, list(failed))
        counts, element, fraction = _compositions(ready)
        parts["space_group"].append(_spread(_ONE_HAND[ready.space_group], good, len(part), 0))
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
    order = np.lexsort((*lengths.T, space_group, formula, name))
    return Entries(
        usable=usable,
        space_group=space_group,
        formula=formula,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        element=np.concatenate(elements),
        fraction=np.concatenate(fractions),
        lengths=lengths,
        rank=np.argsort(order),
        problems=_problem_table(name, faults),
    )


def entry_problems(crystals: CrystalSet | ShardedCrystals) -> pd.DataFrame:
    """One row per fault: ``index``, ``source_id``, ``problem``, ``compared``.

    Entries without formula or atoms, with coordinates, occupancies, cells or elements that no pattern can be computed
    from, and those that spglib finds no symmetry in, are not compared with any other: each stands alone. Entries that
    share their id are compared like all others, and named here.
    """
    return read_entries(crystals).problems


def _unusable(part: CrystalSet) -> list[tuple[int, str]]:
    found = dict(crystal_problems(part, INSTRUMENT, scattering_table("xray")))
    for i in np.flatnonzero(part.formula.astype(np.str_) == ""):
        found.setdefault(int(i), "has no formula")
    return sorted(found.items())


def _standardised(part: CrystalSet, good: np.ndarray) -> tuple[CrystalSet, dict[int, str]]:
    """The crystals ``good`` in the standard setting, without those that fail, and why these do."""
    try:
        return standard_cells(part[good]), {}
    except BadCrystalError:
        failed: dict[int, str] = {}
        ready = [CrystalSet.empty()]
        for i in good.tolist():
            try:
                ready.append(standard_cells(part[i]))
            except BadCrystalError as error:
                failed[i] = f"{error.reason}: {error.detail}"
        return CrystalSet.concatenate(ready), failed


def _compositions(crystals: CrystalSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of elements of each crystal (n,), and for each its elements and their shares of the atoms."""
    species = np.where(crystals.species == DEUTERIUM, 1, crystals.species).astype(np.int64)
    crystal = np.repeat(np.arange(len(crystals)), crystals.n_sites)
    keys, inverse = np.unique(crystal * _LENGTH_OF_CODES + species, return_inverse=True)
    amount = np.bincount(inverse, crystals.occupancy, len(keys))
    owner, element = np.divmod(keys, _LENGTH_OF_CODES)
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
        rows += [(i, n, f"id is that of {times[n]} entries", True) for i, n in enumerate(names.tolist()) if times[n] > 1]
    table = pd.DataFrame(rows, columns=["index", "source_id", "problem", "compared"])
    return table.sort_values("index", kind="stable", ignore_index=True)

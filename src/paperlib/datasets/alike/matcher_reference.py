"""What plain use of pymatgen's StructureMatcher gives, to compare with: every pair of one composition."""

from __future__ import annotations

import itertools
import time
import warnings
from typing import NamedTuple

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import whole_formula
from paperlib.datasets.alike.joining import components
from paperlib.lab.rng import permutation


class AllPairs(NamedTuple):
    """The groups of n crystals by all pairs, and what they cost."""

    groups: np.ndarray
    """(n,) int64: ``fit`` of a pair in either order, closed transitively."""
    n_pairs: int
    """Pairs of one composition; ``fit`` refuses all others at once."""
    one_sided: int
    """Pairs that fit in one order and not in the other."""
    seconds_per_pair: float
    """Of a plain call ``fit(a, b)``, mean over a sample of the pairs."""


def all_pairs(crystals: CrystalSet, n_timed: int = 200, seed: int = 0) -> AllPairs:
    """Compare all pairs of ``crystals`` in both orders, with pymatgen's default tolerances; time a plain call on
    ``n_timed`` pairs drawn with ``seed``. The reduction of each crystal, which ``fit`` repeats at every call, is done
    once. ``StructureMatcher.group_structures`` is no reference: its answer depends on the order of its input."""
    matcher = StructureMatcher()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structures = crystals.to_structures()
        reduced = [s.get_reduced_structure("niggli").get_primitive_structure() for s in structures]
        alike: dict[object, list[int]] = {}
        for i, structure in enumerate(structures):
            alike.setdefault(structure.composition.fractional_composition, []).append(i)
        pairs = [pair for group in alike.values() for pair in itertools.combinations(group, 2)]
        both = [
            [matcher.fit(reduced[a], reduced[b], skip_structure_reduction=True) for a, b in ((i, j), (j, i))]
            for i, j in pairs
        ]
        sample = [pairs[k] for k in permutation(seed, "datasets.matcher_reference", 0, len(pairs))[:n_timed]]
        start = time.perf_counter()
        for i, j in sample:
            matcher.fit(structures[i], structures[j])
        seconds = (time.perf_counter() - start) / max(len(sample), 1)
    fits = np.array([any(one) for one in both], dtype=bool)
    joined = np.array(pairs, dtype=np.int64).reshape(-1, 2)[fits]
    return AllPairs(components(len(crystals), joined), len(pairs), sum(a != b for a, b in both), seconds)


def most_repeated(crystals: CrystalSet, n: int) -> np.ndarray:
    """(n,) int64, rising: the entries whose compositions occur most often, at least twice (all, if these are
    fewer)."""
    whole = [whole_formula(text) for text in crystals.formula.tolist()]
    _, code, counts = np.unique(whole, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(counts[code] > 1)
    return np.sort(repeated[np.lexsort((repeated, -counts[code[repeated]]))][:n])

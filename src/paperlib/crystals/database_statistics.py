"""What real crystals are like, as statistics that random crystals can follow.

Learnt from the ordered crystals of a :class:`CrystalSet`, in the spirit of Schopmans et al., Digital Discovery 2
(2023) 1414, who learn theirs from the ICSD:

- how many species and occupied positions a crystal of a space group has, and how the positions are shared among the
  species (its *pattern*, e.g. 3 + 1 + 1): drawn from the crystals of the group, of its point group where the group
  has few, of all where that has few too;
- which positions of the group are occupied: counts per position, with a share from positions of equal relative
  multiplicity and freedom in all groups, so that positions and groups that the database lacks are possible;
- which element has the most positions of a crystal, and which the others;
- the volume that an atom of each element takes (non-negative least squares), and the ratio of the volume of a crystal
  to the sum over its atoms.

No crystal, and no combination of element and place, is copied. Learn from what the network may be trained on: the
statistics of a test set would leak into the training.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.crystals.crystal_set import N_SPECIES, CrystalSet
from paperlib.crystals.generator.composition import STREAM, Compositions
from paperlib.crystals.generator.least_occupation import least_multiplicity
from paperlib.crystals.minimum_distances import atomic_volumes, element_codes
from paperlib.crystals.occupied_positions import Occupation, occupied_positions
from paperlib.lab import rng
from paperlib.lab.store import sha256_of_text
from paperlib.symmetry.groups import SPACE_GROUPS, point_group
from paperlib.symmetry.wyckoff_tables import wyckoff_tables

if TYPE_CHECKING:
    from paperlib.crystals.rules import Rules

FEWEST = 20
"""Crystals of a space group, or point group, from which patterns are drawn; with fewer, a wider pool is used."""

BORROWED = 10.0
"""Weight, in occupied positions, of what other groups say about the positions of one group."""

FLOOR = 0.1
"""Least weight of a position, relative to the average one: kinds that the database lacks stay possible."""

MOST_POSITIONS = 64
"""Crystals with more occupied positions are left out: they would exceed any cell of 200 atoms but in P1."""

N_QUANTILES = 201


@dataclass(frozen=True, eq=False)
class DatabaseStatistics:
    """Statistics of a database; made by :meth:`learn`. Arrays by species code have ``N_SPECIES`` rows."""

    patterns: dict[int, tuple[tuple[int, ...], ...]]
    """For each space group the patterns to draw from, each a falling tuple of positions per species."""
    position_weight: np.ndarray
    """(positions,) float64: how often each row of the Wyckoff tables is occupied, relative within its group."""
    main_element: np.ndarray
    """(N_SPECIES,) float64: how often a species has the most positions of its crystal."""
    other_element: np.ndarray
    """(N_SPECIES,) float64: how often it is one of the others."""
    atomic_volume: np.ndarray
    """(N_SPECIES,) float64: Å³ that an atom takes."""
    volume_ratio: np.ndarray
    """(201,) float64: quantiles of the cell volume over the sum of the atomic volumes."""
    n_crystals: int
    """How many crystals were learnt from."""
    _pools: dict[tuple[int, tuple[int, int], tuple[int, int]], list[tuple[int, ...]]] = field(
        default_factory=dict, repr=False
    )

    @classmethod
    def learn(cls, crystals: CrystalSet) -> DatabaseStatistics:
        """Statistics of the ordered crystals of ``crystals`` that stand in the standard setting.

        Raises ValueError where fewer than 20 remain.
        """
        occupation = occupied_positions(crystals)
        n_positions = np.diff(occupation.start)
        used = np.flatnonzero((n_positions > 0) & (n_positions <= MOST_POSITIONS))
        if len(used) < FEWEST:
            raise ValueError(
                f"{len(used)} of {len(crystals)} crystals are ordered and in the standard setting; statistics need at "
                f"least {FEWEST}: learn from a larger set, read with standardise=True"
            )
        groups = crystals.space_group.astype(np.int64)
        observed: dict[int, list[tuple[int, ...]]] = defaultdict(list)
        main, other = np.zeros(N_SPECIES), np.zeros(N_SPECIES)
        for i in used:
            counts = Counter(occupation.species[occupation.start[i] : occupation.start[i + 1]].tolist()).most_common()
            observed[int(groups[i])].append(tuple(count for _, count in counts))
            main[counts[0][0]] += 1
            for code, _ in counts[1:]:
                other[code] += 1
        atomic_volume = _atomic_volumes(crystals, used)
        return cls(
            patterns=_pooled(observed),
            position_weight=_position_weights(groups, occupation, used),
            main_element=main,
            other_element=other,
            atomic_volume=atomic_volume,
            volume_ratio=np.quantile(_volume_ratios(crystals, used, atomic_volume), np.linspace(0, 1, N_QUANTILES)),
            n_crystals=len(used),
        )

    def checksum(self) -> str:
        """Checksum of all that is drawn from; part of the plan of a stored set."""
        arrays = (self.position_weight, self.main_element, self.other_element, self.atomic_volume, self.volume_ratio)
        return sha256_of_text(repr(sorted(self.patterns.items())), *(array.tobytes().hex() for array in arrays))

    def compositions(self, groups: np.ndarray, items: np.ndarray, seed: int, trial: int, rules: Rules) -> Compositions:
        """``composition="database"`` of :func:`paperlib.crystals.generator.composition.draw_compositions`: species,
        numbers of atoms and prescribed positions. Of the rules for compositions it obeys ``elements``, ``n_species``,
        ``n_sites`` and ``max_atoms``; a crystal too large for that loses positions of the species that has most."""
        tables = wyckoff_tables()
        codes = element_codes(rules.elements)
        tables_of_elements = [np.zeros(N_SPECIES), np.zeros(N_SPECIES)]
        for table, learnt in zip(tables_of_elements, (self.main_element, self.other_element), strict=True):
            table[codes] = learnt[codes]
        draws = rng.uniform(seed, f"{STREAM}/{trial}", items, 1 + 2 * MOST_POSITIONS)
        possible = np.zeros(len(items), dtype=bool)
        n_species, species, count, n_sites, sites = [], [], [], [], []
        for j, group in enumerate(groups):
            pool = self._pool(int(group), rules)
            if not pool:
                continue
            pattern = list(pool[int(draws[j, 0] * len(pool))])
            elements = _distinct(tables_of_elements, len(pattern), draws[j, 1 : 1 + MOST_POSITIONS])
            parts = self._positions(int(group), pattern, draws[j, 1 + MOST_POSITIONS :])
            if elements is None or parts is None or not _shrunk(parts, rules):
                continue
            possible[j] = True
            n_species.append(len(parts))
            species += elements
            for part in parts:
                count.append(tables.multiplicity[part].sum())
                n_sites.append(len(part))
                sites += part
        return Compositions(
            possible,
            np.concatenate([[0], np.cumsum(n_species)]).astype(np.int64),
            np.array(species, dtype=np.int64),
            np.array(count, dtype=np.int64),
            np.concatenate([[0], np.cumsum(n_sites)]).astype(np.int64),
            np.array(sites, dtype=np.int64),
        )

    def _pool(self, group: int, rules: Rules) -> list[tuple[int, ...]]:
        """Patterns of a group that the rules allow."""
        key = (group, rules.n_species, rules.n_sites)
        if key not in self._pools:
            (low, high), (fewest, most) = rules.n_species, rules.n_sites
            self._pools[key] = [p for p in self.patterns[group] if low <= len(p) <= high and fewest <= sum(p) <= most]
        return self._pools[key]

    def _positions(self, group: int, pattern: list[int], draws: np.ndarray) -> list[list[int]] | None:
        """Rows of the Wyckoff tables for each species, fixed points at most once; None where there are not enough.

        The first is one of those without which the group does not show (:func:`least_multiplicity`).
        """
        tables = wyckoff_tables()
        first, last = tables.position_start[group : group + 2]
        weight = self.position_weight[first:last].copy()
        needed = tables.multiplicity[first:last] >= least_multiplicity(group)
        chosen: list[int] = []
        for i in range(sum(pattern)):
            total = (weight if i else weight * needed).cumsum()
            if total[-1] <= 0:
                return None
            k = min(int(np.searchsorted(total, draws[i] * total[-1], side="right")), len(weight) - 1)
            chosen.append(int(first) + k)
            if tables.freedom[first + k] == 0:
                weight[k] = 0.0
        ends = np.cumsum(pattern)
        return [chosen[end - size : end] for size, end in zip(pattern, ends, strict=True)]


def _shrunk(parts: list[list[int]], rules: Rules) -> bool:
    """Take positions from the species that has most until the cell holds no more than ``max_atoms``; whether it does
    then, with a number of positions that the rules allow."""
    multiplicity = wyckoff_tables().multiplicity
    while sum(int(multiplicity[part].sum()) for part in parts) > rules.max_atoms:
        longest = max(parts, key=len)
        if len(longest) == 1:
            return False
        longest.pop()
    return sum(map(len, parts)) >= rules.n_sites[0]


def _distinct(tables: list[np.ndarray], n: int, draws: np.ndarray) -> list[int] | None:
    """n different species: the first by ``tables[0]``, the others by ``tables[1]``; None where none is left."""
    chosen: list[int] = []
    for i in range(n):
        weight = tables[min(i, 1)].copy()
        weight[chosen] = 0.0
        total = weight.cumsum()
        if total[-1] <= 0:
            return None
        chosen.append(int(np.searchsorted(total, draws[i] * total[-1], side="right")))
    return chosen


def _pooled(observed: dict[int, list[tuple[int, ...]]]) -> dict[int, tuple[tuple[int, ...], ...]]:
    by_point_group: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for group, patterns in observed.items():
        by_point_group[point_group(group)] += patterns
    everything = [pattern for patterns in observed.values() for pattern in patterns]
    pools = {}
    for group in SPACE_GROUPS:
        candidates = (observed.get(group, []), by_point_group.get(point_group(group), []), everything)
        pools[group] = tuple(sorted(next((c for c in candidates if len(c) >= FEWEST), everything)))
    return pools


def _position_weights(groups: np.ndarray, occupation: Occupation, used: np.ndarray) -> np.ndarray:
    tables = wyckoff_tables()
    counts = np.zeros(len(tables.multiplicity))
    for i in used:
        rows = occupation.position[occupation.start[i] : occupation.start[i + 1]]
        np.add.at(counts, tables.position_start[groups[i]] + rows, 1.0)
    owner = np.repeat(np.arange(231), np.diff(tables.position_start))
    general = tables.multiplicity[tables.position_start[owner]]
    kind = (general // tables.multiplicity) * 4 + tables.freedom
    occupied, there = np.bincount(kind, counts), np.bincount(kind)
    # how often a position of this kind is occupied where its group has crystals at all
    typical = (occupied / np.maximum(there, 1))[kind] + FLOOR * counts.mean()
    for group in SPACE_GROUPS:
        rows = slice(*tables.position_start[group : group + 2])
        counts[rows] += BORROWED * typical[rows] / typical[rows].sum()
    return counts


def _contents(crystals: CrystalSet, used: np.ndarray) -> np.ndarray:
    """(k, N_SPECIES) atoms of each species per cell."""
    owner = np.repeat(np.arange(len(crystals)), crystals.n_sites)
    contents = np.zeros((len(crystals), N_SPECIES))
    np.add.at(contents, (owner, crystals.species), 1.0)
    return contents[used]


def _atomic_volumes(crystals: CrystalSet, used: np.ndarray) -> np.ndarray:
    """(N_SPECIES,) Å³: least squares of the volume per atom; covalent spheres, scaled, for elements that the database
    lacks or whose volume comes out as zero (hydrogen sits in the gaps between others)."""
    contents, volumes = _contents(crystals, used), cell_volume(crystals.cell[used])
    atoms = contents.sum(axis=1)
    fitted, _ = nnls(contents / atoms[:, None], volumes / atoms)
    spheres = atomic_volumes()[0]
    known = (fitted > 0) & (spheres > 0)
    scale = np.median(fitted[known] / spheres[known])
    return np.where(fitted > 0, fitted, scale * spheres)


def _volume_ratios(crystals: CrystalSet, used: np.ndarray, atomic_volume: np.ndarray) -> np.ndarray:
    return cell_volume(crystals.cell[used]) / (_contents(crystals, used) @ atomic_volume)

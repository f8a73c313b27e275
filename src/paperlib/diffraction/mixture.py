"""The crystals that every speed figure is measured on: balanced over the 230 space groups, with a tail of large cells.

Atoms sit on random Wyckoff positions in their standard setting; the number of atoms aimed at is log-normal, and the
averages come out at about 30 atoms, 500 at most. Volume is 15 Å³ per atom. Nothing here is realistic but what costs
time: cell volumes, symmetry, atoms and kinds of atoms.
"""

from __future__ import annotations

import numpy as np

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.symmetry import groups

ELEMENTS = (8, 8, 8, 1, 6, 7, 9, 11, 12, 13, 14, 16, 17, 19, 20, 22, 26, 29, 30, 38, 40, 47, 56, 57, 82)
"""Atomic numbers to draw from, oxygen more often."""


def balanced_mixture(per_group: int, seed: int = 0, mean_atoms: float = 24.0, spread: float = 0.9) -> CrystalSet:
    """``per_group`` crystals of each of the 230 space groups, in random order, the same for the same ``seed``.

    ``mean_atoms`` and ``spread`` describe the log-normal target; positions of high multiplicity overshoot it.
    """
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(np.repeat(np.arange(1, 231), per_group))
    crystals = [_crystal(int(number), rng, mean_atoms, spread) for number in numbers]
    counts = [len(species) for _, _, species in crystals]
    n, m = len(crystals), sum(counts)
    return CrystalSet(
        cell=np.array([cell for cell, _, _ in crystals]),
        space_group=numbers.astype(np.int16),
        standard=np.ones(n, dtype=bool),
        site_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        frac=np.concatenate([frac for _, frac, _ in crystals]),
        species=np.concatenate([species for _, _, species in crystals]).astype(np.int16),
        occupancy=np.ones(m),
        b_iso=np.full(m, 0.5),
        formula=np.full(n, "mixture"),
        source_id=np.array([f"mixture-{i}" for i in range(n)]),
    )


def _crystal(number: int, rng: np.random.Generator, mean_atoms: float, spread: float) -> tuple:
    rotations, translations = groups.operations(number)
    positions = groups.wyckoff_positions(number)
    target = min(500.0, rng.lognormal(np.log(mean_atoms) - spread**2 / 2, spread))
    kinds = rng.choice(ELEMENTS, size=int(rng.integers(2, 5)))
    frac: list[np.ndarray] = []
    species: list[int] = []
    used: set[str] = set()
    while len(species) < target:
        room = max(target - len(species), min(p.multiplicity for p in positions))
        open_ones = [p for p in positions if p.multiplicity <= room and (p.degrees_of_freedom or p.letter not in used)]
        if not open_ones:
            open_ones = [positions[0]]
        position = open_ones[rng.integers(len(open_ones))]
        site = position.representative[:, :3] @ rng.random(3) + position.representative[:, 3]
        points = rotations[position.orbit] @ site + translations[position.orbit]
        used.add(position.letter)
        gaps = np.concatenate([*frac, points])[:, None] - points
        if np.all(np.abs(gaps - np.round(gaps)) < 0.005, axis=-1).sum() > len(points):
            continue  # another atom is there
        frac.append(points % 1.0)
        species += [int(rng.choice(kinds))] * len(points)
    constraints = groups.cell_constraints(number)
    edges = rng.lognormal(0, 0.3, 3)[list(constraints.equal_edge)]
    angles = [x if x is not None else float(rng.uniform(80, 110)) for x in constraints.fixed_angle]
    edges = edges * (15.0 * len(species) / cell_volume(np.array([*edges, *angles]))) ** (1 / 3)
    return np.array([*edges, *angles]), np.concatenate(frac), species

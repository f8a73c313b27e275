"""Crystals with the axes of others and the same atoms in them: what is left where the shape of a cell says nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.lab import rng
from paperlib.symmetry.groups import constraint_tables


def other_shape(crystals: CrystalSet, change: float, seed: int) -> CrystalSet:
    """The same crystals (n) in cells of another shape and the same volume.

    Every edge that the space group leaves free is multiplied by a factor whose logarithm is uniform within
    ±ln(1 + ``change``), drawn for (seed, item); all edges by one more, so that the volume stays. Angles and fractional
    coordinates stay too, so that space group and reflections do, and of |F|² all but what form factors make of the new
    spacings. A cell of one free edge (cubic) has no other shape. Raises ValueError for a change that is not positive.
    """
    if not change > 0:
        raise ValueError(f"{change=}; give a positive share of the length of an edge, e.g. 0.1")
    tied, _ = constraint_tables()
    edges = tied[crystals.space_group.astype(np.int64)]
    drawn = rng.uniform(seed, "cell shape", np.arange(len(crystals)), 3)
    exponents = np.take_along_axis((2 * drawn - 1) * np.log1p(change), edges, axis=1)
    cell = crystals.cell.copy()
    cell[:, :3] *= np.exp(exponents - exponents.mean(axis=1, keepdims=True))
    return replace(crystals, cell=cell)

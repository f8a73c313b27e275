"""Crystals built by hand, and the measures that the tests of this room share."""

from __future__ import annotations

import itertools

import gemmi
import numpy as np
import pytest
import spglib
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.standardise import Sites, from_structures
from paperlib.symmetry.groups import crystal_system, operations

CELLS = {
    "triclinic": (5.1, 6.3, 7.7, 81.0, 96.0, 103.0),
    "monoclinic": (5.1, 6.3, 7.7, 90.0, 107.0, 90.0),
    "orthorhombic": (5.1, 6.3, 7.7, 90.0, 90.0, 90.0),
    "tetragonal": (6.3, 6.3, 8.7, 90.0, 90.0, 90.0),
    "trigonal": (6.3, 6.3, 8.7, 90.0, 90.0, 120.0),
    "hexagonal": (6.3, 6.3, 8.7, 90.0, 90.0, 120.0),
    "cubic": (8.7, 8.7, 8.7, 90.0, 90.0, 90.0),
}


def general_crystal(number: int, seed: int = 0) -> Sites:
    """Two species on general positions of a space group: that group, and no higher one, is its symmetry."""
    rng = np.random.default_rng([number, seed])
    rotations, translations = operations(number)
    lattice = Lattice.from_parameters(*CELLS[crystal_system(number)]).matrix
    apart = 0.0
    while apart < 0.4:  # Å; spglib and the matcher need atoms that are told apart
        points = rng.uniform(0.03, 0.97, (2, 3))
        frac = np.concatenate([(rotations @ point + translations) % 1.0 for point in points])
        difference = frac[:, None] - frac
        lengths = np.linalg.norm((difference - np.round(difference)) @ lattice, axis=-1)
        apart = lengths[np.triu_indices(len(frac), 1)].min()
    occupants = [{code: 1.0} for code in (26, 8) for _ in rotations]
    return Sites(f"group {number}", lattice, frac, occupants)


def misfit(crystals: CrystalSet) -> float:
    """Å: the furthest that an operation of the space group carries a site from the next alike site of its crystal."""
    worst = 0.0
    for i in range(len(crystals)):
        crystal = crystals[i]
        rotations, translations = operations(int(crystal.space_group[0]))
        lattice = Lattice.from_parameters(*crystal.cell[0]).matrix
        kinds = np.column_stack([crystal.species, crystal.occupancy.round(4)])
        for kind in np.unique(kinds, axis=0):
            frac = crystal.frac[(kinds == kind).all(axis=1)]
            images = np.einsum("gij,nj->gni", rotations, frac) + translations[:, None]
            difference = images.reshape(-1, 1, 3) - frac
            difference -= np.round(difference)
            worst = max(worst, np.linalg.norm(difference @ lattice, axis=-1).min(axis=1).max())
    return float(worst)


def same_crystal(a: CrystalSet, b: CrystalSet, tolerance: float = 1e-3) -> bool:
    """Whether two one-crystal sets hold the same crystal, by pymatgen's structure matcher with tight tolerances."""
    matcher = StructureMatcher(ltol=tolerance, stol=tolerance, angle_tol=0.05, scale=False)
    (first,), (second,) = a.to_structures(), b.to_structures()
    first.remove_site_property("b_iso")
    second.remove_site_property("b_iso")
    return matcher.fit(first, second)


def primitive_vectors(number: int) -> np.ndarray:
    """(3, 3): rows span the primitive lattice of a space group in the standard setting, in fractions of its cell; from
    gemmi's centring translations."""
    centrings = np.array(list(gemmi.find_spacegroup_by_number(number).operations().cen_ops)) / gemmi.Op.DEN
    for rows in itertools.combinations([*np.eye(3), *centrings[1:]], 3):
        if np.isclose(abs(np.linalg.det(rows)) * len(centrings), 1):
            return np.array(rows)
    raise AssertionError(f"no primitive cell of group {number}")


def class_lengths(lattice: np.ndarray) -> np.ndarray:
    """(7,) Å: the shortest vector of each parity class of the lattice with rows ``lattice``: all vectors that are
    small in spglib's Niggli cell."""
    steps = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), -1).reshape(-1, 3)
    lengths = np.linalg.norm(steps @ spglib.niggli_reduce(lattice), axis=1)
    parity = steps % 2 @ [1, 2, 4]
    return np.array([lengths[parity == p].min() for p in range(1, 8)])


@pytest.fixture
def rock_salt_and_diamond() -> CrystalSet:
    """NaCl and C, two crystals."""
    from pymatgen.core import Structure

    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    diamond = Structure.from_spacegroup("Fd-3m", Lattice.cubic(3.567), ["C"], [[0, 0, 0]])
    salt.properties["source_id"], diamond.properties["source_id"] = "salt", "diamond"
    return from_structures([salt, diamond])

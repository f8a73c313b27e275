"""Structure types: hand-known ones, whatever the elements, the origin and the hand."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.standardise import from_structures
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets.structure_types import structure_types

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


def type_of(*structures):
    return structure_types(from_structures(structures)).tolist()


def cubic(number, a, species, sites):
    return Structure.from_spacegroup(number, Lattice.cubic(a), species, sites)


ROCK_SALT = ([0, 0, 0], [0.5, 0.5, 0.5])


def test_hand_known_types():
    salt = cubic(225, 5.64, ["Na", "Cl"], ROCK_SALT)
    caesium = cubic(221, 4.12, ["Cs", "Cl"], ROCK_SALT)
    perovskite = cubic(221, 3.9, ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]])
    spinel = cubic(227, 8.08, ["Mg", "Al", "O"], [[0.125, 0.125, 0.125], [0.5, 0.5, 0.5], [0.2623, 0.2623, 0.2623]])
    assert type_of(salt, caesium, perovskite, spinel) == [
        "AB 225 ab",
        "AB 221 ab",
        "ABC3 221 abc",
        "AB2C4 227 ade",
    ]


def test_elements_and_cell_do_not_matter_and_the_choice_of_the_origin_does_not():
    salt, oxide = cubic(225, 5.64, ["Na", "Cl"], ROCK_SALT), cubic(225, 4.21, ["O", "Mg"], ROCK_SALT)
    assert len(set(type_of(salt, oxide))) == 1
    # perovskite with the small cation at the origin: other letters, the same structure
    one = cubic(221, 3.9, ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]])
    other = cubic(221, 3.9, ["Ti", "Sr", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]])
    assert len(set(type_of(one, other))) == 1


def test_a_mixed_site_is_a_kind_of_its_own():
    pure = cubic(225, 5.64, ["Na", "Cl"], ROCK_SALT)
    mixed = cubic(225, 5.64, [{"Na": 0.5, "K": 0.5}, "Cl"], ROCK_SALT)
    split = cubic(221, 5.64, ["Na", "K", "Cl", "Cl"], [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]])
    first, second, third = type_of(pure, mixed, split)
    assert first == second == "AB 225 ab" and third.startswith("ABCC") is False and third != first


def test_the_two_hands_of_a_crystal_are_one_type():
    crystals = random_crystals([76, 152, 212], seed=3, atoms_per_lattice_point=(4, 24))
    mirrored = [
        Structure(s.lattice, s.species, -s.frac_coords, coords_are_cartesian=False) for s in crystals.to_structures()
    ]
    images = from_structures(mirrored)
    assert images.space_group.tolist() == [78, 154, 213]
    assert structure_types(images).tolist() == structure_types(crystals).tolist()


def test_a_shifted_origin_gives_the_same_type_in_every_group():
    # shifts that take the crystal to another choice of Wyckoff letters where the group has one
    numbers = [47, 62, 123, 139, 166, 194, 216, 221, 225]
    crystals = random_crystals(numbers, seed=4, atoms_per_lattice_point=(4, 24))
    moved = []
    for structure in crystals.to_structures():
        shifted = structure.copy()
        shifted.translate_sites(range(len(shifted)), [0.5, 0.5, 0.5], frac_coords=True)
        moved.append(shifted)
    assert structure_types(from_structures(moved)).tolist() == structure_types(crystals).tolist()


def test_an_entry_that_cannot_be_compared_shares_its_type_with_none():
    crystals = from_structures([cubic(225, 5.64, ["Na", "Cl"], ROCK_SALT)] * 2)
    broken = CrystalSet(**{**crystals.__dict__, "occupancy": np.where(np.arange(len(crystals.frac)) < 8, 0.0, 1.0)})
    types = structure_types(broken)
    assert types[0] == "? structure 0" and types[1] == "AB 225 ab"

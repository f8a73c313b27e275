"""Structure types: hand-known ones, whatever the elements, the origin, the axes and the hand."""

import functools
import itertools
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.occupied_positions import occupied_positions
from paperlib.crystals.shards import write_sharded
from paperlib.crystals.standardise import Sites, crystal_from_sites
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets.alike import entries
from paperlib.datasets.structure_types import structure_types
from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS, crystal_system, operations
from tests.crystals.conftest import general_crystal
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

FCC = (1 - np.eye(3)) / 2
HALF, QUARTER = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def crystal(lattice, *sites, **options):
    """One crystal; sites are (place, element or mixture)."""
    occupants = [site if isinstance(site, dict) else {site: 1.0} for _, site in sites]
    return crystal_from_sites(
        Sites("made", lattice, np.array([place for place, _ in sites], float), occupants), **options
    )


def types_of(*crystals):
    return structure_types(CrystalSet.concatenate(crystals)).tolist()


def perovskite():
    faces = [(0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    return crystal(np.eye(3) * 3.9, ((0, 0, 0), 38), (HALF, 22), *((place, 8) for place in faces))


def spinel(tetrahedral, octahedral):
    normal = next(iter(planted.spinels(np.random.default_rng(0))))[0]
    kinds = [*[tetrahedral] * 2, *[octahedral] * 4, *[{8: 1.0}] * 8]
    return crystal_from_sites(replace(normal, occupants=kinds))


CLOSE_PACKING = Lattice.hexagonal(3.2, 5.2).matrix
TEXTBOOK = {
    "rock salt": (lambda: planted.rock_salt("salt"), "AB 225 ab"),
    "caesium chloride": (lambda: crystal(np.eye(3) * 4.1, ((0, 0, 0), 55), (HALF, 17)), "AB 221 ab"),
    "zincblende": (lambda: crystal(FCC * 5.4, ((0, 0, 0), 30), (QUARTER, 16)), "AB 216 ac"),
    "fluorite": (lambda: crystal(FCC * 5.5, ((0, 0, 0), 20), (QUARTER, 9), ((-0.25,) * 3, 9)), "AB2 225 ac"),
    "diamond": (lambda: crystal(FCC * 3.6, ((0, 0, 0), 6), (QUARTER, 6)), "A 227 a"),
    "magnesium": (
        lambda: crystal(CLOSE_PACKING, ((1 / 3, 2 / 3, 0.25), 12), ((2 / 3, 1 / 3, 0.75), 12)),
        "A 194 c",
    ),
    "perovskite": (perovskite, "ABC3 221 abc"),
    "spinel": (lambda: spinel({12: 1.0}, {13: 1.0}), "AB2C4 227 ade"),
}
"""Structures whose types stand in any book; letters are the first that a choice of the origin gives."""


@pytest.mark.parametrize("name", TEXTBOOK)
def test_textbook_structures_have_their_types(name):
    made, expected = TEXTBOOK[name]
    assert types_of(made()) == [expected]


def test_elements_and_edges_do_not_count():
    salts = (("Na", "Cl", 5.6), ("Mg", "O", 4.2), ("O", "Mg", 4.2))
    assert len(set(types_of(*(planted.rock_salt(cation, edge, cation, anion) for cation, anion, edge in salts)))) == 1


@pytest.mark.parametrize("name", ["fluorite", "perovskite"])
def test_either_ion_may_stand_at_the_origin(name):
    """Other letters, the same structure."""
    made, expected = TEXTBOOK[name]
    one = made()
    both = CrystalSet.concatenate([one, replace(one, frac=(one.frac + 0.5) % 1.0)])
    found = occupied_positions(both)
    assert sorted(found.position[: found.start[1]]) != sorted(found.position[found.start[1] :])
    assert structure_types(both).tolist() == [expected] * 2


def test_a_mixed_or_partly_vacant_place_is_another_kind_than_a_pure_one():
    iron, cobalt, mixed, vacant = {26: 1.0}, {27: 1.0}, {26: 0.5, 27: 0.5}, {26: 0.9}
    assert types_of(spinel(iron, iron), spinel(iron, cobalt), spinel(iron, mixed), spinel(iron, vacant)) == [
        "A3B4 227 ade",
        *["AB2C4 227 ade"] * 3,
    ]
    assert types_of(spinel(mixed, dict(reversed(mixed.items())))) == ["A3B4 227 ade"]


def test_the_type_of_a_solid_solution_is_that_of_its_ends():
    mixed = crystal(FCC * 5.6, ((0, 0, 0), {11: 0.5, 19: 0.5}), (HALF, 17))
    assert types_of(mixed, planted.rock_salt("salt")) == ["AB 225 ab"] * 2


def test_the_27_letters_of_group_47():
    assert types_of(crystal_from_sites(general_crystal(47))) == ["AB 47 AA"]


def test_more_kinds_of_site_than_letters():
    rng = np.random.default_rng(0)
    made = crystal(np.diag([9.0, 10, 11]), *((rng.uniform(size=3), code) for code in range(3, 31)))
    assert types_of(made) == ["ABCDEFGHIJKLMNOPQRSTUVWXYZ[27][28] 1 " + "a" * 28]


IDENTITY = np.eye(3, dtype=int)
PERMUTATIONS = [IDENTITY[list(order)] for order in itertools.permutations(range(3))]
SIXFOLD = np.array([[1, -1, 0], [1, 0, 0], [0, 0, 1]])
SHEARED = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
TURNS = {
    "triclinic": [*PERMUTATIONS, SHEARED, SHEARED.T],
    "monoclinic": [
        np.array([[p, 0, q], [0, 1, 0], [r, 0, s]])
        for p, q, r, s in (
            (1, 0, 0, 1),
            (0, 1, 1, 0),
            (1, 1, 0, 1),
            (1, 0, 1, 1),
            (1, 2, 0, 1),
            (1, 0, 2, 1),
            (1, 2, 1, 1),
        )
    ],
    "orthorhombic": PERMUTATIONS,
    **{system: [IDENTITY, IDENTITY[[1, 0, 2]]] for system in ("tetragonal", "hexagonal", "cubic")},
    "trigonal": [IDENTITY, IDENTITY[[1, 0, 2]], SIXFOLD],
}
"""Changes of axes, each also with the inversion, that a lattice of the system may not notice."""


@functools.cache
def normaliser(number):
    """Changes of axes and shifts of the origin (in steps of 1/8 or 1/3 of the cell) that map a space group onto
    itself, found by trying all."""
    rotations, translations = operations(number)
    steps = np.array(sorted({*range(0, 24, 3), 8, 16}))
    shifts = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    code = np.array([1, 24, 576])
    place = np.rint(translations * 24).astype(int)
    allowed = {}
    for rotation, translation in zip(rotations.astype(int), place, strict=True):
        allowed.setdefault(rotation.tobytes(), []).append(translation % 24 @ code)
    found = []
    for turn in (sign * turn for turn in TURNS[crystal_system(number)] for sign in (1, -1)):
        back = np.rint(np.linalg.inv(turn)).astype(int)
        good = np.ones(len(shifts), dtype=bool)
        for rotation, translation in zip(rotations.astype(int), place, strict=True):
            turned = turn @ rotation @ back
            moved = (turn @ translation + shifts - shifts @ turned.T) % 24 @ code
            good &= np.isin(moved, allowed.get(turned.tobytes(), []))
        found += [(turn, shift / 24) for shift in shifts[good]]
    return found


def moved_by_the_normaliser(made, rng):
    """A crystal in the standard setting after one operation of the normaliser, still in the standard setting."""
    turn, shift = (known := normaliser(int(made.space_group[0])))[rng.integers(len(known))]
    cell = made.cell.copy()
    if crystal_system(int(made.space_group[0])) == "orthorhombic":
        cell[0, :3] = np.abs(turn) @ cell[0, :3]
    return replace(made, frac=(made.frac @ turn.T + shift) % 1.0, cell=cell)


@pytest.fixture(scope="module")
def of_all_groups():
    return random_crystals(range(1, 231), 7, atoms_per_lattice_point=(2, 40))


def test_no_choice_of_origin_or_axes_changes_a_type_in_any_group(of_all_groups):
    rng, n_other = np.random.default_rng(0), 0
    types = structure_types(of_all_groups)
    for _ in range(4):
        moved = CrystalSet.concatenate(moved_by_the_normaliser(one, rng) for one in planted.each(of_all_groups))
        np.testing.assert_array_equal(structure_types(moved), types)
        before, after = occupied_positions(of_all_groups), occupied_positions(moved)
        n_other += np.sum(before.position != after.position)
    assert n_other > 100, "letters do change"
    assert not any("?" in name for name in types)


def test_standardising_another_description_gives_the_same_type(of_all_groups):
    """From the orthorhombic groups on; random cells of lower symmetry are not those that spglib takes as standard."""
    rng = np.random.default_rng(1)
    small = of_all_groups[(of_all_groups.n_sites < 100) & (of_all_groups.space_group > 15)]
    given = [planted.other_basis(planted.sites_of(one), rng, "moved") for one in planted.each(small)]
    described = [replace(sites, frac=sites.frac + rng.uniform(size=3)) for sites in given]
    raw = CrystalSet.concatenate(crystal_from_sites(sites, standardise=False) for sites in described)
    np.testing.assert_array_equal(structure_types(raw), structure_types(small))


@pytest.mark.parametrize(("number", "angles", "x"), [(10, (90, 100, 90), 0), (2, (80, 100, 95), 0.1)])
def test_it_does_not_matter_which_of_two_equivalent_axes_is_the_longer(number, angles, x):
    """One arrangement with an atom halfway along an axis, which is the shortest in one compound and the longest in the
    other: each is the other, strained."""
    sites = [((0, 0, 0), 55), ((0.5, 0, 0), 17), ((x, 0.3, 2 * x), 8), ((-x, -0.3, -2 * x), 8)]
    made = [crystal(Lattice.from_parameters(a, 6, c, *angles).matrix, *sites) for a, c in ((5, 7), (7, 5))]
    assert [int(one.space_group[0]) for one in made] == [number] * 2
    assert len(set(types_of(*made))) == 1


def test_the_two_hands_of_a_crystal_are_one_type():
    numbers = [number for pair in ENANTIOMORPHIC_PAIRS for number in pair] * 2
    made = random_crystals(numbers, 3, atoms_per_lattice_point=(2, 24))
    mirrored = CrystalSet.concatenate(
        crystal_from_sites(planted.sites_of(one, frac=-one.frac)) for one in planted.each(made)
    )
    assert not np.any(mirrored.space_group == made.space_group)
    np.testing.assert_array_equal(structure_types(mirrored), structure_types(made))


def test_atoms_that_are_no_whole_orbits_get_no_letters():
    salt = planted.rock_salt("salt")
    broken = replace(salt, species=np.array([11, 19, *salt.species[2:]], dtype=np.int16))
    assert types_of(broken) == ["AB3C4 225 ?"]


def test_entries_that_cannot_be_compared_share_their_type_with_none():
    salt = planted.rock_salt("salt")
    empty = [planted.without_atoms(salt, name) for name in ("one", "two")]
    assert types_of(empty[0], salt, empty[1]) == ["? one", "AB 225 ab", "? two"]


def test_a_set_in_shards_has_the_same_types(tmp_path, monkeypatch):
    crystals = planted.zoo()
    expected = structure_types(crystals)
    monkeypatch.setattr(entries, "CHUNK", 17)
    np.testing.assert_array_equal(structure_types(write_sharded(tmp_path, crystals, {}, shard_size=29)), expected)
    assert structure_types(CrystalSet.empty()).shape == (0,)

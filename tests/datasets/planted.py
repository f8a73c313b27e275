"""Families of crystals that are the same, or nearly the same and yet different, each with what every rule should say.

A family is a list of variants, each a whole cell (:class:`Sites`), and for each rule the partition that it should
give: a number per variant. Families differ in formula or space group from one another, so that nothing else may be
joined.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import species_code, species_symbol
from paperlib.crystals.standardise import Sites, crystal_from_sites
from paperlib.crystals.synthesis import balanced_space_groups, random_crystals
from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS, cell_constraints

RULES = {
    "formula~group": ("formula~group", {}),
    "formula+group": ("formula+group", {}),
    "cell": ("cell", {}),
    "pattern": ("pattern", {}),
    "pattern, doped": ("pattern", {"formula": 0.02}),
    "structure": ("structure", {}),
}
"""Rules and their tolerances; the fifth lets doped variants in."""
N = 500
"""Families of each kind."""


class Family(NamedTuple):
    """Variants of one crystal and, for each rule in the order of ``RULES``, which of them belong together."""

    variants: list[Sites]
    expected: tuple[tuple[int, ...], ...]


def lattice_of(cell):
    """(3, 3) Å: rows a, b, c of the cell (6,)."""
    alpha, beta, gamma = np.radians(cell[3:])
    a, b, c = cell[:3]
    x = np.cos(beta), (np.cos(alpha) - np.cos(beta) * np.cos(gamma)) / np.sin(gamma)
    z = np.sqrt(1 - x[0] ** 2 - x[1] ** 2)
    return np.array([[a, 0, 0], [b * np.cos(gamma), b * np.sin(gamma), 0], [c * x[0], c * x[1], c * z]])


def sites_of(crystal, name="", cell=None, frac=None, occupants=None):
    """One crystal of a set as ``Sites``, with another cell, coordinates or occupants."""
    return Sites(
        name=name or str(crystal.source_id[0]),
        lattice=lattice_of(crystal.cell[0] if cell is None else cell),
        frac=crystal.frac if frac is None else frac,
        occupants=[{int(code): 1.0} for code in crystal.species] if occupants is None else occupants,
    )


GROUPS = (
    *(4, 5, 7, 9, 11, 12, 14, 15, 19, 26, 29, 31, 33, 36, 44, 51, 55, 57, 58, 59, 60, 61, 62, 63, 64, 65, 69, 71, 72),
    *(74, 82, 86, 87, 88, 92, 99, 107, 113, 121, 122, 123, 127, 129, 136, 139, 140, 141, 146, 147, 148, 152, 155, 160),
    *(161, 164, 166, 167, 173, 176, 186, 187, 189, 190, 193, 194, 198, 205, 216, 217, 221, 225),
)
"""Space groups of all systems that small cells have room for."""


@functools.cache
def bases(n=N, seed=15, groups=GROUPS):
    """Random crystals with small cells, of formulas and space groups that occur once; a few elements that X-rays tell
    apart."""
    wanted = balanced_space_groups(3 * n, among=groups)
    rules = {"atoms_per_lattice_point": (4, 16), "max_atoms": 96, "n_species": (2, 3)}
    made = random_crystals(wanted, seed, elements=("O", "Al", "K", "Ti", "Ge", "Sr", "Sb", "Ba", "Pb"), **rules)
    one_hand = {right: left for left, right in ENANTIOMORPHIC_PAIRS}
    keys = [f"{f} {one_hand.get(int(g), int(g))}" for f, g in zip(made.formula, made.space_group, strict=True)]
    _, first = np.unique(keys, return_index=True)
    return made[np.sort(first)[:n]]


def same(n):
    """All rules put the n variants together."""
    return tuple((0,) * n for _ in RULES)


def verdicts(*joined):
    """A family of three, the first two one crystal in two settings: does each rule put the third with them?"""
    return tuple((0, 0, 0 if yes else 1) for yes in joined)


def other_basis(sites, rng, name):
    """The same crystal in another basis, with the atoms in another order and moved by lattice vectors."""
    matrix = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = rng.permutation(3)[:2]
        shear = np.eye(3, dtype=int)
        shear[i, j] = rng.integers(-1, 2)
        matrix = shear @ matrix
    matrix = matrix[rng.permutation(3)]
    order = rng.permutation(len(sites.frac))
    frac = (sites.frac @ np.linalg.inv(matrix) + rng.integers(-1, 2, 3))[order]
    return Sites(name, matrix @ sites.lattice, frac, [sites.occupants[i] for i in order])


def settings(n=N):
    """The same crystal in another setting."""
    rng = np.random.default_rng(1)
    for crystal in each(bases(n)):
        one = sites_of(crystal)
        yield Family([one, other_basis(one, rng, f"{one.name} setting")], same(2))


def supercells(n=N):
    """Two or four cells taken as one."""
    rng = np.random.default_rng(2)
    for crystal in each(bases(n)):
        one = sites_of(crystal)
        times = [(2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 1)][rng.integers(4)]
        steps = np.stack(np.meshgrid(*map(range, times), indexing="ij"), -1).reshape(-1, 3)
        frac = ((one.frac[:, None] + steps) / times).reshape(-1, 3)
        occupants = [site for site in one.occupants for _ in steps]
        yield Family(
            [one, Sites(f"{one.name} supercell", one.lattice * np.array(times)[:, None], frac, occupants)], same(2)
        )


def origins(n=N):
    """The origin elsewhere."""
    rng = np.random.default_rng(3)
    for crystal in each(bases(n)):
        one = sites_of(crystal)
        yield Family([one, sites_of(crystal, f"{one.name} origin", frac=one.frac + rng.uniform(-1, 1, 3))], same(2))


def strained_cell(crystal, rng, size):
    """Edges and free angles of a cell, each changed by up to ``size`` in the way that the crystal system allows."""
    edges, angles = cell_constraints(int(crystal.space_group[0]))
    cell = crystal.cell[0].copy()
    cell[:3] *= (1 + rng.uniform(-size, size, 3))[list(edges)]
    for i, fixed in enumerate(angles):
        if fixed is None:
            cell[3 + i] += np.degrees(rng.uniform(-size, size))
    return cell


def strains(n=N):
    """A strain of 0.5 % that keeps the symmetry."""
    rng = np.random.default_rng(4)
    for crystal in each(bases(n)):
        one = sites_of(crystal)
        yield Family([one, sites_of(crystal, f"{one.name} strained", strained_cell(crystal, rng, 0.005))], same(2))


def expansions(n=N):
    """Six temperatures: edges grow step by step, to 2 … 3 % in all, each at its own rate."""
    rng = np.random.default_rng(5)
    for crystal in each(bases(n)):
        edges, _ = cell_constraints(int(crystal.space_group[0]))
        rates = rng.uniform(0.004, 0.006, 3)[list(edges)]
        series = []
        for step in range(6):
            cell = crystal.cell[0].copy()
            cell[:3] *= (1 + rates) ** step
            series.append(sites_of(crystal, f"{crystal.source_id[0]} T{step}", cell))
        yield Family(series, same(6))


def dopings(n=N):
    """2 % of one element replaced by its neighbour in the periodic table."""
    rng = np.random.default_rng(6)
    for crystal in each(bases(n)):
        one = sites_of(crystal)
        variant = sites_of(crystal, f"{one.name} doped", occupants=doped(one, rng))
        yield Family([one, variant], ((0, 0), (0, 1), (0, 1), (0, 1), (0, 0), (0, 1)))


def doped(sites, rng):
    """Occupants of a crystal with 2 % of one element replaced."""
    host = int(rng.choice(sorted({code for site in sites.occupants for code in site})))
    return [{host: 0.98, host + 1: 0.02} if host in site else site for site in sites.occupants]


def enantiomorphs(n=N):
    """The mirror image of a crystal of one of the 22 groups that have two hands."""
    groups = tuple(number for pair in ENANTIOMORPHIC_PAIRS for number in pair)
    for crystal in each(bases(n, seed=16, groups=groups)):
        one = sites_of(crystal)
        yield Family([one, sites_of(crystal, f"{one.name} mirrored", frac=-one.frac)], same(2))


STACKINGS = {"2H": "AB", "4H": "ABCB", "6H": "ABCACB", "8H": "ABCABACB"}


def polytypes(n=N):
    """Close-packed layers MX stacked in two ways (P63mc both): 2H, 4H, 6H, 8H of silicon carbide."""
    shift = {"A": (0.0, 0.0), "B": (1 / 3, 2 / 3), "C": (2 / 3, 1 / 3)}
    rng, made = np.random.default_rng(7), 0
    for metal in (4, *range(12, 15), *range(20, 32), *range(38, 51), *range(56, 60), *range(72, 84)):
        for anion in (*range(5, 10), *range(15, 18), *range(33, 36), *range(51, 54)):
            if made == n:
                return
            a, layer = rng.uniform(3.0, 4.6), rng.uniform(0.79, 0.84)
            pair, made = rng.choice(list(STACKINGS), 2, replace=False), made + 1
            variants = []
            for name in pair:
                letters = STACKINGS[name]
                height = len(letters)
                frac = [(*shift[x], (k + dz) / height) for k, x in enumerate(letters) for dz in (0.0, 0.74)]
                lattice = lattice_of(np.array([a, a, a * layer * height, 90, 90, 120]))
                occupants = [{code: 1.0} for _ in letters for code in (metal, anion)]
                variants.append(Sites(f"{metal}-{anion} {name}", lattice, np.array(frac), occupants))
            again = other_basis(variants[0], rng, f"{variants[0].name} setting")
            yield Family([variants[0], again, variants[1]], verdicts(True, True, False, False, False, False))


def disorders(n=N):
    """Ordered and mixed occupation of two positions: one formula, one group, one cell. Elements that X-rays tell apart;
    spinels first, layered oxides for the rest (spglib takes 20 ms for a spinel, 1 ms for them)."""
    rng = np.random.default_rng(8)
    for ordered, mixed in itertools.islice(itertools.chain(spinels(rng), layered(rng)), n):
        again = other_basis(ordered, rng, f"{ordered.name} setting")
        yield Family([ordered, again, mixed], verdicts(True, True, True, False, False, False))


def spinels(rng):
    """Normal and inverse spinels AB2X4 in the primitive cell (origin at -3m of Fd-3m): A and B on positions of their
    own, or half of the B where A was and the rest mixed with all of the A."""
    divalent = (12, *range(25, 31))
    trivalent = (13, *range(21, 25), 31, 39, 40, 49, 57, 60, 64, 66, 70, 83)
    primitive = (1 - np.eye(3)) / 2
    octahedral = [(0.5, 0.5, 0.5), (0.5, 0.25, 0.25), (0.25, 0.5, 0.25), (0.25, 0.25, 0.5)]
    for a, b in itertools.product(divalent, trivalent):
        if abs(a - b) >= 10:
            edge, u = rng.uniform(8.0, 8.6), rng.uniform(0.258, 0.266)
            v = 0.25 - u
            anions = np.array([(u, u, u), (u, v, v), (v, u, v), (v, v, u)])
            frac = np.concatenate([[[0.125] * 3, [0.875] * 3], octahedral, anions, -anions]) @ np.linalg.inv(primitive)
            normal, inverse = (
                Sites(f"{a}-{b} {name}", edge * primitive, frac, [*[tetra] * 2, *[octa] * 4, *[{8: 1.0}] * 8])
                for name, tetra, octa in (("normal", {a: 1.0}, {b: 1.0}), ("inverse", {b: 1.0}, {a: 0.5, b: 0.5}))
            )
            yield normal, inverse


def layered(rng):
    """ABX2 like LiNiO2 (R-3m, primitive cell): cations in layers of their own, or three in ten of them exchanged."""
    primitive = np.array([(2, 1, 1), (-1, 1, 1), (-1, -2, 1)]) / 3
    for x, a, b in itertools.product((8, 16, 34), (3, 11, 19, 37), (*range(22, 31), *range(39, 51), *range(57, 84))):
        if abs(a - b) >= 10:
            edge, z = rng.uniform(2.8, 3.2), rng.uniform(0.235, 0.243)
            lattice = primitive @ lattice_of(np.array([edge, edge, rng.uniform(4.6, 4.8) * edge, 90, 90, 120]))
            frac = np.array([0, 0.5, z, -z])[:, None] * np.ones(3)
            ordered, mixed = (
                Sites(f"{a}-{b}-{x} {name}", lattice, frac, [*cations, {x: 1.0}, {x: 1.0}])
                for name, cations in (
                    ("ordered", ({a: 1.0}, {b: 1.0})),
                    ("mixed", ({a: 0.7, b: 0.3}, {a: 0.3, b: 0.7})),
                )
            )
            yield ordered, mixed


def arrangements(n=N):
    """Two arrangements of the same atoms in the same cell of the same group, which pymatgen tells apart."""
    rng, made = np.random.default_rng(9), 0
    candidates = bases(7 * n, seed=17)
    for crystal in each(candidates[candidates.n_sites <= 16]):  # the matcher takes longer for more
        if made == n:
            return
        other = rearranged(crystal)
        one = sites_of(crystal)
        if other is not None and not alike(one, other):
            made += 1
            variants = [one, other_basis(one, rng, f"{one.name} setting"), other]
            yield Family(variants, verdicts(True, True, True, False, False, False))


def rearranged(crystal):
    """The crystal with the places of its heaviest element, which X-rays see best, exchanged with those of one that
    scatters much less and occurs equally often; None where there is none."""
    codes, counts = np.unique(crystal.species, return_counts=True)
    heaviest = int(codes[-1])
    for code, count in zip(codes.tolist(), counts, strict=True):
        if count == counts[-1] and heaviest > 1.6 * code:
            swapped = {heaviest: code, code: heaviest}
            occupants = [{swapped.get(int(c), int(c)): 1.0} for c in crystal.species]
            return sites_of(crystal, f"{crystal.source_id[0]} rearranged", occupants=occupants)
    return None


def alike(first, second):
    """What pymatgen's matcher says: exchanging the two elements of rock salt, say, gives rock salt again."""
    structures = [
        Structure(s.lattice, [{species_symbol(*kind): 1.0} for kind in s.occupants], s.frac) for s in (first, second)
    ]
    return StructureMatcher().fit(*structures)


KINDS = {
    "another setting": settings,
    "supercell": supercells,
    "origin shift": origins,
    "0.5 % strain": strains,
    "2 % doping": dopings,
    "thermal expansion": expansions,
    "enantiomorph": enantiomorphs,
    "polytypes": polytypes,
    "ordered against disordered": disorders,
    "another arrangement": arrangements,
}


def each(crystals):
    """The crystals of a set one by one."""
    return (crystals[i] for i in range(len(crystals)))


def planted(kind, n=N):
    """The crystals of all families of a kind, and for each rule the group that each should be in."""
    crystals, expected, first = [], {rule: [] for rule in RULES}, 0
    for family in KINDS[kind](n):
        crystals += [crystal_from_sites(variant) for variant in family.variants]
        for rule, labels in zip(RULES, family.expected, strict=True):
            expected[rule] += [first + label for label in labels]
        first += len(family.variants)
    return CrystalSet.concatenate(crystals), {rule: np.array(labels) for rule, labels in expected.items()}


@functools.cache
def zoo(n=40):
    """A few variants, near and far, of each of about ``n`` crystals of all systems; ids are all different."""
    rng = np.random.default_rng(10)
    made = []
    for crystal in each(bases()[:: N // n]):
        one = sites_of(crystal)
        made.append(one)
        for k in range(rng.integers(5)):
            name = f"{one.name} {k}"
            made.append(
                [
                    other_basis(one, rng, name),
                    sites_of(crystal, name, strained_cell(crystal, rng, 0.002)),
                    sites_of(crystal, name, strained_cell(crystal, rng, 0.02)),
                    sites_of(crystal, name, frac=-one.frac),
                    sites_of(crystal, name, occupants=doped(one, rng)),
                    replace(rearranged(crystal) or one, name=name),
                ][rng.integers(6)]
            )
    return CrystalSet.concatenate([crystal_from_sites(made[i]) for i in rng.permutation(len(made))])


def rock_salt(name, edge=5.64, cation="Na", anion="Cl"):
    """One crystal with four cations and then four anions in its cell."""
    occupants = [{species_code(symbol): 1.0} for symbol in (cation, anion)]
    return crystal_from_sites(Sites(name, edge * (1 - np.eye(3)) / 2, np.array([[0] * 3, [0.5] * 3]), occupants))


def without_atoms(crystal, name):
    """The cell of a crystal, and nothing in it."""
    none = {column: getattr(crystal, column)[:0] for column in ("frac", "species", "occupancy", "b_iso")}
    return replace(crystal, site_start=np.array([0, 0]), source_id=np.array([name]), **none)


def refines(fine, coarse):
    """Does each group of the first partition lie within one of the second?"""
    return len(np.unique(np.column_stack([fine, coarse]), axis=0)) == len(np.unique(fine))


def same_partition(first, second):
    """Are the same entries together?"""
    return refines(first, second) and refines(second, first)

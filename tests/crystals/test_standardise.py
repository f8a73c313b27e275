"""Standard settings: the operations of the found group map the crystal onto itself, whatever cell was given."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import DEUTERIUM, CrystalSet
from paperlib.crystals.standardise import (
    BadCrystalError,
    Sites,
    crystal_from_sites,
    from_structures,
    sites_from_structure,
    to_structures,
)
from tests.crystals.conftest import general_crystal, misfit, same_crystal

TWO_ORIGINS = (48, 50, 59, 68, 70, 85, 86, 88, 125, 126, 129, 130, 133, 134, 137, 138, 141, 142)
TWO_ORIGINS += (201, 203, 222, 224, 227, 228)
OTHER_SETTINGS = (1, 2, 3, 5, 8, 9, 12, 14, 15, 38, 39, 41, 64, 146, 148, 155, 160, 161, 166, 167, 205, 230)


@pytest.mark.parametrize("number", TWO_ORIGINS + OTHER_SETTINGS)
def test_other_origin_other_axes_and_other_hand_of_the_basis_come_back_to_the_standard_setting(number):
    sites = general_crystal(number)
    rng = np.random.default_rng(number)
    # x = P x' + p with a left-handed unimodular P: a cell that is oblique, mirrored and shifted.
    basis = np.array([[0, 1, 0], [1, 0, 0], [1, 0, 1]])
    frac = np.linalg.solve(basis, (sites.frac + rng.uniform(0, 1, 3)).T).T
    crystal = crystal_from_sites(replace(sites, lattice=basis.T @ sites.lattice, frac=frac))
    assert crystal.space_group[0] == number and crystal.standard[0]
    assert misfit(crystal) < 1e-6
    density = len(sites.frac) / np.linalg.det(sites.lattice)
    assert len(crystal.frac) / Lattice.from_parameters(*crystal.cell[0]).volume == pytest.approx(density, rel=1e-6)
    given = crystal_from_sites(sites, standardise=False)
    assert len(sites.frac) > 100 or same_crystal(crystal, given)  # pymatgen's matcher takes seconds there


def test_the_cell_obeys_its_crystal_system_exactly():
    cubic = crystal_from_sites(general_crystal(203)).cell[0]
    assert cubic[0] == cubic[1] == cubic[2] and (cubic[3:] == 90).all()
    trigonal = crystal_from_sites(general_crystal(148)).cell[0]
    assert trigonal[0] == trigonal[1] and trigonal[3:].tolist() == [90, 90, 120]
    assert crystal_from_sites(general_crystal(14)).cell[0, [3, 5]].tolist() == [90, 90]


def body_centred(first: dict[int, float], second: dict[int, float]) -> Sites:
    return Sites("bcc", 3.0 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), [first, second])


@pytest.mark.parametrize(
    ("first", "second", "number"),
    [
        ({26: 1.0}, {26: 1.0}, 229),
        ({26: 1.0}, {13: 1.0}, 221),
        ({26: 0.5, 13: 0.5}, {13: 0.5, 26: 0.5}, 229),
        ({26: 0.5, 13: 0.5}, {26: 0.6, 13: 0.4}, 221),
        ({26: 0.9}, {26: 1.0}, 221),
        ({1: 1.0}, {DEUTERIUM: 1.0}, 221),
    ],
)
def test_sites_are_alike_when_their_mixtures_are(first, second, number):
    crystal = crystal_from_sites(body_centred(first, second))
    assert crystal.space_group[0] == number
    total = sum(first.values()) + sum(second.values())
    assert crystal.occupancy.sum() == pytest.approx(total) and misfit(crystal) < 1e-6


def test_vacancies_stay_and_rounding_above_one_is_taken_back():
    assert crystal_from_sites(body_centred({26: 0.9}, {26: 0.9})).occupancy.tolist() == [0.9, 0.9]
    rounded = crystal_from_sites(body_centred({26: 0.667, 13: 0.334}, {26: 0.667, 13: 0.334}))
    assert rounded.occupancy.sum() == pytest.approx(2.0)


def test_displacement_is_averaged_over_the_sites_that_become_one():
    sites = replace(body_centred({26: 1.0}, {26: 1.0}), b_iso=np.array([1.0, 3.0]))
    assert crystal_from_sites(sites).b_iso.tolist() == [2.0, 2.0]
    assert crystal_from_sites(sites, standardise=False).b_iso.tolist() == [1.0, 3.0]
    half_known = crystal_from_sites(replace(sites, b_iso=np.array([np.nan, 3.0])))
    assert half_known.b_iso.tolist() == [3.0, 3.0]
    assert np.isnan(crystal_from_sites(replace(sites, b_iso=None)).b_iso).all()
    apart = replace(body_centred({26: 1.0}, {13: 1.0}), b_iso=np.array([1.0, 3.0]))
    crystal = crystal_from_sites(apart)
    assert dict(zip(crystal.species.tolist(), crystal.b_iso.tolist(), strict=True)) == {26: 1.0, 13: 3.0}


def test_without_standardising_the_cell_stays_as_given():
    sites = general_crystal(146)
    shifted = replace(sites, frac=sites.frac + 0.1)
    crystal = crystal_from_sites(shifted, standardise=False)
    assert crystal.space_group[0] == 146 and not crystal.standard[0]
    assert np.array_equal(crystal.frac, shifted.frac)
    assert crystal.cell[0] == pytest.approx([6.3, 6.3, 8.7, 90, 90, 120])


def test_supercells_shrink_to_the_conventional_cell():
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    crystals = from_structures([salt, salt * (2, 1, 3), salt.get_primitive_structure()])
    assert crystals.space_group.tolist() == [225] * 3 and crystals.n_sites.tolist() == [8] * 3
    assert crystals.cell == pytest.approx(np.tile([5.64] * 3 + [90] * 3, (3, 1)))
    assert crystals.source_id.tolist() == ["structure 0", "structure 1", "structure 2"]


BROKEN = {
    "no atoms": {"frac": np.zeros((0, 3)), "occupants": []},
    "coordinates not finite": {"frac": np.array([[0, 0, 0], [0.5, np.nan, 0.5]])},
    "lattice not finite": {"lattice": np.diag([3.0, np.inf, 3.0])},
    "b_iso not finite": {"b_iso": np.array([0.0, np.inf])},
    "degenerate cell": {"lattice": np.array([[3.0, 0, 0], [0, 3, 0], [3, 3, 0]])},
    "total occupancy above 1": {"occupants": [{26: 1.0}, {26: 0.9, 13: 0.6}]},
    "occupancy not positive": {"occupants": [{26: 1.0}, {13: -0.5}]},
    "arrays do not fit together": {"frac": np.zeros((3, 3))},
    "no symmetry found": {"frac": np.array([[0, 0, 0], [0, 0, 1e-4]])},
}


@pytest.mark.parametrize("reason", BROKEN)
def test_broken_crystals_are_named_with_the_fault_and_the_value(reason):
    sites = replace(body_centred({26: 1.0}, {26: 1.0}), name="bad-7", **BROKEN[reason])
    with pytest.raises(BadCrystalError, match=f"^bad-7: {reason}: .+") as caught:
        crystal_from_sites(sites)
    assert caught.value.reason == reason


def test_the_value_stands_in_the_message():
    with pytest.raises(ValueError, match=r"site 1 holds \{'Fe': 0.9, 'Al': 0.6\}, 1.5000 in all"):
        crystal_from_sites(replace(body_centred({1: 1.0}, {1: 1.0}), **BROKEN["total occupancy above 1"]))
    dummy = Structure(Lattice.cubic(3), ["X"], [[0, 0, 0]])
    with pytest.raises(BadCrystalError, match=r"structure 0: unknown element: site 0: 'X0\+' is not the symbol"):
        from_structures([dummy])


def test_structures_make_the_round_trip():
    structure = Structure(
        Lattice.from_parameters(5.1, 6.2, 7.3, 80, 95, 100),
        [{"Fe3+": 0.5, "Al": 0.25}, "O2-", "D"],
        [[0.1, 0.2, 0.3], [0.6, 0.7, 0.9], [0.4, 0.9, 0.1]],
        site_properties={"b_iso": [0.5, 1.0, 2.0]},
        properties={"source_id": "mine"},
    )
    crystals = CrystalSet.from_structures([structure], standardise=False)
    assert crystals.species.tolist() == [26, 13, 8, DEUTERIUM] and crystals.space_group.tolist() == [1]
    assert crystals.b_iso.tolist() == [0.5, 0.5, 1.0, 2.0] and crystals.source_id.tolist() == ["mine"]
    (back,) = crystals.to_structures()
    assert back.properties["source_id"] == "mine" and back.site_properties["b_iso"] == [0.5, 1.0, 2.0]
    assert back.composition == structure.composition.element_composition
    assert np.allclose(back.frac_coords, structure.frac_coords)
    assert np.allclose(back.lattice.parameters, structure.lattice.parameters)
    again = CrystalSet.from_structures([back], standardise=False)
    assert np.allclose(again.occupancy, crystals.occupancy) and np.allclose(again.b_iso, crystals.b_iso)
    assert to_structures(CrystalSet.empty()) == [] and len(from_structures([])) == 0


def test_real_structures_of_every_two_origin_group(data_folder):
    """spglib's POSCARs: the operations fit to 1e-6 Å, and pymatgen's matcher finds the crystal unchanged."""
    with open(data_folder / "structures/spglib_poscars_785.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["sg_spglib_0.01"] or 0) in TWO_ORIGINS]
    smallest = {}
    for row in sorted(rows, key=lambda row: int(row["natoms"])):
        smallest.setdefault(int(row["sg_spglib_0.01"]), f"{row['category']}/{row['file']}")
    assert set(smallest) == set(TWO_ORIGINS) - {203}  # of which spglib has no structure
    with tarfile.open(data_folder / "structures/spglib_poscars_785.tar.gz") as archive:
        for number, member in smallest.items():
            structure = Structure.from_str(archive.extractfile(member).read().decode(), fmt="poscar")
            crystal = crystal_from_sites(sites_from_structure(structure, member))
            assert crystal.space_group[0] == number, member
            assert misfit(crystal) < 1e-6, member
            if len(structure) <= 60:
                assert same_crystal(crystal, from_structures([structure], standardise=False), 5e-3), member


@pytest.mark.parametrize(("file", "step"), [("mp_30587.jsonl.gz", 75), ("3dsc_10904.jsonl.gz", 60)])
def test_database_entries_fit_their_operations(data_folder, file, step):
    with gzip.open(data_folder / "structures" / file) as lines:
        entries = [json.loads(line) for line in itertools.islice(lines, 0, None, step)]
    structures = [Structure(e["lattice"], e.get("occ") or e["el"], e["frac"]) for e in entries]
    crystals = from_structures(structures)
    agree = crystals.space_group == [entry["sg_0.01"] for entry in entries]
    assert len(entries) > 150 and agree.mean() >= 0.99
    assert misfit(crystals) < 1e-6

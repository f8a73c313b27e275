"""CIFs written after public bug reports of other programs, with the crystal that a crystallographer would read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.reading.cif import read_cif
from paperlib.crystals.sources import load_crystals
from paperlib.crystals.species import species_symbol
from paperlib.crystals.standardise import BadCrystalError, crystal_from_sites

CASES = Path(__file__).parent / "cases"
EXPECTED = json.loads((CASES / "expected.json").read_text())
READ = [name for name, right in EXPECTED.items() if "space_group" in right]

REMARKS = {
    "a3_yb_in_yag.cif": {"formula contradicts the atoms"},
    "a7_attached_hydrogens.cif": {"hydrogens stated but not listed"},
    "a8_isotopes.cif": {"isotope read as its element"},
    "b1_occupancy_b.cif": {"number read in spite of its spelling"},
    "b1_occupancy_d.cif": {"number read in spite of its spelling"},
    "b2_cartesian_only.cif": {"Cartesian coordinates"},
    "c1_centring_repeated.cif": {"operations not usable"},
    "c4_identity_only.cif": {"contradiction resolved"},
    "c5_laves_origin.cif": {"contradiction resolved"},
    "c9_magnetic.cif": {"magnetic structure: only the positions"},
    "d3_images_listed_half.cif": {"images listed as well"},
    "ok_F_d_3_m.cif": {"origin or axes open, chosen by distances"},
    "ok_wrong_screw_list.cif": {"operations not usable"},
}


def content(crystal: CrystalSet) -> dict[str, float]:
    """Atoms in the cell by symbol."""
    amounts: dict[str, float] = {}
    for code, amount in zip(crystal.species, crystal.occupancy, strict=True):
        symbol = species_symbol(int(code))
        amounts[symbol] = amounts.get(symbol, 0.0) + float(amount)
    return amounts


@pytest.mark.parametrize("name", READ)
def test_a_crystal_is_what_a_crystallographer_reads(name):
    right = EXPECTED[name]
    for sites in read_cif(name, (CASES / name).read_bytes()):
        assert not isinstance(sites, BadCrystalError), str(sites)
        crystal = crystal_from_sites(sites)
        amounts = dict(right["composition_of_the_conventional_cell"])
        if name == "a7_attached_hydrogens.cif":
            del amounts["H"]  # no place is given for them: they are said to be missing
        assert content(crystal) == pytest.approx(amounts)
        assert crystal.space_group.tolist() == [right["space_group"]]
        if "b_iso_angstrom2" in right:
            assert sorted(set(crystal.b_iso.round(2))) == sorted(right["b_iso_angstrom2"])
        assert {kind for kind, _ in sites.remarks} == REMARKS.get(name, set())


def test_water_of_minerals_is_oxygen_and_its_hydrogens_are_said_to_be_missing():
    (sites,) = read_cif("water", (CASES / "a10_water_label.cif").read_bytes())
    assert content(crystal_from_sites(sites)) == {"Ca": 2, "C": 2, "O": 4}
    assert {"water without its hydrogens", "hydrogens stated but not listed"} <= {kind for kind, _ in sites.remarks}


def test_a_group_number_in_quotes_is_a_number_and_ends_nothing():
    loaded = load_crystals(CASES / "quoted_number")
    assert not loaded.skipped and loaded.crystals.space_group.tolist() == [225, 225]
    assert loaded.declared_space_group.tolist() == [225, 225]
    assert [content(loaded.crystals[i]) for i in range(2)] == [{"Mg": 4, "O": 4}, {"Na": 4, "Cl": 4}]


def test_two_blocks_of_one_name_are_two_crystals():
    names = [sites.name for sites in read_cif("file", (CASES / "e3_same_block_twice.cif").read_bytes())]
    assert names == ["file#case", "file#case(2)"]

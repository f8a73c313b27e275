"""CIFs written by hand, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from paperlib.crystals.crystal_set import DEUTERIUM, CrystalSet
from paperlib.crystals.reading.cif import read_cif
from paperlib.crystals.standardise import BadCrystalError, Sites, crystal_from_sites
from tests.crystals.conftest import misfit, same_crystal

FIELDS = "label type_symbol fract_x fract_y fract_z"


def cif(cell: str, symmetry: str, atoms: str, fields: str = FIELDS, name: str = "test") -> str:
    """A CIF: ``cell`` as six numbers, ``symmetry`` as an H-M symbol or as whole CIF lines, ``atoms`` one per line."""
    keys = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [f"data_{name}"] + [f"_cell_{key} {value}" for key, value in zip(keys, cell.split(), strict=True)]
    lines.append(symmetry if symmetry.startswith(("_", "loop_")) else f"_symmetry_space_group_name_H-M '{symmetry}'")
    lines += ["loop_"] + [f"_atom_site_{field}" for field in fields.split()]
    return "\n".join([*lines, *(line.strip() for line in atoms.strip().splitlines())]) + "\n"


def sites_of(text: str) -> Sites:
    (sites,) = read_cif("test", text.encode())
    if isinstance(sites, BadCrystalError):
        raise sites
    return sites


def crystal_of(text: str) -> CrystalSet:
    return crystal_from_sites(sites_of(text))


def test_rhombohedral_and_hexagonal_axes_give_one_crystal():
    a, c = 5.0, 14.0
    hexagonal = cif(f"{a} {a} {c} 90 90 120", "R -3 H", "Ca1 Ca 0 0 0\nC1 C 0 0 0.25\nO1 O 0.26 0.07 0.18")
    # Obverse setting (International Tables A, table 1.5.1.1): a_r = (2a + b + c) / 3 and its turns by 120 degrees.
    axes = np.array([[2, -1, -1], [1, 1, -2], [1, 1, 1]]) / 3
    turned = np.linalg.solve(axes, np.array([[0, 0, 0], [0, 0, 0.25], [0.26, 0.07, 0.18]]).T).T
    edge = np.sqrt(a**2 / 3 + c**2 / 9)
    angle = 2 * np.degrees(np.arcsin(a / 2 / edge))
    cell = f"{edge} {edge} {edge} {angle} {angle} {angle}"
    rows = [
        " ".join([*kind.split(), *map(str, xyz)]) for kind, xyz in zip(("Ca1 Ca", "C1 C", "O1 O"), turned, strict=True)
    ]
    for symbol in ("R -3 R", "R-3:R", "R -3"):
        crystal, expected = crystal_of(cif(cell, symbol, "\n".join(rows))), crystal_of(hexagonal)
        assert crystal.space_group[0] == expected.space_group[0] == 148
        assert crystal.n_sites[0] == expected.n_sites[0] == 3 + 6 + 18
        assert crystal.cell[0] == pytest.approx([a, a, c, 90, 90, 120]) and misfit(crystal) < 1e-6
        assert same_crystal(crystal, expected)


SPINEL_1 = "Mg1 Mg 0 0 0\nAl1 Al 0.625 0.625 0.625\nO1 O 0.3863 0.3863 0.3863"
SPINEL_2 = "Mg1 Mg 0.125 0.125 0.125\nAl1 Al 0.5 0.5 0.5\nO1 O 0.2613 0.2613 0.2613"


@pytest.mark.parametrize(
    ("symbol", "atoms"),
    [
        ("F d -3 m S", SPINEL_1),
        ("Fd-3m:1", SPINEL_1),
        ("F d -3 m Z", SPINEL_2),
        ("F d 3 m", SPINEL_1),
        ("F d 3 m", SPINEL_2),
        ("_symmetry_Int_Tables_number 227", SPINEL_2),
        ("_symmetry_space_group_name_Hall '-F 4vw 2vw 3'", SPINEL_2),
    ],
)
def test_both_origins_give_one_spinel_and_atoms_tell_which_was_meant(symbol, atoms):
    crystal = crystal_of(cif("8.08 8.08 8.08 90 90 90", symbol, atoms))
    assert crystal.space_group.tolist() == [227] and crystal.formula.tolist() == ["MgAl2O4"]
    assert crystal.n_sites.tolist() == [56]
    by_species = {code: crystal.frac[crystal.species == code] for code in (12, 13)}
    # Origin choice 2, at the centre -3m: Mg in 8a (1/8, 1/8, 1/8), Al in 16d (1/2, 1/2, 1/2), or both shifted by 1/2.
    assert np.allclose(by_species[12] % 0.25, 0.125) and np.allclose(by_species[13] % 0.25 % 0.25, 0)
    assert misfit(crystal) < 1e-6


@pytest.mark.parametrize("symbol", ["P 21/c", "P21/c", "P 1 21/c 1", "P2_1/c"])
def test_spellings_of_one_monoclinic_group(symbol):
    crystal = crystal_of(cif("5.1 6.2 7.3 90 105 90", symbol, "Na1 Na+ .1 .2 .3\nCl1 Cl- .6 .9 .2"))
    assert crystal.space_group.tolist() == [14] and crystal.n_sites.tolist() == [8]


def test_mixed_sites_vacancies_isotopes_and_displacements():
    atoms = "Fe1 Fe3+ 0 0 0 0.75 0.01\nAl1 Al3+ 0 0 0 0.20 0.02\nD1 D 0.5 0.5 0.5 . ?\nH1 H 0.5 0.5 0 0 ?"
    text = cif("4 4 4 90 90 90", "P m -3 m", atoms, FIELDS + " occupancy U_iso_or_equiv")
    sites = sites_of(text)
    assert list(sites.occupants) == [{26: 0.75, 13: 0.20}, {DEUTERIUM: 1.0}]
    mean_u = (0.75 * 0.01 + 0.20 * 0.02) / 0.95
    assert sites.b_iso == pytest.approx([8 * np.pi**2 * mean_u, np.nan], nan_ok=True)
    assert crystal_of(text).formula.tolist() == ["Al0.2Fe0.75D"]
    as_b = sites_of(text.replace("U_iso_or_equiv", "B_iso_or_equiv"))
    assert as_b.b_iso == pytest.approx([mean_u, np.nan], nan_ok=True)


def test_anisotropic_displacement_becomes_its_equivalent():
    text = cif("4 4 6 90 90 120", "P 3", "Na1 Na 0 0 0") + (
        "loop_\n_atom_site_aniso_label\n"
        + "".join(f"_atom_site_aniso_U_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23"))
        + "Na1 0.02 0.02 0.05 0.01 0 0\n"
    )
    # An ellipsoid round about c: U_eq is a third of the trace, (0.02 + 0.02 + 0.05) / 3, where U12 = U11 / 2.
    assert sites_of(text).b_iso == pytest.approx([8 * np.pi**2 * 0.03])


def test_rounded_coordinates_are_moved_onto_the_special_position():
    rounded = crystal_of(cif("6.2 6.2 9.9 90 90 120", "P 63/m m c", "Zn1 Zn 0.333 0.667 0.25\nO1 O 0.17 0.34 0.93"))
    exact = sites_of(cif("6.2 6.2 9.9 90 90 120", "P 63/m m c", f"Zn1 Zn {1 / 3} {2 / 3} 0.25"))
    assert len(exact.frac) == 2 and rounded.space_group[0] == 194
    zinc = sites_of(cif("6.2 6.2 9.9 90 90 120", "P 63/m m c", "Zn1 Zn 0.333 0.667 0.25")).frac
    assert np.allclose(np.sort(zinc, axis=0), np.sort(exact.frac, axis=0), atol=1e-12)
    assert (rounded.species == 30).sum() == 2 and (rounded.species == 8).sum() == 12


def test_split_positions_stay_apart():
    text = cif("5 5 5 90 90 90", "P -1", "Na1 Na 0.03 0 0 0.5\nCl1 Cl 0.5 0.5 0.5 1", FIELDS + " occupancy")
    assert list(sites_of(text).occupants) == [{11: 0.5}, {11: 0.5}, {17: 1.0}]


def test_operations_outside_every_table_are_followed_and_so_are_cells_listed_whole():
    # An I lattice described in F axes (a doubled tetragonal cell): no symbol names this setting.
    loop = "loop_\n_symmetry_equiv_pos_as_xyz\n" + "\n".join(
        f"'{sign}x+{a},{sign}y+{b},z+{c}'"
        for sign in ("", "-")
        for a, b, c in ((0, 0, 0), ("1/4", "1/4", "1/2"), ("1/2", "1/2", 0), ("3/4", "3/4", "1/2"))
    )
    assert len(sites_of(cif("8 8 6 90 90 90", loop, "Na1 Na 0.1 0.02 0.3")).frac) == 8
    salt = "Na1 Na 0 0 0\nNa2 Na 0.5 0.5 0\nNa3 Na 0.5 0 0.5\nNa4 Na 0 0.5 0.5\nCl1 Cl 0.5 0.5 0.5"
    whole = crystal_of(cif("5.64 5.64 5.64 90 90 90", "F m -3 m", salt))
    assert whole.space_group.tolist() == [225] and whole.formula.tolist() == ["NaCl"]


def test_types_that_name_no_element_are_read_with_the_help_of_the_formula():
    water = cif("5 5 5 90 90 90", "P 1", "OW 0.1 0.2 0.3\nHO 0.3 0.4 0.5", "label fract_x fract_y fract_z")
    assert list(sites_of(water + "_chemical_formula_sum 'H2 O'\n").occupants) == [{8: 1.0}, {1: 1.0}]
    with pytest.raises(BadCrystalError, match="test: unknown element: atom QW is of type"):
        sites_of(water.replace("OW", "QW"))


def test_each_block_with_atoms_is_a_crystal_and_a_bad_one_does_not_spoil_the_others():
    good = [cif("4 4 4 90 90 90", "P m -3 m", f"{kind}1 {kind} 0 0 0", name=kind) for kind in ("Na", "K")]
    bad = cif("4 4 4 90 90 90", "P m -3 m", "Q1 Qq 0 0 0", name="bad")
    results = list(read_cif("file", ("data_global\n_audit_creation_method x\n" + good[0] + bad + good[1]).encode()))
    assert [result.name for result in results] == ["file#Na", "file#bad", "file#K"]
    assert [isinstance(result, BadCrystalError) for result in results] == [False, True, False]


GOOD = cif("4 4 4 90 90 90", "P m -3 m", "Na1 Na 0 0 0 1", FIELDS + " occupancy")
BROKEN = {
    "not a valid CIF": GOOD.replace("0 0 0 1\n", "0 0"),
    "no atoms": GOOD.split("loop_")[0],
    "unknown element": GOOD.replace("Na1 Na", "Du1 Qq"),
    "total occupancy above 1": GOOD.replace("0 0 0 1", "0 0 0 1.5"),
    "occupancy not positive": GOOD.replace("0 0 0 1", "0 0 0 -0.5"),
    "coordinates not finite": GOOD.replace("0 0 0 1", "0 ? 0 1"),
    "degenerate cell": GOOD.replace("_cell_length_b 4", "_cell_length_b -4"),
    "cell does not fit its symmetry": GOOD.replace("_cell_length_b 4", "_cell_length_b 5"),
    "no symmetry given": GOOD.replace("'P m -3 m'", "?"),
}


@pytest.mark.parametrize("reason", BROKEN)
def test_broken_files_say_what_is_wrong(reason):
    with pytest.raises(BadCrystalError, match=f"^test: {reason}: .+"):
        crystal_of(BROKEN[reason])
    assert crystal_of(GOOD).space_group.tolist() == [221]


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"<html>404</html>", b"data_", b"\x1f\x8b\x08"])
def test_what_is_no_cif_at_all_is_reported(content):
    (result,) = read_cif("page", content)
    assert isinstance(result, BadCrystalError) and result.reason in ("not a valid CIF", "no atoms")

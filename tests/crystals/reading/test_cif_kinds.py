"""Crystals as people write them: for each kind of trouble, inputs whose right reading is known by hand."""

from __future__ import annotations

import re
import warnings

import gemmi
import numpy as np
import pytest
from pymatgen.io.cif import CifParser

from paperlib.crystals.reading.cif import read_cif
from paperlib.crystals.standardise import BadCrystalError, Sites, crystal_from_sites
from tests.crystals.reading.test_cases import content
from tests.crystals.reading.test_cif import FIELDS, cif, sites_of

CUBE = "5 5 5 90 90 90"
SALT = "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5"
OCCUPIED = FIELDS + " occupancy"


def read(text: str | bytes) -> list[Sites | BadCrystalError]:
    return list(read_cif("test", text.encode() if isinstance(text, str) else text))


def kinds(sites: Sites) -> set[str]:
    return {kind for kind, _ in sites.remarks}


def amounts(text: str) -> dict[str, float]:
    return content(crystal_from_sites(sites_of(text)))


def with_formula(text: str, formula: str, z: int | None = None) -> str:
    items = f"_chemical_formula_sum '{formula}'\n" + (f"_cell_formula_units_Z {z}\n" if z else "")
    return text.replace("_cell_length_a", items + "_cell_length_a", 1)


def pymatgen_amounts(text: str) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (structure,) = CifParser.from_str(text).parse_structures(primitive=False)
    return dict(structure.composition.get_el_amt_dict())


# A statement wins over a guess.
TYPES = {
    ("NA CL", "NA1 NA", "CL1 CL"): ("Na", "Cl"),
    ("FE S2", "FE1 FE2+", "S1 S"): ("Fe", "S"),
    ("CO O", "CO1 CO", "O1 O"): ("Co", "O"),
    ("Ca F2", "CA1 Ca2+", "F1 F-"): ("Ca", "F"),
    ("Al5 O12 Y3", "Yb1 Yb3+", "O1 O2-"): ("Yb", "O"),
    ("NaCl", "X1 K+", "X2 Br1-"): ("K", "Br"),
    ("", "Na1 ?", "Cl1 ."): ("Na", "Cl"),
    ("Ca F2", "CA1 .", "F1 ."): ("Ca", "F"),
    ("C O", "CA .", "OB ."): ("C", "O"),
    ("H2 O", "HO .", "OW ."): ("H", "O"),
    ("HO2 O3", "HO1 HO", "O1 O"): ("Ho", "O"),
    ("", "Oa1 .", "Si(1) ."): ("O", "Si"),
    ("", "Fe3+M1 .", "O1 O0+"): ("Fe", "O"),
}


@pytest.mark.parametrize("case", TYPES, ids=str)
def test_the_element_of_an_atom(case):
    formula, first, second = case
    text = cif(CUBE, "P m -3 m", f"{first} 0 0 0\n{second} 0.5 0.5 0.5")
    assert set(amounts(with_formula(text, formula) if formula else text)) == set(TYPES[case])


@pytest.mark.parametrize("formula", ["NA CL", "NaCl", "Na Cl", "Cl1.00 Na1.00", "'Na1 Cl1'", "na cl"])
def test_a_formula_in_any_letters_never_makes_another_crystal(formula):
    text = with_formula(cif("5.64 5.64 5.64 90 90 90", "F m -3 m", SALT), formula.strip("'"))
    assert amounts(text) == {"Na": 4, "Cl": 4}
    assert not kinds(sites_of(text))


@pytest.mark.parametrize(
    "atom",
    ["Atom1 .", "Cation1 .", "Site1 .", "SITE1 .", "M1 .", "T1 ?", "Q1 Xx", "? ?", "A1 Na/K", "A1 Na,Cl", "(Fe,Mg) ."],
)
def test_what_names_no_element_is_refused_with_its_text(atom):
    (error,) = read(cif(CUBE, "P m -3 m", f"{atom} 0 0 0\nO1 O 0.5 0.5 0.5"))
    assert isinstance(error, BadCrystalError) and error.reason == "unknown element"
    assert atom.split()[0].strip("()") in error.detail or atom.split()[1] in error.detail


MIXTURES = {
    "'0.8Nb + 0.2Zr'": {"Nb": 0.8, "Zr": 0.2},
    "Nb0.8Zr0.2": {"Nb": 0.8, "Zr": 0.2},
    "'Nb0.8 Zr0.2'": {"Nb": 0.8, "Zr": 0.2},
    "(Fe0.25,Mg0.75)": {"Fe": 0.25, "Mg": 0.75},
    "0.5Na": {"Na": 0.5},
}


@pytest.mark.parametrize("symbol", MIXTURES)
def test_a_mixture_on_one_site_is_read_with_its_amounts(symbol):
    text = cif(CUBE, "P m -3 m", f"A1 {symbol} 0 0 0")
    assert amounts(text) == pytest.approx(MIXTURES[symbol])


def test_isotopes_are_their_elements_and_only_deuterium_stands_apart():
    for symbol, element in {"7Li": "Li", "11B": "B", "2H": "D", "D": "D", "1H": "H", "58Ni2+": "Ni"}.items():
        sites = sites_of(cif(CUBE, "P m -3 m", f"A1 {symbol} 0 0 0"))
        assert set(content(crystal_from_sites(sites))) == {element}
        assert ("isotope read as its element" in kinds(sites)) == (symbol[0].isdigit() and element != "D")


def test_a_label_in_capitals_without_a_formula_is_a_guess_and_said_to_be_one():
    text = cif(CUBE, "P m -3 m", "CA1 . 0 0 0\nF1 . 0.5 0.5 0")
    guessed = sites_of(text)
    assert content(crystal_from_sites(guessed)) == {"Ca": 1, "F": 3}
    assert kinds(guessed) == {"element guessed from a label"}
    assert not kinds(sites_of(with_formula(text, "Ca F3")))


# Nothing that cannot be read becomes a default.
NUMBERS = {
    "0.25": 0.25, "0.25(1)": 0.25, ".25": 0.25, "2.5e-1": 0.25, "'0.25'": 0.25, "+0.25": 0.25, "1": 1.0, ".": 1.0,
    "0,25": 0.25, "1/4": 0.25, "25%": 0.25, "0.25?": 0.25, "0.25*": 0.25, "'0.25 (3)'": 0.25, "?": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_an_occupancy_in_every_spelling(text):
    sites = sites_of(cif(CUBE, "P m -3 m", f"Na1 Na 0 0 0 {text}\nCl1 Cl 0.5 0.5 0.5 1", OCCUPIED))
    assert content(crystal_from_sites(sites)) == pytest.approx({"Na": NUMBERS[text], "Cl": 1})
    told = {"0,25", "1/4", "25%", "0.25?", "0.25*", "'0.25 (3)'"}
    assert ("number read in spite of its spelling" in kinds(sites)) == (text in told)
    assert ("occupancy unknown, taken as 1" in kinds(sites)) == (text == "?")


@pytest.mark.parametrize("text", ["abc", "1e300", "inf", "nan", "0.2.5", "--1", "1,0,0", "0x1", "1e", "1/0"])
def test_numbers_that_are_none_are_refused_by_name(text):
    place = cif(CUBE, "P m -3 m", f"Na1 Na 0 {text} 0 1", OCCUPIED)
    amount = cif(CUBE, "P m -3 m", f"Na1 Na 0 0 0 {text}", OCCUPIED)
    edge = cif(CUBE.replace("5", text, 1), "P m -3 m", "Na1 Na 0 0 0")
    for broken in (place, amount, edge):
        with pytest.raises(BadCrystalError, match=re.escape(text.replace("1e300", "1e+300"))):
            crystal_from_sites(sites_of(broken))


@pytest.mark.parametrize("text", ["1e17", "250", "-1000.5"])
def test_coordinates_that_cannot_be_fractions_of_a_cell_are_refused(text):
    (error,) = read(cif(CUBE, "P 1", f"Na1 Na 0 {text} 0"))
    assert isinstance(error, BadCrystalError) and error.reason == "coordinates not fractional"


@pytest.mark.parametrize(("text", "value"), [("1/3", 1 / 3), ("0,25", 0.25), ("\u22120.25", -0.25), ("-.25", -0.25)])
def test_coordinates_in_other_spellings(text, value):
    sites = sites_of(cif(CUBE, "P 1", f"Na1 Na {text} 0 0"))
    assert sites.frac[0, 0] % 1 == pytest.approx(value % 1)


TENSOR = "\n".join(
    ["loop_", "_atom_site_aniso_label"] + [f"_atom_site_aniso_{{0}}_{ij}" for ij in (11, 22, 33, 12, 13, 23)]
)
U = 1.6 / (8 * np.pi**2)


@pytest.mark.parametrize(
    ("fields", "values", "more", "expected"),
    [
        ("B_iso_or_equiv", "1.6", "", 1.6),
        ("U_iso_or_equiv", f"{U:.6f}", "", 1.6),
        ("U_iso_or_equiv B_iso_or_equiv", "? 1.6", "", 1.6),
        ("U_iso_or_equiv B_iso_or_equiv", ". 1.6", "", 1.6),
        ("U_iso_or_equiv", "?", TENSOR.format("U") + f"\nNa1 {U} {U} {U} 0 0 0\n", 1.6),
        ("U_iso_or_equiv", "0", TENSOR.format("B") + "\nNa1 1.6 1.6 1.6 0 0 0\n", 1.6),
        ("U_iso_or_equiv", "0.0", "", 0.0),
        ("U_iso_or_equiv", "?", "", np.nan),
        ("U_iso_or_equiv", "-0.01", "", np.nan),
        ("B_iso_or_equiv", "abc", "", np.nan),
        ("B_iso_or_equiv", "50%", "", np.nan),
        ("B_iso_or_equiv", "1/3", "", np.nan),
        ("B_iso_or_equiv", "1,6", "", 1.6),
        ("B_iso_or_equiv", "''", "", np.nan),
        ("U_iso_or_equiv", "1e5", "", np.nan),
        ("U_iso_or_equiv", "?", TENSOR.format("U") + f"\nNa1 {U} {U} ? 0 0 0\n", np.nan),
    ],
)
def test_displacements_are_read_or_unknown(fields, values, more, expected):
    sites = sites_of(cif(CUBE, "P m -3 m", f"Na1 Na 0 0 0 {values}", f"{FIELDS} {fields}") + more)
    assert sites.b_iso == pytest.approx([expected], rel=1e-3, nan_ok=True)
    assert crystal_from_sites(sites).b_iso == pytest.approx([expected], rel=1e-3, nan_ok=True)
    assert any("taken as unknown" in kind for kind in kinds(sites)) == (values in ("-0.01", "abc", "1e5", "50%", "1/3"))
    assert ("number read in spite of its spelling" in kinds(sites)) == (values == "1,6")


def test_an_empty_text_is_no_number():
    (error,) = read(cif("5 6 7 90 103 90", "P 21", "Na1 Na 0.1 0.2 0.3").replace("beta 103", "beta ''"))
    assert error.reason == "degenerate cell" and "_cell_angle_beta is not given" in error.detail
    sites = sites_of(cif(CUBE, "P m -3 m", "Na1 Na 0 0 0 ''", OCCUPIED))
    assert kinds(sites) == {"occupancy unknown, taken as 1"}
    comma = sites_of(cif("5,64 5,64 5,64 90 90 90", "F m -3 m", SALT))
    assert kinds(comma) == {"number read in spite of its spelling"} and comma.lattice[0, 0] == 5.64


def test_an_unknown_displacement_is_left_out_of_the_mean():
    # Two sodium atoms that the symmetry of rock salt makes equal: one B is known.
    atoms = "Na1 Na 0 0 0 1.6\nNa2 Na 0.5 0.5 0 ?\nNa3 Na 0.5 0 0.5 ?\nNa4 Na 0 0.5 0.5 ?\n"
    atoms += "\n".join(f"Cl{i} Cl {xyz} 1.2" for i, xyz in enumerate(("0.5 0.5 0.5", "0 0 0.5", "0 0.5 0", "0.5 0 0")))
    crystal = crystal_from_sites(sites_of(cif("5.64 5.64 5.64 90 90 90", "P 1", atoms, FIELDS + " B_iso_or_equiv")))
    assert crystal.b_iso[crystal.species == 11] == pytest.approx([1.6] * 4)
    assert crystal.b_iso[crystal.species == 17] == pytest.approx([1.2] * 4)


def test_cartesian_coordinates_of_a_skew_cell_follow_the_usual_axes():
    cell = gemmi.UnitCell(4, 5, 6, 80, 95, 110)
    fractions = np.array([[0.1, 0.2, 0.3], [0.6, 0.7, 0.9]])
    rows = [" ".join(f"{x:.6f}" for x in cell.orthogonalize(gemmi.Fractional(*row)).tolist()) for row in fractions]
    text = cif("4 5 6 80 95 110", "P 1", f"Na1 Na {rows[0]}\nCl1 Cl {rows[1]}").replace("_fract_", "_Cartn_")
    sites = sites_of(text)
    assert np.allclose(sites.frac % 1, fractions, atol=1e-6) and kinds(sites) == {"Cartesian coordinates"}
    (error,) = read(text.replace("loop_", "_atom_sites_Cartn_tran_matrix_11 1.5\nloop_", 1))
    assert isinstance(error, BadCrystalError) and error.reason == "Cartesian coordinates in axes of their own"


# One entry ends nothing.
GOOD = cif("4.2 4.2 4.2 90 90 90", "F m -3 m", "Mg1 Mg 0 0 0\nO1 O 0.5 0.5 0.5", name="good")
BAD_BLOCKS = {
    "loop": "data_bad\nloop_\n_a\n_b\n1 2 3\n",
    "open quote": "data_bad\n_cell_length_a '5\n",
    "no header": "data_bad\n_cell_length_a\n",
    "open text": "data_bad\n_a\n;\nnever closed\n",
    "garbage": "data_bad\n}{ <html> ''\n",
    "number": GOOD.replace("good", "bad").replace("loop_", "_symmetry_Int_Tables_number 99999\nloop_", 1),
    "unknown atom": GOOD.replace("good", "bad").replace("Mg1 Mg", "Q Qq"),
}


@pytest.mark.parametrize("kind", BAD_BLOCKS)
def test_a_bad_block_leaves_the_others(kind):
    for text in (BAD_BLOCKS[kind] + GOOD, GOOD + BAD_BLOCKS[kind]):
        if kind == "open text" and text.startswith("data_bad"):
            continue  # nothing can tell where such a text ends
        read_well = [sites for sites in read(text) if isinstance(sites, Sites)]
        assert {"test#good", "test"} & {sites.name for sites in read_well}
        assert all(content(crystal_from_sites(sites)) == {"Mg": 4, "O": 4} for sites in read_well)


@pytest.mark.parametrize("number", ["'225'", "225.0", "two", "99999", "1e9", "1e400", "-32769", "0", "?"])
def test_group_numbers_as_people_write_them(number):
    text = GOOD.replace("loop_", f"_symmetry_Int_Tables_number {number}\nloop_", 1)
    sites = sites_of(text)
    assert sites.declared_space_group == 225
    assert ("space group number unreadable" in kinds(sites)) == (number not in ("'225'", "225.0", "?"))


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: ("# \u00c5ngstr\u00f6m\n" + text).encode("latin-1"),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: ("# \u00c5\n" + text).encode("utf-8"),
    ],
)
def test_encodings_and_line_ends(encode):
    (sites,) = read(encode(GOOD))
    assert content(crystal_from_sites(sites)) == {"Mg": 4, "O": 4}
    (error,) = read(GOOD.encode("utf-16-le"))
    assert error.reason == "not a valid CIF" and "UTF-16" in error.detail


# Contradictions are seen, and resolved where one reading agrees with all else.
SPINEL = "Mg1 Mg 0.125 0.125 0.125\nAl1 Al 0.5 0.5 0.5\nO1 O 0.2613 0.2613 0.2613"


def operations(*triplets: str) -> str:
    return "\nloop_\n_symmetry_equiv_pos_as_xyz\n" + "\n".join(f"'{triplet}'" for triplet in triplets)


def test_a_list_of_generators_is_completed():
    listed = operations("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z")[1:]
    sites = sites_of(cif("5.1 6.2 7.3 90 98 90", listed, "Sn1 Sn 0.1 0.2 0.3"))
    assert len(sites.frac) == 4 and crystal_from_sites(sites).space_group.tolist() == [14]
    assert "operations not usable" in kinds(sites)
    # with a symbol, the symbol decides
    named = cif(
        "5.1 6.2 7.3 90 98 90",
        "_symmetry_space_group_name_H-M 'P 21'" + operations("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z"),
        "Sn1 Sn 0.1 0.2 0.3",
    )
    assert len(sites_of(named).frac) == 2


def test_only_the_identity_listed_under_a_symbol():
    symbol = "_symmetry_space_group_name_H-M 'F m -3 m'" + operations("x,y,z")
    text = cif("5.64 5.64 5.64 90 90 90", symbol, SALT)
    for stated in (text, with_formula(text, "Cl Na"), with_formula(text, "Cl Na", 4)):
        sites = sites_of(stated)
        assert content(crystal_from_sites(sites)) == {"Na": 4, "Cl": 4}
        assert "contradiction resolved" in kinds(sites)
    # the whole cell listed, as programs write it that expand and keep the symbol: both readings agree
    rows = [f"Na{i} Na {xyz}" for i, xyz in enumerate(("0 0 0", "0.5 0.5 0", "0.5 0 0.5", "0 0.5 0.5"))]
    rows += [f"Cl{i} Cl {xyz}" for i, xyz in enumerate(("0.5 0.5 0.5", "0 0 0.5", "0 0.5 0", "0.5 0 0"))]
    whole = sites_of(with_formula(cif("5.64 5.64 5.64 90 90 90", symbol, "\n".join(rows)), "Cl Na", 4))
    assert content(crystal_from_sites(whole)) == {"Na": 4, "Cl": 4} and "contradiction resolved" not in kinds(whole)


def test_the_formula_decides_between_origins_against_the_distances():
    laves = cif("7.05 7.05 7.05 90 90 90", "F d -3 m", "Mg1 Mg 0.125 0.125 0.125\nCu1 Cu 0.5 0.5 0.5")
    assert amounts(with_formula(laves, "Cu2 Mg", 8)) == {"Mg": 8, "Cu": 16}
    assert amounts(with_formula(laves, "Cu2 Mg")) == {"Mg": 8, "Cu": 16}
    without = sites_of(laves)
    assert "origin or axes open, chosen by distances" in kinds(without)
    first = cif("7.05 7.05 7.05 90 90 90", "F d -3 m", "Mg1 Mg 0 0 0\nCu1 Cu 0.625 0.625 0.625")
    assert amounts(with_formula(first, "Cu2 Mg")) == {"Mg": 8, "Cu": 16}
    coded = "_space_group_IT_coordinate_system_code 2\n_symmetry_space_group_name_H-M 'F d -3 m'"
    assert amounts(laves.replace("_symmetry_space_group_name_H-M 'F d -3 m'", coded)) == {"Mg": 8, "Cu": 16}


def test_operations_for_another_origin_than_that_of_the_atoms():
    # Seen in two ferrites of a public collection: the operations of origin 1 above the atoms of origin 2.
    first = gemmi.find_spacegroup_by_name("F d -3 m:1").operations()
    listed = "_space_group_IT_number 227" + operations(*(op.triplet() for op in first))
    text = cif("8.08 8.08 8.08 90 90 90", listed, SPINEL)
    sites = sites_of(with_formula(text, "Al2 Mg O4", 8))
    assert content(crystal_from_sites(sites)) == {"Mg": 8, "Al": 16, "O": 32}
    assert "contradiction resolved" in kinds(sites)


def test_contradictions_that_nothing_resolves_are_named():
    half = cif(CUBE, "P m -3 m", "Na1 Na 0 0 0")
    assert kinds(sites_of(with_formula(half, "Cl Na"))) == {"formula contradicts the atoms"}
    assert kinds(sites_of(with_formula(half, "Na", 2))) == {"Z contradicts the atoms"}
    volume = sites_of(half.replace("loop_", "_cell_volume 130.5\nloop_", 1))
    assert kinds(volume) == {"volume contradicts the cell"}
    ((_, detail),) = volume.remarks
    assert "130.5" in detail and "125.00" in detail
    assert not kinds(sites_of(half.replace("loop_", "_cell_volume 125.1(2)\nloop_", 1)))
    counted = cif(CUBE, "P m -3 m", "Na1 Na 0 0 0 3\nCl1 Cl 0.5 0.5 0.5 1", FIELDS + " symmetry_multiplicity")
    assert kinds(sites_of(counted)) == {"multiplicity contradicts"}
    assert not kinds(sites_of(counted.replace("0 0 0 3", "0 0 0 1")))
    # the order of the site symmetry, which some programs write instead: 48 operations
    assert not kinds(sites_of(counted.replace("0 0 0 3", "0 0 0 48").replace("0.5 1", "0.5 48")))
    listed = "_symmetry_space_group_name_H-M 'P m -3 m'" + operations("x,y,z", "-x,-y,-z")
    odd = sites_of(cif(CUBE, listed, "Na1 Na 0.1 0.2 0.3"))
    assert len(odd.frac) == 2 and kinds(odd) == {"operations contradict the symbol"}
    assert "group 2: Na2" in odd.remarks[0][1] and "group 221: Na48" in odd.remarks[0][1]


def test_labels_that_stand_in_another_loop_are_no_labels_of_these_atoms():
    text = GOOD.replace("loop_\n_atom_site_label", "loop_\n_atom_site_label\nMg1\nO1\nO2\nloop_")
    text = text.replace("Mg1 Mg 0", "Mg 0").replace("O1 O 0", "O 0")
    (error,) = read(text)
    assert error.reason == "atom list in pieces" and "3 values for 2 atoms" in error.detail


def test_a_tag_that_stands_twice_is_no_choice():
    (error,) = read(GOOD.replace("_cell_length_a 4.2", "_cell_length_a 4.2\n_cell_length_a 5.2"))
    assert isinstance(error, BadCrystalError) and error.reason == "a tag stands twice"


# Lengths with regard to occupancy.
def test_parts_of_a_split_position_stay_apart_however_close():
    for offset, share in ((0.011, 0.125), (0.02, 0.125), (0.005, 0.125)):
        x = 0.5 - offset
        text = cif("4.006 4.006 4.006 90 90 90", "P m -3 m", f"Ba1 Ba 0 0 0 1\nTi1 Ti {x} {x} {x} {share}", OCCUPIED)
        sites = sites_of(text)
        assert len(sites.frac) == 1 + 8 and content(crystal_from_sites(sites)) == pytest.approx({"Ba": 1, "Ti": 1})
    pair = sites_of(cif(CUBE, "P -1", "Na1 Na 0.008 0 0 0.5\nCl1 Cl 0.5 0.5 0.5 1", OCCUPIED))
    assert len(pair.frac) == 3
    along = sites_of(cif(CUBE, "P 4/m m m", "Na1 Na 0 0 0.009 0.5", OCCUPIED))
    assert len(along.frac) == 2 and content(crystal_from_sites(along)) == {"Na": 1}


def test_whole_atoms_near_a_symmetry_element_are_moved_onto_it_and_said_to_be():
    sites = sites_of(cif(CUBE, "P -1", "Na1 Na 0.008 0 0\nCl1 Cl 0.5 0.5 0.5"))
    assert len(sites.frac) == 2 and kinds(sites) == {"atoms moved onto a symmetry element"}
    assert "Na1 by 0.04 Å" in sites.remarks[0][1]


@pytest.mark.parametrize(("a", "digits"), [(6.2, 2), (20, 2), (30, 2), (6.2, 3), (30, 3), (20, 4)])
def test_thirds_of_any_length_stand_on_their_axis(a, digits):
    third, two_thirds = round(1 / 3, digits), round(2 / 3, digits)
    for x, y in ((third, two_thirds), (third, int(2 / 3 * 10**digits) / 10**digits)):
        text = cif(f"{a} {a} 9.9 90 90 120", "P 63/m m c", f"Zn1 Zn {x} {y} 0.25")
        sites = sites_of(text)
        assert len(sites.frac) == 2 and crystal_from_sites(sites).space_group.tolist() == [194]
        assert not kinds(sites)


def test_images_listed_beside_the_symmetry_are_not_added():
    half = "Fe1 Fe 0 0 0 1\nO1 O 0.25 0.5 0.5 0.5\nO1A O 0.75 0.5 0.5 0.5"
    text = cif("5 6 7 90 90 90", "P m m m", half, OCCUPIED)
    assert amounts(text) == {"Fe": 1, "O": 1} and amounts(with_formula(text, "Fe O", 1)) == {"Fe": 1, "O": 1}
    # unless the formula says that they are: two oxygens, each half there
    added = sites_of(with_formula(text, "Fe O2", 1))
    assert content(crystal_from_sites(added)) == {"Fe": 1, "O": 2} and "contradiction resolved" in kinds(added)
    whole = cif(
        "5 6 7 90 90 90",
        "P m m m",
        half.replace("0.5 0.5 0.5\n", "0.5 0.5 1\n").replace("0.5 0.5 0.5", "0.5 0.5 1"),
        OCCUPIED,
    )
    assert amounts(whole) == {"Fe": 1, "O": 2}
    # two kinds of iron on one site are no images
    valences = "Fe1 Fe2+ 0 0 0 0.5\nFe2 Fe3+ 0 0 0 0.5\nO1 O2- 0.5 0.5 0.5 1"
    assert amounts(cif(CUBE, "P m -3 m", valences, OCCUPIED)) == {"Fe": 1, "O": 1}


# Spellings that were refused for reasons that were not true.
@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        ("P2(1)/c", 14),
        ("P2(1)2(1)2(1)", 19),
        ("P 6(3)/m", 176),
        ("I4(1)/a", 88),
        ("P 3(2) 2 1", 154),
        ("P4(2)/m n m", 136),
    ],
)
def test_screw_axes_in_brackets(symbol, number):
    cells = {14: "5 6 7 90 98 90", 19: "5 6 7 90 90 90", 176: "5 5 7 90 90 120", 154: "5 5 7 90 90 120"}
    sites = sites_of(cif(cells.get(number, "5 5 7 90 90 90"), symbol, "Na1 Na 0.11 0.23 0.37"))
    assert sites.declared_space_group == number


def test_dotted_names_of_the_new_dictionary():
    dotted = GOOD.replace("_cell_", "_cell.").replace("_atom_site_", "_atom_site.")
    dotted = dotted.replace("_symmetry_space_group_name_H-M", "_space_group.name_H-M_alt")
    (sites,) = read(dotted)
    assert content(crystal_from_sites(sites)) == {"Mg": 4, "O": 4} and sites.declared_space_group == 225


@pytest.mark.parametrize("label", ["Wat", "Wat1", "WATX2", "Wtr3", "H2O1"])
def test_water_by_its_names(label):
    sites = sites_of(cif(CUBE, "P m -3 m", f"Na1 Na 0 0 0\n{label} . 0.5 0.5 0.5"))
    assert content(crystal_from_sites(sites)) == {"Na": 1, "O": 1} and kinds(sites) == {"water without its hydrogens"}


# Hydrogens that are stated and not listed.
def test_hydrogens_that_are_missing_are_counted_and_those_listed_are_not():
    brucite = cif(
        "3.14 3.14 4.77 90 90 120",
        "P -3 m 1",
        "Mg1 Mg 0 0 0 0\nO1 O 0.3333 0.6667 0.22 1",
        FIELDS + " attached_hydrogens",
    )
    missing = "hydrogens stated but not listed"
    assert kinds(sites_of(with_formula(brucite, "H2 Mg O2", 1))) == {missing}
    assert kinds(sites_of(brucite)) == {missing}
    assert kinds(sites_of(with_formula(brucite.replace("0.22 1", "0.22 0"), "H2 Mg O2"))) == {missing}
    listed = brucite + "H1 H 0.3333 0.6667 0.42 0\n"
    assert not kinds(sites_of(with_formula(listed, "H2 Mg O2", 1)))
    assert not kinds(sites_of(with_formula(listed.replace("H1 H", "D1 D"), "H2 Mg O2", 1)))
    assert not kinds(sites_of(with_formula(brucite.replace("0.22 1", "0.22 0"), "Mg O2", 1)))


INDEPENDENT = [
    cif("5.64 5.64 5.64 90 90 90", "F m -3 m", SALT),
    cif("4.9 4.9 5.4 90 90 120", "P 32 2 1", "Si1 Si 0.4697 0 0.66667\nO1 O 0.4135 0.2669 0.7858"),
    cif("5.1 6.2 7.3 90 98 90", "P 1 21/c 1", "Sn1 Sn 0.1 0.2 0.3\nO1 O 0.4 0.15 0.7"),
    cif("8.08 8.08 8.08 90 90 90", "F d -3 m:2", SPINEL),
    cif("5.5 5.5 13.7 90 90 120", "R -3 m:H", "Bi1 Bi 0 0 0.399\nTe1 Te 0 0 0.788\nTe2 Te 0 0 0"),
    cif("4.6 4.6 2.96 90 90 90", "P 42/m n m", "Ti1 Ti4+ 0 0 0\nO1 O2- 0.305 0.305 0"),
]


@pytest.mark.parametrize("text", INDEPENDENT)
def test_what_gemmi_expands_rightly_is_expanded_alike(text):
    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text).sole_block())
    theirs: dict[str, float] = {}
    for site in small.get_all_unit_cell_sites():
        theirs[site.element.name] = theirs.get(site.element.name, 0.0) + site.occ
    mine = sites_of(text)
    counted: dict[str, float] = {}
    for site in mine.occupants:
        for code, amount in site.items():
            counted[gemmi.Element(code).name] = counted.get(gemmi.Element(code).name, 0.0) + amount
    assert counted == pytest.approx(theirs)


@pytest.mark.parametrize("text", [INDEPENDENT[0], INDEPENDENT[1], INDEPENDENT[5]])
def test_what_pymatgen_reads_rightly_is_read_alike(text):
    assert amounts(text) == pytest.approx(pymatgen_amounts(text))

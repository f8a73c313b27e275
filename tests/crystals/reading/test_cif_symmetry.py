"""Symmetry as CIFs spell it, against the tables of gemmi and spglib."""

from __future__ import annotations

import gemmi
import pytest
import spglib

from paperlib.crystals.reading.cif_symmetry import declared_space_group, operation_candidates, space_groups_of_symbol


@pytest.mark.parametrize(
    ("symbol", "settings"),
    [
        ("P 21/c", ["P 1 21/c 1"]),
        ("P21/c", ["P 1 21/c 1"]),
        ("P2_1/c", ["P 1 21/c 1"]),
        ("P 1 21/c 1", ["P 1 21/c 1"]),
        ("P21/n", ["P 1 21/n 1"]),
        ("Pbnm", ["P b n m"]),
        ("Cmce", ["C m c a"]),
        ("Fd-3m:1", ["F d -3 m:1"]),
        ("F d -3 m S", ["F d -3 m:1"]),
        ("Fd-3mO1", ["F d -3 m:1"]),
        ("F d -3 m Z", ["F d -3 m:2"]),
        ("F d -3 m (O2)", ["F d -3 m:2"]),
        ("F 41/d -3 2/m :2", ["F d -3 m:2"]),
        ("F d 3 m", ["F d -3 m:1", "F d -3 m:2"]),
        ("I 41/a m d Z", ["I 41/a m d:2"]),
        ("R -3 H", ["R -3:H"]),
        ("R-3:R", ["R -3:R"]),
        ("R -3 m R", ["R -3 m:R"]),
        ("P 63/m 2/m 2/c", ["P 63/m m c"]),
        ("P 4/n m m :3", []),
        ("nonsense", []),
    ],
)
def test_spellings(symbol, settings):
    assert [group.xhm() for group in space_groups_of_symbol(symbol)] == settings


def test_the_angles_decide_between_hexagonal_and_rhombohedral_axes():
    assert [g.xhm() for g in space_groups_of_symbol("R -3 c", 90, 120)] == ["R -3 c:H"]
    assert [g.xhm() for g in space_groups_of_symbol("R -3 c", 55.3, 55.3)] == ["R -3 c:R"]


def test_every_setting_of_gemmi_and_every_symbol_of_spglib_is_understood():
    for group in gemmi.spacegroup_table():
        angles = (90, 120) if group.ext == "H" else (80, 80)
        assert group in space_groups_of_symbol(group.xhm(), *angles), group.xhm()
    for hall in range(1, 531):
        kind = spglib.get_spacegroup_type(hall)
        for symbol in (kind.international_short, kind.international_full):
            assert kind.number in [g.number for g in space_groups_of_symbol(symbol)], symbol


def small(cell: tuple[float, ...], **given) -> gemmi.SmallStructure:
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*cell)
    for name, value in given.items():
        setattr(structure, name, value)
    return structure


CUBIC = (8.0, 8.0, 8.0, 90.0, 90.0, 90.0)


def orders(structure: gemmi.SmallStructure) -> list[int]:
    return [len(rotations) for rotations, _ in operation_candidates(structure)]


def test_the_least_ambiguous_statement_wins():
    assert orders(small(CUBIC, symops=["x,y,z", "-x,-y,-z"], spacegroup_hm="F m -3 m")) == [2]
    assert orders(small(CUBIC, spacegroup_hall="-I 2 2 3", spacegroup_hm="F m -3 m")) == [48]
    assert orders(small(CUBIC, spacegroup_hm="F d -3 m", spacegroup_number=1)) == [192, 192]
    assert orders(small(CUBIC, spacegroup_number=227)) == [192, 192]
    assert orders(small(CUBIC, spacegroup_hm="gibberish", spacegroup_number=225)) == [192]


def test_operations_that_form_no_group_are_not_believed():
    incomplete = small(CUBIC, symops=["x,y,z", "-x,-y,z", "z,x,y"], spacegroup_hm="P 2 3")
    assert orders(incomplete) == [12]
    unreadable = small(CUBIC, symops=["x,y,z", "what"], spacegroup_hm="P 2 3")
    assert orders(unreadable) == [12]
    assert orders(small(CUBIC, symops=["x,y,z", " X, Y, Z "], spacegroup_hm="P 2 3")) == [1]


def test_a_cell_that_contradicts_the_symmetry_is_an_error_with_both():
    with pytest.raises(ValueError, match=r"cell does not fit its symmetry: H-M 'F m -3 m'.*\(4.0, 5.0, 6.0"):
        operation_candidates(small((4, 5, 6, 90, 90, 90), spacegroup_hm="F m -3 m"))
    with pytest.raises(ValueError, match="no symmetry given: H-M ''"):
        operation_candidates(small(CUBIC))


def test_declared_numbers():
    assert declared_space_group(small(CUBIC, spacegroup_number=204, spacegroup_hm="P 1")) == 204
    assert declared_space_group(small(CUBIC, spacegroup_hm="F d -3 m S")) == 227
    assert declared_space_group(small(CUBIC, symops=["x,y,z", "-x,-y,-z"])) == 2
    assert declared_space_group(small(CUBIC, spacegroup_hall="-P 2ybc")) == 14
    assert declared_space_group(small(CUBIC)) == 0

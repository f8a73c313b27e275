"""Symmetry as CIFs spell it, against the tables of gemmi and spglib."""

from __future__ import annotations

import gemmi
import pytest
import spglib

from paperlib.crystals.reading.cif_symmetry import (
    Stated,
    candidates,
    declared_space_group,
    operations_of,
    space_groups_of_symbol,
)


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
        ("P2(1)/c", ["P 1 21/c 1"]),
        ("F d -3 m (2)", ["F d -3 m:2"]),
        ("P4/n(2)", ["P 4/n:2"]),
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


# a metric that every setting of its system allows
ANY = {
    "triclinic": gemmi.UnitCell(5, 6, 7, 81, 95, 102),
    "monoclinic": gemmi.UnitCell(5, 5, 5, 90, 90, 90),
    "orthorhombic": gemmi.UnitCell(5, 6, 7, 90, 90, 90),
    "tetragonal": gemmi.UnitCell(5, 5, 5, 90, 90, 90),
    "trigonal": gemmi.UnitCell(5, 5, 7, 90, 90, 120),
    "hexagonal": gemmi.UnitCell(5, 5, 7, 90, 90, 120),
    "cubic": gemmi.UnitCell(5, 5, 5, 90, 90, 90),
}
CUBIC = gemmi.UnitCell(8, 8, 8, 90, 90, 90)


def orders(stated: Stated, cell: gemmi.UnitCell = CUBIC) -> list[tuple[str, int]]:
    return [(candidate.source, len(candidate.rotations)) for candidate in candidates(stated, cell)]


def test_the_least_ambiguous_statement_comes_first_and_the_others_follow():
    assert orders(Stated(("x,y,z", "-x,-y,-z"), symbol="F m -3 m")) == [("operations", 2), ("symbol", 192)]
    assert orders(Stated(hall="-I 2 2 3", symbol="F m -3 m")) == [("Hall symbol", 48), ("symbol", 192)]
    assert orders(Stated(symbol="F d -3 m", number=1)) == [("symbol", 192), ("symbol", 192), ("number", 1)]
    assert orders(Stated(symbol="F d -3 m", setting="2")) == [("symbol", 192)]
    assert orders(Stated(number=227)) == [("number", 192), ("number", 192)]
    assert orders(Stated(symbol="gibberish", number=225)) == [("number", 192)]
    # the same group in two places is one candidate
    assert orders(Stated(hall="-F 4 2 3", symbol="F m -3 m", number=225)) == [("Hall symbol", 192)]


def test_operations_that_form_no_group_come_last_completed():
    incomplete = Stated(("x,y,z", "-x,-y,z", "z,x,y"), symbol="P 4 3 2")
    assert orders(incomplete) == [("symbol", 24), ("completed operations", 12)]
    assert orders(Stated(("x,y,z", "what"), symbol="P 2 3")) == [("symbol", 12)]
    assert orders(Stated(("x,y,z", " X, Y, Z "), symbol="P 2 3")) == [("operations", 1), ("symbol", 12)]
    # one of three centring vectors: the list is no group, though its point operations are one
    assert orders(Stated(("x,y,z", "x,y+1/2,z+1/2", "x+1/2,y,z+1/2"))) == [("completed operations", 4)]


@pytest.mark.parametrize("triplets", [("x,x,z",), ("x,y",), ("x,y,z", "2*x,y,z"), ("x,y,z", "x+y,y,z"), ("x,y,z+1e9",)])
def test_lists_that_can_be_no_group_are_left_out(triplets):
    assert operations_of(triplets) is None
    assert orders(Stated(triplets, number=225)) == [("number", 192)]


def test_the_number_of_operations_is_found_in_every_setting():
    for group in gemmi.spacegroup_table():
        operations, complete = operations_of(tuple(op.triplet() for op in group.operations()))
        assert complete and len(operations) == len(list(group.operations()))
    for group in list(gemmi.spacegroup_table())[::9]:
        cell = ANY["cubic" if group.ext == "R" else group.crystal_system_str()]
        (found, *_) = candidates(Stated(tuple(op.triplet() for op in group.operations())), cell)
        assert found.number == group.number and found.source == "operations"


def test_a_cell_that_contradicts_the_symmetry_is_an_error_with_both():
    with pytest.raises(ValueError, match=r"cell does not fit its symmetry: H-M 'F m -3 m'.*\(4.0, 5.0, 6.0"):
        candidates(Stated(symbol="F m -3 m"), gemmi.UnitCell(4, 5, 6, 90, 90, 90))
    with pytest.raises(ValueError, match="no symmetry given: H-M ''"):
        candidates(Stated(), CUBIC)


def test_declared_numbers():
    assert declared_space_group(Stated(number=204, symbol="P 1")) == 204
    assert declared_space_group(Stated(symbol="F d -3 m S")) == 227
    assert declared_space_group(Stated(("x,y,z", "-x,-y,-z"))) == 2
    assert declared_space_group(Stated(hall="-P 2ybc")) == 14
    assert declared_space_group(Stated(("x,y,z",), parent=225)) == 225
    assert declared_space_group(Stated()) == 0

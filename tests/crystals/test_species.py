"""Species codes and formulas."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition, Element

from paperlib.crystals.crystal_set import DEUTERIUM
from paperlib.crystals.species import mixture_key, reduced_formula, species_code, species_symbol, whole_formula


def test_codes_are_atomic_numbers_and_deuterium_has_its_own():
    for code in range(1, 119):
        symbol = Element.from_Z(code).symbol
        assert species_code(symbol) == code and species_symbol(code) == symbol
    assert species_code("D") == DEUTERIUM and species_symbol(DEUTERIUM) == "D"


@pytest.mark.parametrize("symbol", ["Wat", "fe", "Fe3+", "X", "", "T", "Q"])
def test_what_names_no_element_is_refused(symbol):
    with pytest.raises(ValueError, match="not the symbol of an element"):
        species_code(symbol)


def test_codes_outside_the_table_are_refused():
    for code in (0, -1, 120):
        with pytest.raises(ValueError, match=f"{code} is not a species code"):
            species_symbol(code)


def test_formulas_do_not_depend_on_the_size_of_the_cell():
    spinel = [{12: 1.0}] * 8 + [{13: 1.0}] * 16 + [{8: 1.0}] * 32
    cuprate = [{57: 0.925, 38: 0.075}] * 2 + [{29: 1.0}] + [{8: 1.0}] * 4
    wustite = [{26: 0.947}] * 4 + [{8: 1.0}] * 4
    expected = {"MgAl2O4": spinel, "Sr0.15La1.85CuO4": cuprate, "Fe0.947O": wustite}
    for formula, sites in expected.items():
        assert reduced_formula(sites) == reduced_formula(sites * 3) == reduced_formula(sites[::-1]) == formula
    assert reduced_formula([{DEUTERIUM: 1.0}] * 2 + [{8: 1.0}]) == "D2O"
    assert reduced_formula([{1: 0.5, DEUTERIUM: 0.5}]) == "D0.5H0.5"
    assert reduced_formula([{18: 1.0}, {8: 1.0}]) == "OAr"
    with pytest.raises(ValueError, match="at least one site"):
        reduced_formula([])


def test_ordered_formulas_reduce_to_the_same_elements_and_amounts_as_pymatgen():
    for text in ("Ca3P2O8", "KAlSi3O8", "CaTiO3", "Fe7S8", "NaCl", "Li2O", "UH3", "CuFeS2"):
        composition = Composition(text)
        codes = {element.Z: int(amount) for element, amount in composition.items()}
        formula = reduced_formula([{code: 1.0} for code, n in codes.items() for _ in range(4 * n)])
        assert Composition(formula) == composition


def test_float_noise_does_not_part_alike_mixtures():
    assert mixture_key({26: 0.9125, 27: 0.0875}) == mixture_key({27: 0.0875 + 1e-9, 26: 0.9125 - 1e-9})
    assert mixture_key({26: 0.9125}) != mixture_key({26: 0.9126})


@pytest.mark.parametrize(
    ("formula", "whole"),
    [
        ("La0.8Sn2", "La2Sn5"),
        ("La2Sn5", "La2Sn5"),
        ("Sr0.15La1.85CuO4", "Sr3La37Cu20O80"),
        ("Ge3As3", "GeAs"),
        ("Mg0.0001O", "MgO10000"),
        ("D2O", "H2O"),
        ("D0.5H0.5", "H"),
        ("ClNa", "NaCl"),
        ("W1.6666O5", "W8333O25000"),
    ],
)
def test_whole_formulas_are_one_text_for_each_composition(formula, whole):
    assert whole_formula(formula) == whole


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from([1, 3, 8, 14, 26, 57, 92]), st.integers(1, 500), min_size=1, max_size=5),
    st.sampled_from([1, 2, 3, 7, Fraction(1, 2), Fraction(1, 5), Fraction(1, 8), Fraction(1, 1000)]),
)
def test_a_reduced_formula_is_its_own_whole_formula_and_that_of_its_multiples(counts, factor):
    divisor = math.gcd(*counts.values())
    plain = reduced_formula([{code: 1.0} for code, n in counts.items() for _ in range(n // divisor)])
    assert whole_formula(plain) == plain
    multiples = (f"{species_symbol(code)}{float(n // divisor * factor):.10g}" for code, n in counts.items())
    assert whole_formula("".join(multiples)) == plain


@pytest.mark.parametrize("text", ["", "na", "Na Cl", "Ca(OH)2", "NaCl-", "Xx2", "Na.5"])
def test_a_text_that_is_no_formula_is_refused(text):
    with pytest.raises(ValueError, match=r"is not (a formula|the symbol of an element)"):
        whole_formula(text)


def test_a_formula_without_atoms_is_refused_and_no_amount_is_left_out():
    assert whole_formula("Na0Cl2") == "Cl"
    with pytest.raises(ValueError, match="has no atoms"):
        whole_formula("Na0")

"""Symbols as International Tables print them."""

import pytest
from matplotlib.mathtext import MathTextParser

from paperlib.reporting.symbols import extinction_symbol, formula_symbol, hkl_symbol, space_group_symbol
from paperlib.symmetry.extinction import class_symbols
from paperlib.symmetry.groups import symbol


@pytest.mark.parametrize(
    ("plain", "printed"),
    [
        ("F m -3 m", r"$F\,m\,\bar{3}\,m$"),
        ("Fm-3m", r"$F\,m\,\bar{3}\,m$"),
        ("P 1 21/c 1", r"$P\,1\,2_{1}/c\,1$"),
        ("P21/c", r"$P\,2_{1}/c$"),
        ("P213", r"$P\,2_{1}\,3$"),
        ("P4212", r"$P\,4\,2_{1}\,2$"),
        ("P42212", r"$P\,4_{2}\,2_{1}\,2$"),
        ("R -3 m:H", r"$R\,\bar{3}\,m$"),
        ("Aem2", "$Aem2$"),
    ],
)
def test_space_group_symbols(plain, printed):
    assert space_group_symbol(plain) == printed


@pytest.mark.parametrize(
    ("plain", "printed"),
    [
        ("P 21 - -", r"$P\,2_{1}\,{-}\,{-}$"),
        ("P - - - (cubic)", r"$P\,{-}\,{-}\,{-}$ (cubic)"),
        ("P 31 - - / P 62 - -", r"$P\,3_{1}\,{-}\,{-}$ / $P\,6_{2}\,{-}\,{-}$"),
        ("A (bc) a -", r"$A\,(bc)\,a\,{-}$"),
    ],
)
def test_extinction_symbols(plain, printed):
    assert extinction_symbol(plain) == printed


def test_hkl_has_bars_and_spaces_where_they_are_needed():
    assert hkl_symbol(1, 1, 1) == "$111$"
    assert hkl_symbol(-1, 0, 2) == r"$\overline{1}02$"
    assert hkl_symbol(10, -2, 0) == r"$10\,\overline{2}\,0$"


def test_formula():
    assert formula_symbol("Ca3 Al2") == r"$\mathrm{Ca_{3}Al_{2}}$"


def test_matplotlib_reads_every_symbol_there_is():
    parser = MathTextParser("agg")
    printed = [space_group_symbol(symbol(number)) for number in range(1, 231)]
    printed += [extinction_symbol(text) for scheme in ("absences", "published") for text in class_symbols(scheme)]
    assert all(parser.parse(text).width > 0 for text in printed)

"""Fingerprints: of the arrangement of atoms, whatever its scale and description; as pymatgen's patterns give them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.standardise import Sites, crystal_from_sites, from_structures
from paperlib.datasets.alike.fingerprints import INSTRUMENT, N_POINTS, VOLUME_PER_SITE, WIDTHS, fingerprints
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


@pytest.fixture(scope="module")
def crystals():
    """Random crystals of all systems, one in ten of those of the planted families."""
    return planted.bases()[::10]


def similarity(first, second):
    """(n, 2): of each crystal of one set to the same of another, with narrow and wide lines."""
    return np.sum(fingerprints(first) * fingerprints(second), axis=2)


def standardised(variants):
    return CrystalSet.concatenate(crystal_from_sites(variant) for variant in variants)


def scaled(crystals, factor):
    return replace(crystals, cell=crystals.cell * np.array([factor] * 3 + [1.0] * 3))


def test_fingerprints_have_length_1_and_no_negative_value(crystals):
    prints = fingerprints(crystals)
    assert prints.shape == (len(crystals), 2, N_POINTS) and prints.dtype == np.float32
    assert prints.min() >= 0
    np.testing.assert_allclose(np.linalg.norm(prints, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(similarity(crystals, crystals), 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["another setting", "supercell", "origin shift", "enantiomorph"])
def test_the_same_crystal_described_otherwise_has_the_same_fingerprint(kind):
    variants = [family.variants for family in planted.KINDS[kind](40)]
    first, second = (standardised(column) for column in zip(*variants, strict=True))
    assert similarity(first, second).min() > 1 - 1e-5


@pytest.mark.parametrize("factor", [0.7, 0.99, 1.01, 1.5])
def test_the_scale_of_a_crystal_does_not_count(crystals, factor):
    assert similarity(crystals, scaled(crystals, factor)).min() > 1 - 1e-3


def test_neither_displacements_nor_the_others_of_the_set_count(crystals):
    shaken = replace(crystals, b_iso=np.full_like(crystals.b_iso, 2.5))
    np.testing.assert_array_equal(fingerprints(shaken), fingerprints(crystals))
    np.testing.assert_allclose(fingerprints(crystals[7:9]), fingerprints(crystals)[7:9], atol=1e-6)


def test_wide_lines_forgive_a_strain_that_narrow_lines_see(crystals):
    rng = np.random.default_rng(0)
    strained = replace(
        crystals, cell=np.concatenate([planted.strained_cell(c, rng, 0.01)[None] for c in planted.each(crystals)])
    )
    narrow, wide = similarity(crystals, strained).T
    free = crystals.space_group < 195  # a cubic crystal can only change its scale
    assert np.all(wide[free] > narrow[free]) and np.median(1 - narrow[free]) > 4 * np.median(1 - wide[free])


def test_similarities_are_those_of_patterns_of_pymatgen():
    """Bhattacharyya coefficients from the lines and form factors of another program, drawn on a fine axis."""
    cubic = [
        Structure.from_spacegroup(symbol, Lattice.cubic(edge), ["Zn", "S"], places)
        for symbol, edge, places in (
            ("Fm-3m", 5.0, [[0, 0, 0], [0.5, 0.5, 0.5]]),
            ("F-43m", 5.4, [[0, 0, 0], [0.25, 0.25, 0.25]]),
            ("Pm-3m", 3.2, [[0, 0, 0], [0.5, 0.5, 0.5]]),
        )
    ]
    hexagonal = Lattice.hexagonal(3.8, 6.2)
    structures = [
        *cubic,
        Structure.from_spacegroup("P6_3mc", hexagonal, ["Zn", "S"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.375]]),
    ]
    axis = np.arange(-0.3, 3.5, 0.0005)
    drawn = []
    for structure in structures:
        scaled_structure = structure.copy()
        scaled_structure.scale_lattice(VOLUME_PER_SITE * len(structure))
        pattern = XRDCalculator(INSTRUMENT.wavelength).get_pattern(
            scaled_structure, scaled=False, two_theta_range=INSTRUMENT.two_theta
        )
        places = np.log(pattern.d_hkls)
        curves = [pattern.y @ np.exp(-0.5 * ((axis - places[:, None]) / width) ** 2) for width in WIDTHS]
        drawn.append([np.sqrt(curve / curve.sum()) for curve in curves])
    expected = np.einsum("ilp,jlp->lij", drawn, drawn)
    prints = fingerprints(from_structures(structures))
    found = np.einsum("ilp,jlp->lij", prints, prints)
    assert expected[:, ~np.eye(4, dtype=bool)].max() < 0.9
    for which, tolerance in enumerate((0.03, 0.01)):  # the axis has a step of the width of the narrow lines
        np.testing.assert_allclose(found[which], expected[which], atol=tolerance)


def test_a_mixed_place_counts_once():
    """With copper and gold on one place the lines of the alloy lie where those of gold do."""
    lattice = (1 - np.eye(3)) * 2.0
    gold, alloy = (
        crystal_from_sites(Sites(name, lattice, np.zeros((1, 3)), [site]))
        for name, site in (("gold", {79: 1.0}), ("alloy", {29: 0.5, 79: 0.5}))
    )
    assert len(alloy.frac) == 2 * len(gold.frac)
    assert similarity(gold, alloy).min() > 0.99


def test_a_line_stands_where_the_scaled_cell_puts_it():
    """Simple cubic polonium: lines at a / sqrt(N), a³ = 15 Å³; the highest is N = 1."""
    po = crystal_from_sites(Sites("Po", np.eye(3) * 3.36, np.zeros((1, 3)), [{84: 1.0}]))
    low, high = (INSTRUMENT.wavelength / (2 * math.sin(math.radians(end / 2))) for end in INSTRUMENT.two_theta[::-1])
    curve = fingerprints(po)[0, 0]
    peaks = np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] >= curve[2:])) + 1
    edge = VOLUME_PER_SITE ** (1 / 3)
    expected = sorted(np.log(edge / np.sqrt(n)) for n in (1, 2, 3, 4, 5) if low < edge / np.sqrt(n) < high)
    spacing = np.diff(peaks[-len(expected) :]) * 0.01
    np.testing.assert_allclose(spacing, np.diff(expected), atol=0.011)


def test_no_crystals_have_no_fingerprints():
    assert fingerprints(CrystalSet.empty()).shape == (0, 2, N_POINTS)


@pytest.mark.parametrize("place", [0, 1])
def test_a_crystal_without_atoms_is_refused_by_name(crystals, place):
    parts = [crystals[:2]]
    parts.insert(place, planted.without_atoms(crystals[0], "empty"))
    with pytest.raises(ValueError, match=r"empty.*has no atoms"):
        fingerprints(CrystalSet.concatenate(parts))

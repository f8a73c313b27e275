import numpy as np
import pytest
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.peers.compare import line_disagreement, merge_lines, pymatgen_form_factors, pymatgen_lines
from paperlib.diffraction.reflections import lorentz_polarisation, powder_reflections
from paperlib.symmetry.groups import crystal_system

NEUTRON = Instrument("neutron", 1.5403)


# Independent programs


def test_pymatgen_prototypes(lines_of):
    """Every second prototype of the AFLOW library, every crystal system: positions, multiplicities and intensities."""
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    crystals = CrystalSet.from_structures([entry["snl"].structure for entry in AFLOW_PROTOTYPE_LIBRARY[::2]])
    systems = {crystal_system(int(number)) for number in crystals.space_group}
    assert len(crystals) >= 100
    assert len(systems) == 7
    theirs = [pymatgen_lines(structure, CU_KALPHA) for structure in crystals.to_structures()]
    same_factors = powder_reflections(crystals, CU_KALPHA, scattering=pymatgen_form_factors())
    own_factors = powder_reflections(crystals, CU_KALPHA)
    same = [line_disagreement(lines_of(same_factors, i), lines) for i, lines in enumerate(theirs)]
    own = [line_disagreement(lines_of(own_factors, i), lines) for i, lines in enumerate(theirs)]
    assert max(x.position for x in same + own) < 1e-3
    assert max(x.intensity for x in same) < 1e-3
    assert np.median([x.intensity for x in own]) < 0.01
    assert 0.01 < max(x.intensity for x in own) < 0.06


# Precision


def test_single_precision(build, symmetric):
    rng = np.random.default_rng(3)
    crystals = build(*(symmetric(number, rng, edge=7.0) for number in range(1, 231, 7)))
    double = powder_reflections(crystals, CU_KALPHA)
    single = powder_reflections(crystals, CU_KALPHA, dtype=torch.float32)
    assert single.f_squared.dtype == torch.float32
    assert torch.equal(single.two_theta, double.two_theta)
    for first, last in zip(double.start[:-1], double.start[1:], strict=True):
        strongest = double.intensity[first:last].max()
        assert (single.intensity[first:last] - double.intensity[first:last]).abs().max() < 1e-5 * strongest


# Known by hand


def _present(reflections):
    return {tuple(sorted(map(abs, x), reverse=True)): i for i, x in enumerate(reflections.hkl.tolist())}


def test_halite_by_hand(build, halite):
    found = powder_reflections(build(halite), Instrument("neutron", 1.54))
    rows = _present(found)
    assert {tuple(sorted(h)) for h in rows} >= {(1, 1, 1), (0, 0, 2), (0, 2, 2), (1, 1, 3), (2, 2, 2)}
    assert all(len({h % 2, k % 2, l % 2}) == 1 for h, k, l in rows)  # noqa: E741
    # b(Na) 3.63 fm, b(Cl) 9.577 fm: all odd 16 (b_Na - b_Cl)², all even 16 (b_Na + b_Cl)².
    assert float(found.f_squared[rows[1, 1, 1]]) == pytest.approx(16 * (3.63 - 9.577) ** 2, rel=1e-5)
    assert float(found.f_squared[rows[2, 0, 0]]) == pytest.approx(16 * (3.63 + 9.577) ** 2, rel=1e-5)
    assert float(found.d[rows[2, 2, 0]]) == pytest.approx(5.6402 / 8**0.5, rel=1e-12)
    theta = np.arcsin(1.54 / 2 / float(found.d[rows[2, 2, 0]]))
    assert float(found.two_theta[rows[2, 2, 0]]) == pytest.approx(2 * np.degrees(theta), rel=1e-12)


def test_diamond_structure_by_hand(build):
    lattice = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    frac = np.concatenate([lattice + 0.125, lattice - 0.125])
    silicon = {"cell": [5.43088] * 3 + [90.0] * 3, "frac": frac, "species": [14] * 8}
    silicon |= {"space_group": 227, "standard": True}
    found = powder_reflections(build(silicon), Instrument(wavelength=1.540598))
    rows = _present(found)
    assert (2, 0, 0) not in rows
    # 222 is no absence of the space group: only atoms on 8a put it out.
    assert float(found.f_squared[rows[2, 2, 2]]) < 1e-20 * float(found.f_squared.max())
    expected = {(1, 1, 1): 8, (2, 2, 0): 12, (3, 1, 1): 24, (4, 0, 0): 6, (3, 3, 1): 24}
    assert {hkl: int(found.multiplicity[rows[hkl]]) for hkl in expected} == expected
    # The standard that diffractometers are adjusted with: NIST SRM 640 (a 5.43088 Å), Cu Kα1.
    strong = [float(found.two_theta[rows[hkl]]) for hkl in ((1, 1, 1), (2, 2, 0), (3, 1, 1))]
    assert strong == pytest.approx([28.443, 47.304, 56.124], abs=0.002)


def test_caesium_chloride_by_hand(build):
    crystal = {"cell": [4.12] * 3 + [90.0] * 3, "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "species": [55, 17]}
    found = powder_reflections(build(crystal | {"space_group": 221, "standard": True}), NEUTRON)
    rows = _present(found)
    assert float(found.f_squared[rows[1, 0, 0]]) == pytest.approx((5.42 - 9.577) ** 2, rel=1e-5)
    assert float(found.f_squared[rows[1, 1, 0]]) == pytest.approx((5.42 + 9.577) ** 2, rel=1e-5)


def test_geometrical_factors_at_ninety_degrees():
    """sin²45° cos 45° = 0.3536; cos 90° = 0 takes the polarised half away."""
    right_angle = torch.tensor([90.0], dtype=torch.float64)
    sixty = torch.tensor([60.0], dtype=torch.float64)
    assert float(lorentz_polarisation(right_angle, CU_KALPHA)) == pytest.approx(8**0.5)
    assert float(lorentz_polarisation(sixty, CU_KALPHA)) == pytest.approx(1.25 / (0.25 * 0.75**0.5))
    assert float(lorentz_polarisation(sixty, NEUTRON)) == pytest.approx(1 / (0.25 * 0.75**0.5))
    synchrotron = Instrument(polarisation=False)
    assert float(lorentz_polarisation(sixty, synchrotron)) == pytest.approx(1 / (0.25 * 0.75**0.5))
    crystal = Instrument(monochromator=60.0)
    assert float(lorentz_polarisation(sixty, crystal)) == pytest.approx((1 + 0.25 * 0.25) / (0.25 * 0.75**0.5))


# What the list promises


def test_order_range_and_offsets(build, symmetric, halite):
    rng = np.random.default_rng(4)
    crystals = build(symmetric(2, rng), halite, symmetric(194, rng))
    found = powder_reflections(crystals, CU_KALPHA)
    assert torch.equal(torch.bincount(found.crystal), found.start.diff())
    for i in range(3):
        two_theta = found.two_theta[found.start[i] : found.start[i + 1]]
        assert bool((two_theta.diff() >= 0).all())
        assert 5 <= float(two_theta[0]) and float(two_theta[-1]) <= 90
    wider = powder_reflections(crystals, CU_KALPHA, margin=2.0)
    assert float(wider.two_theta.max()) > 90
    expected = merge_lines(found.two_theta.numpy(), np.ones(len(found.d)), 0)[0]
    inside = (wider.two_theta >= 5) & (wider.two_theta <= 90)
    assert np.array_equal(merge_lines(wider.two_theta[inside].numpy(), np.ones(int(inside.sum())), 0)[0], expected)


def test_no_crystals_no_reflections(build, halite):
    found = powder_reflections(build(halite)[0:0], CU_KALPHA)
    assert found.hkl.shape == (0, 3)
    assert found.start.tolist() == [0]

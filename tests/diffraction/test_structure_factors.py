from dataclasses import replace

import numpy as np
import pytest
import torch

from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.scattering import form_factors, scattering_table
from paperlib.diffraction.structure_factors import squared_structure_factors


def _one_by_one(crystal, hkl, s_squared, table):
    """|F(hkl)|² and |F(-hkl)|², one reflection after the other, straight from the definition."""
    species = torch.tensor(crystal["species"])
    squared = []
    for index, s2 in zip(hkl, s_squared, strict=True):
        f = form_factors(table, species, torch.tensor(s2)).numpy() + 1j * table.imaginary[species].numpy()
        f = f * np.exp(-np.array(crystal["b_iso"]) * s2) * np.array(crystal["occupancy"])
        phase = 2j * np.pi * (np.asarray(crystal["frac"]) @ index)
        squared.append([abs(np.sum(f * np.exp(sign * phase))) ** 2 for sign in (1, -1)])
    return np.array(squared)


@pytest.mark.parametrize("table", [("xray",), ("neutron",), ("xray", 1.54, True)])
def test_against_the_definition(build, triclinic, table):
    table = scattering_table(*table)
    crystals = build(triclinic)
    hkl = np.array([[1, 0, 0], [2, -1, 3], [0, 0, 4], [-3, 2, 1]])
    s_squared = np.array([0.01, 0.2, 0.15, 0.3])
    ours = squared_structure_factors(
        crystals, np.array([0, 4]), torch.from_numpy(hkl), torch.from_numpy(s_squared), table, torch.float64, 2**20
    )
    expected = _one_by_one(triclinic, hkl, s_squared, table)
    assert np.allclose(ours.numpy(), expected.mean(axis=1), rtol=1e-10)
    # Without f'' Friedel's law holds; with it the two differ and a powder line shows their mean.
    assert np.allclose(expected[:, 0], expected[:, 1]) != bool(table.imaginary.any())


def test_a_giant_among_small_cells(build, halite, triclinic):
    rng = np.random.default_rng(5)
    giant = {"cell": [14.0, 15, 16, 80, 95, 100], "frac": rng.random((500, 3)), "species": rng.integers(1, 90, 500)}
    together = powder_reflections(build(halite, giant, triclinic), CU_KALPHA)
    for i, crystal in enumerate((halite, giant, triclinic)):
        alone = powder_reflections(build(crystal), CU_KALPHA)
        rows = slice(int(together.start[i]), int(together.start[i + 1]))
        assert torch.equal(together.hkl[rows], alone.hkl)
        assert torch.allclose(together.f_squared[rows], alone.f_squared, rtol=1e-9, atol=1e-9)


def test_memory_budget_changes_nothing(build, symmetric):
    rng = np.random.default_rng(6)
    crystals = build(*(symmetric(number, rng) for number in (1, 14, 62, 139, 166, 194, 225, 2)))
    roomy, tight = (powder_reflections(crystals, CU_KALPHA, memory_budget=size) for size in (2**28, 2**12))
    assert torch.equal(roomy.hkl, tight.hkl)
    assert torch.equal(roomy.crystal, tight.crystal)
    assert torch.equal(roomy.start, tight.start)
    assert torch.allclose(roomy.f_squared, tight.f_squared, rtol=1e-9, atol=1e-9)


def test_displacement_damps_as_debye_and_waller_say(build):
    frozen = {"cell": [4.0, 4, 4, 90, 90, 90], "frac": [[0, 0, 0]], "species": [26], "space_group": 221}
    warm = frozen | {"b_iso": [1.3]}
    found = powder_reflections(build(frozen, warm), CU_KALPHA)
    half = int(found.start[1])
    ratio = found.f_squared[half:] / found.f_squared[:half]
    assert torch.allclose(ratio, torch.exp(-2 * 1.3 / (4 * found.d[:half] ** 2)), rtol=1e-12)


def test_an_unknown_displacement_is_simulated_as_none(build, triclinic):
    crystals = build(triclinic)
    none = powder_reflections(replace(crystals, b_iso=np.zeros_like(crystals.b_iso)), CU_KALPHA)
    for b_iso in (np.full_like(crystals.b_iso, np.nan), np.where(np.arange(len(crystals.b_iso)) == 0, np.nan, 0.0)):
        found = powder_reflections(replace(crystals, b_iso=b_iso), CU_KALPHA)
        assert torch.equal(found.f_squared, none.f_squared)


def test_deuterium_replaces_hydrogen(build):
    """A crystal of hydrogen alone: |F|² is b² at every line, so the ratio is (6.671 / 3.739)²."""
    cell = {"cell": [4.0, 4, 4, 90, 90, 90], "frac": [[0, 0, 0]]}
    found = powder_reflections(build(cell | {"species": [1]}, cell | {"species": [119]}), Instrument("neutron"))
    half = int(found.start[1])
    ratio = found.f_squared[half:] / found.f_squared[:half]
    assert torch.allclose(ratio, torch.full_like(ratio, (6.671 / 3.739) ** 2), rtol=1e-6)

import numpy as np
import pytest
import torch

from paperlib.crystals.crystal_set import DEUTERIUM
from paperlib.diffraction.scattering import form_factors, is_known, scattering_table


def test_forward_form_factor_is_the_number_of_electrons():
    z = torch.arange(1, 99)
    f0 = form_factors(scattering_table("xray"), z, torch.zeros(98, dtype=torch.float64))
    # The fit of the International Tables misses Z by up to 0.06 electrons (Tl, Pb).
    assert torch.allclose(f0, z.to(torch.float64), atol=0.06, rtol=0)


def test_form_factors_against_gemmi():
    import gemmi

    table = scattering_table("xray")
    s_squared = np.linspace(0, 4, 9)
    for symbol in ("H", "C", "Cl", "Fe", "U"):
        element = gemmi.Element(symbol)
        expected = [element.it92.calculate_sf(x) for x in s_squared]
        ours = form_factors(table, torch.tensor(element.atomic_number), torch.from_numpy(s_squared))
        assert np.allclose(ours.numpy(), expected, atol=2e-5)


def test_known_neutron_lengths():
    """Values of the NIST list (Neutron News 3, 1992), in fm."""
    table = scattering_table("neutron")
    codes = torch.tensor([1, DEUTERIUM, 6, 8, 22, 26])
    lengths = form_factors(table, codes, torch.tensor(0.3, dtype=torch.float64))
    assert lengths.tolist() == pytest.approx([-3.739, 6.671, 6.646, 5.803, -3.438, 9.45], abs=1e-5)


def test_deuterium_scatters_x_rays_like_hydrogen_but_not_neutrons():
    s_squared = torch.tensor(0.1, dtype=torch.float64)
    pair = torch.tensor([1, DEUTERIUM])
    x, n = (form_factors(scattering_table(radiation), pair, s_squared) for radiation in ("xray", "neutron"))
    assert x[0] == x[1]
    assert n[0] < 0 < n[1]


def test_anomalous_terms_of_iron_and_copper():
    """At Cu Kα1 (8.0478 keV): Fe f' -1.13, f'' 3.20; Cu f' -1.97, f'' 0.59 (International Tables C, 4.2.6.8)."""
    plain, full = scattering_table("xray"), scattering_table("xray", 1.54056, True)
    for z, f_prime, f_second in ((26, -1.1336, 3.1974), (29, -1.9646, 0.5888)):
        assert float(full.constant[z] - plain.constant[z]) == pytest.approx(f_prime, abs=0.1)
        assert float(full.imaginary[z]) == pytest.approx(f_second, abs=0.03)


def test_what_is_known():
    codes = np.array([0, 1, 84, 98, 99, 118, DEUTERIUM, 120, -1])
    xray = is_known(scattering_table("xray"), codes)
    neutron = is_known(scattering_table("neutron"), codes)
    assert xray.tolist() == [False, True, True, True, False, False, True, False, False]
    assert neutron.tolist() == [False, True, False, False, False, False, True, False, False]
    assert not is_known(scattering_table("xray", 1.54, True), np.array([94]))[0]


@pytest.mark.parametrize("wrong", [("electron",), ("neutron", 1.5, True), ("xray", None, True)])
def test_impossible_tables_are_refused(wrong):
    with pytest.raises(ValueError, match=r"electron|wavelength"):
        scattering_table(*wrong)

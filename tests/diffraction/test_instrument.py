import dataclasses

import numpy as np
import pytest
import torch

from paperlib.diffraction.instrument import CU_KALPHA, Instrument


def test_the_default_is_the_instrument_of_the_paper():
    assert (CU_KALPHA.radiation, CU_KALPHA.wavelength) == ("xray", 1.541838)
    grid = CU_KALPHA.grid()
    assert (grid[0], grid[-1], len(grid)) == (5.0, 90.0, 1000)
    assert np.allclose(np.diff(grid), CU_KALPHA.step)
    fwhm = CU_KALPHA.fwhm(torch.from_numpy(grid))
    assert 0.13 < float(fwhm.min()) < float(fwhm.max()) < 0.142


def test_caglioti_by_hand():
    instrument = Instrument(resolution=(0.4, -0.2, 0.1), two_theta=(10, 100))
    assert float(instrument.fwhm(torch.tensor(90.0, dtype=torch.float64))) == pytest.approx(0.3**0.5)
    assert float(instrument.fwhm(torch.tensor(60.0, dtype=torch.float64))) == pytest.approx(
        (0.4 / 3 - 0.2 / 3**0.5 + 0.1) ** 0.5
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"radiation": "electron"}, r"'electron'.*'xray' or 'neutron'"),
        ({"wavelength": 0.02508}, r"0\.02508 Å; no powder diffractometer"),
        ({"wavelength": 0.07107}, r"0\.07107 Å, which is K-alpha of Mo in nm"),
        ({"wavelength": 0.1541838}, r"0\.1541838 Å.*not in nm.*1\.54184 Å"),
        ({"wavelength": -1.0}, r"-1\.0 Å"),
        ({"wavelength": float("nan")}, r"nan Å"),
        ({"two_theta": (90, 5)}, r"\(90\.0, 5\.0\)°.*first < last"),
        ({"two_theta": (5, 5)}, r"first < last"),
        ({"two_theta": (0, 90)}, r"0 < first"),
        ({"two_theta": (5, 180)}, r"last < 180"),
        ({"two_theta": (5, 170), "wavelength": 0.4}, r"2\.490 Å⁻¹.*end the range at 106\.3°"),
        ({"n_points": 1}, r"n_points is 1"),
        ({"n_points": 10.5}, r"n_points is 10\.5"),
        ({"n_points": 100}, r"n_points is 100.*0\.859° apart"),
        ({"resolution": (0.01, -0.01, 0.0)}, r"degrees².*raise w"),
        ({"resolution": (0.1, -0.1, 0.02)}, r"-0\.005 degrees² at 2θ = 53\.1°"),
        ({"resolution": (-0.1, 0.0, 0.02)}, r"at 2θ = 90\.0°"),
        ({"eta": 1.5}, r"eta is 1\.5"),
        ({"lorentzian": (0.1, -0.1)}, r"lorentzian is \(0\.1, -0\.1\).*degrees"),
        ({"second_wavelength": 1.3922}, r"1\.3922 Å beside wavelength 1\.541838 Å.*at most 2 %"),
        ({"second_wavelength": 0.1544426}, r"0\.1544426 Å"),
        ({"second_ratio": 0.0}, r"second_ratio is 0\.0"),
        ({"monochromator": 200}, r"monochromator is 200°"),
        ({"radiation": "neutron", "anomalous": True}, r"describe X-rays"),
    ],
)
def test_nonsense_is_refused_with_value_unit_and_remedy(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CU_KALPHA, **change)


def test_lists_are_accepted_and_instruments_compare_by_value():
    assert Instrument(two_theta=[5, 90], resolution=[0.01, -0.01, 0.02]) == CU_KALPHA


@pytest.mark.parametrize("wavelength", [0.1, 0.1223, 0.1665, 0.207, 0.2072, 0.24121, 0.3, 0.41])
def test_wavelengths_of_synchrotrons_are_wavelengths(wavelength):
    assert Instrument(wavelength=wavelength, two_theta=(1.0, 10.0)).wavelength == wavelength

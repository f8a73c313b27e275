import numpy as np
import pytest
import torch

from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.profile import draw_peaks, pseudo_voigt
from paperlib.diffraction.reflections import Reflections


def _lines(two_theta, intensity, crystal=None, n=1):
    """A line list that has what the profile needs."""
    two_theta = torch.tensor(two_theta, dtype=torch.float64)
    crystal = torch.zeros(len(two_theta), dtype=torch.int64) if crystal is None else torch.tensor(crystal)
    nothing = torch.zeros(len(two_theta))
    start = torch.nn.functional.pad(torch.bincount(crystal, minlength=n).cumsum(0), (1, 0))
    hkl = torch.zeros((len(two_theta), 3), dtype=torch.int16)
    intensity = torch.tensor(intensity, dtype=torch.float64)
    return Reflections(crystal, hkl, nothing, two_theta, nothing, nothing, intensity, start)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_half_maximum_lies_at_half_the_width(eta):
    x = torch.tensor([0.0, 0.1, -0.1], dtype=torch.float64)
    value = pseudo_voigt(x, torch.tensor(0.2, dtype=torch.float64), eta)
    assert (value[1:] / value[0]).tolist() == pytest.approx([0.5, 0.5], rel=1e-12)


def test_area_is_the_intensity():
    instrument = Instrument(two_theta=(5, 90), n_points=8501)
    pattern = draw_peaks(_lines([20.003, 20.1, 55.5], [3.0, 4.0, 5.0]), instrument)[0]
    assert float(pattern.sum() * instrument.step) == pytest.approx(12.0, rel=1e-7)
    assert float(pattern[2500:].sum() * instrument.step) == pytest.approx(5.0, rel=1e-7)


def test_lorentzian_area_misses_only_its_tails():
    instrument = Instrument(two_theta=(5, 90), n_points=8501, eta=1.0)
    pattern = draw_peaks(_lines([47.5], [2.0]), instrument)[0]
    half = float(instrument.fwhm(torch.tensor(47.5, dtype=torch.float64))) / 2
    inside = 2 / np.pi * np.arctan(42.5 / half)
    assert float(pattern.sum() * instrument.step) == pytest.approx(2 * inside, rel=1e-5)


@pytest.mark.parametrize("eta", [0.0, 0.5])
@pytest.mark.parametrize("resolution", [(0.01, -0.01, 0.02), (0.3, -0.2, 0.1)])
def test_against_every_line_at_every_point(eta, resolution):
    """Windows, blocks and scattering must not show: compare with the full sum in float64."""
    rng = np.random.default_rng(8)
    two_theta, intensity = rng.uniform(4.9, 90.1, 60), rng.random(60)
    crystal = np.sort(rng.integers(0, 3, 60))
    instrument = Instrument(eta=eta, resolution=resolution)
    ours = draw_peaks(_lines(two_theta, intensity, crystal, 3), instrument, memory_budget=4000).numpy()
    expected = np.zeros((3, 1000))
    u, v, w = resolution
    for x0, height, i in zip(two_theta, intensity, crystal, strict=True):
        t = np.tan(np.radians(np.clip(x0, 5, 90) / 2))
        fwhm = np.sqrt(u * t**2 + v * t + w)
        x = (instrument.grid() - x0) / fwhm
        gauss = np.sqrt(4 * np.log(2) / np.pi) * np.exp(-4 * np.log(2) * x**2)
        expected[i] += height * ((1 - eta) * gauss + eta * 2 / np.pi / (1 + 4 * x**2)) / fwhm
    assert np.abs(ours - expected).max() < 1e-7 * expected.max()


def test_crystal_without_lines_stays_dark():
    patterns = draw_peaks(_lines([30.0], [1.0], [1], 3), Instrument())
    assert patterns.sum(dim=1).gt(0).tolist() == [False, True, False]


def test_grid_shorter_than_one_peak():
    instrument = Instrument(two_theta=(29.9, 30.1), n_points=3)
    pattern = draw_peaks(_lines([30.0], [1.0]), instrument)[0]
    assert pattern[1] > pattern[0] == pytest.approx(float(pattern[2]))

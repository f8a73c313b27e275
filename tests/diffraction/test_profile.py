import dataclasses

import numpy as np
import pytest
import torch
from scipy import optimize, special

from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.profile import draw_peaks, peak_shape, pseudo_voigt, with_second_line
from paperlib.diffraction.reflections import Reflections, lorentz_polarisation


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
    # the tails of Lorentzians are interpolated
    assert np.abs(ours - expected).max() < (1e-7 if eta == 0 else 2e-6) * expected.max()


def test_crystal_without_lines_stays_dark():
    patterns = draw_peaks(_lines([30.0], [1.0], [1], 3), Instrument())
    assert patterns.sum(dim=1).gt(0).tolist() == [False, True, False]


def test_grid_shorter_than_one_peak():
    instrument = Instrument(two_theta=(29.9, 30.1), n_points=3)
    pattern = draw_peaks(_lines([30.0], [1.0]), instrument)[0]
    assert pattern[1] > pattern[0] == pytest.approx(float(pattern[2]))


@pytest.mark.parametrize("n_points", [1000, 4096, 20000])
@pytest.mark.parametrize("fwhm", [0.06, 0.15, 0.6, 3.0, 40.0])
def test_lorentzians_reach_over_the_whole_pattern(n_points, fwhm):
    """Core and interpolated tail against the function itself, from a peak at the end of the range to one outside."""
    fwhm = max(fwhm, 85 / n_points)
    instrument = Instrument(n_points=n_points, resolution=(0, 0, fwhm**2))
    centres = [4.0, 5.0, 43.2113, 89.99]
    lines = _lines(centres, [1.0] * 4, [0, 1, 2, 3], 4)
    widths = torch.full((4,), fwhm, dtype=torch.float64)
    ours = draw_peaks(lines, instrument, shape=(widths, torch.ones_like(widths)))
    expected = pseudo_voigt(torch.from_numpy(instrument.grid() - np.array(centres)[:, None]), widths[:, None], 1.0)
    assert (ours - expected).abs().max() < 2e-6 * 2 / np.pi / fwhm


def test_thompson_cox_hastings_is_close_to_the_voigt_function():
    """Width against the convolution itself (scipy), to the 1 % that the approximation is good for."""
    two_theta = torch.tensor([20.0, 60.0, 85.0], dtype=torch.float64)
    instrument = Instrument(lorentzian=(0.08, 0.05))
    fwhm, eta = peak_shape(instrument, two_theta)
    theta = np.radians(two_theta.numpy() / 2)
    lorentz = 0.08 * np.tan(theta) + 0.05 / np.cos(theta)
    sigma = instrument.fwhm(two_theta).numpy() / np.sqrt(8 * np.log(2))
    for i in range(3):
        half = special.voigt_profile(0, sigma[i], lorentz[i] / 2) / 2
        edge = optimize.brentq(
            lambda x, i=i, half=half: special.voigt_profile(x, sigma[i], lorentz[i] / 2) - half, 0, 1
        )
        assert float(fwhm[i]) == pytest.approx(2 * edge, rel=0.01)
        x = torch.linspace(-1, 1, 401, dtype=torch.float64)
        ours = pseudo_voigt(x, fwhm[i], float(eta[i]))
        voigt = special.voigt_profile(x.numpy(), sigma[i], lorentz[i] / 2)
        assert np.abs(ours.numpy() - voigt).max() < 0.015 * voigt.max()


def test_broadening_adds_to_what_the_instrument_has():
    two_theta = torch.tensor([30.0, 70.0], dtype=torch.float64)
    by_instrument = peak_shape(Instrument(lorentzian=(0.1, 0.04)), two_theta)
    added = peak_shape(
        Instrument(lorentzian=(0.04, 0.04)), two_theta, x=torch.tensor([0.06, 0.06], dtype=torch.float64)
    )
    torch.testing.assert_close(added, by_instrument)
    # a purely Lorentzian instrument: widths add
    fwhm, eta = peak_shape(Instrument(eta=1.0, lorentzian=(0.0, 0.1)), two_theta)
    plain = Instrument().fwhm(two_theta) + 0.1 / torch.cos(torch.deg2rad(two_theta / 2))
    torch.testing.assert_close(fwhm, plain, rtol=1e-3, atol=0)
    assert torch.all(eta > 0.99)


def test_doublet_stands_where_bragg_says():
    """Silicon 111 and 422 (a = 5.431 Å) with Cu Kα1 and Kα2: positions by hand, areas one to one half."""
    d = 5.431 / np.sqrt([3, 24])
    wavelengths = 1.540593, 1.544426
    first, second = (np.degrees(2 * np.arcsin(w / 2 / d)) for w in wavelengths)
    instrument = Instrument(
        wavelength=wavelengths[0], second_wavelength=wavelengths[1], n_points=8501, resolution=(0, 0, 0.02**2)
    )
    lines = dataclasses.replace(_lines(first, [1.0, 1.0], [0, 0]), d=torch.from_numpy(d))
    pattern = draw_peaks(lines, instrument)[0].double().numpy()
    grid = instrument.grid()
    for i in range(2):
        middle = (first[i] + second[i]) / 2
        left, right = (grid > first[i] - 1) & (grid < middle), (grid > middle) & (grid < second[i] + 1)
        areas = [pattern[side].sum() * instrument.step for side in (left, right)]
        geometry = lorentz_polarisation(torch.tensor([first[i], second[i]]), instrument)
        assert areas[0] == pytest.approx(1, rel=1e-3)
        assert areas[1] == pytest.approx(0.5 * float(geometry[1] / geometry[0]), rel=1e-3)
        for side, centre in ((left, first[i]), (right, second[i])):
            assert np.average(grid[side], weights=pattern[side]) == pytest.approx(centre, abs=1e-4)


def test_a_shifted_line_takes_its_second_line_along():
    instrument = Instrument(wavelength=1.540593, second_wavelength=1.544426)
    d = torch.tensor([2.0], dtype=torch.float64)
    bragg = torch.rad2deg(2 * torch.arcsin(instrument.wavelength / 2 / d))
    lines = dataclasses.replace(_lines([0.0], [1.0]), d=d, two_theta=bragg)
    shifted = dataclasses.replace(lines, two_theta=bragg + 0.1)
    still, moved = (with_second_line(x, instrument).two_theta for x in (lines, shifted))
    torch.testing.assert_close(moved - still, torch.full((2,), 0.1, dtype=torch.float64))


def test_second_line_of_a_backward_reflection_may_not_exist():
    """At λ2 > 2d there is no Bragg angle: the first line alone is drawn."""
    instrument = Instrument(wavelength=1.540593, second_wavelength=1.544426, two_theta=(100, 179), n_points=4000)
    lines = dataclasses.replace(_lines([178.0], [1.0]), d=torch.tensor([0.7715], dtype=torch.float64))
    assert len(with_second_line(lines, instrument).d) == 1
    assert torch.isfinite(draw_peaks(lines, instrument)).all()

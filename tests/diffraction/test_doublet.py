"""Kα1, Kα2 and the monochromator against numbers that can be looked up or worked out by hand."""

import math

import numpy as np
import pytest
import torch

from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import lorentz_polarisation, powder_reflections
from paperlib.diffraction.simulate import powder_patterns

KALPHA_1, KALPHA_2 = 1.5405929, 1.5444274
"""Å; Cu, Hölzer et al. (1997)."""

A_SILICON = 5.4311946
"""Å; NIST SRM 640c."""


@pytest.fixture(scope="module")
def silicon(build):
    lattice = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    frac = np.concatenate([lattice + 0.125, lattice - 0.125])
    return build(
        {"cell": [A_SILICON] * 3 + [90.0] * 3, "frac": frac, "species": [14] * 8, "space_group": 227, "standard": True}
    )


def _narrow(**changes):
    """Peaks of 0.02° on points 0.005° apart, so that the doublet is split everywhere."""
    settings = {"wavelength": KALPHA_1, "two_theta": (20.0, 145.0), "n_points": 25001, "resolution": (0, 0, 0.0004)}
    return Instrument(**settings | changes)


def _bragg(wavelength, h_squared):
    return 2 * math.degrees(math.asin(wavelength * math.sqrt(h_squared) / (2 * A_SILICON)))


def _area(pattern, instrument, centre, half=0.03):
    grid = instrument.grid()
    inside = np.abs(grid - centre) <= half
    return pattern[inside].sum() * instrument.step


@pytest.mark.parametrize(
    ("theta", "value"),
    [(10, 63.41), (20, 14.44), (30, 5.774), (45, 2.828), (50, 2.731), (60, 3.333), (80, 11.18)],
)
def test_lorentz_polarisation_as_tabulated(theta, value):
    """(1 + cos²2θ) / (sin²θ cos θ), Cullity and Stock, Elements of X-Ray Diffraction (2001), appendix."""
    ours = lorentz_polarisation(torch.tensor(2.0 * theta, dtype=torch.float64), Instrument())
    assert float(ours) == pytest.approx(value, rel=3e-4)


def test_graphite_polarises_by_a_fifth():
    """cos² of 26.6°, the angle of graphite 002 and Cu Kα, is 0.7995, the 0.8 of Rietveld programs."""
    angles = torch.tensor([1e-3, 45.0, 90.0], dtype=torch.float64)
    ratio = lorentz_polarisation(angles, Instrument(monochromator=26.6)) / lorentz_polarisation(angles, Instrument())
    assert ratio.tolist() == pytest.approx([1.7995 / 2, (1 + 0.7995 / 2) / 1.5, 1.0], rel=1e-4)


def test_lines_of_the_silicon_standard(silicon):
    """2θ of the certificate of NIST SRM 640c for Cu Kα1."""
    instrument = _narrow()
    pattern = powder_patterns(silicon, instrument, dtype=torch.float64)[0].numpy()
    for expected in (28.441, 47.300, 56.119, 69.126, 76.372, 88.025, 94.947, 106.701, 114.084, 127.534, 136.882):
        near = np.abs(instrument.grid() - expected) < 0.1
        assert instrument.grid()[near][pattern[near].argmax()] == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("h_squared", "splitting"), [(3, 0.0723), (8, 0.1250), (43, 0.7277)])
def test_doublet_is_split_by_braggs_law(silicon, h_squared, splitting):
    """Si 111, 220 and 533: two maxima, apart by 2 tan θ Δλ/λ at low angles and a little more at high ones, with
    areas as 2 : 1 times the factor of the angle."""
    instrument = _narrow(second_wavelength=KALPHA_2)
    pattern = powder_patterns(silicon, instrument, normalise="none", dtype=torch.float64)[0].numpy()
    first, second = (_bragg(wavelength, h_squared) for wavelength in (KALPHA_1, KALPHA_2))
    assert second - first == pytest.approx(splitting, abs=2e-4)
    small = 2 * math.degrees(math.tan(math.radians(first / 2)) * (KALPHA_2 / KALPHA_1 - 1))
    assert small <= second - first < 1.02 * small
    maxima = 1 + np.flatnonzero((pattern[1:-1] > pattern[:-2]) & (pattern[1:-1] > pattern[2:]))
    found = instrument.grid()[maxima]
    assert np.abs(found - first).min() < 0.003 and np.abs(found - second).min() < 0.003
    areas = [_area(pattern, instrument, angle) for angle in (first, second)]
    factors = lorentz_polarisation(torch.tensor([first, second], dtype=torch.float64), instrument).tolist()
    assert areas[1] / areas[0] == pytest.approx(0.5 * factors[1] / factors[0], rel=2e-3)
    assert areas[1] / areas[0] == pytest.approx(0.5, rel=0.03)


def test_the_first_line_is_what_it_is_alone(silicon):
    alone, both = _narrow(), _narrow(second_wavelength=KALPHA_2, second_ratio=0.3)
    one, two = (powder_patterns(silicon, i, normalise="none", dtype=torch.float64)[0].numpy() for i in (alone, both))
    angle = _bragg(KALPHA_1, 43)
    assert _area(two, both, angle) == pytest.approx(_area(one, alone, angle), rel=1e-6)
    low = np.abs(alone.grid() - _bragg(KALPHA_1, 3)) < 0.3
    assert two[low].sum() / one[low].sum() == pytest.approx(1.3, rel=3e-3)


def test_unresolved_doublet_stands_at_the_mean_wavelength(silicon):
    """A broad 111 of the doublet has its centre at the Bragg angle of (2 λ1 + λ2) / 3 = 1.54187 Å."""
    mean = (2 * KALPHA_1 + KALPHA_2) / 3
    broad = Instrument(
        wavelength=KALPHA_1, second_wavelength=KALPHA_2, two_theta=(26, 31), n_points=5001, resolution=(0, 0, 0.04)
    )
    pattern = powder_patterns(silicon, broad, dtype=torch.float64)[0].numpy()
    centre = (broad.grid() * pattern).sum() / pattern.sum()
    # the factor of the angle, which falls by 2 % per 0.3°, moves the centre by less than 1e-4 degrees
    assert centre == pytest.approx(_bragg(mean, 3), abs=1e-4)


def test_a_line_whose_partner_lies_inside_the_range_is_not_forgotten(silicon):
    """Kα1 of 111 at 28.44° below the first point, Kα2 at 28.51° above it; and the other way at the end."""
    first, second = _bragg(KALPHA_1, 3), _bragg(KALPHA_2, 3)
    begin = second - 0.01
    start = _narrow(two_theta=(begin, begin + 20), n_points=4001, second_wavelength=KALPHA_2)
    wider = _narrow(two_theta=(begin - 0.5, begin + 20), n_points=4101, second_wavelength=KALPHA_2)
    pattern, whole = (powder_patterns(silicon, i, normalise="none", dtype=torch.float64)[0] for i in (start, wider))
    assert float(pattern[:10].max()) > 0.1 * float(pattern.max())
    assert (pattern - whole[100:]).abs().max() < 1e-5 * pattern.max()
    # the end: only the first line of 111 lies inside
    end = _narrow(two_theta=(25.0, (first + second) / 2), n_points=700, second_wavelength=KALPHA_2)
    single = powder_reflections(silicon, end)
    drawn = powder_patterns(silicon, end, normalise="none", dtype=torch.float64)[0].numpy()
    assert drawn.sum() * end.step == pytest.approx(float(single.intensity.sum()), rel=2e-3)

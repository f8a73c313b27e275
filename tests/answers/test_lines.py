"""Lines of simulated patterns stand where their reflections are, and are taken out one at a time."""

import numpy as np
import pytest

from paperlib.answers.answer import INSTRUMENT
from paperlib.answers.lines import Doublet, find_lines, noise_of, without
from paperlib.answers.network_input import above_baseline
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.without_torch import mean_wavelength

GRID = INSTRUMENT.grid()
COPPER = Doublet(INSTRUMENT.second_wavelength / INSTRUMENT.wavelength - 1, INSTRUMENT.wavelength)
EVERYWHERE = np.ones(len(GRID), dtype=bool)


def peak(centre, height=1.0, fwhm=0.1):
    return height * np.exp(-4 * np.log(2) * ((GRID - centre) / fwhm) ** 2)


def lines_of(pattern, doublet=COPPER, lag=1):
    above = above_baseline(pattern[None], INSTRUMENT.step)[0]
    return above, find_lines(above, EVERYWHERE, INSTRUMENT, doublet, lag)


def test_lines_of_a_cubic_crystal_are_its_reflections(simulated):
    crystals, patterns = simulated
    cubic = int(np.flatnonzero(crystals.space_group >= 195)[0])
    _, lines = lines_of(patterns[cubic])
    reflections = powder_reflections(crystals[cubic : cubic + 1], MINERAL_INSTRUMENT)
    strong = reflections.intensity > 0.02 * reflections.intensity.max()
    inside = (reflections.two_theta > 6) & (reflections.two_theta < 89)
    d = reflections.d[strong & inside].numpy()
    found = np.array([line.d for line in lines])
    assert all(np.abs(found / one - 1).min() < 1e-3 for one in d)
    everything = reflections.d.numpy()
    assert all(np.abs(everything / one - 1).min() < 1e-3 for one in found), "the second lines of doublets are no lines"
    assert max(line.height for line in lines) == pytest.approx(1)


def test_without_a_doublet_every_peak_is_a_line():
    pattern = peak(80.0) + peak(80.0 + 0.24, 0.5)
    assert [len(lines_of(pattern, doublet)[1]) for doublet in (COPPER, None)] == [1, 2]
    (line,) = lines_of(pattern)[1]
    assert line.d == pytest.approx(INSTRUMENT.wavelength / 2 / np.sin(np.radians(40)), rel=3e-4)


def test_heights_and_widths_by_hand():
    first, second = GRID[[600, 900]]
    _, lines = lines_of(peak(first) + peak(second, 0.25, 0.3) + 0.02, doublet=None)
    assert [line.two_theta for line in lines] == pytest.approx([first, second], abs=1e-3)
    assert [line.height for line in lines] == pytest.approx([1, 0.25], rel=0.05)
    assert [line.fwhm for line in lines] == pytest.approx([0.1, 0.3], rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_has_no_lines_and_noise_is_measured(seed):
    rng = np.random.default_rng(seed)
    normal = rng.normal(1.0, 0.1, len(GRID))
    assert np.median(noise_of(normal, EVERYWHERE)) == pytest.approx(0.1, rel=0.1)
    counts = rng.poisson(50 + 40 * np.exp(-(((GRID - 25) / 6) ** 2))).astype(float)
    for pattern in (normal, counts):
        assert lines_of(pattern / pattern.max())[1] == ()
    # of a detector with steps of 0.1°, interpolated
    coarse = np.interp(GRID, GRID[::3], rng.normal(1.0, 0.1, len(GRID[::3])))
    assert lines_of(coarse / coarse.max(), lag=3)[1] == ()


def test_counting_noise_does_not_split_a_strong_line():
    rng = np.random.default_rng(0)
    pattern = rng.poisson(1e4 * peak(30.0, fwhm=0.4) + 3e3 * peak(31.0, fwhm=0.4) + 30).astype(float)
    assert len(lines_of(pattern / pattern.max(), doublet=None)[1]) == 2


def test_a_line_that_is_taken_out_leaves_the_others_as_they_are():
    pattern = peak(30.0) + peak(31.0, 0.5) + peak(60.0, 0.7)
    above, lines = lines_of(pattern, doublet=None)
    rest = without(above, lines[0])
    assert np.abs(rest[np.abs(GRID - 30) < 0.3]).max() < 0.01
    np.testing.assert_array_equal(rest[GRID > 30.5], above[GRID > 30.5])
    assert len(find_lines(rest / rest.max(), EVERYWHERE, INSTRUMENT, None)) == 2


def test_both_lines_of_a_doublet_are_taken_out():
    pattern = peak(80.0) + peak(80.24, 0.5) + peak(30.0)
    above, lines = lines_of(pattern)
    assert np.abs(without(above, lines[-1])[np.abs(GRID - 80.1) < 0.5]).max() < 0.02


def test_what_the_ends_of_the_range_cut_is_no_line():
    measured = (GRID > 10) & (GRID < 80)
    pattern = np.where(measured, peak(40.0) + np.exp(-(GRID - 10) / 0.6) + peak(79.99, 0.4, 0.3), -1.0)
    above = above_baseline(pattern[None], INSTRUMENT.step)[0]
    assert above[GRID > 10][0] > 0.5 and above[GRID < 80][-1] > 0.3
    (line,) = find_lines(above, measured, INSTRUMENT, None)
    assert line.two_theta == pytest.approx(40, abs=1e-3)


def test_the_mean_wavelength_is_weighted():
    assert mean_wavelength(1.0, 0.0, 0.5) == 1.0 and mean_wavelength(1.0, 4.0, 0.5) == 2.0


def test_a_pattern_without_points_has_no_lines():
    assert find_lines(np.zeros(len(GRID)), ~EVERYWHERE, INSTRUMENT, COPPER) == ()

"""Patterns on the bench: sliders and edits do what physics says."""

from dataclasses import replace

import numpy as np
import pytest

from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.diffraction.simulate import powder_patterns
from paperlib.explore.bench import show
from paperlib.explore.networks import clean, robust
from paperlib.explore.subject import Edits, Settings, Subject


def highest_near(shown, d, reach=0.15):
    angle = 2 * np.degrees(np.arcsin(shown.wavelength / (2 * d)))
    return float(shown.intensity[np.abs(shown.two_theta - angle) < reach].max())


@pytest.fixture
def spacing(salt):
    a = float(salt.crystal.cell[0, 0])
    return lambda h, k, l: a / np.sqrt(h * h + k * k + l * l)  # noqa: E741


def test_untouched_it_is_the_pattern_of_the_simulator(salt):
    shown = show(salt, Settings(), Edits(), robust())
    alone = powder_patterns(salt.crystal, MINERAL_INSTRUMENT)[0].numpy()
    np.testing.assert_allclose(shown.pattern, alone, atol=1e-5)
    assert len(show(salt, Settings(), Edits(), clean()).pattern) == 1000


def test_lines_move_with_the_wavelength_and_a_network_reads_them_where_they_were(salt, spacing):
    here, there = (show(salt, Settings(wavelength=w), Edits(), robust()) for w in (1.540593, 1.2))
    for shown in (here, there):
        assert highest_near(shown, spacing(2, 0, 0)) == pytest.approx(1, abs=1e-6)
        assert highest_near(shown, spacing(1, 0, 0)) < 1e-2
    assert there.wavelength == 1.2 and here.wavelength == pytest.approx(1.54187, abs=1e-4)
    grid = MINERAL_INSTRUMENT.grid()
    top = [float(grid[shown.pattern.argmax()]) for shown in (here, there)]
    assert top[0] == pytest.approx(top[1], abs=0.1)


def test_small_crystallites_widen_lines_as_scherrer_says(salt, spacing):
    network = robust()

    def width(size):
        shown = show(salt, Settings(wavelength=1.2, crystallite_size=size), Edits(), network)
        near = np.abs(shown.two_theta - 2 * np.degrees(np.arcsin(1.2 / (2 * spacing(2, 0, 0))))) < 1.5
        return np.sum(shown.intensity[near] > 0.5) * network.instrument.step

    theta = np.arcsin(1.2 / (2 * spacing(2, 0, 0)))
    assert width(10) == pytest.approx(np.degrees(0.9 * 1.2 / (100 * np.cos(theta))), rel=0.15)
    assert width(10) > 5 * width(0)


def test_noise_is_as_large_as_it_says_and_comes_again(salt):
    still, noisy, again = (show(salt, Settings(noise=n), Edits(), robust()) for n in (0, 0.01, 0.01))
    np.testing.assert_array_equal(noisy.pattern, again.pattern)
    assert np.std((noisy.pattern - still.pattern)[:200]) == pytest.approx(0.01, rel=0.2)


def test_a_line_that_is_taken_away_is_gone_and_the_others_stay(salt, spacing):
    whole = show(salt, Settings(), Edits(), robust())
    without = show(salt, Settings(), Edits(taken=(spacing(1, 1, 1),)), robust())
    assert highest_near(whole, spacing(1, 1, 1)) > 0.05 and highest_near(without, spacing(1, 1, 1)) < 2e-3
    assert highest_near(without, spacing(2, 2, 0)) == pytest.approx(highest_near(whole, spacing(2, 2, 0)), rel=1e-3)


@pytest.mark.parametrize("wavelength", [1.540593, 1.1])
def test_a_line_is_put_in_where_and_as_high_as_it_should_be(salt, spacing, wavelength):
    put = Edits(put=((spacing(1, 0, 0), 0.3),))
    shown = show(salt, Settings(wavelength=wavelength, crystallite_size=20), put, robust())
    assert highest_near(shown, spacing(1, 0, 0)) == pytest.approx(0.3, rel=0.1)


def test_what_cannot_be_shown_is_said(salt, crystals):
    every = tuple(show(salt, Settings(), Edits(), robust()).reflections.d.tolist())
    with pytest.raises(ValueError, match="put one back"):
        show(salt, Settings(), Edits(taken=every), robust())
    tiny = replace(salt.crystal, cell=np.array([[0.6, 0.6, 0.6, 90, 90, 90.0]]))
    with pytest.raises(ValueError):
        show(Subject("tiny", crystal=tiny), Settings(), Edits(), robust())


def test_edits_are_undone_by_the_same_click():
    edits = Edits()
    assert edits.take(2.0).take(2.0) == edits and edits.insert(3.0, 0.1).insert(3.0, 0.1) == edits
    assert edits.insert(3.0, 0.1).insert(3.0, 0.2).put == ((3.0, 0.2),), "another height replaces"
    assert edits.insert(3.0, 0.1).take(3.0) == edits and edits.take(2.0).insert(2.0, 0.5) == edits

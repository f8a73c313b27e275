"""Lines of the lattice by Bragg's law, places off it, and lines of a height that is asked for."""

import dataclasses

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import MOVES, distance_to, lattice_lines, moved_off, single_lines, widths
from paperlib.diffraction.profile import draw_peaks
from paperlib.diffraction.reflections import powder_reflections

INSTRUMENT = Instrument()
A = 5.64


def crystal(number=225, cell=(A, A, A, 90, 90, 90)):
    """One atom at the origin."""
    return CrystalSet(
        cell=np.array([cell], dtype=float),
        space_group=np.array([number], dtype=np.int16),
        standard=np.array([True]),
        site_start=np.array([0, 1]),
        frac=np.zeros((1, 3)),
        species=np.array([29], dtype=np.int16),
        occupancy=np.ones(1),
        b_iso=np.zeros(1),
        formula=np.array(["Cu"]),
        source_id=np.array(["made"]),
    )


def bragg(hkl, a=A):
    return 2 * np.degrees(np.arcsin(INSTRUMENT.wavelength * np.sqrt((np.array(hkl) ** 2).sum(-1)) / (2 * a)))


def test_a_face_centred_cube_forbids_100_and_allows_111():
    lines = lattice_lines(crystal(), INSTRUMENT)
    np.testing.assert_allclose(lines.two_theta, bragg(lines.hkl), atol=1e-9)
    told = {tuple(hkl): allowed for hkl, allowed in zip(lines.hkl.tolist(), lines.allowed, strict=True)}
    assert not told[1, 0, 0] and not told[1, 1, 0] and told[1, 1, 1] and told[2, 0, 0] and not told[2, 1, 1]
    assert tuple(lines.hkl[0]) == (1, 0, 0) and abs(lines.two_theta[0] - 15.712) < 0.01


def test_reflections_of_one_angle_are_one_line():
    lines = lattice_lines(crystal(221), INSTRUMENT)
    squares = (lines.hkl**2).sum(1)
    for a, b in ((9, 9), (17, 17)):
        assert len({n for n, s in zip(lines.line, squares, strict=True) if s in (a, b)}) == 1
    assert (squares == 9).sum() == 2, "300 and 221"
    assert len(np.unique(lines.line)) == len(np.unique(squares))


CELLS = {
    225: (A, A, A, 90, 90, 90),
    62: (5.1, 6.2, 7.7, 90, 90, 90),
    14: (5.1, 6.2, 7.7, 90, 101, 90),
    167: (5, 5, 13, 90, 90, 120),
}


@pytest.mark.parametrize(("number", "cell"), CELLS.items())
def test_allowed_lines_are_those_of_the_simulator(number, cell):
    one = crystal(number, cell)
    lines, simulated = lattice_lines(one, INSTRUMENT), powder_reflections(one, INSTRUMENT)
    assert sorted(map(tuple, lines.hkl[lines.allowed])) == sorted(map(tuple, simulated.hkl.numpy().tolist()))
    np.testing.assert_allclose(lines.two_theta[lines.allowed], simulated.two_theta.numpy(), atol=1e-9)


@pytest.mark.parametrize("number", [225, 62, 14])
def test_the_control_touches_no_line_of_the_lattice_and_stays_near(number):
    lines = lattice_lines(crystal(number, CELLS[number]), INSTRUMENT)
    forbidden = lines.two_theta[~lines.allowed]
    moved = moved_off(forbidden, lines.two_theta, INSTRUMENT, seed=0, item=3)
    found = np.isfinite(moved)
    assert found[:3].all()
    assert np.all(distance_to(moved[found], lines.two_theta) > 1.5 * widths(INSTRUMENT, moved[found]))
    away = np.abs(moved - forbidden)[found]
    assert away.min() >= MOVES[0] - 1e-9 and away.max() <= MOVES[1] + 1e-9
    again = moved_off(forbidden, lines.two_theta, INSTRUMENT, seed=0, item=3)
    np.testing.assert_array_equal(moved, again)
    assert not np.array_equal(moved, moved_off(forbidden, lines.two_theta, INSTRUMENT, seed=1, item=3))


def test_where_lines_stand_too_close_there_is_no_place():
    everywhere = np.arange(5, 90, 0.1)
    assert np.isnan(moved_off(np.array([30.0]), everywhere, INSTRUMENT, 0, 0)).all()


def test_distances_to_the_nearest_line():
    np.testing.assert_allclose(distance_to(np.array([1.0, 4.0, 9.0]), np.array([2.0, 5.0])), [1, 1, 4])
    assert np.isinf(distance_to(np.array([1.0]), np.array([]))).all()


@pytest.mark.parametrize("changes", [{}, {"eta": 0.4}, {"lorentzian": (0.05, 0.02)}])
def test_a_single_line_has_height_one_at_its_angle(changes):
    instrument = dataclasses.replace(INSTRUMENT, n_points=8501, **changes)
    place = instrument.grid()[[2000, 6000]]
    drawn = draw_peaks(single_lines(np.array([0, 1]), np.ones((2, 3)), place, 3, instrument), instrument).numpy()
    np.testing.assert_allclose(drawn.max(1), [1, 1, 0], atol=2e-3)
    assert list(drawn[:2].argmax(1)) == [2000, 6000]


def test_a_crystal_in_another_setting_is_refused():
    with pytest.raises(ValueError, match="standard setting"):
        lattice_lines(dataclasses.replace(crystal(), standard=np.array([False])), INSTRUMENT)

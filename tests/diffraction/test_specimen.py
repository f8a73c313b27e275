import dataclasses

import numpy as np
import pytest
import torch

from paperlib.diffraction.draws import draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import Reflections, powder_reflections
from paperlib.diffraction.specimen import line_shape, margin, scherrer_width, shifted, specimen_patterns, strain_width

COPPER = 1.540593
NARROW = Instrument(wavelength=COPPER, two_theta=(20, 120), n_points=50001, resolution=(0, 0, 1e-4))
"""Steps of 0.002°, Gaussian peaks of 0.01°: next to nothing beside what the specimen does."""


@pytest.fixture
def silicon(build):
    """Si, SRM 640: a = 5.431 Å."""
    lattice = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    frac = np.concatenate([lattice + 0.125, lattice + 0.875])
    cell = [5.4311] * 3 + [90.0] * 3
    return build({"cell": cell, "frac": frac, "species": [14] * 8, "space_group": 227, "standard": True})


def _pattern(crystals, instrument, imperfections, dtype=torch.float64):
    lines = powder_reflections(crystals, instrument, dtype=dtype, margin=margin(imperfections, instrument))
    draws = draw(imperfections, 0, range(len(crystals)))
    return specimen_patterns(lines, crystals, instrument, imperfections, draws), lines, draws


def _fwhm(grid, pattern, centre, around=1.0):
    """Width at half maximum of the one peak near ``centre``, by linear interpolation."""
    near = np.abs(grid - centre) < around
    x, y = grid[near], pattern[near]
    top = int(y.argmax())
    half = y[top] / 2
    left = np.interp(half, y[: top + 1], x[: top + 1])
    return np.interp(-half, -y[top:], x[top:]) - left


# Positions


def test_displacement_moves_silicon_111_as_by_hand(silicon):
    # d = 5.4311 / √3 Å, 2θ = 28.4425°; -2 · 0.1 mm · cos 14.221° / 200 mm = -9.6936e-4 rad = -0.05554°
    pattern, _, _ = _pattern(silicon, NARROW, Imperfections(displacement=0.1, goniometer_radius=200))
    near = np.abs(NARROW.grid() - 28.44) < 1
    peak = NARROW.grid()[near][int(pattern[0].numpy()[near].argmax())]
    assert peak == pytest.approx(28.4425 - 0.05554, abs=0.0015)


def test_displacement_vanishes_backwards_and_zero_shift_does_not(silicon):
    lines = powder_reflections(silicon, NARROW)
    both = Imperfections(displacement=-0.2, zero_shift=0.03, goniometer_radius=150)
    moved = shifted(lines, draw(both, 0, [0]), 150.0) - lines.two_theta
    expected = 0.03 + np.degrees(2 * 0.2 / 150) * np.cos(np.radians(lines.two_theta.numpy() / 2))
    assert moved.numpy() == pytest.approx(expected, abs=1e-12)


def test_lines_are_moved_into_the_range(silicon):
    """111 at 28.44° is outside the range and comes in; the widened margin must find it."""
    instrument = Instrument(wavelength=COPPER, two_theta=(28.6, 40), n_points=2000, resolution=(0, 0, 1e-3))
    without, _, _ = _pattern(silicon, instrument, Imperfections())
    pattern, _, _ = _pattern(silicon, instrument, Imperfections(zero_shift=1.0))
    assert float(without.max()) == 0
    assert instrument.grid()[int(pattern[0].argmax())] == pytest.approx(29.4425, abs=0.006)


# Widths


def test_scherrer_width_on_the_drawn_peak(silicon):
    # K λ / (L cos θ) = 0.9 · 0.1540593 nm / (10 nm · cos 14.221°) = 0.014303 rad = 0.8195°
    pattern, _, _ = _pattern(silicon, NARROW, Imperfections(crystallite_size=10))
    assert _fwhm(NARROW.grid(), pattern[0].numpy(), 28.44, 4.0) == pytest.approx(0.8195, abs=0.004)


def test_strain_width_on_drawn_peaks_grows_like_the_tangent(silicon):
    # 4 ε tan θ: 0.5 % give 0.02 · tan 14.221° = 0.005068 rad = 0.29040° at 111, and more behind
    pattern, lines, _ = _pattern(silicon, NARROW, Imperfections(microstrain=0.005))
    tangent = np.tan(np.radians(lines.two_theta.numpy() / 2))
    widths = [_fwhm(NARROW.grid(), pattern[0].numpy(), x, 2.0) for x in lines.two_theta[:3].tolist()]
    assert widths[0] == pytest.approx(0.2904, abs=0.003)
    assert widths / tangent[:3] == pytest.approx(widths[0] / tangent[0], rel=0.01)


def test_lorentzian_widths_add_up():
    """Where the instrument is narrow, size and strain give the sum of both widths and a Lorentzian shape."""
    instrument = dataclasses.replace(NARROW, resolution=(0, 0, 1e-6), n_points=60001, two_theta=(20, 80))
    draws = draw(Imperfections(crystallite_size=20, microstrain=0.002), 0, [0])
    lines = _lines_at([40.0, 70.0])
    fwhm, eta = line_shape(lines, draws, instrument)
    theta = np.radians([20.0, 35.0])
    expected = scherrer_width(20, COPPER) / np.cos(theta) + strain_width(0.002) * np.tan(theta)
    assert fwhm.numpy() == pytest.approx(expected, rel=1e-4)
    assert eta.numpy() == pytest.approx(1, abs=1e-3)


def test_no_broadening_leaves_the_instrument_its_shape():
    lines = _lines_at([40.0, 70.0])
    fwhm, eta = line_shape(lines, draw(Imperfections(), 0, [0]), Instrument(eta=0.3))
    # taken apart and put together again, by polynomials that are good to a few 1e-3
    assert fwhm.numpy() == pytest.approx(Instrument().fwhm(lines.two_theta).numpy(), rel=2e-3)
    assert eta.numpy() == pytest.approx(0.3, abs=3e-3)


def _lines_at(two_theta):
    two_theta = torch.tensor(two_theta, dtype=torch.float64)
    nothing = torch.zeros(len(two_theta), dtype=torch.int64)
    return Reflections(nothing, nothing, two_theta, two_theta, nothing, two_theta, two_theta, torch.tensor([0, 2]))


def test_broadening_keeps_areas(silicon):
    # the instrument's range is wide, so that little of the Lorentzian tails is lost
    sharp, _, _ = _pattern(silicon, NARROW, Imperfections())
    broad, _, _ = _pattern(silicon, NARROW, Imperfections(crystallite_size=200))
    assert float(broad.sum() / sharp.sum()) == pytest.approx(1, abs=2e-3)


# Texture and second phases


def test_texture_weights_the_drawn_peaks(build):
    """Platelets of a tetragonal crystal: 001 gains r^-3, 100 loses r^1.5."""
    crystal = build(
        {"cell": [4, 4, 6, 90, 90, 90], "frac": [[0, 0, 0]], "species": [26], "space_group": 123, "standard": True}
    )
    instrument = Instrument(two_theta=(10, 60), n_points=5001)
    even, lines, _ = _pattern(crystal, instrument, Imperfections())
    flat, _, _ = _pattern(crystal, instrument, Imperfections(texture=0.8, texture_axis=(0, 0, 1)))
    for hkl, factor in (([0, 0, 1], 0.8**-3), ([1, 0, 0], 0.8**1.5)):
        at = float(lines.two_theta[(lines.hkl == torch.tensor(hkl)).all(1)])
        point = int(np.abs(instrument.grid() - at).argmin())
        assert float(flat[0, point] / even[0, point]) == pytest.approx(factor, rel=1e-6)


def test_second_phase_in_proportion_to_volume(build, halite):
    """Σ|F|² / V² per volume: areas of NaCl 200 and CsCl 110 in a mixture of 3 : 1 by volume, against line lists."""
    caesium = {"cell": [4.123] * 3 + [90] * 3, "frac": [[0, 0, 0], [0.5] * 3], "species": [55, 17]}
    caesium |= {"space_group": 221, "standard": True}
    pool = build(halite, caesium)
    instrument = Instrument(two_theta=(10, 60), n_points=5001)
    mixed = Imperfections(second_phase=0.25, impurities=pool[1])
    pattern, first, _ = _pattern(pool[0], instrument, mixed)
    second = powder_reflections(pool[1], instrument)

    def line(lines, hkl):
        row = int((lines.hkl == torch.tensor(hkl)).all(1).nonzero())
        return float(lines.two_theta[row]), float(lines.intensity[row])

    areas = []
    for at, _ in (line(first, [2, 0, 0]), line(second, [1, 1, 0])):
        near = np.abs(instrument.grid() - at) < 0.35
        areas.append(float(pattern[0].numpy()[near].sum()))
    by_hand = 0.75 * line(first, [2, 0, 0])[1] / 5.6402**6, 0.25 * line(second, [1, 1, 0])[1] / 4.123**6
    assert areas[0] / areas[1] == pytest.approx(by_hand[0] / by_hand[1], rel=1e-4)
    # the scale stays that of the first phase
    assert areas[0] * instrument.step == pytest.approx(0.75 * line(first, [2, 0, 0])[1], rel=1e-4)


def test_a_phase_mixed_with_a_supercell_of_itself_is_itself(build, halite):
    """The factor (V_1 / V_2)² undoes that a cell of eight times the volume has 64 times the |F|²."""
    shifts = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1]), -1).reshape(-1, 1, 3)
    frac = ((halite["frac"] + shifts) / 2).reshape(-1, 3)
    double = {"cell": [2 * 5.6402] * 3 + [90] * 3, "frac": frac, "species": halite["species"] * 8}
    crystal, pool = build(halite), build(double)
    instrument = Instrument()
    pure, _, _ = _pattern(crystal, instrument, Imperfections())
    mixed, _, _ = _pattern(crystal, instrument, Imperfections(second_phase=0.4, impurities=pool))
    assert mixed.numpy() == pytest.approx(pure.numpy(), rel=1e-6, abs=1e-9 * float(pure.max()))


def test_each_item_gets_the_phase_that_was_drawn_for_it(build, halite, triclinic, symmetric):
    rng = np.random.default_rng(3)
    pool = build(*(symmetric(number, rng) | {"occupancy": 0.3} for number in (2, 62, 225, 14)), triclinic)
    crystals = build(*[halite] * 12)
    mixed = Imperfections(second_phase=(0.1, 0.5), impurities=pool, zero_shift=(-0.1, 0.1))
    pattern, _, draws = _pattern(crystals, Instrument(), mixed)
    assert len(set(draws.impurity.tolist())) > 2
    for i in (0, 5, 11):
        one = dataclasses.replace(
            mixed,
            second_phase=float(draws.second_phase[i]),
            zero_shift=float(draws.zero_shift[i]),
            impurities=pool[int(draws.impurity[i])],
        )
        alone, _, _ = _pattern(crystals[i], Instrument(), one)
        assert pattern[i].numpy() == pytest.approx(alone[0].numpy(), abs=1e-6 * float(alone.max()))


def test_a_phase_that_cannot_be_simulated_is_named(build, halite):
    bad = build(halite | {"species": [99] * 8, "source_id": "einsteinium"})
    with pytest.raises(ValueError, match=r"second phases(.|\n)*einsteinium(.|\n)*no X-ray form factor for Es"):
        _pattern(build(halite), Instrument(), Imperfections(second_phase=0.1, impurities=bad))


# Displacement


def test_an_overall_displacement_damps_lines_by_their_angle(silicon):
    lines = powder_reflections(silicon, NARROW, dtype=torch.float64)
    plain, _, _ = _pattern(silicon, NARROW, Imperfections())
    damped, _, _ = _pattern(silicon, NARROW, Imperfections(overall_b=2.0))
    for two_theta in lines.two_theta[lines.intensity > 0].tolist():
        near = np.abs(NARROW.grid() - two_theta) < 0.05
        s = np.sin(np.radians(two_theta / 2)) / COPPER
        ratio = damped[0].numpy()[near].max() / plain[0].numpy()[near].max()
        assert ratio == pytest.approx(np.exp(-2 * 2.0 * s**2), rel=1e-3)


def test_it_is_drawn_beside_the_others_and_changes_none_of_them():
    both = draw(Imperfections(zero_shift=(-0.1, 0.1), overall_b=(0.0, 3.0)), 1, range(50))
    alone = draw(Imperfections(zero_shift=(-0.1, 0.1)), 1, range(50))
    assert torch.equal(both.zero_shift, alone.zero_shift)
    assert 0 <= both.overall_b.min() < 0.5 and 2.5 < both.overall_b.max() <= 3

import numpy as np
import pytest
import torch

from paperlib.diffraction.draws import draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.measurement import background, check_detector, detector_mask, detector_points, measure

INSTRUMENT = Instrument(two_theta=(10, 60), n_points=501, resolution=(0, 0, 1.0))
"""Steps of 0.1°."""

ITEMS = torch.arange(400)


def _measure(patterns, imperfections, normalise="none", seed=2, instrument=INSTRUMENT, items=None, **more):
    items = torch.arange(len(patterns)) if items is None else items
    draws = draw(imperfections, seed, items)
    return measure(patterns, instrument, imperfections, draws, seed, items, normalise, **more)


def _hill(n=1, height=1000.0):
    x = torch.from_numpy(INSTRUMENT.grid())
    return (height * torch.exp(-((x - 30) ** 2) / 50)).expand(n, -1).clone()


def test_a_perfect_detector_changes_nothing():
    pattern = _hill()
    assert torch.allclose(_measure(pattern, Imperfections()), pattern.float(), rtol=1e-6)
    assert torch.allclose(_measure(pattern, Imperfections(), "max"), (pattern / 1000).float(), rtol=1e-6)


# Background


def test_background_is_a_share_of_the_strongest_point():
    measured = _measure(_hill(), Imperfections(background=0.1, background_variation=0))
    assert float(measured.max()) == pytest.approx(1100, rel=1e-5)
    assert float(measured[0, -1]) == pytest.approx(100, rel=1e-4)


def test_background_is_the_chebyshev_polynomial_that_was_drawn():
    drawn = draw(Imperfections(background=(0.1, 0.5)), 3, [8])
    expected = np.polynomial.chebyshev.chebval(np.linspace(-1, 1, 501), drawn.background[0].numpy())
    assert background(drawn, INSTRUMENT)[0].numpy() == pytest.approx(expected, rel=1e-12)


def test_hump_has_its_height_place_and_width():
    hump = Imperfections(hump=0.2, hump_centre=24, hump_width=8)
    value = background(draw(hump, 0, [0]), INSTRUMENT)[0].numpy()
    assert value[140] == value.max() == pytest.approx(0.2)
    assert value[[100, 180]] == pytest.approx(0.1)


# Detector


def test_ends_are_masked():
    cut = Imperfections(detector_start=20, detector_end=40.05, background=0.1)
    measured, mask = _measure(_hill(), cut), detector_mask(draw(cut, 2, [0]), INSTRUMENT)
    assert np.flatnonzero(mask[0].numpy()).tolist() == list(range(100, 301))
    assert bool(torch.all((measured != 0) == mask))


def test_drawn_ends_are_masked_each_for_itself():
    cut = Imperfections(detector_start=(10, 20), detector_end=(45, 60), background=0.1)
    draws = draw(cut, 2, range(40))
    measured = _measure(_hill(40), cut)
    for i in range(40):
        inside = (INSTRUMENT.grid() >= float(draws.detector_start[i])) & (
            INSTRUMENT.grid() <= float(draws.detector_end[i])
        )
        assert np.array_equal(measured[i].numpy() != 0, inside)


def test_a_coarse_detector_is_interpolated_linearly():
    """Every fourth point is exact, points between lie on straight lines, and nothing is made up behind the last."""
    coarse = Imperfections(detector_step=0.4, detector_start=12, detector_end=50.1)
    pattern = _hill()
    measured = _measure(pattern, coarse)[0].numpy()
    points = np.arange(20, 402, 4)
    expected = np.interp(np.arange(501), points, pattern[0].numpy()[points], left=0, right=0)
    assert measured == pytest.approx(expected, rel=1e-5)
    first, last, stride = detector_points(draw(coarse, 2, [0]), INSTRUMENT)
    assert (int(first), int(last), int(stride)) == (20, 400, 4)


def test_a_finer_detector_than_the_grid_is_the_grid():
    assert torch.equal(_measure(_hill(), Imperfections(detector_step=0.01)), _measure(_hill(), Imperfections()))


def test_noise_is_made_at_the_points_that_are_measured():
    """Between measured points noise is interpolated as the signal is: second differences vanish there."""
    noisy = Imperfections(detector_step=0.5, counts=1000, gaussian_noise=0.01)
    measured = _measure(_hill(), noisy)[0].numpy()
    bend = np.abs(np.diff(measured, 2))
    at_measured = np.arange(1, 500) % 5 == 0
    assert bend[~at_measured].max() < 1e-3 < bend[at_measured].max()


def test_ranges_that_leave_nothing_are_refused():
    with pytest.raises(ValueError, match=r"detector_start goes up to 50° and detector_end down to 40°"):
        check_detector(Imperfections(detector_start=(5, 50), detector_end=(40, 60)), INSTRUMENT)
    with pytest.raises(ValueError, match="range of 10° to 60°"):
        check_detector(Imperfections(detector_start=65), INSTRUMENT)
    check_detector(Imperfections(detector_start=(5, 15), detector_end=(55, 70)), INSTRUMENT)


# Noise


def test_counting_noise_has_the_variance_of_counts():
    """N = 400 at the strongest point: each point is counts / 400, with mean y and variance y / 400."""
    pattern = _hill(400, 1.0) + 0.05
    pattern = pattern / pattern.max()
    measured = _measure(pattern, Imperfections(counts=400)).double()
    counts = measured * 400
    assert torch.allclose(counts, counts.round(), atol=1e-3)
    y = pattern[0]
    # 501 points with 400 draws each: a few of them reach four standard errors
    mean_error = (measured.mean(0) - y) / torch.sqrt(y / 400 / 400)
    assert float(mean_error.abs().max()) < 4.8
    assert float((mean_error**2).mean()) == pytest.approx(1, abs=0.25)
    assert float((measured.var(0) / (y / 400)).mean()) == pytest.approx(1, abs=0.02)
    # neighbours are independent
    residual = (measured - y) / torch.sqrt(y / 400)
    assert abs(float((residual[:, 1:] * residual[:, :-1]).mean())) < 0.01


def test_counts_are_those_of_the_strongest_measured_point():
    """Background counts too, and what lies outside the detector does not."""
    cut = Imperfections(counts=1e4, background=0.5, background_variation=0, detector_start=50)
    measured = _measure(_hill(200), cut).double()
    y = _hill()[0] + 500
    at = 450
    top = float(y[400:].max())
    assert float(measured[:, at].var()) == pytest.approx(float(y[at]) * top / 1e4, rel=0.4)


def test_gaussian_noise_is_a_share_of_the_strongest_point():
    residual = _measure(_hill(400), Imperfections(gaussian_noise=0.02)).double() - _hill()
    assert float(residual.std()) == pytest.approx(20, rel=0.01)
    assert float(residual.mean()) == pytest.approx(0, abs=0.2)
    assert float(residual.min()) < -60


def test_noise_belongs_to_the_item():
    noisy = Imperfections(counts=(100, 1e5), gaussian_noise=(0, 0.02), detector_step=(0.1, 0.5), background=(0, 0.1))
    items = torch.tensor([4, 900, 17, 2**35])
    together = _measure(_hill(4), noisy, items=items)
    assert torch.equal(_measure(_hill(2), noisy, items=items[2:]), together[2:])
    assert torch.equal(_measure(_hill(4), noisy, items=items, memory_budget=1), together)
    assert not torch.equal(_measure(_hill(4), noisy, items=items, seed=3), together)
    assert not torch.equal(together[0], together[1])


def test_maximum_is_one_after_the_noise():
    noisy = Imperfections(counts=50, gaussian_noise=0.05, detector_start=32)
    assert torch.allclose(_measure(_hill(30), noisy, "max").amax(1), torch.ones(30))

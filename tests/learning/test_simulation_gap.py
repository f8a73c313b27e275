"""Features of a pattern are what they are called, and trees find what differs and nothing where nothing does."""

import numpy as np
import pandas as pd
import pytest

from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.learning.simulation_gap import FEATURES, features_of, gap_table, told_apart

GRID = np.arange(5.0, 90.0, 0.04)
RNG = np.random.default_rng(0)


def pattern(centres, fwhm=0.2, noise=0.0, background=0.0):
    lines = sum(2.0 ** (-4 * ((GRID - c) / fwhm) ** 2) for c in centres)
    y = lines + background + noise * RNG.normal(size=len(GRID))
    return y / y.max()


def test_widths_peaks_noise_and_background_of_a_made_pattern():
    shown = np.stack([pattern([20, 40, 60], 0.2), pattern([30, 60], 0.4, 0.005, 0.1)])
    table = features_of(shown, GRID)
    assert list(table) == list(FEATURES)
    assert 10 ** table.width.to_numpy() == pytest.approx([0.2, 0.4], rel=0.08)
    assert table.peaks_30.tolist() == [3, 2] and table.first_peak.tolist() == pytest.approx([20, 30], abs=0.05)
    assert 10 ** table.noise[1] == pytest.approx(0.005 / 1.1, rel=0.25)
    assert table.noise_correlation[1] == pytest.approx(-0.5, abs=0.08), "independent from point to point"
    assert table.background[1] == pytest.approx(0.1 / 1.1, abs=0.01)
    assert table.wide_angles[0] == pytest.approx(1 / 3, abs=0.02)


def test_smoothed_noise_is_told_by_its_correlation():
    smooth = np.convolve(RNG.normal(size=len(GRID)), np.ones(5) / 5, "same")
    table = features_of((pattern([40]) + 0.01 * smooth)[None], GRID)
    assert table.noise_correlation[0] > -0.2


def test_coverage_and_an_empty_pattern():
    part = pattern([40])
    part[GRID < 20] = NOT_MEASURED
    table = features_of(np.stack([part, np.zeros(len(GRID))]), GRID)
    assert table.coverage[0] == pytest.approx((GRID >= 20).mean()) and table.peaks_3[1] == 0
    assert np.isnan(table.width[1])


def test_equal_things_are_not_told_apart_and_different_ones_are():
    one, same, other = (pd.DataFrame(RNG.normal(size=(300, 3)), columns=list("abc")) for _ in range(3))
    other["b"] += 2
    clusters = np.arange(300), np.arange(300)
    assert told_apart(one, same, clusters) == pytest.approx(0.5, abs=0.08)
    table = gap_table(one, other, clusters).set_index("feature")
    assert table.auc["all"] > 0.85 and table.auc["b"] == pytest.approx(0.92, abs=0.03)
    assert table.auc["a"] < 0.6 and table.measured_50["b"] == pytest.approx(2, abs=0.2)


def test_copies_of_a_specimen_do_not_help():
    # what differs between simulated and measured rows is which specimen it is, and nothing else
    specimens = RNG.normal(size=(30, 4))
    rows = pd.DataFrame(np.repeat(specimens, 10, axis=0) + 0.01 * RNG.normal(size=(300, 4)))
    names = np.repeat(np.arange(30), 10)
    one, other = names < 15, names >= 15
    apart = told_apart(rows[one], rows[other], (names[one], names[other]))
    alone = told_apart(rows[one], rows[other], (np.arange(150), np.arange(150)))
    assert alone > 0.99 and apart < 0.8

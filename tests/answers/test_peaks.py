"""Maxima, prominences and widths are those of scipy."""

import numpy as np
import pytest
from scipy import signal

from paperlib.answers.peaks import find_peaks


@pytest.mark.parametrize("least", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("kind", ["noise", "smooth", "steps", "pattern"])
def test_peaks_are_those_of_scipy(kind, least, simulated):
    rng = np.random.default_rng(4)
    values = {
        "noise": rng.normal(size=700),
        "smooth": np.convolve(rng.normal(size=900), np.hanning(15), "valid"),
        "steps": rng.integers(0, 4, 600).astype(float),
        "pattern": simulated[1][3].astype(float),
    }[kind]
    expected, found = signal.find_peaks(values, prominence=max(least, 1e-9))[0], find_peaks(values, max(least, 1e-9))
    np.testing.assert_array_equal(found.point, expected)
    np.testing.assert_allclose(found.prominence, signal.peak_prominences(values, expected)[0])
    if kind != "steps":
        np.testing.assert_allclose(found.width, signal.peak_widths(values, expected, rel_height=0.5)[0], rtol=1e-9)


def test_rows_without_a_maximum():
    for values in (np.zeros(5), np.arange(5.0), np.array([3.0, 1.0, 3.0]), np.zeros(1)):
        assert find_peaks(values, 0.0).point.size == 0

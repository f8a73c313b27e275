"""A temperature mends what was spoilt by one; refusing the unsure leaves the sure."""

import numpy as np
import pytest

from paperlib.learning.calibration import (
    calibration_error,
    coverage_table,
    fit_temperature,
    reliability_table,
    tempered,
)

RNG = np.random.default_rng(0)


def calibrated(n=20000, classes=8):
    """Log-probabilities and targets drawn from them."""
    logits = 2 * RNG.normal(size=(n, classes))
    log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    target = (RNG.random((n, 1)) < np.exp(log_p).cumsum(1)).argmax(1)
    return log_p, target


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_spoilt_is_found(temperature):
    log_p, target = calibrated()
    spoilt = tempered(log_p, 1 / temperature)
    found = fit_temperature(spoilt, target)
    assert found == pytest.approx(temperature, rel=0.05)
    assert calibration_error(tempered(spoilt, found), target) < 0.015
    assert np.allclose(np.logaddexp.reduce(tempered(spoilt, found), axis=1), 0)


def test_the_answer_does_not_change_with_the_temperature():
    log_p, _ = calibrated(100)
    assert np.array_equal(tempered(log_p, 3.0).argmax(1), log_p.argmax(1))


def test_one_item_fits_no_temperature():
    with pytest.raises(ValueError, match="1 items"):
        fit_temperature(np.log([[0.5, 0.5]]), np.array([0]))


def test_reliability_of_hand_made_answers():
    table = reliability_table(np.array([0.05, 0.95, 0.97, 1.0]), np.array([False, True, True, False]))
    assert table.n.tolist() == [1, 3] and table.low.tolist() == [0.0, 0.9]
    assert table.right.tolist() == pytest.approx([0.0, 2 / 3]) and table.confidence[1] == pytest.approx(
        0.97333, abs=1e-4
    )


def test_who_refuses_the_unsure_is_right_more_often():
    log_p, target = calibrated()
    sure, right = np.exp(log_p.max(1)), log_p.argmax(1) == target
    table = coverage_table(sure, right)
    assert table.right.is_monotonic_increasing and table.n.iloc[0] == len(target)
    assert table.right.iloc[0] == pytest.approx(right.mean())
    chosen = sure >= table.threshold.iloc[5]
    assert right[chosen].mean() == pytest.approx(table.right.iloc[5], abs=1e-3)

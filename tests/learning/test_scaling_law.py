"""A law is found again in errors that follow it, and is as sure as its trainings and test items are."""

import numpy as np
import pytest

from paperlib.learning.scaling_law import ScalingLaw, drawn_laws, fit_law, training_spread

ITEMS = [99_000, 297_000, 990_000, 2_170_000, 5_140_000]
CHANCE, LEAST = 1 - 1 / 99, 0.022
TRUE = ScalingLaw(CHANCE, 0.05, 2e5, 1.1)


def test_it_begins_at_chance_and_ends_at_its_floor_as_a_power_of_the_number_of_patterns():
    assert TRUE(np.array([0.0, 1e15])) == pytest.approx([CHANCE, 0.05])
    assert TRUE(np.array([2e5])) == pytest.approx([(CHANCE + 0.05) / 2])
    far = np.array([1e9, 1e10])
    power = (CHANCE - 0.05) * (2e5 / far) ** 1.1
    assert TRUE(far) - 0.05 == pytest.approx(power, rel=1e-3)


def test_a_law_is_found_again():
    found = fit_law(ITEMS, TRUE(ITEMS), CHANCE, LEAST)
    assert (found.floor, found.exponent) == pytest.approx((0.05, 1.1), rel=1e-3)
    assert found.half == pytest.approx(2e5, rel=1e-3)


def test_no_floor_lies_below_the_ceiling_or_above_what_was_reached():
    found = fit_law(ITEMS, ScalingLaw(CHANCE, 0.001, 2e5, 1.1)(ITEMS), CHANCE, LEAST)
    assert found.floor == pytest.approx(LEAST, rel=1e-3)
    flat = np.array([0.5, 0.2, 0.2, 0.2, 0.2])
    assert fit_law(ITEMS, flat, CHANCE, LEAST).floor <= 0.2
    # test items may be kinder than the ceiling
    assert fit_law(ITEMS, [0.3, 0.1, 0.05, 0.025, 0.0215], CHANCE, LEAST).floor == pytest.approx(LEAST, rel=1e-3)


def test_what_makes_no_law_is_refused():
    with pytest.raises(ValueError, match="three numbers of patterns"):
        fit_law([99_000, 297_000, 99_000], [0.5, 0.4, 0.5], CHANCE, LEAST)
    with pytest.raises(ValueError, match="shares above 0"):
        fit_law(ITEMS[:3], [0.5, 0.4, 0.0], CHANCE, LEAST)


def test_the_uncertainty_holds_test_items_and_trainings():
    generator = np.random.default_rng(3)
    wrong = (generator.random((5, 2000)) < TRUE(ITEMS)[:, None]).astype(float)
    exponents = {
        spread: np.array([law.exponent for law in drawn_laws(ITEMS, wrong, CHANCE, LEAST, spread, 2, draws=30)])
        for spread in (0.0, 0.1)
    }
    assert exponents[0.0].min() < 1.1 < exponents[0.0].max()
    assert 0 < exponents[0.0].std() < 0.5 * exponents[0.1].std()
    again = drawn_laws(ITEMS, wrong, CHANCE, LEAST, 0.1, 2, draws=30)
    assert [law.exponent for law in again] == exponents[0.1].tolist()


def test_the_spread_between_seeds_is_that_of_the_logarithm():
    assert training_spread([[0.2, 0.2 * np.e], [0.5]]) == (pytest.approx(np.sqrt(0.5)), 1)
    assert training_spread([[0.2, 0.2 * np.e], [0.3, 0.3, 0.3]]) == (pytest.approx(np.sqrt(0.5 / 3)), 3)
    assert training_spread([[0.2], [0.3]]) == (0.0, 1)

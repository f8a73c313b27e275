import numpy as np
import pandas as pd

from paperlib.reporting import marks, style


def test_labels_go_to_the_strongest_lines_that_are_far_enough_apart():
    lines = pd.DataFrame({"two_theta": [10, 10.5, 20, 30, 40], "intensity": [50, 100, 5, 20, 60]})
    assert list(marks.chosen_lines(lines, 3, 1.0)["two_theta"]) == [10.5, 30, 40]
    assert list(marks.chosen_lines(lines, 9, 0.1)["two_theta"]) == [10, 10.5, 20, 30, 40]


def test_height_is_that_of_the_peak_near_a_line():
    two_theta = np.linspace(0, 10, 1001)
    pattern = np.exp(-0.5 * ((two_theta - 5.1) / 0.05) ** 2)
    heights = marks.height_at(two_theta, pattern, np.array([5.0, 8.0]))
    assert np.allclose(heights, [1, 0], atol=1e-6)


def test_positive_attribution_is_filled_above_and_negative_below():
    ax = style.figure().subplots()
    x = np.linspace(0, 1, 101)
    marks.signed_fill(ax, x, np.sin(2 * np.pi * x) * 7, base=2.0, scale=0.5)
    above, below = (np.concatenate([p.vertices for p in c.get_paths()])[:, 1] for c in ax.collections)
    assert np.isclose(above.max(), 2.5) and np.isclose(above.min(), 2.0)
    assert np.isclose(below.min(), 1.5) and np.isclose(below.max(), 2.0)


def test_an_attribution_that_is_zero_everywhere_draws_nothing():
    ax = style.figure().subplots()
    marks.signed_fill(ax, np.arange(5.0), np.zeros(5), 0.0, 1.0)
    assert all(not collection.get_paths() for collection in ax.collections)

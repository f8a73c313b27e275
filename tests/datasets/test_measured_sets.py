"""Sets of measured patterns: what goes in comes out, and no file is believed."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from paperlib.datasets.measured_sets import LabelledPattern, collect, columns, load_measured

ONE = LabelledPattern(np.linspace(10, 20, 11), np.arange(11.0), 1.5406, "Salz, grün", "R1-1", 225)
TWO = LabelledPattern(np.linspace(5, 90, 30), np.arange(30.0)[::-1], np.nan, "", "R2", 0)


def test_a_set_comes_back_as_it_was_written(tmp_path):
    collect(iter([ONE, TWO])).save(tmp_path / "set.npz")
    found = load_measured(tmp_path / "set.npz")
    assert len(found) == 2 and found.start.tolist() == [0, 11, 41] and found.space_group.tolist() == [225, 0]
    for given, one in zip((ONE, TWO, TWO), (found.pattern(0), found.pattern(1), found.pattern(-1)), strict=True):
        assert np.allclose(one.two_theta, given.two_theta, atol=1e-5) and np.array_equal(one.intensity, given.intensity)
        assert (one.name, one.source_id, one.space_group) == (given.name, given.source_id, given.space_group)
        assert one.wavelength == given.wavelength or np.isnan(given.wavelength)
    with pytest.raises(IndexError, match="pattern 2 of 2"):
        found.pattern(2)
    with np.load(tmp_path / "set.npz", allow_pickle=False) as stored:
        assert {stored[name].dtype.kind for name in stored.files} == {"f", "i", "U"}


def test_on_common_angles_nothing_is_made_up_beyond_the_measured_range():
    grid = np.array([9.9, 10, 10.5, 20, 20.1, 91])
    found = collect([ONE, TWO]).on_grid(grid)
    assert found.dtype == np.float32 and found.shape == (2, 6)
    assert np.array_equal(found[0], [np.nan, 0, 0.5, 10, np.nan, np.nan], equal_nan=True)
    assert np.isnan(found[1]).tolist() == [False] * 5 + [True]


def test_an_empty_set_is_a_set(tmp_path):
    collect([]).save(tmp_path / "set.npz")
    found = load_measured(tmp_path / "set.npz")
    assert len(found) == 0 and found.on_grid(np.arange(3)).shape == (0, 3)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("fault", ["pickle", "objects", "short", "lengths", "start", "another"])
def test_another_file_is_refused_and_nothing_in_it_is_run(tmp_path, fault):
    path, trap = tmp_path / "set.npz", tmp_path / "trap"
    arrays = vars(collect([ONE, TWO])) | {
        "objects": {"name": np.array([Trap(trap), Trap(trap)], object)},
        "lengths": {"wavelength": np.ones(3)},
        "start": {"start": np.array([0, 50, 41])},
    }.get(fault, {})
    np.savez(path, **(arrays if fault != "another" else {"x": np.ones(3)}))
    if fault == "pickle":
        path.write_bytes(pickle.dumps(Trap(trap)))
    if fault == "short":
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"set\.npz is (no set|damaged)"):
        load_measured(path)
    assert not trap.exists()
    with pytest.raises(FileNotFoundError):
        load_measured(tmp_path / "nothing.npz")


def test_two_columns_become_a_pattern():
    angles = [12, 11, 10, 13, 13, np.nan, 14, *range(15, 22)]
    two_theta, intensity = columns(angles, range(len(angles)))
    assert two_theta.tolist() == [10, 11, 12, 13, *range(14, 22)]
    assert intensity.tolist() == [2, 1, 0, 3, 6, *range(7, 14)]


@pytest.mark.parametrize(
    "angles, counts, says",
    [
        (range(20), range(19), "unequal length"),
        (range(9), range(9), "fewer than 10"),
        (np.arange(20) * 10, range(20), "no 2θ"),
        (["a"] * 20, range(20), "no numbers"),
        ([10**400] * 20, range(20), "no numbers"),
        (None, None, "unequal length"),
        ([[1] * 20], [[1] * 20], "unequal length"),
    ],
)
def test_what_is_no_pattern_is_said_to_be_none(angles, counts, says):
    with pytest.raises(ValueError, match=says):
        columns(angles, counts)

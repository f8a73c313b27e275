"""Measured patterns out of files that nobody should unpickle, and out of two columns."""

import os
import pickle
import struct

import numpy as np
import pytest

from paperlib.datasets.homes import patterns


class Trap:
    """Leaves a folder behind when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def npy(folder, counts, label):
    """A file of the layout of the public repository, whose header runs code when it is loaded."""
    header = b"\x93NUMPY\x01\x00" + pickle.dumps(Trap(folder))
    content = header.ljust(373, b"\0") + np.asarray(counts, "<f4").tobytes()
    return (content.ljust(34508, b"\0") + struct.pack("<q", label)).ljust(34531, b"\0")


@pytest.fixture
def counts():
    return np.arange(8500) % 1001


def test_numbers_are_read_at_their_places_and_nothing_is_run(tmp_path, counts):
    path, trap = tmp_path / "7.npy", tmp_path / "trap"
    path.write_bytes(npy(trap, counts, 224))
    read = patterns.unnamed([path], [7])
    assert not trap.exists()
    assert np.array_equal(read["intensity"], [counts]) and read["intensity"].dtype == np.uint16
    assert read["space_group"].tolist() == [225] and read["index"].tolist() == [7]
    assert read["two_theta"][[0, 1, -1]] == pytest.approx([5, 5.01, 89.99], abs=1e-5)
    pickle.loads(path.read_bytes()[8:])
    assert trap.exists(), "the trap works where somebody unpickles"


@pytest.mark.parametrize("fault", ["longer", "label", "fraction", "too much"])
def test_a_file_of_another_layout_is_refused(tmp_path, counts, fault):
    values = counts + {"fraction": 0.5, "too much": 1000}.get(fault, 0)
    content = npy(tmp_path / "trap", values, 230 if fault == "label" else 0)
    path = tmp_path / "7.npy"
    path.write_bytes(content + b"\0" * (fault == "longer"))
    with pytest.raises(ValueError, match=r"7\.npy"):
        patterns.unnamed([path], [7])


def test_two_columns_are_interpolated_and_unknown_beyond_the_measured_range(tmp_path):
    path = tmp_path / "a.xy"
    path.write_text("10.000 100\n10.020 300\n10.040 0\n")
    read = patterns.named([path])
    found, two_theta = read["intensity"][0], read["two_theta"]
    assert found.dtype == np.float32 and found.shape == two_theta.shape == (8501,)
    assert found[500:505] == pytest.approx([100, 200, 300, 150, 0], abs=1e-3)
    assert np.isnan(found[:500]).all() and np.isnan(found[505:]).all()
    path.write_text("not numbers\n")
    with pytest.raises(ValueError, match=r"a\.xy has no two columns"):
        patterns.named([path])


def test_the_patterns_at_hand_come_out_of_their_own_columns_bit_for_bit(tmp_path, data_folder):
    with np.load(data_folder / "patterns/rruff_named_open.npz") as stored:
        known, names = stored["intensity"], stored["name"].tolist()
    paths, rows = [], [names.index("Ag3Sb_25"), names.index("BaSO4_62")]
    for row in rows:
        # the counts are whole numbers; what is left of them in the set is the arithmetic of interpolation
        there = ~np.isnan(known[row])
        lines = [f"{5 + 0.01 * k:.2f}, {known[row, k]:.0f}".replace(",", "") for k in np.flatnonzero(there)]
        paths.append(tmp_path / f"{row}.xy")
        paths[-1].write_text("\n".join(lines) + "\n")
    assert np.array_equal(patterns.named(paths)["intensity"], known[rows], equal_nan=True)

"""Files whole or absent: exceptions, file-size limits and damage never leave half a file behind."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from paperlib.lab import store

WRITERS = {
    "text.txt": lambda path, n: store.write_text(path, "x" * 8 * n),
    "list.json": lambda path, n: store.write_json(path, list(range(n))),
    "table.csv": lambda path, n: store.write_table(path, pd.DataFrame({"x": np.random.default_rng(n).random(n)})),
    "arrays.npz": lambda path, n: store.write_arrays(path, {"x": np.random.default_rng(n).random(n)}),
}

ON_A_SMALL_DISK = """
import resource, sys
from pathlib import Path
from tests.lab.test_store import WRITERS
name, path = sys.argv[1], Path(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    WRITERS[name](path, 20_000)
except OSError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_in_a_new_folder_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path, name):
    path = tmp_path / "new" / "folder" / name
    WRITERS[name](path, 5)
    small = path.read_bytes()
    WRITERS[name](path, 50)
    assert path.read_bytes() != small
    assert [entry.name for entry in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_exception_in_the_middle_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "numbers.txt"
    store.write_text(path, "the old numbers")
    with pytest.raises(error), store.atomic_path(path) as partial:
        partial.write_text("half of the new")
        assert partial.suffix == ".txt" and path.read_text() == "the old numbers"
        raise error("in the middle")
    assert path.read_text() == "the old numbers"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", WRITERS)
def test_at_the_file_size_limit_the_error_says_what_to_do(tmp_path, root, name):
    path = tmp_path / name
    WRITERS[name](path, 5)
    old = path.read_bytes()
    line = [sys.executable, "-c", ON_A_SMALL_DISK, name, str(path)]
    done = subprocess.run(line, cwd=root, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("DiskFullError"), done.stdout + done.stderr
    assert str(path) in done.stdout and "free some space" in done.stdout and "untouched" in done.stdout
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_read_back_to_the_last_digit(tmp_path):
    content = {"b": [1, 2.5, None, True], "a": "Å and ⟨hkl⟩", "c": 0.1 + 0.2}
    store.write_json(tmp_path / "a.json", content)
    assert store.read_json(tmp_path / "a.json") == content
    assert list(json.loads((tmp_path / "a.json").read_text())) == ["a", "b", "c"], "keys are sorted"
    x = np.random.default_rng(0).random(200) * 10.0 ** np.arange(-100, 100)
    store.write_table(tmp_path / "a.csv", pd.DataFrame({"x": x}))
    assert np.array_equal([float(line) for line in (tmp_path / "a.csv").read_text().split()[1:]], x)
    arrays = {"x": x, "hkl": np.arange(6, dtype=np.int16).reshape(2, 3), "name": np.array(["α-quartz", "Si"])}
    store.write_arrays(tmp_path / "a.npz", arrays)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        for name, array in arrays.items():
            assert archive[name].dtype == array.dtype and np.array_equal(archive[name], array)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_json_refuses_what_is_no_number(tmp_path, bad):
    path = tmp_path / "values.json"
    store.write_json(path, {"score": 0.5})
    with pytest.raises(ValueError):
        store.write_json(path, {"score": [bad]})
    assert store.read_json(path) == {"score": 0.5}


@pytest.mark.parametrize("text", ["", '{"score": 0.', "score: 0.5"])
def test_damaged_json_is_named_with_the_remedy(tmp_path, text):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="delete it and run again") as error:
        store.read_json(path)
    assert str(path) in str(error.value)


def test_the_same_arrays_give_the_same_bytes_at_any_time(tmp_path, monkeypatch):
    arrays = {"patterns": np.random.default_rng(0).random((20, 30)), "labels": np.arange(20)}
    store.write_arrays(tmp_path / "now.npz", arrays)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    store.write_arrays(tmp_path / "later.npz", arrays)
    assert store.sha256_of(tmp_path / "now.npz") == store.sha256_of(tmp_path / "later.npz")
    store.write_arrays(tmp_path / "other.npz", arrays | {"labels": np.arange(20) + 1})
    assert store.sha256_of(tmp_path / "now.npz") != store.sha256_of(tmp_path / "other.npz")


def test_checksums_are_those_of_the_standard(tmp_path):
    # FIPS 180-2, appendix B.1
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.sha256_of(tmp_path / "abc") == expected


def test_texts_do_not_run_into_each_other():
    sums = {store.sha256_of_text(*parts) for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ()]}
    assert len(sums) == 5


def test_a_partial_file_of_another_process_is_not_touched(tmp_path):
    other = tmp_path / f".numbers.{os.getpid() + 1}.part.txt"
    other.write_text("half of what another run writes")
    store.write_text(tmp_path / "numbers.txt", "whole")
    assert other.read_text() == "half of what another run writes"

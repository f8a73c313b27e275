"""Numbers that others rely on do not move unnoticed: each stage makes its golden sample again."""

import numpy as np
import pytest

from .compare import FOLDER, check, moved
from .samples import SAMPLES, version_of
from .write import main, write


@pytest.mark.parametrize("name", SAMPLES)
def test_the_numbers_of_a_stage_are_those_of_its_version(name):
    check(name, version_of(name), SAMPLES[name].make(), SAMPLES[name].tolerance)


def test_every_file_is_the_sample_of_a_stage():
    assert {path.stem for path in FOLDER.glob("*.npz")} == {*SAMPLES, "inputs"}


@pytest.fixture
def folder(tmp_path):
    """A folder with a sample of version 3."""
    write("stage", 3, sample(), folder=tmp_path)
    return tmp_path


def sample(**changes):
    made = {"numbers": np.array([1.0, -20.0, 3.0]), "whole": np.arange(4), "texts": np.array(["a", "b"])}
    return made | changes


def test_the_same_numbers_pass(folder):
    check("stage", 3, sample(), folder=folder)
    close = sample(numbers=np.array([1.0, -20.0, 3.0 + 1e-5]))
    check("stage", 3, close, tolerance=1e-6, folder=folder)
    with pytest.raises(
        AssertionError, match=r"numbers: 1 of 3 differ, by up to 1e-05, allowed 2e-06, the first at \[2]"
    ):
        check("stage", 3, close, tolerance=1e-7, folder=folder)


@pytest.mark.parametrize(
    "changes, what",
    [
        ({"numbers": np.array([1.0, -20.0, np.nan])}, "numbers: 1 of 3 differ"),
        ({"numbers": np.array([1.0, -20.0])}, r"numbers was float64 \(3,\), is float64 \(2,\)"),
        ({"numbers": np.array([1, -20, 3])}, r"numbers was float64 \(3,\), is int64 \(3,\)"),
        ({"whole": np.array([0, 1, 3, 2])}, "whole: 2 of 4 differ"),
        ({"texts": np.array(["a", "c"])}, "texts: 1 of 2 differ"),
        ({"more": np.zeros(2)}, "more is new"),
    ],
)
def test_numbers_that_moved_under_the_same_version_fail_with_the_remedy(folder, changes, what):
    remedy = "numbers moved; raise VERSION of stage stage and write the golden sample anew with "
    with pytest.raises(AssertionError, match=remedy + f"`python -m tests.golden.write stage`.*{what}"):
        check("stage", 3, sample(**changes), tolerance=1e-3, folder=folder)
    with pytest.raises(ValueError, match="first raise the version"):
        write("stage", 3, sample(**changes), tolerance=1e-3, folder=folder)


def test_an_array_that_is_gone_is_missed():
    assert moved(sample(), {"numbers": sample()["numbers"], "whole": np.arange(4)}) == ["texts is not made any more"]


def test_a_version_that_was_raised_asks_for_a_new_sample_and_gets_it(folder):
    changed = sample(whole=np.arange(1, 5))
    for arrays in (sample(), changed):
        with pytest.raises(AssertionError, match=r"has version 4, its golden sample version 3; write .* anew"):
            check("stage", 4, arrays, folder=folder)
    assert write("stage", 4, changed, folder=folder) == "stage: written for version 4"
    check("stage", 4, changed, folder=folder)
    assert write("stage", 4, changed, folder=folder) == "stage: version 4, nothing to write"


def test_a_stage_without_a_sample_asks_for_one(tmp_path):
    with pytest.raises(AssertionError, match="no golden sample; write"):
        check("stage", 1, sample(), folder=tmp_path)


def test_samples_go_by_name(capsys):
    assert main([]) == main(["nothing"]) == 2
    assert "draws, crystals, random_crystals, patterns, streams" in capsys.readouterr().err

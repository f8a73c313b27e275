"""Parameters: what papermill would let pass in silence is refused before anything runs."""

import pytest

from paperlib.lab import parameters
from paperlib.lab.parameters import ParameterError
from tests.conftest import write_notebook


def test_defaults_are_overlaid_by_the_profile(clone):
    folder = clone / "notebooks" / "params" / "laptop"
    folder.mkdir(parents=True)
    (folder / "03_sum.yml").write_text("factor: 2\n")
    assert parameters.profile_parameters("03_sum", "smoke") == {"profile": "smoke", "factor": 1.0}
    laptop = parameters.profile_parameters("03_sum", "laptop")
    assert laptop == {"profile": "laptop", "factor": 2.0} and isinstance(laptop["factor"], float)


@pytest.mark.parametrize(
    "content, message",
    [("fcator: 2", "unknown parameter 'fcator'"), ("factor: two", "factor='two' is str"), ("- 1", "must hold")],
)
def test_a_bad_profile_file_is_named(clone, content, message):
    folder = clone / "notebooks" / "params" / "laptop"
    folder.mkdir(parents=True)
    (folder / "03_sum.yml").write_text(content)
    with pytest.raises(ParameterError, match=message) as error:
        parameters.profile_parameters("03_sum", "laptop")
    assert "03_sum.yml" in str(error.value)


@pytest.mark.parametrize(
    "cell, message",
    [
        ("n: int = 3", "papermill cannot read"),
        ("n = 3  # so that m=2", "two '='"),
        ("n = range(3)", "must be a number"),
        ("n = (1, 2)", "must be a number"),
        ("n = {'a': 1}", "must be a number"),
        ("n = 3\nunused = 1", "no cell reads the parameter 'unused'"),
        ("n = 3\nm = 1", "a cell gives the parameter 'm' another value"),
    ],
)
def test_a_declaration_that_papermill_would_miss_is_refused(clone, cell, message):
    write_notebook(
        clone / "notebooks" / "04_bad.ipynb", f'profile = "smoke"\n{cell}', "print(n)", "for m in [n]:\n    print(m)"
    )
    with pytest.raises(ParameterError, match=message):
        parameters.read_notebook("04_bad")


def test_what_a_notebook_reads_is_seen_in_its_code(clone):
    assert parameters.read_notebook("03_sum").upstream == {"01_count"}
    assert parameters.read_notebook("01_count").upstream == set()


def test_an_unknown_notebook_or_profile_is_named(clone):
    with pytest.raises(ParameterError, match="04_none"):
        parameters.read_notebook("04_none")
    with pytest.raises(ParameterError, match="desktop"):
        parameters.profile_parameters("01_count", "desktop")


def test_a_profile_file_names_its_own_profile(clone):
    folder = clone / "notebooks" / "params" / "laptop"
    folder.mkdir(parents=True)
    (folder / "03_sum.yml").write_text("profile: paper\n")
    with pytest.raises(ParameterError, match="profile: paper; it must say laptop"):
        parameters.profile_parameters("03_sum", "laptop")


def test_names_of_loops_within_brackets_are_their_own(clone):
    path = clone / "notebooks" / "04_good.ipynb"
    write_notebook(path, 'profile = "smoke"\nn = 3', "print([n for n in range(n)])")
    assert parameters.read_notebook("04_good").declared["n"] == 3

"""What makes a result changed, stale or missing, and what leaves it fresh; on a miniature paper without kernels."""

import json
import time

import pytest

from paperlib.lab import freshness, paths
from paperlib.lab.results import Results
from tests.conftest import write_notebook
from tests.lab.conftest import COUNT, COUNT_PARAMETERS, edit, run_all_here, run_here

FRESH = {"01_count": "fresh", "02_slow": "fresh", "03_sum": "fresh"}


def states():
    return {stem: state.state for stem, state in freshness.survey("smoke").items()}


def reason(stem):
    return freshness.survey("smoke")[stem].reason


@pytest.fixture
def paper(clone):
    """The miniature clone after a run. Its first notebook also imports from the lab and from symmetry, in a function
    that nobody calls."""
    imports = "def never():\n    from paperlib.lab import rng\n    from paperlib.symmetry import extinction"
    write_notebook(clone / "notebooks" / "01_count.ipynb", COUNT_PARAMETERS, COUNT, imports, "run.finish()")
    run_all_here()
    assert states() == FRESH
    return clone


def library(paper, name):
    return paper / "src" / "paperlib" / f"{name}.py"


def book(paper, stem):
    return paper / "notebooks" / f"{stem}.ipynb"


PROSE = [
    ("learning/toy_analysis", '"""From squares to a table."""', '"""Squares, tabulated."""'),
    ("learning/toy_analysis", "nothing to tabulate", "give at least one number"),
    ("learning/toy_analysis", "FACTOR = 1", "FACTOR = 1  # plain"),
    ("lab/rng", '"""', '"""In other words. '),
    ("symmetry/extinction", '"""', '"""In other words. '),
    ("datasets/toy_rule", "squares of whole numbers only", "no negative numbers"),
    ("datasets/toy_rule", "the area", "an area"),
]


def test_prose_leaves_all_fresh(paper):
    for name, old, new in PROSE:
        edit(library(paper, name), old, new)
        assert states() == FRESH, name


def test_any_change_of_looks_and_machinery_leaves_all_fresh(paper):
    for name in ("reporting/style", "lab/runner", "lab/publish", "lab/fetch", "lab/stages", "lab/paths", "cli"):
        library(paper, name).write_text(library(paper, name).read_text() + "\nCHANGED = 7\n")
        assert states() == FRESH, name


def test_code_that_no_notebook_reaches_leaves_all_fresh(paper):
    library(paper, "learning/toy_other").write_text("x = 1\n")
    library(paper, "symmetry/wyckoff_tables").write_text("x = 1\n")
    assert states() == FRESH


@pytest.mark.parametrize("name", ["lab/rng", "symmetry/extinction"])
def test_a_module_reached_by_an_import_within_a_function_counts(paper, name):
    library(paper, name).write_text(library(paper, name).read_text() + "\nCHANGED = 7\n")
    assert states() == {"01_count": "changed", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("01_count") == f"module paperlib.{name.replace('/', '.')} changed"


def test_a_number_in_an_analysis_module_makes_changed_and_what_follows_after_the_new_result(paper):
    edit(library(paper, "learning/toy_analysis"), "FACTOR = 1", "FACTOR = 10")
    assert states() == {"01_count": "changed", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("01_count") == "module paperlib.learning.toy_analysis changed"
    assert reason("03_sum") == "01_count is changed"
    run_here("01_count")
    assert states() == {"01_count": "fresh", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("03_sum") == "numbers.csv of 01_count changed"
    assert run_here("03_sum")["values"]["sum"]["value"] == 50.0
    assert states() == FRESH


def test_a_change_of_analysis_that_gives_the_same_files_leaves_what_follows_fresh(paper):
    edit(library(paper, "learning/toy_analysis"), "FACTOR * values", "values * FACTOR")
    run_here("01_count")
    assert states() == FRESH


def test_a_changed_cell_makes_changed_and_a_comment_in_it_does_not(paper):
    edit(book(paper, "03_sum"), "numbers = run.results", '# all of them\\n",\n    "numbers = run.results')
    assert states() == FRESH
    edit(book(paper, "03_sum"), "numbers.square.sum()", "numbers.square.max()")
    assert (states()["03_sum"], reason("03_sum")) == ("changed", "the notebook changed")


def test_a_changed_parameter_makes_stale(paper):
    folder = paper / "notebooks" / "params" / "smoke"
    folder.mkdir(parents=True)
    (folder / "01_count.yml").write_text("n: 5\n")
    assert states() == {"01_count": "stale", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("01_count") == "parameter n changed"


def test_a_raised_version_of_a_stage_makes_stale(paper):
    module = library(paper, "datasets/toy_stages")
    edit(module, 'Stage("squares", 1', 'Stage("squares", 2')
    assert states() == {"01_count": "stale", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("01_count") == "the stage squares has another version"
    run_here("01_count")
    assert states() == FRESH, "the same numbers under the new version"
    edit(module, 'Stage("step", 1', 'Stage("step", 2')
    assert states()["02_slow"] == "stale", "of an expensive stage too"
    edit(module, 'STEP = Stage("step", 2', 'STEP = Stage("stride", 2')
    assert (states()["02_slow"], reason("02_slow")) == ("stale", "the stage step has another version")


def test_a_change_in_the_code_of_a_cheap_stage_is_made_again_and_equal_items_leave_all_fresh(paper, capsys):
    edit(library(paper, "datasets/toy_rule"), "return i * i", "return i**2")
    assert states() == {"01_count": "changed", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("01_count") == "the code of the stage squares changed: it will be made again and compared"
    capsys.readouterr()
    run_here("01_count")
    assert "squares: all 3 items are as before" in capsys.readouterr().out
    assert states() == FRESH


def test_where_items_of_a_stage_differ_they_are_named_and_what_follows_goes_on_with_the_new_ones(paper, capsys):
    edit(library(paper, "datasets/toy_rule"), "return i * i", "return i * i * i + (i == 1)")
    run_here("01_count")
    assert "squares: 2 of 3 items differ from before: number-1, number-2" in capsys.readouterr().out
    assert states() == {"01_count": "fresh", "02_slow": "fresh", "03_sum": "stale"}
    assert run_here("03_sum")["values"]["sum"]["value"] == 10.0
    assert states() == FRESH, "the expensive stage, which has the same code, is not asked"


def test_the_text_of_a_module_that_offers_a_stage_is_no_identity(paper):
    # what it does is keyed by content; its version is raised where its numbers change
    edit(library(paper, "datasets/toy_stages"), "time.sleep(seconds)", "time.sleep(seconds + 0)")
    assert states() == FRESH


def test_times_belong_to_the_record_and_a_rerun_that_only_takes_longer_leaves_what_reads_them_fresh(paper):
    before = json.loads((paths.work_results("smoke") / "01_count" / "manifest.json").read_text())
    time.sleep(0.01)
    after = run_here("01_count")
    assert after["record"]["timings"]["seconds"]["value"] != before["record"]["timings"]["seconds"]["value"]
    assert after["outputs"]["speed.csv"]["sha256"] != before["outputs"]["speed.csv"]["sha256"]
    assert after["values"] == before["values"] and "seconds" not in after["values"]
    inputs = json.loads((paths.work_results("smoke") / "03_sum" / "manifest.json").read_text())["identity"]["inputs"]
    assert list(inputs) == ["file:01_count/numbers.csv"], "it has read a timing and a table of times too"
    assert states() == FRESH


def test_a_notebook_that_reads_one_file_or_value_stays_fresh_when_another_changes(paper):
    folder = paper / "notebooks" / "params" / "smoke"
    folder.mkdir(parents=True)
    opening = 'from paperlib.lab.run import Run\nrun = Run("04_value", globals())\n'
    one = opening + 'run.value("n", run.results.value("01_count/n").value)'
    every = opening.replace("04_value", "05_values") + 'run.value("n", len(run.results.values("01_count")))'
    write_notebook(book(paper, "04_value"), 'profile = "smoke"', one, "run.finish()")
    write_notebook(book(paper, "05_values"), 'profile = "smoke"', every, "run.finish()")
    assert list(run_here("04_value")["identity"]["inputs"]) == ["value:01_count/n"]
    assert list(run_here("05_values")["identity"]["inputs"]) == ["values:01_count"]
    (folder / "01_count.yml").write_text("other: 5\n")
    assert states()["03_sum"] == "stale", "nobody knows yet"
    run_here("01_count")
    assert states() == FRESH | {"04_value": "fresh", "05_values": "stale"}
    assert reason("05_values") == "a value of 01_count changed"
    (folder / "01_count.yml").write_text("n: 4\n")
    run_here("01_count")
    assert (reason("03_sum"), reason("04_value")) == ("numbers.csv of 01_count changed", "n of 01_count changed")


def test_a_damaged_output_is_changed_and_what_reads_it_waits(paper):
    output = paths.work_results("smoke") / "01_count" / "numbers.csv"
    output.write_text(output.read_text() + "9,9\n")
    assert states() == {"01_count": "changed", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("01_count") == "output numbers.csv is missing or changed"


def test_a_result_that_is_gone_is_missing(paper):
    (paths.work_results("smoke") / "01_count" / "manifest.json").unlink()
    assert states() == {"01_count": "missing", "02_slow": "fresh", "03_sum": "stale"}
    assert reason("03_sum") == "01_count is missing"


def test_a_run_that_asked_for_results_in_vain_is_stale_once_they_are_there(paper):
    cell = 'from paperlib.lab.run import Run\nrun = Run("04_asks", globals())\nrun.value("has", int(run.results.has('
    write_notebook(book(paper, "04_asks"), 'profile = "smoke"', cell + '"02_slow")))', "run.finish()")
    (paths.work_results("smoke") / "02_slow").rename(paper / "kept")
    assert run_here("04_asks")["values"]["has"]["value"] == 0
    assert states()["04_asks"] == "fresh"
    run_here("02_slow")
    assert (states()["04_asks"], reason("04_asks")) == ("stale", "02_slow has results now")


def test_data_are_inputs_by_content(paper):
    opening = 'from paperlib.lab.run import Run\nrun = Run("04_data", globals())\n'
    cell = opening + 'run.value("text", open(run.data(source)).read())'
    write_notebook(book(paper, "04_data"), 'profile = "smoke"\nsource = "data/own.txt"', cell, "run.finish()")
    own = paper / "data" / "own.txt"
    own.write_text("one")
    run_here("04_data")
    own.write_text("one")
    assert states()["04_data"] == "fresh"
    own.write_text("two")
    assert (states()["04_data"], reason("04_data")) == ("stale", "the data data/own.txt changed")
    own.unlink()
    assert reason("04_data") == "the data data/own.txt is gone"


def test_a_source_edited_during_a_run_makes_its_result_changed(clone):
    module = library(clone, "learning/toy_analysis")
    text = (
        f"from pathlib import Path\npath = Path({str(module)!r})\npath.write_text(path.read_text() + 'EDITED = True')"
    )
    write_notebook(book(clone, "01_count"), COUNT_PARAMETERS, COUNT, text, "run.finish()")
    run_here("01_count")
    assert (states()["01_count"], reason("01_count")) == ("changed", "module paperlib.learning.toy_analysis changed")


def test_the_code_of_a_stage_that_was_edited_during_a_run_is_that_of_its_beginning(clone):
    module = library(clone, "datasets/toy_rule")
    opening, rest = COUNT.split("\n", 2)[:2], COUNT.split("\n", 2)[2]
    text = (
        "from paperlib.datasets import toy_stages\nfrom pathlib import Path\n"
        f"path = Path({str(module)!r})\npath.write_text(path.read_text().replace('i * i', 'i + i'))"
    )
    write_notebook(book(clone, "01_count"), COUNT_PARAMETERS, "\n".join(opening), text, rest, "run.finish()")
    assert run_here("01_count")["identity"]["stages"]["squares"]["version"] == 1
    assert Results.of_profile("smoke").table("01_count", "numbers").square.tolist() == [0, 1, 4], "what was loaded"
    assert reason("01_count") == "the code of the stage squares changed: it will be made again and compared"


def test_a_result_made_before_content_was_known_is_stale(paper):
    path = paths.work_results("smoke") / "02_slow" / "manifest.json"
    content = json.loads(path.read_text())
    del content["identity"]["stages"]
    path.write_text(json.dumps(content))
    assert (states()["02_slow"], reason("02_slow")) == ("stale", "it was made before results were known by content")

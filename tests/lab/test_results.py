"""Reading results: which folder answers, what vouches for a file, and what is said when something is missing."""

import shutil

import numpy as np
import pandas as pd
import pytest

from paperlib.lab import paths
from paperlib.lab.results import MissingResultError, Results, Value, damaged_outputs, released_model, value_digest
from paperlib.lab.store import sha256_of, write_arrays, write_json, write_table

VALUES = {
    "top1": {"value": 0.8, "low": 0.75, "high": 0.85, "n": 400, "kind": "share"},
    "n_classes": {"value": 99, "kind": "count"},
}
TIMINGS = {"minutes": {"value": 3.5, "kind": "seconds"}}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    for stem in ("00_overview", "01_symmetry", "06_labels"):
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        (tmp_path / "notebooks" / f"{stem}.ipynb").touch()
    return tmp_path


def write_result(folder, stem, profile, number=1.0, finished="2026-01-02T03:04:05+00:00"):
    """A result with a table, arrays, weights and values; returns its manifest."""
    target = folder / stem
    write_table(target / "scores.csv", pd.DataFrame({"x": [number, 0.1 + 0.2], "name": ["a", None]}))
    write_arrays(target / "maps.npz", {"map": np.full((2, 3), number)})
    write_table(target / "speed.csv", pd.DataFrame({"per_second": [number]}))
    (target / "net.safetensors").write_bytes(f"weights {number}".encode())
    outputs = {
        path.name: {
            "sha256": sha256_of(path),
            "published": path.suffix != ".safetensors",
            "released": False,
            "timing": path.name == "speed.csv",
        }
        for path in sorted(target.iterdir())
        if path.name != "manifest.json"
    }
    manifest = {
        "identity": {"parameters": {"profile": profile}},
        "record": {"profile": profile, "finished": finished, "run_id": f"{profile}-{number}", "timings": TIMINGS},
        "outputs": outputs,
        "values": VALUES,
    }
    write_json(target / "manifest.json", manifest)
    return manifest


def test_tables_arrays_and_values_come_back_as_they_were_written(repository):
    write_result(paths.work_results("laptop"), "06_labels", "laptop", number=0.1)
    results = Results.of_profile("laptop")
    table = results.table("06_labels", "scores")
    assert table.x.tolist() == [0.1, 0.1 + 0.2] and table.name[0] == "a" and pd.isna(table.name[1])
    assert np.array_equal(results.arrays("06_labels", "maps")["map"], np.full((2, 3), 0.1))
    top1, classes = Value(0.8, 0.75, 0.85, 400, "share"), Value(99, kind="count")
    assert results.value("06_labels/top1") == top1
    minutes = Value(3.5, kind="seconds")
    assert results.value("06_labels/minutes") == minutes, "what a clock measured is read in the same way"
    assert results.values("06_labels") == {"top1": top1, "n_classes": classes, "minutes": minutes}
    assert results.origin("06_labels") == "laptop profile, 2026-01-02"


def test_what_is_read_is_remembered_by_its_content_and_times_are_not(repository):
    manifest = write_result(paths.work_results("laptop"), "06_labels", "laptop", number=0.1)
    results = Results.of_profile("laptop", hidden=["00_overview"])
    results.table("06_labels", "speed")
    results.value("06_labels/minutes")
    results.manifest("06_labels")
    assert results.has("06_labels") and results.reads == {}
    results.table("06_labels", "scores")
    results.file("06_labels", "maps.npz")
    results.weights("06_labels", "net")
    results.value("06_labels/top1")
    names = ("scores.csv", "maps.npz", "net.safetensors")
    files = {f"file:06_labels/{name}": manifest["outputs"][name]["sha256"] for name in names}
    assert results.reads == files | {"value:06_labels/top1": value_digest(VALUES["top1"])}
    results.values("06_labels")
    assert results.reads["values:06_labels"] == value_digest(VALUES)
    assert not results.has("01_symmetry") and not results.has("00_overview")
    assert results.absent == {"01_symmetry"}, "what is hidden was not asked for in vain"


def test_a_profile_sees_its_own_run_first_and_then_what_it_or_a_bigger_one_published(repository):
    write_result(paths.published_results(), "01_symmetry", "laptop", number=2.0)
    write_result(paths.published_results(), "06_labels", "paper", number=3.0)
    laptop, paper = Results.of_profile("laptop"), Results.of_profile("paper")
    assert laptop.table("01_symmetry", "scores").x[0] == 2.0
    assert laptop.table("06_labels", "scores").x[0] == 3.0, "nothing better will be published from a laptop"
    assert paper.has("06_labels") and not paper.has("01_symmetry"), "a laptop result is no paper result"
    assert not Results.of_profile("smoke").stems()
    assert Results.published().stems() == ["01_symmetry", "06_labels"]

    write_result(paths.work_results("laptop"), "01_symmetry", "laptop", number=1.0)
    write_result(paths.work_results("laptop"), "00_overview", "laptop")
    assert laptop.table("01_symmetry", "scores").x[0] == 1.0
    assert laptop.stems() == ["01_symmetry", "06_labels", "00_overview"], "in running order"
    assert Results.published().table("01_symmetry", "scores").x[0] == 2.0


def test_what_is_missing_is_named_with_the_remedy(repository):
    write_result(paths.work_results("laptop"), "06_labels", "laptop")
    results = Results.of_profile("laptop")
    with pytest.raises(MissingResultError, match=r"01_symmetry; run it first \(make reproduce PROFILE=laptop\)"):
        results.table("01_symmetry", "scores")
    with pytest.raises(MissingResultError, match=r"06_labels .* hold no nothing\.csv"):
        results.table("06_labels", "nothing")
    with pytest.raises(
        MissingResultError, match=r"unknown value '06_labels/top2'; 06_labels has minutes, n_classes, top1"
    ):
        results.value("06_labels/top2")
    with pytest.raises(MissingResultError, match=r"make reproduce\)"):
        Results.published().value("06_labels/top1")


def test_of_many_values_an_error_names_those_that_look_alike(repository, monkeypatch):
    entry = next(iter(VALUES.values()))
    many = {f"{arm}_top{k}": entry for arm in ("first", "second", "third") for k in range(200)}
    monkeypatch.setitem(globals(), "VALUES", many)
    write_result(paths.work_results("laptop"), "06_labels", "laptop")
    with pytest.raises(MissingResultError) as caught:
        Results.of_profile("laptop").value("06_labels/secnd_top7")
    assert "second_top7" in str(caught.value) and "third" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_damaged_manifest_is_named(repository):
    write_result(paths.work_results("laptop"), "06_labels", "laptop")
    path = paths.work_results("laptop") / "06_labels" / "manifest.json"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ValueError, match="delete it and run again") as error:
        Results.of_profile("laptop").table("06_labels", "scores")
    assert str(path) in str(error.value)


def test_weights_come_from_the_run_or_from_the_release_if_the_checksum_is_right(repository):
    manifest = write_result(paths.work_results("laptop"), "06_labels", "laptop")
    own = paths.work_results("laptop") / "06_labels" / "net.safetensors"
    released = released_model("06_labels", "net.safetensors")
    assert released == repository / "data" / "models" / "06_labels-net.safetensors"
    assert Results.of_profile("laptop").weights("06_labels", "net") == own

    released.parent.mkdir(parents=True)
    shutil.copy(own, released)
    own.write_bytes(b"weights of another run")
    assert Results.of_profile("laptop").weights("06_labels", "net") == released
    own.unlink()
    assert Results.of_profile("laptop").weights("06_labels", "net") == released
    published = paths.published_results() / "06_labels"
    write_json(published / "manifest.json", manifest)
    shutil.rmtree(own.parent)
    assert Results.of_profile("laptop").weights("06_labels", "net") == released, "in a clone"

    released.write_bytes(b"weights of an older release")
    with pytest.raises(MissingResultError, match=r"net\.safetensors of 06_labels are not here.*NOTEBOOK=06_labels"):
        Results.of_profile("laptop").weights("06_labels", "net")
    with pytest.raises(MissingResultError, match=r"other\.safetensors"):
        Results.of_profile("laptop").weights("06_labels", "other")


def test_a_run_sees_what_it_has_written_so_far_and_does_not_depend_on_itself(repository):
    write_result(paths.work_results("laptop"), "06_labels", "laptop", number=1.0)
    unfinished = write_result(repository / "partial", "06_labels", "laptop", number=2.0)
    results = Results.of_profile("laptop")
    results.show_unfinished("06_labels", repository / "partial" / "06_labels", unfinished)
    assert results.table("06_labels", "scores").x[0] == 2.0
    assert results.manifest("06_labels") is unfinished
    results.value("06_labels/top1")
    results.values("06_labels")
    assert results.reads == {} and results.absent == set()


def test_the_digest_of_values_is_what_they_say():
    assert value_digest(dict(reversed(VALUES.items()))) == value_digest(VALUES), "in any order"
    others = [VALUES | {"top1": VALUES["top1"] | {"low": 0.76}}, VALUES | {"extra": {"value": 1}}, {}, None]
    assert len({value_digest(VALUES), *map(value_digest, others)}) == 5


@pytest.mark.parametrize("value, kind", [("words", "number"), (1.5, "text"), (0.5, "percent")])
def test_a_value_is_of_a_kind_that_fits(value, kind):
    with pytest.raises(ValueError, match=f"kind='{kind}'"):
        Value(value, kind=kind)


def test_damage_of_outputs_is_found_and_unpublished_ones_may_be_absent(repository):
    manifest = write_result(repository, "06_labels", "laptop")
    folder = repository / "06_labels"
    assert damaged_outputs(folder, manifest, published_only=False) == []
    (folder / "net.safetensors").unlink()
    assert damaged_outputs(folder, manifest, published_only=False) == ["net.safetensors"]
    assert damaged_outputs(folder, manifest, published_only=True) == []
    (folder / "scores.csv").write_text("x\n1\n")
    assert damaged_outputs(folder, manifest, published_only=True) == ["scores.csv"]

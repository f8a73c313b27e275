"""Reading results: which folder answers, what vouches for a file, and what is said when something is missing."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from paperlib.lab import paths
from paperlib.lab.results import MissingResultError, Results, Value, damaged_outputs, digest, released_model
from paperlib.lab.store import sha256_of, write_arrays, write_json, write_table

VALUES = {"top1": {"value": 0.8, "low": 0.75, "high": 0.85, "n": 400}, "n_classes": {"value": 99}}


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
    (target / "net.safetensors").write_bytes(f"weights {number}".encode())
    outputs = {
        path.name: {"sha256": sha256_of(path), "published": path.suffix != ".safetensors", "released": False}
        for path in sorted(target.iterdir())
        if path.name != "manifest.json"
    }
    manifest = {
        "identity": {"parameters": {"profile": profile}},
        "record": {"profile": profile, "finished": finished, "seconds": number, "run_id": f"{profile}-{number}"},
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
    assert results.value("06_labels/top1") == Value(0.8, 0.75, 0.85, 400)
    assert results.values("06_labels") == {"top1": Value(0.8, 0.75, 0.85, 400), "n_classes": Value(99)}
    assert results.origin("06_labels") == "laptop profile, 2026-01-02"
    assert results.used == {"06_labels"}


def test_a_profile_sees_its_own_run_first_and_then_what_it_published_itself(repository):
    write_result(paths.published_results(), "01_symmetry", "laptop", number=2.0)
    write_result(paths.published_results(), "06_labels", "paper", number=3.0)
    laptop, paper = Results.of_profile("laptop"), Results.of_profile("paper")
    assert laptop.table("01_symmetry", "scores").x[0] == 2.0
    assert not laptop.has("06_labels") and paper.has("06_labels"), "a paper result is no laptop result"
    assert not Results.of_profile("smoke").stems()
    assert Results.published().stems() == ["01_symmetry", "06_labels"]

    write_result(paths.work_results("laptop"), "01_symmetry", "laptop", number=1.0)
    write_result(paths.work_results("laptop"), "00_overview", "laptop")
    assert laptop.table("01_symmetry", "scores").x[0] == 1.0
    assert laptop.stems() == ["01_symmetry", "00_overview"], "in running order"
    assert Results.published().table("01_symmetry", "scores").x[0] == 2.0


def test_what_is_missing_is_named_with_the_remedy(repository):
    write_result(paths.work_results("laptop"), "06_labels", "laptop")
    results = Results.of_profile("laptop")
    with pytest.raises(MissingResultError, match=r"01_symmetry; run it first \(make reproduce PROFILE=laptop\)"):
        results.table("01_symmetry", "scores")
    with pytest.raises(MissingResultError, match=r"06_labels .* hold no nothing\.csv"):
        results.table("06_labels", "nothing")
    with pytest.raises(MissingResultError, match=r"unknown value '06_labels/top2'; 06_labels has n_classes, top1"):
        results.value("06_labels/top2")
    with pytest.raises(MissingResultError, match=r"make reproduce\)"):
        Results.published().value("06_labels/top1")


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
    assert results.used == set()


def test_the_digest_is_what_a_result_says_and_not_when_it_was_made(repository):
    manifest = write_result(repository / "a", "06_labels", "laptop")
    later = write_result(repository / "b", "06_labels", "laptop", finished="2027-01-01T00:00:00+00:00")
    later["record"] |= {"seconds": 99.0, "versions": {"numpy": "3"}}
    later["identity"] = {"parameters": {"profile": "laptop", "device": "cuda"}}
    assert digest(later) == digest(manifest)

    changed = [json.loads(json.dumps(manifest)) for _ in range(4)]
    changed[0]["values"]["top1"]["low"] = 0.76
    changed[1]["values"]["extra"] = {"value": 1}
    changed[2]["outputs"]["scores.csv"]["sha256"] = "0" * 64
    changed[3]["outputs"].pop("maps.npz")
    assert len({digest(manifest), *map(digest, changed)}) == 5


def test_damage_of_outputs_is_found_and_unpublished_ones_may_be_absent(repository):
    manifest = write_result(repository, "06_labels", "laptop")
    folder = repository / "06_labels"
    assert damaged_outputs(folder, manifest, published_only=False) == []
    (folder / "net.safetensors").unlink()
    assert damaged_outputs(folder, manifest, published_only=False) == ["net.safetensors"]
    assert damaged_outputs(folder, manifest, published_only=True) == []
    (folder / "scores.csv").write_text("x\n1\n")
    assert damaged_outputs(folder, manifest, published_only=True) == ["scores.csv"]

"""What is published, run again: compared, and nothing else touched."""

import os

import pytest

from paperlib.lab import paths, publish, verify
from paperlib.lab.stages import REMAKE
from tests.lab.conftest import edit, manifests, run_all_here


@pytest.fixture
def published(clone):
    """A clone with published results."""
    run_all_here("laptop")
    publish.publish("laptop")
    return clone


def test_a_published_notebook_comes_out_again_and_nothing_else_is_touched(published, monkeypatch):
    monkeypatch.setenv(paths.INTO, "mine")
    before = {path: path.read_bytes() for path in (published / "data" / "results").rglob("*") if path.is_file()}
    own = manifests("laptop")
    (row,) = verify.verify("laptop", ["03_sum"])
    assert (row.stem, row.outcome) == ("03_sum", "identical")
    assert "03_sum" in verify.report([row]) and (paths.work(paths.VERIFY) / "reproduced_on.csv").is_file()
    assert {path: path.read_bytes() for path in before} == before and manifests("laptop") == own
    assert list(manifests(paths.VERIFY)) == [paths.work_results(paths.VERIFY) / "03_sum" / "manifest.json"]
    assert os.environ[paths.INTO] == "mine" and REMAKE not in os.environ, "the environment is as it was"


def test_a_notebook_whose_data_are_missing_fails_with_their_name(published):
    edit(published / "notebooks" / "03_sum.ipynb", "run.value(", "run.data('gone.csv')\\nrun.value(")
    (row,) = verify.verify("laptop", ["03_sum"])
    assert row.outcome == "failed" and "'gone.csv' is neither" in row.detail


def entry(value, **more):
    return {"value": value, "low": None, "high": None, "n": None} | more


@pytest.mark.parametrize(
    "here, outcome, detail",
    [
        ({"a": entry(2.0)}, "identical", ""),
        ({"a": entry(2.0 + 1e-8)}, "agrees", "0 of 0 files differ in bytes, values within 5e-09"),
        ({"a": entry(2.2)}, "differs", "a by 9.1e-02 of its size; 1 of 1 values"),
        ({"a": entry(2.0, low=1.0)}, "differs", "a by inf"),
        ({"a": entry(2.0), "b": entry(1)}, "differs", "the value b is in one of them only"),
    ],
)
def test_values_agree_within_a_millionth(here, outcome, detail):
    found = verify.compare({"values": {"a": entry(2.0)}, "outputs": {}}, {"values": here, "outputs": {}})
    assert found[0] == outcome and found[1].startswith(detail)

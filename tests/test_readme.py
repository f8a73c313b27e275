"""The README does what it says."""

import re

import numpy as np
import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def examples():
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_example_of_patterns_runs(examples):
    """Each pattern call of the example is checked for its shape and for numbers that make sense."""
    (example,) = (text for text in examples if "powder_patterns" in text)
    calls = [line for line in example.splitlines() if "_patterns(" in line]
    assert len(calls) == 3
    names: dict = {}
    exec("\n".join(line for line in example.splitlines() if line not in calls), names)
    shapes = [(8, 4096), (8, 4251), (3, 1000)]
    for call, shape in zip(calls, shapes, strict=True):
        patterns = eval(call.partition("#")[0], names)
        assert tuple(patterns.shape) == shape, call
        assert float(patterns.max()) == 1.0 and bool(patterns.isfinite().all())


def test_the_example_of_random_crystals_runs(examples, tmp_path, monkeypatch):
    """With a smaller number, in a folder of its own, on the two workers that it names."""
    (example,) = (text for text in examples if "random_crystal_set" in text)
    smaller = example.replace("n=1_230_000", "n=690, shard_size=230")
    assert smaller != example
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(smaller, names)
    assert set(names["three"].space_group.tolist()) == {62}
    assert set(np.unique(names["three"].species).tolist()) <= {8, 13, 14, 20}
    assert len(names["many"]) == 690 and (tmp_path / "data/raw/random/index.csv").is_file()

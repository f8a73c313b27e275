"""A miniature repository with three quick notebooks and a small chain of stage and analysis behind them."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

import paperlib.datasets
import paperlib.learning
from paperlib.lab import parameters, paths, runner
from tests.conftest import ROOT, write_notebook

RULE = '''\
"""What is done to a number."""


def rule(i: int) -> int:
    """Its square."""
    if i < 0:
        raise ValueError("squares of whole numbers only")
    return i * i  # the area
'''

STAGES = '''\
"""Squares of numbers, kept; and steps that take a while."""

import os
import time

import numpy as np

from paperlib.datasets.toy_rule import rule
from paperlib.lab.stages import Items, Stage, made
from paperlib.lab.store import write_arrays, write_text

SQUARES = Stage("squares", 1, "paperlib.datasets.toy_rule")
STEP = Stage("step", 1, "paperlib.datasets.toy_rule", cheap=False)


def squares(n):
    """(n,) squares."""

    def make(folder):
        if os.environ.get("TOY_KILLS"):
            (folder / "half.txt").touch()
            os._exit(9)
        if log := os.environ.get("TOY_LOG"):
            time.sleep(0.5)
            with open(log, "a") as file:
                file.write("made\\n")
        values = np.array([rule(i) for i in range(n)])
        write_arrays(folder / "values.npz", {"values": values})
        return Items(np.array([f"number-{i}" for i in range(n)]), values)

    with np.load(made(SQUARES, {"n": n}, {}, make).folder / "values.npz") as archive:
        return archive["values"]


def step(i, seconds):
    """Something slow."""

    def make(folder):
        time.sleep(seconds)
        write_text(folder / "step.txt", str(rule(i)))
        return Items(np.array([str(i)]), np.array([rule(i)]))

    made(STEP, {"i": i}, {}, make)
'''

ANALYSIS = '''\
"""From squares to a table."""

import pandas as pd

FACTOR = 1


def table(values):
    """One row per number."""
    if len(values) == 0:
        raise ValueError("nothing to tabulate")
    return pd.DataFrame({"i": range(len(values)), "square": FACTOR * values})
'''

COUNT = """\
from paperlib.lab.run import Run
run = Run("01_count", globals())
import time
import pandas as pd
from paperlib.datasets.toy_stages import squares
from paperlib.learning.toy_analysis import table
if fail == "raise":
    raise ValueError("the sample is upside down")
if fail == "kill":
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
run.table("numbers", table(squares(n)))
run.table("others", pd.DataFrame({"other": [other]}))
run.table("speed", pd.DataFrame({"per_second": [1 / time.perf_counter()]}), timing=True)
run.timing("seconds", time.perf_counter())
run.value("n", n)
run.value("other", other)"""
COUNT_PARAMETERS = 'profile = "smoke"\nn = 3\nother = 1\nfail = ""'

SLOW = """\
from paperlib.lab.run import Run
run = Run("02_slow", globals())
from paperlib.datasets.toy_stages import step
from paperlib.lab import paths
done = len(list((paths.stages() / "step").glob("*/record.json")))
for i in range(steps):
    step(i, seconds)
run.value("resumed_after", done)
run.value("steps", steps)"""

SUM = """\
from paperlib.lab.run import Run
run = Run("03_sum", globals())
numbers = run.results.table("01_count", "numbers")
run.value("sum", factor * float(numbers.square.sum()), n=len(numbers))
print(run.results.value("01_count/seconds"), run.results.table("01_count", "speed"))"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A miniature clone, chosen as the repository root of this process and of those that it starts, each of which runs
    the library that lies in it."""
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    library = tmp_path / "src" / "paperlib"
    shutil.copytree(ROOT / "src" / "paperlib", library, ignore=shutil.ignore_patterns("__pycache__"))
    (library / "datasets" / "toy_rule.py").write_text(RULE)
    (library / "datasets" / "toy_stages.py").write_text(STAGES)
    (library / "learning" / "toy_analysis.py").write_text(ANALYSIS)
    books = tmp_path / "notebooks"
    write_notebook(books / "01_count.ipynb", COUNT_PARAMETERS, COUNT, "run.finish()")
    write_notebook(books / "02_slow.ipynb", 'profile = "smoke"\nsteps = 1\nseconds = 0.0', SLOW, "run.finish()")
    write_notebook(books / "03_sum.ipynb", 'profile = "smoke"\nfactor = 1.0', SUM, "run.finish()")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "registry.txt").write_text("")
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    monkeypatch.delenv("PAPERLIB_DATA", raising=False)
    # this process has imported the library of the repository under test: it takes the clone's for its own, the same
    # text, and finds the toy modules there
    monkeypatch.setattr(paths, "PACKAGE", library)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions within a second would share a .pyc
    for room in (paperlib.datasets, paperlib.learning):
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(library / room.__name__.split(".")[1])])
    yield tmp_path
    _forget_toys()


def _forget_toys() -> None:
    for name in [name for name in sys.modules if ".toy_" in name]:
        del sys.modules[name]
        parent, _, child = name.rpartition(".")
        vars(sys.modules[parent]).pop(child, None)


def run_here(stem: str, profile: str = "smoke", **changed) -> dict:
    """Run a notebook of the clone in this process, without a kernel, as a new one would read its modules; leave what
    the runner would leave and return the manifest."""
    _forget_toys()
    importlib.invalidate_caches()
    namespace = parameters.profile_parameters(stem, profile) | changed
    for cell in parameters.read_notebook(stem).cells:
        exec(cell, namespace)
    target = namespace["run"].target
    manifest = json.loads((paths.work_results(target) / stem / "manifest.json").read_text())
    output = v4.new_output("stream", text=f"run {manifest['record']['run_id']}: {stem} finished\n")
    shown = v4.new_notebook(cells=[v4.new_code_cell("run.finish()", outputs=[output])])
    paths.work_executed(target).mkdir(parents=True, exist_ok=True)
    nbformat.write(shown, paths.work_executed(target) / f"{stem}.ipynb")
    return manifest


def run_all_here(profile: str = "smoke") -> dict[str, dict]:
    """Run every notebook of the clone in this process; their manifests by stem."""
    return {stem: run_here(stem, profile) for stem in paths.stems()}


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that a file must hold, where it first stands."""
    text = path.read_text()
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, 1))


def command(*arguments: str, **more) -> subprocess.CompletedProcess:
    """Run the command line of the repository in a process of its own."""
    line = [sys.executable, "-m", "paperlib.cli", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, env=os.environ, **more)


def manifests(profile: str = "smoke") -> dict[Path, bytes]:
    """The manifests of a profile's results, byte for byte."""
    return {path: path.read_bytes() for path in sorted(paths.work_results(profile).glob("*/manifest.json"))}


def statuses(outcomes: list[runner.Outcome]) -> dict[str, str]:
    """What became of each notebook."""
    return {outcome.stem: outcome.status for outcome in outcomes}

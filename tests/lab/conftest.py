"""A miniature repository with three quick notebooks, to run the runner on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, write_notebook

COUNT = """\
from paperlib.lab.run import Run
run = Run("01_count", globals())
import pandas as pd
if fail == "raise":
    raise ValueError("the sample is upside down")
if fail == "kill":
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
run.table("numbers", pd.DataFrame({"i": range(n)}))
run.value("n", n)"""

SLOW = """\
from paperlib.lab.run import Run
run = Run("02_slow", globals())
import time
from paperlib.lab.store import write_text
folder = run.checkpoint_dir("steps")
done = len(list(folder.glob("step-*")))
print("resumed after", done)
for step in range(done, steps):
    time.sleep(seconds)
    write_text(folder / f"step-{step}", str(step))
run.value("resumed_after", done)
run.value("steps", steps)"""

SUM = """\
from paperlib.lab.run import Run
run = Run("03_sum", globals())
table = run.results.table("01_count", "numbers")
run.value("sum", factor * float(table.i.sum()), n=len(table))"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A miniature clone, chosen as the repository root of this process and of those that it starts."""
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    books = tmp_path / "notebooks"
    write_notebook(books / "01_count.ipynb", 'profile = "smoke"\nn = 3\nfail = ""', COUNT, "run.finish()")
    write_notebook(books / "02_slow.ipynb", 'profile = "smoke"\nsteps = 1\nseconds = 0.0', SLOW, "run.finish()")
    write_notebook(books / "03_sum.ipynb", 'profile = "smoke"\nfactor = 1.0', SUM, "run.finish()")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "registry.txt").write_text("")
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.delenv("PAPERLIB_DATA", raising=False)
    return tmp_path


def command(*arguments: str, **more) -> subprocess.CompletedProcess:
    """Run the command line of the repository in a process of its own."""
    line = [sys.executable, "-m", "paperlib.cli", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, env=os.environ, **more)

"""Where things lie, and that the library which runs is the one that lies there."""

import shutil
import subprocess
import sys

import pytest

from paperlib import cli
from paperlib.lab import paths, publish, runner
from paperlib.lab.paths import MisplacedError
from tests.lab.conftest import run_here

REMEDY = r"this Python runs the library at .*, but the repository here is .*copy. Run `make install` there"


def test_the_root_is_found_upwards_or_named(clone, monkeypatch, tmp_path):
    assert paths.root() == clone
    monkeypatch.delenv("PAPERLIB_ROOT")
    monkeypatch.chdir(clone / "notebooks")
    assert paths.root() == clone
    assert paths.stems() == ["01_count", "02_slow", "03_sum"]
    (clone / "notebooks" / "00_overview.ipynb").touch()
    (clone / "notebooks" / "scratch.ipynb").touch()
    assert paths.stems() == ["01_count", "02_slow", "03_sum", "00_overview"], "the overview last, scratch never"


@pytest.fixture
def copy(clone, monkeypatch):
    """A copied clone in which this process, with the library of the first one, has gone to work."""
    folder = clone.parent / "copy"
    shutil.copytree(clone, folder)
    monkeypatch.setenv("PAPERLIB_ROOT", str(folder))
    yield folder
    shutil.rmtree(folder)


def test_a_library_that_lies_under_the_root_is_accepted_through_a_link_too(clone, monkeypatch):
    paths.check_installation()
    link = clone.parent / f"{clone.name}-link"
    link.symlink_to(clone)
    monkeypatch.setenv("PAPERLIB_ROOT", str(link))
    paths.check_installation()


@pytest.mark.parametrize(
    "act",
    [
        lambda: run_here("01_count"),
        lambda: runner.reproduce(runner.Job("smoke")),
        lambda: publish.publish("laptop"),
        lambda: publish.publish("smoke"),
    ],
)
def test_a_copied_clone_with_the_library_of_the_first_is_refused_before_anything_is_written(copy, act):
    with pytest.raises(MisplacedError, match=REMEDY):
        act()
    assert not (copy / "data" / "work").exists()


@pytest.mark.parametrize("name", ["reproduce", "publish", "status", "figures"])
def test_every_command_says_so_without_a_traceback(copy, capsys, name):
    assert cli.main([name]) == 1
    assert "Run `make install` there" in capsys.readouterr().err


def test_a_copied_clone_with_its_own_library_runs(copy, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(copy / "src"))
    line = [sys.executable, "-c", "from paperlib.lab import paths; paths.check_installation(); print(paths.PACKAGE)"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(copy / "src" / "paperlib"), done.stderr

"""The smoke profile end to end in a fresh copy: no network, no data folder, no GPU, nothing published touched."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from paperlib.lab import paths, provenance
from paperlib.lab.results import Results, damaged_outputs
from paperlib.reporting import produce, style
from tests.conftest import ROOT

pytestmark = pytest.mark.end_to_end

BOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
STEMS = [stem for stem in BOOKS if stem not in paths.INTERACTIVE]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "*.egg-info", "work", "raw", "build")
SECONDS = 1500
"""Generous: the run takes three minutes on two free cores."""


def copy_repository(target):
    """Copy what belongs to the repository, new files that git does not ignore included."""
    line = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode or not (ROOT / ".git").exists():
        shutil.copytree(ROOT, target, ignore=NOT_COPIED)
        return
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def git(folder, *arguments):
    line = ["git", "-c", "user.name=Reader", "-c", "user.email=reader@example.org", *arguments]
    return subprocess.run(line, cwd=folder, check=True, capture_output=True, text=True).stdout


def statuses(output):
    """Status by stem from the closing table."""
    return dict(re.findall(r"^([0-9]{2}_\w+) +(\w+)", output, re.MULTILINE))


@pytest.fixture(scope="module")
def environment():
    """A reader's environment: no data folder, and a network that answers nothing."""
    nowhere = "http://127.0.0.1:9"
    names = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
    changed = {name: nowhere for lower in names for name in (lower, lower.upper())} | {"CUDA_VISIBLE_DEVICES": ""}
    kept = ("PAPERLIB_DATA", "PAPERLIB_ROOT", "no_proxy", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if name not in kept} | changed


@pytest.fixture(scope="module")
def reproduce(environment):
    """Call the command line in a copy of the repository, with the library of that copy."""

    def call(folder, *arguments):
        line = [sys.executable, "-m", "paperlib.cli", *arguments]
        more = {"PAPERLIB_ROOT": str(folder), "PYTHONPATH": str(folder / "src")}
        return subprocess.run(line, cwd=folder, env=environment | more, capture_output=True, text=True, timeout=SECONDS)

    return call


@pytest.fixture(scope="module")
def copy(tmp_path_factory, reproduce):
    """A copy of the repository, committed, in which `make reproduce` has run once."""
    folder = tmp_path_factory.mktemp("clone") / "repository"
    copy_repository(folder)
    git(folder, "init", "-q")
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "The repository as a reader gets it")
    done = reproduce(folder, "reproduce")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert statuses(done.stdout) == dict.fromkeys(STEMS, "ran"), done.stdout[-4000:]
    return folder


@pytest.fixture(scope="module")
def results(copy):
    return Results(copy / "data" / "work" / "smoke" / "results")


def test_a_second_call_finds_everything_fresh(copy, reproduce):
    before = {path: path.read_bytes() for path in (copy / "data/work/smoke/results").glob("*/manifest.json")}
    done = reproduce(copy, "reproduce")
    assert done.returncode == 0, done.stdout + done.stderr
    assert statuses(done.stdout) == dict.fromkeys(STEMS, "fresh")
    assert {path: path.read_bytes() for path in before} == before
    shown = reproduce(copy, "status")
    assert statuses(shown.stdout) == dict.fromkeys(STEMS, "fresh")


def test_a_run_touches_nothing_that_belongs_to_the_repository(copy):
    assert git(copy, "status", "--porcelain") == ""
    ignored = git(copy, "status", "--porcelain", "--ignored").splitlines()
    assert {line[3:].split("/")[0] for line in ignored} <= {"data", "src", "tests", "notebooks"}
    assert "!! data/work/" in ignored


def test_every_result_is_whole_and_says_where_it_comes_from(copy, results):
    belongs = set(git(copy, "ls-files").splitlines())
    for stem in STEMS:
        manifest = provenance.read_manifest(copy / "data/work/smoke/results" / stem)
        assert damaged_outputs(copy / "data/work/smoke/results" / stem, manifest, published_only=False) == []
        record = manifest["record"]
        assert record["profile"] == "smoke" and record["commit"] == git(copy, "rev-parse", "HEAD").strip()
        assert record["uncommitted"] == []
        used = {name.removeprefix("data:") for name in manifest["identity"]["inputs"] if name.startswith("data:")}
        folders = {str(folder) for name in belongs for folder in Path(name).parents}
        assert used <= belongs | folders, "a smoke run reads nothing that is neither installed nor in the repository"
    assert not list((copy / "data/work/smoke/partial").iterdir())


def test_every_executed_notebook_ran_to_its_end_without_an_error(copy):
    for stem in STEMS:
        book = nbformat.read(copy / "data/work/smoke/executed" / f"{stem}.ipynb", as_version=4)
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in code if cell.source.strip())
        outputs = [output for cell in code for output in cell.outputs]
        assert not [output.ename for output in outputs if output.output_type == "error"]
        assert f"{stem} finished after" in code[-1].outputs[-1].text
        shown = "".join(output.get("text", "") for output in outputs if output.get("name") == "stderr")
        assert "Traceback" not in shown


def test_every_figure_is_there_and_stamped_as_a_wiring_check(results, tmp_path):
    folder = results.folder("90_figures")
    names = {module.__name__.rpartition(".")[2]: module for module in produce.FIGURES}
    assert {path.stem for path in folder.glob("*.pdf")} == {path.stem for path in folder.glob("*.png")} == set(names)
    for name, module in names.items():
        figure = module.draw(results)
        stamps = figure.findobj(lambda artist: artist.get_gid() == "stamp")
        assert [re.sub(r"\d+", "N", text.get_text()) for text in stamps] == ["smoke run, wiring check, n = N"], name
        for path in (
            style.save(figure, tmp_path / name) if name in ("fig_labels", "fig_bias", "fig_one_pattern") else []
        ):
            assert path.read_bytes() == (folder / path.name).read_bytes(), f"{path.name} is not what was stamped"


def test_the_numbers_of_the_manuscript_are_there(results):
    folder = results.folder("91_values")
    text = (folder / "values.tex").read_text()
    values = results.table("91_values", "values")
    assert len(values) > 50 and set(values.origin.str[:5]) == {"smoke"}
    assert [key for key in values.key if f"@{key}" + "\\endcsname" not in text] == []
    assert len(list((folder / "tables").glob("*.tex"))) >= 3
    claims = results.table("00_overview", "claims")
    assert set(claims.holds) <= {"yes", "no", "not computed"} and len(claims) >= 5

"""A notebook that somebody has run leaves git and the tests as they were."""

import json
import re
import shutil
import subprocess
import sys

import nbclient
import nbformat
import pytest
from nbformat import v4

from paperlib.lab import provenance
from paperlib.lab.jupyter import look_again
from tests.conftest import ROOT, write_notebook

TOOL = ROOT / "tools" / "strip_notebooks.py"


def strip(text):
    return subprocess.run([sys.executable, str(TOOL)], input=text, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with one notebook, as git holds it, and git in it."""
    if shutil.which("git") is None or shutil.which("make") is None:
        pytest.skip("git and make are needed")
    (tmp_path / "tools").mkdir()
    shutil.copy(TOOL, tmp_path / "tools")
    for name in (".gitattributes", "Makefile"):
        shutil.copy(ROOT / name, tmp_path / name)
    write_notebook(
        tmp_path / "notebooks" / "01_count.ipynb", "n = 3", "print(n)\nn", "import pandas as pd\npd.Series([n])"
    )
    subprocess.run([sys.executable, str(TOOL), "notebooks/01_count.ipynb"], cwd=tmp_path, check=True)

    def git(*words):
        line = ["git", "-c", "user.name=Reader", "-c", "user.email=reader@example.org", *words]
        return subprocess.run(line, cwd=tmp_path, check=True, capture_output=True, text=True)

    git("init", "-q")
    git("add", "--all")
    git("commit", "-qm", "The repository as a reader gets it")
    git.folder = tmp_path
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    return git


def set_filter(folder):
    """What `make install` and `make lab` do."""
    recipe = re.search(r"^SET_FILTER = (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)
    (folder / "filter.mk").write_text(f"include Makefile\nset-filter:\n\t@{recipe}\n")
    subprocess.run(["make", "-f", "filter.mk", "set-filter"], cwd=folder, check=True, capture_output=True)
    (folder / "filter.mk").unlink()
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (folder / ".git" / "info" / "exclude").write_text(".venv/\n")


def run_and_save(path):
    """Run a notebook and save it as JupyterLab does, an empty cell at its end and what it notes included."""
    book = nbformat.read(path, as_version=4)
    book.cells.append(v4.new_code_cell(""))
    nbclient.NotebookClient(book, kernel_name="python3").execute()
    book.metadata["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    book.cells[0].metadata["jupyter"] = {"source_hidden": False}
    nbformat.write(book, path)


def test_a_notebook_that_was_run_and_saved_is_no_change(clone):
    set_filter(clone.folder)
    path = clone.folder / "notebooks" / "01_count.ipynb"
    run_and_save(path)
    assert '"3\\n"' in path.read_text() and "language_info" in path.read_text()
    assert clone("diff").stdout == "" and provenance.uncommitted() == []
    look_again(path)
    assert clone("status", "--porcelain").stdout == "", "by size and time too"
    content = path.read_text()
    clone("commit", "-qam", "nothing", "--allow-empty")
    assert clone("show", "--stat", "--format=").stdout == "" and path.read_text() == content, "the outputs stay on disk"
    path.write_text(content.replace("n = 3", "n = 4"))
    look_again(path)
    assert provenance.uncommitted() == ["notebooks/01_count.ipynb"]
    assert clone("status", "--porcelain").stdout.split() == ["M", "notebooks/01_count.ipynb"]
    assert [line for line in clone("diff").stdout.splitlines() if re.match(r"[-+] ", line)] == [
        '-    "n = 3"',
        '+    "n = 4"',
    ]
    assert clone("diff", "--cached").stdout == "", "nothing is staged"


def test_without_the_filter_or_the_environment_git_works_as_ever(clone):
    path = clone.folder / "notebooks" / "01_count.ipynb"
    run_and_save(path)
    assert clone("status", "--porcelain").stdout.split() == ["M", "notebooks/01_count.ipynb"]
    set_filter(clone.folder)
    assert clone("diff").stdout == ""
    shutil.rmtree(clone.folder / ".venv")
    path.write_text(path.read_text().replace("n = 3", "n = 5"))
    done = clone("diff")
    assert '"n = 5"' in done.stdout and done.stderr == ""


def test_a_stripped_notebook_is_what_nbformat_writes_and_strips_to_itself():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = strip(path.read_text())
        assert strip(text) == text == nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"


def test_what_is_no_notebook_passes_as_it_is():
    for text in ("<<<<<<< ours\n{}\n", "[]", '{"cells": 3}', ""):
        assert strip(text) == text


def test_code_texts_and_tags_stay():
    first = v4.new_code_cell("n = 3", metadata={"tags": ["parameters"], "collapsed": True}, execution_count=7)
    picture = v4.new_markdown_cell("![](attachment:a.png)", attachments={"a.png": {"image/png": "AA=="}})
    book = v4.new_notebook(cells=[first, picture], metadata={"widgets": {}, "papermill": {}})
    kept = json.loads(strip(nbformat.writes(book)))
    assert [cell["source"] for cell in kept["cells"]] == [["n = 3"], ["![](attachment:a.png)"]]
    assert kept["cells"][0]["metadata"] == {"tags": ["parameters"]} and kept["cells"][0]["execution_count"] is None
    assert kept["cells"][1]["attachments"] == picture.attachments
    assert set(kept["metadata"]) == {"kernelspec", "language_info"}

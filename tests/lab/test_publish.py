"""Publishing: what the copies hold and what stops it; the whole act is shown in test_runner."""

import json
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from paperlib.lab import freshness, paths, provenance, publish
from tests.conftest import write_notebook
from tests.lab.conftest import run_here

WRITES = """\
from paperlib.lab.run import Run
run = Run("04_files", globals())
import pandas as pd
from paperlib.lab.store import write_text
run.table("tables/by_group", pd.DataFrame({"n": [n]}))
run.table("large", pd.DataFrame({"n": [n]}), publish=False)
write_text(run.file("net.safetensors", release=True), "weights")"""


@pytest.fixture
def book(tmp_path):
    """An executed notebook with everything that must not be published."""
    cell = v4.new_code_cell(
        "run.finish()",
        metadata={"tags": ["kept"], "papermill": {"duration": 1.5}, "execution": {"iopub.execute_input": "now"}},
        outputs=[v4.new_output("stream", text=f"read {paths.root()}/data/raw/a.cif and {Path.home()}/b.cif\n")],
    )
    content = v4.new_notebook(cells=[v4.new_markdown_cell("# Title"), cell])
    content.metadata = {
        "kernelspec": {"name": "my-own-kernel", "display_name": "Mine", "language": "python"},
        "language_info": {"name": "python", "version": "3.11.7"},
        "papermill": {"input_path": "/somewhere/a.ipynb"},
    }
    nbformat.write(content, tmp_path / "run.ipynb")
    return tmp_path / "run.ipynb"


def test_the_published_notebook_names_no_machine_and_keeps_what_was_shown(book, clone, monkeypatch):
    text = book.read_text()
    book.write_text(text.replace(str(Path.home()), str(clone.parent)))
    monkeypatch.setenv("HOME", str(clone.parent))
    content = nbformat.read(book, as_version=4)
    content.cells[1].outputs[0].text = f"read {clone}/data/raw/a.cif and {clone.parent}/b.cif\n"
    progress = nbformat.v4.new_output("stream", text="crystals: 12,288 of 30,587 entries, 41 s\n\n")
    content.cells[1].outputs.insert(0, progress)
    nbformat.write(content, book)
    publish.clean_executed(book, clone / "clean.ipynb")
    cleaned = (clone / "clean.ipynb").read_text()
    assert str(clone.parent) not in cleaned and "papermill" not in cleaned and "3.11.7" not in cleaned
    shown = nbformat.read(clone / "clean.ipynb", as_version=4)
    nbformat.validate(shown)
    assert shown.cells[1].outputs[0].text == "read ./data/raw/a.cif and ~/b.cif\n"
    assert shown.cells[1].metadata == {"tags": ["kept"]} and shown.metadata.kernelspec.name == "python3"
    publish.clean_executed(clone / "clean.ipynb", clone / "again.ipynb")
    assert (clone / "again.ipynb").read_text() == cleaned


def test_a_home_at_the_root_of_the_disk_does_not_break_the_notebook(book, clone, monkeypatch):
    monkeypatch.setenv("HOME", "/")
    publish.clean_executed(book, clone / "clean.ipynb")
    assert "/data/raw/a.cif" in nbformat.read(clone / "clean.ipynb", as_version=4).cells[1].outputs[0].text


@pytest.fixture
def one_notebook(clone):
    """A repository with a single notebook, that writes files of every kind."""
    for path in (clone / "notebooks").glob("*.ipynb"):
        path.unlink()
    write_notebook(clone / "notebooks" / "04_files.ipynb", 'profile = "smoke"\nn = 3', WRITES, "run.finish()")
    return clone


def test_only_what_is_meant_to_be_published_is_copied(one_notebook):
    run_here("04_files", "laptop")
    publish.publish("laptop")
    folder = paths.published_results() / "04_files"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["manifest.json", "tables/by_group.csv"]
    assert (one_notebook / "data" / "models" / "04_files-net.safetensors").read_text() == "weights"
    assert (one_notebook / "notebooks" / "executed" / "04_files.ipynb").is_file()
    assert not list(paths.published_results().glob(".*")), "no half-published folder stays"


READS = """\
from paperlib.lab.run import Run
run = Run("05_reads", globals())
import pandas as pd
run.table("twice", 2 * run.results.table("04_files", "tables/by_group"))"""


def test_some_notebooks_are_published_alone_with_what_they_read(one_notebook):
    write_notebook(one_notebook / "notebooks" / "05_reads.ipynb", 'profile = "smoke"', READS, "run.finish()")
    run_here("04_files", "laptop")
    with pytest.raises(publish.PublishError, match=r"not complete.*\n.*05_reads: missing"):
        publish.publish("laptop")
    assert [item.stem for item in publish.publish("laptop", ["04_files"])] == ["04_files"]
    run_here("05_reads", "laptop")
    assert [item.stem for item in publish.publish("laptop", ["05_reads"])] == ["05_reads"], "04 is the one it read"
    run_here("04_files", "laptop")
    run_here("05_reads", "laptop")
    with pytest.raises(publish.PublishError, match=r"another run is published.*NOTEBOOK='04_files 05_reads'"):
        publish.publish("laptop", ["05_reads"])
    with pytest.raises(publish.PublishError, match="no notebook '06_none'; there are 04_files, 05_reads"):
        publish.publish("laptop", ["06_none"])


def test_publishing_again_removes_what_the_new_run_no_longer_has(one_notebook):
    run_here("04_files", "laptop")
    publish.publish("laptop")
    book = one_notebook / "notebooks" / "04_files.ipynb"
    book.write_text(book.read_text().replace("tables/by_group", "by_group"))
    run_here("04_files", "laptop")
    assert [item.status for item in publish.publish("laptop")] == ["published"]
    folder = paths.published_results() / "04_files"
    assert sorted(path.name for path in folder.rglob("*")) == ["by_group.csv", "manifest.json"]


def commit(folder):
    (folder / ".gitignore").write_text("data/work/\n__pycache__/\n")
    for line in (["init", "-q"], ["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", *line], cwd=folder, check=True)


def test_the_record_of_a_run_with_uncommitted_files_is_refused_even_when_the_tree_is_clean_now(one_notebook):
    commit(one_notebook)
    (one_notebook / "constraints.txt").write_text("numpy==2.0\n")
    run_here("04_files", "laptop")
    remedy = "commit, then make reproduce PROFILE=laptop NOTEBOOK=04_files FORCE=1"
    with pytest.raises(publish.PublishError, match=rf"04_files .*\(constraints\.txt\).*{remedy}"):
        publish.publish("laptop")
    commit(one_notebook)
    assert provenance.uncommitted() == []
    with pytest.raises(publish.PublishError, match=r"constraints\.txt"):
        publish.publish("laptop")
    assert not paths.published_results().exists()
    run_here("04_files", "laptop")
    assert [item.status for item in publish.publish("laptop")] == ["published"]


def test_the_record_of_a_clean_run_is_published_though_files_changed_since_that_leave_it_fresh(one_notebook):
    commit(one_notebook)
    run_here("04_files", "laptop")
    (one_notebook / "constraints.txt").write_text("numpy==2.0\n")
    assert [item.status for item in publish.publish("laptop")] == ["published"]


@pytest.mark.parametrize("fails_at", ["large", "by_group", "net", "manifest"])
def test_a_failure_while_copying_leaves_the_published_result_whole(one_notebook, monkeypatch, fails_at):
    run_here("04_files", "laptop")
    publish.publish("laptop")
    published = [paths.published_results(), one_notebook / "data" / "models"]
    before = {path: path.read_bytes() for place in published for path in place.rglob("*") if path.is_file()}
    book = one_notebook / "notebooks" / "04_files.ipynb"
    book.write_text(book.read_text().replace("[n]", "[n + 1]").replace('\\"weights\\"', '\\"other weights\\"'))
    run_here("04_files", "laptop")
    copy, write = shutil.copyfile, publish.write_json

    def full(action):
        def act(*arguments):
            if any(fails_at in argument.name for argument in arguments if isinstance(argument, Path)):
                raise OSError(28, "No space left on device")
            return action(*arguments)

        return act

    monkeypatch.setattr(shutil, "copyfile", full(copy))
    monkeypatch.setattr(publish, "write_json", full(write))
    if fails_at == "large":  # stays in data/work
        assert [item.status for item in publish.publish("laptop")] == ["published"]
        assert (published[1] / "04_files-net.safetensors").read_text() == "other weights"
        return
    with pytest.raises(OSError, match=r"No space|no room"):
        publish.publish("laptop")
    whole = {path: path.read_bytes() for path in before}
    assert whole == before
    assert not list(published[1].glob(".*")), "no half-copied weights stay"
    monkeypatch.undo()


def test_a_published_file_that_was_changed_by_hand_is_not_fresh(one_notebook):
    run_here("04_files", "laptop")
    publish.publish("laptop")
    shutil.rmtree(one_notebook / "data" / "work")
    assert freshness.survey("laptop")["04_files"].fresh, "unpublished and released outputs may be absent"
    table = paths.published_results() / "04_files" / "tables" / "by_group.csv"
    table.write_text(table.read_text() + "7\n")
    state = freshness.survey("laptop")["04_files"]
    assert state.state == "changed" and "tables/by_group.csv" in state.reason


def test_results_without_a_notebook_are_listed_and_an_empty_repository_says_what_to_do(clone):
    with pytest.raises(publish.PublishError, match="nothing has been published yet; make reproduce"):
        publish.published_results()
    for stem in ("01_count", "05_removed"):
        folder = paths.published_results() / stem
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"record": {"profile": "laptop"}}))
    assert publish.orphans() == ["05_removed"]
    assert publish.published_results().has("05_removed")

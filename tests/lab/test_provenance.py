"""The record of a result: content of data, commit and uncommitted files, and the manifest that keeps them."""

import json
import shutil
import subprocess

from paperlib.lab import freshness, machine, provenance
from paperlib.lab.store import sha256_of
from tests.conftest import write_notebook
from tests.lab.conftest import edit, run_here


def test_data_are_known_by_content_and_file_names(tmp_path):
    (tmp_path / "cifs").mkdir()
    (tmp_path / "cifs" / "a.cif").write_text("data_a")
    (tmp_path / "cifs" / "b.cif").write_text("data_b")
    first = provenance.data_hash(tmp_path / "cifs")
    shutil.copytree(tmp_path / "cifs", tmp_path / "copy")
    assert provenance.data_hash(tmp_path / "copy") == first
    (tmp_path / "copy" / "a.cif").rename(tmp_path / "copy" / "c.cif")
    assert provenance.data_hash(tmp_path / "copy") != first
    (tmp_path / "cifs" / "b.cif").write_text("data_B")
    assert provenance.data_hash(tmp_path / "cifs") != first
    assert provenance.data_hash(tmp_path / "cifs" / "b.cif") == sha256_of(tmp_path / "cifs" / "b.cif")


def test_a_run_in_an_archive_without_git_has_no_commit_and_is_complete(clone):
    assert provenance.commit() is None and provenance.uncommitted() is None
    manifest = run_here("01_count")
    record = manifest["record"]
    assert record["commit"] is None and record["uncommitted"] is None
    assert set(record["versions"]) == set(machine.PACKAGES)
    assert provenance.is_manifest(manifest) and freshness.survey("smoke")["01_count"].fresh


def test_in_a_checkout_the_record_names_the_commit_and_what_changed_since(clone):
    def git(*arguments):
        line = ["git", "-c", "user.name=A", "-c", "user.email=a@b", *arguments]
        return subprocess.run(line, cwd=clone, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    assert provenance.commit() == git("rev-parse", "HEAD")
    assert provenance.uncommitted() == []
    (clone / "data" / "notes.txt").write_text("not code")
    (clone / "notebooks" / "executed").mkdir()
    write_notebook(clone / "notebooks" / "executed" / "01_count.ipynb", "n = 1")
    assert provenance.uncommitted() == [], "results are no sources"
    edit(clone / "src" / "paperlib" / "cli.py", "import sys", "import sys  # here")
    write_notebook(clone / "notebooks" / "07_new.ipynb", 'profile = "smoke"')
    (clone / "constraints.txt").write_text("numpy==2.0\n")
    expected = ["constraints.txt", "notebooks/07_new.ipynb", "src/paperlib/cli.py"]
    assert sorted(provenance.uncommitted()) == expected
    record = run_here("02_slow")["record"]
    assert record["commit"] == git("rev-parse", "HEAD") and sorted(record["uncommitted"]) == expected


def test_a_manifest_that_is_not_whole_counts_as_none(tmp_path):
    assert provenance.read_manifest(tmp_path) is None
    for text in ("", "[]", '{"identity": {}, "record": {}}', '{"identity": {}, "rec'):
        (tmp_path / "manifest.json").write_text(text)
        assert provenance.read_manifest(tmp_path) is None
    whole = {part: {} for part in ("identity", "record", "outputs", "values")}
    (tmp_path / "manifest.json").write_text(json.dumps(whole))
    assert provenance.read_manifest(tmp_path) == whole

"""Identity and record of a result: what makes it stale, and what is known outside a git checkout."""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from paperlib.lab import freshness, parameters, provenance
from paperlib.lab.parameters import NotebookCode
from tests.conftest import write_notebook

MODULE = '''\
"""A module."""

EDGE = 5.43
"""Å; silicon."""


def volume(edge: float = EDGE) -> float:
    """Å³."""
    return edge**3  # cubic


class Cell:
    """A cell."""

    edge: float = f"{EDGE:.3g}" and EDGE
'''

OTHER_PYTHON = """
import ast, hashlib, sys
source = ast.parse(open(sys.argv[1]).read())
names = {"ast": ast, "Any": object}
keep = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "_dump"]
exec(compile(ast.Module(keep, []), "provenance", "exec"), names)
for path in sys.argv[1:]:
    print(hashlib.sha256(names["_dump"](ast.parse(open(path).read())).encode()).hexdigest())
"""
"""The one function that writes a tree out, in a Python that has none of our packages."""


def code(*cells, declared=None):
    return NotebookCode("01_test", declared or {}, cells)


def test_comments_layout_and_defaults_leave_the_code_of_a_notebook_as_it_is():
    before = provenance.code_hash(code("x = f(1, 2)", "print(x)"))
    assert provenance.code_hash(code("x = f(1,\n      2)  # two", "# show\nprint( x )")) == before
    assert provenance.code_hash(code("x = f(1, 2)", "print(x)", declared={"n": 3})) == before
    others = [("x = f(1, 3)", "print(x)"), ("print(x)", "x = f(1, 2)"), ("x = f(1, 2)\nprint(x)",), ("x = f(1, 2)",)]
    assert len({before, *(provenance.code_hash(code(*cells)) for cells in others)}) == 5


@pytest.fixture
def module(tmp_path, monkeypatch):
    """write(text) puts text into the module paperlib.room.thing of an empty repository, hash() hashes it."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    path = tmp_path / "src" / "paperlib" / "room" / "thing.py"
    path.parent.mkdir(parents=True)

    def hash_of(text):
        path.unlink(missing_ok=True)
        path.write_text(text)
        provenance._module_hash.cache_clear()  # two versions may be written within one tick of the clock
        return provenance.module_hash("paperlib.room.thing")

    return hash_of


@pytest.mark.parametrize(
    "old, new",
    [
        ('"""A module."""', '"""A module, told at greater length."""'),
        ('"""A module."""\n', ""),
        ('"""Å; silicon."""\n', ""),
        ('    """Å³."""\n', '    """Volume in Å³, edge in Å."""\n'),
        ("  # cubic", "  # a cube"),
        ("    return edge", "\n    return edge"),
        ('class Cell:\n    """A cell."""', 'class Cell:\n    """The cell."""'),
    ],
)
def test_prose_leaves_a_module_as_it_is(module, old, new):
    assert old in MODULE
    assert module(MODULE.replace(old, new)) == module(MODULE) != ""


@pytest.mark.parametrize(
    "old, new",
    [("5.43", "5.44"), ("edge**3", "edge**2"), ("edge: float = EDGE", "edge: float = 1"), ("volume", "Volume")],
)
def test_code_changes_a_module(module, old, new):
    assert old in MODULE
    assert module(MODULE.replace(old, new)) != module(MODULE)


def test_a_function_that_is_only_prose_can_be_hashed(module):
    assert module('def f():\n    """Later."""\n') == module("def f():\n    pass\n")


def test_a_module_that_is_gone_has_no_hash_and_an_edit_on_disk_is_seen(module, tmp_path):
    assert provenance.module_hash("paperlib.room.nothing") == ""
    first = module(MODULE)
    path = tmp_path / "src" / "paperlib" / "room" / "thing.py"
    path.write_text(MODULE.replace("5.43", "5.44"))
    assert provenance.module_hash("paperlib.room.thing") != first


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_the_syntax_tree_reads_the_same_in_every_python(root, version):
    # published results must stay fresh for a reader with another Python
    environment = os.environ | {"PYENV_VERSION": version}
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-V"], env=environment, capture_output=True).returncode:
        pytest.skip(f"python{version} is not installed")
    files = [root / "src/paperlib/lab/provenance.py", *sorted((root / "src/paperlib").glob("*/*.py"))]
    line = [python, "-c", OTHER_PYTHON, *map(str, files)]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60)
    here = [hashlib.sha256(provenance._dump(ast.parse(path.read_text())).encode()).hexdigest() for path in files]
    assert done.stdout.split() == here, done.stderr


def test_a_hash_taken_earlier_still_holds():
    # taken with Python 3.11; a change here makes every published result stale
    taken = "b4cbd63be1d720bb2960c5f6034071cbc6556939918c05c977f52932aa32dce3"
    assert provenance.code_hash(code(MODULE)) == taken


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
    assert provenance.data_hash(tmp_path / "cifs" / "b.cif") == provenance.sha256_of(tmp_path / "cifs" / "b.cif")


def test_a_run_in_an_archive_without_git_has_no_commit_and_is_complete(clone):
    assert provenance.commit() is None and provenance.uncommitted() is None
    namespace = parameters.profile_parameters("01_count", "smoke")
    for cell in parameters.read_notebook("01_count").cells:
        exec(cell, namespace)
    manifest = json.loads((clone / "data/work/smoke/results/01_count/manifest.json").read_text())
    record = manifest["record"]
    assert record["commit"] is None and record["uncommitted"] is None
    assert set(record["versions"]) == set(provenance.PACKAGES)
    assert record["python"] == ".".join(map(str, sys.version_info[:3])) and record["peak_memory_MiB"] > 1
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
    (clone / "src" / "paperlib" / "cli.py").write_text("changed = True\n")
    write_notebook(clone / "notebooks" / "07_new.ipynb", 'profile = "smoke"')
    (clone / "constraints.txt").write_text("numpy==2.0\n")
    expected = ["constraints.txt", "notebooks/07_new.ipynb", "src/paperlib/cli.py"]
    assert sorted(provenance.uncommitted()) == expected


def test_a_manifest_that_is_not_whole_counts_as_none(tmp_path):
    assert provenance.read_manifest(tmp_path) is None
    for text in ("", "[]", '{"identity": {}, "record": {}}', '{"identity": {}, "rec'):
        (tmp_path / "manifest.json").write_text(text)
        assert provenance.read_manifest(tmp_path) is None
    whole = {part: {} for part in ("identity", "record", "outputs", "values")}
    (tmp_path / "manifest.json").write_text(json.dumps(whole))
    assert provenance.read_manifest(tmp_path) == whole


def test_only_modules_with_code_of_our_own_count_as_imported():
    imported = provenance.imported_modules()
    assert "paperlib.lab.provenance" in imported
    assert "paperlib.lab" not in imported and not [name for name in imported if name.startswith("numpy")]


def test_the_record_names_the_processor_and_its_cores():
    assert provenance.processor().endswith(" cores")
    assert provenance.processor().split(",")[0] not in ("", "x86_64")

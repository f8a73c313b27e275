"""What a reader installs and calls: one list of packages in three files, the make targets, the host check."""

import ast
import importlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

ON_CONDA = {"pytorch": "torch"}
"""Names that differ between conda-forge and PyPI."""

BY_PIP = {"captum", "geddes", "pyxtal"}
"""Packages that conda lacks or has only in an old version."""

TOOLS = sorted(path for path in (ROOT / "tools").iterdir() if path.is_file())

TARGETS = ("reproduce", "verify", "test", "publish", "figures", "lab", "status", "pdf", "lint", "clean", "help")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def by_name(requirements):
    """Ranges by canonical name."""
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(r.name): r.specifier for r in parsed if r.name != "paperlib"}


def direct(project):
    """Ranges of what the library and its tests import; the tests try the extras "cluster" and "explore" too."""
    extras = project["optional-dependencies"]
    return by_name(project["dependencies"]) | by_name(extras["test"] + extras["cluster"] + extras["explore"])


def test_conda_installs_the_same_packages_in_the_same_ranges(project):
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = by_name(entry for entry in listed if isinstance(entry, str))
    (pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    assert str(conda.pop("python")) == project["requires-python"]
    assert str(conda.pop("pip")) == ""
    assert [entry for entry in pip if entry.startswith("-e")] == ["-e ."], "the library itself"
    from_pip = by_name(entry for entry in pip if not entry.startswith("-e"))
    assert set(from_pip) == BY_PIP
    assert {ON_CONDA.get(name, name): spec for name, spec in conda.items()} | from_pip == direct(project)


def test_every_direct_dependency_is_pinned_within_its_range(project):
    lines = [line.partition("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pins = dict(re.fullmatch(r"([\w.-]+)==(\S+)", line).groups() for line in lines if line)
    pins = {canonicalize_name(name): Version(version) for name, version in pins.items()}
    wanted = direct(project)
    assert "numpy" in wanted and not wanted.keys() - pins.keys()
    optional = [by_name(extra) for extra in project["optional-dependencies"].values()]
    for ranges in [wanted, *optional]:
        outside = {
            name: str(pins[name]) for name, range_ in ranges.items() if name in pins and pins[name] not in range_
        }
        assert not outside


CALLED = {"sklearn": "scikit-learn", "yaml": "pyyaml", "PIL": "pillow"}
"""Names under which packages are imported that are called otherwise."""


def imported(path):
    """Packages that a module, or the code cells of a notebook, imports."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(source, as_version=4).cells
        source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        yield from (name.partition(".")[0] for name in names)


def test_library_and_notebooks_import_only_what_is_declared(project):
    # the code says how to install these: mp_api needs the user's own key, CrysFML has a licence of its own; the last is
    # a peer to be timed, if there
    asked_for = {"mp_api", "crysfml", "xrd_rust_calculator"}
    files = [*(ROOT / "src" / "paperlib").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb")]
    found = {name for path in files for name in imported(path)}
    found -= {"paperlib", *sys.stdlib_module_names, *asked_for}
    wanted = {canonicalize_name(CALLED.get(name, name)) for name in found}
    assert {"numpy", "requests", "ipython"} <= wanted, "imports of modules and of notebooks are seen at all"
    # what a package that is declared happens to bring may leave with its next version
    extras = project["optional-dependencies"]
    assert not wanted - by_name(project["dependencies"] + extras["cluster"] + extras["explore"]).keys()


def test_what_is_declared_is_imported_or_runs_the_notebooks(project):
    tools = {"ipykernel", "jupyterlab"}
    files = [*(ROOT / "src" / "paperlib").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb")]
    found = {canonicalize_name(CALLED.get(name, name)) for path in files for name in imported(path)}
    assert by_name(project["dependencies"]).keys() - found == tools


def run(*words, cwd=ROOT, env=os.environ):
    # the tests may themselves run below make, whose settings another make would take over
    env = {name: value for name, value in env.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def make():
    if (program := shutil.which("make")) is None:
        pytest.skip("make is not installed")
    return program


def test_make_help_lists_every_target(make):
    for words in ([make], [make, "help"]):
        done = run(*words)
        assert done.returncode == 0, done.stderr
        listed = {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")}
        assert listed >= set(TARGETS) - {"help"}
    assert "PROFILE=smoke|laptop|paper" in done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_what_to_do_for(make, target):
    done = run(make, "--dry-run", target)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_make_passes_everything_on(make):
    words = ["PROFILE=laptop", "NOTEBOOK=06_labels", "FORCE=1", "SET=epochs=3 seeds=[1]"]
    shown = run(make, "--dry-run", "reproduce", *words).stdout
    assert 'reproduce --profile laptop --notebook 06_labels --force --set "$PAPERLIB_SET"' in shown
    assert "reproduce --profile smoke" in run(make, "--dry-run", "reproduce").stdout
    for command in ("publish", "verify", "status"):
        assert f"{command} --profile laptop" in run(make, "--dry-run", command, "PROFILE=laptop").stdout
    assert "pytest -n 3 --dist loadscope" in run(make, "--dry-run", "test", "WORKERS=3").stdout
    shown = run(make, "--dry-run", "lab", "LAB=--allow-root --no-browser").stdout
    assert "root_dir=. --LabApp.default_url=/lab/tree/notebooks/00_overview.ipynb --allow-root --no-browser" in shown


@pytest.fixture
def clone(make, tmp_path):
    """What the installation needs, in a folder where it has been done."""
    folder = tmp_path / "first"
    (folder / "tools").mkdir(parents=True)
    (folder / ".venv").mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", *(f"tools/{p.name}" for p in TOOLS)):
        shutil.copy(ROOT / name, folder / name)
    assert run(make, "--touch", "install", cwd=folder).returncode == 0
    return folder


@pytest.mark.parametrize(
    "text", ['elements=["Na", "Cl"] steps=10', "sizes=[1, 2, 3]", "source=Bob's $(cifs) $HOME/*;`id`", "x='a b'"]
)
def test_make_hands_over_parameters_as_they_are_written(make, clone, text):
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nprintf '<%s>\\n' \"$@\"\n")
    python.chmod(0o755)
    done = run(make, "reproduce", f"SET={text}", cwd=clone)
    assert done.stdout.splitlines()[-2:] == ["<--set>", f"<{text}>"], done.stderr
    assert "<--set>" not in run(make, "reproduce", cwd=clone).stdout


def test_the_command_is_installed(project):
    module, _, function = project["scripts"]["paperlib"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_an_environment_that_is_there_already_is_used_and_left_as_it_is(make, clone, tmp_path):
    for kind in ("venv", "conda"):
        place = tmp_path / f"{kind} environment".replace(" ", "-")
        (place / "bin").mkdir(parents=True)
        (place / "bin" / "python").write_text(f'#!/bin/sh\necho "$@" >> {place}/calls\n')
        (place / "bin" / "python").chmod(0o755)
        if kind == "conda":
            (place / "conda-meta").mkdir()
        before = sorted(path.name for path in (place / "bin").iterdir())
        done = run(make, "status", f"VENV={place}", cwd=clone)
        assert done.returncode == 0, done.stderr
        calls = (place / "calls").read_text()
        assert ("pip install --disable-pip-version-check -c constraints.txt -e .[test]" in calls) == (kind == "venv")
        assert "-e .[test]" in calls and "paperlib.cli status" in calls and "adopt" not in calls and "venv" not in calls
        run(make, "status", f"VENV={place}", cwd=clone)
        assert (place / "calls").read_text().count("-e .[test]") == 1, "the second time it is ready"
        assert sorted(path.name for path in (place / "bin").iterdir()) == before
    assert sorted(path.name for path in (clone / ".venv").iterdir() if not path.name.startswith(".installed")) == []


def test_no_active_environment_is_not_the_system(make, clone):
    done = run(make, "status", "VENV=", cwd=clone)
    assert done.returncode == 2 and "VENV is empty: activate the environment first" in done.stderr


def test_the_build_of_pytorch_is_asked_for_by_name(make, clone):
    assert "install_torch.py cuda" in run(make, "--dry-run", "install", "TORCH=cuda", cwd=clone).stdout
    assert "install_torch" not in run(make, "--dry-run", "install", cwd=clone).stdout
    tool = runpy.run_path(str(ROOT / "tools" / "install_torch.py"))
    assert tool["main"]("rocm") == 2 and tool["pinned"]() in (ROOT / "constraints.txt").read_text()
    wanted, pin = tool["wanted"], "2.13.0"
    cpu = ["--index-url", tool["CPU_INDEX"], "--retries", "1", "--timeout", "15", "torch==2.13.0"]
    assert wanted("", "", pin, "linux", False) == wanted("cpu", "", pin, "linux", True) == ["--no-deps", *cpu]
    assert wanted("cuda", "", pin, "linux", False) == ["--no-deps", "torch==2.13.0"]
    for there in ("2.13.0", "2.13.0+cpu"):
        assert wanted("", there, pin, "linux", False) == [], "what is there stays"
    assert (
        wanted("", "2.12.1", pin, "linux", False) == wanted("cpu", "2.12.1", pin, "linux", False) == ["--no-deps", *cpu]
    )
    assert wanted("cpu", "2.13.0", pin, "linux", False) == ["--no-deps", "--force-reinstall", *cpu]
    assert wanted("cuda", "2.13.0+cpu", pin, "linux", False) == ["--no-deps", "--force-reinstall", "torch==2.13.0"]
    assert wanted("cpu", "2.13.0+cpu", pin, "linux", False) == wanted("cuda", "2.13.0", pin, "linux", False) == []
    assert wanted("", "2.11.0", pin, "linux", True) == [], "conda's own stays"
    assert wanted("cpu", "", pin, "darwin", False) == [], "there is one build"


def test_a_clone_that_was_copied_or_moved_installs_again(make, clone):
    def plan(folder):
        return run(make, "--dry-run", "figures", cwd=folder).stdout

    assert "paperlib.cli figures" in plan(clone) and "pip install" not in plan(clone)
    copied = shutil.copytree(clone, clone.with_name("copied"), copy_function=shutil.copy2)
    assert "pip install" in plan(copied) and "paperlib.cli figures" in plan(copied)
    assert "pip install" not in plan(clone)
    assert "pip install" in plan(clone.rename(clone.with_name("moved")))


def test_the_scripts_of_a_copied_environment_run_its_own_python(tmp_path):
    first = tmp_path / "first" / ".venv"
    assert run(sys.executable, "-m", "venv", "--without-pip", str(first)).returncode == 0
    (first / "bin" / "tell").write_text(f"#!{first}/bin/python\nimport sys\nprint(sys.prefix)\n")
    (first / "bin" / "tell").chmod(0o755)
    (first / "bin" / "binary").write_bytes(f"\0{first}".encode())
    copied = tmp_path / "copied" / ".venv"
    shutil.copytree(first, copied, symlinks=True)
    tell = "tell; echo $VIRTUAL_ENV"

    def told(environment):
        return run("bash", "-c", f". {environment}/bin/activate && {tell}").stdout.split()

    assert told(copied) == [str(first)] * 2
    for _ in range(2):
        done = run(
            str(copied / "bin" / "python"), str(ROOT / "tools" / "adopt_environment.py"), ".venv", cwd=copied.parent
        )
        assert done.returncode == 0, done.stderr
        assert told(copied) == [str(copied)] * 2 and told(first) == [str(first)] * 2
        assert (copied / "bin" / "binary").read_bytes() == (first / "bin" / "binary").read_bytes()


FAKE_PYTHONS = {
    "good": f'exec "{sys.executable}" "$@"',
    "without venv": f"""case "$*" in *"import venv"*) echo "No module named 'ensurepip'" >&2; exit 1;; esac
exec "{sys.executable}" "$@" """,
    "too old": 'case "$*" in *--version*) echo "Python 3.9.18"; exit 0;; *version_info*) exit 1;; esac; exit 0',
}


@pytest.fixture
def check_host(tmp_path):
    """check(kind) runs the host check with a python3 of that kind, and nothing else, on the path."""

    def check(kind, *arguments):
        if kind in FAKE_PYTHONS:
            (tmp_path / "python3").write_text(f"#!/bin/sh\n{FAKE_PYTHONS[kind]}\n")
            (tmp_path / "python3").chmod(0o755)
        return run("/bin/sh", "tools/check_host.sh", *arguments, env={"PATH": str(tmp_path)})

    return check


@pytest.mark.parametrize(
    "kind, messages",
    [
        ("without venv", ["cannot make virtual environments", "apt-get install python3-venv"]),
        ("too old", ["Python 3.9.18 is too old", "3.11 or later", "make PYTHON="]),
        ("missing", ["there is no 'python3'", "apt-get install python3 python3-venv", "make PYTHON="]),
    ],
)
def test_a_machine_that_lacks_something_is_told_what_to_install(check_host, kind, messages):
    done = check_host(kind)
    assert done.returncode == 1 and done.stdout == ""
    for message in messages:
        assert message in done.stderr
    assert "Traceback" not in done.stderr and "ensurepip" not in done.stderr


def test_a_good_machine_passes_and_one_without_git_is_told_what_it_loses(check_host, tmp_path):
    done = check_host("good")
    assert done.returncode == 0 and "note: git is not installed" in done.stderr
    (tmp_path / "git").write_text("#!/bin/sh\n")
    (tmp_path / "git").chmod(0o755)
    done = check_host("good")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = check_host("good", "another-python")
    assert done.returncode == 1 and "there is no 'another-python'" in done.stderr


def test_containers_install_by_make_and_run_the_smoke_profile(project):
    stages = [line.split(maxsplit=1) for line in (ROOT / "Dockerfile").read_text().splitlines() if line[:1].isupper()]
    orders = [(order, what) for order, what in stages if order in ("FROM", "RUN", "CMD")]
    version = re.fullmatch(r"python:([0-9.]+)-slim-bookworm", orders[0][1]).group(1)
    assert Version(version) in Requirement(f"python{project['requires-python']}").specifier
    assert ("RUN", "make install") in orders and orders[-1] == ("CMD", '["make", "reproduce"]')
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".venv", "data/raw", "data/work"} <= set(ignored) and ".git" not in ignored
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert container["postCreateCommand"] == "make install" and f":{version}-" in container["image"]
    assert (ROOT / "binder" / "runtime.txt").read_text().strip() == f"python-{version}"
    script = ROOT / "binder" / "postBuild"
    assert os.access(script, os.X_OK) and run("bash", "-n", str(script)).returncode == 0
    assert 'make install VENV="$NB_PYTHON_PREFIX"' in script.read_text()


def test_continuous_integration_runs_what_the_readme_says():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    steps = [line for line in lines if line.startswith("make ")]
    assert steps == ["make lint", "make test", "make pdf"]
    assert any(line.startswith("export OMP_WAIT_POLICY=") for line in lines[: lines.index("make lint")])
    assert "set -euo pipefail" in lines, "a failing step must fail the whole"
    assert run("bash", "-n", str(script)).returncode == 0
    assert "make test" in (ROOT / "README.md").read_text()


def test_commits_are_checked_as_the_makefile_checks(make):
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [source["repo"] for source in hooks] == ["local"], "no other host is needed"
    wanted = run(make, "--dry-run", "--always-make", "lint", "strip").stdout
    for hook in hooks[0]["hooks"]:
        command = hook["entry"].replace("ruff format", "ruff format --check")
        assert f"{command} " in wanted, hook["id"]
        assert hook["language"] == "system"


def test_threads_that_wait_do_not_spin(make, tmp_path):
    (tmp_path / "Makefile").write_text(f"include {ROOT}/Makefile\nshown:\n\t@echo $$OMP_WAIT_POLICY\n")
    kept = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    assert run(make, "shown", cwd=tmp_path, env=kept).stdout.strip() == "PASSIVE"
    assert run(make, "shown", cwd=tmp_path, env=kept | {"OMP_WAIT_POLICY": "ACTIVE"}).stdout.strip() == "ACTIVE"

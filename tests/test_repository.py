"""The repository as a whole: who imports whom, what every notebook keeps to, what a clone finds."""

import ast
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from paperlib.lab import parameters, paths
from paperlib.lab.results import Results, damaged_outputs, released_model
from paperlib.lab.store import read_json, sha256_of
from paperlib.reporting import produce
from tests.conftest import ROOT

STREET = ("symmetry", "crystals", "diffraction", "datasets", "learning")
MAY_IMPORT = {room: {"lab", *STREET[: i + 1]} for i, room in enumerate(STREET)}
MAY_IMPORT |= {"lab": {"lab"}, "reporting": {"lab", "symmetry", "reporting"}}
MAY_IMPORT |= {"answers": {"lab", "symmetry", "diffraction", "datasets", "reporting", "answers"}}
MAY_IMPORT |= {"explore": {"lab", *STREET, "reporting", "answers", "explore"}}

SIZE_KEYS = {
    *("profile", "source", "histograms", "reference", "n_per_system", "n_speed", "seeds", "epochs"),
    *(
        "batch_size",
        "max_minutes",
        "per_group",
        "n_judged",
        "n_mapped",
        "most",
        "worked_group",
        "crysfml",
        "crysfml_structures",
        "fullprof",
    ),
    *("n_pyxtal", "real_per_group", "sources", "n_reference", "n_workers", "passes", "sizes", "n_test", "items"),
    *("items_of_sampling", "ideal_items", "ideal_seeds", "split_seeds", "seeds_drawn", "curve_items", "n_ideal_test"),
    *("long_items", "best_items", "repeated_items", "test_items", "repeated_sets", "repeated_passes", "n_crysfml"),
    *("other_rates", "tree_items", "rated", "network", "measured", "chosen_on", "n_folds", "times", "n_impurities"),
    *("n_random", "channels", "strides", "hidden", "items_worlds", "items_measured", "items_fine", "batch_measured"),
    *(
        "channels_larger",
        "hidden_larger",
        "channels_worlds",
        "hidden_worlds",
        "items_longer",
        "items_larger",
        "n_families",
        "cifs",
    ),
}
"""Parameters that a profile may change: profiles change size, never method."""

MODULES = sorted((ROOT / "src" / "paperlib").rglob("*.py"))
BOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
STEMS = [stem for stem in BOOKS if stem not in paths.INTERACTIVE]
"""Of the notebooks that write results."""
MANIFESTS = sorted((ROOT / "data" / "results").glob("*/manifest.json"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)")


@pytest.fixture(autouse=True)
def this_repository(monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(ROOT))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path):
    return str(path.relative_to(ROOT))


def dotted(path):
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)


def room_of(path):
    """The room of a module, "" for those above the street."""
    parts = path.relative_to(ROOT / "src" / "paperlib").parts
    return parts[0] if len(parts) > 1 else ""


def modules_imported(path):
    """Names that a module imports from paperlib, anywhere in its text."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: write out `from paperlib.room.module import …`"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("paperlib.")}


def rooms_imported(path):
    return {name.split(".")[1] for name in modules_imported(path)}


def test_rooms_import_only_rooms_to_their_left():
    assert {room_of(path) for path in MODULES} == {*MAY_IMPORT, ""}
    wrong = {
        name_of(path): found
        for path in MODULES
        if (room := room_of(path)) and (found := rooms_imported(path) - MAY_IMPORT[room])
    }
    assert not wrong
    assert "crystals" in rooms_imported(ROOT / "src/paperlib/diffraction/simulate.py"), "imports are seen at all"


def test_the_inside_of_a_wing_is_used_by_its_own_room_only():
    inside = {dotted(path): room_of(path) for path in MODULES if len(path.relative_to(ROOT / "src/paperlib").parts) > 2}
    assert len(inside) > 30
    wrong = [
        f"{name_of(path)} imports {name}"
        for path in MODULES
        for name in modules_imported(path)
        if name in inside and room_of(path) not in ("", inside[name])
    ]
    assert not wrong


def test_reporting_starts_without_the_heavy_packages():
    modules = [dotted(path) for path in MODULES if room_of(path) == "reporting"]
    lines = [f"import {name}" for name in modules if not name.endswith("__init__")]
    heavy = {"torch", "pymatgen", "pyxtal", "captum"}
    lines += ["import sys", f"print(sorted({heavy} & sys.modules.keys()), len(sys.modules) > 100)"]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[] True", done.stderr


def test_answers_start_without_the_heavy_packages():
    modules = [dotted(path) for path in MODULES if room_of(path) == "answers"]
    modules = [name for name in modules if not name.endswith(("__init__", ".picture"))]
    lines = [f"import {name}" for name in modules]
    heavy = {"torch", "pymatgen", "pyxtal", "captum", "pandas", "matplotlib", "numba", "scipy", "spglib"}
    lines += ["import sys", f"print(sorted({heavy} & sys.modules.keys()), len(sys.modules) > 100)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=120, cwd=ROOT
    )
    assert done.stdout.strip() == "[] True", done.stderr


def test_packages_hold_no_code_of_their_own_and_modules_stay_small():
    assert not [name_of(path) for path in MODULES if path.name == "__init__.py" and path.read_text().strip()]
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: n for name, n in lengths.items() if n > 300} == {}


def test_the_page_of_modules_says_what_their_docstrings_say():
    tool = runpy.run_path(str(ROOT / "tools" / "list_modules.py"))
    text = tool["page"]()
    listed = [(ROOT / "docs" / target).resolve() for target in LINK.findall(text)]
    assert sorted(listed) == [path for path in MODULES if path.name != "__init__.py"]
    assert "### crystals/reading, a wing" in text and not re.search(r"^- .*: *$", text, re.MULTILINE)
    assert tool["PAGE"].read_text(encoding="utf-8") == text, "make modules, then commit"


def public_definitions(path):
    """Public functions, classes and methods of a module with their dotted names."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree(path).body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield f"{name_of(path)}: {node.name}", node
            if isinstance(node, ast.ClassDef):
                inner = [child for child in node.body if isinstance(child, kinds) and not child.name.startswith("_")]
                yield from ((f"{name_of(path)}: {node.name}.{child.name}", child) for child in inner)


def test_everything_public_is_documented_and_annotated():
    files = [path for path in MODULES if path.name != "__init__.py"]
    assert not [name_of(path) for path in files if not ast.get_docstring(tree(path))]
    definitions = [item for path in files for item in public_definitions(path)]
    assert len(definitions) > 150
    assert not [name for name, node in definitions if not ast.get_docstring(node)]
    bare = []
    for name, node in definitions:
        if not isinstance(node, ast.ClassDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            loose = [arg.arg for arg in given if arg.annotation is None and arg.arg not in ("self", "cls")]
            bare += [name] if loose or node.returns is None else []
    assert not bare


@pytest.fixture(params=BOOKS)
def book(request):
    return request.param, nbformat.read(ROOT / "notebooks" / f"{request.param}.ipynb", as_version=4)


def test_a_notebook_opens_with_its_card_and_closes_its_run(book):
    stem, content = book
    first, code = content.cells[0], [cell.source for cell in content.cells if cell.cell_type == "code"]
    assert re.fullmatch(r"[0-9]{2}_[a-z_]+", stem)
    assert first.cell_type == "markdown" and first.source.startswith("# ") and "| run card | |" in first.source
    for row in ("Question", "Reads", "Writes", "In the paper", "Time"):
        assert f"| {row} |" in first.source, row
    assert content.metadata.kernelspec.name == "python3"
    if stem in paths.INTERACTIVE:
        assert not any("Run(" in source or "run." in source for source in code), "it writes no results"
        return
    assert code[-1].strip() == "run.finish()"
    assert sum(f'run = Run("{stem}", globals())' in source for source in code) == 1


def test_a_notebook_holds_library_calls_only_and_plain_parameters(book):
    stem, content = book
    read = parameters.read_notebook(stem)  # one tagged cell, literals only, every parameter read
    assert read.declared.get("profile") == (None if stem in paths.INTERACTIVE else "smoke"), "the smoke profile"
    assert paths.notebook(stem).is_file()
    source = "\n".join(cell.source for cell in content.cells if cell.cell_type == "code")
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    assert not [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    assert "sys.path" not in source and "get_ipython" not in source and "os.chdir" not in source
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) <= 150


def test_notebooks_are_stripped():
    listed = tracked_files()
    tool = runpy.run_path(str(ROOT / "tools" / "strip_notebooks.py"))
    wrong, seen = [], 0
    for stem in BOOKS:
        if paths.notebook(stem) in listed:
            # what git holds: somebody may have run the notebook, and the filter keeps the outputs out of git
            line = ["git", "cat-file", "blob", f":notebooks/{stem}.ipynb"]
            text = subprocess.run(line, cwd=ROOT, capture_output=True, check=True).stdout.decode("utf-8")
            wrong, seen = wrong + ([stem] if tool["stripped"](text) != text else []), seen + 1
    assert seen > 5 and not wrong, "make strip, then git add"


def linked_texts():
    pages = ("README.md", "REPRODUCING.md", "CONTRIBUTING.md", "CHANGELOG.md")
    texts = [(ROOT / name, (ROOT / name).read_text()) for name in pages]
    for stem in BOOKS:
        content = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4)
        texts += [(ROOT / "notebooks" / stem, c.source) for c in content.cells if c.cell_type == "markdown"]
    return texts


def test_links_lead_somewhere():
    figures = {module.__name__.rpartition(".")[2] for module in produce.FIGURES}
    published = (ROOT / "notebooks" / "executed", ROOT / "data" / "results", ROOT / "figures")
    broken, seen = [], 0
    for origin, text in linked_texts():
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            path, seen = (origin.parent / target).resolve(), seen + 1
            waits = any(folder in (path, *path.parents) for folder in published)
            known = path in published or path.stem in (figures if path.parent.name == "figures" else STEMS)
            # what publishing makes may be absent until something is published, if it is going to be made
            if not path.exists() and not (waits and known and not MANIFESTS):
                broken.append(f"{name_of(origin)}: {target}")
    assert seen > 10 and not broken


@pytest.mark.parametrize("profile", ["laptop", "paper"])
def test_profiles_change_size_never_method(profile):
    files = sorted((ROOT / "notebooks" / "params" / profile).iterdir())
    assert [path.stem for path in files] == STEMS and {path.suffix for path in files} == {".yml"}
    for path in files:
        changes = yaml.safe_load(path.read_text())
        assert changes["profile"] == profile
        assert changes.keys() <= SIZE_KEYS, path
        merged = parameters.profile_parameters(path.stem, profile)
        assert changes.items() <= merged.items()


def test_the_smoke_profile_is_what_the_notebooks_declare():
    assert {path.name for path in (ROOT / "notebooks" / "params").iterdir()} == {"laptop", "paper"}
    for stem in BOOKS:
        declared = parameters.read_notebook(stem).declared
        assert parameters.profile_parameters(stem, "smoke") == declared
        if "source" in declared:
            assert declared["source"] == "prototypes", "a smoke run reads nothing that is not installed"


def tracked_files():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of the files that belong to it")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def as_stored(path):
    """What git would store of a file: of a notebook that somebody has run, not its outputs."""
    content = path.read_bytes()
    if path.suffix == ".ipynb" and path.parent == ROOT / "notebooks":
        tool = runpy.run_path(str(ROOT / "tools" / "strip_notebooks.py"))
        return tool["stripped"](content.decode("utf-8")).encode("utf-8")
    return content


def test_no_file_names_this_machine():
    places = [str(place) for place in (ROOT, Path.home()) if len(place.parts) > 1]
    pattern = re.compile("|".join(rf"(?<![\w.~/)}}-]){re.escape(place)}(?![\w-])" for place in places).encode())
    files = tracked_files()
    assert len(files) > 100 and pattern.search(b"see " + os.fsencode(ROOT) + b"/README.md")
    assert not [name_of(path) for path in files if pattern.search(as_stored(path))]


def test_the_repository_stays_small():
    models = ROOT / "data" / "models"
    sizes = {name_of(path): len(as_stored(path)) for path in tracked_files() if models not in path.parents}
    # the executed copies of the notebooks of figures and of numbers show every one of them, and so does this table
    limits = {"notebooks/executed/90_figures.ipynb": 3_000_000, "notebooks/executed/91_values.ipynb": 2_000_000}
    limits["paper/generated/values.tex"] = 2_000_000
    assert {name: size for name, size in sizes.items() if size > limits.get(name, 1_000_000)} == {}


@pytest.fixture(params=MANIFESTS or [None], ids=lambda path: path.parent.name if path else "none")
def published(request):
    if request.param is None:
        pytest.skip("nothing has been published yet")
    return request.param.parent, read_json(request.param)


def test_a_published_result_is_whole_and_belongs_to_a_notebook(published):
    folder, manifest = published
    assert folder.name in STEMS and manifest["record"]["profile"] in ("laptop", "paper")
    assert damaged_outputs(folder, manifest, published_only=True) == []
    expected = {"manifest.json", *(name for name, entry in manifest["outputs"].items() if entry["published"])}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == expected
    for name, entry in manifest["outputs"].items():
        assert not entry["released"] or sha256_of(released_model(folder.name, name)) == entry["sha256"]
    executed = ROOT / "notebooks" / "executed" / f"{folder.name}.ipynb"
    assert manifest["record"]["run_id"] in executed.read_text(encoding="utf-8")
    outputs = [out for cell in nbformat.read(executed, as_version=4).cells for out in cell.get("outputs", [])]
    assert outputs and not [out for out in outputs if out.output_type == "error"]


def test_published_tables_and_numbers_follow_from_the_published_results_byte_for_byte(tmp_path):
    """The figures are drawn and compared in ``tests/reporting/test_surroundings.py``."""
    if not MANIFESTS:
        pytest.skip("nothing has been published yet")
    written = produce.write_generated(Results(ROOT / "data" / "results"), tmp_path)
    committed = ROOT / "paper" / "generated"
    files = {str(path.relative_to(tmp_path)): path for path in written}
    there = {str(path.relative_to(committed)) for path in committed.rglob("*.*") if path.is_file()}
    assert files and there >= files.keys()
    different = [name for name, path in files.items() if path.read_bytes() != (committed / name).read_bytes()]
    assert not different, "make figures, then commit"

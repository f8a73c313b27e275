"""The manuscript asks for nothing that the results do not hold, and types no result by hand."""

import importlib.util
import re
from pathlib import Path

import pytest

from paperlib.lab.results import Results
from paperlib.reporting.claims import evaluate, read_claims
from paperlib.reporting.produce import FIGURES, write_generated
from paperlib.reporting.values import check_manuscript

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "paper"
SECTIONS = sorted((PAPER / "sections").glob("*.tex"))

_spec = importlib.util.spec_from_file_location(
    "synthetic_results", Path(__file__).with_name("reporting") / "synthetic_results.py"
)
synthetic_results = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(synthetic_results)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with the real manuscript and made-up results in it."""
    root = synthetic_results.write_repository(tmp_path_factory.mktemp("repository"))
    (root / "paper").mkdir()
    for name in ("main.tex", "sections", "refs.bib", "claims.yml"):
        (root / "paper" / name).symlink_to(PAPER / name)
    (root / "figures").mkdir()
    for module in FIGURES:
        (root / "figures" / f"{module.__name__.rpartition('.')[2]}.pdf").touch()
    return root


@pytest.fixture
def results(repository, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(repository))
    return Results(repository / "data" / "results")


def test_every_key_table_and_figure_is_one_that_notebooks_write(repository, results):
    write_generated(results, repository / "paper" / "generated")
    assert check_manuscript(repository / "paper", results, repository / "figures") == []


def test_the_published_results_hold_what_the_manuscript_prints():
    published = Results(ROOT / "data" / "results")
    needed = {stem for path in SECTIONS for stem in re.findall(r"\\val\w*\{(\d\d_\w+)", path.read_text())}
    missing = sorted(stem for stem in needed - {"00_overview"} if not published.has(stem))
    if missing:
        pytest.skip(f"not published yet: {', '.join(missing)}")
    assert check_manuscript(PAPER, published, ROOT / "figures") == []


def test_every_published_figure_is_in_the_manuscript():
    text = "".join(path.read_text() for path in SECTIONS)
    shown = set(re.findall(r"\\includegraphics(?:\[[^\]]*\])?\{\.\./figures/(\w+)\.pdf\}", text))
    published = {path.parent.name for path in (PAPER.parent / "data" / "results").glob("*/manifest.json")}
    drawn = [module for module in FIGURES if set(module.NEEDS) <= published]
    assert shown == {module.__name__.rpartition(".")[2] for module in drawn}


def test_every_citation_is_in_the_bibliography_and_every_entry_is_cited():
    text = "".join(path.read_text() for path in SECTIONS)
    cited = {key for keys in re.findall(r"\\cite[pt]\{([^}]*)\}", text) for key in keys.split(",")}
    entries = re.findall(r"^@\w+\{(\w+),", (PAPER / "refs.bib").read_text(), flags=re.M)
    assert len(entries) == len(set(entries))
    assert cited == set(entries)


def test_every_reference_has_its_label():
    text = "".join(path.read_text() for path in SECTIONS)
    assert set(re.findall(r"\\ref\{([^}]*)\}", text)) == set(re.findall(r"\\label\{([^}]*)\}", text))


@pytest.mark.parametrize("path", [p for p in SECTIONS if p.name.startswith("results_")], ids=lambda path: path.stem)
def test_results_sections_type_no_measured_number(path):
    text = re.sub(r"(?<!\\)%.*", "", path.read_text())
    text = re.sub(r"\\(?:val\w*|ifval|ref|label|input|citep|includegraphics)(?:\[[^\]]*\])?\{[^}]*\}", "", text)
    # 230 groups, 95 % intervals, top-1/3/5 and the power in |F|² are conventions, not results
    text = re.sub(r"\b230\b|95\\,\\%|[Tt]op-1(?:/3/5|, 3 and 5)?|\^2|0\.9\\textheight|\b0,", "", text)
    # names, too: of a data set, a licence, a series of compounds
    text = re.sub(r"3DSC|CC~BY~4\.0|LaFeAsO\$_\{1-x\}", "", text)
    text = re.sub(r"\$\\epsilon[^$]*\$|\$aN[^$]*\$|\{minipage\}\{[\d.]+", "", text)  # formulas and layout
    assert re.findall(r"\d+(?:\.\d+)?", text) == []


@pytest.mark.parametrize("path", [p for p in SECTIONS if p.name.startswith("results_")], ids=lambda path: path.stem)
def test_results_sections_say_what_they_asked_and_what_they_do_not_show(path):
    assert path.stem.removeprefix("results_") in {module.STEM for module in FIGURES}
    for part in (r"\question", r"\method", r"\result", r"\notshown"):
        assert path.read_text().count(part) == 1


def test_claims_are_about_values_that_notebooks_write(results):
    claims = read_claims(PAPER / "claims.yml")
    assert {claim.notebook for claim in claims} == {module.STEM for module in FIGURES}
    judged = evaluate(results, PAPER / "claims.yml")
    assert set(judged["holds"]) <= {"yes", "no"}, judged[judged["holds"] == "not computed"]
    for claim in claims:
        stems = {side.key[:2] for c in claim.comparisons for side in (c.left, c.right) if side.key}
        assert claim.notebook[:2] in stems


def test_run_cards_name_the_section_that_their_notebook_is_in():
    inputs = re.findall(r"\\input\{sections/results_(\d\d_\w+)\}", (PAPER / "main.tex").read_text())
    assert inputs == sorted(inputs) and len(inputs) > 10
    for place, stem in enumerate(inputs, start=1):
        card = (ROOT / "notebooks" / f"{stem}.ipynb").read_text()
        assert re.findall(r"In the paper \| Section 3\.(\d+)", card) == [str(place)], stem

import re
import shutil
import subprocess

import pytest

from paperlib.lab.store import write_text
from paperlib.reporting.values import check_manuscript, values_tex


@pytest.fixture
def paper(tmp_path, results):
    """A manuscript with nothing to complain about, to be spoilt; in its folder ``figures`` is one figure."""
    write_text(tmp_path / "figures" / "fig_labels.pdf", "")
    write_text(tmp_path / "generated" / "values.tex", values_tex(results, ["06_labels"]))
    write_text(
        tmp_path / "main.tex",
        "\\input{generated/values.tex}\n\\newcommand{\\x}[1]{\\val{#1}}\n\\input{sections/a}\n"
        "\\includegraphics[width=\\linewidth]{../figures/fig_labels.pdf}\n",
    )
    write_text(tmp_path / "sections" / "a.tex", "\\val{06_labels/direct_top1} % \\val{06_labels/nonsense}\n")
    return tmp_path


def _problems(paper, results, text=None):
    if text is not None:
        write_text(paper / "sections" / "a.tex", text)
    return check_manuscript(paper, results, paper / "figures")


def test_a_whole_manuscript_has_no_problems(paper, results):
    assert _problems(paper, results) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (r"\val{06_labels/direkt_top1}", "direkt_top1"),
        (r"\valint{99_nothing/at_all}", "99_nothing"),
        (r"\vallow{06_labels/n_train}", "no low"),
        (r"\valprofile{07_missing}", "07_missing"),
        (r"\input{generated/tables/absent}", "generated/tables/absent.tex"),
        (r"\includegraphics{../figures/fig_absent.pdf}", "fig_absent"),
        (r"\ifval{06_labels/direct_top1}{\val{06_labels/a}}{}", "'a'"),
        (r"\ifval{06_labels/nope}{}{\val{06_labels/b}}", "'b'"),
    ],
)
def test_what_is_missing_is_named(paper, results, text, named):
    (problem,) = _problems(paper, results, text)
    assert named in problem


def test_the_branch_that_is_not_taken_may_name_what_is_missing(paper, results):
    text = r"\ifval{06_labels/nope}{\val{06_labels/nope} \ifval{x/y}{\val{x/y}}{}}{\val{06_labels/n_train}}"
    assert _problems(paper, results, text) == []


def test_open_braces_are_an_error_that_shows_them(paper, results):
    with pytest.raises(ValueError, match="never closed"):
        _problems(paper, results, r"\ifval{06_labels/nope}{never closed")


def test_values_of_a_smoke_run_say_so(smoke_results):
    assert "smoke run, wiring check only" in values_tex(smoke_results, ["06_labels"])


def test_values_come_in_the_order_of_their_keys_without_repetition(results):
    text = values_tex(results, ["06_labels", "02_simulator"])
    keys = re.findall(r"csname paper@value@(\S+?)\\endcsname\{", text)
    assert len(keys) == len(set(keys))
    assert keys[0].startswith("06_labels") and keys[-1].startswith("02_simulator")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_prints_known_values_and_stops_at_an_unknown_one(paper, results):
    def build(body):
        write_text(
            paper / "main.tex",
            "\\documentclass{article}\\input{generated/values.tex}\\begin{document}" + body + "\\end{document}",
        )
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "main.tex"]
        return subprocess.run(command, cwd=paper, capture_output=True, text=True, check=False)

    good = r"\typeout{[\csname paper@interval@06_labels/direct_top1\endcsname]}\valint{06_labels/direct_top1}"
    done = build(good + r"\section{\val{06_labels/n_train}}\ifval{06_labels/nope}{\val{06_labels/nope}}{}")
    assert done.returncode == 0, done.stdout[-800:]
    assert "[61.2 [60.1, 62.3]]" in done.stdout
    bad = build(r"\val{06_labels/direkt_top1}")
    assert bad.returncode != 0
    assert "Unknown value '06_labels/direkt_top1'" in bad.stdout

import os
import shutil

import pytest

from paperlib.lab.store import write_text
from paperlib.reporting import pdf

MAIN = (
    "\\documentclass{article}\n\\input{generated/values.tex}\n\\begin{document}\n"
    "\\val{06_labels/direct_top1}%s\n\\end{document}\n"
)


@pytest.fixture
def sources(tmp_path, repository, monkeypatch, results):
    """A small repository with a one-line manuscript."""
    from paperlib.reporting.produce import write_generated

    for name in ("data", "notebooks"):
        (tmp_path / name).symlink_to(repository / name)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    write_generated(results, tmp_path / "paper" / "generated")
    write_text(tmp_path / "paper" / "main.tex", MAIN % "")
    return tmp_path


def test_without_tex_a_message_names_what_to_install(sources, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(sources / "nothing"))
    assert pdf.build_pdf() == 0
    said = capsys.readouterr().out
    assert "no PDF was built" in said
    assert "apt-get install" in said and "texlive-latex-recommended" in said
    assert not (sources / "paper" / "main.pdf").exists()


def test_a_manuscript_with_an_unknown_key_is_not_built(sources, capsys):
    write_text(sources / "paper" / "main.tex", MAIN % r"\val{06_labels/direkt}")
    assert pdf.build_pdf() == 1
    assert "direkt" in capsys.readouterr().out


needs_tex = pytest.mark.skipif(
    not (shutil.which("pdflatex") and shutil.which("latexmk")), reason="TeX is not installed"
)


@needs_tex
def test_two_builds_give_the_same_bytes(sources):
    assert pdf.build_pdf() == 0
    first = (sources / "paper" / "main.pdf").read_bytes()
    shutil.rmtree(sources / "build")
    os.remove(sources / "paper" / "main.pdf")
    assert pdf.build_pdf() == 0
    assert (sources / "paper" / "main.pdf").read_bytes() == first
    assert {path.name for path in (sources / "paper").iterdir()} == {"generated", "main.pdf", "main.tex"}


@needs_tex
def test_an_error_of_tex_is_shown(sources, capsys):
    write_text(sources / "paper" / "main.tex", MAIN % r"\undefinedcommand")
    assert pdf.build_pdf() == 1
    said = capsys.readouterr().out
    assert "! Undefined control sequence." in said and r"\undefinedcommand" in said

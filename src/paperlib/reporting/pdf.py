"""From the sources of the manuscript to a PDF, where TeX is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from paperlib.lab import paths
from paperlib.lab.results import Results
from paperlib.reporting.values import check_manuscript

PACKAGES = "latexmk texlive-latex-recommended texlive-fonts-recommended"
NO_TEX = f"""No TeX here: the manuscript was checked, but no PDF was built. On Debian or Ubuntu install it with
  apt-get install --no-install-recommends {PACKAGES}
and run the same command again. The figures are in figures/, the numbers in paper/generated/."""

_FAILED = 1
_SECONDS = 600


def build_pdf(root: Path | None = None) -> int:
    """Check the manuscript, build it in ``build/`` and put the PDF at ``paper/main.pdf``.

    Returns an exit status: 0 when the PDF was built, or when there is no TeX (a message says so); 1 when the
    manuscript lacks results or figures, or when TeX fails (the reason is printed).
    """
    root = root or paths.root()
    paper, build = root / "paper", root / "build"
    results = Results(root / "data" / "results")
    if problems := check_manuscript(paper, results, root / "figures"):
        print("The manuscript cannot be built:", *problems, sep="\n  ")
        return _FAILED
    if shutil.which("pdflatex") is None or shutil.which("latexmk") is None:
        print(NO_TEX)
        return 0
    build.mkdir(exist_ok=True)
    command = ["latexmk", "-pdf", "-halt-on-error", "-interaction=nonstopmode", f"-outdir={build}", "main.tex"]
    # the date of the newest results, so that the same results give the same PDF
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(_newest(results)), "FORCE_SOURCE_DATE": "1"}
    try:
        done = subprocess.run(
            command, cwd=paper, env=environment, capture_output=True, text=True, errors="replace", timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        print(f"latexmk did not end within {_SECONDS} s; its log is {build / 'main.log'}")
        return _FAILED
    if done.returncode != 0:
        print(_reason(done.stdout), f"The whole log is {(build / 'main.log').relative_to(root)}.", sep="\n")
        return _FAILED
    shutil.copyfile(build / "main.pdf", paper / "main.pdf")
    print(f"built {(paper / 'main.pdf').relative_to(root)}")
    return 0


def _newest(results: Results) -> int:
    finished = [results.manifest(stem)["record"]["finished"] for stem in results.stems()]
    return int(max((datetime.fromisoformat(time).timestamp() for time in finished), default=0))


def _reason(log: str) -> str:
    """The first error of a TeX log with what follows it, or its end where no line is marked as an error."""
    lines = log.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith("! ")), max(0, len(lines) - 15))
    return "\n".join(lines[first : first + 12])

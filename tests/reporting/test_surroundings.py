"""Published figures are the same bytes wherever they are drawn: settings, fonts, locale and threads do not show."""

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTFont

from paperlib.lab.results import Results
from paperlib.reporting.produce import FIGURES

ROOT = Path(__file__).parents[2]
PUBLISHED = Results(ROOT / "data" / "results")
NAMES = [module.__name__.rpartition(".")[2] for module in FIGURES if all(map(PUBLISHED.has, module.NEEDS))]
"""Figures whose results are published."""
QUICK = ["fig_bias", "fig_labels", "fig_random_structures", "fig_similar_structures"]
"""Drawn a second time: those with structure pictures and a heat map, whose last digits are many."""

DRAW = """
import locale, sys
from pathlib import Path
from paperlib.lab.results import Results
from paperlib.reporting import style
from paperlib.reporting.produce import FIGURES
# as in Germany, on machines too that have no such locale
locale._override_localeconv = {"decimal_point": ",", "thousands_sep": ".", "grouping": [3]}
results = Results(Path(sys.argv[1]))
for module in FIGURES:
    name = module.__name__.rpartition(".")[2]
    if name in sys.argv[3:]:
        style.save(module.draw(results), Path(sys.argv[2]) / name)
"""

MATPLOTLIBRC = """
axes.grid: True
axes.formatter.use_locale: True
font.family: serif
font.size: 14
text.usetex: True
savefig.bbox: tight
savefig.facecolor: yellow
figure.constrained_layout.h_pad: 0.5
lines.linewidth: 5
path.sketch: 1, 100, 2
"""


def _impostor(folder: Path) -> None:
    """A font of another width that calls itself DejaVu Sans, where users keep theirs."""
    folder.mkdir(parents=True)
    font = TTFont(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf")
    for name in font["name"].names:
        if name.nameID in (1, 4, 16):
            font["name"].setName("DejaVu Sans", name.nameID, name.platformID, name.platEncID, name.langID)
    font.save(folder / "DejaVuSans.ttf")


def _drawn(folder: Path, names: list[str], **surroundings: str) -> dict[str, bytes]:
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "MATPLOTLIB", "XDG_"))}
    command = [sys.executable, "-c", DRAW, str(ROOT / "data" / "results"), str(folder), *names]
    subprocess.run(command, check=True, env=kept | surroundings, cwd=folder)
    return {path.name: path.read_bytes() for path in folder.glob("fig_*")}


@pytest.fixture(scope="module")
def pinned():
    pins = dict(re.findall(r"^(\w+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    for package in ("matplotlib", "pillow"):
        if (here := metadata.version(package)) != pins[package]:
            pytest.skip(f"{package} {here} draws other bytes than {pins[package]}, which constraints.txt pins")


def _differing(drawn: dict[str, bytes]) -> list[str]:
    return sorted(name for name, content in drawn.items() if content != (ROOT / "figures" / name).read_bytes())


def test_no_setting_font_or_locale_of_the_user_shows_in_a_published_figure(pinned, tmp_path):
    _impostor(tmp_path / "home" / ".fonts")
    (tmp_path / "matplotlibrc").write_text(MATPLOTLIBRC)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    drawn = _drawn(
        tmp_path / "one", NAMES, HOME=str(tmp_path / "home"), MATPLOTLIBRC=str(tmp_path / "matplotlibrc"),
        MPLBACKEND="tkagg", TZ="Asia/Kolkata", LC_ALL="C.UTF-8", LANG="de_DE.UTF-8", PYTHONHASHSEED="7",
        SOURCE_DATE_EPOCH="86400", **threads,
    )  # fmt: skip
    assert len(drawn) == 2 * len(NAMES) > 20
    assert not _differing(drawn), "make figures, then commit"


def test_threads_hashes_and_an_encoding_without_umlauts_do_not_show_either(pinned, tmp_path):
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    drawn = _drawn(
        tmp_path / "two", QUICK, MPLBACKEND="svg", TZ="America/St_Johns", LC_ALL="C", PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0", PYTHONHASHSEED="3", PYTHONMALLOC="malloc", **threads,
    )  # fmt: skip
    assert len(drawn) == 2 * len(QUICK)
    assert not _differing(drawn)

"""Figures are the same bytes on every call, and a smoke run can be told from the paper's."""

import os
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from paperlib.reporting import style
from paperlib.reporting.names import ARMS, RULES, SCHEMES

DRAW = r"""
import sys, numpy as np
from paperlib.reporting import style
fig = style.figure("single", 2.0)
ax = fig.subplots()
ax.plot(np.linspace(0, 1, 50), np.linspace(0, 1, 50) ** 2, label=r"$P\,2_{1}/c$, 2θ (°)")
ax.imshow(np.outer(np.arange(5), np.arange(5)), extent=(0, 1, 0, 1), aspect="auto")
ax.fill_between([0, 1], [0, 1], rasterized=True)
ax.legend()
style.save(fig, sys.argv[1])
"""


def _draw(stem, hash_seed):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-c", DRAW, str(stem)], check=True, env=environment)
    return [stem.with_suffix(suffix).read_bytes() for suffix in (".pdf", ".png")]


def test_two_processes_write_the_same_bytes(tmp_path):
    first, second = _draw(tmp_path / "first", "1"), _draw(tmp_path / "second", "2")
    assert first == second
    for content in first:
        assert b"CreationDate" not in content
        assert b"atplotlib" not in content


def test_last_digits_of_the_layout_do_not_show(tmp_path):
    def drawn(noise):
        fig = style.figure("single", 2.0)
        fig.set_layout_engine("none")
        left, right = fig.subfigures(1, 2, width_ratios=(1 + noise, 1))
        left.add_axes((0.2 + noise, 0.2, 0.7, 0.7 - noise)).plot([0, 1], [0, 1], marker="o")
        right.add_axes((0.2, 0.2, 0.7, 0.7)).imshow([[0, 1], [1, 0]])
        return [path.read_bytes() for path in style.save(fig, tmp_path / "figure")]

    assert drawn(1e-9) == drawn(0)


def test_axes_stay_where_the_layout_put_them(tmp_path):
    fig = style.figure("double", 2.0)
    axes = fig.subplots(1, 2)
    fig.draw_without_rendering()
    before = [ax.get_position().bounds for ax in axes]
    style.save(fig, tmp_path / "figure")
    # half a per cent of the page: text is measured at the resolution of the file
    np.testing.assert_allclose([ax.get_position().bounds for ax in axes], before, atol=5e-3)


def test_fonts_are_embedded_as_truetype_at_journal_width(tmp_path):
    fig = style.figure("double", 2.0)
    fig.subplots().set_title("title")
    pdf, png = style.save(fig, tmp_path / "figure")
    assert b"/FontFile2" in pdf.read_bytes()
    assert b"/Type3" not in pdf.read_bytes()
    with Image.open(png) as image:
        assert image.width == round(7.2 * style.DPI)


def test_a_crowded_page_gets_a_smaller_png(tmp_path, monkeypatch):
    fig = style.figure("single", 2.0)
    fig.subplots().plot(np.random.default_rng(0).normal(size=500).cumsum())
    _, png = style.save(fig, tmp_path / "plain")
    plain = png.stat().st_size
    monkeypatch.setattr(style, "PNG_BYTES", plain - 1)
    _, png = style.save(fig, tmp_path / "small")
    assert png.stat().st_size < plain
    with Image.open(png) as image:
        assert image.width == round(3.5 * 200)


def test_colours_of_roles_are_different():
    assert len(set(style.DATABASE_COLOURS.values())) == len(style.DATABASE_COLOURS)
    for names in (RULES, SCHEMES):
        assert len({named.colour for named in names.values()}) == len(names)
    for shown in (
        ("direct", "summed", "frequency", "ceiling"),
        ("all_random", "equal_random", "equal_free", "single_free", "single_random"),
        ("real", "random_histogram", "balanced_small", "balanced_middle", "balanced_large", "wrong_labels"),
    ):
        assert len({ARMS[arm].colour for arm in shown}) == len(shown)
    assert len({named.label for named in ARMS.values()}) == len(ARMS)


@pytest.mark.parametrize(("width", "height"), [("triple", 2.0), ("single", 0.1), ("double", 30.0)])
def test_a_size_that_no_page_has_is_refused(width, height):
    with pytest.raises(ValueError, match=r"width=|height="):
        style.figure(width, height)


def test_a_figure_is_not_kept_by_pyplot():
    before = mpl.pyplot.get_fignums()
    style.figure()
    assert mpl.pyplot.get_fignums() == before


def _stamps(fig):
    return [text.get_text() for text in fig.texts if text.get_gid() == "stamp"]


def test_smoke_results_are_stamped_with_their_n(smoke_results):
    fig = style.figure()
    style.stamp(fig, smoke_results, "06_labels", 29)
    assert _stamps(fig) == ["smoke run, wiring check, n = 29"]


def test_laptop_results_are_not_stamped(results):
    fig = style.figure()
    style.stamp(fig, results, "06_labels", 29)
    assert _stamps(fig) == []

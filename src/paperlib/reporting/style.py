"""The look of every figure of the paper: sizes, type, colours, and files that do not change by themselves."""

from __future__ import annotations

import builtins
import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from paperlib.lab.results import Results
from paperlib.lab.store import atomic_path

WIDTHS = {"single": 3.5, "double": 7.2}
"""Widths of one and of two journal columns, in inches."""

DPI = 250
PNG_BYTES = 400_000
"""What a PNG in the repository should not exceed."""
_GRID = 2**14
"""Steps over the width and the height of a figure that axes begin and end at: 0.03 pt on the widest."""

# Okabe and Ito's palette (https://jfly.uni-koeln.de/color): told apart by colour-blind readers.
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
GREY, BLACK = "#7F7F7F", "#1A1A1A"

DATABASE_COLOURS = {"this set": GREEN, "ICSD": PURPLE, "COD": ORANGE}
RADIATION_COLOURS = {"xray": BLUE, "neutron": GREEN}
PATTERN = "#595959"
"""Colour of a pattern that is not compared with another one."""
POSITIVE, NEGATIVE = "#B2182B", "#2166AC"
"""Attribution for and against the class (the ends of the map ``SIGNED``)."""
SIGNED = "RdBu_r"
CAM = "YlOrBr"

RC = {
    # DejaVu Sans comes with matplotlib: the same glyphs, hence the same bytes, on every machine
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 1.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 0.9,
    "patch.linewidth": 0.5,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "figure.dpi": 150,
    "savefig.dpi": DPI,
    "savefig.bbox": None,
    "axes.formatter.use_mathtext": True,
}


@contextlib.contextmanager
def look() -> Iterator[None]:
    """The look of the paper while a figure is drawn: matplotlib's defaults and ``RC``, whatever a user's matplotlibrc
    says, which is in force again afterwards. Decorates the ``draw`` of every figure."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def figure(width: str = "single", height: float = 2.4) -> Figure:
    """An empty figure of one ("single") or two ("double") columns, ``height`` in inches.

    It is laid out by matplotlib's constrained layout and is not kept by pyplot, so that a notebook shows it once.
    What is drawn on it should be drawn under :func:`look`. Raises ValueError for another width or a height that no
    page holds.
    """
    if width not in WIDTHS:
        raise ValueError(f"{width=} is neither of {', '.join(WIDTHS)}")
    if not 0.5 <= height <= 9.6:
        raise ValueError(f"{height=} in is not between 0.5 and 9.6, the height of a page")
    with look():
        # pyplot tells a notebook how to show figures; elsewhere it would load the user's backend, and fail without a
        # display
        new = plt.figure if getattr(builtins, "__IPYTHON__", False) else Figure
        fig = new(figsize=(WIDTHS[width], height), layout="constrained")
        fig.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.03)
        plt.close(fig)
    return fig


def save(fig: Figure, path_stem: str | Path) -> list[Path]:
    """Write ``<path_stem>.pdf`` and ``.png``; return the two paths.

    Neither file holds a date or a software version, and the layout is settled first, so that equal figures are equal
    bytes. The PNG, for browsers, has few colours, and on a crowded page fewer points, to stay below ``PNG_BYTES``.
    """
    stem = Path(path_stem)
    pdf, png = stem.with_name(f"{stem.name}.pdf"), stem.with_name(f"{stem.name}.png")
    with look():
        _settle(fig)
        with atomic_path(pdf) as partial:
            nothing = {"CreationDate": None, "Creator": None, "Producer": None}
            fig.savefig(partial, format="pdf", metadata=nothing)
        image = _png(fig)
    with atomic_path(png) as partial:
        partial.write_bytes(image)
    return [pdf, png]


def _settle(fig: Figure) -> None:
    """Lay a figure out for good, its axes on a grid. The constraint solver adds up in an order that differs between
    processes, and the last digits of its result would show in the PDF."""
    shown, fig.dpi = fig.dpi, DPI
    fig.draw_without_rendering()
    fig.dpi = shown
    fig.set_layout_engine("none")
    for part in fig.subfigs:
        part.bbox_relative.set(_on_grid(part.bbox_relative))
    for ax in fig.axes:
        ax.set_position(_on_grid(ax.get_position(original=True)))


def _on_grid(box: Bbox) -> Bbox:
    return Bbox(np.round(box.get_points() * _GRID) / _GRID)


def _png(fig: Figure) -> bytes:
    """The figure as a PNG, with as many points and colours as ``PNG_BYTES`` allows."""
    for dpi, few in ((DPI, (256,)), (200, (256, 64, 24))):
        drawn = io.BytesIO()
        fig.savefig(drawn, format="png", dpi=dpi, metadata={"Software": None})
        with Image.open(drawn) as image:
            full = image.convert("RGB")
        for colours in few:
            reduced = io.BytesIO()
            image = full.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            image.save(reduced, format="PNG", optimize=True, dpi=(dpi, dpi))
            if len(reduced.getvalue()) <= PNG_BYTES:
                return reduced.getvalue()
    return reduced.getvalue()


def stamp(fig: Figure, results: Results, stem: str, n: int) -> None:
    """Mark a figure whose results come from a smoke run, or from changed parameters, with their ``n``.

    The laptop and paper profiles leave no mark; their captions name the profile.
    """
    profile = results.manifest(stem)["record"]["profile"]
    if profile in ("laptop", "paper"):
        return
    purpose = "wiring check" if profile == "smoke" else "not a published profile"
    strip = 0.13 / fig.get_figheight()
    fig.get_layout_engine().set(rect=(0, strip, 1, 1 - strip))
    text = f"{profile} run, {purpose}, n = {n}"
    fig.text(0.995, 0.03 / fig.get_figheight(), text, ha="right", va="bottom", size=6, color=VERMILION, gid="stamp")


def letter(ax: Axes, text: str) -> None:
    """The letter of a panel, in bold, at the left end above it."""
    ax.set_title(text, loc="left", weight="bold", size=8)


def database_colour(database: str) -> str:
    """The colour of a database in every figure; one without one of its own is sky blue."""
    return DATABASE_COLOURS.get(database, SKY)


def percent(fractions: np.ndarray | float) -> np.ndarray:
    """Fractions as percentages."""
    return 100 * np.asarray(fractions, dtype=float)

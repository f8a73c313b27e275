"""What stands for geddes in a browser, for which it is not compiled: points of two formats of instruments.

Where Python has geddes this module is never loaded; a test holds what it reads to what geddes reads.
"""

from __future__ import annotations

import io
import zipfile
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

HERE = (
    "this page reads text with columns (xy, xye, csv, dat), PANalytical xrdml and Rigaku rasx; for other formats ask "
    "'paperlib classify' in a terminal, which reads them all"
)


class Points(NamedTuple):
    """The first scan of a file."""

    x: np.ndarray
    y: np.ndarray


def read_bytes(content: bytes, name: str) -> Points:
    """The points of ``content`` in the format that the suffix of ``name`` says. Raises ValueError where they are not
    there, and ImportError for a format that is not read here."""
    kind = name.rpartition(".")[2]
    try:
        if kind == "xrdml":
            return _xrdml(content)
        if kind == "rasx":
            return _rasx(content)
    except (ElementTree.ParseError, zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"the file is damaged ({error})") from error
    raise ImportError(f"a file of the kind {kind}: {HERE}, or export the scan as text with two columns")


def _xrdml(content: bytes) -> Points:
    root = ElementTree.fromstring(content)
    scan = next(root.iterfind(".//{*}scan"), None)
    points = None if scan is None else next(scan.iterfind(".//{*}dataPoints"), None)
    if points is None:
        raise ValueError("the scan has no dataPoints")
    numbers = next((text for kind in ("intensities", "counts") if (text := _text(points, kind))), "")
    if not numbers:
        raise ValueError("the scan has neither intensities nor counts")
    y = np.array(numbers.split(), dtype=np.float64)
    for positions in points.iterfind("{*}positions"):
        if positions.get("axis") == "2Theta":
            if listed := _text(positions, "listPositions"):
                return Points(np.array(listed.split(), dtype=np.float64), y)
            ends = [float(_text(positions, f"{end}Position") or "nan") for end in ("start", "end")]
            return Points(np.linspace(*ends, len(y)), y)
    raise ValueError("the scan has no positions on the axis 2Theta")


def _rasx(content: bytes) -> Points:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        profiles = sorted(n for n in archive.namelist() if "/Profile" in n and n.lower().endswith(".txt"))
        if not profiles:
            raise ValueError("the file has no profile")
        text = archive.read(profiles[0]).decode("utf-8-sig")
    rows = [line.split()[:2] for line in text.splitlines() if line.strip()]
    x, y = np.array(rows, dtype=np.float64).T
    return Points(x, y)


def _text(element: ElementTree.Element, tag: str) -> str:
    found = next(element.iterfind(f"{{*}}{tag}"), None)
    return ("" if found is None else found.text or "").strip()

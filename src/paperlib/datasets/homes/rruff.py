"""The powder files of RRUFF as their home packs them: measured patterns told from calculated ones by their headers.

A file of ``XY_RAW.zip`` or ``XY_Processed.zip`` begins with lines such as ``##NAMES=Quartz``, followed by angle and
intensity. ``##DIFFRACTION SAMPLE DESCRIPTION=`` says what was measured: "Powder", or a single crystal whose powder
profile was calculated. ``DIF.zip`` holds calculated lines for the same samples, with the space group.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import gemmi

from paperlib.datasets.homes.zips import LeftOut, members, patterns_in
from paperlib.datasets.measured_sets import LabelledPattern, columns

HOME = "https://www.rruff.net/zipped_data_files/powder"

COPPER = 1.541838
"""Mean wavelength of Cu Kα (Å) as RRUFF's own DIF files state it, for the files that state none: RRUFF measures with
copper tubes, and most files leave it out."""

_DESCRIPTION = "DIFFRACTION SAMPLE DESCRIPTION"
_SPACE_GROUP = re.compile(r"^\s*SPACE GROUP:\s*(\S.*?)\s*$", re.MULTILINE | re.IGNORECASE)
_NUMBER = re.compile(r"\d*\.?\d+")


def measured(archive: Path, space_groups: dict[str, int]) -> Iterator[LabelledPattern | LeftOut]:
    """The measured patterns of an archive of XY files, and what is left out and why.

    ``space_groups`` is by sample, as :func:`space_groups_of` reads them. Raises ValueError for a damaged archive.
    """
    return patterns_in(
        archive, ".txt", lambda name, content: _pattern(name, content.decode("utf-8", errors="replace"), space_groups)
    )


def space_groups_of(archive: Path) -> dict[str, int]:
    """Space group numbers by sample (``Quartz__R040031-1``) out of an archive of DIF files; symbols that gemmi does not
    know are left out. Raises ValueError for a damaged archive."""
    found = {}
    for member in members(archive, ".txt"):
        if not isinstance(member, LeftOut) and (stated := _SPACE_GROUP.search(member[1].decode("utf-8", "replace"))):
            # as P2_1/c; a star marks an origin other than that of the tables
            group = gemmi.find_spacegroup_by_name(stated[1].lstrip("*").replace("_", ""))
            if group is not None:
                found[_sample(member[0])] = int(group.number)
    return found


def _pattern(name: str, text: str, space_groups: dict[str, int]) -> LabelledPattern:
    header: dict[str, str] = {}
    rows = []
    for line in text.splitlines():
        if line.startswith("##"):
            key, _, value = line[2:].partition("=")
            header.setdefault(key.strip().upper(), value.strip())
        elif line.strip() and not line.startswith("#"):
            rows.append(line.replace(",", " ").split()[:2])
    _refuse_calculated(header)
    sample = _sample(name)
    points = [_numbers(row) for row in rows]
    two_theta, intensity = columns(*zip(*points, strict=True)) if points else columns([], [])
    return LabelledPattern(
        two_theta,
        intensity,
        _wavelength(header),
        header.get("NAMES") or sample.partition("__")[0],
        sample.partition("__")[2] or header.get("RRUFFID", sample),
        space_groups.get(sample, 0),
    )


def _refuse_calculated(header: dict[str, str]) -> None:
    description = header.get(_DESCRIPTION, "").lower()
    if not description:
        raise ValueError("does not say whether it was measured")
    if "calculated" in description or "single" in description:
        raise ValueError("calculated, not measured")


def _numbers(row: list[str]) -> tuple[float, float]:
    """A line of a file; NaN for what is no pair of numbers, such as names of columns."""
    try:
        angle, counts = (float(text) for text in row)
        return angle, counts
    except ValueError:
        return math.nan, math.nan


def _wavelength(header: dict[str, str]) -> float:
    stated = _NUMBER.search(header.get("X-RAY WAVELENGTH", ""))
    return float(stated[0]) if stated else COPPER


def _sample(name: str) -> str:
    """Mineral and sample, as file names begin: ``Quartz__R1-1`` of ``Quartz__R1-1__Powder__DIF_File__9.txt``."""
    return "__".join(name.rpartition("/")[2].removesuffix(".txt").split("__")[:2])

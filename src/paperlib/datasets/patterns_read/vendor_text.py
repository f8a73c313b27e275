"""Bruker UXD, Rigaku RAS and GSAS histograms: geddes reads the points, the wavelengths stand in the header."""

from __future__ import annotations

import re

from paperlib.datasets.patterns_read.axis import TIME_OF_FLIGHT
from paperlib.datasets.patterns_read.beam import by_keys, in_prose, length
from paperlib.datasets.patterns_read.opened import EXPORT, Opened
from paperlib.datasets.patterns_read.scan import Scan, several
from paperlib.datasets.patterns_read.vendor_xml import of_wave_type

UXD = re.compile(r"^_(?:FILEVERSION|2THETACOUNTS|2THETACPS|COUNTS|CPS)\b", re.MULTILINE)
RAS = re.compile(r"^\*RAS_", re.MULTILINE)
GSAS = re.compile(r"^BANK\s+\d+\s+\d+\s+\d+\s+[A-Z]", re.MULTILINE)

_TIMES = ("TIME_MAP", "RALF", "SLOG", "LOG6", "LPSD")
"""How GSAS bins a time of flight."""


def uxd(source: Opened) -> Scan:
    """Bruker, ``_WL1=1.5406``; the header of the file, not those of its later ranges."""
    pairs = re.findall(r"^_([\w+]+)\s*=\s*'?([^'\n]*)'?", source.text, re.MULTILINE)
    header = {key.upper(): value.strip() for key, value in reversed(pairs)}
    x, y = source.points("pattern.uxd")
    scans = len(re.findall(r"^_(?:2THETA)?(?:COUNTS|CPS)\s*$", source.text, re.MULTILINE))
    return Scan("uxd", x, y, "degrees", by_keys(header, "WL1", "WL2", "WLRATIO", "WL_UNIT"), several(scans))


def ras(source: Opened) -> Scan:
    """Rigaku, ``*HW_XG_WAVE_LENGTH_ALPHA1 "1.540593"``."""
    pairs = re.findall(r'^\*(\w+)\s+"?([^"\n]*)"?', source.text, re.MULTILINE)
    header = {key: value.strip() for key, value in reversed(pairs)}
    unit = header.get("HW_XG_WAVE_LENGTH_UNIT")
    alpha1, alpha2, beta = (
        length(header.get(f"HW_XG_WAVE_LENGTH_{name}"), unit) for name in ("ALPHA1", "ALPHA2", "BETA")
    )
    beam = of_wave_type(header.get("MEAS_COND_XG_WAVE_TYPE", ""), alpha1, alpha2, beta)
    x, y = source.points("pattern.ras")
    return Scan("ras", x, y, "degrees", beam, several(source.text.count("*RAS_INT_START")))


def gsas(source: Opened) -> Scan:
    """GSAS: centidegrees become degrees; a wavelength stands at most in the comments before the data. Raises
    PatternError for a time of flight and for compressed records."""
    before = source.text[: GSAS.search(source.text).start()]
    banks = [line.split() for line in source.lines if GSAS.match(line)]
    if banks[0][4].upper() in _TIMES:
        raise source.error(f"GSAS binning {banks[0][4]}: {TIME_OF_FLIGHT}")
    x, y = source.points("pattern.gsas")
    if x.max() > 180:
        raise source.error(
            f"the first bank reaches {x.max():g} degrees: {TIME_OF_FLIGHT}; if these are angles, {EXPORT}"
        )
    return Scan("gsas", x, y, "degrees", in_prose(before.split("\n")), several(len(banks)))

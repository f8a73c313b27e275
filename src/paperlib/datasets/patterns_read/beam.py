"""The wavelength of a pattern: what its file states, what the user gave, and which of the two holds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paperlib.datasets.patterns_read.opened import Opened
from paperlib.diffraction.without_torch import K_ALPHA, MAX_DOUBLET, SHORTEST, mean_wavelength

LONGEST = 20.0
"""Å. Cold neutrons are used for powders up to some 10 Å."""

AGREES = 1e-3
"""Relative difference of two wavelengths below which they are the same: at Cu Kα it moves a line at 2θ = 90° by 0.1°.
The mean of Kα1 and Kα2 of copper lies 0.8e-3 above Kα1."""

ASK = (
    "give it: wavelength=1.5406 in Python, --wavelength 1.5406 in the terminal (Å; Cu Kα1 alone has 1.5406, "
    "Cu Kα1 and Kα2 together 1.5418)"
)

_TO_ANGSTROM = {"": 1.0, "a": 1.0, "å": 1.0, "nm": 10.0, "pm": 0.01, "m": 1e10}
_STATED = re.compile(
    r"(?:wave\s*[-_]?\s*length|\blambda|λ|_wl)[^\n]{0,30}?(?<![\d.])(\d*\.\d+(?:e[-+]?\d+)?)\s*([a-zåÅ]*)",
    re.IGNORECASE,
)
_RATIO = re.compile(r"ratio[^\n]{0,30}?(?<![\d.])(\d*\.\d+)", re.IGNORECASE)
_SECOND = re.compile(r"(?:alpha|α|ka|lambda|wavelength|λ|_wl)\W{0,2}2(?![.\d])", re.IGNORECASE)


@dataclass(frozen=True)
class Beam:
    """What is known of a beam: 0 and "" where something is not."""

    wavelength: float = 0.0
    """Å, of a doublet the first line."""
    second_wavelength: float = 0.0
    """Å, 0 for one line."""
    second_ratio: float = 0.5
    """Intensity of the second line relative to the first."""
    radiation: str = ""
    """``xray`` or ``neutron``."""

    @property
    def mean(self) -> float:
        """Å: the mean of the lines, weighted with their intensities."""
        return mean_wavelength(self.wavelength, self.second_wavelength, self.second_ratio)


def length(value: object, unit: str | None = "") -> float:
    """A stated wavelength in Å; 0 for what is no number or lies outside 0.05-20 Å (files write 0 for unknown)."""
    unit = (unit or "").strip().lower()
    try:
        number = float(str(value).strip()) * (1.0 if unit.startswith("ang") else _TO_ANGSTROM.get(unit, 1.0))
    except ValueError:
        return 0.0
    if not unit and is_tube(10 * number):
        number *= 10  # some programs write nm, and no beam in use has a tenth of a Kα line
    return number if SHORTEST <= number <= LONGEST else 0.0


def lines(alpha1: float, alpha2: float = 0.0, ratio: float | None = None, mean: float = 0.0) -> Beam:
    """X-rays of a tube from what its file states (Å, 0 for what it does not): both lines of the doublet where they are
    stated, else one of them, else their mean. ``ratio`` None is the 0.5 of all Kα; 0 says that Kα2 is not there."""
    first = alpha1 or mean or alpha2
    if not first:
        return Beam(radiation="xray")
    doublet = alpha1 and alpha2 and 0 < abs(alpha2 / alpha1 - 1) <= MAX_DOUBLET and (ratio is None or 0 < ratio <= 1)
    if not doublet:
        return Beam(first, radiation="xray")
    return Beam(alpha1, alpha2, 0.5 if ratio is None else ratio, "xray")


def in_prose(header: Sequence[str], decimal_comma: bool = False) -> Beam:
    """What the header lines of a text file state, ``Wavelength: 1.5406 A`` and the like; of several values the first.
    Units may be Å, nm, pm, or m, as pyFAI writes."""
    found: dict[str, float] = {}
    for line in header:
        if decimal_comma:
            line = re.sub(r"(?<=\d),(?=\d)", ".", line)
        if (ratio := _RATIO.search(line)) is not None:
            found.setdefault("ratio", float(ratio[1]))
        elif re.search(r"beta|β", line, re.IGNORECASE) is None and (stated := _STATED.search(line)) is not None:
            unit = stated[2] if stated[2].lower() in _TO_ANGSTROM else ""
            if value := length(stated[1], unit):
                found.setdefault("second" if _SECOND.search(line) else "first", value)
    beam = lines(found.get("first", 0.0), found.get("second", 0.0), found.get("ratio"))
    tube = beam.second_wavelength or is_tube(beam.wavelength)
    return Beam(beam.wavelength, beam.second_wavelength, beam.second_ratio, "xray" if tube else "")


def by_keys(values: Mapping[str, str], first: str, second: str, ratio: str = "", unit: str = "") -> Beam:
    """The lines of a tube by the keys under which a header holds them, with what the unit's key says."""
    alpha1, alpha2 = (length(values.get(key), values.get(unit, "")) for key in (first, second))
    try:
        weight = float(values[ratio])
    except (KeyError, ValueError):
        weight = None
    return lines(alpha1, alpha2, weight)


def is_tube(wavelength: float) -> bool:
    """Whether it is a Kα line of the anodes in use, so that nobody needs to say that these are X-rays."""
    return any(abs(wavelength / line - 1) < 4e-3 for line in K_ALPHA.values())


def settled(
    source: Opened, stated: Beam, wavelength: float | None, radiation: str | None
) -> tuple[Beam, tuple[str, ...]]:
    """The beam that holds, and warnings: what was given before what is stated, of which the doublet is kept where both
    agree within :data:`AGREES`. Raises PatternError where there is no wavelength, or none that makes sense."""
    warnings = []
    given = _checked(source, wavelength)
    if not (given or stated.wavelength):
        raise source.error(f"the file states no wavelength; {ASK}")
    beam = stated
    if given and min(abs(given / known - 1) if known else 1.0 for known in (stated.wavelength, stated.mean)) > AGREES:
        beam = Beam(given, radiation=stated.radiation)
        if stated.wavelength:
            warnings.append(f"the file states {stated.wavelength:g} Å; {given:g} Å was given and is taken")
    if radiation not in (None, "xray", "neutron"):
        raise source.error(f"radiation is {radiation!r}; use 'xray' or 'neutron'")
    if radiation and stated.radiation and radiation != stated.radiation:
        warnings.append(f"the file states {stated.radiation}; {radiation} was given and is taken")
    kind = radiation or stated.radiation
    if not kind:
        kind = "xray"
        if not is_tube(beam.wavelength):
            warnings.append("the file does not say whether these are X-rays or neutrons: taken as X-rays")
    return Beam(beam.wavelength, beam.second_wavelength, beam.second_ratio, kind), tuple(warnings)


def _checked(source: Opened, wavelength: float | None) -> float:
    if wavelength is None:
        return 0.0
    for anode, line in K_ALPHA.items():
        if abs(10 * wavelength / line - 1) < 4e-3:
            raise source.error(
                f"the wavelength {wavelength:g} is Kα of {anode} in nm; give it in Å: {10 * wavelength:g}"
            )
    if not (math.isfinite(wavelength) and SHORTEST <= wavelength <= LONGEST):
        raise source.error(f"the wavelength {wavelength:g} Å lies outside {SHORTEST:g}-{LONGEST:g} Å; {ASK}")
    return float(wavelength)

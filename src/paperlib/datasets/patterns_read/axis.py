"""What the x axis of a pattern is: by the name of its column, by its numbers where there is no name, and as 2θ."""

from __future__ import annotations

import re

import numpy as np

from paperlib.datasets.patterns_read.opened import Opened
from paperlib.datasets.patterns_read.scan import Scan

TIME_OF_FLIGHT = (
    "a time of flight, which has no 2theta at one wavelength; convert it to d-spacings, and name the column d"
)

_START = r"(?i)^[\s#!;'/\"*]*"
_UNIT = r"[\s_]*[\[(,;|/\t ]?[\s_]*"
AXES = {
    "radians": re.compile(_START + r"(?:2|two)[\s_-]*(?:th|θ)\w*" + _UNIT + r"rad"),
    "degrees": re.compile(_START + r"(?:\(?\s*(?:2|two)[\s_*-]*(?:th|θ)|tth\b|angle\b|position\b|deg(?:rees)?\b|°)"),
    "theta": re.compile(_START + r"(?:theta|θ|th|omega)\b"),
    "q_nm": re.compile(_START + r"(?:q|scattering vector|momentum transfer)" + _UNIT + r"(?:1\s*/\s*nm|nm)"),
    "q": re.compile(_START + r"(?:q\b|q_|scattering vector|momentum transfer)"),
    "d_nm": re.compile(_START + r"d(?:[\s_-]*spacings?)?" + _UNIT + r"nm\b"),
    "d": re.compile(
        _START + r"(?:d[\s_-]*spacings?\b|d[\s_-]*(?:value|hkl)s?\b|d\s*(?:[\[(,;|\t]|\s(?:i|y)\w*\s*$|$))"
    ),
    "time": re.compile(_START + r"(?:tof|time)\b"),
    "energy": re.compile(_START + r"(?:energy|kev|ev)\b"),
}
"""What the names of columns say, the first that fits; the last two cannot be converted."""

NEEDLESS = 12.0
"""Degrees: a range of angles that ends below this one is short, and one of q in Å⁻¹ usual."""

SHOWS = 4.0
"""Å: angles that show only larger d-spacings than this tell no crystal."""


_KEY = re.compile(r"^\W*[\w .-]+[:=]")
"""A line that states one thing, ``Time: 12:30``, and heads no column."""


def named(header: str) -> str:
    """The axis that a column header names, "" for none."""
    if _KEY.match(header):
        return ""
    return next((axis for axis, pattern in AXES.items() if pattern.match(header)), "")


def as_two_theta(source: Opened, scan: Scan, wavelength: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """2θ in degrees and intensity (n,) of a scan without missing values, in its order, and warnings.

    q (Å⁻¹ or nm⁻¹) and d (Å or nm) are converted by sin θ = λ q / 4π = λ / 2d. Raises PatternError for a time of
    flight and an energy, for numbers that cannot be angles, and for those that no name says to be angles and that
    look like q or d.
    """
    x, axis = scan.x, scan.axis
    if axis == "time":
        raise source.error(f"the x axis is {TIME_OF_FLIGHT}")
    if axis == "energy":
        raise source.error("the x axis is an energy; convert it to d-spacings in Å, and name the column d")
    if axis in ("q", "q_nm", "d", "d_nm"):
        return _through_d(source, x, scan.y, axis, wavelength)
    warnings = []
    if axis == "radians":
        x = np.degrees(x)
        warnings.append("2theta is in radians, converted to degrees")
    if axis == "theta":
        warnings.append("the angles are called theta and read as 2theta; double them if they are not")
    keep = x > 0
    if not keep.all():
        warnings.append(f"{np.sum(~keep)} points at 2theta of zero or less are left out")
    x, y = x[keep], scan.y[keep]
    _check_angles(source, x, axis, wavelength, warnings)
    return x, y, warnings


def _through_d(
    source: Opened, x: np.ndarray, y: np.ndarray, axis: str, wavelength: float
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    x, y = x[x > 0], y[x > 0]
    value = x * {"q": 1.0, "q_nm": 0.1, "d": 1.0, "d_nm": 10.0}[axis]
    sine = wavelength / (2 * value) if axis.startswith("d") else wavelength * value / (4 * np.pi)
    inside = sine < 1
    name = {"q": "q in 1/Å", "q_nm": "q in 1/nm", "d": "d in Å", "d_nm": "d in nm"}[axis]
    warnings = [f"x is {name}, converted to 2theta with {wavelength:g} Å"]
    if not inside.any():
        raise source.error(
            f"x is {name}, of which nothing can be seen with {wavelength:g} Å; give a shorter wavelength"
        )
    if not inside.all():
        warnings.append(f"{np.sum(~inside)} points cannot be seen with {wavelength:g} Å and are left out")
    return 2 * np.degrees(np.arcsin(sine[inside])), y[inside], warnings


def _check_angles(source: Opened, x: np.ndarray, axis: str, wavelength: float, warnings: list[str]) -> None:
    last = x.max(initial=0.0)
    if last >= 180:
        may_be = f" ({TIME_OF_FLIGHT}; or hundredths of a degree?)" if last > 1000 else ""
        raise source.error(f"x reaches {last:g}, and no 2theta does{may_be}; give 2theta in degrees")
    if axis:
        return
    seen = wavelength / (2 * np.sin(np.radians(last / 2))) if last > 0 else np.inf
    remedy = "write the name of the axis above its column: 2theta, q (1/A), q (1/nm) or d (A)"
    if _steps_grow(x):
        raise source.error(f"the steps of x grow with x, as those of d-spacings or times do, not of angles; {remedy}")
    if last < NEEDLESS and seen > SHOWS:
        raise source.error(
            f"x ends at {last:g}; as angles that shows d-spacings above {seen:.1f} Å only, so it may be q or d; "
            f"{remedy}"
        )
    if last < NEEDLESS:
        warnings.append(f"x ends at {last:g} and is read as angles; if it is q or d, {remedy}")


def _steps_grow(x: np.ndarray) -> bool:
    """Whether the step is about x² (d of equidistant angles or q) or x (logarithmic bins). Steps of angles are one or
    a few; means over stretches do not see the rounding of written numbers."""
    if len(x) < 50:
        return False
    ends = np.sort(x)[np.linspace(0, len(x) - 1, 11).astype(int)]
    steps, places = np.diff(ends), (ends[1:] + ends[:-1]) / 2
    if steps.min() <= 0 or steps.max() < 3 * steps.min() or np.sum(steps[1:] > 1.03 * steps[:-1]) < 8:
        return False
    return bool(np.polyfit(np.log(places), np.log(steps), 1)[0] > 0.8)

"""Powder CIF: profile, wavelengths and probe of the first block that holds a profile, read by gemmi.

geddes stops at a value that is missing and does not read q and d; here they are read.
"""

from __future__ import annotations

import re

import gemmi
import numpy as np
from gemmi import cif

from paperlib.datasets.patterns_read.axis import TIME_OF_FLIGHT
from paperlib.datasets.patterns_read.beam import Beam, is_tube, length, lines
from paperlib.datasets.patterns_read.opened import EXPORT, Opened
from paperlib.datasets.patterns_read.scan import Scan, several

POWDER = re.compile(r"^\s*data_", re.MULTILINE)
MAX_TEXT = 16 * 2**20
"""Characters: gemmi takes twenty times as many bytes where every second one is a value. The largest powder CIFs have
some 5 MB."""

X = {
    "_pd_proc_2theta_corrected": "degrees",
    "_pd_meas_2theta_scan": "degrees",
    "_pd_meas_angle_2theta": "degrees",
    "_pd_proc_recip_len_Q": "q",
    "_pd_proc_d_spacing": "d",
    "_pd_meas_time_of_flight": "time",
}
"""Positions in the order in which they are taken, and what they are."""
Y = (
    "_pd_proc_intensity_total",
    "_pd_meas_intensity_total",
    "_pd_meas_counts_total",
    "_pd_proc_intensity_net",
)
_RANGES = ("_pd_meas_2theta_range", "_pd_proc_2theta_range")
_PROBES = {"x-ray": "xray", "xray": "xray", "neutron": "neutron"}


def powder_cif(source: Opened) -> Scan:
    """The first profile. Raises PatternError for a CIF without one, a time of flight, and electrons."""
    if len(source.text) > MAX_TEXT:
        raise source.error(f"more than {MAX_TEXT // 2**20} MiB of CIF; {EXPORT}")
    try:
        document = cif.read_string(source.text)
    except (ValueError, RuntimeError) as error:
        line = re.match(r"[^:]*:(\d+)", str(error))
        raise source.error(f"no well-formed CIF ({error}); {EXPORT}", int(line[1]) if line else None) from error
    found = [(block, profile) for block in document if (profile := _profile(block)) is not None]
    if not found:
        raise source.error("a CIF without a powder profile (_pd_…): a crystal's CIF is read as a crystal")
    block, (x, y, axis) = found[0]
    if axis == "time":
        raise source.error(f"the x axis is {TIME_OF_FLIGHT}")
    blocks = [block, *(other for other in document if other.name != block.name)]
    probe = next((probe for one in blocks if (probe := _probe(source, one))), "")
    beam = next((beam for one in blocks if (beam := _beam(one)).wavelength), Beam())
    radiation = probe or ("xray" if is_tube(beam.wavelength) else "")
    beam = Beam(beam.wavelength, beam.second_wavelength, beam.second_ratio, radiation)
    return Scan("pdcif", x, y, axis, beam, several(len(found)))


def _profile(block: cif.Block) -> tuple[np.ndarray, np.ndarray, str] | None:
    intensity = next((_numbers(block, tag) for tag in Y if len(block.find_values(tag)) > 1), None)
    if intensity is None:
        return None
    for tag, axis in X.items():
        if len(block.find_values(tag)) == len(intensity):
            return _numbers(block, tag), intensity, axis
    for name in _RANGES:
        first, last, step = (cif.as_number(block.find_value(f"{name}_{end}") or "?") for end in ("min", "max", "inc"))
        if np.isfinite(first) and np.isfinite(step):
            return first + step * np.arange(len(intensity)), intensity, "degrees"
        if np.isfinite(first) and np.isfinite(last):
            return np.linspace(first, last, len(intensity)), intensity, "degrees"
    return None


def _numbers(block: cif.Block, tag: str) -> np.ndarray:
    """The values of a column without their uncertainties, NaN for ``?`` and ``.``."""
    return np.array([gemmi.cif.as_number(value) for value in block.find_values(tag)], dtype=np.float64)


def _beam(block: cif.Block) -> Beam:
    """One wavelength, or of a loop the two with the largest weights where they are a doublet. That of a time of flight
    is a column of its own."""
    stated = [length(cif.as_number(value)) for value in block.find_values("_diffrn_radiation_wavelength")]
    weights = [cif.as_number(value) for value in block.find_values("_diffrn_radiation_wavelength_wt")]
    if len(stated) > 1:
        weights = weights if len(weights) == len(stated) and np.all(np.isfinite(weights)) else [1.0, 0.5]
        (first, one), (second, two) = sorted(zip(stated, weights, strict=False), key=lambda pair: -pair[1])[:2]
        return lines(first, second, two / one if one > 0 else None)
    processed = [length(cif.as_number(value)) for value in block.find_values("_pd_proc_wavelength")]
    one = [value for value in (*stated, *(processed if len(processed) == 1 else ())) if value]
    return Beam(one[0] if one else 0.0)


def _probe(source: Opened, block: cif.Block) -> str:
    probe = cif.as_string(block.find_value("_diffrn_radiation_probe") or "?").lower()
    kind = cif.as_string(block.find_value("_diffrn_radiation_type") or "?").lower()
    if "electron" in (probe, kind):
        raise source.error("measured with electrons, of which nothing is known here; give X-rays or neutrons")
    return _PROBES.get(probe, "neutron" if "neutron" in kind else "")

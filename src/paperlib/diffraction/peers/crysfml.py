"""Powder patterns by CrysFML, the Fortran library beside FullProf, of the same crystals at the same points.

The optional package ``crysfml`` (``pip install .[crysfml]``) is asked through its own text format: the cell, every atom
of it in space group P 1, the wavelength and the widths. Its licence is the LGPL with a clause of the Institut
Laue-Langevin that forbids military use, so that it is asked only where somebody wants its patterns, in a process of its
own, and this library holds nothing of it.

What it computes otherwise than :mod:`paperlib.diffraction.simulate`:

- X-rays: f' and f'' always, from International Tables IV (1974), and no polarisation factor; of a crystal without a
  centre one of two Friedel opposites, where a powder shows the mean of both;
- neutrons: the length of samarium (:data:`OTHER_LENGTHS`);
- all in single precision.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import species_code, species_symbol
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.peers import crysfml_process
from paperlib.diffraction.peers.reference_profiles import profile_agreement
from paperlib.lab.store import write_json

MISSING = (
    "CrysFML is not installed: `pip install .[crysfml]` in the environment of this project (or `pip install crysfml`) "
    "brings it. Its licence is the LGPL with a clause of the Institut Laue-Langevin that forbids military use"
)
"""What is said where the package is not there."""

OTHER_LENGTHS = ("Sm",)
"""Elements whose coherent neutron length version 0.8.0 holds otherwise than Neutron News 3 (1992) 29-37: 8.0 fm for
the 0.80 fm of samarium. All others agree within 1 %."""

REACH = 6.0
"""Peaks are drawn to this many FWHM on each side; a Gaussian has long since fallen to nothing there."""

_RADIATIONS = {"xray": "X-rays", "neutron": "Neutrons"}


def available() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec("crysfml") is not None


def version() -> str:
    """The version that is installed. Raises ModuleNotFoundError, saying how to install it, where there is none."""
    if not available():
        raise ModuleNotFoundError(MISSING)
    return importlib.metadata.version("crysfml")


def cfl_lines(crystal: CrystalSet, instrument: Instrument) -> list[str]:
    """What the program is told: one crystal, all atoms of its cell, and one pattern on the grid of ``instrument``.

    Cells in Å and degrees, B in Å² (0 where it is unknown), widths in degrees², all as decimals. Raises ValueError for
    a set of another number of crystals and for an instrument that the program does not know.
    """
    if len(crystal) != 1:
        raise ValueError(f"one crystal makes one input, got {len(crystal)}")
    _check(instrument)
    first, last = instrument.two_theta
    wavelength = f"{instrument.wavelength:.6f}"
    widths = (*instrument.resolution, *instrument.lorentzian)
    lines = [
        "Title one crystal",
        "PATTERN_one 1",
        f"Patt_Type {_RADIATIONS[instrument.radiation]} Powder CW",
        "Zero_Sy 0.0 0.0 0.0",
        "Profile_function TCH_pVoigt",
        f"WDT {REACH}",
        "ASYM 0.0 0.0",
        f"LAMBDA {wavelength} {wavelength} 0.0",
        f"UVWXY {_decimals(widths)}",
        f"Gen_patt {_decimals((first, instrument.step, last))}",
        "Name_Patt one.xys",
        "END_PATTERN_one",
        "PHASE_one 1",
        f"Cell {_decimals(crystal.cell[0])}",
        "SPGR P 1",
    ]
    b_iso = np.nan_to_num(crystal.b_iso, nan=0.0)
    for i, code in enumerate(crystal.species.tolist()):
        symbol = species_symbol(code)
        numbers = _decimals((*crystal.frac[i], b_iso[i], crystal.occupancy[i]))
        lines.append(f"Atom {symbol}{i + 1} {symbol} {numbers}")
    return [*lines, "Contributes_to_patterns 1", "Scale_Factors 1.0", "END_PHASE_one", "CALCULATION_TYPE simulation"]


def crysfml_patterns(crystals: CrystalSet, instrument: Instrument) -> np.ndarray:
    """(n, n_points) float32 patterns of maximum 1 by CrysFML, on the grid of ``instrument``.

    Raises ModuleNotFoundError, saying how to install it, where the package is not there; ValueError for an instrument
    that it does not know, and, naming the crystal and what the program says, for a crystal that it cannot compute;
    RuntimeError, with its last words, where the program ends otherwise than it should.
    """
    if not available():
        raise ModuleNotFoundError(MISSING)
    inputs = [cfl_lines(crystals[np.array([i])], instrument) for i in range(len(crystals))]
    patterns, refused = _answers(inputs, instrument.grid())
    names = [f"crystal {i} ({name})" for i, name in enumerate(crystals.source_id)]
    if refused:
        raise ValueError(f"{names[len(patterns)]}: CrysFML says: {refused}")
    top = patterns.max(1, initial=0.0)
    if not (top > 0).all():
        raise ValueError(f"{names[int(np.argmin(top > 0))]}: CrysFML draws no line of it")
    return patterns / top[:, None]


def agreement(
    crystals: CrystalSet,
    rows: Mapping[Any, np.ndarray],
    theirs: Mapping[str, Mapping[Any, np.ndarray]],
    instruments: Mapping[str, Instrument],
) -> pd.DataFrame:
    """How far our patterns lie from CrysFML's, crystal by crystal.

    ``theirs`` has by radiation and split the patterns (n, n_points) of ``rows`` of the crystals. Ours are computed on
    each of ``instruments`` of that radiation, whatever CrysFML leaves out. Columns: ``compared`` (the key of the
    instrument), ``split``, those of :func:`paperlib.diffraction.peers.reference_profiles.profile_agreement`, and
    ``other_length``, whether it is a neutron pattern of a crystal with one of :data:`OTHER_LENGTHS`.
    """
    other = [species_code(symbol) for symbol in OTHER_LENGTHS]
    found = []
    for key, instrument in instruments.items():
        for split, patterns in theirs.get(instrument.radiation, {}).items():
            for row, pattern in zip(rows[split].tolist(), patterns, strict=True):
                crystal = crystals[np.array([row])]
                held = instrument.radiation == "neutron" and bool(np.isin(crystal.species, other).any())
                agreed = profile_agreement(str(crystal.source_id[0]), crystal, instrument, pattern)
                found.append({"compared": key, "split": split} | agreed | {"other_length": held})
    return pd.DataFrame(found)


def agreement_summary(table: pd.DataFrame) -> dict[str, tuple[float, int]]:
    """By name the median and the largest of the largest differences of a pattern, in units of its maximum, and the
    number of patterns: ``<compared>_median`` and ``<compared>_max`` of the table of :func:`agreement`, and the same
    with ``_same_lengths`` for crystals without :data:`OTHER_LENGTHS` where there are others."""
    parts = {str(key): part for key, part in table.groupby("compared", sort=False)}
    parts |= {
        f"{key}_same_lengths": part[~part["other_length"]]
        for key, part in parts.items()
        if 0 < part["other_length"].sum() < len(part)
    }
    measures = {"median": pd.Series.median, "max": pd.Series.max}
    return {
        f"{key}_{name}": (float(measure(part["max_difference"])), len(part))
        for key, part in parts.items()
        for name, measure in measures.items()
    }


def _answers(inputs: list[list[str]], grid: np.ndarray) -> tuple[np.ndarray, str]:
    """The patterns of ``inputs`` up to the first that is refused, and what the program says of that one, or ""."""
    places = os.pathsep.join(os.path.abspath(place) for place in sys.path)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        write_json(Path(folder) / crysfml_process.ASKED, {"inputs": inputs, "grid": grid.tolist()})
        line, environment = [sys.executable, "-m", crysfml_process.__name__], os.environ | {"PYTHONPATH": places}
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise RuntimeError(f"CrysFML ended with {done.returncode}: {(done.stderr or done.stdout)[-1000:].strip()}")
        with np.load(Path(folder) / crysfml_process.ANSWERS) as answers:
            return answers["patterns"], str(answers["refused"])


def _decimals(numbers: tuple[float, ...] | np.ndarray) -> str:
    return " ".join(f"{float(number):.8f}" for number in numbers)


def _check(instrument: Instrument) -> None:
    if instrument.radiation == "xray" and (instrument.polarisation or not instrument.anomalous):
        raise ValueError(
            "CrysFML's X-ray patterns hold f' and f'' and no polarisation factor: give an instrument with "
            "polarisation=False and anomalous=True"
        )
    if instrument.eta or instrument.second_wavelength or instrument.monochromator:
        raise ValueError(f"CrysFML is asked for one wavelength, no monochromator or fixed eta; not for {instrument}")

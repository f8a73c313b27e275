"""How far the line lists of two programs lie apart, pymatgen's calculation to compare with, and the summary of all
comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch

from paperlib.crystals.crystal_set import N_SPECIES
from paperlib.crystals.species import species_code
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.scattering import ScatteringTable

if TYPE_CHECKING:
    from pymatgen.core import Structure

MEASURES: dict[str, dict[str, tuple[str, str]]] = {
    "pymatgen": {
        "position_deviation": ("xray", "position (°)"),
        "r_their_f0": ("xray", "R of the lines, form factors of pymatgen"),
        "r_ours": ("xray", "R of the lines, own form factors"),
    },
    "cctbx": {
        "d_deviation": ("both", "d (relative)"),
        "xray_deviation": ("xray", "Σ|F|² (of the strongest line)"),
        "neutron_deviation": ("neutron", "Σ|F|² (of the strongest line)"),
    },
}
"""For programs that compute lines: the columns of a table of deviations, their radiation and what they measure."""

PROFILE_PROGRAMS = ("CrysFML", "FullProf")
"""Programs that compute profiles; tables of :mod:`paperlib.diffraction.peers.reference_profiles`."""

Lines = tuple[np.ndarray, np.ndarray]
"""Positions in degrees 2θ and intensities on any scale, both (r,)."""


class LineDisagreement(NamedTuple):
    """What :func:`line_disagreement` measures."""

    position: float
    """Largest difference of position in degrees 2θ of lines that both programs have; 0 where there is none."""
    intensity: float
    """R = Σ |I_1 - I_2| / Σ I_2 with both totals made equal: 0 for the same lists, 2 for lists without a common
    line."""


def _clusters(two_theta: np.ndarray, tolerance: float) -> np.ndarray:
    """(r,) number of the cluster of each of the rising positions: gaps above ``tolerance`` part clusters."""
    return np.concatenate([[0], np.cumsum(np.diff(two_theta) > tolerance)]).astype(np.int64)


def merge_lines(two_theta: np.ndarray, intensity: np.ndarray, tolerance: float) -> Lines:
    """Lines that lie closer than ``tolerance`` degrees 2θ to their neighbour joined into one.

    Takes positions (r,) in degrees, in any order, and intensities (r,), not negative; returns rising positions (means
    weighted with the intensities, plain ones where these are all zero) and summed intensities. Raises ValueError
    for other shapes and for negative intensities.
    """
    two_theta, intensity = np.asarray(two_theta, dtype=float), np.asarray(intensity, dtype=float)
    if two_theta.ndim != 1 or two_theta.shape != intensity.shape:
        raise ValueError(f"positions {two_theta.shape} and intensities {intensity.shape} must both have shape (r,)")
    if np.any(intensity < 0):
        raise ValueError(f"intensities must not be negative; the lowest is {intensity.min():.6g}")
    if not len(two_theta):
        return two_theta, intensity
    order = np.argsort(two_theta, kind="stable")
    two_theta, intensity = two_theta[order], intensity[order]
    cluster = _clusters(two_theta, tolerance)
    total = np.bincount(cluster, intensity)
    weight = np.where(total[cluster] > 0, intensity, 1.0)
    return np.bincount(cluster, weight * two_theta) / np.bincount(cluster, weight), total


def line_disagreement(first: Lines, second: Lines, tolerance: float = 0.002) -> LineDisagreement:
    """Disagreement of two line lists (position in degrees 2θ, intensity).

    The lines of both are pooled, and those closer than ``tolerance`` degrees to their neighbour count as one line, so
    that it does not matter where a program splits or merges them; a line that only one program has counts with its
    whole intensity. Positions are compared for lines that hold 1e-4 of the total or more in both. Raises ValueError
    for lists without intensity.
    """
    two_theta = np.concatenate([first[0], second[0]])
    owner = np.repeat([0, 1], [len(first[0]), len(second[0])])
    totals = [float(np.sum(lines[1])) for lines in (first, second)]
    if not all(np.isfinite(total) and total > 0 for total in totals):
        raise ValueError(f"both lists need a positive total intensity; they have {totals[0]:.6g} and {totals[1]:.6g}")
    share = np.concatenate([first[1] / totals[0], second[1] / totals[1]])
    order = np.argsort(two_theta, kind="stable")
    two_theta, owner, share = two_theta[order], owner[order], share[order]
    cluster = _clusters(two_theta, tolerance)
    sums = np.stack([np.bincount(cluster, share * (owner == i), cluster[-1] + 1) for i in (0, 1)])
    both = np.all(sums >= 1e-4, axis=0)
    moments = np.stack([np.bincount(cluster, two_theta * share * (owner == i), cluster[-1] + 1) for i in (0, 1)])
    centres = moments[:, both] / sums[:, both]
    return LineDisagreement(
        float(np.abs(centres[0] - centres[1]).max(initial=0.0)), float(np.abs(sums[0] - sums[1]).sum())
    )


def agreement_summary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per program, radiation and quantity: structures, median and worst deviation; nought is perfect.

    ``tables`` holds for "pymatgen" a row per structure with the columns of :data:`MEASURES`, for "cctbx" what
    :func:`paperlib.diffraction.peers.reference.cctbx_deviations` returns, for "CrysFML" and "FullProf" what
    :mod:`paperlib.diffraction.peers.reference_profiles` returns; programs may be missing. Raises ValueError for another
    program, an empty table and a missing column.
    """
    rows = []
    for program, table in tables.items():
        if program in MEASURES:
            columns = MEASURES[program]
        elif program in PROFILE_PROGRAMS:
            columns = dict.fromkeys(("radiation", "correlation", "r", "max_difference"))
        else:
            raise ValueError(f"no summary for {program!r}; known are {[*MEASURES, *PROFILE_PROGRAMS]}")
        missing = [column for column in columns if column not in table.columns]
        if missing or table.empty:
            raise ValueError(f"the table of {program} has {len(table)} rows and lacks the columns {missing}")
        if program in MEASURES:
            rows += [(program, radiation, what, table[column]) for column, (radiation, what) in columns.items()]
            continue
        for radiation, group in table.groupby("radiation", sort=True):
            rows.append((program, radiation, "1 - correlation of the profile", 1 - group["correlation"]))
            rows.append((program, radiation, "R of the profile", group["r"]))
            rows.append((program, radiation, "largest difference (of the maximum)", group["max_difference"]))
    return pd.DataFrame(
        [(*labels, len(values), float(values.median()), float(values.max())) for *labels, values in rows],
        columns=["program", "radiation", "quantity", "structures", "median", "worst"],
    )


def pymatgen_lines(structure: Structure, instrument: Instrument) -> Lines:
    """Lines of pymatgen's ``XRDCalculator`` or ``NDCalculator`` for the structure as it is given: positions in
    degrees 2θ and intensities.

    Lines closer than pymatgen's 1e-5 degrees are merged by it; lines below 1e-3 of the strongest, which it drops by
    default, are kept. It knows no monochromator, f' or f''. Raises ValueError for an instrument that asks for
    them or for a polarised beam, and for elements that pymatgen does not know.
    """
    from pymatgen.analysis.diffraction.core import AbstractDiffractionPatternCalculator
    from pymatgen.analysis.diffraction.neutron import NDCalculator
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    xray = instrument.radiation == "xray"
    if instrument.anomalous or instrument.monochromator or (xray and not instrument.polarisation):
        raise ValueError(f"pymatgen models neither f', f'', monochromators nor polarised beams: {instrument}")
    calculator = (XRDCalculator if xray else NDCalculator)(wavelength=instrument.wavelength)
    dropped = AbstractDiffractionPatternCalculator.SCALED_INTENSITY_TOL
    # pymatgen reads the threshold from the base class, so that only there can it be changed.
    AbstractDiffractionPatternCalculator.SCALED_INTENSITY_TOL = -1.0
    try:
        pattern = calculator.get_pattern(structure, scaled=False, two_theta_range=instrument.two_theta)
    finally:
        AbstractDiffractionPatternCalculator.SCALED_INTENSITY_TOL = dropped
    return np.asarray(pattern.x), np.asarray(pattern.y)


def pymatgen_form_factors() -> ScatteringTable:
    """pymatgen's X-ray form factors f0 = Z - 41.78214 s² Σ a exp(-b s²) (de Graef and McHenry, 2012) as a table
    for :func:`paperlib.diffraction.reflections.powder_reflections`, to compare everything but the form factors."""
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS
    from pymatgen.core import Element

    n_gaussians = max(len(rows) for rows in ATOMIC_SCATTERING_PARAMS.values())
    amplitude, width = np.zeros((N_SPECIES, n_gaussians)), np.zeros((N_SPECIES, n_gaussians))
    charge, known = np.zeros(N_SPECIES), np.zeros(N_SPECIES, dtype=bool)
    for symbol, rows in ATOMIC_SCATTERING_PARAMS.items():
        code = species_code(symbol)
        amplitude[code, : len(rows)], width[code, : len(rows)] = np.array(rows).T
        charge[code], known[code] = Element(symbol).Z, True
    tensors = [torch.from_numpy(x) for x in (-41.78214 * amplitude, width, charge, np.zeros(N_SPECIES))]
    return ScatteringTable("form factor of pymatgen", *tensors, known=known, times_s_squared=True)

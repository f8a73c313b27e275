"""The line lists of powder patterns: positions, multiplicities, |F|² and intensities of many crystals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.absences import present_table
from paperlib.diffraction.hkl import ReflectionTable, boxes, candidates, reflection_table
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.problems import crystal_problems, raise_problems
from paperlib.diffraction.scattering import ScatteringTable, scattering_table
from paperlib.diffraction.structure_factors import squared_structure_factors
from paperlib.lab.display import ROWS, counted, one_line, small_table

MEMORY_BUDGET = 256 * 2**20
"""Bytes that the working arrays may take by default; the results come on top."""

_BYTES_PER_CANDIDATE = 200


@dataclass(frozen=True, eq=False)
class Reflections:
    """Reflections of n crystals; those of crystal i are rows ``start[i]:start[i + 1]`` (r in all), by rising 2θ.

    One reflection stands for all equivalents; reflections that are not equivalent but fall together (333 and 511)
    keep rows of their own. All tensors lie on the device of the calculation.
    """

    crystal: Tensor
    """(r,) int64: index of the crystal."""
    hkl: Tensor
    """(r, 3) int16."""
    d: Tensor
    """(r,) float64: spacing in Å."""
    two_theta: Tensor
    """(r,) float64: degrees."""
    multiplicity: Tensor
    """(r,) int16: number of equivalents."""
    f_squared: Tensor
    """(r,) |F|² of one of them, for the conventional cell: electrons² (X-rays) or fm² (neutrons)."""
    intensity: Tensor
    """(r,) multiplicity × |F|² × Lorentz(–polarisation) factor; not divided by the volume of the cell."""
    start: Tensor
    """(n + 1,) int64."""

    def __repr__(self) -> str:
        lines, crystals = counted(len(self.d), "reflection"), counted(len(self.start) - 1, "crystal")
        ends = f"2θ {self.two_theta.min():.2f}° to {self.two_theta.max():.2f}°" if len(self.d) else ""
        return one_line("Reflections", f"{lines} of {crystals}", ends)

    def _repr_html_(self) -> str:
        names = ("crystal", "d", "two_theta", "multiplicity", "f_squared", "intensity")
        first = {name: getattr(self, name)[:ROWS].tolist() for name in names}
        hkl = [" ".join(map(str, index)) for index in self.hkl[:ROWS].tolist()]
        return small_table(repr(self), {"crystal": first.pop("crystal"), "hkl": hkl} | first, len(self.d))


def lorentz_polarisation(two_theta: Tensor, instrument: Instrument) -> Tensor:
    """Geometrical factor of a powder line at ``two_theta`` degrees (any shape).

    L = 1 / (sin²θ cos θ), for X-rays with ``polarisation`` times P = 1 + A cos²2θ, where A = cos²2θ_M for a
    monochromator at 2θ_M and 1 without; factors that are the same for all lines (4, 1 + A) are left out.
    International Tables C (2004), sections 6.2.5 and 6.2.6.
    """
    theta = torch.deg2rad(two_theta / 2)
    factor = 1 / (torch.sin(theta) ** 2 * torch.cos(theta))
    if instrument.radiation == "xray" and instrument.polarisation:
        monochromator = math.cos(math.radians(instrument.monochromator)) ** 2
        factor = factor * (1 + monochromator * torch.cos(2 * theta) ** 2)
    return factor


def powder_reflections(
    crystals: CrystalSet,
    instrument: Instrument,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
    *,
    margin: float = 0.0,
    scattering: ScatteringTable | None = None,
    memory_budget: int = MEMORY_BUDGET,
) -> Reflections:
    """The reflections of ``crystals`` in the range of ``instrument``, crystals in the order of the input.

    1. Crystals with ``standard`` set take one reflection of each set of equivalents of their Laue class, with
       its multiplicity, and leave systematic absences out; the others take half of all hkl, multiplicity 2.
    2. 1/d² = h G* hᵀ with the reciprocal metric G*; 2θ = 2 arcsin(λ / 2d); always in float64.
    3. |F|² in ``dtype``, see :mod:`paperlib.diffraction.structure_factors`; ``scattering`` replaces the usual
       table of form factors.
    4. Intensity = multiplicity × |F|² × :func:`lorentz_polarisation`.

    ``margin`` (degrees) widens the range at both ends. Absorption, extinction, anisotropic displacement and magnetic
    scattering are not modelled. Crystals are worked off in chunks whose arrays stay under ``memory_budget`` bytes
    (one crystal at least). Raises ValueError, naming each crystal, for crystals that
    :func:`paperlib.diffraction.problems.crystal_problems` objects to.
    """
    table = scattering or scattering_table(
        instrument.radiation, instrument.wavelength if instrument.anomalous else None, instrument.anomalous
    )
    raise_problems(crystals, crystal_problems(crystals, instrument, table))
    first, last = instrument.two_theta
    ends = max(first - margin, 1e-3), min(last + margin, 179.999)
    low, high = (2 * math.sin(math.radians(end / 2)) / instrument.wavelength for end in ends)
    parts = []
    number = np.where(crystals.standard, crystals.space_group, 1).astype(np.int64)
    present, laue = present_table(number)
    for chunk, tables, table_of in table_chunks(laue, number, crystals.cell, high, memory_budget):
        part = crystals[chunk]
        crystal, hkl, multiplicity, inverse_d_squared = candidates(
            tables, table_of, present, number[chunk], part.cell, (low, high), device
        )
        sine = torch.sqrt(inverse_d_squared) * (instrument.wavelength / 2)
        two_theta = torch.rad2deg(2 * torch.arcsin(sine))
        counts = torch.bincount(crystal, minlength=len(part)).cpu().numpy()
        start = np.concatenate([[0], np.cumsum(counts)])
        f_squared = squared_structure_factors(part, start, hkl, inverse_d_squared / 4, table, dtype, memory_budget)
        factor = multiplicity * lorentz_polarisation(two_theta, instrument)
        parts.append(
            Reflections(
                crystal=crystal + chunk.start,
                hkl=hkl,
                d=inverse_d_squared.rsqrt(),
                two_theta=two_theta,
                multiplicity=multiplicity,
                f_squared=f_squared,
                intensity=factor.to(dtype) * f_squared,
                start=torch.from_numpy(start).to(device),
            )
        )
    return _join(parts)


def table_chunks(
    laue: dict[int, str], number: np.ndarray, cell: np.ndarray, max_inverse_d: float, memory_budget: int
) -> Iterator[tuple[slice, list[ReflectionTable], np.ndarray]]:
    """Runs of crystals whose candidate reflections fit the budget, their tables, and which crystal takes which.

    Crystal i has the cell ``cell[i]`` ((n, 6), Å and degrees) and the asymmetric unit of ``laue[number[i]]``.
    """
    names = sorted(set(laue.values()))
    class_of = np.zeros(231, dtype=np.int64)
    for one, name in laue.items():
        class_of[one] = names.index(name)
    keys = np.column_stack([class_of[number], boxes(cell, max_inverse_d)])
    keys, table_of = np.unique(keys, axis=0, return_inverse=True)
    tables = [reflection_table(names[name], tuple(box)) for name, *box in keys.tolist()]
    cost = np.array([_BYTES_PER_CANDIDATE * len(table.hkl) for table in tables], dtype=np.int64)[table_of]
    begin = 0
    while True:
        total = np.cumsum(cost[begin:])
        end = begin + max(1, int(np.searchsorted(total, memory_budget, side="right")))
        used, local = np.unique(table_of[begin:end], return_inverse=True)
        yield slice(begin, min(end, len(cell))), [tables[i] for i in used], local
        begin = end
        if begin >= len(cell):
            return


def _join(parts: list[Reflections]) -> Reflections:
    columns = {f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Reflections) if f.name != "start"}
    counts = torch.cat([p.start.diff() for p in parts])
    return Reflections(start=torch.nn.functional.pad(counts.cumsum(0), (1, 0)), **columns)

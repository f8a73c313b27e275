"""What the extinction classes of a crystal family say about the lines of a given cell: which of them there are.

A *line* is all reflections that the symmetry of the empty lattice of the family makes equivalent. A *hypothesis* is a
class in one of the choices of axes that the family leaves open (:func:`paperlib.symmetry.axis_choices.axis_choices`);
choices that allow the same lines are one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from paperlib.diffraction.absences import N_CODES, holohedry, present_codes, reflection_codes
from paperlib.diffraction.hkl import candidates, reflection_table
from paperlib.diffraction.instrument import GAUSSIAN_REACH, Instrument
from paperlib.diffraction.reflections import MEMORY_BUDGET, table_chunks
from paperlib.symmetry.axis_choices import axis_choices
from paperlib.symmetry.extinction import extinction_classes
from paperlib.symmetry.groups import conforming_cell, crystal_family

FAMILIES = {
    "cubic": 221,
    "hexagonal": 191,
    "tetragonal": 123,
    "orthorhombic": 47,
    "monoclinic": 10,
    "triclinic": 2,
}
"""The crystal families, those of the strictest metric first, with a group that has the symmetry of the empty lattice
(hexagonal axes for all trigonal groups)."""

_SAMPLES_UP_TO = 36
"""Three different indices of each remainder modulo 12, zero apart: every code of a reflection occurs among them."""


class Hypotheses(NamedTuple):
    """What may be true of a cell of one family."""

    extinction_class: np.ndarray
    """(H,) int64: class of the scheme "absences"."""
    heights: np.ndarray
    """(H, N_CODES) uint8, by the code of a reflection of the asymmetric unit of the lattice: how many independent
    heights its line has. 0 is a forbidden line; 2 occur on rhombohedral lattices, where reflections fall together that
    the metric of the hexagonal axes alone makes equivalent."""


class Lines(NamedTuple):
    """Lines of n cells in the range of an instrument, allowed or not; those of cell i are rows
    ``start[i]:start[i + 1]`` (r in all)."""

    start: np.ndarray
    """(n + 1,) int64."""
    code: np.ndarray
    """(r,) int64: see :func:`paperlib.diffraction.absences.reflection_codes`."""
    first: np.ndarray
    """(r,) int64: the first point of the pattern that the line reaches."""
    profile: np.ndarray
    """(r, width) float64: a line of height 1 at the points from ``first`` on, Lorentz factor included."""


def family_of_cell(cell: np.ndarray, tolerance: float = 1e-4) -> np.ndarray:
    """(n,) the crystal family whose metric each of the cells (n, 6; Å, degrees, standard axes) shows, "hexagonal" for
    trigonal ones: the strictest within ``tolerance`` (relative, and in radians)."""
    families = np.full(len(cell), "triclinic", dtype="<U12")
    for family, group in reversed(FAMILIES.items()):
        families[conforming_cell(np.full(len(cell), group), cell, tolerance)] = family
    return families


@functools.cache
def hypotheses(family: str) -> Hypotheses:
    """The hypotheses about cells of a crystal family, by class and then by choice of axes."""
    laue = holohedry(FAMILIES[family])
    hkl = reflection_table(laue, (_SAMPLES_UP_TO,) * 3).hkl.astype(np.int64)
    code, some = np.unique(reflection_codes(*hkl.T), return_index=True)
    index, heights = [], []
    for number, members in enumerate(extinction_classes("absences")):
        if crystal_family(members[0]) == family:
            found = [_heights(members[0], laue, hkl[some] @ matrix) for matrix in axis_choices(family)]
            different = {row.tobytes(): row for row in found}
            index += [number] * len(different)
            heights += different.values()
    table = np.zeros((len(index), N_CODES), dtype=np.uint8)
    table[:, code] = heights
    table.setflags(write=False)
    return Hypotheses(np.array(index), table)


def _heights(number: int, laue: str, hkl: np.ndarray) -> np.ndarray:
    """(m,) uint8: how many heights the line of each of ``hkl`` (m, 3) has in a space group."""
    own = holohedry(number)
    present = present_codes(number, own)
    shown = present[reflection_codes(*hkl.T)].astype(np.uint8)
    if own == laue:
        return shown
    # what 6/mmm adds to -3m1 takes hkl to hk-l, which -3m1 does not where both h - k and l are positive
    h, k, l = hkl.T  # noqa: E741
    return shown + (present[reflection_codes(h, k, -l)] & (h > k) & (l > 0))


def lattice_lines(family: str, cell: np.ndarray, instrument: Instrument) -> Iterator[tuple[slice, Lines]]:
    """The lines of cells (n, 6) of one family, in successive chunks of them.

    A line is drawn as :func:`paperlib.diffraction.profile.draw_peaks` draws a Gaussian, its height multiplied by the
    Lorentz factor 1 / (sin 2θ sin θ).
    """
    laue, group = holohedry(FAMILIES[family]), FAMILIES[family]
    numbers, every, none = np.full(len(cell), group), np.ones((1, N_CODES), bool), np.zeros(len(cell), np.int64)
    ends = np.clip(np.add(instrument.two_theta, (-instrument.reach, instrument.reach)), 1e-3, 179.999)
    low, high = (2 * math.sin(math.radians(end / 2)) / instrument.wavelength for end in ends)
    for chunk, tables, table_of in table_chunks({group: laue}, numbers, cell, high, MEMORY_BUDGET):
        found = candidates(tables, table_of, every, none[chunk], cell[chunk], (low, high), "cpu")
        sine = np.sqrt(found.inverse_d_squared.numpy()) * (instrument.wavelength / 2)
        theta = np.arcsin(sine)
        two_theta = np.degrees(2 * theta)
        width = instrument.fwhm(torch.from_numpy(two_theta)).numpy()
        height = 1 / (np.sin(2 * theta) * sine * width)
        place, width = (two_theta - instrument.two_theta[0]) / instrument.step, width / instrument.step
        first = np.maximum(np.ceil(place - GAUSSIAN_REACH * width), 0).astype(np.int64)
        n_window = int(2 * GAUSSIAN_REACH * width.max(initial=0)) + 1
        away = (first[:, None] + np.arange(n_window) - place[:, None]) / width[:, None]
        profile = height[:, None] * np.exp2(-4 * away**2) * (np.abs(away) <= GAUSSIAN_REACH)
        start = np.concatenate([[0], np.cumsum(np.bincount(found.crystal.numpy(), minlength=len(table_of)))])
        code = reflection_codes(*found.hkl.numpy().astype(np.int64).T)
        yield chunk, Lines(start, code, first, profile)

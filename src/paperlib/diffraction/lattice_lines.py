"""All lines that the lattice of a crystal could show, allowed or forbidden, and places between them.

A *line* is a position 2θ of the empty primitive lattice of the conventional cell, by Bragg's law; it is allowed where
any reflection at this position is. What is put into a pattern is a line of a given height with the instrument's own
profile, at a place that the lattice gives or, as a control, off it.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.absences import N_CODES, oriented_laue_class, present_table, reflection_codes
from paperlib.diffraction.altered import SAME_LINE
from paperlib.diffraction.canvas import gaussian, lorentzian
from paperlib.diffraction.hkl import candidates
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.profile import peak_shape
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, table_chunks
from paperlib.lab import rng

MOVES = (0.5, 2.5)
"""Degrees 2θ by which a line is moved off the lattice, either way."""

_PLACES = 81
"""Places that are tried, evenly spread over both ways."""


@dataclass(frozen=True, eq=False)
class LatticeLines:
    """Reflections of the empty lattices of n crystals, one of each set of equivalents of the crystal's own Laue class;
    those of crystal i are rows ``start[i]:start[i + 1]`` (r in all), by rising 2θ."""

    crystal: np.ndarray
    """(r,) int64."""
    hkl: np.ndarray
    """(r, 3) int64."""
    d: np.ndarray
    """(r,) float64, Å."""
    two_theta: np.ndarray
    """(r,) float64, degrees."""
    allowed: np.ndarray
    """(r,) bool: the space group of the crystal does not extinguish it."""
    line: np.ndarray
    """(r,) int64: number of the line of its crystal that the reflection belongs to, from 0."""
    start: np.ndarray
    """(n + 1,) int64."""

    def of(self, crystal: int) -> slice:
        """The rows of one crystal."""
        return slice(int(self.start[crystal]), int(self.start[crystal + 1]))


def lattice_lines(crystals: CrystalSet, instrument: Instrument) -> LatticeLines:
    """The lattice lines of ``crystals`` in the range of ``instrument``. Raises ValueError for crystals that are not in
    the standard setting of their group, whose absences are not known here."""
    if not crystals.standard.all():
        raise ValueError(f"crystal {int(np.argmin(crystals.standard))} is not in the standard setting; standardise it")
    number = crystals.space_group.astype(np.int64)
    own, _ = present_table(number)
    laue = {int(n): oriented_laue_class(int(n)) for n in np.unique(number)}
    everything = np.ones((231, N_CODES), dtype=bool)
    ends = [2 * math.sin(math.radians(end / 2)) / instrument.wavelength for end in instrument.two_theta]
    crystal, hkl, inverse = [], [], []
    for chunk, tables, table_of in table_chunks(laue, number, crystals.cell, ends[1], MEMORY_BUDGET):
        found = candidates(tables, table_of, everything, number[chunk], crystals.cell[chunk], (ends[0], ends[1]), "cpu")
        crystal.append(found.crystal.numpy() + chunk.start)
        hkl.append(found.hkl.numpy().astype(np.int64))
        inverse.append(found.inverse_d_squared.numpy())
    of, indices, inverse_d_squared = np.concatenate(crystal), np.concatenate(hkl), np.concatenate(inverse)
    d = inverse_d_squared**-0.5
    start = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=len(crystals)))])
    begins = np.ones(len(d), dtype=bool)
    begins[1:] = (of[1:] != of[:-1]) | (d[:-1] > d[1:] * (1 + SAME_LINE))
    running = np.cumsum(begins) - 1
    return LatticeLines(
        crystal=of,
        hkl=indices,
        d=d,
        two_theta=np.degrees(2 * np.arcsin(instrument.wavelength / (2 * d))),
        allowed=own[number[of], reflection_codes(*indices.T)],
        line=running - running[np.minimum(start[:-1], len(d) - 1)][of],
        start=start,
    )


def widths(instrument: Instrument, two_theta: np.ndarray) -> np.ndarray:
    """FWHM in degrees of lines at ``two_theta`` (r,) degrees."""
    return peak_shape(instrument, torch.from_numpy(np.asarray(two_theta, dtype=np.float64)))[0].numpy()


def distance_to(places: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """(p,) degrees from each of ``places`` (p,) to the nearest of ``lines`` (r,), sorted; infinite without any."""
    lines = np.concatenate([[-np.inf], lines, [np.inf]])
    after = np.searchsorted(lines, places).clip(1, len(lines) - 1)
    return np.minimum(places - lines[after - 1], lines[after] - places)


def moved_off(
    two_theta: np.ndarray, lattice: np.ndarray, instrument: Instrument, seed: int, item: int, apart: float = 1.5
) -> np.ndarray:
    """Places off the lattice for lines at ``two_theta`` (m,), as a control: 0.5 to 2.5° away, inside the range, and at
    least ``apart`` widths from every line of ``lattice`` (r,), sorted, allowed or not. Which of the places that fulfil
    this is taken is a function of ``seed``, ``item`` and the number of the line; NaN where there is none."""
    ways = np.linspace(*MOVES, _PLACES // 2)
    offsets = np.concatenate([-ways[::-1], ways])
    places = np.asarray(two_theta)[:, None] + offsets
    low, high = instrument.two_theta
    free = distance_to(places.ravel(), lattice) > apart * widths(instrument, places.ravel())
    free = free.reshape(places.shape) & (places > low) & (places < high)
    drawn = np.floor(rng.uniform(seed, "moved", np.array([item]), max(1, len(places)))[0][: len(places)] * free.sum(1))
    chosen = np.argmax(np.cumsum(free, axis=1) > drawn[:, None], axis=1)
    return np.where(free.any(axis=1), places[np.arange(len(places)), chosen], np.nan)


def single_lines(
    item: np.ndarray, hkl: np.ndarray, two_theta: np.ndarray, n_items: int, instrument: Instrument
) -> Reflections:
    """Lines whose profile has the height 1: line j belongs to pattern ``item[j]`` ((m,), rising) of ``n_items`` and
    stands at ``two_theta[j]`` degrees; ``hkl`` (m, 3) is what they are called. To be drawn by
    :func:`paperlib.diffraction.profile.draw_peaks`, or as lines of a specimen."""
    place = torch.from_numpy(np.asarray(two_theta, dtype=np.float64))
    counts = np.bincount(item, minlength=n_items)
    lines = Reflections(
        crystal=torch.from_numpy(np.asarray(item, dtype=np.int64)),
        hkl=torch.from_numpy(np.asarray(hkl, dtype=np.int16)),
        d=instrument.wavelength / (2 * torch.sin(torch.deg2rad(place / 2))),
        two_theta=place,
        multiplicity=torch.ones(len(place), dtype=torch.int16),
        f_squared=torch.ones(len(place), dtype=torch.float64),
        intensity=torch.ones(len(place), dtype=torch.float64),
        start=torch.from_numpy(np.concatenate([[0], np.cumsum(counts)])),
    )
    return of_unit_height(lines, *peak_shape(instrument, place))


def of_unit_height(lines: Reflections, fwhm: Tensor, eta: Tensor) -> Reflections:
    """``lines`` with the intensities that give profiles of this width (degrees) and Lorentzian fraction, both (r,), the
    height 1; of a doublet, its first lines."""
    nothing = torch.zeros((), dtype=torch.float64)
    return dataclasses.replace(lines, intensity=fwhm / ((1 - eta) * gaussian(nothing) + eta * lorentzian(nothing)))

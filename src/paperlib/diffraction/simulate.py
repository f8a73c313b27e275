"""Powder patterns of crystals: the one call that notebooks and streams use."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.cpu import compiled_for, each_in_a_thread
from paperlib.diffraction.draws import Draws, draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.measurement import check_detector, detector_mask, measure
from paperlib.diffraction.problems import crystal_problems, raise_problems
from paperlib.diffraction.profile import draw_peaks, with_second_line
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, powder_reflections
from paperlib.diffraction.scattering import ScatteringTable, scattering_table
from paperlib.diffraction.specimen import broadest, specimen_patterns
from paperlib.diffraction.specimen import margin as widest_margin
from paperlib.symmetry.groups import laue_rotations

_BYTES_PER_LINE = 200
"""Of a line list while it is made and drawn."""

_BYTES_PER_POINT = 40
"""Of a pattern under construction, in float64 with the copies that noise and scaling need."""

_FAINT = 1e-6
"""Share of the strongest point below which what the detector sees is the foot of a line outside."""


def powder_patterns(
    crystals: CrystalSet,
    instrument: Instrument,
    device: torch.device | str = "cpu",
    normalise: str = "max",
    *,
    seed: int | None = None,
    imperfections: Imperfections | None = None,
    items: Tensor | np.ndarray | Sequence[int] | None = None,
    dtype: torch.dtype | None = None,
    memory_budget: int = MEMORY_BUDGET,
) -> Tensor:
    """(n, n_points) float32 powder patterns of ``crystals`` on the grid of ``instrument``, on ``device``.

    ``normalise="max"`` scales each pattern to a maximum of 1, the usual input of a network; ``"none"`` leaves
    multiplicity × |F|² × Lorentz(–polarisation) factor per degree 2θ (electrons² or fm² per degree, for the
    conventional cell). Lines just outside the range contribute their tails. Structure factors and peaks are computed
    in ``dtype`` (by default float32, or float64 where counts are drawn), positions and phases always in float64; a
    pattern does not depend on the others of its set beyond the rounding of ``dtype``.

    ``imperfections`` makes them patterns of imperfect specimens on an imperfect instrument. What is drawn is a function
    of ``seed`` and of the number of each crystal in ``items`` ((n,), from 0; by default its place in ``crystals``), and
    can be seen with :func:`paperlib.diffraction.draws.draw`. Counts are whole numbers, so that rounding,
    which differs between devices, can move a point by a whole count; in float64 it all but never does.

    Raises ValueError, naming each crystal by index and source id, for crystals that :func:`validate` lists and for
    those without a line where the detector measures; and for imperfections without a seed, for ``items`` that are no
    (n,) whole numbers, and for another ``normalise``.
    """
    if normalise not in ("max", "none"):
        raise ValueError(f"normalise is {normalise!r}; use 'max' or 'none'")
    margin, broad = instrument.reach, instrument
    if dtype is None:
        dtype = torch.float64 if imperfections is not None and imperfections.has("counts") else torch.float32
    if imperfections is not None:
        items = _item_numbers(seed, items, len(crystals), device)
        check_detector(imperfections, instrument)
        margin, broad = widest_margin(imperfections, instrument), broadest(imperfections, instrument)
    patterns = torch.empty((len(crystals), int(instrument.n_points)), dtype=torch.float32, device=device)
    dark: dict[int, str] = {}
    threads = torch.get_num_threads() if compiled_for(patterns.device) else 1
    budget = memory_budget // threads

    def fill(rows: slice) -> None:
        part = crystals[rows]
        try:
            reflections = powder_reflections(part, instrument, device, dtype, margin=margin, memory_budget=budget)
        except ValueError as error:
            raise _named(error, crystals, broad) from None
        found = _without_lines(reflections, instrument)
        if imperfections is None:
            batch = draw_peaks(reflections, instrument, budget)
            if normalise == "max":
                batch /= batch.amax(dim=1, keepdim=True)
        else:
            some, draws = items[rows], draw(imperfections, seed, items[rows], device)
            batch = specimen_patterns(reflections, part, instrument, imperfections, draws, budget)
            found += _unseen(batch, instrument, imperfections, draws)
            batch = measure(batch, instrument, imperfections, draws, seed, some, normalise, memory_budget=budget)
        dark.update((rows.start + i, reason) for i, reason in reversed(found))
        patterns[rows] = batch

    at_most = -(-len(crystals) // threads)
    batches = list(_batches(crystals, instrument, margin, budget, at_most))
    if threads > 1 and len(batches) > 1:
        each_in_a_thread(fill, batches)
    else:
        for rows in batches:
            fill(rows)
    raise_problems(crystals, sorted(dark.items()))
    return patterns


def _batches(
    crystals: CrystalSet, instrument: Instrument, margin: float, memory_budget: int, at_most: int
) -> Iterator[slice]:
    """Runs of crystals, one at least and ``at_most`` so many, whose line lists and patterns fit the budget.

    The number of lines is that of the points of the reciprocal lattice in the limiting sphere, divided by the order of
    the Laue class; nonsensical cells count as small ones, they are refused later.
    """
    last = math.radians(min(instrument.two_theta[1] + margin, 180.0) / 2)
    points = 4 * np.pi / 3 * cell_volume(crystals.cell) * (2 * math.sin(last) / instrument.wavelength) ** 3
    numbers = np.where(crystals.standard, np.clip(crystals.space_group, 1, 230), 1)
    lines = np.nan_to_num(points, nan=0.0, posinf=0.0) / _laue_orders()[numbers] + 50
    doubled = 2 if instrument.second_wavelength else 1
    cost = np.cumsum(_BYTES_PER_LINE * doubled * lines + _BYTES_PER_POINT * int(instrument.n_points))
    begin = 0
    while begin < len(crystals):
        spent = cost[begin - 1] if begin else 0.0
        end = max(begin + 1, int(np.searchsorted(cost, spent + memory_budget, side="right")))
        end = min(end, begin + at_most)
        yield slice(begin, end)
        begin = end


@functools.cache
def _laue_orders() -> np.ndarray:
    """(231,) number of rotations of the Laue class of each space group."""
    return np.array([1, *(len(laue_rotations(number)) for number in range(1, 231))])


def _item_numbers(seed: int | None, items: object, n: int, device: torch.device | str) -> Tensor:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ValueError(f"seed is {seed!r}; imperfections are drawn at random: give a whole number as seed")
    numbers = torch.arange(n, device=device) if items is None else torch.as_tensor(items, device=device)
    if numbers.shape != (n,):
        raise ValueError(f"items must number the {n} crystals, one number each; got the shape {tuple(numbers.shape)}")
    return numbers


def _named(error: ValueError, crystals: CrystalSet, instrument: Instrument) -> ValueError:
    """The error of a batch, with every bad crystal of the whole set named by its place in it. Batches are checked when
    their lines are computed; only where that fails is the whole set checked."""
    try:
        raise_problems(crystals, crystal_problems(crystals, instrument, _table(instrument)))
    except ValueError as named:
        return named
    return error


def validate(crystals: CrystalSet, instrument: Instrument) -> list[tuple[int, str]]:
    """(index, reason) of every crystal that :func:`powder_patterns` would refuse, by index.

    Reasons name the value and its unit: a cell without volume, too large, or not of the metric of its space group;
    coordinates that are not finite; an element without form factor or scattering length; an occupancy outside
    (0, 1]; no reflection, or none with any intensity, in the range of the instrument.
    """
    problems = crystal_problems(crystals, instrument, _table(instrument))
    good = np.setdiff1d(np.arange(len(crystals)), [i for i, _ in problems])
    for rows in _batches(crystals[good], instrument, 0.0, MEMORY_BUDGET, len(good)):
        batch = good[rows]
        reflections = powder_reflections(crystals[batch], instrument, dtype=torch.float32)
        problems += [(int(batch[i]), reason) for i, reason in _without_lines(reflections, instrument)]
    return sorted(problems)


def _table(instrument: Instrument) -> ScatteringTable:
    wavelength = instrument.wavelength if instrument.anomalous else None
    return scattering_table(instrument.radiation, wavelength, instrument.anomalous)


def _without_lines(reflections: Reflections, instrument: Instrument) -> list[tuple[int, str]]:
    """(index, reason) of crystals without a reflection, or without intensity, inside the range."""
    n = len(reflections.start) - 1
    reflections = with_second_line(reflections, instrument)
    first, last = instrument.two_theta
    inside = (reflections.two_theta >= first) & (reflections.two_theta <= last)
    count = torch.bincount(reflections.crystal[inside], minlength=n).cpu()
    total = torch.zeros(n, dtype=torch.float64, device=reflections.intensity.device)
    total.index_add_(0, reflections.crystal[inside], reflections.intensity[inside].to(torch.float64))
    place = f"between 2θ = {first:g}° and {last:g}° at {instrument.wavelength:g} Å"
    dark = [(int(i), f"no reflection lies {place}") for i in (count == 0).nonzero()]
    empty = (count > 0) & (total.cpu() == 0)
    return dark + [(int(i), f"no reflection {place} has any intensity") for i in empty.nonzero()]


def _unseen(
    patterns: Tensor, instrument: Instrument, imperfections: Imperfections, draws: Draws
) -> list[tuple[int, str]]:
    """(index, reason) of noise-free patterns of which nothing, background included, reaches the detector."""
    if imperfections.has("background") or imperfections.has("hump"):
        return []
    seen = torch.where(detector_mask(draws, instrument), patterns, 0).amax(1) > _FAINT * patterns.amax(1)
    ends = torch.stack([draws.detector_start, draws.detector_end], 1).tolist()
    return [
        (
            int(i),
            f"no line lies between {ends[i][0]:.4g}° and {ends[i][1]:.4g}°, where the detector measures; narrow "
            "the ranges of detector_start and detector_end, or add background",
        )
        for i in (~seen).nonzero()
    ]

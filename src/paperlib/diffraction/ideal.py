"""Reflection data: patterns of random cells whose lines say which reflections exist, and nothing else.

No atoms are involved. A cell of the right metric is drawn for each pattern, every reflection that its space group
allows gets a random height, and the lines are drawn like any others. A network that tells such patterns apart has
learnt the metric of the lattice and the reflection conditions.

Heights come in two families. ``line`` draws one height for each set of reflections that the symmetry of the empty
lattice makes equivalent; then space groups of one extinction class give the same patterns with the same probability,
and no model can tell them apart. ``laue``, the published variant (Baggett et al., arXiv:2604.23811, its notebook),
draws one for each set that the Laue class makes equivalent: two such sets on one line of 4/m add up, which never
happens in 4/mmm, so that the Laue class shows in the heights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.diffraction.absences import present_table
from paperlib.diffraction.hkl import BOX_EDGES, candidates
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.profile import draw_peaks
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, table_chunks
from paperlib.lab import rng
from paperlib.symmetry.groups import constraint_tables

EDGES = (3.0, 18.0)
"""Å: cell edges are log-uniform between these."""

ANGLES = (65.0, 115.0)
"""Degrees: free angles of triclinic cells are uniform between these."""

BETA = (91.0, 125.0)
"""Degrees: β of monoclinic cells is uniform between these."""

VOLUMES = (30.0, 2000.0)
"""Å³: cells outside are drawn anew."""

HEIGHTS = (5.0, 1000.0)
"""|F|² times multiplicity is uniform between these, on a scale without meaning."""

FAMILIES = ("line", "laue")

_INDEX_RANGE = 2 ** int(BOX_EDGES[-1]).bit_length()
"""Any index, shifted by half of this, fits into so many numbers."""


def random_cells(space_groups: np.ndarray | Sequence[int], seed: int, items: np.ndarray | None = None) -> np.ndarray:
    """(n, 6) float64: one cell (Å, degrees) of the metric of each of ``space_groups`` (n,).

    Cell i depends on ``seed``, ``items[i]`` (by default i) and the crystal system of its group alone; cells of one item
    and another system share the edges that both leave free. The volume is that of the conventional cell. Raises
    ValueError for a group outside 1-230.
    """
    numbers = np.asarray(space_groups, dtype=np.int64)
    items = np.arange(len(numbers)) if items is None else np.asarray(items, dtype=np.int64)
    for wrong in numbers[(numbers < 1) | (numbers > 230)][:1]:
        raise ValueError(f"space group {wrong} does not exist; give 1 to 230")
    equal_edge, fixed_angle = (table[numbers] for table in constraint_tables())
    lowest, highest = np.full((len(numbers), 3), ANGLES[0]), np.full((len(numbers), 3), ANGLES[1])
    monoclinic = np.isnan(fixed_angle).sum(axis=1) == 1
    lowest[monoclinic], highest[monoclinic] = BETA

    cells = np.empty((len(numbers), 6))
    remaining, attempt = np.arange(len(numbers)), 0
    while len(remaining):
        draws = rng.uniform(seed, f"ideal/cell/{attempt}", items[remaining], 6)
        edges = EDGES[0] * (EDGES[1] / EDGES[0]) ** draws[:, :3]
        edges = np.take_along_axis(edges, equal_edge[remaining], axis=1)
        angles = lowest[remaining] + draws[:, 3:] * (highest - lowest)[remaining]
        fixed = fixed_angle[remaining]
        angles = np.where(np.isnan(fixed), angles, fixed)
        drawn = np.concatenate([edges, angles], axis=1)
        volume = cell_volume(drawn)
        good = (volume >= VOLUMES[0]) & (volume <= VOLUMES[1])
        cells[remaining[good]] = drawn[good]
        remaining, attempt = remaining[~good], attempt + 1
    return cells


def ideal_patterns(
    space_groups: np.ndarray | Sequence[int],
    instrument: Instrument,
    seed: int,
    device: torch.device | str = "cpu",
    family: str = "line",
    *,
    items: np.ndarray | Sequence[int] | None = None,
    normalise: str = "max",
    dtype: torch.dtype = torch.float32,
    memory_budget: int = MEMORY_BUDGET,
) -> Tensor:
    """(n, n_points) float32 patterns of random cells of ``space_groups`` (n,), on ``device``.

    1. A cell: :func:`random_cells`.
    2. Each allowed reflection of the range, one per ``family``: a height uniform in ``HEIGHTS``, which belongs to its
       indices, so that another instrument sees the same specimen.
    3. Times the Lorentz factor 1 / (sin 2θ sin θ), without polarisation, as in the published data.
    4. Peaks of the instrument; ``normalise="max"`` scales each pattern to a maximum of 1, ``"none"`` leaves heights per
       degree.

    Pattern i depends on ``seed``, ``items[i]`` (by default i) and its space group alone. Patterns are worked off in
    chunks whose arrays stay under ``memory_budget`` bytes. Raises ValueError for a group outside 1-230, another
    ``family`` or ``normalise``, and, naming item and cell, where a pattern has no line in the range.
    """
    if family not in FAMILIES:
        raise ValueError(f"family is {family!r}; use 'line' or 'laue'")
    if normalise not in ("max", "none"):
        raise ValueError(f"normalise is {normalise!r}; use 'max' or 'none'")
    numbers = np.asarray(space_groups, dtype=np.int64)
    items = np.arange(len(numbers)) if items is None else np.asarray(items, dtype=np.int64)
    if numbers.ndim != 1 or items.shape != numbers.shape:
        raise ValueError(f"space_groups {numbers.shape} and items {items.shape} must both have the shape (n,)")
    cells = random_cells(numbers, seed, items)
    parts = [torch.zeros((0, int(instrument.n_points)), device=device)]
    for lines, chunk in _lines(numbers, cells, instrument, seed, device, family, items, dtype, memory_budget):
        patterns = draw_peaks(lines, instrument, memory_budget)
        inside = (lines.two_theta >= instrument.two_theta[0]) & (lines.two_theta <= instrument.two_theta[1])
        count = torch.bincount(lines.crystal[inside], minlength=len(patterns))
        if not bool(count.all()):
            i = chunk.start + int(torch.argmin(count))
            first, last = instrument.two_theta
            raise ValueError(
                f"item {items[i]} (space group {numbers[i]}, cell {np.round(cells[i], 3).tolist()} Å, degrees) has no "
                f"line between 2θ = {first:g}° and {last:g}° at {instrument.wavelength:g} Å; widen the range"
            )
        if normalise == "max":
            patterns /= patterns.amax(dim=1, keepdim=True)
        parts.append(patterns.to(torch.float32))
    return torch.cat(parts)


def _lines(
    numbers: np.ndarray,
    cells: np.ndarray,
    instrument: Instrument,
    seed: int,
    device: torch.device | str,
    family: str,
    items: np.ndarray,
    dtype: torch.dtype,
    memory_budget: int,
) -> Iterator[tuple[Reflections, slice]]:
    """Line lists of successive chunks, and the chunk. Lines stand in the order of the crystals, not of 2θ."""
    present, laue = present_table(numbers, lattice=family == "line")
    ends = np.clip(np.add(instrument.two_theta, (-instrument.reach, instrument.reach)), 1e-3, 179.999)
    low, high = (2 * math.sin(math.radians(end / 2)) / instrument.wavelength for end in ends)
    for chunk, tables, table_of in table_chunks(laue, numbers, cells, high, memory_budget):
        found = candidates(tables, table_of, present, numbers[chunk], cells[chunk], (low, high), device)
        h, k, l = (found.hkl.to(torch.int64) + _INDEX_RANGE // 2).T  # noqa: E741
        key = (h * _INDEX_RANGE + k) * _INDEX_RANGE + l
        item = torch.from_numpy(items[chunk]).to(device)[found.crystal]
        height = HEIGHTS[0] + (HEIGHTS[1] - HEIGHTS[0]) * rng.paired_uniform(seed, f"ideal/{family}", item, key)
        sine = torch.sqrt(found.inverse_d_squared) * (instrument.wavelength / 2)
        theta = torch.arcsin(sine)
        intensity = height / (torch.sin(2 * theta) * sine)
        counts = torch.bincount(found.crystal, minlength=chunk.stop - chunk.start)
        yield (
            Reflections(
                crystal=found.crystal,
                hkl=found.hkl,
                d=found.inverse_d_squared.rsqrt(),
                two_theta=torch.rad2deg(2 * theta),
                multiplicity=found.multiplicity,
                f_squared=height.to(dtype),
                intensity=intensity.to(dtype),
                start=torch.nn.functional.pad(counts.cumsum(0), (1, 0)),
            ),
            chunk,
        )

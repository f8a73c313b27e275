"""What makes it impossible to compute the pattern of a crystal, said before anything is computed."""

from __future__ import annotations

import math

import numpy as np

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.crystals.crystal_set import DEUTERIUM, CrystalSet
from paperlib.crystals.species import species_symbol
from paperlib.crystals.standardise import OCCUPANCY_TOLERANCE
from paperlib.diffraction.hkl import BOX_EDGES
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.kernels import find_crowded
from paperlib.diffraction.scattering import ScatteringTable, is_known
from paperlib.symmetry.groups import conforming_cell

MAX_REFLECTIONS = 2_000_000
"""Reflections of half the limiting sphere above which a cell is taken for a mistake."""

FLAT = 1e-4
"""Share of the volume of a box with the same edges up to which a cell is taken for one without volume."""

METRIC_TOLERANCE = 1e-4
"""Strain by which the cell of a crystal in the standard setting may miss the metric of its crystal system; the
lines that symmetry joins are shifted by no more than this fraction of d."""

SAME_PLACE = 1e-3
"""Rows of a crystal whose fractional coordinates differ by less than this, modulo 1, stand at one place."""

_BINS = 48


def crystal_problems(crystals: CrystalSet, instrument: Instrument, table: ScatteringTable) -> list[tuple[int, str]]:
    """(index, reason) of crystals that cannot be simulated, by index, one reason for each.

    Cells, coordinates, occupancies (of each row, and added up over the rows at one place, which may exceed 1 by
    the rounding that :data:`paperlib.crystals.standardise.OCCUPANCY_TOLERANCE` allows), displacement parameters,
    species (against ``table``), space group and size; whether a good crystal has lines in the range is found by
    :func:`paperlib.diffraction.simulate.validate`.
    """
    found: dict[int, str] = {}
    _check_cells(crystals, instrument, found)
    _check_sites(crystals, table, found)
    _check_places(crystals, found)
    return sorted(found.items())


def raise_problems(crystals: CrystalSet, problems: list[tuple[int, str]], shown: int = 5) -> None:
    """Raise ValueError with the first few of ``problems``, each crystal named by index and source id."""
    if not problems:
        return
    lines = [f"crystal {i} ({crystals.source_id[i]}): {reason}" for i, reason in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"and {len(problems) - shown} more")
    raise ValueError(
        f"{len(problems)} of {len(crystals)} crystals cannot be simulated; leave out those that "
        "paperlib.diffraction.simulate.validate lists:\n  " + "\n  ".join(lines)
    )


def _check_cells(crystals: CrystalSet, instrument: Instrument, found: dict[int, str]) -> None:
    cell = crystals.cell
    edges = cell[:, :3]
    # Lines beyond the end of the range, whose tails reach into it, are computed too.
    last = min(instrument.two_theta[1] + instrument.reach, 180.0)
    max_inverse_d = 2 * math.sin(math.radians(last / 2)) / instrument.wavelength
    with np.errstate(invalid="ignore", over="ignore"):
        volume = cell_volume(cell)
        good = np.all(np.isfinite(cell), axis=1) & (volume > FLAT * np.prod(edges, axis=1))
        n_reflections = 2 * np.pi / 3 * volume * max_inverse_d**3
        too_large = (n_reflections > MAX_REFLECTIONS) | np.any(edges * max_inverse_d > BOX_EDGES[-1], axis=1)
    for i in np.flatnonzero(~good):
        found[int(i)] = f"cell {_numbers(cell[i])} (Å, degrees) {_fault_of_cell(cell[i])}"
    for i in np.flatnonzero(good & too_large):
        found[int(i)] = (
            f"cell {_numbers(cell[i])} (Å, degrees) is too large: about {n_reflections[i]:.3g} reflections (limit "
            f"{MAX_REFLECTIONS}), indices to {edges[i].max() * max_inverse_d:.0f} (limit {BOX_EDGES[-1]})"
        )
    for i in np.flatnonzero((crystals.space_group < 1) | (crystals.space_group > 230)):
        found.setdefault(int(i), f"space group {crystals.space_group[i]} does not exist; give 1 to 230")
    standard = np.flatnonzero(crystals.standard)
    standard = standard[(crystals.space_group[standard] >= 1) & (crystals.space_group[standard] <= 230)]
    numbers = crystals.space_group[standard]
    for i in standard[~conforming_cell(numbers, cell[standard], METRIC_TOLERANCE)]:
        found.setdefault(
            int(i),
            f"cell {_numbers(cell[i])} (Å, degrees) does not have the metric of space group "
            f"{crystals.space_group[i]}; standardise the crystal, or set standard=False",
        )


def _check_sites(crystals: CrystalSet, table: ScatteringTable, found: dict[int, str]) -> None:
    crystal = np.repeat(np.arange(len(crystals)), crystals.n_sites)
    for i in np.flatnonzero(crystals.n_sites == 0):
        found.setdefault(int(i), "has no atoms")
    x, y, z = np.isfinite(crystals.frac).T
    for j in np.flatnonzero(~(x & y & z)):
        found.setdefault(int(crystal[j]), f"fractional coordinates {_numbers(crystals.frac[j])} are not finite")
    for j in np.flatnonzero(~is_known(table, crystals.species)):
        found.setdefault(int(crystal[j]), f"no {table.name} for {_name(crystals.species[j])}")
    occupancy = crystals.occupancy
    for j in np.flatnonzero(~((occupancy > 0) & (occupancy <= 1 + OCCUPANCY_TOLERANCE))):
        found.setdefault(int(crystal[j]), f"occupancy {occupancy[j]:.6g} of site {_site(crystals, j)} is not in (0, 1]")
    for j in np.flatnonzero((crystals.b_iso < 0) | np.isinf(crystals.b_iso)):
        found.setdefault(
            int(crystal[j]),
            f"displacement parameter B of site {_site(crystals, j)} is {crystals.b_iso[j]:.6g} Å²; it must be finite "
            "and not negative (NaN where unknown)",
        )


def _check_places(crystals: CrystalSet, found: dict[int, str]) -> None:
    """Rows at one place whose occupancies add up to more than 1: more atoms than the place can hold."""
    crowded = np.zeros(len(crystals), dtype=bool)
    find_crowded(crystals.frac, crystals.occupancy, crystals.site_start, SAME_PLACE, 1 + OCCUPANCY_TOLERANCE, crowded)
    for i in np.flatnonzero(crowded):
        rows = slice(int(crystals.site_start[i]), int(crystals.site_start[i + 1]))
        frac, species, occupancy = crystals.frac[rows], crystals.species[rows], crystals.occupancy[rows]
        apart = frac[:, None] - frac
        together = np.all(np.abs(apart - np.round(apart)) < SAME_PLACE, axis=2)
        total = np.sum(together * occupancy, axis=1)
        worst = int(total.argmax())
        if total[worst] > 1 + OCCUPANCY_TOLERANCE:
            atoms = ", ".join(f"{_name(species[j])} {occupancy[j]:.6g}" for j in np.flatnonzero(together[worst]))
            found.setdefault(
                int(i),
                f"occupancies at {_numbers(frac[worst])} add up to {total[worst]:.6g} ({atoms}), but one place holds "
                "1 at most",
            )


def _name(code: int) -> str:
    """Symbol of a species, or its code where that is none."""
    return species_symbol(int(code)) if 1 <= code <= DEUTERIUM else f"species code {code}"


def _fault_of_cell(cell: np.ndarray) -> str:
    """Why a cell that encloses no volume does not."""
    if not np.all(np.isfinite(cell)):
        return "is not finite"
    if np.any(cell[:3] <= 0):
        return "encloses no volume: edges must be positive"
    if np.any((cell[3:] <= 0) | (cell[3:] >= 180)):
        return "encloses no volume: angles must lie between 0 and 180 degrees"
    return "encloses no volume: no three axes make such angles"


def _site(crystals: CrystalSet, row: int | np.integer) -> int:
    """Number of a site within its crystal."""
    return int(row - crystals.site_start[np.searchsorted(crystals.site_start, row, side="right") - 1])


def _numbers(values: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"

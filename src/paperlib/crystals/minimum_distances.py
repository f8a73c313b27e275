"""How close two atoms may come, how much room an atom takes, and which elements are drawn from.

Radii and minimum distances are PyXtal's own (``Tol_matrix(prototype="atomic")``: half the sum of the covalent
radii of its element table, most of them Cordero et al., Dalton Trans. 2008, 2832; van der Waals radii after Bondi
and Alvarez), so that its crystals and ours obey the same rule.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import gemmi
import numpy as np

from paperlib.crystals.crystal_set import N_SPECIES
from paperlib.crystals.species import species_code, species_symbol


@functools.cache
def usable_elements() -> tuple[str, ...]:
    """Symbols of the elements with an X-ray form factor (gemmi ``it92``), a measured neutron scattering length
    (``neutron92``) and PyXtal's radii: both kinds of pattern can be computed for each crystal made of them."""
    smallest, largest = atomic_volumes()
    known = [z for z in range(1, 99) if smallest[z] > 0 and largest[z] > 0]
    usable = [gemmi.Element(z) for z in known]
    return tuple(e.name for e in usable if e.it92 is not None and e.neutron92.get_coefs()[0] != 0)


@functools.cache
def atomic_volumes() -> tuple[np.ndarray, np.ndarray]:
    """Å³ of the covalent and of the van der Waals sphere by species code, each (N_SPECIES,); 0 where PyXtal has no
    radius."""
    from pyxtal.database.element import Element

    smallest, largest = np.zeros(N_SPECIES), np.zeros(N_SPECIES)
    for z in range(1, 97):
        element = Element(z)
        smallest[z] = 4 / 3 * np.pi * (element.covalent_radius or 0.0) ** 3
        largest[z] = 4 / 3 * np.pi * (element.vdw_radius or 0.0) ** 3
    for table in (smallest, largest):
        table[N_SPECIES - 1] = table[1]  # deuterium takes as much room as hydrogen
        table.setflags(write=False)
    return smallest, largest


def minimum_distances(factor: float = 1.0, overrides: Mapping[tuple[str, str], float] | None = None) -> np.ndarray:
    """(N_SPECIES, N_SPECIES) Å by species codes: PyXtal's atomic tolerance matrix times ``factor``; ``overrides`` maps
    pairs of element symbols to a distance in Å (not multiplied). 0 where PyXtal has no value.

    Raises ValueError for a factor or distance that is not positive, and for an unknown element.
    """
    if not factor > 0:
        raise ValueError(f"distance_factor must be positive, got {factor}; 1 is PyXtal's")
    table = factor * _tolerances()
    for pair, distance in (overrides or {}).items():
        if not distance > 0:
            raise ValueError(f"min_distances[{pair}] must be a positive distance in Å, got {distance}")
        a, b = (species_code(symbol) for symbol in pair)
        table[a, b] = table[b, a] = distance
    return table


@functools.cache
def _tolerances() -> np.ndarray:
    from pyxtal.tolerance import Tol_matrix

    matrix = Tol_matrix(prototype="atomic")
    table = np.zeros((N_SPECIES, N_SPECIES))
    for a in range(1, 97):
        for b in range(1, 97):
            table[a, b] = matrix.get_tol(a, b) or 0.0
    table[-1], table[:, -1] = table[1], table[:, 1]
    table[-1, -1] = table[1, 1]
    return table


def element_codes(elements: tuple[str, ...]) -> np.ndarray:
    """(k,) species codes of symbols. Raises ValueError, naming it, for one that is unknown, has no radius, or is
    named twice."""
    codes = np.array([species_code(symbol) for symbol in elements], dtype=np.int64)
    for code in codes:
        if atomic_volumes()[0][code] == 0:
            raise ValueError(f"PyXtal has no radius for {species_symbol(int(code))}; leave it out of elements")
    if len(np.unique(codes)) != len(codes):
        raise ValueError(f"elements name one twice: {', '.join(elements)}")
    return codes

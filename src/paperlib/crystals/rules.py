"""The rules that random crystals obey: each with a default and the reason for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from paperlib.crystals.generator.attempts import Chemistry, Limits
from paperlib.crystals.minimum_distances import atomic_volumes, element_codes, minimum_distances, usable_elements

COMPOSITIONS = ("uniform", "database")


@dataclass(frozen=True)
class Rules:
    """Rules for random crystals. Pairs are (lowest, highest), both allowed. Raises ValueError for one that cannot
    be met, with the value and what to change."""

    composition: str = "uniform"
    """"uniform": elements, stoichiometry and positions at random as a user of PyXtal draws them; "database": as
    often as in ``statistics``."""
    statistics: Any = None
    """:class:`paperlib.crystals.database_statistics.DatabaseStatistics`, needed for "database"."""
    elements: tuple[str, ...] = field(default_factory=usable_elements)
    """Symbols to draw from; default: those whose X-ray and neutron patterns can both be computed."""
    n_species: tuple[int, int] = (2, 4)
    """Different elements per crystal: 94 % of the Materials Project structures are binary to quaternary."""
    atoms_per_lattice_point: tuple[int, int] = (4, 48)
    """Atoms per primitive cell aimed at, log-uniform: the 5 % and 95 % quantiles of the Materials Project
    structures, with their median (14). Multiplicities round it."""
    max_atoms: int = 200
    """Most atoms per conventional cell: the largest that PyXtal users and most classifiers' training sets hold."""
    max_coefficient: int = 4
    """Stoichiometric coefficients are drawn from 1 … this before multiplicities round them."""
    n_sites: tuple[int, int] = (1, 200)
    """Occupied Wyckoff positions; open by default, as in PyXtal: only P1 comes near the atoms per cell."""
    volume_factor: float = 1.1
    """Cell volume over the sum of atomic spheres (drawn between covalent and van der Waals radius): PyXtal's."""
    volume_per_atom: tuple[float, float] = (0.75, 200.0)
    """Å³. The lower bound is PyXtal's; the upper one is above what its estimate gives for any element."""
    axial_ratio: float = 10.0
    """Largest ratio of two edges: PyXtal's."""
    angles: tuple[float, float] = (30.0, 150.0)
    """Degrees, of the angles that the metric leaves free: PyXtal's."""
    shortest_edge: float = 1.2
    """Å: PyXtal's."""
    distance_factor: float = 1.0
    """Multiplies PyXtal's minimum distances (half the sum of the covalent radii)."""
    min_distances: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Å for single pairs of elements, e.g. ``{("O", "O"): 2.2}``."""
    symmetry_margin: float = 0.1
    """Å: a crystal is rejected if an operation beyond its group carries every atom to within this distance of a like
    atom. Ten times spglib's usual tolerance: labels hold at symprec 0.1 too, and no pattern is a blurred version of
    that of a higher group."""
    max_compositions: int = 300
    """Compositions that an item may try before the rules are called impossible for its group."""

    def __post_init__(self) -> None:
        if self.composition not in COMPOSITIONS:
            raise ValueError(f"composition={self.composition!r} is unknown; choose one of {', '.join(COMPOSITIONS)}")
        if (self.composition == "database") != (self.statistics is not None):
            raise ValueError(
                "composition='database' and statistics=DatabaseStatistics.learn(crystals) belong together; got "
                f"composition={self.composition!r} and statistics {'missing' if self.statistics is None else 'given'}"
            )
        object.__setattr__(self, "elements", tuple(self.elements))
        for name in ("n_species", "atoms_per_lattice_point", "n_sites", "volume_per_atom", "angles"):
            low, high = getattr(self, name)
            if not 0 < low <= high < math.inf:
                raise ValueError(f"{name}={(low, high)} must be two positive numbers, the lower one first")
        for name in ("max_atoms", "max_coefficient", "max_compositions"):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name}={value!r} must be a whole number of at least 1")
        for name in ("volume_factor", "shortest_edge", "symmetry_margin"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)!r} must be a positive number")
        if not self.axial_ratio > 1:
            raise ValueError(f"axial_ratio={self.axial_ratio!r} must be above 1")
        if self.angles[1] >= 180:
            raise ValueError(f"angles={self.angles} must lie below 180 degrees")
        if self.n_species[1] > len(self.elements):
            raise ValueError(f"n_species={self.n_species} needs more elements than the {len(self.elements)} given")
        self._check_room()

    def _check_room(self) -> None:
        """Refuse minimum distances that not even the densest packing of spheres meets."""
        codes = element_codes(self.elements)
        table = minimum_distances(self.distance_factor, self.min_distances)
        closest = float(np.diagonal(table)[codes].min())
        # Of k species one makes up at least 1/k of the atoms, and each of its atoms takes d^3 / sqrt(2).
        needed = closest**3 / math.sqrt(2) / self.n_species[1]
        offered = self.volume_per_atom[1]
        if self.composition == "uniform":
            offered = min(offered, self.volume_factor * float(atomic_volumes()[1][codes].max()))
        if needed > offered:
            raise ValueError(
                f"no cell allows these rules: atoms of one element stay {closest:.2f} Å apart, which takes at least "
                f"{needed:.1f} Å³ per atom even close-packed, and at most {offered:.1f} Å³ are offered; lower "
                "distance_factor or min_distances, or raise volume_factor or volume_per_atom"
            )

    def limits(self) -> Limits:
        """The rules as compiled code reads them. PyXtal tries 40 cells of 10 placements for a composition."""
        return Limits(
            volume_factor=float(self.volume_factor),
            volume_low=float(self.volume_per_atom[0]),
            volume_high=float(self.volume_per_atom[1]),
            angle_low=float(self.angles[0]),
            angle_high=float(self.angles[1]),
            ratio=float(self.axial_ratio),
            edge=float(self.shortest_edge),
            margin=float(self.symmetry_margin),
            sites_low=int(self.n_sites[0]),
            sites_high=int(self.n_sites[1]),
            cells=40,
            placements=10,
            symmetry_failures=20,
        )

    def chemistry(self) -> Chemistry:
        """Minimum distances and volumes by species code."""
        smallest, largest = atomic_volumes() if self.statistics is None else (self.statistics.atomic_volume,) * 2
        distances = minimum_distances(self.distance_factor, self.min_distances)
        return Chemistry(distances, np.array(smallest), np.array(largest))

    def volume_ratio(self) -> np.ndarray:
        """Quantiles of the cell volume over the sum of the atomic volumes where they are learnt, else empty."""
        return np.zeros(0) if self.statistics is None else self.statistics.volume_ratio

    def described(self) -> dict[str, Any]:
        """The rules as plain values for JSON; the statistics by their checksum."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("statistics", "min_distances")}
        plain["min_distances"] = {"-".join(pair): value for pair, value in sorted(self.min_distances.items())}
        plain["statistics"] = None if self.statistics is None else self.statistics.checksum()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in sorted(plain.items())}


def rules_from(**rules: Any) -> Rules:
    """:class:`Rules` from keywords. Raises ValueError for a keyword that is no rule."""
    known = [f.name for f in fields(Rules)]
    if unknown := sorted(set(rules) - set(known)):
        raise ValueError(f"unknown rule {', '.join(unknown)}; the rules are {', '.join(known)}")
    return Rules(**rules)

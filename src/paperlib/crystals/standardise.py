"""From the atoms of one cell to a crystal in the standard setting, and back to pymatgen.

The work is done on plain arrays: one spglib call (two in the groups with two origins) per crystal and no
structure objects, about a millisecond each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import spglib

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import mixture_key, reduced_formula, species_code, species_symbol
from paperlib.symmetry.groups import cell_constraints, hall_number

if TYPE_CHECKING:
    from pymatgen.core import Structure

OCCUPANCY_TOLERANCE = 1e-3
"""By how much rounded occupancies of one site may add up to more than 1."""


class BadCrystalError(ValueError):
    """A crystal that cannot be used: its name, the kind of fault (short, for counting) and the values."""

    def __init__(self, name: str, reason: str, detail: str) -> None:
        super().__init__(f"{name}: {reason}: {detail}")
        self.name, self.reason, self.detail = name, reason, detail


@dataclass(frozen=True, eq=False)
class Sites:
    """All sites of one cell, as a source gives them."""

    name: str
    """Identifier in the source."""
    lattice: np.ndarray
    """(3, 3) Å, one cell vector per row."""
    frac: np.ndarray
    """(k, 3) fractional coordinates."""
    occupants: Sequence[Mapping[int, float]]
    """k mappings from species code to occupancy; what is missing to 1 is vacant."""
    b_iso: np.ndarray | None = None
    """(k,) Å², NaN where it is not known; None where the source has none at all."""
    declared_space_group: int = 0
    """The number that the source states, 0 where it states none."""
    remarks: Sequence[tuple[str, str]] = ()
    """What a reader of the file should know although the crystal could be read: the kind (short, for counting) and the
    values."""


def _checked(sites: Sites) -> Sites:
    """The same sites with float arrays, a right-handed cell and clean occupancies, or BadCrystalError."""
    lattice = np.asarray(sites.lattice, dtype=np.float64)
    frac = np.asarray(sites.frac, dtype=np.float64)
    k = len(sites.occupants)
    if k == 0:
        raise BadCrystalError(sites.name, "no atoms", "the cell is empty")
    if lattice.shape != (3, 3) or frac.shape != (k, 3):
        shapes = f"lattice {lattice.shape}, frac {frac.shape}, {k} occupants; expected (3, 3), (k, 3), k"
        raise BadCrystalError(sites.name, "arrays do not fit together", shapes)
    b_iso = np.full(k, np.nan) if sites.b_iso is None else np.asarray(sites.b_iso, dtype=np.float64)
    if np.isinf(b_iso).any():
        raise BadCrystalError(sites.name, "b_iso not finite", f"site {int(np.argmax(np.isinf(b_iso)))}")
    for name, array in (("lattice", lattice), ("coordinates", frac)):
        if not np.isfinite(array).all():
            where = np.argwhere(~np.isfinite(array))[0].tolist()
            raise BadCrystalError(sites.name, f"{name} not finite", f"{array[tuple(where)]} at {where}")
    volume, edges = np.linalg.det(lattice), np.linalg.norm(lattice, axis=1)
    if abs(volume) <= 1e-3 * np.prod(edges):
        detail = f"edges {np.round(edges, 4).tolist()} Å, volume {volume:.3g} Å³"
        raise BadCrystalError(sites.name, "degenerate cell", detail)
    if volume < 0:
        # A left-handed basis describes the same atoms as its negative, which is right-handed. Cell edges and
        # angles alone, as a CrystalSet keeps them, would turn the crystal into its mirror image.
        lattice, frac = -lattice, -frac
    occupants = [_clean_occupants(sites.name, i, site) for i, site in enumerate(sites.occupants)]
    return Sites(sites.name, lattice, frac, occupants, b_iso, sites.declared_space_group, sites.remarks)


def _clean_occupants(name: str, index: int, occupants: Mapping[int, float]) -> dict[int, float]:
    total = sum(occupants.values())
    symbols = {species_symbol(code): float(amount) for code, amount in occupants.items()}
    if not occupants or not all(0 < amount < np.inf for amount in occupants.values()):
        raise BadCrystalError(name, "occupancy not positive", f"site {index} holds {symbols}")
    if total - 1 > OCCUPANCY_TOLERANCE + 1e-9:
        raise BadCrystalError(name, "total occupancy above 1", f"site {index} holds {symbols}, {total:.4f} in all")
    return {code: float(amount) / max(total, 1.0) for code, amount in occupants.items()}


def crystal_from_sites(sites: Sites, symprec: float = 0.01, standardise: bool = True) -> CrystalSet:
    """One crystal: its space group by spglib (tolerance ``symprec`` in Å) and its conventional cell.

    Sites count as alike when they hold the same species with the same occupancies. The cell is that of
    ``symmetry.groups``: unique axis b, cell choice 1; hexagonal axes; origin choice 2 (spglib's own default is
    choice 1, so its Hall number is passed); the Niggli cell for triclinic crystals. Coordinates and cell are
    spglib's idealised ones, so the operations of the group map the crystal onto itself. The isotropic
    displacement of a standardised site is the mean over those of the given sites that it stands for whose value is
    known, NaN where none is. With
    ``standardise=False`` the cell and the sites stay as given, ``standard`` is False. Raises BadCrystalError (a
    ValueError that names crystal, fault and value) for an empty or degenerate cell, numbers that are not finite,
    more than one atom per site, and where spglib finds no symmetry.
    """
    sites = _checked(sites)
    kinds: dict[tuple[tuple[int, float], ...], int] = {}
    types = [kinds.setdefault(mixture_key(site), len(kinds)) for site in sites.occupants]
    dataset = _symmetry(sites, types, symprec)
    number = int(dataset.number)
    if not standardise:
        cell = _cell_parameters(sites.lattice)
        return _pack(sites.name, cell, number, False, sites.frac, sites.occupants, sites.b_iso)
    if dataset.hall_number != hall_number(number):
        dataset = _symmetry(sites, types, symprec, hall_number(number))
    cell = _cell_parameters(dataset.std_lattice)
    edges, angles = cell_constraints(number)
    cell[:3] = cell[:3][list(edges)]
    cell[3:] = [given if fixed is None else fixed for given, fixed in zip(cell[3:], angles, strict=True)]
    frac = np.asarray(dataset.std_positions) % 1.0
    frac[frac > 1.0 - 1e-12] = 0.0
    # Primitive atom j is the image of the given atoms with mapping_to_primitive j, and of the standardised
    # atoms with std_mapping_to_primitive j.
    known, to_primitive = np.isfinite(sites.b_iso), dataset.mapping_to_primitive
    total = np.bincount(to_primitive, weights=np.where(known, sites.b_iso, 0.0))
    with np.errstate(invalid="ignore"):
        mean_b = total / np.bincount(to_primitive, weights=known)
    first_of_kind = [types.index(kind) for kind in range(len(kinds))]
    occupants = [sites.occupants[first_of_kind[kind]] for kind in dataset.std_types]
    return _pack(sites.name, cell, number, True, frac, occupants, mean_b[dataset.std_mapping_to_primitive])


def _symmetry(sites: Sites, types: list[int], symprec: float, hall: int = 0) -> spglib.SpglibDataset:
    try:
        dataset = spglib.get_symmetry_dataset((sites.lattice, sites.frac, types), symprec, hall_number=hall)
    except spglib.SpglibError:
        dataset = None
    if dataset is None:
        detail = f"spglib fails with symprec {symprec} Å on {len(types)} sites; are two of them closer than that?"
        raise BadCrystalError(sites.name, "no symmetry found", detail)
    return dataset


def _cell_parameters(lattice: np.ndarray) -> np.ndarray:
    """(6,) a, b, c in Å and alpha, beta, gamma in degrees of the cell vectors in the rows of ``lattice``."""
    edges = np.linalg.norm(lattice, axis=1)
    unit = lattice / edges[:, None]
    cosines = np.clip([unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1]], -1, 1)
    return np.concatenate([edges, np.degrees(np.arccos(cosines))])


def _pack(
    name: str,
    cell: np.ndarray,
    number: int,
    standard: bool,
    frac: np.ndarray,
    occupants: Sequence[Mapping[int, float]],
    b_iso: np.ndarray,
) -> CrystalSet:
    counts = [len(site) for site in occupants]
    return CrystalSet(
        cell=cell[None],
        space_group=np.array([number], dtype=np.int16),
        standard=np.array([standard]),
        site_start=np.array([0, sum(counts)], dtype=np.int64),
        frac=np.repeat(frac, counts, axis=0),
        species=np.array([code for site in occupants for code in site], dtype=np.int16),
        occupancy=np.array([amount for site in occupants for amount in site.values()], dtype=np.float64),
        b_iso=np.repeat(b_iso, counts),
        formula=np.array([reduced_formula(occupants)]),
        source_id=np.array([name]),
    )


def sites_from_structure(structure: Structure, name: str) -> Sites:
    """The sites of a pymatgen structure; a site property ``b_iso`` (Å²) is kept, oxidation states are not.

    Raises BadCrystalError for species that are no element.
    """
    occupants = []
    for index, site in enumerate(structure):
        mixture: dict[int, float] = {}
        for species, amount in site.species.items():
            # pymatgen calls both isotopes H; only the name of the element keeps them apart.
            element = getattr(species, "element", species)
            try:
                code = species_code(getattr(element, "name", str(element)))
            except ValueError as error:
                raise BadCrystalError(name, "unknown element", f"site {index}: {error}") from error
            mixture[code] = mixture.get(code, 0.0) + float(amount)
        occupants.append(mixture)
    b_iso = structure.site_properties.get("b_iso")
    return Sites(
        name=name,
        lattice=structure.lattice.matrix,
        frac=structure.frac_coords,
        occupants=occupants,
        b_iso=None if b_iso is None else np.array(b_iso, dtype=np.float64),
    )


def from_structures(structures: Iterable[Structure], symprec: float = 0.01, standardise: bool = True) -> CrystalSet:
    """Crystals from pymatgen structures; see :func:`crystal_from_sites`.

    A crystal is named by ``structure.properties["source_id"]``, or by its place in the sequence. Raises
    BadCrystalError, naming the structure and the value, at the first one that cannot be used.
    """
    crystals = [CrystalSet.empty()]
    for index, structure in enumerate(structures):
        name = str(structure.properties.get("source_id", f"structure {index}"))
        crystals.append(crystal_from_sites(sites_from_structure(structure, name), symprec, standardise))
    return CrystalSet.concatenate(crystals)


def to_structures(crystals: CrystalSet) -> list[Structure]:
    """pymatgen structures with property ``source_id`` and site property ``b_iso`` (Å²).

    Consecutive rows at one place become one disordered site, whose ``b_iso`` is their mean weighted with the
    occupancies (NaN where none is known).
    """
    from pymatgen.core import Lattice, Structure

    structures = []
    for i in range(len(crystals)):
        rows = slice(crystals.site_start[i], crystals.site_start[i + 1])
        frac = crystals.frac[rows]
        starts = np.flatnonzero(np.any(np.diff(frac, axis=0, prepend=np.nan) != 0, axis=1))
        codes, amounts = crystals.species[rows], crystals.occupancy[rows]
        species: list[dict[str, float]] = [{} for _ in starts]
        for site, code, amount in zip(
            np.repeat(np.arange(len(starts)), np.diff(starts, append=len(frac))), codes, amounts, strict=True
        ):
            symbol = species_symbol(int(code))
            species[site][symbol] = species[site].get(symbol, 0.0) + float(amount)
        weights = np.add.reduceat(amounts, starts) if len(starts) else amounts
        b_iso = np.add.reduceat(amounts * crystals.b_iso[rows], starts) / weights if len(starts) else amounts
        structures.append(
            Structure(
                Lattice.from_parameters(*crystals.cell[i]),
                species,
                frac[starts],
                site_properties={"b_iso": b_iso.tolist()},
                properties={"source_id": str(crystals.source_id[i])},
            )
        )
    return structures

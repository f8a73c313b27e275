"""Crystals of a CIF: the asymmetric unit of each block, expanded to the whole cell.

gemmi reads the file and the symmetry; the expansion is our own because gemmi's ``get_all_unit_cell_sites`` keeps the
rounded coordinates of special positions (0.3333) and unites everything within 0.4 Å, split positions too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import gemmi
import numpy as np

from paperlib.crystals.crystal_set import DEUTERIUM
from paperlib.crystals.reading.cif_symmetry import declared_space_group, operation_candidates
from paperlib.crystals.standardise import OCCUPANCY_TOLERANCE, BadCrystalError, Sites

SPECIAL_POSITION_TOLERANCE = 0.1
"""Å. An atom this close to its own image stands on the symmetry element: 1/3 given as 0.333 misses by 0.02 Å, while
the halves of a split position are further apart."""

SAME_PLACE = 0.01
"""Å. Atoms of the list this close to one another share a site (mixed occupancy)."""


def read_cif(name: str, content: bytes) -> Iterator[Sites | BadCrystalError]:
    """Each block with atoms as the sites of its whole cell, or the error that says why it cannot be used.

    A file with one such block gives a crystal called ``name``, one with several ``name#block``. Occupancies, B or U
    (B = 8 π² U; the equivalent isotropic value of an anisotropic tensor) and deuterium are kept; charges in atom
    types (``Fe3+``) are dropped. Atoms whose type names no element (``Wat``) make a block unusable, and so do
    coordinates that are missing.
    """
    try:
        document = gemmi.cif.read_string(content.decode("utf-8", errors="replace"))
    except (ValueError, RuntimeError) as error:
        yield BadCrystalError(name, "not a valid CIF", str(error))
        return
    structures = [(block, gemmi.make_small_structure_from_block(block)) for block in document]
    with_atoms = [(block, small) for block, small in structures if len(small.sites)]
    if not with_atoms:
        yield BadCrystalError(name, "no atoms", f"none of its {len(document)} blocks lists atom coordinates")
    for block, small in with_atoms:
        crystal = name if len(with_atoms) == 1 else f"{name}#{block.name}"
        try:
            yield _sites(crystal, block, small)
        except BadCrystalError as error:
            yield error


def _sites(name: str, block: gemmi.cif.Block, small: gemmi.SmallStructure) -> Sites:
    cell = np.array(small.cell.parameters)
    if not small.cell.is_crystal() or not np.isfinite(cell).all() or cell.min() <= 0 or not small.cell.volume > 0:
        raise BadCrystalError(name, "degenerate cell", f"a, b, c, alpha, beta, gamma = {cell.tolist()}")
    lattice = np.array(small.cell.orth.mat.tolist()).T
    listed = _formula_elements(block)
    atoms = []
    for site in small.sites:
        xyz = np.array(site.fract.tolist())
        if not np.isfinite(xyz).all():
            raise BadCrystalError(name, "coordinates not finite", f"atom {site.label} at {xyz.tolist()}")
        if not 0 <= site.occ < np.inf:
            raise BadCrystalError(name, "occupancy not positive", f"atom {site.label} has {site.occ}")
        if site.occ > 0:
            atoms.append((xyz, _species(name, site, listed), site.occ, _b_iso(small.cell, site)))
    try:
        candidates = operation_candidates(small)
    except ValueError as error:
        reason, _, detail = str(error).partition(": ")
        raise BadCrystalError(name, reason, detail) from error
    declared = declared_space_group(small)
    expanded = [_expand(name, lattice, atoms, operations, declared) for operations in candidates]
    if len(expanded) == 1:
        return expanded[0]
    # The wrong origin or axes put atoms on the wrong special positions, where they come too close to one another.
    return max(expanded, key=lambda sites: (round(_shortest_distance(sites), 2), -len(sites.occupants)))


def _formula_elements(block: gemmi.cif.Block) -> set[str]:
    for tag in ("_chemical_formula_sum", "_chemical_formula_moiety"):
        text = block.find_value(tag)
        if text and text not in (".", "?"):
            return set(re.findall(r"[A-Z][a-z]?", gemmi.cif.as_string(text)))
    return set()


def _species(name: str, site: gemmi.SmallStructure.Site, listed: set[str]) -> int:
    """Species code of an atom. A type such as ``OW`` or ``HO`` is read as one letter where the chemical formula has
    that element and not the other."""
    symbol = site.element.name
    first = site.type_symbol[:1].upper()
    if listed and symbol not in listed and first in listed:
        symbol = first
    if symbol == "D":
        return DEUTERIUM
    code = gemmi.Element(symbol).atomic_number
    if code == 0:
        raise BadCrystalError(name, "unknown element", f"atom {site.label} is of type {site.type_symbol!r}")
    return code


def _b_iso(cell: gemmi.UnitCell, site: gemmi.SmallStructure.Site) -> float:
    u_iso = site.u_iso if site.u_iso or not site.aniso.nonzero() else cell.calculate_u_eq(site.aniso)
    return 8 * np.pi**2 * u_iso if np.isfinite(u_iso) and u_iso > 0 else 0.0


def _expand(
    name: str,
    lattice: np.ndarray,
    atoms: list[tuple[np.ndarray, int, float, float]],
    operations: tuple[np.ndarray, np.ndarray],
    declared: int,
) -> Sites:
    """All sites of the cell. Atoms near a special position are moved onto it: the mean over the operations that
    bring the atom back to its place."""
    rotations, translations = operations
    positions, occupants, displacement = np.zeros((0, 3)), [], []
    for xyz, code, occupancy, b_iso in atoms:
        shift = _nearest(rotations @ xyz + translations - xyz)
        stabiliser = np.linalg.norm(shift @ lattice, axis=1) < SPECIAL_POSITION_TOLERANCE
        xyz = xyz + shift[stabiliser].mean(axis=0)
        images = (rotations @ xyz + translations) % 1.0
        apart = np.linalg.norm(_nearest(images[:, None] - images) @ lattice, axis=-1)
        orbit = images[np.unique(np.argmax(apart < SPECIAL_POSITION_TOLERANCE, axis=1))]
        here = np.linalg.norm(_nearest(positions - xyz) @ lattice, axis=1) < SAME_PLACE
        if not here.any():
            positions = np.concatenate([positions, orbit])
            occupants += [{code: occupancy} for _ in orbit]
            displacement += [b_iso] * len(orbit)
            continue
        for image in orbit:
            nearest = int(np.argmin(np.linalg.norm(_nearest(positions - image) @ lattice, axis=1)))
            before = sum(occupants[nearest].values())
            if occupants[nearest].get(code) == occupancy and before + occupancy > 1 + OCCUPANCY_TOLERANCE:
                continue  # an atom that the symmetry has already made: some files list the whole cell as well
            displacement[nearest] = (displacement[nearest] * before + b_iso * occupancy) / (before + occupancy)
            occupants[nearest][code] = occupants[nearest].get(code, 0.0) + occupancy
    return Sites(name, lattice, positions, occupants, np.array(displacement), declared)


def _nearest(difference: np.ndarray) -> np.ndarray:
    return difference - np.round(difference)


def _shortest_distance(sites: Sites) -> float:
    """Å, between neighbours in the cell and its repeats by one edge; infinite for a single atom."""
    difference = _nearest(sites.frac[:, None] - sites.frac)
    lengths = np.linalg.norm(difference @ sites.lattice, axis=-1)
    return float(lengths[np.triu_indices(len(lengths), 1)].min(initial=np.inf))

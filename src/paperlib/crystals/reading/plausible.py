"""Is what was read a crystal? Limits that no real entry passes, and that wrong units and damaged numbers do.

They are the same for CIFs, JSON lines and the embedded library. The 41,491 entries of the Materials Project and 3DSC
sets keep well within them: 5.6 to 4267 Å³ an atom, 0.71 Å between atoms, 246 sites, coordinates up to 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import spglib
from scipy.spatial import cKDTree

from paperlib.crystals.species import species_symbol
from paperlib.crystals.standardise import OCCUPANCY_TOLERANCE, BadCrystalError, Sites

MAX_SITES = 4000
"""Sites of one cell. spglib's time grows with their cube: 13 s for 4000 alike atoms without symmetry, half an hour for
20,000. The zeolite LTN, with 2304, is the largest cell of the OpenChemistry files."""

VOLUME_PER_ATOM = (1.0, 10_000.0)
"""Å³ of cell per atom (occupancies added up). Solid hydrogen at 500 GPa has 1.3; a lattice in nm has 0.01 to 0.1, one
in pm 10⁷."""

MIN_EDGE = 1.0
"""Å. No crystal repeats after less; the shortest edge of the sets named above is 2.47 Å."""

MAX_COORDINATE = 1000.0
"""Fractional coordinates further out than this many cells are no coordinates, and from 10¹⁰ on have lost the digits
that tell where in the cell they are."""

CLOSEST = 0.4
"""Å. No two whole atoms are as close; hydrogen in H₂ is at 0.74 Å, and the worst hydrogen of an X-ray refinement at
0.5 Å. The halves of a split position may be."""


def check(sites: Sites) -> None:
    """Raise BadCrystalError for a crystal that passes a limit of this module. What
    :func:`paperlib.crystals.standardise.crystal_from_sites` refuses by itself (arrays that do not fit together, numbers
    that are not finite, a flat cell) is left to it."""
    if len(sites.occupants) > MAX_SITES:
        detail = f"{len(sites.occupants):,} sites in the cell; at most {MAX_SITES:,} are read"
        raise BadCrystalError(sites.name, "cell too large", detail)
    lattice, frac = np.asarray(sites.lattice, dtype=np.float64), np.asarray(sites.frac, dtype=np.float64)
    if lattice.shape != (3, 3) or frac.shape != (len(sites.occupants), 3) or not len(frac):
        return
    if not np.isfinite(lattice).all() or not np.isfinite(frac).all():
        return
    amounts = np.array([sum(site.values()) for site in sites.occupants], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        volume, box = abs(float(np.linalg.det(lattice))), float(np.prod(np.linalg.norm(lattice, axis=1)))
    if not volume > 1e-3 * box or not amounts.sum() > 0:
        return
    furthest = frac.flat[np.abs(frac).argmax()]
    if abs(furthest) > MAX_COORDINATE:
        raise BadCrystalError(sites.name, "coordinates out of range", f"{furthest:g} in fractions of a cell edge")
    each = volume / amounts.sum()
    edges = np.linalg.norm(lattice, axis=1)
    if not VOLUME_PER_ATOM[0] <= each <= VOLUME_PER_ATOM[1] or edges.min() < MIN_EDGE:
        listed = ", ".join(f"{edge:.4g}" for edge in edges)
        detail = f"edges {listed} Å, {each:.3g} Å³ for each of {amounts.sum():.4g} atoms; is the cell in Å?"
        raise BadCrystalError(sites.name, "cell out of proportion", detail)
    if (pair := _too_close(lattice, frac, amounts)) is not None:
        i, j, distance = pair
        what = " and ".join(f"{_words(sites.occupants[k])} (site {k})" for k in (i, j))
        raise BadCrystalError(sites.name, "atoms too close", f"{what} are {distance:.3f} Å apart")


def _words(occupants: Mapping[int, float]) -> str:
    return "/".join(
        species_symbol(code) + ("" if amount == 1 else f" {amount:g}") for code, amount in occupants.items()
    )


def _too_close(lattice: np.ndarray, frac: np.ndarray, amounts: np.ndarray) -> tuple[int, int, float] | None:
    """The closest two sites, or a site and its own repeat, that are nearer than CLOSEST and hold more than one atom
    together; None where there are none."""
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    if heights.min() < 2 * CLOSEST:  # in a slanted cell the next repeat may be many steps along the edges away
        reduced = spglib.niggli_reduce(lattice)
        if reduced is None:
            return None
        lattice, frac = reduced, frac @ lattice @ np.linalg.inv(reduced)
        heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    frac, owner = frac % 1.0, np.arange(len(frac))
    # Beyond the far face of each axis, again what lies near its near face: every close pair is in there once at least.
    for axis, reach in enumerate(CLOSEST / heights):
        near = [frac[:, axis] + step < reach + 1 for step in range(1, int(np.ceil(reach)) + 1)]
        owner = np.concatenate([owner, *(owner[chosen] for chosen in near)])
        frac = np.concatenate([frac, *(frac[c] + np.eye(3)[axis] * (i + 1) for i, c in enumerate(near))])
    places = frac @ lattice
    pairs = cKDTree(places).query_pairs(CLOSEST, output_type="ndarray")
    first, second = owner[pairs[:, 0]], owner[pairs[:, 1]]
    pairs = pairs[amounts[first] + amounts[second] > 1 + OCCUPANCY_TOLERANCE]
    if not len(pairs):
        return None
    distances = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    closest = int(distances.argmin())
    i, j = sorted(owner[pairs[closest]].tolist())
    return i, j, float(distances[closest])

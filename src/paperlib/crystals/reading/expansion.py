"""From the asymmetric unit and the operations of a space group to all sites of the cell.

gemmi's ``get_all_unit_cell_sites`` keeps the rounded coordinates of special positions (0.3333) and unites everything
within 0.4 Å, split positions too; hence our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from paperlib.crystals.standardise import OCCUPANCY_TOLERANCE, BadCrystalError

ROUNDING = 0.67
"""Units of the last digit by which a coordinate of the text may miss what is meant: 2/3 cut off to 0.66, the worst
case that is common, misses by two thirds of one."""
FEWEST_DECIMALS = 2
"""Coordinates with fewer decimals (0, 0.5, 0.1) are short, not coarse: trailing zeros were left out."""
LONGEST_ROUNDING = 0.5
"""Å. Images further apart than this are different atoms, however few digits the text has."""
TOO_CLOSE = 0.1
"""Å. A whole atom this close to its own image stands on the symmetry element, although the digits do not say so; two
atoms cannot be as close, while the parts of a split position can."""
SAME_PLACE = 0.01
"""Å. Atoms of the list this close to one another share a site (mixed occupancy)."""


@dataclass(frozen=True)
class Atom:
    """One line of the list of atoms."""

    label: str
    type_symbol: str
    frac: np.ndarray
    """(3,) fractional coordinates."""
    decimals: int
    """Digits behind the point of the most precise of them."""
    shares: dict[int, float]
    """Species code to its share of the atom."""
    occupancy: float
    b_iso: float
    """Å²; NaN where it is not known."""
    multiplicity: int = 0
    """Images in the cell that the file states, 0 where it states none."""
    hydrogens: int = 0
    """Hydrogens that the file says are attached, without listing them."""


@dataclass(frozen=True)
class Expanded:
    """All sites of one cell."""

    frac: np.ndarray
    """(k, 3)."""
    occupants: list[dict[int, float]]
    """k mappings from species code to occupancy; their sum may exceed 1 where the reading is wrong."""
    b_iso: np.ndarray
    """(k,) Å², NaN where it is not known: the mean over those occupants whose value is known."""
    images: tuple[int, ...]
    """For each atom of the list how many sites it has."""
    repeated: tuple[str, ...]
    """Labels of atoms left out because the symmetry had made them already."""
    moved: tuple[tuple[str, float], ...]
    """Labels of whole atoms moved onto a symmetry element further than the digits of the text explain, and by how
    many Å."""


def expand(
    name: str,
    lattice: np.ndarray,
    atoms: Sequence[Atom],
    rotations: np.ndarray,
    translations: np.ndarray,
    limit: int,
    add_images: bool = False,
) -> Expanded:
    """The sites that the operations (g, 3, 3) and (g, 3) make of the atoms in a cell with ``lattice`` (3, 3) in Å.

    An atom near a symmetry element is moved onto it where the rounding of its text explains the distance, or where
    its images would otherwise be whole atoms within :data:`TOO_CLOSE`; the parts of a split position stay apart. An
    atom listed at the place of an image of an earlier one of the same kind and occupancy is that image, unless
    ``add_images`` says that their occupancies are to be added. Raises BadCrystalError where more than ``limit`` sites
    come out.
    """
    frac, occupants, owner = np.zeros((0, 3)), [], np.zeros(0, dtype=int)
    b_sum, b_weight = np.zeros(0), np.zeros(0)
    images, repeated, moved = [], [], []
    for number, atom in enumerate(atoms):
        onto, stabiliser, shift = _on_its_element(lattice, atom, rotations, translations)
        if shift:
            moved.append((atom.label, shift))
        orbit = _orbit(onto, rotations, translations, stabiliser, lattice)
        images.append(len(orbit))
        if len(frac) + len(orbit) > limit:
            whole = sum(images) + (len(atoms) - number - 1) * len(orbit)
            raise BadCrystalError(name, "cell too large", f"more than {limit} sites, about {whole}, make one cell")
        places = _nearest(frac - onto) @ lattice
        here = np.flatnonzero(np.einsum("ij,ij->i", places, places) < SAME_PLACE**2)
        if len(here) == 0:
            frac = np.concatenate([frac, orbit])
            owner = np.concatenate([owner, np.full(len(orbit), number)])
            occupants += [{} for _ in orbit]
            b_sum, b_weight = (np.concatenate([values, np.zeros(len(orbit))]) for values in (b_sum, b_weight))
            sites = np.arange(len(frac) - len(orbit), len(frac))
        else:
            if _is_image(atom, atoms[owner[here[0]]], occupants[here[0]], lattice, add_images):
                repeated.append(atom.label)
                continue
            sites = np.array([_closest(frac, image, lattice) for image in orbit])
        for site in sites:
            for code, share in atom.shares.items():
                occupants[site][code] = occupants[site].get(code, 0.0) + share * atom.occupancy
        if np.isfinite(atom.b_iso):
            b_sum[sites] += atom.occupancy * atom.b_iso
            b_weight[sites] += atom.occupancy
    with np.errstate(invalid="ignore"):
        b_iso = b_sum / b_weight
    return Expanded(frac, occupants, b_iso, tuple(images), tuple(repeated), tuple(moved))


def _on_its_element(
    lattice: np.ndarray, atom: Atom, rotations: np.ndarray, translations: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """The atom on its special position, the operations (g,) bool that leave it there, and the distance in Å if it is
    longer than the rounding of the text explains, else 0."""
    difference = _nearest(rotations @ atom.frac + translations - atom.frac)
    length = np.linalg.norm(difference @ lattice, axis=1)
    unit = 10.0 ** -max(atom.decimals, FEWEST_DECIMALS)
    bound = ROUNDING * unit * (np.abs(rotations).sum(axis=2) + 1) + 1e-9
    rounded = np.all(np.abs(difference) <= bound, axis=1) & (length < LONGEST_ROUNDING)
    near = rounded | (length < TOO_CLOSE)
    whole = atom.occupancy * near.sum() / rounded.sum() > 1 + OCCUPANCY_TOLERANCE
    stabiliser = near if whole else rounded
    shift = difference[stabiliser].mean(axis=0)
    far = float(np.linalg.norm(shift @ lattice)) if whole and near.sum() > rounded.sum() else 0.0
    return atom.frac + shift, stabiliser, far


def _orbit(
    onto: np.ndarray, rotations: np.ndarray, translations: np.ndarray, stabiliser: np.ndarray, lattice: np.ndarray
) -> np.ndarray:
    """(k, 3) the different images of an atom that stands on its special position."""
    images = (rotations @ onto + translations) % 1.0
    # The same place comes out within 1e-12 or so; an odd shift keeps fractions off the edges of rounding.
    keys = np.floor((images + 0.318e-5) * 1e5) % 1e5
    _, first = np.unique(keys, axis=0, return_index=True)
    if len(first) * int(stabiliser.sum()) == len(images):
        return images[np.sort(first)]
    # The operations near the atom are no group: take the places one by one.
    apart = np.linalg.norm(_nearest(images[:, None] - images) @ lattice, axis=-1)
    return images[np.unique(np.argmax(apart < TOO_CLOSE, axis=1))]


def _is_image(atom: Atom, owner: Atom, occupants: dict[int, float], lattice: np.ndarray, add_images: bool) -> bool:
    """Whether an atom of the list is one that the symmetry has made already of ``owner``."""
    if atom.shares != owner.shares or atom.occupancy != owner.occupancy:
        return False
    if sum(occupants.values()) + atom.occupancy > 1 + OCCUPANCY_TOLERANCE:
        return True  # twice a whole atom: some files list the whole cell as well
    listed_apart = np.linalg.norm(_nearest(atom.frac - owner.frac) @ lattice) > SAME_PLACE
    return bool(listed_apart) and not add_images


def _closest(frac: np.ndarray, place: np.ndarray, lattice: np.ndarray) -> int:
    difference = _nearest(frac - place) @ lattice
    return int(np.argmin(np.einsum("ij,ij->i", difference, difference)))


def _nearest(difference: np.ndarray) -> np.ndarray:
    return difference - np.round(difference)


def shortest_distance(frac: np.ndarray, lattice: np.ndarray) -> float:
    """Å, between the sites (k, 3) of a cell and of the cells around it; infinite where there is none."""
    if len(frac) == 0:
        return np.inf
    around = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    everywhere = ((frac % 1.0) + around[:, None]).reshape(-1, 3) @ lattice
    distances, _ = cKDTree(everywhere).query((frac % 1.0) @ lattice, k=2)
    return float(distances[:, 1].min())

"""Seven lengths that describe a lattice, whatever cell it is given in, and change little when the cell does.

The vectors of a lattice fall into eight classes by the parity of their coefficients. The shortest vectors of the seven
classes that do not hold the origin are the Voronoi vectors; their lengths determine the lattice, up to the 168 ways in
which a change of basis exchanges the classes (Conway & Sloane, Proc. R. Soc. A 436, 1992, 55, doi:10.1098/
rspa.1992.0004). Reduced cells (Niggli's, say) jump when a cell passes the border between two of their types; these
lengths, each a minimum of continuous functions, do not: a strain of ε moves none by more than the factor 1 + ε.
"""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np

from paperlib.crystals.cell_geometry import cell_volume, lattice_of, product, reduced_basis
from paperlib.crystals.compiled import compiled
from paperlib.symmetry.wyckoff_tables import wyckoff_tables


def lattice_lengths(cell: np.ndarray, space_group: np.ndarray) -> np.ndarray:
    """(n, 7) Å: length of the shortest vector of each parity class of the primitive lattice.

    ``cell`` (n, 6) holds a, b, c in Å and alpha, beta, gamma in degrees of the standard setting of ``space_group``
    (n,), whose centring gives the primitive lattice. Column p - 1 is the class of the vectors i a + j b + k c of a
    reduced basis with p = i mod 2 + 2 (j mod 2) + 4 (k mod 2). NaN for a cell that encloses no volume.
    """
    lengths = np.full((len(cell), 7), np.nan)
    # compiled code divides by the lengths of the vectors: a cell without volume must not come there
    solid = np.flatnonzero(np.isfinite(cell_volume(cell)))
    found = np.empty((len(solid), 7))
    _lengths(np.ascontiguousarray(cell[solid], np.float64), wyckoff_tables().primitive[space_group[solid]], found)
    lengths[solid] = found
    return lengths


@functools.cache
def relabellings() -> np.ndarray:
    """(168, 7) int64: the permutations of the seven classes that changes of basis make, the identity among them."""
    bits = np.array([[p & 1, p >> 1 & 1, p >> 2 & 1] for p in range(1, 8)])
    found = []
    for columns in itertools.permutations(range(1, 8), 3):
        matrix = bits[np.array(columns) - 1]
        images = bits @ matrix % 2 @ [1, 2, 4]
        if images.min() > 0:  # a matrix that loses no class is invertible
            found.append(images - 1)
    return np.array(found, dtype=np.int64)


@compiled
def _lengths(cell: np.ndarray, primitive: np.ndarray, lengths: np.ndarray) -> None:
    for n in range(len(cell)):
        lengths[n] = np.inf
        basis = reduced_basis(product(primitive[n], lattice_of(cell[n])))
        # the Voronoi vectors of a Minkowski-reduced basis have coefficients of at most 1
        for i in range(-1, 2):
            for j in range(-1, 2):
                for k in range(-1, 2):
                    p = abs(i) + 2 * abs(j) + 4 * abs(k) - 1
                    if p >= 0:
                        square = 0.0
                        for x in range(3):
                            square += (i * basis[0, x] + j * basis[1, x] + k * basis[2, x]) ** 2
                        lengths[n, p] = min(lengths[n, p], math.sqrt(square))

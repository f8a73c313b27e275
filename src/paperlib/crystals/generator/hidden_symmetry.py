"""Does a crystal have more symmetry than the group it was made for? A search of our own, compiled.

A crystal made with the operations of a group has that group or a supergroup. It has a supergroup when

1. a translation that is no lattice vector of the group maps it onto itself, or
2. a rotation part that the group does not have does, with some translation. The rotation parts in question are
   the isometries of the lattice, found from its metric, so that cells that are only accidentally of higher metric
   (a orthorhombic ≈ b) and rhombohedral cells near 60 or 90° are not forgotten. One of each coset of the point
   group is enough.

A rotation part is tried with each translation that carries one atom of the rarest species to another of them.
"Maps onto itself" means: every atom lands within ``margin`` Å of an atom of its species. With a margin several
times spglib's tolerance no crystal passes of which spglib would say otherwise, whether its symmetry comes from
the choice of Wyckoff positions or from coordinates near special values. Nothing of spglib is used, so that spglib
can be the judge of the result.
"""

from __future__ import annotations

import math

import numpy as np

from paperlib.crystals.cell_geometry import Frame, determinant, dot, inverse, nearest, product
from paperlib.crystals.compiled import compiled
from paperlib.symmetry.wyckoff_tables import WyckoffTables

NONE, TRANSLATION, ROTATION = 0, 1, 2
"""What was found beyond the group: nothing, a translation, an operation with a new rotation part."""


@compiled
def hidden_symmetry(
    tables: WyckoffTables,
    group: int,
    fractions: np.ndarray,
    kinds: np.ndarray,
    n: int,
    n_kinds: int,
    frame: Frame,
    margin: float,
) -> int:
    """``NONE``, ``TRANSLATION`` or ``ROTATION`` for the atoms of a primitive cell: the first ``n`` rows of
    ``fractions`` (m, 3; of the frame) and ``kinds`` (m,), 0 … n_kinds-1; ``margin`` in Å."""
    order, starts, rarest = _by_kind(kinds, n, n_kinds)
    atoms, one = np.empty((n, 3)), np.zeros((3, 3), dtype=np.int64)
    for i in range(3):
        one[i, i] = 1
        for j in range(n):
            atoms[j, i] = fractions[order[j], i]
    if _maps_onto_itself(one, atoms, starts, rarest, frame, margin, True):
        return TRANSLATION
    found = isometries(frame.lattice, margin)
    covered = np.zeros(len(found), dtype=np.bool_)
    own = _own_rotations(tables, group, frame)
    for j in range(len(found)):
        if covered[j]:
            continue
        has = False
        for g in range(len(own)):
            has = has or _is_product(own[g], found[j], one)
            for k in range(j, len(found)):
                if not covered[k]:
                    covered[k] = _is_product(found[k], found[j], own[g])
        if not has and _maps_onto_itself(found[j], atoms, starts, rarest, frame, margin, False):
            return ROTATION
    return NONE


@compiled
def _is_product(matrix: np.ndarray, first: np.ndarray, second: np.ndarray) -> bool:
    for i in range(3):
        for k in range(3):
            if matrix[i, k] != first[i, 0] * second[0, k] + first[i, 1] * second[1, k] + first[i, 2] * second[2, k]:
                return False
    return True


@compiled
def _own_rotations(tables: WyckoffTables, group: int, frame: Frame) -> np.ndarray:
    """(m, 3, 3) int64: the point group, as matrices that act on rows of fractions of the frame."""
    first, last = tables.operation_start[group], tables.operation_start[group + 1]
    m = (last - first) // tables.lattice_points[group]  # the first operations are one of each coset of the lattice
    own = np.empty((m, 3, 3), dtype=np.int64)
    back = inverse(frame.from_cell)
    for g in range(m):
        matrix = product(product(back, tables.rotation[first + g].T), frame.from_cell)
        for i in range(3):
            for k in range(3):
                own[g, i, k] = round(matrix[i, k])
    return own


@compiled
def _by_kind(kinds: np.ndarray, n: int, n_kinds: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows sorted by kind, where each kind starts, and the kind with the fewest rows."""
    starts = np.zeros(n_kinds + 1, dtype=np.int64)
    for j in range(n):
        starts[kinds[j] + 1] += 1
    rarest = 0
    for kind in range(n_kinds):
        if starts[kind + 1] < starts[rarest + 1]:
            rarest = kind
    for kind in range(n_kinds):
        starts[kind + 1] += starts[kind]
    order, filled = np.empty(n, dtype=np.int64), starts[:-1].copy()
    for j in range(n):
        order[filled[kinds[j]]] = j
        filled[kinds[j]] += 1
    return order, starts, rarest


@compiled
def _maps_onto_itself(
    rotation: np.ndarray,
    atoms: np.ndarray,
    starts: np.ndarray,
    rarest: int,
    frame: Frame,
    margin: float,
    skip_zero: bool,
) -> bool:
    """Whether ``rotation`` (3, 3; on rows of fractions) with some translation carries every atom to a like one.

    ``skip_zero`` leaves out the translation by zero.
    """
    image = np.zeros(3, dtype=np.int64)
    turned = np.empty_like(atoms)
    for j in range(len(atoms)):
        for i in range(3):
            turned[j, i] = atoms[j, 0] * rotation[0, i] + atoms[j, 1] * rotation[1, i] + atoms[j, 2] * rotation[2, i]
    n_kinds = len(starts) - 1
    origin = starts[rarest]
    for target in range(origin + 1 if skip_zero else origin, starts[rarest + 1]):
        t0 = atoms[target, 0] - turned[origin, 0]
        t1 = atoms[target, 1] - turned[origin, 1]
        t2 = atoms[target, 2] - turned[origin, 2]
        fits = True
        for step in range(n_kinds):
            kind = (rarest + step) % n_kinds
            # backwards: the atoms placed last tend to be the least special, and exclude most
            for j in range(starts[kind + 1] - 1, starts[kind] - 1, -1):
                fits = False
                for k in range(starts[kind], starts[kind + 1]):
                    square = nearest(
                        turned[j, 0] + t0 - atoms[k, 0],
                        turned[j, 1] + t1 - atoms[k, 1],
                        turned[j, 2] + t2 - atoms[k, 2],
                        frame,
                        margin,
                        image,
                    )
                    if square < math.inf:
                        fits = True
                        break
                if not fits:
                    break
            if not fits:
                break
        if fits:
            return True
    return False


@compiled
def isometries(basis: np.ndarray, margin: float) -> np.ndarray:
    """(m, 3, 3) int64: the rotations and rotoinversions of a lattice, m = 2 … 48, as matrices on rows of fractions of
    its three shortest vectors ``basis`` (rows in Å).

    The three vectors go to vectors with the same lengths, and the same lengths of their sums and differences, each
    within ``margin`` Å; for the three shortest all coefficients are -1, 0 or 1.
    """
    vectors, lengths = np.empty((26, 3)), np.empty(26)
    m = 0
    for i in range(-1, 2):
        for j in range(-1, 2):
            for k in range(-1, 2):
                if i != 0 or j != 0 or k != 0:
                    for x in range(3):
                        vectors[m, x] = i * basis[0, x] + j * basis[1, x] + k * basis[2, x]
                    lengths[m] = math.sqrt(dot(vectors[m], vectors[m]))
                    m += 1
    own0, own1, own2 = (
        math.sqrt(dot(basis[0], basis[0])),
        math.sqrt(dot(basis[1], basis[1])),
        math.sqrt(dot(basis[2], basis[2])),
    )
    back = inverse(basis)
    found = np.empty((96, 3, 3), dtype=np.int64)
    count = 0
    image = np.empty((3, 3))
    for i in range(26):
        if abs(lengths[i] - own0) > margin:
            continue
        for j in range(26):
            if abs(lengths[j] - own1) > margin or not _alike(vectors[i], vectors[j], basis[0], basis[1], margin):
                continue
            for k in range(26):
                if (
                    abs(lengths[k] - own2) > margin
                    or not _alike(vectors[i], vectors[k], basis[0], basis[2], margin)
                    or not _alike(vectors[j], vectors[k], basis[1], basis[2], margin)
                ):
                    continue
                for x in range(3):
                    image[0, x], image[1, x], image[2, x] = vectors[i, x], vectors[j, x], vectors[k, x]
                matrix = product(image, back)
                volumes = abs(determinant(matrix))  # an integer; where it is not 1, a sublattice
                if abs(volumes - 1.0) > 0.5 or count == len(found):
                    continue
                for r in range(3):
                    for c in range(3):
                        found[count, r, c] = round(matrix[r, c])
                count += 1
    return found[:count].copy()


@compiled
def _alike(v: np.ndarray, w: np.ndarray, a: np.ndarray, b: np.ndarray, margin: float) -> bool:
    """Whether |v ± w| equal |a ± b| within ``margin``."""
    own, other = dot(a, a) + dot(b, b), dot(v, v) + dot(w, w)
    cross, other_cross = 2.0 * dot(a, b), 2.0 * dot(v, w)
    plus = abs(math.sqrt(max(0.0, other + other_cross)) - math.sqrt(own + cross))
    return plus < margin and abs(math.sqrt(max(0.0, other - other_cross)) - math.sqrt(own - cross)) < margin

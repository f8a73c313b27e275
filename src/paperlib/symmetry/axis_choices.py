"""Choices of axes that no powder pattern tells apart: which of the three axes of an orthorhombic cell is called a, and
which of the three shortest vectors in the plane of a monoclinic cell are called a and c."""

from __future__ import annotations

import itertools

import numpy as np

_NEXT_CELL_CHOICE = np.array([[0, 0, -1], [0, 1, 0], [1, 0, -1]])
"""From one cell choice of a monoclinic crystal to the next, on rows hkl: (h, k, l) to (l, k, -h-l). Applied three
times it is the identity; glides along a, c and their sum, and centrings C, A and I, change places."""


def axis_choices(family: str) -> tuple[np.ndarray, ...]:
    """(3, 3) matrices that take indices hkl, as rows (``hkl @ matrix``), from the axes of a cell to every other choice
    of them in its crystal ``family``, the identity first: six in the orthorhombic one, three in the monoclinic one
    (unique axis b), else one."""
    one = np.eye(3, dtype=np.int64)
    if family == "orthorhombic":
        return tuple(one[:, list(order)] for order in itertools.permutations(range(3)))
    if family == "monoclinic":
        return one, _NEXT_CELL_CHOICE, _NEXT_CELL_CHOICE @ _NEXT_CELL_CHOICE
    return (one,)

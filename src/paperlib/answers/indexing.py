"""Which reflections of a known cell stand at the lines of a pattern, and whether an extinction class allows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from paperlib.answers.broken import broken_condition
from paperlib.answers.lines import Line, angle_of
from paperlib.symmetry.axis_choices import axis_choices
from paperlib.symmetry.groups import conforming_cell, crystal_family, crystal_system, is_absent, laue_rotations

NEAR = 0.1
"""Degrees 2θ between a line and a reflection: a specimen 0.15 mm out of place moves lines by 0.09°."""
SAME_METRIC = 0.005
"""Relative difference of edges, and radians of angles, that a cell may be off its crystal system."""

_HOLOHEDRAL = (221, 191, 123, 47, 10, 2)
"""Groups with all the symmetry of a lattice, the highest first."""


@dataclass(frozen=True)
class Indexed:
    """A reflection near a line, and what two classes say of it."""

    hkl: tuple[int, int, int]
    """On the axes of the given cell."""
    allowed: tuple[bool | None, bool | None]
    """By the first and by the second class; None where the cell has not the metric of the class."""
    forbidden_by: tuple[str, str]
    """The condition that it breaks, "" where none."""


def parse_cell(text: str) -> np.ndarray:
    """(6,) float64: a, b, c in Å and alpha, beta, gamma in degrees, from a text with six numbers. Raises ValueError,
    with the text, for anything else and for a cell that does not exist."""
    try:
        cell = np.array([float(word) for word in text.replace(",", " ").split()])
    except ValueError:
        cell = np.zeros(0)
    if cell.shape != (6,) or not np.isfinite(cell).all():
        raise ValueError(f"the cell is {text!r}; give six numbers, as '5.64 5.64 5.64 90 90 90' (Å and degrees)")
    cosines = np.cos(np.radians(cell[3:]))
    if (cell[:3] <= 0).any() or ((cell[3:] <= 0) | (cell[3:] >= 180)).any() or _square(cosines) <= 1e-6:
        raise ValueError(f"there is no cell {text!r}; edges are positive, angles between 0° and 180° and fit together")
    return cell


def reflections(cell: np.ndarray, least_d: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices (r, 3) and d in Å (r,) of all reflections of a ``cell`` (6,) with d of ``least_d`` Å at least, one of
    each Friedel pair."""
    edges, cosines = cell[:3], np.cos(np.radians(cell[3:]))
    direct = np.outer(edges, edges)
    for i, (j, k) in enumerate(((1, 2), (0, 2), (0, 1))):
        direct[j, k] = direct[k, j] = direct[j, k] * cosines[i]
    highest = np.floor(edges / least_d).astype(int)
    box = np.meshgrid(*(np.arange(-n, n + 1) for n in highest), indexing="ij")
    hkl = np.stack(box, axis=-1).reshape(-1, 3)
    # one of a pair: the first index that is not 0 is positive
    h, k, l = hkl.T  # noqa: E741
    hkl = hkl[(h > 0) | (h == 0) & ((k > 0) | (k == 0) & (l > 0))]
    inverse = np.einsum("ri,ij,rj->r", hkl, np.linalg.inv(direct), hkl)
    inside = inverse <= 1 / least_d**2
    return hkl[inside], 1 / np.sqrt(inverse[inside])


def index_lines(
    lines: Sequence[Line], cell: np.ndarray, wavelength: float, numbers: tuple[int, int]
) -> tuple[tuple[Indexed, ...], ...]:
    """For each of ``lines`` the reflections of ``cell`` (6,) within :data:`NEAR`, the nearest first.

    ``wavelength`` in Å is that of the angles; ``numbers`` are space groups of the two classes that are compared. Where
    a class does not name axes (orthorhombic, and the cell choices of monoclinic ones), those are taken with which it
    allows the most of the lines.
    """
    if not lines:
        return ()
    hkl, d = reflections(cell, 0.98 * min(line.d for line in lines))
    angle = angle_of(d, wavelength)
    found = []
    for line in lines:
        place = angle_of(line.d, wavelength)
        near = np.flatnonzero(np.abs(angle - place) <= NEAR)
        found.append(hkl[near[np.argsort(np.abs(angle[near] - place), kind="stable")]])
    settings = [_setting(number, cell, found) for number in numbers]
    holohedry = next(number for number in _HOLOHEDRAL if conforming_cell(number, cell, SAME_METRIC))
    rotations = laue_rotations(holohedry).astype(np.int64)
    return tuple(_distinct([_indexed(row, numbers, settings) for row in rows], rotations) for rows in found)


def _setting(number: int, cell: np.ndarray, found: Sequence[np.ndarray]) -> np.ndarray | None:
    """The matrix from the axes of the cell to those of the group; None where the cell has another metric."""
    if not conforming_cell(number, cell, SAME_METRIC):
        return None
    choices = axis_choices(crystal_family(number))
    allowed = [sum(len(rows) > 0 and not is_absent(number, rows @ m).all() for rows in found) for m in choices]
    return choices[int(np.argmax(allowed))]


def _distinct(near: Sequence[Indexed], rotations: np.ndarray) -> tuple[Indexed, ...]:
    """One of each set of reflections that the lattice makes equivalent and of which the same is said, in order."""
    sets: dict[tuple[object, ...], list[Indexed]] = {}
    for one in near:
        largest = max((np.array(one.hkl) @ rotations).tolist())
        sets.setdefault((*largest, one.allowed), []).append(one)
    return tuple(max(alike, key=lambda one: one.hkl) for alike in sets.values())


def _indexed(hkl: np.ndarray, numbers: tuple[int, int], settings: Sequence[np.ndarray | None]) -> Indexed:
    said = [
        None if m is None else broken_condition(number, tuple((hkl @ m).tolist()))
        for number, m in zip(numbers, settings, strict=True)
    ]
    named = [
        _on_cell_axes(text, m) if text and crystal_system(number) == "orthorhombic" else text or ""
        for text, number, m in zip(said, numbers, settings, strict=True)
    ]
    allowed = [None if text is None else text == "" for text in said]
    return Indexed(tuple(hkl.tolist()), (allowed[0], allowed[1]), (named[0], named[1]))


def _on_cell_axes(condition: str, matrix: np.ndarray) -> str:
    """An orthorhombic condition with the names that the indices have on the axes of the cell."""
    order = [int(row) for row in np.argmax(matrix, axis=0)]
    names = {letter: "hkl"[place] for letter, place in zip("hkl", order, strict=True)}
    zone, _, text = condition.partition(": ")
    moved = ["0"] * 3
    for letter, place in zip(zone, order, strict=True):
        moved[place] = names.get(letter, "0")
    return f"{''.join(moved)}: {''.join(names.get(letter, letter) for letter in text)}"


def _square(cosines: np.ndarray) -> float:
    """Square of the volume of a cell with edges of 1."""
    return float(1 - np.sum(cosines**2) + 2 * np.prod(cosines))

"""The list of atoms of a CIF: what stands where, how much of it, and how much it moves."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

import gemmi
import numpy as np

from paperlib.crystals.reading.cif_document import UNKNOWN, Items
from paperlib.crystals.reading.cif_elements import WATER, occupants
from paperlib.crystals.reading.cif_numbers import Number, number
from paperlib.crystals.reading.expansion import Atom
from paperlib.crystals.standardise import BadCrystalError

FURTHEST = 100.0
"""Cells from the origin: a fractional coordinate beyond it is a length, or a number gone wrong."""
LARGEST_B = 100.0
"""Å². A displacement parameter beyond it (an amplitude of 1.1 Å) belongs to no atom of a crystal."""

SPELLING = "number read in spite of its spelling"

_XYZ = ("x", "y", "z")
_LABEL = ("_atom_site_label", "_atom_site_id")
_TENSOR = ("11", "22", "33", "12", "13", "23")

Remark = Callable[[str, str], None]
"""Called with the kind and the values of what a reader of the file should know."""


def read_atoms(
    name: str, items: Items, cell: gemmi.UnitCell, formula: Mapping[int, float], remark: Remark
) -> list[Atom]:
    """The atoms of a block in its order, those without occupancy and dummies left out.

    ``formula`` holds amounts by species code, empty where none is stated. What was read in spite of its spelling, and
    what had to be guessed, is told to ``remark``. Raises BadCrystalError, naming the atom and its text, for what
    cannot be read.
    """
    frac, decimals = _coordinates(name, items, cell, remark)
    n = len(frac)
    labels, types, occupancies, kinds, stated, hydrogens = (
        _column(name, items, n, *tags)
        for tags in (
            _LABEL,
            ("_atom_site_type_symbol",),
            ("_atom_site_occupancy",),
            ("_atom_site_calc_flag",),
            ("_atom_site_site_symmetry_multiplicity", "_atom_site_symmetry_multiplicity"),
            ("_atom_site_attached_hydrogens",),
        )
    )
    displacements = _displacements(items, cell, n, labels, remark)
    atoms, waters = [], []
    for i in range(n):
        if kinds[i].lower() == "dum" or types[i].lower() == "dum":
            remark("dummy atoms left out", labels[i])
            continue
        occupancy = _occupancy(name, labels[i], occupancies[i], remark)
        if occupancy == 0:
            continue
        try:
            shares, kind = occupants(labels[i], types[i], formula)
        except ValueError as error:
            detail = f"atom {labels[i]} is of type {types[i]!r}: {error}"
            raise BadCrystalError(name, "unknown element", detail) from error
        if kind == WATER:
            waters.append(labels[i])
        elif kind:
            remark(kind, f"{labels[i]} of type {types[i]}")
        multiplicity, attached = _count(stated[i]), _count(hydrogens[i])
        atoms.append(
            Atom(labels[i], types[i], frac[i], decimals[i], shares, occupancy, displacements[i], multiplicity, attached)
        )
    if waters and not any(code in (1, 119) for atom in atoms for code in atom.shares):
        remark(WATER, ", ".join(waters))
    return atoms


def _column(name: str, items: Items, n: int, *tags: str) -> list[str]:
    """The texts of the first of these tags that stands in the block, one for each of ``n`` atoms; points where none
    does. Raises BadCrystalError where they belong to another loop."""
    texts = items.column(*tags) or ["."] * n
    if len(texts) != n:
        raise BadCrystalError(name, "atom list in pieces", f"{tags[0]} has {len(texts)} values for {n} atoms")
    return texts


def _coordinates(name: str, items: Items, cell: gemmi.UnitCell, remark: Remark) -> tuple[np.ndarray, list[int]]:
    """(n, 3) fractional coordinates, and the digits behind the point of the most precise of each atom."""
    columns = [items.column(f"_atom_site_fract_{axis}") for axis in _XYZ]
    cartesian = not all(columns)
    if cartesian:
        columns = [items.column(f"_atom_site_cartn_{axis}") for axis in _XYZ]
    lengths = [len(column) for column in columns]
    if not all(columns) or len(set(lengths)) > 1:
        raise BadCrystalError(name, "coordinates incomplete", f"x, y and z of {lengths} atoms are listed")
    labels = _column(name, items, lengths[0], *_LABEL)
    frac, decimals = np.zeros((lengths[0], 3)), []
    for i, texts in enumerate(zip(*columns, strict=True)):
        values = []
        for text in texts:
            value = _number(name, f"coordinate of atom {labels[i]}", text, remark)
            if value is None:
                raise BadCrystalError(name, "coordinates not finite", f"atom {labels[i]} at {', '.join(texts)}")
            values.append(value)
        frac[i] = [value.value for value in values]
        decimals.append(max(value.decimals for value in values))
    if cartesian:
        if items.column("_atom_sites_cartn_tran_matrix_11", "_atom_sites_fract_tran_matrix_11"):
            raise BadCrystalError(name, "Cartesian coordinates in axes of their own", "give fractional coordinates")
        remark("Cartesian coordinates", "taken with a along x and b in the plane of x and y")
        fractionalise = np.array(cell.frac.mat.tolist())
        frac = frac @ fractionalise.T
        shorter = math.floor(math.log10(max(cell.parameters[:3])))
        decimals = [value + shorter for value in decimals]
    if (far := np.argwhere(np.abs(frac) > FURTHEST)).size:
        where = far[0][0]
        raise BadCrystalError(name, "coordinates not fractional", f"atom {labels[where]} at {frac[where].tolist()}")
    return frac, decimals


def _occupancy(name: str, label: str, text: str, remark: Remark) -> float:
    value = _number(name, f"occupancy of atom {label}", text, remark)
    if value is None:
        if text == "?":
            remark("occupancy unknown, taken as 1", label)
        return 1.0
    if value.value < 0:
        raise BadCrystalError(name, "occupancy not positive", f"atom {label} has {text}")
    return value.value


def _number(name: str, what: str, text: str, remark: Remark) -> Number | None:
    try:
        value = number(text)
    except ValueError as error:
        raise BadCrystalError(name, "not a number", f"{what}: {error}") from error
    if value is not None and not value.plain:
        remark(SPELLING, f"{what}: {text!r} as {value.value:.6g}")
    return value


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _displacements(items: Items, cell: gemmi.UnitCell, n: int, labels: list[str], remark: Remark) -> list[float]:
    """B (n) in Å² of each atom: the isotropic B or 8 pi^2 U, else the equivalent of its tensor; NaN where unknown."""
    found = [math.nan] * n
    for tag, factor in (("u_iso_or_equiv", 8 * math.pi**2), ("b_iso_or_equiv", 1.0)):
        for i, text in enumerate(items.column(f"_atom_site_{tag}")[:n]):
            if math.isnan(found[i]):
                found[i] = _displacement(labels[i], text, factor, remark)
    tensors: dict[str, float] = {}
    for kind, factor in (("u", 8 * math.pi**2), ("b", 1.0)):
        columns = [items.column(f"_atom_site_aniso_{kind}_{ij}", f"_atom_site_{kind}_{ij}") for ij in _TENSOR]
        if all(columns):
            names = items.column("_atom_site_aniso_label") or labels
            for label, *texts in zip(names, *columns, strict=False):
                with_unknown = [_displacement(label, text, 1.0, remark, negative=True) for text in texts]
                if not any(map(math.isnan, with_unknown)) and any(with_unknown):
                    tensors.setdefault(label, factor * cell.calculate_u_eq(gemmi.SMat33d(*with_unknown)))
    for i, label in enumerate(labels):
        # a zero beside a tensor is what some programs write for "see there"
        if label in tensors and tensors[label] > 0 and not found[i] > 0:
            found[i] = tensors[label]
    return found


def _displacement(label: str, text: str, factor: float, remark: Remark, negative: bool = False) -> float:
    try:
        value = number(text)
    except ValueError:
        remark("displacement unreadable, taken as unknown", f"{label}: {text[:40]!r}")
        return math.nan
    if text in UNKNOWN or value is None:
        return math.nan
    if not value.plain and not re.fullmatch(r"[\d,]+", text):
        remark("displacement unreadable, taken as unknown", f"{label}: {text[:40]!r}")
        return math.nan
    if not value.plain:
        remark(SPELLING, f"displacement of atom {label}: {text!r} as {value.value:.6g}")
    b = value.value * factor
    if abs(b) > LARGEST_B or (b < 0 and not negative):
        remark("displacement implausible, taken as unknown", f"{label}: {text}, B = {b:.4g} Å²")
        return math.nan
    return b

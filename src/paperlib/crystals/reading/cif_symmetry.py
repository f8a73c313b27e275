"""The symmetry operations that a CIF means, from its operations, Hall symbol, Hermann–Mauguin symbol or number.

Hermann–Mauguin symbols come in many spellings (``P 21/c``, ``P2_1/c``, ``P2(1)/c``, ``P 1 21/c 1``; ``F d -3 m S``,
``Fd-3m:1``, ``F 41/d -3 2/m``) and often leave the origin or the axes open; and what a file says in two places is not
always the same. So several groups of operations remain: the caller chooses among them with the atoms at hand.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import gemmi
import numpy as np
import spglib

from paperlib.crystals.reading.cif_document import UNKNOWN, Items
from paperlib.crystals.reading.cif_numbers import number

METRIC_TOLERANCE = 0.01
"""Relative change of the metric tensor that an operation of the file may cause: published cells are rounded."""

MOST_OPERATIONS = 768
"""A group of more operations in one cell is a list of operations gone wrong (192 in the largest of the tables, four
times as many in a doubled setting)."""

_DEN = gemmi.Op.DEN


@dataclass(frozen=True)
class Stated:
    """What a file says of its symmetry."""

    triplets: tuple[str, ...] = ()
    """Operations as ``x,y,z``."""
    hall: str = ""
    symbol: str = ""
    """Hermann–Mauguin."""
    number: int = 0
    """1-230, 0 where none is given."""
    setting: str = ""
    """Code of the setting: "1" or "2" for the origin, "H" or "R" for the axes, or none."""
    parent: int = 0
    """Of a magnetic structure: the space group without the moments, 1-230, 0 where none is given."""
    remarks: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return (
            f"H-M {self.symbol!r}, Hall {self.hall!r}, number {self.number or 'none'}, {len(self.triplets)} operations"
        )


@dataclass(frozen=True, eq=False)
class Candidate:
    """A group of operations that a file can mean."""

    source: str
    """Where it stands: "operations", "Hall symbol", "symbol", "number" or "completed operations"."""
    rotations: np.ndarray
    """(g, 3, 3)."""
    translations: np.ndarray
    """(g, 3), fractions of the cell edges."""
    number: int
    """1-230, 0 where the operations are those of no space group."""


def stated_symmetry(items: Items) -> Stated:
    """What a block says of its symmetry. Of a magnetic structure the operations without time reversal are taken, which
    the positions of the atoms obey."""
    remarks: list[tuple[str, str]] = []
    triplets = items.column("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
    magnetic = items.column("_space_group_symop_magn_operation_xyz")
    if magnetic and not triplets:
        centring = items.column("_space_group_symop_magn_centering_xyz") or ["x,y,z,+1"]
        triplets = _products(*([text.rpartition(",")[0] for text in part] for part in (magnetic, centring)))
        remarks.append(("magnetic structure: only the positions", f"{len(magnetic)} magnetic operations"))
    text = items.text("_space_group_it_number", "_symmetry_int_tables_number", "_symmetry_space_group_it_number")
    given = _group_number(text)
    if text and not given:
        remarks.append(("space group number unreadable", f"{text[:40]!r} is not one of 1-230"))
    hall = items.text("_space_group_name_hall", "_symmetry_space_group_name_hall")
    symbols = ("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full")
    setting = items.text("_space_group_it_coordinate_system_code").upper()
    return Stated(
        tuple(text for text in triplets if text not in UNKNOWN),
        hall,
        items.text(*symbols, "_space_group_name_h-m_ref"),
        given,
        setting if setting in ("1", "2", "H", "R") else "",
        _group_number(items.text("_parent_space_group_it_number")) if magnetic else 0,
        tuple(remarks),
    )


def _group_number(text: str) -> int:
    try:
        value = number(text)
    except ValueError:
        return 0
    return int(value.value) if value and value.value in range(1, 231) else 0


def _products(operations: list[str], centring: list[str]) -> list[str]:
    try:
        return [(gemmi.Op(c) * gemmi.Op(o)).triplet() for c in centring for o in operations]
    except (RuntimeError, ValueError):
        return []


@functools.cache
def _short_symbols() -> dict[str, str]:
    """Short symbol of each full one without spaces and underscores, e.g. ``F41/d-32/m`` → ``Fd-3m``."""
    kinds = [spglib.get_spacegroup_type(hall) for hall in range(1, 531)]
    return {re.sub("[ _]", "", kind.international_full).lower(): kind.international_short for kind in kinds}


def space_groups_of_symbol(symbol: str, alpha: float = 0.0, gamma: float = 0.0) -> list[gemmi.SpaceGroup]:
    """Every setting that a Hermann–Mauguin symbol can mean; none where it means nothing.

    Two settings come back where the symbol leaves the origin open (choice 1 stands first). ``alpha`` and ``gamma``
    in degrees decide between hexagonal and rhombohedral axes where the symbol does not. A final ``S`` or ``Z``
    (ICSD), ``O1``/``O2`` or ``:1``/``:2`` is the origin choice.
    """
    text = re.sub(r"[_*'\"]", "", symbol).strip()
    text = re.sub(r"([2346])\(([1-5])\)", _screw, text)
    text = re.sub(r"\(([12])\)$", r":\1", text)
    text = re.sub(r"\(([HR]?O?[12SZHR])\)$", r" \1", text)
    text = re.sub(r"[\s:]*(?:O1|S)$", ":1", text, flags=re.IGNORECASE)
    text = re.sub(r"[\s:]*(?:O2|Z)$", ":2", text, flags=re.IGNORECASE)
    stem, _, qualifier = text.partition(":")
    short = _short_symbols().get(re.sub(r"\s", "", stem).lower())
    found: list[gemmi.SpaceGroup] = []
    for spelling in filter(None, (text, short and (f"{short}:{qualifier}" if qualifier else short))):
        for origin in "12":
            group = gemmi.find_spacegroup_by_name(spelling, alpha, gamma, origin)
            if group is not None and group not in found:
                found.append(group)
        if found:
            break
    return found


def _screw(match: re.Match[str]) -> str:
    """``2(1)`` is the screw axis 21, unless the number in brackets cannot be one: ``4/n(2)`` is an origin."""
    return match[1] + match[2] if match[2] < match[1] else match[0]


def _of_number(number: int) -> list[gemmi.SpaceGroup]:
    """The reference setting of a space group, its other origin and its other axes."""
    settings = [g for g in gemmi.spacegroup_table() if g.number == number]
    names = {g.hm for g in settings if g.is_reference_setting()}
    return [g for g in settings if g.is_reference_setting() or (g.hm in names and g.ext in "12HR")]


@functools.lru_cache(maxsize=1024)
def operations_of(triplets: tuple[str, ...]) -> tuple[np.ndarray, bool] | None:
    """The group that operations generate, as (g, 3, 4) whole numbers (rotation, and translation in 24ths), and whether
    the list held all of it. None where a text is unreadable, or more than :data:`MOST_OPERATIONS` come out."""
    try:
        operations = [gemmi.Op(text.strip()).wrap() for text in triplets]
    except (RuntimeError, ValueError):
        return None
    listed = np.array([[[*row, t] for row, t in zip(op.rot, op.tran, strict=True)] for op in operations])
    rotations, odd = np.divmod(listed[:, :, :3], _DEN)
    if odd.any() or np.any(np.abs(np.round(np.linalg.det(rotations))) != 1):
        return None
    listed[:, :, :3] = rotations
    group = _unique(np.concatenate([np.eye(3, 4, dtype=listed.dtype)[None], listed]))
    n_listed = len(_unique(listed))
    while True:
        turned = np.einsum("aij,bjk->abik", group[:, :, :3], group)
        turned[..., 3] = (turned[..., 3] + group[:, None, :, 3]) % _DEN
        closed = _unique(turned.reshape(-1, 3, 4))
        if len(closed) == len(group):
            return group, len(group) == n_listed
        if len(closed) > MOST_OPERATIONS or np.abs(closed[:, :, :3]).max() > 8:
            return None
        group = closed


def _unique(operations: np.ndarray) -> np.ndarray:
    """The different ones, in the order in which they come."""
    _, first = np.unique(operations.reshape(len(operations), -1), axis=0, return_index=True)
    return operations[np.sort(first)]


def _candidates(stated: Stated, cell: gemmi.UnitCell) -> Iterator[tuple[str, list[np.ndarray]]]:
    """What the file says of its symmetry, the least ambiguous statement first."""
    listed = operations_of(stated.triplets) if stated.triplets else None
    if listed is not None and listed[1]:
        yield "operations", [listed[0]]
    if stated.hall:
        try:
            yield "Hall symbol", [_of_hall(stated.hall)]
        except (RuntimeError, ValueError):
            pass  # a misspelt Hall symbol: the Hermann–Mauguin symbol follows
    for source, groups in (
        ("symbol", space_groups_of_symbol(stated.symbol, cell.alpha, cell.gamma) if stated.symbol else []),
        ("number", _of_number(stated.number) if stated.number else []),
    ):
        meant = [group for group in groups if group.ext == stated.setting] or groups
        if meant:
            yield source, [_of_hall(group.hall) for group in meant]
    if listed is not None and not listed[1]:
        yield "completed operations", [listed[0]]


def candidates(stated: Stated, cell: gemmi.UnitCell) -> list[Candidate]:
    """Each different group of operations that the file can mean and its cell allows, in the order in which they are
    to be believed: operations that form a group, Hall symbol, Hermann–Mauguin symbol, number, and the group that an
    incomplete list of operations generates.

    Raises ValueError with a reason where nothing readable is given, or nothing that fits the cell.
    """
    metric = np.array(cell.orth.mat.tolist())
    metric = metric.T @ metric
    read_any, found, seen = False, [], set()
    for source, groups in _candidates(stated, cell):
        for operations in groups:
            read_any = True
            key = frozenset(map(bytes, operations))
            if key not in seen and _fits(operations[:, :, :3], metric):
                seen.add(key)
                rotations = operations[:, :, :3].astype(np.float64)
                found.append(Candidate(source, rotations, operations[:, :, 3] / _DEN, _number_of(bytes(operations))))
    if not found:
        reason = "cell does not fit its symmetry" if read_any else "no symmetry given"
        raise ValueError(f"{reason}: {stated}, cell {tuple(float(value) for value in cell.parameters)}")
    return found


def declared_space_group(stated: Stated) -> int:
    """The space group number that the file states: its number, else that of its symbol, Hall symbol or operations; 0
    where it states none. For a magnetic structure that of its parent, which the moments do not lower."""
    if stated.number or stated.parent:
        return stated.number or stated.parent
    if stated.symbol and (named := space_groups_of_symbol(stated.symbol)):
        return int(named[0].number)
    for _, groups in _candidates(stated, gemmi.UnitCell()):
        for operations in groups:
            if known := _number_of(bytes(operations)):
                return known
    return 0


@functools.lru_cache(maxsize=1024)
def _of_hall(symbol: str) -> np.ndarray:
    """(g, 3, 4) as :func:`operations_of` gives them. Raises ValueError or RuntimeError for what is no Hall symbol."""
    group = gemmi.symops_from_hall(symbol)
    operations = np.array([[[*row, t] for row, t in zip(op.rot, op.tran, strict=True)] for op in group])
    operations[:, :, :3] //= _DEN
    operations[:, :, 3] %= _DEN
    return operations


@functools.lru_cache(maxsize=1024)
def _number_of(content: bytes) -> int:
    """Number of the space group of operations, in whatever setting; 0 where it has none."""
    operations = np.frombuffer(content, dtype=np.int64).reshape(-1, 3, 4)
    try:
        kind = spglib.get_spacegroup_type_from_symmetry(operations[:, :, :3], operations[:, :, 3] / _DEN)
    except spglib.SpglibError:
        return 0
    return int(kind.number) if kind else 0


def _fits(rotations: np.ndarray, metric: np.ndarray) -> bool:
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    turned = np.einsum("gji,jk,gkl->gil", rotations, metric, rotations)
    return bool(np.all(np.abs(turned - metric) <= METRIC_TOLERANCE * scale))

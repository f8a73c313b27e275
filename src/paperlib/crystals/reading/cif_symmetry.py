"""The symmetry operations that a CIF means, from its operations, Hall symbol, Hermann–Mauguin symbol or number.

Hermann–Mauguin symbols come in many spellings (``P 21/c``, ``P2_1/c``, ``P 1 21/c 1``; ``F d -3 m S``, ``Fd-3m:1``,
``F 41/d -3 2/m``) and often leave the origin or the axes open, so that several groups of operations remain: the
caller chooses among them with the atoms at hand.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

import gemmi
import numpy as np
import spglib

METRIC_TOLERANCE = 0.01
"""Relative change of the metric tensor that an operation of the file may cause: published cells are rounded."""


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


def _of_number(number: int) -> list[gemmi.SpaceGroup]:
    """The reference setting of a space group, its other origin and its other axes."""
    settings = [g for g in gemmi.spacegroup_table() if g.number == number]
    names = {g.hm for g in settings if g.is_reference_setting()}
    return [g for g in settings if g.is_reference_setting() or (g.hm in names and g.ext in "12HR")]


def _of_operations(triplets: Sequence[str]) -> gemmi.GroupOps | None:
    """The group that the operations of a file form, None where they are unreadable or form none."""
    try:
        listed = {gemmi.Op(text.strip()).wrap().triplet() for text in triplets}
        group = gemmi.GroupOps([gemmi.Op(text) for text in sorted(listed)])
        group.add_missing_elements()
    except (RuntimeError, ValueError):
        return None
    return group if len(list(group)) == len(listed) else None


def _candidates(small: gemmi.SmallStructure) -> Iterator[list[gemmi.GroupOps]]:
    """What the file says of its symmetry, the least ambiguous statement first."""
    cell = small.cell
    if small.symops and (group := _of_operations(small.symops)) is not None:
        yield [group]
    if small.spacegroup_hall:
        try:
            yield [gemmi.symops_from_hall(small.spacegroup_hall)]
        except (RuntimeError, ValueError):
            pass  # a misspelt Hall symbol: the Hermann–Mauguin symbol follows
    if small.spacegroup_hm:
        yield [g.operations() for g in space_groups_of_symbol(small.spacegroup_hm, cell.alpha, cell.gamma)]
    if small.spacegroup_number:
        yield [g.operations() for g in _of_number(small.spacegroup_number)]


def operation_candidates(small: gemmi.SmallStructure) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rotations (g, 3, 3) and translations (g, 3) of each group of operations that the file can mean.

    Taken from the operations where they form a group, else from the Hall symbol, else the Hermann–Mauguin symbol,
    else the number. Groups that the metric of the cell contradicts are left out. Raises ValueError with a reason
    where nothing readable is given, or nothing that fits the cell.
    """
    metric = np.array(small.cell.orth.mat.tolist())
    metric = metric.T @ metric
    read_any = False
    for groups in _candidates(small):
        read_any |= bool(groups)
        fitting = [arrays for arrays in map(_arrays, groups) if _fits(arrays[0], metric)]
        if fitting:
            return fitting
    stated = f"H-M {small.spacegroup_hm!r}, Hall {small.spacegroup_hall!r}, number {small.spacegroup_number}"
    stated += f", {len(small.symops)} operations, cell {small.cell.parameters}"
    raise ValueError(("cell does not fit its symmetry: " if read_any else "no symmetry given: ") + stated)


def declared_space_group(small: gemmi.SmallStructure) -> int:
    """The space group number that the file states: its number, else that of its symbol, Hall symbol or
    operations; 0 where it states none."""
    if 1 <= small.spacegroup_number <= 230:
        return int(small.spacegroup_number)
    named = space_groups_of_symbol(small.spacegroup_hm) if small.spacegroup_hm else []
    if named:
        return int(named[0].number)
    for groups in _candidates(small):
        for group in groups:
            if (known := gemmi.find_spacegroup_by_ops(group)) is not None:
                return int(known.number)
    return 0


def _arrays(group: gemmi.GroupOps) -> tuple[np.ndarray, np.ndarray]:
    operations = list(group)
    rotations = np.array([op.rot for op in operations], dtype=np.float64) / gemmi.Op.DEN
    translations = np.array([op.tran for op in operations], dtype=np.float64) / gemmi.Op.DEN
    return rotations, translations


def _fits(rotations: np.ndarray, metric: np.ndarray) -> bool:
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    turned = np.einsum("gji,jk,gkl->gil", rotations, metric, rotations)
    return bool(np.all(np.abs(turned - metric) <= METRIC_TOLERANCE * scale))

"""Crystals of a CIF: each block read in the way that agrees with all that it states.

A file says the same thing several times: operations and symbol, atoms and formula, multiplicities. Where these agree,
the first reading is the crystal. Where they do not, each reading that the file allows (other operations, another
origin, repeated atoms taken as images or added up) is held against the statements, and the one that contradicts the
fewest is taken, with a remark that names both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import gemmi
import numpy as np

from paperlib.crystals.reading import cif_statements as statements
from paperlib.crystals.reading.cif_atoms import SPELLING, Remark, read_atoms
from paperlib.crystals.reading.cif_document import Items, blocks
from paperlib.crystals.reading.cif_numbers import number
from paperlib.crystals.reading.cif_symmetry import Candidate, candidates, declared_space_group, stated_symmetry
from paperlib.crystals.reading.expansion import Atom, Expanded, expand, shortest_distance
from paperlib.crystals.reading.plausible import MAX_SITES
from paperlib.crystals.standardise import BadCrystalError, Sites

_CELL = [f"_cell_{key}" for key in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")]
_ATOMS = ("_atom_site_fract_x", "_atom_site_cartn_x")
_ONCE = ("_cell_", "_atom_site_", "_symmetry_", "_space_group_", "_chemical_formula_sum")
"""Tags that must not stand twice in a block."""


def read_cif(name: str, content: bytes) -> Iterator[Sites | BadCrystalError]:
    """Each block with atoms as the sites of its whole cell, or the error that says why it cannot be used.

    A file with one such block gives a crystal called ``name``, one with several ``name#block``. Occupancies, B or U
    (B = 8 π² U; the equivalent isotropic value of an anisotropic tensor; NaN where none is known), mixtures on one site
    and deuterium are kept; charges in atom types (``Fe3+``) are dropped. ``Sites.remarks`` says what the file
    contradicts, leaves open or spells in its own way. Whatever is wrong with one block, the others come out.
    """
    crystals, errors = [], []
    for found in blocks(name, content):
        if isinstance(found, BadCrystalError):
            errors.append(found)
        elif any(found[1].column(tag) for tag in _ATOMS):
            crystals.append(found)
    yield from errors
    if not crystals and not errors:
        yield BadCrystalError(name, "no atoms", "no block lists atom coordinates")
    for label, items in crystals:
        crystal = name if len(crystals) + len(errors) == 1 else f"{name}#{label}"
        try:
            yield _sites(crystal, items)
        except BadCrystalError as error:
            yield error


def _sites(name: str, items: Items) -> Sites:
    remarks: dict[str, list[str]] = {}

    def remark(kind: str, detail: str) -> None:
        remarks.setdefault(kind, []).append(detail)

    twice = sorted(tag for tag in items.repeated if tag.startswith(_ONCE))
    if twice:
        raise BadCrystalError(name, "a tag stands twice", ", ".join(twice[:3]))
    cell = _cell(name, items, remark)
    lattice = np.array(cell.orth.mat.tolist()).T
    symmetry = stated_symmetry(items)
    for kind, detail in symmetry.remarks:
        remark(kind, detail)
    declared = declared_space_group(symmetry)
    stated = statements.statement(items, 0 if symmetry.parent else declared)
    atoms = read_atoms(name, items, cell, stated.formula or {}, remark)
    if not atoms:
        raise BadCrystalError(name, "no atoms", "every atom of the list is a dummy or has an occupancy of 0")
    try:
        groups = candidates(symmetry, cell)
    except ValueError as error:
        reason, _, detail = str(error).partition(": ")
        raise BadCrystalError(name, reason, detail) from error
    if symmetry.triplets and groups[0].source != "operations":
        remark("operations not usable", f"{len(symmetry.triplets)} listed form no group, or none that fits the cell")
    chosen = _choose(name, lattice, atoms, groups, stated, remark)
    if missing := statements.missing_hydrogens(stated, atoms, chosen.expanded):
        remark("hydrogens stated but not listed", missing)
    if volume := statements.volume_contradicts(stated, cell.volume):
        remark("volume contradicts the cell", volume)
    if chosen.expanded.repeated:
        remark("images listed as well", ", ".join(chosen.expanded.repeated[:6]))
    if chosen.expanded.moved:
        far = (f"{label} by {distance:.2f} Å" for label, distance in chosen.expanded.moved[:6])
        remark("atoms moved onto a symmetry element", ", ".join(far))
    told = tuple((kind, "; ".join(details[:6])) for kind, details in remarks.items())
    expanded = chosen.expanded
    return Sites(name, lattice, expanded.frac, expanded.occupants, expanded.b_iso, declared, told)


def _cell(name: str, items: Items, remark: Remark) -> gemmi.UnitCell:
    parameters = []
    for tag in _CELL:
        text = (items.column(tag) or [""])[0]
        try:
            value = number(text)
        except ValueError as error:
            raise BadCrystalError(name, "degenerate cell", f"{tag}: {error}") from error
        if value is None and not (text == "" and "angle" in tag):
            raise BadCrystalError(name, "degenerate cell", f"{tag} is not given")
        if value and not value.plain:
            remark(SPELLING, f"{tag}: {text!r} as {value.value:.6g}")
        # the dictionary's default for an angle that the file leaves out
        parameters.append(value.value if value else 90.0)
    if min(parameters) <= 0 or max(parameters[3:]) >= 180 or max(parameters[:3]) > 1e4:
        raise BadCrystalError(name, "degenerate cell", f"a, b, c, alpha, beta, gamma = {parameters}")
    cell = gemmi.UnitCell(*parameters)
    if not cell.is_crystal() or not cell.volume > 0:
        raise BadCrystalError(name, "degenerate cell", f"a, b, c, alpha, beta, gamma = {parameters}")
    return cell


@dataclass(frozen=True, eq=False)
class _Reading:
    """One way to read the file."""

    candidate: Candidate
    expanded: Expanded
    against: dict[str, str]
    """Statements that it contradicts."""

    def __str__(self) -> str:
        content = statements.written(statements.cell_content(self.expanded.occupants))
        return f"{self.candidate.source}, group {self.candidate.number or 'unknown'}: {content}"

    def same(self, other: _Reading) -> bool:
        """Whether the cell holds the same atoms."""
        mine, theirs = (statements.cell_content(r.expanded.occupants) for r in (self, other))
        return mine.keys() == theirs.keys() and all(abs(mine[code] - theirs[code]) < 1e-6 for code in mine)


def _choose(
    name: str,
    lattice: np.ndarray,
    atoms: Sequence[Atom],
    groups: Sequence[Candidate],
    stated: statements.Statement,
    remark: Remark,
) -> _Reading:
    """The first reading that contradicts no statement, else the one that contradicts the fewest."""
    readings = _readings(name, lattice, atoms, groups, stated)
    order = [candidate.source for candidate in groups]

    def doubt(reading: _Reading) -> tuple[int, int, float, int]:
        # The wrong origin or axes put atoms on the wrong special positions, where they come too close to one another.
        distance = round(shortest_distance(reading.expanded.frac, lattice), 2)
        return len(reading.against), order.index(reading.candidate.source), -distance, len(reading.expanded.frac)

    best = min(readings, key=doubt) if len(readings) > 1 else readings[0]
    others = [reading for reading in readings if not reading.same(best)]
    if others and others[0] is readings[0] and readings[0].against and len(readings[0].against) > len(best.against):
        why = ", ".join(f"{kind} ({detail})" for kind, detail in readings[0].against.items())
        remark("contradiction resolved", f"{readings[0]}, but {why}; read as {best}")
    rivals = [reading for reading in others if len(reading.against) == len(best.against)]
    if any(reading.candidate.source == best.candidate.source for reading in rivals):
        remark("origin or axes open, chosen by distances", f"read as {best}; otherwise {rivals[0]}")
    for kind, detail in best.against.items():
        if kind != statements.SYMBOL or others:
            also = f"; otherwise {others[0]}" if others else ""
            remark(kind, f"{detail}; read as {best}{also}")
    return best


def _readings(
    name: str, lattice: np.ndarray, atoms: Sequence[Atom], groups: Sequence[Candidate], stated: statements.Statement
) -> list[_Reading]:
    """At least one; all from the first source that contradicts nothing, and those before it."""
    readings: list[_Reading] = []
    failures: list[BadCrystalError] = []
    first = groups[0]
    # A list of nothing but x,y,z is what programs leave behind that could not write the operations.
    listed = first.number if first.source == "operations" and len(first.rotations) > 1 else 0
    for candidate, after in zip(groups, [*groups[1:], None], strict=True):
        for add_images in (False, True):
            operations = candidate.rotations, candidate.translations
            try:
                expanded = expand(name, lattice, atoms, *operations, MAX_SITES, add_images)
            except BadCrystalError as error:
                failures.append(error)
                break
            against = statements.contradictions(
                stated, atoms, expanded, len(candidate.rotations), candidate.number, lattice
            )
            if listed and candidate.number not in (listed, 0):
                against[statements.SYMBOL] = (
                    f"group {candidate.number} is not that of the {len(first.rotations)} operations"
                )
            readings.append(_Reading(candidate, expanded, against))
            if not against or not expanded.repeated:
                break
        fits = any(not reading.against for reading in readings)
        if fits and (after is None or after.source != candidate.source):
            break
    if not readings:
        raise failures[0]
    return readings

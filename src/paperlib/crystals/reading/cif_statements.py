"""What a CIF states about its crystal, held against what was read: formula and Z, volume, multiplicities, symbol.

One such comparison finds most files that contradict themselves, and the reader's own mistakes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from paperlib.crystals.crystal_set import DEUTERIUM
from paperlib.crystals.reading.cif_document import Items
from paperlib.crystals.reading.cif_elements import formula_amounts
from paperlib.crystals.reading.cif_numbers import number
from paperlib.crystals.reading.expansion import Atom, Expanded, shortest_distance
from paperlib.crystals.reading.plausible import CLOSEST
from paperlib.crystals.species import species_symbol
from paperlib.crystals.standardise import OCCUPANCY_TOLERANCE

FORMULA_TOLERANCE = 0.03
"""Share of an amount by which atoms and formula may differ, next to 0.05 atoms: both are rounded."""
VOLUME_TOLERANCE = 0.01
"""Share by which the stated volume may differ from that of the cell."""
FORMULA, COUNT, MULTIPLICITY = "formula contradicts the atoms", "Z contradicts the atoms", "multiplicity contradicts"
OVERFULL, CLOSE, SYMBOL = "more than one atom on a site", "atoms too close", "operations contradict the symbol"


@dataclass(frozen=True)
class Statement:
    """What the file states."""

    text: str = ""
    """The chemical formula as it is written."""
    formula: Mapping[int, float] | None = None
    """Amounts by species code, None where there is no formula that can be read."""
    z: float = 0.0
    """Formula units in the cell, 0 where not stated."""
    volume: float = 0.0
    """Å³, 0 where not stated."""
    space_group: int = 0
    """1-230, 0 where not stated."""


def statement(items: Items, space_group: int) -> Statement:
    """What a block states; ``space_group`` is the number that its symmetry states."""
    text = items.text("_chemical_formula_sum", "_chemical_formula_moiety")
    amounts = formula_amounts(text)
    values = []
    for tag in ("_cell_formula_units_z", "_cell_volume"):
        try:
            value = number(items.text(tag))
            values.append(max(value.value, 0.0) if value else 0.0)
        except ValueError:
            values.append(0.0)
    return Statement(text, amounts or None, z=values[0], volume=values[1], space_group=space_group)


def cell_content(occupants: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Atoms in the cell by species code."""
    amounts: dict[int, float] = {}
    for site in occupants:
        for code, amount in site.items():
            amounts[code] = amounts.get(code, 0.0) + amount
    return amounts


def written(content: Mapping[int, float]) -> str:
    """The content of a cell as a reader wants to see it, e.g. ``Na4 Cl4``."""
    return " ".join(f"{species_symbol(code)}{amount:.4g}" for code, amount in sorted(content.items(), reverse=True))


def contradictions(
    stated: Statement, atoms: Sequence[Atom], expanded: Expanded, n_operations: int, number: int, lattice: np.ndarray
) -> dict[str, str]:
    """Each statement that the sites of one reading contradict: its kind, and the values.

    ``n_operations`` and ``number`` (0 where unknown) are those of the group of the reading; ``lattice`` (3, 3) in Å.
    """
    found = _formula(stated, expanded)
    given = [(atom.label, atom.multiplicity, n) for atom, n in zip(atoms, expanded.images, strict=False)]
    wrong = [(label, stated, n) for label, stated, n in given if stated and stated != n]
    # some programs write the order of the site's symmetry instead, which is as good a statement
    if wrong and not all(stated * n == n_operations for _, stated, n in given if stated):
        found[MULTIPLICITY] = ", ".join(f"{label} is stated {m} times and read {n}" for label, m, n in wrong[:3])
    if stated.space_group and number and number != stated.space_group:
        found[SYMBOL] = f"the operations are those of group {number}, {stated.space_group} is stated"
    totals = [sum(site.values()) for site in expanded.occupants]
    if max(totals, default=0.0) > 1 + OCCUPANCY_TOLERANCE:
        found[OVERFULL] = f"{max(totals):.4g} atoms on one site"
    whole = expanded.frac[[total > 0.5 for total in totals]]
    if len(whole) > 1 and (distance := shortest_distance(whole, lattice)) < CLOSEST:
        found[CLOSE] = f"{distance:.3g} Å"
    return found


def _formula(stated: Statement, expanded: Expanded) -> dict[str, str]:
    if stated.formula is None:
        return {}
    content, formula = _merged(cell_content(expanded.occupants)), _merged(stated.formula)
    heavy = {code for code in {*content, *formula} if code != 1} or {1}
    units = sum(content.get(code, 0.0) for code in heavy) / max(sum(formula.get(code, 0.0) for code in heavy), 1e-9)
    if not all(_alike(content.get(code, 0.0) / units, formula.get(code, 0.0)) for code in heavy):
        return {FORMULA: f"{stated.text} is stated, one cell holds {written(content)}"}
    if content.get(1, 0.0) / units > formula.get(1, 0.0) * (1 + FORMULA_TOLERANCE) + 0.05:
        return {FORMULA: f"{stated.text} is stated, one cell holds {written(content)}"}
    if stated.z and abs(units - stated.z) > FORMULA_TOLERANCE * stated.z:
        return {COUNT: f"Z = {stated.z:g} of {stated.text} is stated, one cell holds {written(content)}"}
    return {}


def missing_hydrogens(stated: Statement, atoms: Sequence[Atom], expanded: Expanded) -> str:
    """Hydrogens that the file states, in its formula or as attached to atoms, and does not list; "" where there are
    none. Neutrons see them."""
    content = _merged(cell_content(expanded.occupants))
    attached = sum(atom.hydrogens for atom in atoms)
    formula = _merged(stated.formula or {})
    heavy = [code for code in formula if code != 1]
    scale = sum(content.get(code, 0.0) for code in heavy) / max(sum(formula[code] for code in heavy), 1e-9)
    if formula.get(1, 0.0) * scale * (1 - FORMULA_TOLERANCE) - 0.05 * scale > content.get(1, 0.0):
        return f"{stated.text} is stated, {content.get(1, 0.0):.4g} hydrogens stand in the cell"
    if attached and 1 not in content:
        return f"{attached} hydrogens are attached to listed atoms"
    return ""


def volume_contradicts(stated: Statement, volume: float) -> str:
    """The stated volume beside that of the cell (Å³) where they differ, else ""."""
    if stated.volume and abs(volume - stated.volume) > VOLUME_TOLERANCE * stated.volume:
        return f"{stated.volume:g} Å³ is stated, the cell has {volume:.2f} Å³"
    return ""


def _merged(amounts: Mapping[int, float]) -> dict[int, float]:
    """The same with deuterium as hydrogen: formulas often do not tell them apart."""
    merged = {code: amount for code, amount in amounts.items() if code != DEUTERIUM}
    if DEUTERIUM in amounts:
        merged[1] = merged.get(1, 0.0) + amounts[DEUTERIUM]
    return merged


def _alike(amount: float, stated: float) -> bool:
    return abs(amount - stated) <= FORMULA_TOLERANCE * stated + 0.05

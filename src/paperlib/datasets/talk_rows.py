"""The eleven rows of the ICSD that the talk showed as near-duplicates, as a fixed test of what formula and cell tell.

Formula, space group and cell are facts that the slide prints; it prints no coordinates, so that rules that look at
patterns or structures have nothing to say of these rows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import species_code
from paperlib.datasets.alike.group_tables import rule_table
from paperlib.datasets.duplicates import find_duplicates

_SERIES = {"Ag": 0.034, "In": 0.037, "Sb": 0.764, "Te": 0.165}

ROWS: tuple[tuple[str, int, dict[str, float], int, tuple[float, ...]], ...] = (
    ("155130", 2006, {"Ag": 0.02, "Cu": 1.98, "S": 3.0, "Si": 1.0}, 9, (6.3405, 11.257, 6.2812, 90, 107.464, 90)),
    ("58311", 1969, {"Ag": 0.02, "Li": 0.98}, 229, (3.4913, 3.4913, 3.4913, 90, 90, 90)),
    ("94288", 2001, _SERIES, 166, (4.347, 4.347, 11.2415, 90, 90, 120)),
    ("94289", 2001, _SERIES, 166, (4.3553, 4.3553, 11.276, 90, 90, 120)),
    ("94290", 2001, _SERIES, 166, (4.3696, 4.3696, 11.5759, 90, 90, 120)),
    ("94291", 2001, _SERIES, 166, (4.3747, 4.3747, 5.8087, 90, 90, 120)),
    ("426574", 2013, _SERIES, 166, (4.338, 4.338, 11.004, 90, 90, 120)),
    ("426575", 2013, _SERIES, 166, (4.3032, 4.3032, 11.2623, 90, 90, 120)),
    ("29297", 1960, {"Ag": 0.03, "Cd": 0.985, "O": 1.0}, 225, (4.69385, 4.69385, 4.69385, 90, 90, 90)),
    ("58325", 1950, {"Ag": 0.03, "Mg": 0.97}, 194, (3.1936, 3.1936, 5.1769, 90, 90, 120)),
    ("604103", 1993, {"Ag": 0.04, "Cu": 3.96}, 225, (3.62, 3.62, 3.62, 90, 90, 90)),
)
"""Number in the ICSD, year, atoms of the formula, space group, and a, b, c (Å), alpha, beta, gamma (degrees)."""

RULES: Mapping[str, tuple[str, dict[str, float]]] = {
    "formula~group": ("formula~group", {}),
    "formula+group": ("formula+group", {}),
    "cell, wide": ("cell", {"cell": 0.03}),
    "cell": ("cell", {}),
}
"""The rules that look at nothing that the rows lack, from loose to strict."""


def talk_rows() -> CrystalSet:
    """The eleven rows (n = 11) as crystals whose one site, at the origin, is a mixture of the composition: for rules
    that look at formula, space group and cell. Neither patterns nor structures of these crystals mean anything."""
    atoms = [formula for _, _, formula, _, _ in ROWS]
    amounts = [np.array(list(formula.values())) / sum(formula.values()) for formula in atoms]
    counts = [len(formula) for formula in atoms]
    texts = ["".join(f"{e}{x:g}" for e, x in formula.items()) for formula in atoms]
    return CrystalSet(
        cell=np.array([cell for *_, cell in ROWS], dtype=np.float64),
        space_group=np.array([group for _, _, _, group, _ in ROWS], dtype=np.int16),
        standard=np.ones(len(ROWS), dtype=bool),
        site_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        frac=np.zeros((sum(counts), 3)),
        species=np.array([species_code(symbol) for formula in atoms for symbol in formula], dtype=np.int16),
        occupancy=np.concatenate(amounts),
        b_iso=np.zeros(sum(counts)),
        formula=np.array(texts),
        source_id=np.array([name for name, *_ in ROWS]),
    )


def talk_table() -> pd.DataFrame:
    """The rows with their year, cell, and volume (Å³), and under each of :data:`RULES` a letter, the same for rows that
    the rule puts together."""
    rows = talk_rows()
    labels = {name: find_duplicates(rows, rule, **tolerances) for name, (rule, tolerances) in RULES.items()}
    table = rule_table(rows, labels, np.arange(len(rows)))
    table[["a", "b", "c"]] = rows.cell[:, :3]
    table.insert(1, "year", [year for _, year, *_ in ROWS])
    return table

"""Crystals as tables that a picture of them can be drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.minimum_distances import minimum_distances
from paperlib.crystals.species import species_symbol


def atom_table(crystals: CrystalSet) -> pd.DataFrame:
    """One row per site row: ``row`` (number of the crystal), ``x``, ``y``, ``z`` (fractions of the cell), ``element``,
    and ``radius`` (Å, covalent)."""
    atoms = pd.DataFrame(crystals.frac.round(5), columns=["x", "y", "z"])
    atoms.insert(0, "row", np.repeat(np.arange(len(crystals)), crystals.n_sites))
    atoms["element"] = [species_symbol(int(code)) for code in crystals.species]
    return atoms.assign(radius=minimum_distances().diagonal()[crystals.species])


def cell_table(crystals: CrystalSet) -> pd.DataFrame:
    """One row per crystal: ``a``, ``b``, ``c`` (Å), ``alpha``, ``beta``, ``gamma`` (degrees), ``row``, ``source_id``,
    ``formula``, ``space_group`` and ``n_atoms``, the rows of sites."""
    cells = pd.DataFrame(crystals.cell.round(4), columns=["a", "b", "c", "alpha", "beta", "gamma"])
    return cells.assign(
        row=range(len(crystals)),
        source_id=crystals.source_id,
        formula=crystals.formula,
        space_group=crystals.space_group,
        n_atoms=crystals.n_sites,
    )

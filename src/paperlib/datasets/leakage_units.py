"""What entries of a set can share with one another, from the same crystal to the same structure type."""

from __future__ import annotations

from typing import Any

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import ShardedCrystals
from paperlib.datasets.duplicates import find_duplicates
from paperlib.datasets.leakage import KINDS
from paperlib.datasets.structure_types import structure_types

EXACT = {"cell": 0.001, "similarity": 0.9999}
"""Tolerances of the rule ``pattern`` for entries that are the same crystal, written down twice."""

NEAR = {"formula": 0.02}
"""Tolerances of the rule ``pattern`` for entries that a network can know one from the other: other determinations and
doped variants."""


def leakage_units(crystals: CrystalSet | ShardedCrystals, client: Any = None) -> dict[str, np.ndarray]:
    """What entries can share, each (n,): the group of ``exact`` copies and of ``near`` ones (:data:`EXACT`,
    :data:`NEAR`), and the ``structure type``. ``client`` as in :func:`paperlib.datasets.duplicates.find_duplicates`."""
    exact, near = (find_duplicates(crystals, "pattern", client=client, **tolerances) for tolerances in (EXACT, NEAR))
    return dict(zip(KINDS, (exact, near, structure_types(crystals)), strict=True))

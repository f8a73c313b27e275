"""Sets of simulated patterns to read measured ones with: the world that resembles them, the same without one
imperfection, and others (:mod:`paperlib.diffraction.mineral_world`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.database_statistics import DatabaseStatistics
from paperlib.crystals.rules import rules_from
from paperlib.datasets.asked_groups import AskedGroups
from paperlib.datasets.drawn_sets import DrawnSet
from paperlib.datasets.random_sets import RandomSet
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.mineral_world import CHANGES, MINERAL_INSTRUMENT, minerals

ONE_LINE = replace(MINERAL_INSTRUMENT, second_wavelength=0.0)
"""The diffractometer with a monochromator that lets one line through."""

WITHOUT = tuple(f"no_{change}" for change in (*CHANGES, "doublet"))
"""Names of the worlds without one imperfection."""


def training_sets(crystals: CrystalSet, others: CrystalSet, impurities: CrystalSet, times: int) -> dict[str, DrawnSet]:
    """Sets by name: ``minerals`` and ``left_out``, ``times`` patterns of each of ``crystals`` and of ``others`` in the
    world of minerals, second phases from ``impurities``; and to be compared among themselves, one pattern of each of
    ``crystals``: ``real`` in that world, in those of :data:`WITHOUT`, ``laboratory`` and ``clean`` (lines alone)."""
    world = minerals(impurities)
    worlds = {"real": (MINERAL_INSTRUMENT, world), "laboratory": (MINERAL_INSTRUMENT, LABORATORY)}
    worlds |= {f"no_{change}": (MINERAL_INSTRUMENT, minerals(impurities, change)) for change in CHANGES}
    worlds |= {"no_doublet": (ONE_LINE, world), "clean": (ONE_LINE, None)}
    often = {"minerals": crystals, "left_out": others}
    sets = {name: DrawnSet(shown, times, 0, MINERAL_INSTRUMENT, world) for name, shown in often.items()}
    return sets | {name: DrawnSet(crystals, 1, 0, *how) for name, how in worlds.items()}


def test_sets(crystals: CrystalSet, impurities: CrystalSet) -> dict[str, DrawnSet]:
    """One pattern of each of ``crystals`` in the worlds ``real``, ``laboratory`` and ``clean``, others than those of
    :func:`training_sets`."""
    worlds = {"real": (MINERAL_INSTRUMENT, minerals(impurities)), "laboratory": (MINERAL_INSTRUMENT, LABORATORY)}
    return {name: DrawnSet(crystals, 1, 1, *world) for name, world in (worlds | {"clean": (ONE_LINE, None)}).items()}


test_sets.__test__ = False  # type: ignore[attr-defined]  # no test, whatever pytest makes of the name


def random_minerals(
    learnt_from: CrystalSet, recipe: str, counts: np.ndarray, n: int, impurities: CrystalSet
) -> RandomSet:
    """``n`` patterns of random crystals in the world of minerals, one of each: compositions, coordination and volumes
    as in ``learnt_from`` (of which ``recipe`` is the checksum), space groups as frequent as ``counts``
    (230,) says."""
    statistics = DatabaseStatistics.learn(learnt_from)
    rules = rules_from(composition="database", statistics=statistics, max_compositions=5000)
    asked = AskedGroups(histogram=tuple(int(count) for count in counts))
    return RandomSet(asked, 0, n, rules, recipe, MINERAL_INSTRUMENT, minerals(impurities))

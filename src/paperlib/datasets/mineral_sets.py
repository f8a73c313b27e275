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
    """Sets of ``times`` patterns of each crystal, by name. Of ``crystals``: ``real`` (the world of minerals, second
    phases from ``impurities``), those of :data:`WITHOUT`, ``laboratory`` and ``clean`` (lines alone); ``left_out`` is
    ``real`` of ``others``."""
    world = minerals(impurities)
    worlds = {"real": (crystals, MINERAL_INSTRUMENT, world), "left_out": (others, MINERAL_INSTRUMENT, world)}
    worlds |= {"laboratory": (crystals, MINERAL_INSTRUMENT, LABORATORY), "clean": (crystals, ONE_LINE, None)}
    worlds |= {f"no_{change}": (crystals, MINERAL_INSTRUMENT, minerals(impurities, change)) for change in CHANGES}
    worlds |= {"no_doublet": (crystals, ONE_LINE, world)}
    return {name: DrawnSet(shown, times, 0, on, how) for name, (shown, on, how) in worlds.items()}


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

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
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.mineral_world import CHANGES, MINERAL_INSTRUMENT, MINERALS, SECOND_PHASE, minerals

ONE_LINE = replace(MINERAL_INSTRUMENT, second_wavelength=0.0)
"""The diffractometer with a monochromator that lets one line through."""

WIDE = replace(
    MINERALS,
    crystallite_size=(20.0, 5000.0),
    microstrain=(0.0, 0.001),
    background=(0.0, 0.15),
    hump=(0.0, 0.1),
    detector_start=(0.0, 15.0),
    detector_step=(0.0, 0.05),
)
"""What is drawn in a world that holds both that of minerals and the laboratory, but for second phases."""

WITHOUT = tuple(f"no_{change}" for change in (*CHANGES, "doublet"))
"""Names of the worlds without one imperfection."""


def often_worlds(impurities: CrystalSet) -> dict[str, Imperfections]:
    """The worlds that trainings are carried out in, by name: ``minerals``, ``laboratory`` and ``wide``, whose ranges
    hold those of both; second phases from ``impurities``."""
    wide = replace(WIDE, second_phase=SECOND_PHASE, impurities=impurities)
    return {"minerals": minerals(impurities), "laboratory": LABORATORY, "wide": wide}


def training_sets(crystals: CrystalSet, impurities: CrystalSet, times: int) -> dict[str, DrawnSet]:
    """Sets by name: for each of :func:`often_worlds` ``real_<world>``, ``times`` patterns of each of ``crystals``; and
    to be compared among themselves, one pattern of each: ``real`` in the world of minerals, in those of
    :data:`WITHOUT`, ``laboratory`` and ``clean`` (lines alone)."""
    worlds = {"real": (MINERAL_INSTRUMENT, minerals(impurities)), "laboratory": (MINERAL_INSTRUMENT, LABORATORY)}
    worlds |= {f"no_{change}": (MINERAL_INSTRUMENT, minerals(impurities, change)) for change in CHANGES}
    worlds |= {"no_doublet": (ONE_LINE, worlds["real"][1]), "clean": (ONE_LINE, None)}
    often = often_worlds(impurities).items()
    sets = {f"real_{name}": DrawnSet(crystals, times, 2, MINERAL_INSTRUMENT, world) for name, world in often}
    return sets | {name: DrawnSet(crystals, 1, 0, *how) for name, how in worlds.items()}


def test_sets(crystals: CrystalSet, impurities: CrystalSet) -> dict[str, DrawnSet]:
    """One pattern of each of ``crystals`` in the worlds ``real``, ``laboratory`` and ``clean``, others than those of
    :func:`training_sets`."""
    worlds = {"real": (MINERAL_INSTRUMENT, minerals(impurities)), "laboratory": (MINERAL_INSTRUMENT, LABORATORY)}
    return {name: DrawnSet(crystals, 1, 1, *world) for name, world in (worlds | {"clean": (ONE_LINE, None)}).items()}


test_sets.__test__ = False  # type: ignore[attr-defined]  # no test, whatever pytest makes of the name


def random_minerals(
    learnt_from: CrystalSet, recipe: str, counts: np.ndarray, n: int, impurities: CrystalSet
) -> dict[str, RandomSet]:
    """For each of :func:`often_worlds` ``random_<world>``, ``n`` patterns of random crystals, one of each, the same
    crystals in all of them: compositions, coordination and volumes as in ``learnt_from`` (of which ``recipe`` is the
    checksum), space groups as frequent as ``counts`` (230,) says."""
    statistics = DatabaseStatistics.learn(learnt_from)
    rules = rules_from(composition="database", statistics=statistics, max_compositions=5000)
    asked = AskedGroups(histogram=tuple(int(count) for count in counts))
    worlds = often_worlds(impurities).items()
    return {f"random_{name}": RandomSet(asked, 0, n, rules, recipe, MINERAL_INSTRUMENT, w) for name, w in worlds}

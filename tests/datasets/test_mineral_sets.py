"""Worlds to train in: each is without what its name says, and the rest is the same."""

import numpy as np
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import pattern_sets
from paperlib.datasets.mineral_sets import WIDE, WITHOUT, often_worlds, random_minerals, test_sets, training_sets
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.imperfections import RULES
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS

CRYSTALS = random_crystals(np.array([2, 62, 139, 166, 194, 225]), 2)
POOL = CRYSTALS[np.arange(4)]
SETS = training_sets(CRYSTALS, POOL, 2)
OFTEN = {f"real_{world}" for world in often_worlds(POOL)}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setattr(pattern_sets.machine, "cores", lambda: 1)


def test_every_world_is_another():
    assert set(SETS) == {*OFTEN, "real", "laboratory", "clean", *WITHOUT}
    assert len({repr(of.identity()) for of in SETS.values()}) == len(SETS)
    assert {name for name, of in SETS.items() if of.n == 12} == OFTEN
    assert {of.n for name, of in SETS.items() if name not in OFTEN} == {6}


@pytest.mark.parametrize("name", RULES)
def test_the_wide_world_holds_the_other_two(name):
    low, high = getattr(WIDE, name)
    for world in (MINERALS, LABORATORY):
        drawn = getattr(world, name)
        if world.has(name) and name not in ("detector_end", "detector_start"):
            assert low <= drawn[0] <= drawn[1] <= high
    if name.startswith("detector_e"):
        assert low <= min(MINERALS.detector_end[0], LABORATORY.detector_end[0])
    if name == "detector_start":
        assert high >= max(MINERALS.detector_start[1], LABORATORY.detector_start[1])


def test_a_world_without_something_lacks_it_in_the_patterns():
    numbers = np.arange(6)
    real, clean = (SETS[name].patterns(numbers) for name in ("real", "clean"))
    assert (real == NOT_MEASURED).any() and (clean >= 0).all(), "missing ranges are marked"
    assert (SETS["no_range"].patterns(numbers) != NOT_MEASURED).all()
    # a quiet pattern repeats its neighbour between lines, a noisy one does not
    quiet, noisy = (np.median(np.abs(np.diff(x, axis=1))) for x in (SETS["no_noise"].patterns(numbers), real))
    assert quiet < noisy / 10
    assert SETS["no_doublet"].instrument.second_wavelength == 0 < MINERAL_INSTRUMENT.second_wavelength


def test_test_patterns_are_drawn_anew():
    tests = test_sets(CRYSTALS, POOL)
    assert set(tests) == {"real", "laboratory", "clean"}
    of_training, of_test = SETS["real_minerals"], tests["real"]
    one = of_training.patterns(np.flatnonzero(of_training.rows(np.arange(12)) == 3)[:1])
    other = of_test.patterns(np.flatnonzero(of_test.rows(np.arange(6)) == 3)[:1])
    assert one.shape == other.shape and not np.allclose(one, other)


def test_random_minerals_have_the_frequencies_that_are_asked():
    counts = np.zeros(230, dtype=int)
    counts[[61, 224]] = 3, 1
    learnt_from = random_crystals(np.repeat([62, 225, 194], 10), 3)
    sets = random_minerals(learnt_from, "checksum", counts, 8, POOL)
    assert set(sets) == {f"random_{world}" for world in often_worlds(POOL)}
    made = sets["random_minerals"]
    numbers = np.arange(8)
    of_laboratory, _ = sets["random_laboratory"].crystals(numbers)
    assert np.array_equal(made.crystals(numbers)[0].cell, of_laboratory.cell), "the same crystals in all worlds"
    groups = made.labels(np.arange(8))
    assert made.n == 8 and set(groups) == {62, 225} and (groups == 62).sum() == 6
    assert made.instrument == MINERAL_INSTRUMENT and made.imperfections.impurities is not None

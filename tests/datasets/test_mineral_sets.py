"""Worlds to train in: each is without what its name says, and the rest is the same."""

import numpy as np
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import pattern_sets
from paperlib.datasets.mineral_sets import WITHOUT, random_minerals, test_sets, training_sets
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT

CRYSTALS = random_crystals(np.array([2, 62, 139, 166, 194, 225]), 2)
POOL = CRYSTALS[np.arange(4)]
SETS = training_sets(CRYSTALS, CRYSTALS[np.arange(3)], POOL, 2)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setattr(pattern_sets.machine, "cores", lambda: 1)


def test_every_world_is_another_and_known_ones_are_missing_where_it_says_so():
    assert set(SETS) == {"minerals", "left_out", "real", "laboratory", "clean", *WITHOUT}
    assert SETS["minerals"].identity() == SETS["real"].identity(), "the same patterns, and more of them"
    assert len({repr(of.identity()) for of in SETS.values()}) == len(SETS) - 1
    assert {name: of.n for name, of in SETS.items() if of.n != 6} == {"minerals": 12}


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
    of_training, of_test = SETS["minerals"], tests["real"]
    one = of_training.patterns(np.flatnonzero(of_training.rows(np.arange(12)) == 3)[:1])
    other = of_test.patterns(np.flatnonzero(of_test.rows(np.arange(6)) == 3)[:1])
    assert one.shape == other.shape and not np.allclose(one, other)


def test_random_minerals_have_the_frequencies_that_are_asked():
    counts = np.zeros(230, dtype=int)
    counts[[61, 224]] = 3, 1
    learnt_from = random_crystals(np.repeat([62, 225, 194], 10), 3)
    made = random_minerals(learnt_from, "checksum", counts, 8, POOL)
    groups = made.labels(np.arange(8))
    assert made.n == 8 and set(groups) == {62, 225} and (groups == 62).sum() == 6
    assert made.instrument == MINERAL_INSTRUMENT and made.imperfections.impurities is not None

"""Patterns with imperfections that are kept: those of the simulator, item by item, and known by their recipe."""

import dataclasses

import numpy as np
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import pattern_sets
from paperlib.datasets.drawn_sets import DrawnSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.pattern_sets import SetStream
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns

CRYSTALS = random_crystals(np.arange(1, 21), 3)
INSTRUMENT = Instrument(n_points=400)
SPOILT = Imperfections(zero_shift=(-0.1, 0.1), gaussian_noise=(0.0, 0.02), detector_start=(5.0, 20.0))
MADE = DrawnSet(CRYSTALS, 3, 5, INSTRUMENT, SPOILT)


@pytest.fixture(autouse=True)
def small_shards(tmp_path, monkeypatch):
    """Shards of 25 items, in an empty root, made in this process."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setattr(pattern_sets, "SHARD", 25)
    monkeypatch.setattr(pattern_sets.machine, "cores", lambda: 1)


def test_each_round_shows_every_crystal_once_in_an_order_of_its_own():
    rows = MADE.rows(np.arange(60)).reshape(3, 20)
    assert (np.sort(rows, axis=1) == np.arange(20)).all()
    assert len({tuple(row) for row in rows.tolist()}) == 3
    assert np.array_equal(MADE.labels(np.arange(60)), CRYSTALS.space_group[rows.ravel()])


def test_patterns_are_those_of_the_simulator_for_the_same_items():
    items = np.array([59, 2, 24, 25])
    kept = dataclasses.replace(MADE).patterns(items)
    numbered = {"seed": 5, "items": items, "imperfections": SPOILT}
    plain = powder_patterns(CRYSTALS[MADE.rows(items)], INSTRUMENT, **numbered).numpy()
    measured = kept > NOT_MEASURED
    assert np.abs(kept - plain)[measured].max() < 1e-3, "half precision"
    assert not measured[:, 0].all() and (plain[~measured] == 0).all(), "what was not measured says so"


def test_without_imperfections_nothing_is_rounded():
    clean = DrawnSet(CRYSTALS, 1, 5, INSTRUMENT, None)
    items = np.arange(20)
    assert np.array_equal(clean.patterns(items), powder_patterns(CRYSTALS[clean.rows(items)], INSTRUMENT).numpy())


@pytest.mark.parametrize("change", [{"seed": 6}, {"imperfections": None}, {"known": CRYSTALS[:10]}])
def test_another_recipe_is_another_set(change):
    assert dataclasses.replace(MADE, **change).identity() != MADE.identity()
    assert dataclasses.replace(MADE, times=9).identity() == MADE.identity(), "more rounds begin with the same items"


def test_a_pass_brings_every_item_once():
    stream = SetStream(dataclasses.replace(MADE), Labels("space_group"), 16, 0, MADE.n)
    targets = np.concatenate([stream.batch(step)[1].numpy() for step in range(4)])
    assert np.array_equal(np.sort(targets), np.repeat(np.arange(20), 3))
    again = np.concatenate([stream.batch(step)[1].numpy() for step in range(4, 8)])
    assert np.array_equal(np.sort(again), np.sort(targets)) and not np.array_equal(again, targets)

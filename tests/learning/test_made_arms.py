"""Reflection data and crystals as arms and as tests: repeatable, labelled, and no item of one in the other."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets.labels import Labels
from paperlib.diffraction.altered import Alteration, altered_patterns
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns
from paperlib.learning.arms import Arm, ItemBudget, Passes
from paperlib.learning.made_arms import CrystalData, CrystalTest, ReflectionData
from paperlib.learning.study import study

from .made_up import MODEL, KeepingRun

INSTRUMENT = Instrument(n_points=400)
DATA = ReflectionData(Labels("absences"), INSTRUMENT, 64, 460)


def test_a_test_of_reflection_data_is_balanced_repeatable_and_apart_from_the_training():
    test = pickle.loads(pickle.dumps(DATA.test("ideal", 460)))
    items, again = test.items(0), test.items(1)
    assert items.patterns.shape == (460, 400) and items.identity == again.identity
    assert np.array_equal(items.patterns, again.patterns) and len(set(items.clusters)) == 460
    assert np.array_equal(np.bincount(items.space_group, minlength=231)[1:], np.full(230, 2))
    seen = np.concatenate([DATA(0, 0).batch(step)[0].numpy() for step in range(8)])
    assert not (seen[:, None, :] == items.patterns[:50]).all(axis=2).any()


def test_a_study_on_reflection_data(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    arm = Arm("ideal", DATA.labels, DATA, Passes(1, lr=1e-3), ("absences",), model=MODEL)
    trained = study(KeepingRun(tmp_path / "run"), [arm], [DATA.test("ideal", 230)], [0], [0], workers=1)
    answers = trained.answers["ideal", "ideal", 0, 0]["absences"]
    assert len(answers.rank) == 230 and trained.trainings["items"].tolist() == [512]


def test_a_set_that_repeats_brings_the_same_patterns_in_another_order():
    stream = replace(DATA, repeat=True)(0, 3)
    first, second = ([stream.batch(step)[0].numpy() for step in steps] for steps in (range(8), range(7, 15)))
    first = np.concatenate(first)[:460]
    # a pass of 460 items ends within its eighth batch of 64
    second = np.concatenate(second)[460 - 7 * 64 :][:460]
    assert not np.array_equal(first, second)
    assert np.array_equal(first[np.lexsort(first.T)], second[np.lexsort(second.T)])
    assert np.array_equal(first[:64], DATA(0, 3).batch(0)[0].numpy()) and stream.identity() != DATA(0, 3).identity()


@pytest.fixture(scope="module")
def crystals():
    return random_crystals(np.tile(np.arange(1, 231, 10), 4), seed=1)


def test_crystals_of_a_split_are_trained_on_and_tested_with_their_own_label_and_place(crystals):
    rows, clusters = {0: np.arange(40), 1: np.arange(50, 80)[::-1]}, np.arange(len(crystals)) // 2
    given = pickle.loads(pickle.dumps(CrystalData(crystals, rows, Labels("absences"), INSTRUMENT, 16)))
    assert given(1, 0).n_items == 30 and given(1, 0).identity() != given(0, 0).identity()
    clean = CrystalTest("clean", crystals, rows, clusters, INSTRUMENT).items(1)
    assert np.allclose(clean.patterns, powder_patterns(crystals[rows[1]], INSTRUMENT).numpy(), atol=1e-6)
    assert np.array_equal(clean.space_group, crystals.space_group[rows[1]])
    assert np.array_equal(clean.clusters, clusters[rows[1]])
    noisy = CrystalTest("noisy", crystals, rows, clusters, INSTRUMENT, Imperfections(gaussian_noise=0.01)).items(1)
    assert 0 < np.abs(noisy.patterns - clean.patterns).max() < 0.2 and noisy.identity != clean.identity


def test_alterations_reach_the_patterns_of_arms_and_tests_and_their_identity(crystals):
    rows, altered = {0: np.arange(40)}, Alteration(weakest=0.05, finer=2)
    plain = CrystalData(crystals, rows, Labels("absences"), INSTRUMENT, 16)
    stream = replace(plain, alteration=altered)(0, 7)
    assert "alteration" not in plain(0, 7).identity(), "trainings that are kept are found by it"
    assert {**stream.identity(), "alteration": None} == {**plain(0, 7).identity(), "alteration": None}
    expected = altered_patterns(crystals[stream.rows(np.arange(16, 32))], INSTRUMENT, altered, seed=7)
    assert np.array_equal(stream.batch(1)[0], expected)
    test = CrystalTest("altered", crystals, rows, np.arange(len(crystals)), INSTRUMENT, None, altered).items(0)
    assert np.allclose(test.patterns, altered_patterns(crystals[:40], INSTRUMENT, altered, seed=0), atol=1e-6)


def test_a_budget_of_items_counts_steps_and_warms_up_within_it():
    budget = ItemBudget(99_000, lr=1e-3)
    config = budget(replace(DATA, batch_size=256)(0, 0))
    assert (config.steps, config.warmup_steps) == (387, 387 / 5)
    assert ItemBudget(990_000, lr=1e-3)(replace(DATA, batch_size=250)(0, 0)).warmup_steps == 200

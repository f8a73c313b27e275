"""Reflection data as an arm and as a test: balanced, repeatable, and no item of one in the other."""

import pickle

import numpy as np

from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import Instrument
from paperlib.learning.arms import Arm, Passes, ReflectionData
from paperlib.learning.study import study

from .made_up import MODEL, KeepingRun

DATA = ReflectionData(Labels("absences"), Instrument(n_points=400), 64, 460)


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

"""Folds of measured patterns as splits: no pattern is trained on in its own fold, and simulated data know no fold."""

import numpy as np
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import pattern_sets
from paperlib.datasets.drawn_sets import DrawnSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.specimens import Specimens
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.instrument import Instrument
from paperlib.learning import work
from paperlib.learning.arms import Arm, ItemBudget
from paperlib.learning.measured_arms import MeasuredData, MeasuredTest, MixedData, SetData, SetTest, moved
from paperlib.learning.ranked import load_whole
from paperlib.learning.study import study

from .made_up import KeepingRun

INSTRUMENT, LABELS = Instrument(n_points=400), Labels("space_group")
CRYSTALS = random_crystals(np.arange(1, 31), 2)
FOLDS = np.arange(12) % 2
RNG = np.random.default_rng(0)
TEXT = np.full(12, "")
SHOWN = Specimens(RNG.random((12, 400), np.float32), np.arange(1, 13), TEXT, TEXT, np.arange(12), INSTRUMENT, "digest")
SIMULATED = SetData(DrawnSet(CRYSTALS, 2, 0, INSTRUMENT, None), LABELS, 10)
MEASURED = MeasuredData(SHOWN, FOLDS, LABELS, 4)
MODEL = {"name": "position_resnet", "channels": (8,), "strides": (4,), "hidden": 8}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setattr(pattern_sets.machine, "cores", lambda: 1)
    return tmp_path


def test_no_pattern_of_the_fold_is_trained_on():
    for fold in (0, 1):
        assert set(MEASURED.rows(fold)) == set(np.flatnonzero(FOLDS != fold))
        stream = MEASURED(fold, 0)
        seen = {row.tobytes() for step in range(2) for row in stream.batch(step)[0].numpy()}
        test = MeasuredTest("measured", SHOWN, FOLDS).items(fold)
        assert len(seen) == 6 and not seen & {row.tobytes() for row in test.patterns}


def test_patterns_outside_all_folds_are_in_no_test_and_in_no_training():
    folds = np.where(np.arange(12) < 4, -1, FOLDS)
    assert MeasuredData(SHOWN, folds, LABELS, 4).rows(0).min() >= 4
    assert len(MeasuredTest("measured", SHOWN, folds).items(0).space_group) == 4


def test_simulated_streams_are_the_same_for_all_folds_and_mixed_ones_are_not():
    assert SIMULATED(0, 3).identity() == SIMULATED(1, 3).identity() != SIMULATED(0, 4).identity()
    mixed = MixedData((MEASURED, SIMULATED))
    assert mixed(0, 3).identity() != mixed(1, 3).identity()
    patterns, targets = mixed(0, 3).batch(0)
    assert len(patterns) == len(targets) == 14 == mixed.batch_size
    groups = mixed.space_groups(0)
    # six measured patterns in batches of 4, and sixty simulated ones in batches of 10
    assert len(groups) == 84 and np.bincount(groups)[1::2][:6].sum() >= 12


def test_moving_brings_in_what_was_not_measured():
    one = np.arange(1.0, 6.0, dtype=np.float32)[None]
    assert moved(one, 2).tolist() == [[NOT_MEASURED, NOT_MEASURED, 1, 2, 3]]
    assert moved(one, -1).tolist() == [[2, 3, 4, 5, NOT_MEASURED]] and moved(one, 0) is one


def test_one_training_serves_all_folds_and_others_start_from_it(root, monkeypatch):
    trained, plain = [], work.fit

    def counted(model, stream, config, folder, *rest, **named):
        trained.append(folder.name)
        return plain(model, stream, config, folder, *rest, **named)

    monkeypatch.setattr(work, "fit", counted)
    brief = ItemBudget(40, 0.01, "cpu")
    arms = [
        Arm("simulated", LABELS, SIMULATED, brief, ("space_group",), MODEL),
        Arm("fine", LABELS, MixedData((MEASURED, SIMULATED)), brief, ("space_group",), MODEL, start="simulated"),
    ]
    tests = [MeasuredTest("measured", SHOWN, FOLDS), SetTest("again", SIMULATED.of, np.arange(20), 2)]
    found = study(KeepingRun(root / "run"), arms, tests, [0], [0, 1])
    assert len(trained) == len(set(trained)) == 3, "one on simulated patterns, and one more for each fold"
    keys = found.trainings.set_index(["arm", "split"]).key
    assert keys["simulated", 0] == keys["simulated", 1] and keys["fine", 0] != keys["fine", 1]
    log_p = found.whole["measured", "simulated", 1, 0]
    assert log_p.shape == (6, 230) and np.allclose(np.logaddexp.reduce(log_p, axis=1), 0)
    first = found.answers["measured", "simulated", 1, 0]["space_group"].top[:, 0]
    assert np.allclose(log_p[np.arange(6), first], log_p.max(1), atol=0.01), "three digits are kept"
    assert ("again", "simulated", 0, 0) not in found.whole
    file = next((root / "run" / "predictions").glob("again-*"))
    assert load_whole(file) is None
    trained.clear()
    study(KeepingRun(root / "second"), arms, tests, [0], [0, 1])
    assert trained == [], "all of it is found"


def test_what_starts_from_weights_that_are_gone_has_them_made_again(root, monkeypatch):
    brief = ItemBudget(20, 0.01, "cpu")
    first = Arm("simulated", LABELS, SIMULATED, brief, ("space_group",), MODEL)
    fine = Arm("fine", LABELS, MEASURED, brief, ("space_group",), MODEL, start="simulated")
    tests = [MeasuredTest("measured", SHOWN, FOLDS)]
    study(KeepingRun(root / "run"), [first], tests, [0], [0])
    for weights in (root / "data" / "work" / "trainings").glob("*/weights.safetensors"):
        weights.unlink()
    found = study(KeepingRun(root / "again"), [first, fine], tests, [0], [0])
    assert list(found.trainings.arm) == ["simulated", "fine"]


def test_an_arm_starts_from_one_before_it(root):
    fine = Arm("fine", LABELS, MEASURED, ItemBudget(20, 0.01, "cpu"), ("space_group",), MODEL, start="nothing")
    with pytest.raises(ValueError, match="'fine' starts from 'nothing'"):
        study(KeepingRun(root / "run"), [fine], [MeasuredTest("measured", SHOWN, FOLDS)], [0], [0])

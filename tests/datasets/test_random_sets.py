"""Sets of random crystals by recipe: the same crystals as everywhere, made once, and only when they are read."""

import dataclasses
import pickle

import numpy as np
import pytest

from paperlib.crystals.rules import rules_from
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import pattern_sets, random_sets
from paperlib.datasets.asked_groups import AskedGroups
from paperlib.datasets.labels import Labels
from paperlib.datasets.pattern_sets import SetStream
from paperlib.datasets.random_sets import RandomSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns, validate
from paperlib.lab import paths
from paperlib.learning.arms import Arm, ItemBudget
from paperlib.learning.made_arms import RandomData, RandomTest
from paperlib.learning.priors import CORRECTED
from paperlib.learning.study import study
from tests.learning.made_up import MODEL, KeepingRun

LABELS, INSTRUMENT = Labels("published"), Instrument(n_points=400)
MADE = RandomSet(AskedGroups(), 7, 60, rules_from(), "", INSTRUMENT)
EXPECTED = random_crystals(1 + np.arange(60) * 97 % 230, 7)


@pytest.fixture(autouse=True)
def small_shards(tmp_path, monkeypatch):
    """Shards of 25 items, in an empty root, made in this process."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setattr(pattern_sets, "SHARD", 25)
    monkeypatch.setattr(pattern_sets.machine, "cores", lambda: 1)


def fresh(**changes):
    return dataclasses.replace(MADE, **changes)


def test_patterns_are_those_of_the_random_crystals_of_the_same_items():
    items = np.array([59, 3, 24, 25, 3])
    patterns = fresh().patterns(items)
    assert np.allclose(patterns, powder_patterns(EXPECTED[items], INSTRUMENT).numpy(), atol=1e-6)
    assert np.array_equal(MADE.labels(items), EXPECTED.space_group[items])


def test_a_shard_is_made_once_and_another_process_maps_it(monkeypatch):
    first = fresh()
    assert not (paths.stages() / "random patterns").exists()
    patterns = first.patterns(np.arange(50))
    assert len(list((paths.stages() / "random patterns").glob("[!.]*"))) == 2, "the third is not needed"
    monkeypatch.setattr(random_sets, "synthesise", lambda *_, **__: pytest.fail("made again"))
    again = pickle.loads(pickle.dumps(first))
    assert np.array_equal(again.patterns(np.arange(50)), patterns)
    longer = fresh(n=5000)
    assert np.array_equal(longer.patterns(np.arange(50)), patterns), "a shorter set is the beginning of a longer one"
    assert longer.identity() == first.identity() != fresh(seed=8).identity()


def test_a_crystal_without_a_pattern_is_replaced_by_another_of_its_group():
    narrow = Instrument(two_theta=(5, 18), n_points=100)
    dark = [i for i, _ in validate(EXPECTED[:25], narrow)]
    assert dark, "the window is meant to miss some"
    random = fresh(n=25, instrument=narrow)
    crystals, redrawn = random.crystals(np.arange(25))
    assert redrawn.tolist() == dark and random.replaced() == len(dark)
    assert np.array_equal(crystals.space_group, EXPECTED.space_group[:25]) and not validate(crystals, narrow)
    kept = np.setdiff1d(np.arange(25), dark)
    assert np.array_equal(crystals.cell[kept], EXPECTED.cell[kept])
    assert np.array_equal(random.patterns(np.arange(25)), powder_patterns(crystals, narrow).numpy())


def test_a_stream_brings_its_slice_once_a_pass_and_is_known_without_a_crystal():
    data = RandomData(fresh(), LABELS, 8, 40, (5, 6))
    assert data(5, 0).items().tolist() == list(range(40))
    assert data(6, 0).items().tolist() == [*range(40, 60), *range(20)], "from the beginning where the set ends"
    identities = [str(stream.identity()) for stream in (data(5, 0), data(6, 0), data(5, 1))]
    assert len(set(identities)) == 3 and not (paths.stages() / "random patterns").exists()
    stream = pickle.loads(pickle.dumps(data))(6, 1)
    seen = [stream.batch(step) for step in range(10)]
    patterns = np.concatenate([patterns.numpy() for patterns, _ in seen])
    targets = np.concatenate([targets.numpy() for _, targets in seen])
    expected = MADE.patterns(stream.items())
    for rows in (slice(40), slice(40, 80)):
        assert np.array_equal(patterns[rows][np.lexsort(patterns[rows].T)], expected[np.lexsort(expected.T)])
    assert not np.array_equal(patterns[:40], patterns[40:]), "in another order"
    assert sorted(targets[:40]) == sorted(LABELS.of(data.space_groups(6)))
    with pytest.raises(ValueError, match="at most 60"):
        SetStream(fresh(), LABELS, 8, 0, 61, 0)


def test_wrong_labels_are_trained_on_and_ranks_with_exchanged_frequencies_are_kept(tmp_path):
    wrong = fresh(asked=AskedGroups(found=tuple((group, 1, 1) for group in range(1, 231))))
    data = RandomData(wrong, LABELS, 16, 40, (0,))
    triclinic = random_crystals(np.ones(40, int), 7)
    assert np.allclose(wrong.patterns(np.arange(40)), powder_patterns(triclinic, INSTRUMENT).numpy(), atol=1e-6)
    assert np.array_equal(data.space_groups(0), EXPECTED.space_group[:40])
    histogram = tuple(float(group == 62) for group in range(1, 231))
    test = RandomTest("only_62", fresh(asked=AskedGroups(histogram), seed=9), (0,))
    assert set(test.items(0).space_group) == {62} and test.items(0).expected.sum() == 60
    arm = Arm("wrong", LABELS, data, ItemBudget(48, 1e-3, "cpu"), ("published",), MODEL, seen=data.space_groups)
    trained = study(KeepingRun(tmp_path / "run"), [arm], [test], [0], [0], workers=1)
    answers = trained.answers["only_62", "wrong", 0, 0]
    # three steps read nothing yet: what is expected decides
    assert answers["published"].hit(1).mean() < 0.5 and answers[CORRECTED].hit(1).mean() > 0.9
    assert np.isnan(answers[CORRECTED].log_p).all() and (answers[CORRECTED].top == -1).all()

"""The arms of the study of measured patterns, their tests, and what its tables say: by hand where that can be done."""

import numpy as np
import pandas as pd
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import pattern_sets
from paperlib.datasets.drawn_sets import DrawnSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.mineral_sets import WITHOUT
from paperlib.datasets.specimens import Specimens
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.mineral_world import minerals
from paperlib.learning import measured_tables
from paperlib.learning.arms import ItemBudget
from paperlib.learning.measured_arms import MeasuredData, SetTest
from paperlib.learning.measured_study import OFTEN, SHIFTS, Plan, measured_arms, measured_tests
from paperlib.learning.study import study

from .made_up import KeepingRun

INSTRUMENT, LABELS, COARSE = Instrument(n_points=400), Labels("space_group"), Labels("published")
SPACES = ("space_group", "published")
CRYSTALS = random_crystals(np.arange(1, 41), 1)
N = 40
FOLDS, UNNAMED = np.arange(N) % 2, np.arange(N) < 30
TEXT, GROUPS = np.full(N, ""), np.arange(N) % 20 + 1
SHOWN = Specimens(
    np.random.default_rng(0).random((N, 400), np.float32), GROUPS, TEXT, TEXT, np.arange(N), INSTRUMENT, "digest"
)
MODEL = {"name": "position_resnet", "channels": (8,), "strides": (4,), "hidden": 8}
BRIEF = ItemBudget(20, 0.01, "cpu")
PLAN = Plan(LABELS, SPACES, MODEL, 20, 8, BRIEF, BRIEF, BRIEF, BRIEF, [0, 1])
NAMES = ("minerals", "left_out", "real", "random", "laboratory", "clean", *WITHOUT)
SETS = {name: DrawnSet(CRYSTALS, 1, number, INSTRUMENT, None) for number, name in enumerate(NAMES)}
OWN = MeasuredData(SHOWN, FOLDS, LABELS, 8)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_ROOT", str(root))
        patch.setattr(pattern_sets.machine, "cores", lambda: 1)
        tests = measured_tests(SHOWN, FOLDS, UNNAMED)
        tests.append(SetTest("simulated", SETS["real"], np.arange(40) // 2, whole=True))
        yield study(KeepingRun(root / "run"), measured_arms(PLAN, SETS, OWN), tests, [0, 1], [0, 1])


def test_what_is_compared():
    arms = {arm.key: arm for arm in measured_arms(PLAN, SETS, OWN)}
    first = ["minerals", "known_left_out", "fine_tuned", "fine_tuned_left_out", "measured_alone"]
    assert list(arms) == first + [name for name in NAMES if name not in OFTEN] + ["published"]
    assert arms["fine_tuned"].start == "minerals" and arms["fine_tuned_left_out"].start == "known_left_out"
    parts = [part.of for part in arms["known_left_out"].stream.parts]
    assert parts == [SETS["left_out"], SETS["random"]]
    assert arms["fine_tuned_left_out"].stream.parts[0] is OWN
    assert [part.of for part in arms["fine_tuned_left_out"].stream.parts[1:]] == parts, "known ones stay out"
    assert arms["minerals"].stream.batch_size == 20 and arms["fine_tuned"].stream.batch_size == 16
    assert arms["no_noise"].seeds == arms["published"].seeds == (0,) and not arms["minerals"].seeds
    assert [arm.key for arm in arms.values() if arm.release] == ["minerals"]


def test_named_patterns_are_a_test_of_their_own():
    tests = {test.key: test for test in measured_tests(SHOWN, FOLDS, UNNAMED)}
    assert list(tests) == ["named", *SHIFTS]
    for fold in (0, 1):
        assert len(tests["named"].items(fold).space_group) == 5
        assert len(tests["measured"].items(fold).space_group) == 15


def test_scores_differences_and_parts(trained):
    only = {fold: np.full(15, fold == 1) for fold in (0, 1)}
    shown = {fold: only[fold] & (np.arange(15) < 6) for fold in (0, 1)}
    guesses = {"frequencies": {fold: np.repeat([1, 2], [9, 1]) for fold in (0, 1)}}
    table = measured_tables.measured_scores(trained, SPACES, only, guesses, {"shown": shown, "none": {0: ~only[1]}})
    whole = table[(table.seed == -1) & (table.k == 1)].set_index(["arm", "space", "test"])
    assert set(table.test) == {"measured", "named", "simulated", "measured_shown"}
    assert whole.loc[("minerals", "published", "measured"), "n"] == 15
    assert whole.loc[("minerals", "published", "measured_shown"), "n"] == 6
    here = GROUPS[UNNAMED & (FOLDS == 1)]
    assert whole.loc[("frequencies", "space_group", "measured"), "value"] == pytest.approx((here == 1).mean())

    pairs = measured_tables.measured_contrasts(trained, "published", only)
    assert len(pairs) == 2 * (len(WITHOUT) + 5) + 2
    scores, terms = pairs["without_noise_measured"]
    value = scores.contrast(terms).value
    one, other = (whole.loc[(arm, "published", "measured"), "value"] for arm in ("no_noise", "real"))
    assert value == pytest.approx(one - other), "what is lost without it is negative"


def test_steps_at_test_time(trained):
    seen = {fold: np.arange(1, 231) for fold in (0, 1)}
    often = {fold: np.full(10**6, 7) for fold in (0, 1)}
    steps = measured_tables.steps_at_test_time(trained, "minerals", LABELS, seen, often, [1])
    assert set(steps) == {"one", "views", "surest", "ensemble", "all", "frequencies", "all_frequencies"}
    assert set(steps["one"]) == {(1, 0), (1, 1)} and set(steps["all"]) == {(1, 0)}
    views = np.stack([trained.whole[test, "minerals", 1, 0] for test in SHIFTS])
    assert np.allclose(np.exp(steps["views"][1, 0]), np.exp(views).mean(0))
    assert (steps["all_frequencies"][1, 0].argmax(1) == 6).all(), "what is asked for is expected"


def test_temperature_is_fitted_on_one_half_and_judged_on_the_other(trained):
    measured = measured_tables.said(trained, "minerals", "measured", [0, 1], 0)
    simulated = measured_tables.said(trained, "minerals", "simulated", [1], 0)
    assert measured.log_p.shape == (30, 230) and simulated.part(slice(10)).space_group.tolist() == list(
        trained.items["simulated", 1].space_group[:10]
    )
    asked = {"simulated": simulated.part(slice(20, None)), "measured": measured}
    found = measured_tables.calibrate(LABELS, COARSE, simulated.part(slice(20)), asked)
    assert found.temperature > 0 and set(found.error.kind) == {"plain", "tempered"}
    everything = found.risk[found.risk.coverage == 1].set_index(["test", "kind"])
    assert everything.loc[("measured", "plain"), "n"] == 30
    answers = LABELS.collapse(measured.log_p, COARSE).argmax(1) == COARSE.of(measured.space_group)
    assert everything.loc[("measured", "plain"), "right"] == pytest.approx(answers.mean())
    auc = measured_tables.answers_told_apart(simulated, measured)
    assert 0.5 < auc <= 1, "noise does not look like a crystal"


def test_worlds_are_told_from_what_is_not_one(trained):
    patterns = np.random.default_rng(1).random((N, 400), np.float32)
    noise = Specimens(patterns, GROUPS, TEXT, TEXT, np.arange(N), INSTRUMENT, "noise")
    gap = measured_tables.gap_by_world({"clean": SETS["real"]}, np.arange(40), noise, UNNAMED, 30)
    assert isinstance(gap, pd.DataFrame) and set(gap.world) == {"clean"}
    assert gap.set_index("feature").auc["all"] > 0.95


def test_ranges_stand_beside_each_other():
    table = measured_tables.ranges_table({"laboratory": LABORATORY, "minerals": minerals()}).set_index("parameter")
    assert table.loc["crystallite_size", "minerals_low"] == 60 and table.loc["crystallite_size", "unit"] == "nm"
    assert np.isnan(table.loc["overall_b", "laboratory_low"]) and table.loc["overall_b", "minerals_high"] == 4


def test_what_is_refused_leaves_answers_that_are_right_often_enough():
    rows = [(1.0, 0.1, 0.3), (0.5, 0.4, 0.5), (0.1, 0.8, 0.9)]
    risk = pd.DataFrame(rows, columns=["coverage", "threshold", "right"]).assign(test="simulated", kind="tempered")
    assert measured_tables.refusal_threshold(risk, "simulated") == 0.4
    assert measured_tables.refusal_threshold(risk, "simulated", 0.2) == 0.1
    assert measured_tables.refusal_threshold(risk, "simulated", 0.95) == 0.8, "none does: the strictest"


def test_scores_of_a_card_are_those_of_the_table(trained):
    only = {fold: np.ones(15, dtype=bool) for fold in (0, 1)}
    guesses = {"frequencies": {fold: np.array([1]) for fold in (0, 1)}}
    table = measured_tables.measured_scores(trained, SPACES, only, guesses, {})
    card = measured_tables.scores_of(table, "minerals")
    assert set(card) == {"measured", "named", "simulated"} and set(card["named"]) == set(SPACES)
    row = table[(table.arm == "minerals") & (table.seed == -1) & (table.test == "measured") & (table.k == 5)]
    assert card["measured"]["published"]["top5"] == pytest.approx(row[row.space == "published"].value.item(), abs=1e-4)

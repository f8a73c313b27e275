"""The arms of the study of measured patterns, their tests, and what its tables say: by hand where that can be done."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import pattern_sets
from paperlib.datasets.drawn_sets import DrawnSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.mineral_sets import WITHOUT
from paperlib.datasets.specimens import Specimens
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.mineral_world import minerals
from paperlib.learning import measured_kept, measured_tables
from paperlib.learning.measured_arms import MeasuredData, SetTest
from paperlib.learning.measured_study import (
    SHIFTS,
    TOGETHER,
    WORLDS,
    measured_arms,
    measured_tests,
    plan_of,
    released_arms,
)
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
ITEMS = dict.fromkeys(("simulated", "longer", "larger", "worlds", "fine", "alone"), 24)
SHAPE = {"strides": (4,), "step": INSTRUMENT.step}
NETWORKS = (((8,), 8), ((8,), 12), ((4,), 8))
PLAN = plan_of(LABELS, SPACES, SHAPE, NETWORKS, ITEMS, (0.01, 0.001), "cpu", (24, 8), [0, 1])
SINGLES = ("real", "random", "laboratory", "clean", *WITHOUT)
NAMES = (*(f"{kind}_{world}" for world in WORLDS for kind in ("real", "random")), *SINGLES)
SETS = {name: DrawnSet(CRYSTALS, 1, number, INSTRUMENT, None) for number, name in enumerate(NAMES)}
OWN = MeasuredData(SHOWN, FOLDS, LABELS, 8)
LEFT_IN = np.arange(len(CRYSTALS)) >= 10


def all_arms():
    return measured_arms(PLAN, SETS, SINGLES, OWN, LEFT_IN)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_ROOT", str(root))
        patch.setattr(pattern_sets.machine, "cores", lambda: 1)
        tests = measured_tests(SHOWN, FOLDS, UNNAMED)
        tests.append(SetTest("simulated", SETS["real"], np.arange(40) // 2, 2, whole=True))
        yield study(KeepingRun(root / "run"), all_arms(), tests, [0, 1], [0, 1])


def test_what_is_compared():
    arms = {arm.key: arm for arm in all_arms()}
    first = [
        "both_worlds",
        "known_left_out",
        "fine_tuned",
        "fine_tuned_longer",
        "fine_tuned_left_out",
        "measured_alone",
    ]
    assert list(arms)[:6] == first and {*TOGETHER, *measured_tables.OTHERS} <= set(arms)
    assert list(arms)[-len(SINGLES) - 1 :] == [*SINGLES, "published"]
    assert arms["fine_tuned"].start == "both_worlds" and arms["fine_tuned_left_out"].start == "known_left_out"
    spanned = [SETS[f"{kind}_{world}"] for world in ("minerals", "laboratory") for kind in ("real", "random")]
    for key in ("both_worlds", "known_left_out"):
        assert [part.of for part in arms[key].stream.parts] == spanned
    assert arms["fine_tuned_left_out"].stream.parts[0] is OWN
    assert arms["both_worlds"].stream.batch_size == 24 and arms["fine_tuned"].stream.batch_size == 16
    assert arms["no_noise"].seeds == arms["published"].seeds == (0,) and not arms["both_worlds"].seeds
    assert arms["larger"].model["hidden"] == 12 and arms["no_noise"].model["channels"] == (4,)
    assert arms["fine_tuned_longer"].config.items == 4 * arms["fine_tuned"].config.items


def test_known_crystals_stay_out_of_training_and_of_fine_tuning():
    arms = {arm.key: arm for arm in all_arms()}
    for key, n_before in (("known_left_out", 0), ("fine_tuned_left_out", 1)):
        real, random, *_ = arms[key].stream.parts[n_before:]
        shown = real.of.rows(real.rows)
        assert set(shown) == set(range(10, 40)), "of real crystals those that are left in, each"
        assert random.rows is None and len(random.space_groups(0)) == 40
        assert set(real.space_groups(0)) == set(CRYSTALS.space_group[10:])
    stream = arms["known_left_out"].stream.parts[0](0, 3)
    seen = [stream.batch(step)[1].numpy() for step in range(-(-30 // stream.batch_size))]
    assert sorted(np.concatenate(seen)) == sorted(LABELS.of(CRYSTALS.space_group[10:].astype(np.int64)))
    assert stream.identity() != arms["both_worlds"].stream.parts[0](0, 3).identity()


def test_measured_patterns_are_shown_with_shifts():
    moved = MeasuredData(SHOWN, FOLDS, LABELS, 8, shifts=3)(0, 5)
    still = moved.stream
    before, targets = still.batch(2)
    after, same = moved.batch(2)
    assert (targets == same).all()
    shifts = []
    for one, other in zip(before.numpy(), after.numpy(), strict=True):
        fits = [s for s in range(-3, 4) if np.array_equal(np.roll(one, s)[3:-3], other[3:-3])]
        assert len(fits) == 1
        ends = other[: fits[0]] if fits[0] > 0 else other[len(other) + fits[0] :] if fits[0] < 0 else []
        assert (np.asarray(ends) == NOT_MEASURED).all()
        shifts += fits
    assert len(set(shifts)) > 2
    assert np.array_equal(moved.batch(2)[0], after), "what is drawn follows from the step"


def test_each_item_of_a_set_is_asked_of_one_split():
    test = SetTest("simulated", SETS["real"], np.arange(40) // 2, 3)
    parts = [test.items(split) for split in range(3)]
    assert [len(part.space_group) for part in parts] == [14, 13, 13]
    groups = np.empty(40, dtype=int)
    for split, part in enumerate(parts):
        groups[split::3] = part.space_group
    assert np.array_equal(groups, SETS["real"].labels(np.arange(40)))
    assert len({str(sorted(part.identity.items(), key=str)) for part in parts}) == 3


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
    assert whole.loc[("both_worlds", "published", "measured"), "n"] == 15
    assert whole.loc[("both_worlds", "published", "measured_shown"), "n"] == 6
    here = GROUPS[UNNAMED & (FOLDS == 1)]
    assert whole.loc[("frequencies", "space_group", "measured"), "value"] == pytest.approx((here == 1).mean())

    pairs = measured_tables.measured_contrasts(trained, "published", only)
    assert len(pairs) == 2 * (len(WITHOUT) + 5 + len(measured_tables.OTHERS)) + 3
    scores, terms = pairs["without_noise_measured"]
    value = scores.contrast(terms).value
    one, other = (whole.loc[(arm, "published", "measured"), "value"] for arm in ("no_noise", "real"))
    assert value == pytest.approx(one - other), "what is lost without it is negative"


def test_steps_at_test_time(trained):
    seen = {fold: np.arange(1, 231) for fold in (0, 1)}
    often = {fold: np.full(10**6, 7) for fold in (0, 1)}
    steps = measured_tables.steps_at_test_time(trained, "both_worlds", LABELS, seen, often, [1])
    assert set(steps) == {"one", "views", "surest", "ensemble", "all", "frequencies", "all_frequencies"}
    assert set(steps["one"]) == {(1, 0), (1, 1)} and set(steps["all"]) == {(1, 0)}
    views = np.stack([trained.whole[test, "both_worlds", 1, 0] for test in SHIFTS])
    assert np.allclose(np.exp(steps["views"][1, 0]), np.exp(views).mean(0))
    assert (steps["all_frequencies"][1, 0].argmax(1) == 6).all(), "what is asked for is expected"


def test_what_is_released_goes_on_from_a_training_that_is_there(trained, tmp_path):
    everything = replace(OWN, folds=np.ones_like(FOLDS))
    arms = released_arms(PLAN, SETS, everything, all_arms()[0])
    calibration = SetTest("calibration", SETS["real"], np.arange(40) // 2, 1, whole=True)
    ready = study(KeepingRun(tmp_path), arms, [calibration], [0], [0], part="released")
    assert list(everything.rows(0)) == list(range(N)), "all folds are trained on"
    rows = ready.trainings.set_index("arm")
    before = trained.trainings[trained.trainings.arm == "both_worlds"]
    assert rows.loc["both_worlds", "key"] in set(before.key), "it is not trained again"
    assert (
        set(ready.whole) == {("calibration", "fine_tuned_all", 0, 0)}
        and len(ready.items["calibration", 0].patterns) == 40
    )


def test_networks_of_several_worlds_answer_together(trained):
    seen, often = {1: np.arange(1, 231)}, {1: np.full(10**6, 7)}
    found = measured_tables.together(trained, LABELS, seen, often, [1])
    of_arms = [(arm, seed) for arm in TOGETHER for seed in ((0, 1) if arm == "both_worlds" else (0,))]
    mean = np.mean([np.exp(trained.whole["measured", arm, 1, seed]) for arm, seed in of_arms], 0)
    assert np.allclose(np.exp(found["together"][1, 0]), mean)
    assert set(found["together"]) == {(1, 0)}
    assert (found["together_frequencies"][1, 0].argmax(1) == 6).all()


def test_one_seed_is_no_ensemble():
    flat = np.full((3, 230), -np.log(230))
    alone = SimpleNamespace(whole={(test, "both_worlds", 0, 0): flat for test in SHIFTS})
    groups = {0: np.arange(1, 231)}
    steps = measured_tables.steps_at_test_time(alone, "both_worlds", LABELS, groups, groups, [0])
    assert set(steps) == {"one", "views", "surest", "frequencies", "all_frequencies"}


def test_temperature_is_fitted_on_one_half_and_judged_on_the_other(trained):
    measured = measured_tables.said(trained, "both_worlds", "measured", [0, 1], 0)
    simulated = measured_tables.said(trained, "both_worlds", "simulated", [0, 1], 0)
    assert measured.log_p.shape == (30, 230) and simulated.log_p.shape == (40, 230)
    assert simulated.space_group[20:].tolist() == trained.items["simulated", 1].space_group.tolist()
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
    card = measured_tables.scores_of(table, "both_worlds")
    assert set(card) == {"measured", "named", "simulated"} and set(card["named"]) == set(SPACES)
    row = table[(table.arm == "both_worlds") & (table.seed == -1) & (table.test == "measured") & (table.k == 5)]
    assert card["measured"]["published"]["top5"] == pytest.approx(row[row.space == "published"].value.item(), abs=1e-4)


def test_a_card_keeps_what_is_refused(trained, tmp_path):
    simulated, measured = (
        measured_tables.said(trained, "both_worlds", s, [0, 1], 0) for s in ("simulated", "measured")
    )
    found = measured_kept.calibrated(LABELS, COARSE, simulated, {"measured": measured}, "simulated")
    half = measured_tables.calibrate(
        LABELS, COARSE, simulated.part(slice(20)), {"simulated": simulated.part(slice(20, 40))}
    )
    assert found.temperature == half.temperature
    assert found.error.set_index(["test", "kind"]).loc[("simulated", "plain"), "ece"] == half.error.ece[0]
    only, guesses = {0: np.full(15, True), 1: np.full(15, True)}, {"frequencies": dict.fromkeys((0, 1), np.array([1]))}
    scores = measured_tables.measured_scores(trained, SPACES, only, guesses, {})
    run = KeepingRun(tmp_path)
    risk = measured_kept.keep_calibration(run, found)
    card = measured_kept.keep_card(run, found, "simulated", "measured", scores, "both_worlds", {})
    assert card["temperature"] == found.temperature == run.values["temperature"]
    kept = risk[(risk.test == "simulated") & (risk.kind == "tempered") & (risk.threshold >= card["refuse_below"])]
    assert len(kept) and run.values["refuse_below"] == card["refuse_below"]
    rows = risk[(risk.test == "measured") & (risk.kind == "tempered")].set_index("coverage")
    assert rows.loc[run.values["given"], "right"] == run.values["given_right"]
    distance = (rows.threshold - card["refuse_below"]).abs()
    assert distance[run.values["given"]] == distance.min()
    assert set(card["scores"]) == {"measured", "named", "simulated"}

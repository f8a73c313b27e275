"""From ranks to scores: by hand, in one schema, with guesses, ceilings and paired differences."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from paperlib.datasets.labels import Labels
from paperlib.lab.metrics import balanced_accuracy, expected_calibration_error
from paperlib.learning import comparison
from paperlib.learning.arms import TestItems
from paperlib.learning.ranked import Ranked, ranked
from paperlib.learning.study import Trained

from .made_up import KeepingRun

SPACE = "absences"
GROUPS = {0: np.array([16, 17, 16, 19]), 1: np.array([19, 19, 25, 17, 18, 18])}
"""Space groups of the test items; 16 and 25 are of one class."""
CLUSTERS = {0: np.array(["a", "a", "b", "c"]), 1: np.array(list("abcdef"))}
RANKS = {
    "a": {(0, 0): [0, 0, 4, 9], (1, 0): [0, 0, 0, 0, 3, 1]},
    "b": {(0, 0): [0, 2, 4, 0], (1, 0): [0, 0, 0, 1, 3, 9]},
}


def answers_of(rank, groups):
    """Answers with these ranks; the class before the true one is answered where it is not the first."""
    target = Labels(SPACE).of(groups)
    rank = np.array(rank)
    top = np.tile(target[:, None], (1, 5))
    top[rank > 0, 0] = target[rank > 0] - 1
    n = len(rank)
    return Ranked(target, rank, np.zeros(n, np.float32), top, np.full((n, 5), np.log(0.5), np.float16))


def made_up(ranks=RANKS):
    """A study with these ranks by arm, split and seed."""
    cells = [(arm, *repeat) for arm, of_arm in ranks.items() for repeat in of_arm]
    answers = {("test", arm, s, seed): {SPACE: answers_of(ranks[arm][s, seed], GROUPS[s])} for arm, s, seed in cells}
    items = {("test", s): TestItems(np.zeros((len(g), 1)), g, CLUSTERS[s], {}) for s, g in GROUPS.items()}
    empty = pd.DataFrame()
    return Trained(pd.DataFrame(cells, columns=["arm", "split", "seed"]), empty, empty, answers, items)


@pytest.fixture(scope="module")
def trained():
    return made_up()


def pooled(table, arm, k=1):
    (row,) = table[(table.arm == arm) & (table.k == k) & (table.seed == -1)].itertuples()
    return row


def test_scores_by_hand(trained):
    table = comparison.score_table(trained, "test", [SPACE])
    assert list(table) == comparison.COLUMNS and len(table) == 2 * 3 * (1 + 2)
    values = table.set_index(["arm", "split", "seed", "k"]).value
    assert values["a", 0, 0, 1] == 2 / 4 and values["a", 1, 0, 1] == 4 / 6
    assert values["a", 0, 0, 5] == 3 / 4 and values["b", 0, 0, 3] == 3 / 4
    assert values["a", -1, -1, 1] == pytest.approx((2 / 4 + 4 / 6) / 2), "the mean of the trainings"
    one, both = table[(table.arm == "a") & (table.k == 1)].n, pooled(table, "a")
    assert one.tolist() == [10, 4, 6] and both.n_trainings == 2
    assert set(table.space) == {SPACE} and set(table.test) == {"test"}
    assert table[table.seed == 0].n_trainings.eq(1).all() and (table.low <= table.value).all()


def test_the_interval_of_one_training_holds_its_test_items_in_clusters(trained):
    table = comparison.score_table(trained, "test", [SPACE]).set_index(["arm", "split", "seed", "k"])
    row = table.loc[("a", 1, 0, 1)]
    half = stats.t.ppf(0.975, 5) * np.std([1, 1, 1, 1, 0, 0], ddof=1) / np.sqrt(6)
    assert (row.low, row.high) == pytest.approx((4 / 6 - half, 4 / 6 + half))
    row = table.loc[("a", 0, 0, 1)]  # hits 1, 1, 0, 0, of which the first two are one cluster: sums of 1, -0.5, -0.5
    half = stats.t.ppf(0.975, 2) * np.sqrt((1 + 0.25 + 0.25) / 4**2 * 3 / 2)
    assert (row.low, row.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_rivals_stand_in_the_same_schema(trained):
    ranks = {repeat: answers_of(rank, GROUPS[repeat[0]]) for repeat, rank in RANKS["a"].items()}
    table = comparison.rival_table("trees", {r: {SPACE: x} for r, x in ranks.items()}, CLUSTERS, "test")
    expected = comparison.score_table(made_up({"trees": RANKS["a"]}), "test", [SPACE])
    pd.testing.assert_frame_equal(table, expected)
    told = {(0, -1): {SPACE: ranks[0, 0]}}
    one = comparison.rival_table("oracle", told, CLUSTERS, "test", ks=(1,))
    assert one.value.tolist() == [0.5] and one.n_trainings.tolist() == [0]


def test_arms_with_one_training_are_taken_to_be_as_noisy_as_those_with_several():
    two = {(0, 0): [0, 0, 4, 9], (0, 1): [0, 0, 0, 0]}
    study = made_up({"a": {(0, 0): [0, 2, 4, 0]}, "b": two, "c": {repeat: rank[::-1] for repeat, rank in two.items()}})
    scored = comparison.scored(study, "test", SPACE)
    several = comparison.scored(made_up({arm: RANK for arm, RANK in (("b", two), ("c", two))}), "test", SPACE)
    assert scored.means().tolist() == several.means().tolist() == [[0.5, 1.0], [0.5, 1.0]]
    assert scored.score("b").value == 0.75 and scored.score("a").value == 0.5
    # a difference is taken over the repetitions that both have, in whatever order they are named
    for terms in ({"a": 1.0, "b": -1.0}, {"b": -1.0, "a": 1.0}):
        assert list(scored.contributions(terms)) == [(0, 0)]
        assert scored.contrast(terms).value == 0.0


def test_guesses_are_class_frequencies(trained):
    training = {0: np.array([19, 19, 17]), 1: np.array([16, 25, 16, 18, 18, 17])}
    table = comparison.score_table(trained, "test", [SPACE], training)
    guess = table[table.arm == "frequency"]
    assert len(guess) == 3 and guess.n_trainings.eq(0).all() and guess.n.eq(10).all()
    assert pooled(table, "frequency").value == pytest.approx((1 / 4 + 1 / 6) / 2), "P212121, and the class of 16 and 25"
    third = np.isin(Labels(SPACE).of(GROUPS[0]), [*Labels(SPACE).of(np.array([19, 17])), 0]).mean()
    assert pooled(table, "frequency", 3).value == pytest.approx((third + 4 / 6) / 2), "equal ones go by index"
    answers = comparison.frequency_guess(trained, "test", SPACE, training)
    share = np.exp(answers[1].log_p)
    assert share == pytest.approx([1e-12, 1e-12, 3 / 6, 1 / 6, 2 / 6, 2 / 6])


def test_ceilings_do_not_come_from_trainings():
    rows = comparison.ceiling_rows((SPACE, "space_group"), "test")
    assert list(rows) == comparison.COLUMNS and rows.arm.eq("ceiling").all() and rows.n_trainings.eq(0).all()
    assert rows[["low", "high", "n"]].isna().all(axis=None) and rows.k.tolist() == [1, 3, 5] * 2
    assert rows.value.tolist()[:3] == pytest.approx([1, 1, 1])
    assert rows.value.tolist()[3:] == [Labels("space_group").ceiling(k, SPACE) for k in (1, 3, 5)]
    assert rows.value[3] == pytest.approx(97 / 230)
    seen = comparison.ceiling_rows(("space_group",), "test", (1,), seen="published").value[0]
    assert seen == pytest.approx(99 / 230)


def test_paired_differences(trained):
    found = comparison.scored(trained, "test", SPACE)
    difference = found.contrast({"a": 1.0, "b": -1.0})
    assert difference.kind == "points" and difference.n == 10
    assert difference.value == pytest.approx(((2 - 2) / 4 + (4 - 3) / 6) / 2)
    assert difference.low < difference.value < difference.high
    other = found.contrast({"b": 1.0, "a": -1.0})
    assert (other.low, other.high) == pytest.approx((-difference.high, -difference.low))
    score = found.score("b")
    assert score.kind == "share" and score.value == pytest.approx((2 / 4 + 3 / 6) / 2)


def test_an_arm_does_not_differ_from_itself():
    twins = made_up({"a": RANKS["a"], "b": RANKS["a"]})
    difference = comparison.scored(twins, "test", SPACE).contrast({"a": 1, "b": -1})
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)


def test_coefficients_may_weigh_items(trained):
    found = comparison.scored(trained, "test", SPACE)
    weights = {0: np.array([2.0, 0.0, 1.0, 1.0]), 1: np.array([1.0, 1.0, 1.0, 0.0, 0.0, 3.0])}
    sums = found.contributions({"a": 1.0, "b": weights})
    assert sums[0, 0].tolist() == [1 + 2, 1, 0, 0 + 1]
    assert sums[1, 0].tolist() == [2, 2, 2, 1, 0, 0]
    value = found.contrast({"a": 1.0, "b": weights})
    assert value.value == pytest.approx((5 / 4 + 7 / 6) / 2)
    ones = {split: np.full(len(groups), -1.0) for split, groups in GROUPS.items()}
    assert found.contrast({"a": 1.0, "b": ones}) == found.contrast({"a": 1.0, "b": -1.0})


def test_the_interval_of_several_seeds_holds_their_training():
    ranks = {arm: {(1, seed): RANKS[arm][1, 0] for seed in (0, 1, 2)} for arm in RANKS}
    steady = comparison.scored(made_up(ranks), "test", SPACE).contrast({"a": 1, "b": -1})
    noisy = {arm: dict(of_arm) for arm, of_arm in ranks.items()}
    noisy["a"][1, 1], noisy["a"][1, 2] = [0] * 6, [0, 0, 5, 5, 5, 1]
    wide = comparison.scored(made_up(noisy), "test", SPACE).contrast({"a": 1, "b": -1})
    assert steady.value == pytest.approx(wide.value) and wide.high - wide.low > 1.5 * (steady.high - steady.low)


def test_only_some_items(trained):
    chosen = {0: np.array([True, False, True, False]), 1: np.zeros(6, bool)}
    some = comparison.scored(trained, "test", SPACE).only(chosen)
    assert list(some.values["a"]) == [(0, 0)] and some.values["a"][0, 0].tolist() == [1, 0]
    assert list(some.clusters) == [0] and some.clusters[0].tolist() == ["a", "b"]
    assert some.score("a").value == 0.5 and some.score("a").n == 2
    table = comparison.score_table(trained, "test", [SPACE], {0: GROUPS[0], 1: GROUPS[1]}, only=chosen)
    assert set(table[table.seed >= 0].split) == {0} and set(table.n) == {2}
    assert pooled(table, "frequency").value == 1.0 and pooled(table, "a", 5).value == 1.0
    with pytest.raises(ValueError, match="no test item is chosen"):
        comparison.scored(trained, "test", SPACE).only({0: np.zeros(4, bool), 1: np.zeros(6, bool)})


def test_another_measure_of_the_answers(trained):
    found = comparison.scored(trained, "test", SPACE, measure=lambda answers: 1.0 / (1 + answers.rank))
    assert found.values["b"][0, 0] == pytest.approx([1, 1 / 3, 1 / 5, 1])


def test_arms_that_are_not_scored_in_a_space_are_left_out(trained):
    answers = {cell: ({"space_group": of[SPACE]} if cell[1] == "b" else of) for cell, of in trained.answers.items()}
    split = Trained(trained.trainings, trained.times, trained.history, answers, trained.items)
    table = comparison.score_table(split, "test", [SPACE, "space_group"], ks=(1,))
    assert set(table[table.space == SPACE].arm) == {"a"} and set(table[table.space == "space_group"].arm) == {"b"}
    assert comparison.calibration_table(split, "test", [SPACE, "space_group"]).arm.tolist() == ["a", "b"]


def test_scores_by_class(trained):
    training = {0: np.array([19, 19, 17]), 1: np.array([16, 25, 16, 18, 18, 1])}
    table = comparison.class_table(trained, "test", SPACE, training)
    labels = Labels(SPACE)
    of = {int(g): int(labels.of(np.array([g]))[0]) for g in (16, 17, 18, 19)}
    assert table.class_index.tolist() == sorted(of.values())
    table = table.set_index("class_index")
    assert table.n_test[list(of.values())].tolist() == [3, 2, 2, 3]
    assert table.n_train[list(of.values())].tolist() == [3, 1, 2, 2]
    assert table.symbol[of[16]] == str(labels.names[of[16]])
    assert table.a_top1[list(of.values())].tolist() == pytest.approx([2 / 3, 2 / 2, 0 / 2, 2 / 3])


def test_confusions_count_over_all_trainings(trained):
    table = comparison.confusion_table(trained, "test", SPACE, "b")
    labels = Labels(SPACE)
    names = [str(name) for name in labels.names]
    of = {g: int(labels.of(np.array([g]))[0]) for g in (16, 17, 18)}
    wrong = {names[of[17]]: 2, names[of[18]]: 2, names[of[16]]: 1}
    assert dict(zip(table.true_symbol, table["count"], strict=True)) == wrong
    assert table["count"].is_monotonic_decreasing and table.share.tolist() == [0.2, 0.2, 0.1]
    before = {names[c]: names[c - 1] for c in of.values()}
    assert dict(zip(table.true_symbol, table.predicted_symbol, strict=True)) == before


def test_calibration_is_that_of_the_probabilities():
    rng = np.random.default_rng(0)
    groups = rng.integers(1, 231, 400)
    target = Labels(SPACE).of(groups)
    cells, answers, expected = [("a", 0, seed) for seed in (0, 1)], {}, []
    for cell in cells:
        p = rng.dirichlet(np.full(97, 0.05), 400)
        p[np.arange(400), target] += rng.uniform(0, 0.8, 400)
        p /= p.sum(1, keepdims=True)
        answers["test", *cell] = {SPACE: ranked(np.log(p + 1e-30), target)}
        f1 = f1_score(target, p.argmax(1), average="macro", labels=np.unique(target), zero_division=0.0)
        first = p.argmax(1)
        ece = expected_calibration_error(p.max(1), first == target)
        expected.append([balanced_accuracy(first, target), f1, ece])
    items = {("test", 0): TestItems(np.zeros((400, 1)), groups, np.arange(400), {})}
    empty = pd.DataFrame()
    trained = Trained(pd.DataFrame(cells, columns=["arm", "split", "seed"]), empty, empty, answers, items)
    table = comparison.calibration_table(trained, "test", [SPACE, "space_group"])
    assert list(table) == ["arm", "space", "balanced_top1", "macro_f1", "ece"] and len(table) == 1
    balanced, f1, ece = np.mean(expected, axis=0)
    assert (table.balanced_top1[0], table.macro_f1[0]) == pytest.approx((balanced, f1))
    assert table.ece[0] == pytest.approx(ece, abs=5e-3), "confidence is kept with three digits"


def test_contrasts_and_scores_are_kept_as_values_and_tables(trained, tmp_path):
    run, whole = KeepingRun(tmp_path / "run"), comparison.scored(trained, "test", SPACE)
    table = comparison.keep_contrasts(run, "effects", "effect_{}", {"gain": (whole, {"a": 1, "b": -1})})
    assert list(table) == ["effect", "value", "low", "high", "split0_seed0", "split1_seed0"]
    each = table.loc[0, ["split0_seed0", "split1_seed0"]].tolist()
    assert each == pytest.approx([2 / 4 - 2 / 4, 4 / 6 - 3 / 6])
    assert table.loc[0, "value"] == run.values["effect_gain"].value == pytest.approx(np.mean(each))
    assert run.values["effect_gain"].kind == "points"
    scores = comparison.score_table(trained, "test", (SPACE,), ceiling=SPACE)
    shown = comparison.keep_scores(run, scores, {(SPACE, "a"): "first", (SPACE, "ceiling"): "best"})
    assert run.values["first_top1"].value == pytest.approx((2 / 4 + 4 / 6) / 2) and "best_top1" not in run.values
    assert shown.loc[(SPACE, "a", "test"), ("value", 1)] == pytest.approx(100 * run.values["first_top1"].value)
    assert {"a", "b", "ceiling"} == set(scores.arm)


def test_scores_by_kind_take_the_items_of_that_kind(trained):
    kinds = {"a": {0: np.array(["near", "near", "far", "far"]), 1: np.array(["near"] * 6)}}
    table = comparison.scores_by(comparison.scored(trained, "test", SPACE), kinds).set_index("kind")
    assert table.value.to_dict() == pytest.approx({"near": (1 + 4 / 6) / 2, "far": 0.0})
    assert table.n.to_dict() == {"near": 8, "far": 2}


def test_answers_to_two_tests_are_compared_item_by_item():
    easy, hard = made_up(), made_up({"a": {(0, 0): [0, 1, 1, 1], (1, 0): [0, 0, 0, 1, 3, 1]}})
    answers = easy.answers | {("hard", *cell[1:]): of for cell, of in hard.answers.items()}
    items = easy.items | {("hard", split): of for (_, split), of in easy.items.items()}
    trained = Trained(easy.trainings, easy.times, easy.history, answers, items)
    both = comparison.scored_across(trained, SPACE)
    assert list(both.values) == ["a@test", "b@test", "a@hard"], "b was not asked the hard ones"
    effect = both.contrast({"a@hard": 1, "a@test": -1})
    assert effect.value == pytest.approx(-(1 / 4 + 1 / 6) / 2) and effect.n == 10
    turned = TestItems(np.zeros((4, 1)), GROUPS[0][::-1], CLUSTERS[0], {})
    with pytest.raises(ValueError, match="split 0 are not about the same crystals: test, hard"):
        comparison.scored_across(replace(trained, items=items | {("hard", 0): turned}), SPACE)


def test_a_name_may_hold_the_test_that_a_score_is_of(trained, tmp_path):
    run = KeepingRun(tmp_path / "run")
    comparison.keep_scores(run, comparison.score_table(trained, "test", [SPACE], ks=(1,)), {(SPACE, "a"): "a_{}"})
    assert list(run.values) == ["a_test_top1"]


def test_an_arm_that_was_repeated_less_often_counts_the_items_that_it_saw():
    some = made_up({"a": RANKS["a"], "b": {(0, 0): RANKS["b"][0, 0]}})
    found = comparison.scored(some, "test", SPACE)
    assert (found.score("a").n, found.score("b").n, found.contrast({"b": 1, "a": -1}).n) == (10, 4, 4)

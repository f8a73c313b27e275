"""Rules against what is known: hand-counted partitions, an independent program, and curves with known areas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import pair_confusion_matrix

from paperlib.datasets.against_truth import (
    Pairs,
    bcubed,
    compared_pairs,
    rates_at,
    recall_by_kind,
    roc_table,
    score_values,
    scores_against,
)
from paperlib.datasets.alike.fingerprints import fingerprints
from tests.datasets import planted

# six entries of three families; the rule keeps {0, 1} of {0, 1, 2} together, throws 2 to 3 and 4, and leaves 5 alone
TRUTH = np.array([0, 0, 0, 1, 1, 2])
FOUND = np.array([7, 7, 3, 3, 3, 9])
labels = st.lists(st.integers(0, 5), min_size=1, max_size=40)


def test_pairs_counted_by_hand():
    (row,) = scores_against({"rule": FOUND}, TRUTH).to_dict("records")
    # belong together: 01 02 12 34; found: 01 23 24 34; both: 01 34
    assert (row["pairs"], row["pairs_found"], row["families"], row["entries"]) == (4, 4, 2, 6)
    assert (row["precision"], row["recall"]) == (0.5, 0.5)
    # of groups of 2, 3 and 1, three entries go: 1 since 0 stays, 4 since 3 stays, and one of 2 and 3 without kin
    assert (row["removed"], row["removed_kin"]) == (3, 2)


def test_entries_counted_by_hand():
    precision, recall = bcubed(FOUND, TRUTH)
    np.testing.assert_allclose(precision, [1, 1, 1 / 3, 2 / 3, 2 / 3, 1])
    np.testing.assert_allclose(recall, [2 / 3, 2 / 3, 1 / 3, 1, 1, 1])
    (row,) = scores_against({"rule": FOUND}, TRUTH).to_dict("records")
    assert row["bcubed_precision"] == pytest.approx(14 / 18) and row["bcubed_recall"] == pytest.approx(14 / 18)


def test_scores_as_values():
    table = scores_against({"pattern, doped": FOUND}, TRUTH).assign(truth="names")
    values = score_values(table)
    assert set(values) == {f"names_pattern_doped_{score}" for score in (
        "precision", "recall", "bcubed_precision", "bcubed_recall", "removed", "removed_kin", "kin_share")}  # fmt: skip
    per_entry = values["names_pattern_doped_bcubed_recall"]
    assert per_entry.value == pytest.approx(14 / 18) and per_entry.n == 6
    assert per_entry.low < per_entry.value < per_entry.high
    assert values["names_pattern_doped_kin_share"].value == pytest.approx(2 / 3)
    assert values["names_pattern_doped_recall"].low is None


def test_recall_by_kind_looks_at_each_kind_alone():
    kind = np.array(["hot", "hot", "hot", "cold", "cold", "cold"])
    table = recall_by_kind({"rule": FOUND}, TRUTH, kind).set_index("kind")
    assert table["recall"].to_dict() == {"hot": pytest.approx(1 / 3), "cold": 1}
    assert table["pairs"].to_dict() == {"hot": 3, "cold": 1} and table["families"].tolist() == [1, 1]


def test_one_group_of_all_and_groups_of_one():
    n = len(TRUTH)
    table = scores_against({"all": np.zeros(n, int), "none": np.arange(n)}, TRUTH).set_index("rule")
    assert table.loc["all", "recall"] == table.loc["all", "bcubed_recall"] == 1
    assert table.loc["all", "precision"] == pytest.approx(4 / 15)
    assert table.loc["all", "bcubed_precision"] == pytest.approx((3 * 3 + 2 * 2 + 1) / n**2)
    assert table.loc["none", "precision"] == table.loc["none", "bcubed_precision"] == 1
    assert table.loc["none", "recall"] == 0 and table.loc["none", "bcubed_recall"] == pytest.approx(3 / n)


@given(labels, st.randoms(use_true_random=False))
def test_pairs_are_those_of_scikit_learn(truth, random):
    found = [random.randrange(6) for _ in truth]
    (_, false), (missed, true) = pair_confusion_matrix(truth, found)
    (row,) = scores_against({"rule": np.array(found)}, np.array(truth)).to_dict("records")
    assert row["precision"] == pytest.approx(true / (true + false) if true + false else 1)
    assert row["recall"] == pytest.approx(true / (true + missed) if true + missed else 1)
    # scikit-learn counts each pair twice, once in each order
    assert (2 * row["pairs"], 2 * row["pairs_found"]) == (true + missed, true + false)


@given(labels, st.randoms(use_true_random=False))
def test_per_entry_scores_follow_from_scikit_learn_s_pairs_entry_by_entry(truth, random):
    """With all other entries but the partners of one left out, pairs with it are its group and family less itself."""
    truth, found = np.array(truth), np.array([random.randrange(6) for _ in truth])
    precision, recall = bcubed(found, truth)
    for i in range(len(truth)):
        grouped, kin = found == found[i], truth == truth[i]
        assert precision[i] == pytest.approx((grouped & kin).sum() / grouped.sum())
        assert recall[i] == pytest.approx((grouped & kin).sum() / kin.sum())
    exchanged = bcubed(truth, found)
    np.testing.assert_array_equal(exchanged, (recall, precision))


def test_a_long_series_counts_by_pairs_and_not_by_entries():
    """One family of 20 found whole, and 20 of two that are missed: 190 of 210 pairs, but half of the entries."""
    truth = np.concatenate([np.zeros(20, int), 1 + np.arange(40) // 2])
    found = np.concatenate([np.zeros(20, int), 1 + np.arange(40)])
    (row,) = scores_against({"rule": found}, truth).to_dict("records")
    assert row["recall"] == pytest.approx(190 / 210)
    assert row["bcubed_recall"] == pytest.approx((20 + 40 * 0.5) / 60)
    assert row["bcubed_recall_low"] < row["bcubed_recall"] < row["bcubed_recall_high"] <= 1


def pairs_of(similarity, cell, weight=None):
    n = len(similarity)
    weight = np.ones(n) if weight is None else np.array(weight)
    return Pairs(2 * np.arange(n), 2 * np.arange(n) + 1, np.array(similarity), np.array(cell), weight)


def truth_of(same):
    """Families of pairs of entries that are of one kind, or not."""
    return np.array([label for i, one in enumerate(same) for label in (2 * i, 2 * i + (not one))])


def test_areas_known_by_hand():
    # of 2 · 2 pairs of unlike kind, three are in order by similarity, all by cell
    pairs, truth = pairs_of([0.9, 0.7, 0.8, 0.1], [0.0, 0.01, 0.2, 0.3]), truth_of([True, True, False, False])
    areas = roc_table(pairs, truth, 0.75).groupby(["by", "counted"])["auc"].first()
    assert areas["similarity", "pairs"] == areas["similarity", "groups"] == pytest.approx(0.75)
    assert areas["cell", "pairs"] == 1


def test_with_weights_each_group_counts_once():
    """A pair out of order that stands for a tenth of one counts for a tenth."""
    same = [True] * 10 + [True, False]
    pairs = pairs_of([0.1] * 10 + [0.9, 0.5], [0.0] * 12, [0.1] * 10 + [1.0, 1.0])
    areas = roc_table(pairs, truth_of(same), 0.75).groupby(["by", "counted"])["auc"].first()
    assert areas["similarity", "pairs"] == pytest.approx(1 / 11)
    assert areas["similarity", "groups"] == pytest.approx(1 / 2)
    assert areas["cell", "pairs"] == pytest.approx(0.5), "ties on both sides say nothing"


def test_a_curve_begins_and_ends_in_the_corners_and_rises():
    rng = np.random.default_rng(0)
    same = rng.random(3000) < 0.3
    table = roc_table(pairs_of(rng.random(3000) * 0.5 + same * 0.3, rng.random(3000)), truth_of(same), 0.75, points=50)
    for _, part in table.groupby(["by", "counted"]):
        rates = part[["false_positive", "true_positive"]].to_numpy()
        assert np.all(np.diff(rates, axis=0) >= 0) and len(rates) <= 55
        np.testing.assert_array_equal(rates[-1], [1, 1])
        assert np.isfinite(part["threshold"]).all()


def test_rates_at_a_threshold():
    pairs, truth = pairs_of([0.9, 0.7, 0.8, 0.1], [0.0] * 4), truth_of([True, True, False, False])
    assert rates_at(pairs, truth, 0.75) == (0.5, 0.5)
    assert np.isnan(rates_at(pairs, truth_of([True] * 4), 0.75)[0])


def test_without_both_kinds_of_pairs_there_is_no_curve():
    assert len(roc_table(pairs_of([0.9, 0.5], [0.0, 0.0]), truth_of([True, True]), 0.75)) == 0


def test_all_pairs_of_a_group_are_compared_once():
    crystals = planted.zoo()[:12]
    groups = np.array([0, 0, 0, 0, 1, 1, 2, 3, 3, 3, 4, 5])
    pairs = compared_pairs(crystals, groups)
    together = {(i, j) for i in range(12) for j in range(i + 1, 12) if groups[i] == groups[j]}
    assert set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == together
    assert len(pairs.first) == len(together) == 6 + 1 + 3
    sums = np.bincount(groups[pairs.first], pairs.weight)
    np.testing.assert_allclose(sums[sums > 0], 1)
    prints = fingerprints(crystals)[:, 1]
    np.testing.assert_allclose(pairs.similarity, (prints[pairs.first] * prints[pairs.second]).sum(1), rtol=1e-5)


def test_a_crystal_without_atoms_is_in_no_pair():
    salt = planted.rock_salt("salt")
    crystals = type(salt).concatenate([salt, planted.without_atoms(salt, "empty"), planted.rock_salt("other", 5.7)])
    pairs = compared_pairs(crystals, np.zeros(3, int))
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0], [2])
    assert pairs.similarity[0] == pytest.approx(1, abs=1e-6), "another volume is the same pattern at one volume"
    assert pairs.cell_difference[0] == pytest.approx(5.7 / 5.64 - 1)
    assert len(compared_pairs(crystals, np.arange(3)).first) == 0

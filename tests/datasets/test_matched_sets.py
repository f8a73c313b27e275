"""Matched training sets: each differs from the next in what its name says, and in nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paperlib.datasets.matched_sets import matched_sets

# some pairs and larger groups among many entries that stand alone
groups_of_entries = st.builds(
    lambda n, repeats: np.concatenate([np.arange(n), [r % n for r in repeats]]),
    st.integers(80, 160),
    st.lists(st.integers(0, 200), max_size=20),
)


def arrays(groups):
    groups = np.array(groups)
    return groups, np.array([f"entry {k:03d}" for k in range(len(groups))]), groups % 3


@settings(max_examples=60, deadline=None)
@given(groups_of_entries, st.integers(0, 2**31))
def test_sets_are_what_their_names_say(drawn, seed):
    groups, ids, classes = arrays(drawn)
    assume(len(np.unique(groups)) > 0.8 * len(groups))  # fewer would leave no group that the test set does not touch
    train, test, single = matched_sets(groups, ids, classes, seed, 0.15)
    n = len(train["single_free"])
    assert {len(chosen) for name, chosen in train.items() if not name.startswith("all")} == {n}
    assert sorted([*train["all_random"], *test]) == list(range(len(groups)))
    for name, chosen in train.items():
        assert (np.diff(chosen) > 0).all() and not set(chosen) & set(test), name
        assert not (name.endswith("free") and set(groups[chosen]) & set(groups[test])), name
        assert not (name.startswith("single") and len(set(groups[chosen])) < len(chosen)), name
        assert set(chosen) <= set(train["all_random"]), name
    free = set(groups[train["all_random"]]) - set(groups[test])
    assert set(groups[train["single_free"]]) == free, "one entry of every group that the test set leaves"
    assert sorted(groups[test[single]]) == sorted(set(groups[test]))


@settings(max_examples=40, deadline=None)
@given(groups_of_entries, st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_sets_do_not_depend_on_the_order_of_the_entries(drawn, seed, random):
    groups, ids, classes = arrays(drawn)
    assume(len(np.unique(groups)) > 0.8 * len(groups))
    order = list(range(len(groups)))
    random.shuffle(order)
    one, other = matched_sets(groups, ids, classes, seed), matched_sets(groups[order], ids[order], classes[order], seed)
    assert set(ids[one.test]) == set(ids[order][other.test])
    for name in one.train:
        assert set(ids[one.train[name]]) == set(ids[order][other.train[name]]), name


def test_another_seed_gives_other_sets():
    groups, ids, classes = arrays(np.arange(200) // 2)
    assert set(matched_sets(groups, ids, classes, 0).test) != set(matched_sets(groups, ids, classes, 1).test)


def test_repeated_ids_and_impossible_shares_are_refused():
    groups, ids, classes = arrays(np.arange(50))
    with pytest.raises(ValueError, match="1 of 50 ids are repeated"):
        matched_sets(groups, np.where(ids == "entry 001", "entry 000", ids), classes, 0)
    with pytest.raises(ValueError, match="test_share=1"):
        matched_sets(groups, ids, classes, 0, 1.0)


def test_groups_that_leave_nothing_to_match_are_refused():
    groups, ids, classes = arrays(np.zeros(60, dtype=int))
    with pytest.raises(ValueError, match=r"groups of the test set hold all entries \(60 entries, 1 groups"):
        matched_sets(groups, ids, classes, 0)
    with pytest.raises(ValueError, match=r"test set is empty \(1 entries"):
        matched_sets(*arrays(np.arange(1)), 0)

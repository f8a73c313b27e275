"""Groups of duplicates: components, names, representatives and agreement as sets and loops make them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.datasets.alike.joining import components
from paperlib.datasets.duplicates import named, pair_agreement, representatives

labels = st.lists(st.integers(0, 6), min_size=1, max_size=25).map(np.array)


def groups_of(partition):
    """The groups as a set of sets of entries."""
    return {frozenset(np.flatnonzero(partition == label).tolist()) for label in np.unique(partition)}


@st.composite
def graphs(draw):
    n = draw(st.integers(1, 15))
    numbers = st.integers(0, n - 1)
    pairs = draw(st.lists(st.tuples(numbers, numbers), max_size=20))
    return n, np.array(pairs, dtype=np.int64).reshape(-1, 2)


@settings(max_examples=200, deadline=None)
@given(graphs())
def test_components_are_what_walking_along_the_pairs_reaches(graph):
    n, pairs = graph
    reached = []
    for start in range(n):
        seen, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            near = {int(b) for a, b in [*pairs, *pairs[:, ::-1]] if a == here} - seen
            seen |= near
            waiting += near
        reached.append(frozenset(seen))
    found = components(n, pairs)
    assert [frozenset(np.flatnonzero(found == label).tolist()) for label in found] == reached
    numbers, first = np.unique(found, return_index=True)
    assert numbers.tolist() == list(range(len(numbers))) and np.all(np.diff(first) > 0)


def test_components_of_nothing():
    none = np.zeros((0, 2), dtype=np.int64)
    assert components(0, none).shape == (0,) and components(3, none).tolist() == [0, 1, 2]


@settings(max_examples=100, deadline=None)
@given(labels, st.randoms())
def test_names_are_the_first_id_of_each_group_in_any_order(partition, random):
    n = len(partition)
    ids = np.array([f"id-{k}" for k in random.sample(range(100), n)])
    found = named(partition, ids)
    assert found.tolist() == [min(ids[partition == label].tolist()) for label in partition]
    order = np.array(random.sample(range(n), n), dtype=int)
    assert named(partition[order], ids[order]).tolist() == found[order].tolist()


@settings(max_examples=100, deadline=None)
@given(labels, st.randoms())
def test_representatives_are_one_entry_of_each_group_in_any_order(partition, random):
    n = len(partition)
    ids = np.array([f"id-{k}" for k in random.sample(range(100), n)])
    chosen = representatives(partition, ids)
    assert np.all(np.diff(chosen) > 0)
    assert sorted(partition[chosen].tolist()) == np.unique(partition).tolist()
    assert set(ids[chosen].tolist()) == set(named(partition, ids).tolist())
    order = np.array(random.sample(range(n), n), dtype=int)
    assert set(ids[order][representatives(partition[order], ids[order])]) == set(ids[chosen])


def test_no_entries_have_no_names_and_no_representatives():
    none, ids = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.str_)
    assert named(none, ids).shape == representatives(none, ids).shape == (0,)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20))
def test_agreement_counts_pairs(rows):
    found, expected = np.array(rows).T
    pairs = [(found[i] == found[j], expected[i] == expected[j]) for i, j in itertools.combinations(range(len(rows)), 2)]
    there, wanted, both = sum(a for a, _ in pairs), sum(b for _, b in pairs), sum(a and b for a, b in pairs)
    scores = pair_agreement(found, expected)
    assert scores["recall"] == pytest.approx(both / wanted if wanted else 1)
    assert scores["precision"] == pytest.approx(both / there if there else 1)
    if there + wanted:
        assert scores["f1"] == pytest.approx(2 * both / (there + wanted))
    else:
        assert scores["f1"] == 1

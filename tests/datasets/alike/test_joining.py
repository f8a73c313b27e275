"""Joining bucket by bucket: what comparing all pairs gives, with no more pairs than are needed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.crystals.lattice_lengths import relabellings
from paperlib.datasets.alike.fingerprints import FINE
from paperlib.datasets.alike.joining import Bounds, Measures, components, pairs_within

BOUNDS = {
    "no bounds": Bounds(),
    "formula": Bounds(formula=0.15),
    "cell": Bounds(cell=0.011),
    "similarity": Bounds(cell=0.011, similarity=0.8),
    "all": Bounds(formula=0.15, cell=0.011, similarity=0.8),
}


def measures_of(rng, n):
    """What n entries are compared by: few elements, lengths on a ladder and relabelled, some without fingerprint."""
    shares = [rng.dirichlet(np.ones(rng.integers(1, 4))) for _ in range(n)]
    elements = [np.sort(rng.choice([1, 8, 11, 17], len(share), replace=False)) for share in shares]
    ladder = np.log([3.0, 4, 5, 5.5, 6, 7, 8]) + np.cumsum(rng.choice([0.0, 0.001, 0.006], n))[:, None]
    lengths = np.array([row[rng.choice(relabellings())] for row in ladder]).reshape(n, 7)
    prints = np.abs(rng.normal(size=(n, 2, 2))).astype(np.float32)
    prints /= np.linalg.norm(prints, axis=2, keepdims=True)
    row = rng.permutation(n)
    row[rng.uniform(size=n) < 0.2] = -1
    start = np.concatenate([[0], np.cumsum([len(share) for share in shares])]).astype(np.int64)
    empty = [np.zeros(0)]
    element, fraction = np.concatenate([*empty, *elements]).astype(np.int64), np.concatenate([*empty, *shares])
    return Measures(start, element, fraction, lengths, row, prints)


def compared(m, i, j):
    """Formula difference, cell difference and similarity of a pair."""
    shares = np.zeros((2, 120))
    for which, k in enumerate((i, j)):
        rows = slice(m.start[k], m.start[k + 1])
        shares[which, m.element[rows]] = m.fraction[rows]
    cell = np.abs(m.lengths[j][relabellings()] - m.lengths[i]).max(axis=1).min()
    a, b = m.fingerprint_row[[i, j]]
    level = 0 if cell <= FINE else 1
    similarity = -np.inf if min(a, b) < 0 else m.fingerprints[a, level] @ m.fingerprints[b, level]
    return np.abs(shares[0] - shares[1]).max(), cell, similarity


def joined_by_all_pairs(bucket, member, position, window, m, bounds):
    """Groups of single linkage over all pairs of rows that stand in one bucket within the window."""
    n = len(m.start) - 1
    label = np.arange(n)
    for r, s in itertools.combinations(range(len(bucket)), 2):
        if bucket[r] == bucket[s] and abs(position[r] - position[s]) <= window:
            formula, cell, similarity = compared(m, member[r], member[s])
            if formula <= bounds.formula and cell <= bounds.cell and similarity >= bounds.similarity:
                label[label == label[member[s]]] = label[member[r]]
    return label


@st.composite
def cases(draw):
    """Entries in buckets, some of them in several, and in one bucket twice."""
    rng, n = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 14))
    rows = draw(st.integers(0, 30))
    member, bucket = rng.integers(0, n, rows), rng.integers(0, draw(st.integers(1, 5)), rows)
    position = rng.choice([0.0, 0.25, 0.5, 1.0], rows)
    window = draw(st.sampled_from([0.0, 0.25, 0.3, np.inf]))
    return bucket, member, position, window, rng.permutation(n), measures_of(rng, n)


@pytest.mark.parametrize("bounds", BOUNDS.values(), ids=BOUNDS)
@settings(max_examples=80, deadline=None)
@given(cases())
def test_the_pairs_join_what_comparing_all_joins_and_are_no_more_than_needed(bounds, case):
    bucket, member, position, window, rank, measures = case
    pairs, values = pairs_within(bucket, member, position, window, rank, measures, bounds)
    expected = joined_by_all_pairs(bucket, member, position, window, measures, bounds)
    found = components(len(rank), pairs)
    assert (
        len(np.unique(np.column_stack([found, expected]), axis=0)) == len(np.unique(found)) == len(np.unique(expected))
    )
    assert len(pairs) == len(rank) - len(np.unique(found))
    assert len(values) == len(pairs)


@settings(max_examples=80, deadline=None)
@given(cases())
def test_each_pair_keeps_to_the_bounds_and_says_what_was_measured(case):
    bucket, member, position, window, rank, measures = case
    bounds = BOUNDS["all"]
    for (i, j), value in zip(*pairs_within(bucket, member, position, window, rank, measures, bounds), strict=True):
        together = [
            abs(position[r] - position[s])
            for r, s in itertools.product(np.flatnonzero(member == i), np.flatnonzero(member == j))
            if bucket[r] == bucket[s]
        ]
        assert min(together) <= window
        np.testing.assert_allclose(value, compared(measures, i, j), atol=1e-6)
        assert value[0] <= bounds.formula and value[1] <= bounds.cell and value[2] >= bounds.similarity


@settings(max_examples=80, deadline=None)
@given(cases(), st.randoms())
def test_the_pairs_do_not_depend_on_the_order_of_the_rows(case, random):
    bucket, member, position, window, rank, measures = case
    order = np.array(random.sample(range(len(bucket)), len(bucket)), dtype=int)
    first, _ = pairs_within(bucket, member, position, window, rank, measures, BOUNDS["all"])
    second, _ = pairs_within(bucket[order], member[order], position[order], window, rank, measures, BOUNDS["all"])
    np.testing.assert_array_equal(first, second)


def test_what_has_no_bound_is_not_measured():
    measures = measures_of(np.random.default_rng(0), 3)
    rows = np.zeros(3, dtype=np.int64), np.arange(3), np.zeros(3), 0.0, np.arange(3)
    pairs, values = pairs_within(*rows, measures, Bounds())
    assert len(pairs) == 2 and np.isnan(values).all()
    _, values = pairs_within(*rows, measures, Bounds(formula=1.0))
    assert not np.isnan(values[:, 0]).any() and np.isnan(values[:, 1:]).all()


def test_entries_without_fingerprint_are_like_none():
    measures = measures_of(np.random.default_rng(0), 4)._replace(fingerprint_row=np.array([-1, 0, 0, -1]))
    rows = np.zeros(4, dtype=np.int64), np.arange(4), np.zeros(4), 0.0, np.arange(4)
    pairs, _ = pairs_within(*rows, measures, Bounds(cell=1.0, similarity=0.5))
    assert sorted(pairs[0].tolist()) == [1, 2] and len(pairs) == 1


def test_buckets_of_one_join_nothing():
    measures = measures_of(np.random.default_rng(0), 5)
    pairs, values = pairs_within(np.arange(5), np.arange(5), np.zeros(5), 1.0, np.arange(5), measures, Bounds())
    assert pairs.shape == (0, 2) and values.shape == (0, 3)

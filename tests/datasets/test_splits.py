"""Splits: whole groups, the right shares, the same answer whatever the order of the entries."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from paperlib.crystals.standardise import from_structures
from paperlib.datasets.splits import ENANTIOMORPHIC_PAIRS, formula_group_keys, grouped_split, leakage

entries = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 6)), min_size=1, max_size=120)


@settings(max_examples=150, deadline=None)
@given(entries, st.integers(0, 2**31))
def test_every_entry_is_on_one_side_and_no_group_on_two(pairs, seed):
    groups, labels = np.array(pairs).T
    split = grouped_split(groups, seed=seed, stratify=labels)
    assert sorted(np.concatenate(split).tolist()) == list(range(len(groups)))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert leakage(groups[split[a]], groups[split[b]]) == 0


@settings(max_examples=150, deadline=None)
@given(entries, st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_the_side_of_a_group_does_not_depend_on_the_order_of_the_entries(pairs, seed, random):
    groups, labels = np.array(pairs).T
    order = list(range(len(groups)))
    random.shuffle(order)
    split = grouped_split(groups, seed=seed, stratify=labels)
    shuffled = grouped_split(groups[order], seed=seed, stratify=labels[order])
    for side, other in zip(split, shuffled, strict=True):
        assert set(groups[side].tolist()) == set(groups[order][other].tolist())


@settings(max_examples=150, deadline=None)
@given(entries, st.integers(0, 2**31))
def test_training_has_every_class_of_two_groups(pairs, seed):
    groups, labels = np.array(pairs).T
    train = set(labels[grouped_split(groups, (0.1, 0.1, 0.8), seed=seed, stratify=labels).train].tolist())
    for label in np.unique(labels):
        if len(np.unique(groups[labels == label])) >= 2:
            assert label in train


@settings(max_examples=100, deadline=None)
@given(entries, st.integers(0, 2**31))
def test_shares_miss_by_no_more_than_the_largest_group(pairs, seed):
    groups = np.array(pairs)[:, 0]
    largest = np.bincount(groups).max()
    split = grouped_split(groups, (0.5, 0.3, 0.2), seed=seed)
    for side, fraction in zip(split, (0.5, 0.3, 0.2), strict=True):
        assert abs(len(side) - fraction * len(groups)) <= 2 * largest


def test_large_classes_are_dealt_out_in_the_asked_proportions():
    labels = np.repeat([0, 1, 2], [1000, 500, 100])
    split = grouped_split([f"g{i}" for i in range(len(labels))], seed=3, stratify=labels)
    for side, fraction in zip(split, (0.8, 0.1, 0.1), strict=True):
        assert np.bincount(labels[side], minlength=3) == pytest.approx(fraction * np.array([1000, 500, 100]), abs=2)


@pytest.mark.parametrize("seed", range(3))
def test_large_groups_are_tested_as_often_as_small_ones(seed):
    """A rule that looks at the size of a group sends every repeat to training, and nothing is known of repeats."""
    sizes = np.repeat([1, 2, 5, 20], [4000, 600, 200, 50])
    groups = np.repeat(np.arange(len(sizes)), sizes)
    split = grouped_split(groups, seed=seed, stratify=groups % 7)
    for side, fraction in zip(split, (0.8, 0.1, 0.1), strict=True):
        chosen = np.unique(groups[side])
        for size, n in ((1, 4000), (2, 600), (5, 200), (20, 50)):
            expected, spread = fraction * n, np.sqrt(n * fraction * (1 - fraction))
            assert abs(np.count_nonzero(sizes[chosen] == size) - expected) < 3.5 * spread + 1, (size, fraction)


def test_the_seed_deals_anew_and_text_keys_equal_their_numbers():
    groups = np.arange(500)
    first, second = grouped_split(groups, seed=0), grouped_split(groups, seed=1)
    expected_by_chance = 500 * 0.1 * 0.1
    assert len(np.intersect1d(first.test, second.test)) < 5 * expected_by_chance
    text = grouped_split(groups.astype(str), seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(first, text, strict=True))


def test_a_side_of_no_share_stays_empty():
    split = grouped_split(np.arange(50), (0.9, 0.0, 0.1), seed=0)
    assert len(split.validation) == 0 and len(split.test) == 5


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.2), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1), (0.9, 0.1)])
def test_shares_that_make_no_sense_are_refused(fractions):
    with pytest.raises(ValueError, match="fractions are"):
        grouped_split([1, 2, 3], fractions, seed=0)


def test_keys_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least one entry"):
        grouped_split([], seed=0)
    with pytest.raises(ValueError, match="one class per entry"):
        grouped_split([1, 2, 3], seed=0, stratify=[1, 2])


def test_the_pairs_are_those_that_gemmi_turns_into_one_another():
    found = set()
    for number in range(1, 231):
        group = gemmi.find_spacegroup_by_number(number)
        mirrored = group.operations()
        mirrored.change_basis_forward(gemmi.Op("-x,-y,-z"))
        known = gemmi.find_spacegroup_by_ops(mirrored)
        # The mirror image of an achiral group is the group itself, in another place for the two-origin groups.
        if known is not None and known.number != number:
            found.add(tuple(sorted((number, known.number))))
    assert found == set(ENANTIOMORPHIC_PAIRS)


def quartz(group: str, z: float) -> Structure:
    cell = Lattice.hexagonal(4.913, 5.405)
    return Structure.from_spacegroup(group, cell, ["Si", "O"], [[0.4697, 0, z], [0.4133, 0.2672, z + 0.1188]])


def test_both_hands_of_quartz_are_one_group_and_another_formula_is_not():
    right = quartz("P3_221", 2 / 3)
    left = Structure(right.lattice, right.species, -right.frac_coords)
    other = right.copy()
    other.replace_species({"Si": "Ge"})
    crystals = from_structures([right, left, other])
    assert set(crystals.space_group.tolist()) == {152, 154}
    keys = formula_group_keys(crystals)
    assert keys.tolist() == ["SiO2|152", "SiO2|152", "GeO2|152"]
    assert leakage(keys[:1], keys[1:]) == 1 and leakage(keys[:2], keys[2:]) == 0

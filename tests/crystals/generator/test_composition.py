"""Compositions: what is drawn, and what Wyckoff positions can hold."""

import itertools

import numpy as np
import pytest

from paperlib.crystals.generator.composition import positions_suffice, uniform_compositions
from paperlib.crystals.rules import rules_from
from paperlib.symmetry.groups import SPACE_GROUPS, wyckoff_positions
from paperlib.symmetry.wyckoff_tables import achievable_counts


def brute_force(group, counts):
    """Whether the positions hold the counts, by trying every assignment of fixed positions to species."""
    positions = wyckoff_positions(group)
    fixed = [p.multiplicity for p in positions if p.degrees_of_freedom == 0]
    free = {p.multiplicity for p in positions if p.degrees_of_freedom > 0}
    sums = {0}
    for _ in range(max(counts) // min(free) if free else 0):
        sums |= {s + m for s in sums for m in free}
    for owners in itertools.product(range(len(counts) + 1), repeat=len(fixed)):  # the last owner is nobody
        held = [sum(m for m, o in zip(fixed, owners, strict=True) if o == k) for k in range(len(counts))]
        if all(count - h in sums for count, h in zip(counts, held, strict=True)):
            return True
    return False


@pytest.mark.parametrize("group", [2, 47, 123, 131, 216, 221, 223, 227, 229])
def test_positions_suffice_agrees_with_trying_everything(group):
    some = achievable_counts(group, 24)[:7].tolist()
    for counts in itertools.combinations_with_replacement(some, 2):
        assert positions_suffice(group, counts) == brute_force(group, counts), counts


def test_three_species_cannot_share_two_points():
    assert positions_suffice(225, (4, 4)) and not positions_suffice(225, (4, 4, 4))


@pytest.fixture(scope="module")
def drawn():
    groups = np.repeat(np.array(SPACE_GROUPS), 20)
    return groups, uniform_compositions(groups, np.arange(len(groups)), 5, 0, rules_from())


def test_compositions_fit_the_group_and_the_rules(drawn):
    groups, compositions = drawn
    assert compositions.possible.mean() > 0.8
    kept = groups[compositions.possible]
    for j, group in enumerate(kept):
        rows = slice(*compositions.start[j : j + 2])
        counts, species = compositions.count[rows], compositions.species[rows]
        assert 2 <= len(counts) <= 4 and len(set(species)) == len(species)
        assert set(counts) <= set(achievable_counts(int(group))) and counts.sum() <= 200


def test_sizes_are_those_that_the_rules_aim_at(drawn):
    groups, compositions = drawn
    kept = groups[compositions.possible]
    primitive = kept == 19  # four atoms at least in each orbit, and one free position only
    totals = np.add.reduceat(compositions.count, compositions.start[:-1])
    assert np.all(totals[primitive] % 4 == 0)
    p1 = totals[kept == 1]
    assert 4 <= p1.min() and p1.max() <= 52 and 8 < np.median(p1) < 22


def test_trials_differ_and_items_are_independent():
    groups, items, rules = np.array([62, 14, 225]), np.array([4, 9, 11]), rules_from()
    first, second = (uniform_compositions(groups, items, 1, trial, rules) for trial in (0, 1))
    assert not np.array_equal(first.species, second.species)
    alone = uniform_compositions(groups[1:2], items[1:2], 1, 0, rules)
    if first.possible.all():
        rows = slice(*first.start[1:3])
        np.testing.assert_array_equal(alone.species, first.species[rows])
        np.testing.assert_array_equal(alone.count, first.count[rows])
    assert alone.possible[0] == first.possible[1]

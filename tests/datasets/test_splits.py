"""Splits: whole groups of every kind, the right shares, the same answer whatever the order of the entries."""

from __future__ import annotations

import gzip
import itertools
import json
from dataclasses import replace

import gemmi
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import write_sharded
from paperlib.crystals.species import reduced_formula, species_code
from paperlib.crystals.standardise import Sites, crystal_from_sites, from_structures
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets.splits import (
    UNITS,
    Split,
    formula_group_keys,
    grouped_split,
    joint_units,
    leakage,
    split_table,
    split_units,
)
from paperlib.lab import paths
from paperlib.symmetry.groups import ENANTIOMORPHIC_PAIRS
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

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


@pytest.mark.parametrize("fractions", [(0.3333333333, 0.0, 0.6666666666), (0.6666666666, 0.3333333333, 0.0), (1, 0, 0)])
def test_no_rounding_gives_entries_to_a_side_of_no_share(fractions):
    """The others may both hold a little more than their rounded shares of what was dealt."""
    split = grouped_split(np.arange(300), fractions, seed=0)
    for side, fraction in zip(split, fractions, strict=True):
        assert len(side) == pytest.approx(fraction * 300, abs=1)
        assert fraction or not len(side)


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.2), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1), (0.9, 0.1)])
def test_shares_that_make_no_sense_are_refused(fractions):
    with pytest.raises(ValueError, match="fractions are"):
        grouped_split([1, 2, 3], fractions, seed=0)


def test_keys_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="at least one entry"):
        grouped_split([], seed=0)
    with pytest.raises(ValueError, match="one class per entry"):
        grouped_split([1, 2, 3], seed=0, stratify=[1, 2])
    for unclear in ([1.0, 2.0], [True, False], np.array(["a", None], dtype=object)):
        with pytest.raises(ValueError, match="text or whole numbers"):
            grouped_split(unclear, seed=0)


def test_text_of_any_kind_of_array_is_the_same_key():
    names = [f"g{k}" for k in range(40)]
    one, other = grouped_split(names, seed=0), grouped_split(np.array(names, dtype=object), seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


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


def test_formulas_of_one_composition_give_one_key():
    salt = planted.rock_salt("salt")
    texts = ["La0.8Sn2", "La2Sn5", "LaSn2", "D2O", "H2O"]
    crystals = CrystalSet.concatenate(replace(salt, formula=np.array([text])) for text in texts)
    assert formula_group_keys(crystals).tolist() == ["La2Sn5|225"] * 2 + ["LaSn2|225"] + ["H2O|225"] * 2
    assert split_units(crystals, "formula").tolist() == ["La2Sn5", "La2Sn5", "LaSn2", "H2O", "H2O"]


def test_the_published_split_of_the_materials_project_set_is_dealt_again(data_folder):
    """From the keys and classes that follow from the structure file; no symmetry search."""
    published = pd.read_csv(paths.root() / "data" / "results" / "06_labels" / "split.csv", dtype={"id": str})
    formulas = {}
    with gzip.open(data_folder / "structures" / "mp_30587.jsonl.gz") as lines:
        for line in lines:
            entry = json.loads(line)
            formulas[entry["id"]] = reduced_formula({species_code(symbol): 1.0} for symbol in entry["el"])
    formula = np.array([formulas[name] for name in published.id])
    n = len(published)
    crystals = replace(
        CrystalSet.empty(),
        cell=np.zeros((n, 6)),
        space_group=published.space_group.to_numpy(np.int16),
        standard=np.ones(n, dtype=bool),
        site_start=np.zeros(n + 1, dtype=np.int64),
        formula=formula,
        source_id=published.id.to_numpy(str),
    )
    split = grouped_split(formula_group_keys(crystals), (0.8, 0.1, 0.1), seed=0, stratify=crystals.space_group)
    for side, name in zip(split, ("train", "validation", "test"), strict=True):
        assert set(published.id[side]) == set(published.id[published.part == name])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=20))
def test_joint_units_are_cut_by_none_and_no_larger_than_needed(rows):
    units = np.array(rows).T
    label = np.arange(len(rows))
    for unit in units:
        for i, j in itertools.combinations(range(len(rows)), 2):
            if unit[i] == unit[j]:
                label[label == label[j]] = label[i]
    assert groups_of(joint_units(*units)) == groups_of(label)
    assert groups_of(joint_units(units[0].astype(str), *units[1:])) == groups_of(label)


def groups_of(partition):
    """The groups as a set of sets of entries."""
    return {frozenset(np.flatnonzero(partition == label).tolist()) for label in np.unique(partition)}


# What a split keeps together


@pytest.fixture(scope="module")
def crystals():
    """Rock salts: NaCl twice, strained a little, NaCl far from both, KCl; caesium chloride with the formula of NaCl."""
    salts = [("c", 5.64, "Na"), ("a", 5.65, "Na"), ("b", 6.4, "Na"), ("d", 6.29, "K")]
    caesium_chloride = Sites("e", 3.5 * np.eye(3), np.array([[0] * 3, [0.5] * 3]), [{11: 1.0}, {17: 1.0}])
    made = [planted.rock_salt(name, edge, metal) for name, edge, metal in salts]
    return CrystalSet.concatenate([*made, crystal_from_sites(caesium_chloride)])


def test_each_kind_keeps_together_what_it_names(crystals):
    assert split_units(crystals, "entry").tolist() == ["c", "a", "b", "d", "e"]
    assert split_units(crystals, "formula").tolist() == ["NaCl", "NaCl", "NaCl", "KCl", "NaCl"]
    assert split_units(crystals, "structure type").tolist() == ["AB 225 ab"] * 4 + ["AB 221 ab"]
    assert split_units(crystals, "duplicates").tolist() == ["a", "a", "b", "d", "e"]
    assert split_units(crystals, "duplicates", rule="formula+group").tolist() == ["a", "a", "a", "d", "e"]
    assert split_units(crystals, "duplicates", rule="structure").tolist() == ["a", "a", "a", "d", "e"]


def test_an_unknown_kind_is_refused(crystals):
    with pytest.raises(ValueError, match="by='colour' is unknown; choose one of entry, formula"):
        split_units(crystals, "colour")


@pytest.mark.parametrize("by", UNITS)
def test_a_split_leaks_no_unit_and_does_not_depend_on_the_order(crystals, by):
    order = np.array([3, 0, 4, 2, 1])
    units, turned = split_units(crystals, by), split_units(crystals[order], by)
    assert turned.tolist() == units[order].tolist()
    for seed in range(5):
        split = grouped_split(units, (0.5, 0.25, 0.25), seed=seed)
        assert leakage(units[split.train], units[split.test]) == 0
        other = grouped_split(turned, (0.5, 0.25, 0.25), seed=seed)
        for side, same in zip(split, other, strict=True):
            assert set(crystals.source_id[side]) == set(crystals[order].source_id[same])


def test_a_set_in_shards_has_the_same_units(crystals, tmp_path):
    sharded = write_sharded(tmp_path / "set", crystals, {"what": "five salts"}, shard_size=2)
    for by in UNITS:
        assert split_units(sharded, by).tolist() == split_units(crystals, by).tolist()


def test_the_table_of_a_split_names_every_entry_once():
    crystals = random_crystals([62, 166, 62, 225], seed=1)
    split = Split(np.array([0, 2]), np.array([], dtype=np.int64), np.array([1, 3]))
    table = split_table(crystals, split)
    assert table.part.tolist() == ["train", "train", "test", "test"]
    assert table.id.tolist() == crystals.source_id[[0, 2, 1, 3]].tolist()
    assert table.space_group.tolist() == [62, 62, 166, 225]

"""Units of splits: what stays together, by every kind, whatever the order of the entries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from paperlib.crystals.shards import write_sharded
from paperlib.crystals.standardise import from_structures
from paperlib.datasets.partitions import joint_units, named, representatives
from paperlib.datasets.split_units import UNITS, split_units
from paperlib.datasets.splits import grouped_split, leakage

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


@pytest.fixture(scope="module")
def crystals():
    """Rock salts: NaCl twice, strained a little, NaCl far from both, KCl; caesium chloride with the formula of NaCl."""
    made = []
    for name, group, a, metal in (
        ("c", 225, 5.64, "Na"),
        ("a", 225, 5.65, "Na"),
        ("b", 225, 6.4, "Na"),
        ("d", 225, 6.29, "K"),
        ("e", 221, 3.5, "Na"),
    ):
        structure = Structure.from_spacegroup(group, Lattice.cubic(a), [metal, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        structure.properties["source_id"] = name
        made.append(structure)
    return from_structures(made)


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


labels = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(labels)
def test_joint_units_are_the_finest_that_cut_neither(pairs):
    first, second = np.array(pairs).T
    joint = joint_units(first, second)
    for unit in (first, second):
        assert all(len(set(joint[unit == value])) == 1 for value in unit)
    # the finest: within a joint unit any two entries are joined by a chain of shared units
    for value in set(joint.tolist()):
        members = np.flatnonzero(joint == value)
        reached, front = {members[0]}, [members[0]]
        while front:
            i = front.pop()
            near = [j for j in members if j not in reached and (first[i] == first[j] or second[i] == second[j])]
            reached |= set(near)
            front += near
        assert reached == set(members.tolist())


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_names_and_representatives_follow_from_the_ids(groups, random):
    groups = np.array(groups)
    ids = np.array([f"id {k:02d}" for k in range(len(groups))])
    random.shuffle(ids)
    names, chosen = named(groups, ids), representatives(groups, ids)
    for i, group in enumerate(groups):
        assert names[i] == min(ids[groups == group])
    assert sorted(ids[chosen]) == sorted(set(names)) and (np.diff(chosen) > 0).all()

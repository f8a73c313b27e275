"""Units of splits: what stays together, by every kind, whatever the order of the entries."""

from __future__ import annotations

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import write_sharded
from paperlib.crystals.standardise import Sites, crystal_from_sites
from paperlib.datasets.split_units import UNITS, split_units
from paperlib.datasets.splits import grouped_split, leakage
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


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

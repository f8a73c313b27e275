"""Sets on disk: what is read is what was written, lazily, and damage is seen."""

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import ShardedCrystals, finish, is_finished, open_plan, write_shard, write_sharded
from paperlib.crystals.sources import prototype_structures
from paperlib.crystals.synthesis import balanced_space_groups, random_crystals
from paperlib.symmetry.extinction import class_of_space_group

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

COLUMNS = (
    "cell",
    "space_group",
    "standard",
    "site_start",
    "frac",
    "species",
    "occupancy",
    "b_iso",
    "formula",
    "source_id",
)


def assert_same(a, b):
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.fixture(scope="module")
def crystals():
    return random_crystals(balanced_space_groups(230), 3)


@pytest.fixture
def stored(crystals, tmp_path):
    return write_sharded(tmp_path / "set", crystals, {"kind": "test"}, shard_size=50)


def test_what_is_read_is_what_was_written_bit_for_bit(crystals, stored):
    assert len(stored) == 230 and len(stored.about["shards"]) == 5
    assert_same(stored[:], crystals)
    assert_same(CrystalSet.concatenate(stored.shards()), crystals)


def test_real_crystals_are_stored_the_same_way(tmp_path):
    real = prototype_structures().crystals[:60]
    stored = write_sharded(tmp_path, real, {"kind": "prototypes"}, shard_size=25)
    assert_same(stored[:], real)


def test_any_choice_of_crystals_is_that_of_the_whole_set(crystals, stored):
    for choice in (slice(45, 160), slice(10, 12), slice(7, 7), slice(None, None, 7), [200, 3, 3, 77], -1, 49, 50):
        assert_same(stored[choice], crystals[choice])
    mask = crystals.space_group % 9 == 0
    assert_same(stored[mask], crystals[mask])
    with pytest.raises(IndexError, match="crystal 230 of a set of 230"):
        stored[230]


def test_slices_of_a_shard_share_its_memory(stored):
    shard = stored.shard(1)
    assert np.shares_memory(stored[60:90].frac, shard.frac) and np.shares_memory(stored[60:90].cell, shard.cell)


def test_only_the_shards_that_are_asked_for_are_read(stored):
    for name in ("00000.npz", "00003.npz"):
        (stored.folder / name).unlink()
    opened = ShardedCrystals(stored.folder)
    assert len(opened[60:140]) == 80 and len(opened.index) == 230
    with pytest.raises(ValueError, match=r"00003.npz is missing or damaged"):
        opened[150]


def test_the_index_lists_ids_groups_classes_and_formulas(crystals, stored):
    index = stored.index
    assert list(index["id"]) == list(crystals.source_id) and list(index["formula"]) == list(crystals.formula)
    np.testing.assert_array_equal(index["space_group"], crystals.space_group)
    for scheme in ("absences", "published", "crystal_system"):
        np.testing.assert_array_equal(index[f"class_{scheme}"], class_of_space_group(scheme)[crystals.space_group])


def test_random_crystals_take_less_than_half_of_what_floats_would(crystals, stored, tmp_path):
    crystals.save(tmp_path / "plain.npz")
    packed = sum(path.stat().st_size for path in stored.folder.glob("*.npz"))
    assert packed < 0.5 * (tmp_path / "plain.npz").stat().st_size


def test_damage_is_seen_and_named(stored):
    assert stored.damaged() == []
    for name in ("00002.npz", "index.csv"):
        content = bytearray((stored.folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (stored.folder / name).write_bytes(content)
    opened = ShardedCrystals(stored.folder)
    assert opened.damaged() == ["00002.npz", "index.csv"]
    with pytest.raises(ValueError, match=r"00002.npz is missing or damaged \(checksum\)"):
        opened.shard(2)
    with pytest.raises(ValueError, match=r"index.csv was changed or damaged"):
        _ = opened.index
    assert not is_finished(stored.folder, 2) and is_finished(stored.folder, 1)


def test_writing_again_mends_what_is_damaged_and_keeps_the_rest(crystals, stored):
    (stored.folder / "00002.npz").write_bytes(b"nothing")
    kept = (stored.folder / "00001.npz").stat().st_mtime_ns
    assert_same(write_sharded(stored.folder, crystals, {"kind": "test"}, shard_size=50)[:], crystals)
    assert (stored.folder / "00001.npz").stat().st_mtime_ns == kept


def test_another_set_is_not_written_over(crystals, stored):
    with pytest.raises(ValueError, match=r"holds another set of crystals.*shard_size: 50 there, 60 asked for"):
        write_sharded(stored.folder, crystals, {"kind": "test"}, shard_size=60)
    assert stored.damaged() == []


def test_an_unfinished_set_is_refused(crystals, tmp_path):
    open_plan(tmp_path, {"n": 10})
    write_shard(tmp_path, 0, crystals[:10])
    with pytest.raises(FileNotFoundError, match="no finished set"):
        ShardedCrystals(tmp_path)
    assert len(finish(tmp_path, 1)) == 10


def test_empty_sets_and_impossible_sizes(tmp_path, crystals):
    assert len(write_sharded(tmp_path / "none", CrystalSet.empty(), {})) == 0
    with pytest.raises(ValueError, match="shard_size=0"):
        write_sharded(tmp_path / "x", crystals, {}, shard_size=0)

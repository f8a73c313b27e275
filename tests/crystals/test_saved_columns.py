"""Saved sets from anywhere: what cannot be one is named by file, field and value, and no pickle in it is run."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.shards import ShardedCrystals, write_sharded
from paperlib.lab.store import read_json, sha256_of, write_json


class Malicious:
    """A pickle that writes a file when it is read."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.fixture
def arrays(tmp_path, rock_salt_and_diamond):
    rock_salt_and_diamond.save(tmp_path / "whole.npz")
    with np.load(tmp_path / "whole.npz") as archive:
        return dict(archive)


FAULTS = {
    "cell as text": ("cell", lambda a: a.astype(str), "cell holds <U32 such as '5.64.*numbers with a fraction"),
    "cell not finite": ("cell", lambda a: np.where(a > 90.5, np.nan, a) * np.nan, r"cell\[0, 0\] is nan, expected pos"),
    "angle of 180": ("cell", lambda a: np.where(a == 90, 180, a), "angle of 180.0, expected less than 180"),
    "length of nought": ("cell", lambda a: a * [0, 1, 1, 1, 1, 1], r"cell\[0, 0\] is 0.0"),
    "species with fractions": ("species", lambda a: a + 0.5, "species holds float64 such as .*whole numbers"),
    "species as text": ("species", lambda a: a.astype(str), "species holds <U6 such as '11'"),
    "no such species": ("species", lambda a: a + 200, r"species\[0\] is 211, expected species codes from 1 to 119"),
    "group 231": ("space_group", lambda a: a * 0 + 231, r"space_group\[0\] is 231, expected numbers from 1 to 230"),
    "group -5": ("space_group", lambda a: a * 0 - 5, r"space_group\[0\] is -5"),
    "coordinates not finite": ("frac", lambda a: a + np.inf, r"frac\[0, 0\] is inf"),
    "complex coordinates": ("frac", lambda a: a + 1j, "frac holds complex128"),
    "occupancy above 1": ("occupancy", lambda a: a * 1.5, r"occupancy\[0\] is 1.5"),
    "occupancy not a number": ("occupancy", lambda a: a * np.nan, r"occupancy\[0\] is nan"),
    "infinite B": ("b_iso", lambda a: np.full(a.shape, np.inf), r"b_iso\[0\] is inf"),
    "standard as numbers": ("standard", lambda a: a * 3, "standard holds int64 such as 3, expected true or false"),
    "formula as numbers": ("formula", lambda a: np.arange(len(a)), "formula holds int64 such as 0, expected texts"),
    "starts that fall": ("site_start", lambda a: a[::-1], r"site_start must rise from 0"),
    "starts with fractions": ("site_start", lambda a: a * 1.0, "site_start holds float64"),
    "too few starts": ("site_start", lambda a: a[:1], r"site_start has shape \(1,\), expected \(3,\)"),
    "one more axis": ("frac", lambda a: a[None], "frac has shape"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_arrays_that_are_no_crystals_are_named(tmp_path, arrays, fault):
    field, change, said = FAULTS[fault]
    arrays[field] = change(arrays[field])
    np.savez(tmp_path / "set.npz", **arrays)
    with pytest.raises(ValueError, match=rf"set\.npz is not a complete CrystalSet \(.*{said}.*make it again"):
        CrystalSet.load(tmp_path / "set.npz")


def test_whole_numbers_of_another_width_and_unknown_displacements_are_read(tmp_path, arrays):
    arrays["species"], arrays["site_start"] = arrays["species"].astype(np.int64), arrays["site_start"].astype(np.uint8)
    arrays["b_iso"] = np.full(arrays["b_iso"].shape, np.nan)
    np.savez(tmp_path / "set.npz", **arrays)
    read = CrystalSet.load(tmp_path / "set.npz")
    assert read.species.dtype == np.int16 and read.site_start.dtype == np.int64 and np.isnan(read.b_iso).all()


def test_packed_sets_which_may_unpack_to_anything_are_refused(tmp_path, arrays):
    np.savez_compressed(tmp_path / "set.npz", **arrays)
    with pytest.raises(ValueError, match=r"cell\.npy is compressed, which CrystalSet\.save does not do"):
        CrystalSet.load(tmp_path / "set.npz")


def test_a_pickle_is_never_run(tmp_path, arrays):
    target = tmp_path / "owned"
    arrays["formula"] = np.array([Malicious(target)] * 2, dtype=object)
    np.savez(tmp_path / "set.npz", **arrays)
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Malicious(target)))
    for name in ("set.npz", "bare.npz"):
        with pytest.raises(ValueError, match=rf"{name} is not a complete CrystalSet"):
            CrystalSet.load(tmp_path / name)
    assert not target.exists()


def test_a_shard_with_the_right_checksum_and_wrong_arrays_is_named(tmp_path, rock_salt_and_diamond):
    write_sharded(tmp_path / "set", rock_salt_and_diamond, {"kind": "test"})
    shard = tmp_path / "set" / "00000.npz"
    with np.load(shard) as archive:
        arrays = dict(archive)
    np.savez(shard, **arrays | {"species": arrays["species"] + 300})
    about = read_json(tmp_path / "set" / "set.json")
    about["shards"][0]["sha256"] = sha256_of(shard)
    write_json(tmp_path / "set" / "set.json", about)
    with pytest.raises(ValueError, match=r"00000\.npz is not a shard of crystals \(species\[0\] is 311.*again"):
        ShardedCrystals(tmp_path / "set")[:]

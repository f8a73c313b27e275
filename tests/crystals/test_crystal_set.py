"""The struct of arrays: slices, joins, files."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet


def equal(a: CrystalSet, b: CrystalSet) -> bool:
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in fields(CrystalSet)]
    return all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in pairs)  # NaN: a B that is not known


def test_contiguous_slices_share_memory_and_choices_copy(rock_salt_and_diamond):
    crystals = rock_salt_and_diamond
    second = crystals[1]
    assert second.formula.tolist() == ["C"] and second.site_start.tolist() == [0, 8]
    for name in ("frac", "species", "occupancy", "b_iso", "cell"):
        assert np.shares_memory(getattr(second, name), getattr(crystals, name))
    assert not np.shares_memory(crystals[[1]].frac, crystals.frac)
    assert equal(crystals[[1]], second) and equal(crystals[-1:], second) and equal(crystals[-1], second)
    assert equal(crystals[np.array([False, True])], second)


def test_any_order_of_crystals_keeps_their_sites_together(rock_salt_and_diamond):
    turned = rock_salt_and_diamond[::-1]
    assert turned.source_id.tolist() == ["diamond", "salt"]
    assert turned.n_sites.tolist() == [8, 8]
    assert equal(turned[[1, 0]], rock_salt_and_diamond)
    twice = rock_salt_and_diamond[[0, 0]]
    assert np.array_equal(twice[0].frac, twice[1].frac)


def test_concatenation_undoes_slicing(rock_salt_and_diamond):
    crystals = rock_salt_and_diamond
    parts = [crystals[:1], CrystalSet.empty(), crystals[1:]]
    assert equal(CrystalSet.concatenate(parts), crystals)
    assert len(crystals[2:]) == 0 and len(CrystalSet.empty()) == 0
    with pytest.raises(ValueError, match="at least one set"):
        CrystalSet.concatenate([])


def test_an_index_that_does_not_exist_is_an_error(rock_salt_and_diamond):
    for index in (2, -3):
        with pytest.raises(IndexError, match=f"crystal {index} of a set of 2"):
            rock_salt_and_diamond[index]


def test_arrays_that_do_not_fit_together_are_refused(rock_salt_and_diamond):
    crystals = rock_salt_and_diamond
    with pytest.raises(ValueError, match=r"occupancy has shape \(3,\), expected \(16,\)"):
        replace(crystals, occupancy=np.ones(3))
    with pytest.raises(ValueError, match="site_start must rise from 0 to 16"):
        replace(crystals, site_start=np.array([0, 17, 16]))


def test_saved_and_loaded_sets_are_equal_bit_for_bit(tmp_path, rock_salt_and_diamond):
    for crystals in (rock_salt_and_diamond, CrystalSet.empty()):
        crystals.save(tmp_path / "set.npz")
        back = CrystalSet.load(tmp_path / "set.npz")
        assert equal(crystals, back)
        assert all(getattr(back, f.name).dtype == getattr(crystals, f.name).dtype for f in fields(CrystalSet))
    assert [p.name for p in tmp_path.iterdir()] == ["set.npz"]
    with pytest.raises(ValueError, match=r"saved as \.npz"):
        rock_salt_and_diamond.save(tmp_path / "set.dat")


def test_damaged_files_are_named_and_never_read_in_part(tmp_path, rock_salt_and_diamond):
    path = tmp_path / "set.npz"
    rock_salt_and_diamond.save(path)
    whole = path.read_bytes()
    frac = whole.index(rock_salt_and_diamond.frac.tobytes())
    flipped = whole[: frac + 100] + bytes([whole[frac + 100] ^ 1]) + whole[frac + 101 :]
    for damage in (whole[: len(whole) // 2], flipped, b"", b"not an archive"):
        path.write_bytes(damage)
        with pytest.raises(ValueError, match=r"set\.npz is not a complete CrystalSet .*make it again"):
            CrystalSet.load(path)
    np.savez(path, cell=np.zeros((1, 6)))
    with pytest.raises(ValueError, match="not a complete CrystalSet"):
        CrystalSet.load(path)
    with pytest.raises(FileNotFoundError):
        CrystalSet.load(tmp_path / "absent.npz")

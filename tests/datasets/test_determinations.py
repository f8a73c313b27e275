"""Determinations of one crystal: hand-known sizes, symmetry that stays, and families that are one crystal indeed."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from paperlib.crystals.cell_geometry import cell_volume, lattice_of
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.lattice_lengths import lattice_lengths
from paperlib.datasets import determinations as made_by
from paperlib.datasets.alike.fingerprints import fingerprints
from paperlib.datasets.determinations import KINDS, chosen_bases, determinations, displaced, murnaghan
from paperlib.datasets.duplicates import find_duplicates
from paperlib.symmetry.groups import operations
from tests.datasets import planted

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


@functools.cache
def bases():
    """Random crystals of all systems, and rock salt, whose atoms have no freedom."""
    return CrystalSet.concatenate([planted.rock_salt("salt"), planted.bases()[::12]])


@functools.cache
def families(kind):
    return determinations(bases(), 3, size=3, kinds=[kind])


def relatives(kind):
    """Numbers of the first of each family and of each of its other members."""
    family = families(kind).family
    first = np.flatnonzero(np.r_[True, family[1:] != family[:-1]])
    return np.repeat(first, 2), np.setdiff1d(np.arange(len(family)), first)


def test_murnaghan():
    assert murnaghan(0.0, 80.0) == 1
    # 10 GPa on 100 GPa: (1 + 4 / 10) ** (-1/4)
    assert murnaghan(10.0, 100.0) == pytest.approx(0.91932, abs=1e-5)
    # the bulk modulus is -V dP/dV at pressure 0, and grows by the slope
    step = 1e-4
    modulus = [-v * 2 * step / (murnaghan(p + step, 60.0) - murnaghan(p - step, 60.0)) for p, v in
               ((p, murnaghan(p, 60.0)) for p in (0.0, 5.0))]  # fmt: skip
    assert modulus[0] == pytest.approx(60, rel=1e-5) and modulus[1] == pytest.approx(60 + 4 * 5, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_is_whole_and_keeps_formula_and_group(kind):
    found = families(kind)
    assert not found.failed and not found.regrouped.any()
    names, counts = np.unique(found.family, return_counts=True)
    assert set(names) == set(bases().source_id) and np.all(counts == 3) and set(found.kind) == {kind}
    first, others = relatives(kind)
    np.testing.assert_array_equal(found.crystals.formula[first], found.crystals.formula[others])
    assert len(set(found.crystals.source_id.tolist())) == len(found.crystals)


def test_rock_salt_heated_by_500_degrees(monkeypatch):
    """20 · 10⁻⁶ per K, 500 K: one per cent longer; B grows with the temperature."""
    monkeypatch.setattr(made_by, "EXPANSIONS", (2e-5, 2e-5))
    monkeypatch.setattr(made_by, "TEMPERATURES", (800.0, 800.0))
    hot = determinations(bases()[:1], 0, size=2, kinds=["temperature"]).crystals[1]
    np.testing.assert_allclose(hot.cell[0], [5.64 * 1.01] * 3 + [90] * 3)
    np.testing.assert_allclose(hot.b_iso, 0.5 * 800 / 300)
    assert hot.frac.tolist() == pytest.approx(np.round(2 * hot.frac) / 2), "atoms without freedom stay"


def test_rock_salt_under_pressure(monkeypatch):
    monkeypatch.setattr(made_by, "BULK_MODULI", (100.0, 100.0))
    monkeypatch.setattr(made_by, "PRESSURES", (10.0, 10.0))
    pressed = determinations(bases()[:1], 0, size=2, kinds=["pressure"]).crystals[1]
    assert cell_volume(pressed.cell)[0] / 5.64**3 == pytest.approx(0.91932, abs=1e-5)


def test_a_temperature_moves_cells_by_per_cents_at_most():
    first, others = relatives("temperature")
    crystals = families("temperature").crystals
    change = cell_volume(crystals.cell)[others] / cell_volume(crystals.cell)[first] - 1
    # three edges, up to 600 K, up to 4e-5 per K, with angles turning a little
    assert 0.002 < np.abs(change).max() < 3 * 600 * 4e-5 * 1.1
    assert change.max() > 0 > change.min(), "below 300 K crystals are smaller"


def test_pressure_never_makes_a_crystal_larger():
    first, others = relatives("pressure")
    volume = cell_volume(families("pressure").crystals.cell)
    ratio = volume[others] / volume[first]
    assert ratio.max() <= 1 + 1e-9 and ratio.min() > murnaghan(10.0, 30.0) * 0.999


@pytest.mark.parametrize("kind", ["setting", "origin"])
def test_another_setting_or_origin_is_the_same_crystal(kind):
    crystals = families(kind).crystals
    first, others = relatives(kind)
    lengths = np.sort(lattice_lengths(crystals.cell, crystals.space_group.astype(int)), axis=1)
    np.testing.assert_allclose(lengths[first], lengths[others], rtol=1e-5)
    prints = fingerprints(crystals)[:, 0]
    assert (prints[first] * prints[others]).sum(axis=1).min() > 0.99999
    moved = [k for k, (i, j) in enumerate(zip(first, others, strict=True))
             if not np.allclose(crystals[int(i)].frac, crystals[int(j)].frac, atol=1e-3)]  # fmt: skip
    assert len(moved) > len(first) / 2, "most are written down differently even in the standard setting"


def test_displaced_crystals_keep_their_symmetry():
    rng = np.random.default_rng(0)
    for i in range(len(bases())):
        crystal = bases()[i]
        frac = displaced(crystal, rng.normal(0, 0.05, crystal.frac.shape))
        rotations, translations = operations(int(crystal.space_group[0]))
        images = np.einsum("oij,nj->oni", rotations, frac) + translations[:, None]
        difference = images[:, :, None] - frac
        nearest = np.abs(difference - np.rint(difference)).max(axis=3).min(axis=2)
        assert nearest.max() < 1e-6, crystal.source_id[0]


def test_a_site_without_freedom_stays_and_a_general_one_moves_as_wished():
    salt = bases()[0]
    np.testing.assert_allclose(displaced(salt, np.ones(salt.frac.shape)), salt.frac, atol=1e-15)
    one = bases()[1]
    general = replace(one, space_group=np.array([1], dtype=one.space_group.dtype))
    wish = np.random.default_rng(1).normal(0, 0.05, one.frac.shape)
    moved = (displaced(general, wish) - one.frac) @ lattice_of(one.cell[0])
    np.testing.assert_allclose(moved, wish, atol=1e-12)


def test_atoms_of_one_mixed_site_stay_together():
    salt = planted.rock_salt("salt")
    # P1, so that the site is free; sodium and a little potassium at one place
    kept = replace(
        salt, space_group=np.array([1], dtype=np.int16), site_start=np.array([0, 2]), frac=np.full((2, 3), 0.1),
        species=np.array([11, 19], dtype=np.int16), occupancy=np.array([0.9, 0.1]), b_iso=np.zeros(2),
    )  # fmt: skip
    frac = displaced(kept, np.array([[0.1, 0, 0], [0, 0.7, 0]]))
    np.testing.assert_array_equal(frac[0], frac[1])
    assert frac[0, 0] == pytest.approx(0.1 + 0.1 / 5.64)


def test_rules_by_kind():
    """Settings and origins fool no rule; a pressure does what a tolerance of 1 % on cells cannot forgive."""
    wanted = {"setting": 1.0, "origin": 1.0, "refinement": 1.0}
    for kind, share in wanted.items():
        groups = find_duplicates(families(kind).crystals, "pattern")
        first, others = relatives(kind)
        assert (groups[first] == groups[others]).mean() >= share, kind
    first, others = relatives("pressure")
    for rule, kept in (("formula+group", True), ("cell", False)):
        groups = find_duplicates(families("pressure").crystals, rule)
        assert (groups[first] == groups[others]).all() == kept


def test_a_determination_depends_on_its_place_and_number_alone():
    few = determinations(bases()[:7], 3, size=3).crystals
    more = determinations(bases()[:14], 3, size=3).crystals
    np.testing.assert_array_equal(few.cell, more[: len(few)].cell)
    np.testing.assert_array_equal(few.frac, more[: len(few)].frac)
    other = determinations(bases()[:7], 4, size=3).crystals
    assert not np.array_equal(few.cell, other.cell)


def test_kinds_take_turns_and_unknown_ones_are_refused():
    found = determinations(bases()[:7], 0, size=2)
    assert found.kind[::2].tolist() == [*KINDS, KINDS[0]]
    with pytest.raises(ValueError, match="melting"):
        determinations(bases()[:1], 0, kinds=["melting"])


def test_bases_come_in_whole_groups_and_single_ones():
    crystals = bases()
    labels = np.arange(len(crystals))
    labels[1:13] = np.repeat([1, 2, 3, 4, 5, 6], 2)
    chosen = chosen_bases(crystals, labels, 12, seed=1, most_sites=1000)
    assert len(chosen) == 12 and np.all(np.diff(chosen) > 0)
    _, counts = np.unique(labels[chosen], return_counts=True)
    assert sorted(counts.tolist()) == [1] * 6 + [2] * 3, "half of them from groups that are there as a whole"
    assert len(chosen_bases(crystals, labels, 5, seed=1, most_sites=0)) == 0

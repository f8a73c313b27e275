"""Measured patterns on the grid of a network; what is one specimen stays together."""

import numpy as np
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets.known_structures import known_structures, resemblance
from paperlib.datasets.specimens import Specimens, averaged, find_clusters, read_specimens, stand_in
from paperlib.diffraction.baseline import NOT_MEASURED
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.diffraction.simulate import powder_patterns

FINE = np.arange(5.0, 90.0, 0.01)
CRYSTALS = random_crystals([225, 221, 62, 14, 194, 166, 12, 136], 1)
SPOILT = Imperfections(gaussian_noise=(0.001, 0.005), background=(0.0, 0.1), texture=(0.8, 1.25))


def simulated(crystals, seed=0, imperfections=SPOILT):
    return powder_patterns(crystals, MINERAL_INSTRUMENT, seed=seed, imperfections=imperfections).numpy()


def test_a_finer_grid_is_averaged_around_each_point():
    pattern = averaged(FINE, np.cos(FINE / 9)[None] + 2, MINERAL_INSTRUMENT)[0]
    expected = np.cos(MINERAL_INSTRUMENT.grid() / 9) + 2
    assert np.allclose(pattern, expected / expected.max(), atol=1e-3) and pattern.max() == 1


def test_noise_falls_by_the_root_of_the_points():
    noise = np.random.default_rng(0).normal(0.0, 0.1, (4, len(FINE)))
    pattern = averaged(FINE, 1 + noise, MINERAL_INSTRUMENT)
    assert pattern.std() / pattern.mean() == pytest.approx(0.05, rel=0.1)


def test_what_is_missing_is_not_measured():
    values = np.ones((1, len(FINE)))
    values[0, FINE < 10] = np.nan
    pattern = averaged(FINE, values, MINERAL_INSTRUMENT)[0]
    grid = MINERAL_INSTRUMENT.grid()
    assert (pattern[grid < 9.95] == NOT_MEASURED).all() and (pattern[grid > 10.05] == 1).all()


@pytest.mark.parametrize(
    ("values", "message"), [(np.zeros(len(FINE)), "nowhere above 0"), (np.where(FINE > 60, 1.0, np.nan), "only 35 %")]
)
def test_a_pattern_that_cannot_be_read_is_named(values, message):
    with pytest.raises(ValueError, match=rf"file: .*(pattern 1|of pattern 1).*{message}"):
        averaged(FINE, np.stack([np.ones(len(FINE)), values]), MINERAL_INSTRUMENT, "file")


def test_near_copies_are_one_cluster_and_different_crystals_are_not():
    twice = np.concatenate([simulated(CRYSTALS, 0), simulated(CRYSTALS, 1)])
    clusters = find_clusters(twice, np.full(len(twice), ""), MINERAL_INSTRUMENT)
    assert np.array_equal(clusters[:8], clusters[8:]) and len(set(clusters.tolist())) == 8


def test_a_common_name_makes_one_cluster():
    names = np.array(["quartz", "", "quartz", "", "", "", "", ""])
    clusters = find_clusters(simulated(CRYSTALS), names, MINERAL_INSTRUMENT)
    assert clusters[0] == clusters[2] and len(set(clusters.tolist())) == 7


def test_folds_keep_clusters_whole_and_are_even():
    n = 200
    clusters = np.random.default_rng(0).integers(0, 120, n)
    groups = np.random.default_rng(1).choice([14, 62, 225, 2], n)
    text = np.full(n, "")
    made = Specimens(np.zeros((n, 3), np.float32), groups, text, text, clusters, MINERAL_INSTRUMENT, "")
    folds = made.folds(5)
    assert all(len(set(folds[clusters == c])) == 1 for c in clusters)
    assert np.bincount(folds).min() >= 35 and np.bincount(folds).max() <= 45
    assert not np.array_equal(made.folds(5, seed=1), folds)


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_files_are_read_in_order_with_names_where_there_are_some(tmp_path):
    one = saved(tmp_path / "a.npz", two_theta=FINE, intensity=np.ones((2, len(FINE))), space_group=[225, 14])
    two = saved(
        tmp_path / "b.npz",
        two_theta=FINE,
        intensity=np.ones((1, len(FINE))),
        space_group=[62],
        name=["x"],
        formula=["C"],
    )
    read = read_specimens([one, two], MINERAL_INSTRUMENT)
    assert read.space_group.tolist() == [225, 14, 62] and read.name.tolist() == ["", "", "x"]
    assert read.recipe(np.array([0, 1])) != read.recipe(np.array([1, 0]))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"intensity": np.ones((1, 9)), "space_group": [1]}, "no array 'two_theta'"),
        ({"two_theta": FINE, "intensity": np.ones((1, 9)), "space_group": [1]}, "not \\(space groups, angles\\)"),
        ({"two_theta": FINE[::-1], "intensity": np.ones((1, len(FINE))), "space_group": [1]}, "must rise"),
        ({"two_theta": FINE[::20], "intensity": np.ones((1, len(FINE[::20]))), "space_group": [1]}, "steps of at most"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, arrays, message):
    path = saved(tmp_path / "odd.npz", **arrays)
    with pytest.raises(ValueError, match=rf"odd\.npz.*{message}"):
        read_specimens([path], MINERAL_INSTRUMENT)


def test_a_crystal_is_known_by_its_stretched_pattern_or_by_formula_and_group():
    clean = powder_patterns(CRYSTALS, MINERAL_INSTRUMENT).numpy()
    larger = CRYSTALS[:4]
    larger.cell[:, :3] *= 1.015
    measured = stand_in(CRYSTALS, MINERAL_INSTRUMENT)
    text = np.full(4, "")
    shown = Specimens(simulated(larger), measured.space_group[:4], text, text, np.arange(4), MINERAL_INSTRUMENT, "")
    alike = resemblance(clean, shown.patterns, MINERAL_INSTRUMENT)
    assert np.array_equal(alike.argmax(0), np.arange(4))
    known, seen = known_structures(clean, CRYSTALS, shown)
    assert np.array_equal(known, np.arange(8) < 4) and seen.all()
    text = CRYSTALS.formula[4:5].astype(str)
    flat = Specimens(np.ones((1, 2125), np.float32), np.array([194]), text, text, np.zeros(1), MINERAL_INSTRUMENT, "")
    known, _ = known_structures(clean, CRYSTALS, flat)
    assert np.flatnonzero(known).tolist() == [4], "an isotypic pattern may be anything; formula and group are enough"

"""Cells of another shape: symmetry, volume and atoms stay, for every crystal system."""

import numpy as np
import pytest

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.crystals.other_shape import other_shape
from paperlib.crystals.sources import load_crystals
from paperlib.symmetry.groups import conforming_cell, crystal_system


@pytest.fixture(scope="module")
def crystals():
    return load_crystals("prototypes").crystals


def test_space_group_volume_and_atoms_stay(crystals):
    changed = other_shape(crystals, 0.1, seed=3)
    assert np.allclose(cell_volume(changed.cell), cell_volume(crystals.cell), rtol=1e-12)
    assert np.array_equal(changed.frac, crystals.frac) and np.array_equal(changed.cell[:, 3:], crystals.cell[:, 3:])
    assert np.all(conforming_cell(changed.space_group.astype(np.int64), changed.cell))


def test_every_cell_that_has_a_shape_gets_another_within_the_limits(crystals):
    systems = np.array([crystal_system(int(g)) for g in crystals.space_group])
    factor = other_shape(crystals, 0.1, seed=3).cell[:, :3] / crystals.cell[:, :3]
    cubic = systems == "cubic"
    assert cubic.any() and np.allclose(factor[cubic], 1, rtol=1e-12)
    assert (np.ptp(factor[~cubic], axis=1) > 1e-6).all()
    assert (factor.max(1) / factor.min(1) <= 1.1**2 + 1e-12).all()
    assert (
        np.ptp(factor[systems == "tetragonal"][:, :2], axis=1).max() < 1e-12 < np.ptp(factor[systems == "orthorhombic"])
    )


def test_items_are_drawn_one_by_one_and_repeat(crystals):
    whole = other_shape(crystals, 0.1, seed=3).cell
    assert np.array_equal(other_shape(crystals[:5], 0.1, seed=3).cell, whole[:5])
    assert not np.array_equal(other_shape(crystals, 0.1, seed=4).cell, whole)
    with pytest.raises(ValueError, match="change=0"):
        other_shape(crystals, 0, seed=3)

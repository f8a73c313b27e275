"""Volumes of cells; the rest of the geometry is tested where it is used."""

import numpy as np
import pytest
from pymatgen.core import Lattice

from paperlib.crystals.cell_geometry import cell_volume


def test_volumes_are_determinants():
    lattices = np.random.default_rng(1).uniform(1, 9, (4, 25, 3, 3))
    cells = np.array([Lattice(lattice).parameters for lattice in lattices.reshape(-1, 3, 3)]).reshape(4, 25, 6)
    np.testing.assert_allclose(cell_volume(cells), np.abs(np.linalg.det(lattices)), rtol=1e-6)
    assert cell_volume(cells[0, 0]) == cell_volume(cells)[0, 0], "one cell, or any number of them"


@pytest.mark.parametrize(
    "cell",
    [
        (5, 5, 5, 150, 20, 20),
        (5, 5, 0, 90, 90, 90),
        (-5, -5, 5, 90, 90, 90),
        (5, 5, np.nan, 90, 90, 90),
        (5, 5, 5, 90, 90, np.nan),
        (5, 5, 5, 90, 90, 270),
    ],
)
def test_a_cell_that_does_not_exist_has_no_volume(cell):
    found = cell_volume(np.array([(2, 3, 4, 90, 90, 90), cell], float))
    assert found[0] == pytest.approx(24) and np.isnan(found[1])

"""Limits that no real entry passes, in every setting of the cell."""

import re

import numpy as np
import pytest
import spglib

from paperlib.crystals.reading import plausible
from paperlib.crystals.reading.plausible import check
from paperlib.crystals.standardise import BadCrystalError, Sites

CUBE = 4.0 * np.eye(3)


def sites(lattice, *atoms):
    """Sites of (species code, occupancy, x, y, z)."""
    return Sites("it", np.array(lattice), np.array([a[2:] for a in atoms]), [{a[0]: a[1]} for a in atoms])


def reason(crystal) -> str:
    with pytest.raises(BadCrystalError) as caught:
        check(crystal)
    return f"{caught.value.reason}: {caught.value.detail}"


@pytest.mark.parametrize(
    ("crystal", "said"),
    [
        (sites(0.1 * CUBE, (11, 1, 0, 0, 0)), r"cell out of proportion: edges 0.4, 0.4, 0.4 Å, 0.064 Å³.*in Å"),
        (sites(100 * CUBE, (11, 1, 0, 0, 0)), r"cell out of proportion: edges 400.*6.4e\+07 Å³"),
        (sites(np.diag([0.5, 8, 8]), (11, 1, 0, 0, 0)), "cell out of proportion: edges 0.5, 8, 8"),
        (sites(CUBE, *[(11, 1, x, y, z) for x, y, z in np.ndindex(5, 5, 5)]), "cell out of proportion: .*0.512 Å³"),
        (sites(CUBE, (11, 1e-3, 0, 0, 0)), r"cell out of proportion: .*0\.001 atoms"),
        (sites(CUBE, (11, 1, 1e17, 0, 0)), r"coordinates out of range: 1e\+17"),
        (sites(CUBE, (11, 1, 0, 0, 0), (17, 1, 0, 2, -1e300)), r"coordinates out of range: -1e\+300"),
        (sites(CUBE, (11, 1, 0, 0, 0), (17, 1, 0.0075, 0, 0)), r"Na \(site 0\) and Cl \(site 1\) are 0.030 Å apart"),
        (sites(CUBE, (11, 1, 0.001, 0, 0), (17, 1, 0.999, 0, 0)), "atoms too close: .* 0.008 Å"),
        (sites(CUBE, (11, 1, 0.01, 0.99, 7), (17, 0.5, 0.99, 0.01, 0)), r"Cl 0.5 \(site 1\) are 0.113 Å"),
    ],
)
def test_what_no_crystal_is_is_said_with_the_values(crystal, said):
    assert re.search(said, reason(crystal))


@pytest.mark.parametrize(
    "crystal",
    [
        sites(CUBE, (56, 1, 0, 0, 0), *[(22, 0.125, 0.5 + 0.02 * a, 0.5 + 0.02 * b, 0.5 + 0.02 * c)
              for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]),  # titanium split over eight places
        sites(CUBE, (8, 0.5, 0, 0, 0), (8, 0.5, 0.05, 0, 0)),
        sites(CUBE, (8, 1, 0, 0, 0), (1, 1, 0.15, 0, 0), (1, 1, -0.15, 0, 0)),
        sites(CUBE, (8, 1, -3, 5, 0)),
    ],
)  # fmt: skip
def test_split_sites_hydrogens_and_atoms_outside_the_cell_are_read(crystal):
    check(crystal)


def test_close_atoms_are_found_however_slanted_the_cell_is():
    rng = np.random.default_rng(5)
    for _ in range(40):
        lattice = np.diag(rng.uniform(3, 6, 3))
        first = rng.random(3)
        apart = rng.normal(size=3)
        apart *= rng.uniform(0.05, 0.39) / np.linalg.norm(apart)
        second = first + apart @ np.linalg.inv(lattice)
        shear = np.array([[1, 0, 0], [rng.integers(-9, 9), 1, 0], [rng.integers(-9, 9), rng.integers(-9, 9), 1]])
        slanted = shear @ lattice
        frac = np.array([first, second]) @ np.linalg.inv(shear)
        assert np.allclose(np.abs(np.linalg.det(spglib.niggli_reduce(slanted))), np.linalg.det(lattice))
        crystal = Sites("it", slanted, frac, [{11: 1.0}, {17: 1.0}])
        flat = np.linalg.det(slanted) <= 1e-3 * np.prod(np.linalg.norm(slanted, axis=1))
        if flat:
            check(crystal)  # the standardisation refuses it
        else:
            assert f"{np.linalg.norm(apart):.3f} Å" in reason(crystal)


def test_large_cells_are_refused_before_anything_is_computed():
    n = plausible.MAX_SITES + 1
    frac = np.zeros((n, 3))
    assert reason(Sites("it", 60 * np.eye(3), frac, [{6: 1.0}] * n)).startswith("cell too large: 4,001 sites")


def test_what_the_standardisation_refuses_is_left_to_it():
    for lattice, frac in (
        (np.zeros((3, 3)), [[0, 0, 0]]),
        (np.eye(2), [[0, 0, 0]]),
        (np.diag([1e300] * 3), [[0, 0, 0]]),
        (CUBE, [[np.nan, 0, 0]]),
        (CUBE, [[0, 0]]),
    ):
        check(Sites("it", np.array(lattice), np.array(frac), [{6: 1.0}]))

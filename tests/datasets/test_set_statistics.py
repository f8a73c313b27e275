"""Statistics of sets: hand-known crystals, and brute force where a search takes a short cut."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets.set_statistics import (
    QUANTITIES,
    at_most_per_group,
    closest_pairs,
    distribution_distance,
    found_space_groups,
    relative_multiplicities,
    shape_table,
)

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


def structure(name, group, lattice, species, points):
    made = Structure.from_spacegroup(group, lattice, species, points)
    made.properties["source_id"] = name
    return made


@pytest.fixture(scope="module")
def known():
    salt = structure("salt", "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    rutile = structure(
        "rutile", "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0] * 3, [0.305, 0.305, 0]]
    )
    return CrystalSet.from_structures([salt, rutile])


def test_shapes_of_rock_salt_and_rutile(known):
    table = shape_table(known)
    assert list(table.space_group) == [225, 136] and set(QUANTITIES) < set(table.columns)
    np.testing.assert_allclose(table.volume, [5.64**3, 4.594**2 * 2.959])
    np.testing.assert_allclose(table.volume_per_atom, [5.64**3 / 8, 4.594**2 * 2.959 / 6])
    np.testing.assert_allclose(table.edge_ratio, [1, 4.594 / 2.959])
    assert list(table.atoms) == [8, 6] and list(table.positions) == [2, 2]
    # rutile: from Ti at the centre of the cell to the O of the neighbouring layers
    np.testing.assert_allclose(table.shortest_distance, [2.82, np.hypot(0.195 * np.sqrt(2) * 4.594, 2.959 / 2)])
    # of rock salt to 90 degrees: h, k, l all even or all odd, 3 <= h² + k² + l² <= 26
    lines = {
        tuple(sorted(map(abs, hkl)))
        for hkl in np.ndindex(6, 6, 6)
        if len({i % 2 for i in hkl}) == 1
        and 3 <= sum(i * i for i in hkl) <= (2 * 5.64 * np.sin(np.pi / 4) / 1.5418) ** 2
    }
    assert table.reflections[0] == len(lines)


def test_multiplicities_relative_to_the_general_position(known):
    np.testing.assert_allclose(sorted(relative_multiplicities(known)), [4 / 192, 4 / 192, 2 / 16, 4 / 16])


def test_closest_pairs_are_those_of_a_search_over_all_images():
    crystals = random_crystals([1, 2, 14, 62, 136, 166, 194, 227], 3, atoms_per_lattice_point=(4, 10))
    images = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), -1).reshape(-1, 3)
    shortest, too_close = closest_pairs(crystals)
    for i in range(len(crystals)):
        lattice = Lattice.from_parameters(*crystals[i].cell[0]).matrix
        between = crystals[i].frac[:, None] - crystals[i].frac
        away = np.linalg.norm((between[:, :, None] - np.round(between)[:, :, None] + images) @ lattice, axis=-1)
        assert shortest[i] == pytest.approx(away[away > 1e-6].min(), abs=1e-6)
    assert not too_close.any(), "the generator keeps the distances"


def test_atoms_that_are_too_close_are_found(known):
    squeezed = CrystalSet(**{**vars(known), "cell": known.cell * [0.4, 0.4, 0.4, 1, 1, 1]})
    assert not closest_pairs(known)[1].any() and closest_pairs(squeezed)[1].all()


def test_space_groups_are_found_and_disorder_is_refused(known):
    np.testing.assert_array_equal(found_space_groups(known, 0.01), [225, 136])
    half = CrystalSet(**{**vars(known), "occupancy": known.occupancy * 0.5})
    with pytest.raises(ValueError, match=r"salt has an occupancy of 0\.500"):
        found_space_groups(half, 0.01)


def test_distances_of_known_distributions():
    steps = np.arange(1000) / 1000
    assert distribution_distance(steps, steps)["distance"] == 0
    assert distribution_distance(steps, steps + 2)["distance"] == 1
    shifted = distribution_distance(np.append(steps, np.nan), steps + 0.25)
    assert shifted["distance"] == pytest.approx(0.25, abs=2e-3) and shifted["n_a"] == 1000
    assert shifted["median_b"] - shifted["median_a"] == pytest.approx(0.25)
    with pytest.raises(ValueError, match="0 and 1000"):
        distribution_distance(np.full(3, np.nan), steps)


def test_equal_samples_exceed_the_noise_once_in_twenty_times():
    generator = np.random.default_rng(0)
    found = [distribution_distance(generator.random(200), generator.random(300)) for _ in range(400)]
    assert 0.02 < np.mean([f["distance"] > f["noise"] for f in found]) < 0.07


def test_no_group_has_more_than_its_share():
    crystals = random_crystals([2] * 7 + [225] * 2 + [14], 0, atoms_per_lattice_point=(4, 6))
    chosen = at_most_per_group(crystals, 3)
    assert list(crystals.space_group[chosen]) == [2, 2, 2, 225, 225, 14]
    assert list(chosen[:3]) == [0, 2, 4]
    with pytest.raises(ValueError, match="most=0"):
        at_most_per_group(crystals, 0)

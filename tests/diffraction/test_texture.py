import dataclasses

import numpy as np
import pytest
import torch

from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.texture import march_dollase, texture_factors


def _factors(crystals, r, axis, dtype=torch.float64):
    lines = powder_reflections(crystals, CU_KALPHA, dtype=dtype)
    n = len(crystals)
    r, axis = torch.full((n,), r, dtype=torch.float64), torch.tensor([axis] * n)
    return lines, texture_factors(lines, crystals, r, axis)


def _family_sums(lines, weight):
    """Position and Σ intensity of lines closer than 1e-6 degrees."""
    order = torch.argsort(lines.two_theta)
    two_theta, weight = lines.two_theta[order].numpy(), weight[order].numpy()
    cluster = np.concatenate([[0], np.cumsum(np.diff(two_theta) > 1e-6)])
    return np.bincount(cluster, two_theta) / np.bincount(cluster), np.bincount(cluster, weight)


@pytest.mark.parametrize("r", [0.2, 0.7, 1.0, 1.6, 5.0])
def test_mean_over_all_directions_is_one(r):
    # ∫ P dΩ / 4π = ∫_0^1 P d(cos α), by Gauss's rule
    x, weight = np.polynomial.legendre.leggauss(400)
    p = march_dollase(torch.from_numpy(((x + 1) / 2) ** 2), r).numpy()
    assert float(np.sum(weight / 2 * p)) == pytest.approx(1, rel=1e-9)


def test_values_at_both_ends():
    assert float(march_dollase(torch.tensor(1.0), 0.5)) == pytest.approx(8)
    assert float(march_dollase(torch.tensor(0.0), 0.5)) == pytest.approx(0.5**1.5)


def test_platelets_that_lie_flat_raise_00l(build):
    """A tetragonal cell with axis 001: α = 0 for 00l and 90° for hk0, by hand."""
    crystal = build(
        {"cell": [4, 4, 6, 90, 90, 90], "frac": [[0, 0, 0]], "species": [26], "space_group": 123, "standard": True}
    )
    lines, factor = _factors(crystal, 0.6, (0, 0, 1))
    h, k, l = lines.hkl.T  # noqa: E741
    assert factor[(h == 0) & (k == 0)].numpy() == pytest.approx(0.6**-3)
    assert factor[l == 0].numpy() == pytest.approx(0.6**1.5)
    # 101: tan α = (1/4) / (1/6)
    cosine_squared = 1 / (1 + 1.5**2)
    expected = (0.36 * cosine_squared + (1 - cosine_squared) / 0.6) ** -1.5
    assert factor[(h == 1) & (k == 0) & (l == 1)].numpy() == pytest.approx(expected)


def test_a_family_is_averaged(build, halite):
    """With axis 001 of a cubic crystal, one of the three pairs of 200 lies along it and two across."""
    lines, factor = _factors(build(halite), 0.5, (0, 0, 1))
    of_200 = (lines.hkl == torch.tensor([2, 0, 0])).all(1)
    assert factor[of_200].numpy() == pytest.approx((8 + 2 * 0.5**1.5) / 3)
    of_111 = (lines.hkl == torch.tensor([1, 1, 1])).all(1)
    assert factor[of_111].numpy() == pytest.approx((0.25 / 3 + 2 / 3 / 0.5) ** -1.5)


def test_r_of_one_changes_nothing(build, symmetric):
    rng = np.random.default_rng(1)
    crystals = build(*(symmetric(number, rng) | {"occupancy": 0.3} for number in range(1, 231, 10)))
    _, factor = _factors(crystals, 1.0, (1, 1, 0))
    assert factor.numpy() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("number", [2, 14, 15, 62, 88, 141, 148, 152, 160, 166, 176, 194, 205, 227])
@pytest.mark.parametrize("axis", [(0, 0, 1), (1, -1, 0), (1, 0, 2)])
def test_families_agree_with_all_their_members(build, symmetric, number, axis):
    """The same crystal without its symmetry: every member of a family has a line and a weight of its own."""
    crystal = symmetric(number, np.random.default_rng(number)) | {"occupancy": 0.3}
    both = build(crystal, crystal | {"standard": False, "space_group": 1})
    lines, factor = _factors(both, 0.55, axis)
    of_second = lines.crystal == 1
    weight = lines.intensity * factor
    first, second = (
        _family_sums(dataclasses.replace(lines, two_theta=lines.two_theta[rows]), weight[rows])
        for rows in (~of_second, of_second)
    )
    keep = first[1] > 1e-9 * first[1].max()
    there = np.searchsorted(second[0], first[0][keep] - 1e-5)
    assert second[0][there] == pytest.approx(first[0][keep], abs=1e-5)
    assert second[1][there] == pytest.approx(first[1][keep], rel=1e-6, abs=1e-9 * first[1].max())


def test_another_cell_of_the_same_lattice(build, triclinic):
    """a' = a, b' = a + b, c' = c: indices h' = h, k' = h + k, l' = l for reflections and axis alike."""
    turn = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]])
    a, b, c, alpha, beta, gamma = triclinic["cell"]
    angles = np.radians([alpha, beta, gamma])
    metric = np.array(
        [
            [a * a, a * b * np.cos(angles[2]), a * c * np.cos(angles[1])],
            [a * b * np.cos(angles[2]), b * b, b * c * np.cos(angles[0])],
            [a * c * np.cos(angles[1]), b * c * np.cos(angles[0]), c * c],
        ]
    )
    metric = turn @ metric @ turn.T
    edges = np.sqrt(np.diag(metric))
    cosine = [metric[i, j] / edges[i] / edges[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    other = triclinic | {
        "cell": [*edges, *np.degrees(np.arccos(cosine))],
        "frac": triclinic["frac"] @ np.linalg.inv(turn),
    }
    axis = np.array([1, 1, 1])
    crystals = build(triclinic, other)
    lines = powder_reflections(crystals, CU_KALPHA)
    factor = texture_factors(
        lines, crystals, torch.full((2,), 0.7, dtype=torch.float64), torch.tensor(np.stack([axis, turn @ axis]))
    )
    # two independent families may share a spacing; sorted lists of (spacing, weight) agree all the same
    first, second = (
        _family_sums(dataclasses.replace(lines, two_theta=lines.two_theta[rows]), (lines.intensity * factor)[rows])
        for rows in (lines.crystal == 0, lines.crystal == 1)
    )
    assert first[0] == pytest.approx(second[0], abs=1e-6)
    assert first[1] == pytest.approx(second[1], rel=1e-6)


def test_single_precision_blocks_and_mixtures_of_laue_classes(build, symmetric, triclinic):
    rng = np.random.default_rng(2)
    others = (symmetric(number, rng) | {"occupancy": 0.3} for number in (225, 2, 62, 148, 227, 15))
    crystals = build(triclinic, *others)
    lines, factor = _factors(crystals, 0.5, (1, 0, 0))
    r, axis = torch.full((7,), 0.5, dtype=torch.float64), torch.tensor([[1, 0, 0]] * 7)
    small = texture_factors(lines, crystals, r, axis, memory_budget=2000)
    assert small.numpy() == pytest.approx(factor.numpy(), rel=1e-12)
    single = dataclasses.replace(lines, intensity=lines.intensity.to(torch.float32))
    assert texture_factors(single, crystals, r, axis).numpy() == pytest.approx(factor.numpy(), rel=1e-5)

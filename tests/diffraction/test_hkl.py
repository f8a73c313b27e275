import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.diffraction.absences import N_CODES, oriented_laue_class, present_codes
from paperlib.diffraction.hkl import boxes, candidates, in_asymmetric_unit, reflection_table
from paperlib.symmetry import groups

CUBE = np.indices((7, 7, 7)).reshape(3, -1).T - 3
CUBE = CUBE[CUBE.any(axis=1)]
FIRST = np.array([0])
EVERYTHING = np.ones((1, N_CODES), dtype=bool)


@pytest.mark.parametrize("number", [1, 3, 16, 75, 89, 143, 146, 149, 150, 157, 162, 164, 166, 168, 177, 195, 207])
def test_every_reflection_has_one_equivalent_in_the_asymmetric_unit(number):
    orbits = np.einsum("ri,mij->rmj", CUBE, groups.laue_rotations(number).astype(int))
    laue = oriented_laue_class(number)
    for orbit in orbits:
        members = np.unique(orbit, axis=0)
        assert in_asymmetric_unit(laue, members).sum() == 1


def test_multiplicities_of_the_cubic_lattices_by_hand():
    table = reflection_table("m-3m", (4, 4, 4))
    found = {tuple(sorted(map(abs, x))): int(m) for x, m in zip(table.hkl.tolist(), table.multiplicity, strict=True)}
    assert found[(1, 1, 1)] == 8
    assert found[(0, 0, 2)] == 6
    assert found[(0, 2, 2)] == 12
    assert found[(1, 1, 3)] == 24
    assert found[(0, 2, 4)] == 24
    assert found[(1, 2, 3)] == 48


def test_tables_fill_their_box():
    """Each reflection of a sphere inside the box is the equivalent of just one in the table, for every class."""
    sphere = CUBE[np.sum(CUBE**2, axis=1) <= 9]
    for number in (2, 10, 47, 83, 123, 147, 162, 164, 175, 191, 200, 221):
        table = reflection_table(oriented_laue_class(number), (6, 6, 6))
        rotations = groups.laue_rotations(number).astype(int)
        held = {tuple(x) for x in table.hkl.tolist()}
        for hkl in sphere:
            orbit = {tuple(x) for x in (hkl @ rotations).tolist()}
            (representative,) = orbit & held
            row = np.flatnonzero(np.all(table.hkl == representative, axis=1))
            assert table.multiplicity[row].tolist() == [len(orbit)]


@settings(max_examples=40, deadline=None)
@given(
    edges=st.tuples(*[st.floats(2.0, 12.0)] * 3),
    angles=st.tuples(*[st.floats(65.0, 115.0)] * 3),
    low=st.floats(0.05, 0.3),
)
def test_candidates_are_all_reflections_of_the_shell(edges, angles, low):
    """Against the vectors h a* + k b* + l c* of a box twice as large, one by one."""
    high = low + 0.25
    cell = np.array([[*edges, *angles]])
    lattice = _vectors(cell[0])
    if lattice is None:
        return
    table = reflection_table("-1", tuple(int(x) for x in boxes(cell, high)[0]))
    found = candidates([table], FIRST, EVERYTHING, FIRST, cell, (low, high), "cpu")
    reach = (2 * np.array(edges) * high).astype(int) + 1
    every = np.indices(2 * reach + 1).reshape(3, -1).T - reach
    length = np.linalg.norm(every @ np.linalg.inv(lattice).T, axis=1)
    expected = np.sort(length[(length >= low) & (length <= high)])
    ours = np.sort(np.repeat(found.inverse_d_squared.sqrt().numpy(), found.multiplicity.numpy()))
    assert len(ours) == len(expected)
    assert np.allclose(ours, expected, rtol=1e-10)


def _vectors(cell):
    """Rows a, b, c; None where the angles enclose nothing."""
    a, b, c = cell[:3]
    cos_a, cos_b, cos_g = np.cos(np.radians(cell[3:]))
    sin_g = np.sin(np.radians(cell[5]))
    y = (cos_a - cos_b * cos_g) / sin_g
    z_squared = 1 - cos_b**2 - y**2
    if z_squared < 0.05:
        return None
    return np.array([[a, 0, 0], [b * cos_g, b * sin_g, 0], [c * cos_b, c * y, c * z_squared**0.5]])


def test_several_crystals_share_a_table():
    """Two cells and two groups, primitive and face-centred, on one table."""
    cell = np.array([[4.0, 4, 4, 90, 90, 90], [4.1, 4.1, 4.1, 90, 90, 90]])
    table = reflection_table("m-3m", (5, 5, 5))
    present = np.stack([present_codes(221, "m-3m"), present_codes(225, "m-3m")])
    both = candidates([table], np.array([0, 0]), present, np.array([0, 1]), cell, (0.0, 0.9), "cpu")
    for i in range(2):
        alone = candidates([table], FIRST, present[i : i + 1], FIRST, cell[i : i + 1], (0.0, 0.9), "cpu")
        assert torch.equal(both.inverse_d_squared[both.crystal == i], alone.inverse_d_squared)
        assert torch.equal(both.hkl[both.crystal == i], alone.hkl)
    mixed = both.hkl[both.crystal == 1] % 2
    assert torch.all((mixed == mixed[:, :1]).all(dim=1))
    assert not torch.all((both.hkl[both.crystal == 0] % 2 == 0).any(dim=1))


def test_endless_cells_are_refused():
    with pytest.raises(ValueError, match=r"900 Å.*up to 1170"):
        boxes(np.array([[900.0, 4, 4, 90, 90, 90]]), 1.3)

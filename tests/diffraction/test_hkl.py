import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.diffraction.hkl import boxes, candidates, in_asymmetric_unit, oriented_laue_class, reflection_table
from paperlib.symmetry import groups

CUBE = np.indices((7, 7, 7)).reshape(3, -1).T - 3
CUBE = CUBE[CUBE.any(axis=1)]


@pytest.mark.parametrize("number", [1, 3, 16, 75, 89, 143, 146, 149, 150, 157, 162, 164, 166, 168, 177, 195, 207])
def test_every_reflection_has_one_equivalent_in_the_asymmetric_unit(number):
    orbits = np.einsum("ri,mij->rmj", CUBE, groups.laue_rotations(number).astype(int))
    laue = oriented_laue_class(number)
    for orbit in orbits:
        members = np.unique(orbit, axis=0)
        assert in_asymmetric_unit(laue, members).sum() == 1


def test_orientations_of_the_trigonal_classes():
    """International Tables A: P312, P31m and P-31m against P321, P3m1 and P-3m1; R groups have the axes of -3m1."""
    first = {number: oriented_laue_class(number) for number in (149, 151, 153, 157, 159, 162, 163)}
    second = {number: oriented_laue_class(number) for number in (150, 152, 154, 155, 156, 158, 160, 161, 164, 167)}
    assert set(first.values()) == {"-31m"}
    assert set(second.values()) == {"-3m1"}


@pytest.mark.parametrize("number", range(1, 231, 3))
def test_tables_hold_each_present_orbit_once_with_its_size(number):
    """Against orbits built one by one; absences against gemmi, which knows them by its own code."""
    import gemmi

    table = reflection_table(number, (3, 3, 3))
    rotations = groups.laue_rotations(number).astype(int)
    rotations_24, translations = groups.operations(number)
    triplets = [gemmi.Op(_triplet(r, t)) for r, t in zip(rotations_24.tolist(), translations.tolist(), strict=True)]
    operations = gemmi.GroupOps(triplets)
    expected = {}
    for hkl in CUBE:
        if not operations.is_systematically_absent([int(x) for x in hkl]):
            orbit = {tuple(x) for x in (hkl @ rotations).tolist()}
            expected[frozenset(orbit)] = len(orbit)
    ours = {}
    for hkl, multiplicity in zip(table.hkl.astype(int), table.multiplicity, strict=True):
        ours[frozenset(tuple(x) for x in (hkl @ rotations).tolist())] = int(multiplicity)
    assert len(ours) == len(table.hkl)
    # Trigonal orbits can leave the cube; those whose representative does are in a larger table.
    inside = {orbit: size for orbit, size in expected.items() if np.abs(list(orbit)).max() <= 3}
    assert {orbit: ours.get(orbit) for orbit in inside} == inside
    assert all(expected.get(orbit) == size for orbit, size in ours.items())


def _triplet(rotation, translation):
    rows = []
    for row, shift in zip(rotation, translation, strict=True):
        terms = "".join(f"{'+' if x > 0 else '-'}{name}" for x, name in zip(row, "xyz", strict=True) if x)
        rows.append(f"{terms}+{round(shift * 24)}/24")
    return ",".join(rows)


def test_multiplicities_of_the_cubic_lattices_by_hand():
    table = reflection_table(225, (4, 4, 4))
    found = {tuple(sorted(map(abs, x))): int(m) for x, m in zip(table.hkl.tolist(), table.multiplicity, strict=True)}
    assert found[(1, 1, 1)] == 8
    assert found[(0, 0, 2)] == 6
    assert found[(0, 2, 2)] == 12
    assert found[(1, 1, 3)] == 24
    assert found[(0, 2, 4)] == 24
    assert (0, 1, 1) not in found


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
    found = candidates(
        [reflection_table(1, tuple(int(x) for x in boxes(cell, high)[0]))], np.array([0]), cell, (low, high), "cpu"
    )
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
    cell = np.array([[4.0, 4, 4, 90, 90, 90], [4.1, 4.1, 4.1, 90, 90, 90]])
    table = reflection_table(221, (5, 5, 5))
    both = candidates([table], np.array([0, 0]), cell, (0.0, 0.9), "cpu")
    for i in range(2):
        alone = candidates([table], np.array([0]), cell[i : i + 1], (0.0, 0.9), "cpu")
        assert torch.equal(both.inverse_d_squared[both.crystal == i], alone.inverse_d_squared)
        assert torch.equal(both.hkl[both.crystal == i], alone.hkl)


def test_endless_cells_are_refused():
    with pytest.raises(ValueError, match=r"900 Å.*up to 1170"):
        boxes(np.array([[900.0, 4, 4, 90, 90, 90]]), 1.3)

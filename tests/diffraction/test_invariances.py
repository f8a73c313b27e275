"""One crystal described in two ways has one pattern; what the descriptions differ in is drawn by hypothesis.

Everything is built by hand: a standardisation on the way would undo the change and hide a fault. Each property is asked
of the line list (positions, Σ intensities of lines at one place) and of the drawn pattern.
"""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.peers.compare import line_disagreement
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.simulate import powder_patterns

INSTRUMENTS = {
    "xray": CU_KALPHA,
    "dispersion": Instrument(anomalous=True, monochromator=26.6, n_points=850),
    "doublet": Instrument(wavelength=1.540593, second_wavelength=1.544426, n_points=1700, resolution=(0.0, 0.0, 0.01)),
    "neutron": Instrument(radiation="neutron", wavelength=1.91, two_theta=(10, 120), eta=0.3, lorentzian=(0.1, 0.05)),
}
PER_SITE = ("frac", "species", "occupancy", "b_iso")

instruments = st.sampled_from(sorted(INSTRUMENTS)).map(INSTRUMENTS.get)
seeds = st.integers(0, 2**32 - 1)


@st.composite
def crystals(draw, max_atoms=5):
    """A crystal without stated symmetry: a few atoms anywhere in a triclinic cell, with partial occupancies and
    displacements; half of them with an inversion centre in the origin."""
    rng = np.random.default_rng(draw(seeds))
    n = draw(st.integers(1, max_atoms))
    crystal = {
        "cell": [*rng.uniform(3.2, 6.0, 3), *rng.uniform(75, 105, 3)],
        "frac": rng.random((n, 3)),
        "species": rng.choice([1, 8, 14, 26, 55, 82], n),
        "occupancy": rng.choice([0.25, 0.6, 1.0], n),
        "b_iso": rng.choice([0.0, 0.4, 1.3], n),
    }
    if draw(st.booleans()):
        crystal = {k: np.tile(v, 2) if k in PER_SITE[1:] else v for k, v in crystal.items()}
        crystal["frac"] = np.concatenate([crystal["frac"], -crystal["frac"]])
    return crystal


@st.composite
def unimodular(draw):
    """(3, 3) integers of determinant 1 or -1: another basis of a lattice, or of its mirror image."""
    matrix = np.eye(3, dtype=int)[list(draw(st.permutations(range(3))))]
    for _ in range(draw(st.integers(0, 3))):
        i, j = draw(st.permutations(range(3)))[:2]
        matrix[i] += draw(st.sampled_from([-1, 1])) * matrix[j]
    return matrix * draw(st.sampled_from([-1, 1]))


def _metric(cell):
    a, b, c, *angles = cell
    cos_a, cos_b, cos_g = np.cos(np.radians(angles))
    off = np.array([[0, a * b * cos_g, a * c * cos_b], [0, 0, b * c * cos_a], [0, 0, 0]])
    return off + off.T + np.diag([a * a, b * b, c * c])


def _other_cell(crystal, matrix):
    """The same atoms in the cell a' = M a, which holds |det M| of the old ones."""
    metric = matrix @ _metric(crystal["cell"]) @ matrix.T
    edges = np.sqrt(np.diag(metric))
    angles = [np.degrees(np.arccos(metric[i, j] / edges[i] / edges[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    inverse = np.linalg.inv(matrix)
    # Cells of the old lattice inside the new one, each once.
    reach = int(np.abs(matrix).sum())
    points = np.indices([reach + 1] * 3).reshape(3, -1).T @ inverse
    inside = np.unique((points - np.floor(points + 1e-9)).round(9), axis=0)
    assert len(inside) == round(abs(np.linalg.det(matrix)))
    frac = (np.asarray(crystal["frac"]) @ inverse)[None] + inside[:, None]
    sites = {k: np.tile(crystal[k], len(inside)) for k in PER_SITE[1:]}
    return crystal | {"cell": [*edges, *angles], "frac": frac.reshape(-1, 3)} | sites


def _as_written_out(crystals):
    """The same cells without use of their symmetry."""
    return dataclasses.replace(crystals, standard=np.zeros(len(crystals), dtype=bool))


def _assert_same(lines_of, crystals, instrument, scale=1.0):
    """Crystals 0 and 1 have the same lines and the same pattern, those of 1 ``scale`` times as strong."""
    reflections = powder_reflections(crystals, instrument)
    one, two = lines_of(reflections, 0), lines_of(reflections, 1)
    disagreement = line_disagreement(one, two, tolerance=1e-6)
    assert disagreement.intensity < 1e-9 and disagreement.position < 1e-8
    assert two[1].sum() == pytest.approx(scale * one[1].sum(), rel=1e-9)
    first, second = powder_patterns(crystals, instrument, normalise="none", dtype=torch.float64).to(torch.float64)
    assert (second / scale - first).abs().max() < 1e-5 * first.max()


@pytest.fixture(scope="session")
def same(build, lines_of):
    """same(first, second, instrument, scale): the two descriptions give the same lines and patterns."""

    def check(first, second, instrument, scale=1.0):
        _assert_same(lines_of, build(first, second), instrument, scale)

    return check


def bounded(n):
    return settings(max_examples=n, deadline=None, derandomize=True, database=None)


# One crystal, two descriptions


@bounded(60)
@given(crystal=crystals(), instrument=instruments, shift=st.tuples(*[st.floats(-3, 3)] * 3))
def test_origin_shift(same, crystal, instrument, shift):
    same(crystal, crystal | {"frac": crystal["frac"] + np.array(shift)}, instrument)


@bounded(30)
@given(crystal=crystals(), instrument=instruments, seed=seeds)
def test_atoms_moved_by_lattice_vectors(same, crystal, instrument, seed):
    steps = np.random.default_rng(seed).integers(-4, 5, crystal["frac"].shape)
    same(crystal, crystal | {"frac": crystal["frac"] + steps}, instrument)


@bounded(60)
@given(crystal=crystals(), instrument=instruments, matrix=unimodular())
def test_another_cell_of_the_same_lattice(same, crystal, instrument, matrix):
    same(crystal, _other_cell(crystal, matrix), instrument)


@bounded(30)
@given(crystal=crystals(), instrument=instruments, order=st.permutations(range(3)))
def test_axis_permutation(same, crystal, instrument, order):
    edges, angles = np.array(crystal["cell"][:3]), np.array(crystal["cell"][3:])
    same(crystal, crystal | {"cell": [*edges[order], *angles[order]], "frac": crystal["frac"][:, order]}, instrument)


@bounded(60)
@given(
    crystal=crystals(max_atoms=3),
    instrument=instruments,
    times=st.tuples(*[st.integers(1, 3)] * 3).filter(lambda n: 1 < np.prod(n) <= 6),
    matrix=unimodular(),
)
def test_supercell(same, crystal, instrument, times, matrix):
    """n cells together, straight or oblique: the same lines, n² times as strong."""
    same(crystal, _other_cell(crystal, np.diag(times) @ matrix), instrument, scale=float(np.prod(times)) ** 2)


@bounded(30)
@given(crystal=crystals(), instrument=instruments, data=st.data())
def test_order_of_atoms(same, crystal, instrument, data):
    order = data.draw(st.permutations(range(len(crystal["frac"]))))
    same(crystal, crystal | {k: np.asarray(crystal[k])[order] for k in PER_SITE}, instrument)


@bounded(30)
@given(crystal=crystals(), instrument=instruments, share=st.floats(0.05, 0.95), lattice=st.integers(-2, 2))
def test_a_row_split_into_two_at_one_place(same, crystal, instrument, share, lattice):
    """Rows that agree in place, species and displacement are one atom with the sum of their occupancies."""
    parts = {k: np.concatenate([crystal[k], crystal[k]]) for k in PER_SITE}
    n = len(crystal["frac"])
    parts["frac"][n:] += lattice
    parts["occupancy"] = np.concatenate([share * crystal["occupancy"], (1 - share) * crystal["occupancy"]])
    same(crystal, crystal | parts, instrument)


@bounded(30)
@given(crystal=crystals(), instrument=instruments, occupancy=st.floats(0.1, 0.9))
def test_a_thinned_crystal_scatters_with_the_square_of_the_occupancy(same, crystal, instrument, occupancy):
    same(crystal, crystal | {"occupancy": occupancy * crystal["occupancy"]}, instrument, scale=occupancy**2)


@bounded(30)
@given(crystal=crystals(), instrument=instruments, b=st.floats(0.05, 3.0))
def test_a_common_displacement_damps_every_line_by_its_spacing(build, crystal, instrument, b):
    """Another B Å² for every atom: |F|² times exp(-2 B / 4d²)."""
    found = powder_reflections(build(crystal, crystal | {"b_iso": crystal["b_iso"] + b}), instrument)
    still, moving = found.f_squared.view(2, -1)
    d = found.d.view(2, -1)[0]
    assert torch.allclose(moving, still * torch.exp(-b / (2 * d**2)), rtol=1e-9, atol=1e-12 * float(still.max()))


# Use of symmetry


@pytest.mark.parametrize("name", ["xray", "dispersion", "neutron"])
def test_all_230_groups_against_p1(build, symmetric, lines_of, name):
    """Atoms on random Wyckoff positions: one reflection of each set of equivalents against all of them."""
    rng = np.random.default_rng(2)
    reduced = build(*(symmetric(number, rng) for number in range(1, 231)))
    few, all_of_them = (powder_reflections(c, INSTRUMENTS[name]) for c in (reduced, _as_written_out(reduced)))
    for i, group in enumerate(reduced.source_id):
        one, two = lines_of(few, i), lines_of(all_of_them, i)
        disagreement = line_disagreement(one, two, tolerance=1e-6)
        assert disagreement.intensity < 1e-9 and disagreement.position < 1e-8, group
        assert two[1].sum() == pytest.approx(one[1].sum(), rel=1e-9), group
    assert len(few.d) < 0.3 * len(all_of_them.d)


@bounded(100)
@given(
    number=st.integers(1, 230),
    seed=seeds,
    instrument=instruments,
    shift=st.tuples(*[st.floats(-1, 1)] * 3),
    matrix=unimodular(),
)
def test_a_symmetric_crystal_in_any_description(build, symmetric, lines_of, number, seed, instrument, shift, matrix):
    """The standard setting of a group, against the same atoms from another origin in another cell without symmetry."""
    crystal = symmetric(number, np.random.default_rng(seed), edge=4.0)
    crystal |= {"occupancy": np.ones(len(crystal["frac"]))}
    other = _other_cell(crystal, matrix) | {"standard": False}
    _assert_same(lines_of, build(crystal, other | {"frac": other["frac"] + np.array(shift)}), instrument)


# Batches


@st.composite
def mixed_batches(draw):
    """Crystals of very different size, with and without symmetry, in any order."""
    rng = np.random.default_rng(draw(seeds))
    small = {"cell": [3.0, 3.1, 3.3, 90, 95, 90], "frac": rng.random((1, 3)), "species": [26]}
    many = {"cell": [*rng.uniform(9, 13, 3), 85.0, 95.0, 100.0], "frac": rng.random((70, 3)), "species": [8, 56] * 35}
    many |= {"b_iso": rng.choice([0.0, 0.5, 1.0], 70), "occupancy": 0.5}
    several = draw(st.lists(crystals(), min_size=1, max_size=3))
    return draw(st.permutations([small, many, *several])), draw(st.lists(st.integers(1, 230), max_size=3)), rng


@bounded(25)
@given(batch=mixed_batches(), instrument=instruments, budget=st.sampled_from([2**14, 2**18, 2**28]))
def test_batch_and_padding_leave_no_trace(build, symmetric, batch, instrument, budget):
    """Lines and patterns of each crystal are those that it has alone, whatever its neighbours are and however the
    memory budget cuts the work."""
    chosen, numbers, rng = batch
    together = build(*chosen, *(symmetric(number, rng) for number in numbers))
    lines = powder_reflections(together, instrument, memory_budget=budget)
    patterns = powder_patterns(together, instrument, dtype=torch.float64, memory_budget=budget)
    for i in range(len(together)):
        alone = powder_reflections(together[i], instrument)
        rows = slice(int(lines.start[i]), int(lines.start[i + 1]))
        assert torch.equal(lines.hkl[rows], alone.hkl) and torch.equal(lines.two_theta[rows], alone.two_theta)
        assert torch.equal(lines.multiplicity[rows], alone.multiplicity) and bool((lines.crystal[rows] == i).all())
        for name in ("f_squared", "intensity"):
            ours, expected = getattr(lines, name)[rows], getattr(alone, name)
            assert torch.allclose(ours, expected, rtol=1e-9, atol=1e-12 * float(expected.max()))
        single = powder_patterns(together[i], instrument, dtype=torch.float64)[0]
        assert (patterns[i] - single).abs().max() < 1e-5


@bounded(15)
@given(batch=mixed_batches(), instrument=instruments)
def test_single_precision_in_a_batch(build, batch, instrument):
    """float32 within 1e-3 of float64 (in fact 1e-5 of the maximum), with neighbours of any size."""
    together = build(*batch[0])
    single, double = (powder_patterns(together, instrument, dtype=dtype) for dtype in (torch.float32, torch.float64))
    assert (single - double).abs().max() < 2e-5


def test_concatenated_sets_give_concatenated_lists(build, symmetric):
    rng = np.random.default_rng(7)
    first, second = (build(*(symmetric(number, rng) for number in range(k, 231, 40))) for k in (1, 20))
    joined = powder_reflections(CrystalSet.concatenate([first, second]), CU_KALPHA)
    parts = [powder_reflections(c, CU_KALPHA) for c in (first, second)]
    assert torch.equal(joined.hkl, torch.cat([p.hkl for p in parts]))
    assert torch.equal(joined.start.diff(), torch.cat([p.start.diff() for p in parts]))
    assert torch.equal(joined.crystal, torch.cat([parts[0].crystal, parts[1].crystal + len(first)]))

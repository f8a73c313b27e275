import gzip
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import species_code
from paperlib.diffraction.compare import line_disagreement, merge_lines, pymatgen_form_factors, pymatgen_lines
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.reflections import lorentz_polarisation, powder_reflections
from paperlib.symmetry.groups import crystal_system

NEUTRON = Instrument("neutron", 1.5403)


def _fully_written_out(crystals):
    """The same crystals without use of their symmetry."""
    return CrystalSet(**{**vars(crystals), "standard": np.zeros(len(crystals), dtype=bool)})


# Independent programs


def test_pymatgen_prototypes(lines_of):
    """All prototypes of the AFLOW library, every crystal system: positions, multiplicities and intensities."""
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    crystals = CrystalSet.from_structures([entry["snl"].structure for entry in AFLOW_PROTOTYPE_LIBRARY])
    systems = {crystal_system(int(number)) for number in crystals.space_group}
    assert len(crystals) >= 100
    assert len(systems) == 7
    theirs = [pymatgen_lines(structure, CU_KALPHA) for structure in crystals.to_structures()]
    same_factors = powder_reflections(crystals, CU_KALPHA, scattering=pymatgen_form_factors())
    own_factors = powder_reflections(crystals, CU_KALPHA)
    same = [line_disagreement(lines_of(same_factors, i), lines) for i, lines in enumerate(theirs)]
    own = [line_disagreement(lines_of(own_factors, i), lines) for i, lines in enumerate(theirs)]
    assert max(x.position for x in same + own) < 1e-3
    assert max(x.intensity for x in same) < 1e-3
    assert np.median([x.intensity for x in own]) < 0.01
    assert 0.01 < max(x.intensity for x in own) < 0.06


@pytest.mark.parametrize(("radiation", "column"), [("xray", 1), ("neutron", 2)])
def test_cctbx_one_structure_per_space_group(reference_folder, build, radiation, column):
    """d and Σ|F|² of 223 space groups in the given cells, no geometrical factor, d >= 1.2 Å."""
    with gzip.open(reference_folder / "cctbx_lines_per_sg.jsonl.gz", "rt") as file:
        entries = [json.loads(line) for line in file]
    crystals = build(*(_as_given(entry) for entry in entries))
    instrument = Instrument(radiation, 1.0, (0.5, 2 * np.degrees(np.arcsin(0.5 / 1.195))))
    ours = powder_reflections(crystals, instrument)
    assert len(entries) == 223
    for i, entry in enumerate(entries):
        rows = slice(int(ours.start[i]), int(ours.start[i + 1]))
        sums = (ours.multiplicity * ours.f_squared)[rows].numpy()
        theirs = np.array(entry["lines_d_Ix_In"])
        # Lines at the end of the list may be merged with neighbours on one side only.
        inside, theirs = ours.d[rows].numpy() > 1.2001, theirs[theirs[:, 0] > 1.2001]
        d = np.concatenate([ours.d[rows].numpy()[inside], theirs[:, 0]])
        value = np.concatenate([sums[inside], -theirs[:, column]])
        order = np.argsort(-d)
        # Lines whose d agree within 1e-5 relative are one line; theirs counts with a minus sign.
        cluster = np.concatenate([[0], np.cumsum(np.diff(-np.log(d[order])) > 1e-5)])
        difference = np.bincount(cluster, value[order])
        assert np.abs(difference).max() < 1e-5 * theirs[:, column].max(), entry["sg"]


def _as_given(entry):
    lattice = np.array(entry["lattice"])
    length = np.linalg.norm(lattice, axis=1)
    pairs = ((1, 2), (0, 2), (0, 1))
    angles = [np.degrees(np.arccos(lattice[i] @ lattice[j] / length[i] / length[j])) for i, j in pairs]
    species = [species_code(symbol) for symbol in entry["el"]]
    return {"cell": [*length, *angles], "frac": entry["frac"], "species": species}


# The same crystal, described differently


@pytest.mark.parametrize("instrument", [CU_KALPHA, NEUTRON], ids=["xray", "neutron"])
def test_use_of_symmetry_changes_nothing(build, symmetric, lines_of, instrument):
    """All 230 space groups with atoms on random Wyckoff positions, against P1 with every atom written out."""
    rng = np.random.default_rng(2)
    crystals = build(*(symmetric(number, rng) for number in range(1, 231)))
    reduced = powder_reflections(crystals, instrument)
    full = powder_reflections(_fully_written_out(crystals), instrument)
    for i in range(len(crystals)):
        disagreement = line_disagreement(lines_of(reduced, i), lines_of(full, i), tolerance=1e-6)
        assert disagreement.intensity < 1e-10, crystals.source_id[i]
        assert lines_of(reduced, i)[1].sum() == pytest.approx(lines_of(full, i)[1].sum(), rel=1e-10)
        assert disagreement.position < 1e-8
    assert len(reduced.d) < 0.3 * len(full.d)


def _same(build, lines_of, first, second, scale=1.0, instrument=CU_KALPHA):
    reflections = powder_reflections(build(first, second), instrument)
    one, two = lines_of(reflections, 0), lines_of(reflections, 1)
    assert line_disagreement(one, two, tolerance=1e-5).intensity < 1e-9
    assert two[1].sum() == pytest.approx(scale * one[1].sum(), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(shift=st.tuples(*[st.floats(-3, 3)] * 3), lattice=st.tuples(*[st.integers(-4, 4)] * 3))
def test_origin_shift(build, lines_of, triclinic, shift, lattice):
    _same(build, lines_of, triclinic, triclinic | {"frac": triclinic["frac"] + np.array(shift) + np.array(lattice)})


def test_order_of_atoms(build, lines_of, triclinic):
    order = [6, 2, 4, 0, 1, 5, 3]
    per_site = ("frac", "species", "occupancy", "b_iso")
    _same(build, lines_of, triclinic, triclinic | {k: np.array(triclinic[k])[order] for k in per_site})


@pytest.mark.parametrize("order", [[1, 2, 0], [0, 2, 1], [2, 1, 0]])
def test_axis_permutation(build, lines_of, triclinic, order):
    cell = np.array(triclinic["cell"])
    permuted = triclinic | {"cell": [*cell[:3][order], *cell[3:][order]], "frac": triclinic["frac"][:, order]}
    _same(build, lines_of, triclinic, permuted)


@pytest.mark.parametrize("times", [(2, 1, 1), (1, 3, 1), (2, 1, 2)])
def test_supercell(build, lines_of, triclinic, times):
    """n cells together: the same lines, n² times as strong."""
    n = int(np.prod(times))
    cells = np.indices(times).reshape(3, -1).T
    larger = {
        "cell": [*(np.array(triclinic["cell"][:3]) * times), *triclinic["cell"][3:]],
        "frac": np.concatenate([(triclinic["frac"] + cell) / times for cell in cells]),
    } | {k: np.tile(triclinic[k], n) for k in ("species", "occupancy", "b_iso")}
    _same(build, lines_of, triclinic, larger, scale=n**2)


@pytest.mark.parametrize("change", [[[1, 1, 0], [0, 1, 0], [0, 0, 1]], [[1, 0, 0], [2, 1, 0], [-1, 1, 1]]])
def test_other_cell_of_the_same_lattice(build, lines_of, triclinic, change):
    """a' = M a leaves the lattice as it is when det M = 1; coordinates transform with the inverse."""
    a, b, c, *angles = triclinic["cell"]
    cos_a, cos_b, cos_g = np.cos(np.radians(angles))
    off = np.array([[a * a, a * b * cos_g, a * c * cos_b], [0, b * b, b * c * cos_a], [0, 0, c * c]])
    metric = np.array(change) @ (off + np.triu(off, 1).T) @ np.array(change).T
    edges = np.sqrt(np.diag(metric))
    new_angles = [np.degrees(np.arccos(metric[i, j] / edges[i] / edges[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    other = {"cell": [*edges, *new_angles], "frac": triclinic["frac"] @ np.linalg.inv(change)}
    _same(build, lines_of, triclinic, triclinic | other)


def test_mixed_site_is_the_sum_of_its_rows(build, lines_of, triclinic):
    whole = triclinic | {"occupancy": [1.0] * 7, "b_iso": [0.5] * 7}
    parts = {k: np.repeat(np.array(whole[k]), 2, axis=0) for k in ("frac", "species", "b_iso")}
    _same(build, lines_of, whole, whole | parts | {"occupancy": [0.25, 0.75] * 7})


def test_single_precision(build, symmetric):
    rng = np.random.default_rng(3)
    crystals = build(*(symmetric(number, rng, edge=7.0) for number in range(1, 231, 7)))
    double = powder_reflections(crystals, CU_KALPHA)
    single = powder_reflections(crystals, CU_KALPHA, dtype=torch.float32)
    assert single.f_squared.dtype == torch.float32
    assert torch.equal(single.two_theta, double.two_theta)
    for first, last in zip(double.start[:-1], double.start[1:], strict=True):
        strongest = double.intensity[first:last].max()
        assert (single.intensity[first:last] - double.intensity[first:last]).abs().max() < 1e-5 * strongest


# Known by hand


def _present(reflections):
    return {tuple(sorted(map(abs, x), reverse=True)): i for i, x in enumerate(reflections.hkl.tolist())}


def test_halite_by_hand(build, halite):
    found = powder_reflections(build(halite), Instrument("neutron", 1.54))
    rows = _present(found)
    assert {tuple(sorted(h)) for h in rows} >= {(1, 1, 1), (0, 0, 2), (0, 2, 2), (1, 1, 3), (2, 2, 2)}
    assert all(len({h % 2, k % 2, l % 2}) == 1 for h, k, l in rows)  # noqa: E741
    # b(Na) 3.63 fm, b(Cl) 9.577 fm: all odd 16 (b_Na - b_Cl)², all even 16 (b_Na + b_Cl)².
    assert float(found.f_squared[rows[1, 1, 1]]) == pytest.approx(16 * (3.63 - 9.577) ** 2, rel=1e-5)
    assert float(found.f_squared[rows[2, 0, 0]]) == pytest.approx(16 * (3.63 + 9.577) ** 2, rel=1e-5)
    assert float(found.d[rows[2, 2, 0]]) == pytest.approx(5.6402 / 8**0.5, rel=1e-12)
    theta = np.arcsin(1.54 / 2 / float(found.d[rows[2, 2, 0]]))
    assert float(found.two_theta[rows[2, 2, 0]]) == pytest.approx(2 * np.degrees(theta), rel=1e-12)


def test_diamond_structure_by_hand(build):
    lattice = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    frac = np.concatenate([lattice + 0.125, lattice - 0.125])
    silicon = {"cell": [5.43088] * 3 + [90.0] * 3, "frac": frac, "species": [14] * 8}
    silicon |= {"space_group": 227, "standard": True}
    found = powder_reflections(build(silicon), Instrument(wavelength=1.540598))
    rows = _present(found)
    assert (2, 0, 0) not in rows
    # 222 is no absence of the space group: only atoms on 8a put it out.
    assert float(found.f_squared[rows[2, 2, 2]]) < 1e-20 * float(found.f_squared.max())
    expected = {(1, 1, 1): 8, (2, 2, 0): 12, (3, 1, 1): 24, (4, 0, 0): 6, (3, 3, 1): 24}
    assert {hkl: int(found.multiplicity[rows[hkl]]) for hkl in expected} == expected
    # The standard that diffractometers are adjusted with: NIST SRM 640 (a 5.43088 Å), Cu Kα1.
    strong = [float(found.two_theta[rows[hkl]]) for hkl in ((1, 1, 1), (2, 2, 0), (3, 1, 1))]
    assert strong == pytest.approx([28.443, 47.304, 56.124], abs=0.002)


def test_caesium_chloride_by_hand(build):
    crystal = {"cell": [4.12] * 3 + [90.0] * 3, "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "species": [55, 17]}
    found = powder_reflections(build(crystal | {"space_group": 221, "standard": True}), NEUTRON)
    rows = _present(found)
    assert float(found.f_squared[rows[1, 0, 0]]) == pytest.approx((5.42 - 9.577) ** 2, rel=1e-5)
    assert float(found.f_squared[rows[1, 1, 0]]) == pytest.approx((5.42 + 9.577) ** 2, rel=1e-5)


def test_geometrical_factors_at_ninety_degrees():
    """sin²45° cos 45° = 0.3536; cos 90° = 0 takes the polarised half away."""
    right_angle = torch.tensor([90.0], dtype=torch.float64)
    sixty = torch.tensor([60.0], dtype=torch.float64)
    assert float(lorentz_polarisation(right_angle, CU_KALPHA)) == pytest.approx(8**0.5)
    assert float(lorentz_polarisation(sixty, CU_KALPHA)) == pytest.approx(1.25 / (0.25 * 0.75**0.5))
    assert float(lorentz_polarisation(sixty, NEUTRON)) == pytest.approx(1 / (0.25 * 0.75**0.5))
    synchrotron = Instrument(polarisation=False)
    assert float(lorentz_polarisation(sixty, synchrotron)) == pytest.approx(1 / (0.25 * 0.75**0.5))
    crystal = Instrument(monochromator=60.0)
    assert float(lorentz_polarisation(sixty, crystal)) == pytest.approx((1 + 0.25 * 0.25) / (0.25 * 0.75**0.5))


# What the list promises


def test_order_range_and_offsets(build, symmetric, halite):
    rng = np.random.default_rng(4)
    crystals = build(symmetric(2, rng), halite, symmetric(194, rng))
    found = powder_reflections(crystals, CU_KALPHA)
    assert torch.equal(torch.bincount(found.crystal), found.start.diff())
    for i in range(3):
        two_theta = found.two_theta[found.start[i] : found.start[i + 1]]
        assert bool((two_theta.diff() >= 0).all())
        assert 5 <= float(two_theta[0]) and float(two_theta[-1]) <= 90
    wider = powder_reflections(crystals, CU_KALPHA, margin=2.0)
    assert float(wider.two_theta.max()) > 90
    expected = merge_lines(found.two_theta.numpy(), np.ones(len(found.d)), 0)[0]
    inside = (wider.two_theta >= 5) & (wider.two_theta <= 90)
    assert np.array_equal(merge_lines(wider.two_theta[inside].numpy(), np.ones(int(inside.sum())), 0)[0], expected)


def test_no_crystals_no_reflections(build, halite):
    found = powder_reflections(build(halite)[0:0], CU_KALPHA)
    assert found.hkl.shape == (0, 3)
    assert found.start.tolist() == [0]

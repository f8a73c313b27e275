import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction import simulate
from paperlib.diffraction.draws import draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.laboratory import LABORATORY, LABORATORY_INSTRUMENT, imperfections
from paperlib.diffraction.measurement import detector_mask
from paperlib.diffraction.simulate import powder_patterns, validate


def test_shape_scale_and_strongest_line(build, halite):
    pattern = powder_patterns(build(halite), CU_KALPHA)
    assert pattern.shape == (1, 1000)
    assert pattern.dtype == torch.float32
    assert float(pattern.max()) == 1.0
    # 200 of NaCl: d = 2.8201 Å, 2θ = 31.73° at 1.541838 Å.
    assert CU_KALPHA.grid()[int(pattern.argmax())] == pytest.approx(31.73, abs=CU_KALPHA.step)


def test_absolute_patterns_hold_the_intensity_of_the_lines(build, halite):
    from paperlib.diffraction.reflections import powder_reflections

    fine = Instrument(n_points=8501)
    pattern = powder_patterns(build(halite), fine, normalise="none")
    lines = powder_reflections(build(halite), fine)
    assert float(pattern.sum() * fine.step) == pytest.approx(float(lines.intensity.sum()), rel=1e-5)


def test_patterns_do_not_depend_on_the_batch(build, symmetric):
    rng = np.random.default_rng(9)
    crystals = build(*(symmetric(number, rng, edge=6.0) | {"occupancy": 0.3} for number in range(1, 231, 9)))
    together = powder_patterns(crystals, CU_KALPHA)
    backwards = powder_patterns(crystals[np.arange(len(crystals))[::-1]], CU_KALPHA)
    assert torch.allclose(together, backwards.flip(0), atol=1e-5, rtol=0)
    assert torch.allclose(powder_patterns(crystals[7], CU_KALPHA)[0], together[7], atol=1e-5, rtol=0)


def test_single_and_double_precision_agree(build, symmetric):
    rng = np.random.default_rng(10)
    crystals = build(*(symmetric(number, rng, edge=6.0) | {"occupancy": 0.3} for number in range(5, 231, 9)))
    single = powder_patterns(crystals, CU_KALPHA)
    double = powder_patterns(crystals, CU_KALPHA, dtype=torch.float64)
    assert double.dtype == torch.float32
    assert torch.allclose(single, double, atol=1e-5, rtol=0)


def test_a_line_just_outside_still_leaves_its_tail(build):
    # 100 of a primitive cubic cell stands at 2θ = 29.95°, below the first point.
    edge = 1.541838 / 2 / np.sin(np.radians(29.95 / 2))
    crystal = build({"cell": [edge] * 3 + [90.0] * 3, "frac": [[0, 0, 0]], "species": [26]})
    pattern = powder_patterns(crystal, Instrument(two_theta=(30.0, 60.0), n_points=1000))[0]
    assert float(pattern[0]) > float(pattern[1]) > float(pattern[2]) > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_gpu_and_cpu_agree(build, symmetric):
    rng = np.random.default_rng(12)
    crystals = build(*(symmetric(number, rng, edge=6.0) | {"occupancy": 0.3} for number in range(1, 231, 5)))
    on_gpu = powder_patterns(crystals, CU_KALPHA, device="cuda").cpu()
    assert torch.allclose(on_gpu, powder_patterns(crystals, CU_KALPHA), atol=1e-5, rtol=0)


# Imperfections


@pytest.fixture(scope="module")
def mixture(build, symmetric):
    rng = np.random.default_rng(14)
    numbers = (1, 2, 14, 15, 62, 88, 136, 148, 166, 176, 194, 205, 225, 227)
    return build(*(symmetric(number, rng, edge=6.0) | {"occupancy": 0.3} for number in numbers))


SMALL_LABORATORY = dataclasses.replace(LABORATORY_INSTRUMENT, n_points=1000)
WITHOUT_NOISE = dataclasses.replace(LABORATORY, counts=0, gaussian_noise=0)


def test_imperfections_that_are_none_change_nothing(mixture):
    perfect = powder_patterns(mixture, CU_KALPHA)
    assert torch.equal(powder_patterns(mixture, CU_KALPHA, seed=3), perfect)
    assert torch.allclose(
        powder_patterns(mixture, CU_KALPHA, seed=3, imperfections=Imperfections()), perfect, atol=1e-6
    )
    scaled = powder_patterns(mixture, CU_KALPHA, normalise="none", seed=3, imperfections=Imperfections())
    assert torch.allclose(scaled, powder_patterns(mixture, CU_KALPHA, normalise="none"), rtol=1e-5)


def test_imperfect_patterns_are_finite_scaled_and_differ(mixture):
    patterns = powder_patterns(mixture, SMALL_LABORATORY, seed=3, imperfections=LABORATORY)
    assert patterns.shape == (len(mixture), 1000) and patterns.dtype == torch.float32
    assert bool(torch.isfinite(patterns).all())
    assert torch.equal(patterns.amax(1), torch.ones(len(mixture)))
    mask = detector_mask(draw(LABORATORY, 3, range(len(mixture))), SMALL_LABORATORY)
    assert not patterns[~mask].any()
    other = powder_patterns(mixture, SMALL_LABORATORY, seed=4, imperfections=LABORATORY)
    assert float((patterns - other).abs().amax(1).min()) > 0.01


@pytest.mark.parametrize("kind", [LABORATORY, WITHOUT_NOISE])
def test_an_item_has_one_pattern_whatever_the_batch(mixture, kind):
    together = powder_patterns(mixture, SMALL_LABORATORY, seed=3, imperfections=kind)
    order = np.random.default_rng(0).permutation(len(mixture))
    parts = [
        powder_patterns(mixture[some], SMALL_LABORATORY, seed=3, imperfections=kind, items=some)
        for some in np.array_split(order, 4)
    ]
    assert torch.allclose(torch.cat(parts), together[order], atol=1e-5, rtol=0)
    little = powder_patterns(mixture, SMALL_LABORATORY, seed=3, imperfections=kind, memory_budget=200_000)
    assert torch.allclose(little, together, atol=1e-5, rtol=0)
    far = powder_patterns(mixture[3], SMALL_LABORATORY, seed=3, imperfections=kind, items=[10**12])
    assert not torch.allclose(far[0], together[3], atol=1e-2)


def test_imperfections_do_not_know_how_a_crystal_is_described(mixture):
    """Without its symmetry, its origin moved and its atoms in another order: the same item, the same pattern."""
    shift = np.array([0.137, 0.291, 0.443])
    backwards = CrystalSet.concatenate(
        [
            dataclasses.replace(
                one,
                standard=np.array([False]),
                space_group=np.array([1], dtype=np.int16),
                frac=one.frac[::-1] + shift,
                species=one.species[::-1],
                b_iso=one.b_iso[::-1],
            )
            for one in (mixture[i] for i in range(len(mixture)))
        ]
    )
    settings = {"seed": 8, "imperfections": dataclasses.replace(WITHOUT_NOISE, texture=(0.4, 2.5))}
    first, second = (powder_patterns(some, CU_KALPHA, **settings) for some in (mixture, backwards))
    assert torch.allclose(first, second, atol=1e-5, rtol=0)


def test_batches_of_a_long_set_leave_no_trace(mixture):
    settings = {"seed": 3, "imperfections": WITHOUT_NOISE}
    together = powder_patterns(mixture, CU_KALPHA, **settings)
    for memory_budget in (1, 300_000):
        apart = powder_patterns(mixture, CU_KALPHA, **settings, memory_budget=memory_budget)
        assert torch.allclose(apart, together, atol=1e-5)


_PEAK_MEMORY = """
import resource
import numpy as np
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns

def some(n, n_atoms, edge):
    rng = np.random.default_rng(n)
    return CrystalSet(
        cell=np.tile([edge, edge * 1.02, edge * 0.99, 89.0, 91.0, 92.0], (n, 1)),
        space_group=np.ones(n, np.int16), standard=np.zeros(n, bool), site_start=np.arange(n + 1) * n_atoms,
        frac=rng.random((n * n_atoms, 3)), species=np.full(n * n_atoms, 26, np.int16), occupancy=np.ones(n * n_atoms),
        b_iso=np.zeros(n * n_atoms), formula=np.full(n, "Fe"), source_id=np.arange(n).astype(str),
    )

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

instrument, budget = Instrument(n_points=4096), {budget}
small, giants = some(1500, 8, 5.0), some(8, 500, 27.2)
powder_patterns(CrystalSet.concatenate([small[:20], some(1, 20, 8.0)]), instrument, memory_budget=budget)
before = peak()
patterns = powder_patterns(CrystalSet.concatenate([small, giants, small]), instrument, memory_budget=budget)
print(peak() - before - patterns.numel() * patterns.element_size())
"""


@pytest.mark.parametrize("budget", [2**25, 2**27])
def test_memory_stays_within_the_budget(budget):
    """Eight cells of 500 atoms and 20,000 Å³ (33,000 lines each) among 3,000 small ones; without batches they
    take 250 MiB. A process of its own, whose peak is not that of another test."""
    script = _PEAK_MEMORY.replace("{budget}", str(budget))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1.25 * budget + 2**25


def test_second_phases_in_a_preset(mixture):
    pool = imperfections("laboratory", impurities=mixture[[0, 4, 9]])
    mixed = powder_patterns(mixture, SMALL_LABORATORY, seed=3, imperfections=pool)
    pure = powder_patterns(mixture, SMALL_LABORATORY, seed=3, imperfections=LABORATORY)
    change = (mixed - pure).abs().amax(1)
    assert float(change.max()) > 0.005
    alone = powder_patterns(mixture[6], SMALL_LABORATORY, seed=3, imperfections=pool, items=[6])
    assert torch.allclose(alone[0], mixed[6], atol=1e-5, rtol=0)


def test_imperfect_neutron_patterns(mixture):
    neutrons = Instrument("neutron", 1.54, resolution=(0.2, -0.2, 0.2))
    patterns = powder_patterns(mixture, neutrons, seed=1, imperfections=LABORATORY)
    assert bool(torch.isfinite(patterns).all())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_imperfect_patterns_on_a_gpu(mixture):
    settings = {"seed": 3, "imperfections": imperfections("laboratory", impurities=mixture)}
    on_gpu = powder_patterns(mixture, SMALL_LABORATORY, device="cuda", **settings).cpu()
    assert torch.allclose(on_gpu, powder_patterns(mixture, SMALL_LABORATORY, **settings), atol=1e-5, rtol=0)


def test_imperfections_need_a_seed_and_one_number_per_crystal(mixture):
    for seed in (None, 1.5, True):
        with pytest.raises(ValueError, match="give a whole number as seed"):
            powder_patterns(mixture, CU_KALPHA, seed=seed, imperfections=LABORATORY)
    with pytest.raises(ValueError, match=r"items must number the 14 crystals.*\(3,\)"):
        powder_patterns(mixture, CU_KALPHA, seed=1, imperfections=LABORATORY, items=[0, 1, 2])
    with pytest.raises(ValueError, match=r"whole numbers from 0"):
        powder_patterns(mixture[0], CU_KALPHA, seed=1, imperfections=LABORATORY, items=[0.5])


def test_crystals_whose_lines_the_detector_misses_are_named(build, halite):
    """The lowest line of this cell, 100, stands at 30.0°, the next at 42.9°."""
    edge = 1.541838 / 2 / np.sin(np.radians(15.0))
    crystal = {"cell": [edge] * 3 + [90] * 3, "frac": [[0, 0, 0]], "species": [26], "source_id": "sparse"}
    crystals = build(halite, crystal)
    gap = Imperfections(detector_start=31.5, detector_end=41)
    with pytest.raises(ValueError, match=r"1 of 2(.|\n)*crystal 1 \(sparse\): no line lies between 31.5° and 41°"):
        powder_patterns(crystals, CU_KALPHA, seed=1, imperfections=gap)
    seen = dataclasses.replace(gap, background=0.1)
    assert bool(torch.isfinite(powder_patterns(crystals, CU_KALPHA, seed=1, imperfections=seen)).all())


# Crystals that cannot be simulated


def test_bad_crystals_are_named_with_value_and_unit(build, halite):
    nothing = halite | {"frac": np.zeros((0, 3)), "species": np.zeros(0)}
    bad = {
        "edge": halite | {"cell": [0.0, 5.6, 5.6, 90, 90, 90]},
        "flat": halite | {"cell": [5, 5, 5, 40, 40, 120], "standard": False},
        "nan": halite | {"frac": halite["frac"] * [[np.nan, 1, 1]]},
        "einsteinium": halite | {"species": [99] * 8},
        "too full": halite | {"occupancy": 1.2},
        "negative B": halite | {"b_iso": -1.0},
        "wrong metric": halite | {"cell": [5.64, 5.64, 5.7, 90, 90, 90]},
        "wrong group": halite | {"space_group": 231},
        "no atoms": nothing,
        "too small": halite | {"cell": [0.5] * 3 + [90.0] * 3},
        "too large": halite | {"cell": [250.0] * 3 + [90.0] * 3},
    }
    crystals = build(halite, *(crystal | {"source_id": name} for name, crystal in bad.items()), halite)
    problems = dict(validate(crystals, CU_KALPHA))
    reasons = {str(crystals.source_id[i]): reason for i, reason in problems.items()}
    assert reasons.keys() == bad.keys()
    expected = {
        "edge": "(0, 5.6, 5.6, 90, 90, 90) (Å, degrees) encloses no volume",
        "flat": "encloses no volume",
        "nan": "(nan, 0, 0) are not finite",
        "einsteinium": "no X-ray form factor for Es",
        "too full": "occupancy 1.2 of site 0",
        "negative B": "is -1 Å²",
        "wrong metric": "metric of space group 225",
        "wrong group": "space group 231",
        "no atoms": "no atoms",
        "too small": "between 2θ = 5° and 90° at 1.54184 Å",
        "too large": "250, 250, 250, 90, 90, 90) (Å, degrees) is too large",
    }
    assert all(part in reasons[name] for name, part in expected.items())
    with pytest.raises(ValueError, match=r"10 of 13 crystals(.|\n)*crystal 1 \(edge\): cell(.|\n)*and 5 more"):
        powder_patterns(crystals, CU_KALPHA)
    good = np.setdiff1d(np.arange(len(crystals)), list(problems))
    assert bool(torch.isfinite(powder_patterns(crystals[good], CU_KALPHA)).all())


def test_crystals_without_lines_are_found_late_but_named(build, halite):
    crystals = build(halite, halite | {"cell": [0.5] * 3 + [90.0] * 3, "source_id": "tiny"})
    with pytest.raises(ValueError, match=r"crystal 1 \(tiny\): no reflection lies between"):
        powder_patterns(crystals, CU_KALPHA)


def test_the_second_line_of_a_doublet_counts(build):
    """Of one line just below the range, only Kα2 is inside."""
    first = 29.97
    edge = 1.540593 / 2 / np.sin(np.radians(first / 2))
    crystal = build({"cell": [edge] * 3 + [90.0] * 3, "frac": [[0, 0, 0]], "species": [26]})
    single = Instrument(wavelength=1.540593, two_theta=(30.0, 35.0), n_points=500)
    with pytest.raises(ValueError, match="no reflection lies between"):
        powder_patterns(crystal, single)
    doublet = dataclasses.replace(single, second_wavelength=1.544426)
    pattern = powder_patterns(crystal, doublet)[0]
    second = np.degrees(2 * np.arcsin(1.544426 / 1.540593 * np.sin(np.radians(first / 2))))
    assert second > 30
    assert doublet.grid()[int(pattern.argmax())] == pytest.approx(second, abs=0.05)


def test_bad_crystals_far_behind_are_named_by_their_place(build, halite):
    bad = halite | {"species": [99] * 8, "source_id": "einsteinium"}
    with pytest.raises(ValueError, match=r"2 of 9 crystals(.|\n)*crystal 5 \(einsteinium\)(.|\n)*crystal 8"):
        powder_patterns(build(*[halite] * 5, bad, halite, halite, bad), CU_KALPHA, memory_budget=1)


def test_crystals_too_large_for_broad_lines_are_named(build):
    """270 Å are good for indices to 256 at the end of the range itself, but not where far tails come from."""
    cell = {"cell": [270, 5, 5, 90, 90, 90], "frac": [[0, 0, 0]], "species": [26], "source_id": "long"}
    tiny = Imperfections(crystallite_size=5)
    with pytest.raises(ValueError, match=r"crystal 0 \(long\): cell \(270, 5, 5, 90, 90, 90\).*too large"):
        powder_patterns(build(cell), CU_KALPHA, seed=1, imperfections=tiny)
    assert powder_patterns(build(cell), CU_KALPHA).shape == (1, 1000)


def test_good_crystals_are_checked_once(build, halite, monkeypatch):
    """By powder_reflections; the check of the whole set is only for the message."""
    monkeypatch.setattr(simulate, "crystal_problems", lambda *_: pytest.fail("checked a second time"))
    assert powder_patterns(build(halite), CU_KALPHA).shape == (1, 1000)


def test_neutrons_know_other_elements(build, halite):
    polonium = halite | {"species": [84] * 8, "source_id": "Po"}
    assert validate(build(polonium), CU_KALPHA) == []
    assert validate(build(polonium), Instrument("neutron")) == [(0, "no neutron scattering length for Po")]


def test_unknown_scale_is_refused(build, halite):
    with pytest.raises(ValueError, match="'sum'"):
        powder_patterns(build(halite), CU_KALPHA, normalise="sum")


def test_no_crystals_no_patterns(build, halite):
    assert powder_patterns(build(halite)[0:0], CU_KALPHA).shape == (0, 1000)
    assert validate(build(halite)[0:0], CU_KALPHA) == []

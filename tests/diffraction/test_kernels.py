"""The compiled kernels against the tensor operations that a GPU runs."""

import dataclasses

import numpy as np
import pytest
import torch

from paperlib.diffraction import cpu
from paperlib.diffraction.ideal import ideal_patterns
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.laboratory import LABORATORY_INSTRUMENT
from paperlib.diffraction.mixture import balanced_mixture
from paperlib.diffraction.peers.compare import pymatgen_form_factors
from paperlib.diffraction.profile import draw_peaks
from paperlib.diffraction.reflections import powder_reflections


@pytest.fixture(scope="module")
def crystals():
    """One crystal of each space group, with partial occupancies and several displacement parameters."""
    mixture = balanced_mixture(1, seed=5)
    rng = np.random.default_rng(0)
    # by element, so that atoms which symmetry makes equivalent stay so
    occupancy, b_iso = rng.uniform(0.2, 1.0, 120), rng.choice([0.0, 0.4, 1.7], 120)
    return dataclasses.replace(mixture, occupancy=occupancy[mixture.species], b_iso=b_iso[mixture.species])


@pytest.fixture
def threads():
    """threads(number) sets how many threads torch uses; afterwards it is as before."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def tensors(monkeypatch):
    """tensors(work) is the result of work() by tensor operations."""

    def run(work):
        with monkeypatch.context() as patch:
            patch.setattr(cpu, "ENABLED", False)
            return work()

    return run


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({}, {}),
        ({"radiation": "neutron"}, {}),
        ({"anomalous": True, "wavelength": 0.7093, "two_theta": (3.0, 40.0)}, {}),
        ({}, {"scattering": pymatgen_form_factors()}),
        ({}, {"margin": 3.0}),
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-11), (torch.float32, 2e-5)])
def test_line_lists(crystals, tensors, settings, more, dtype, tolerance):
    instrument = Instrument(**settings)
    ours = powder_reflections(crystals, instrument, dtype=dtype, **more)
    theirs = tensors(lambda: powder_reflections(crystals, instrument, dtype=dtype, **more))
    assert torch.equal(ours.start, theirs.start) and torch.equal(ours.crystal, theirs.crystal)
    torch.testing.assert_close(ours.d, theirs.d, rtol=1e-12, atol=0)
    torch.testing.assert_close(ours.two_theta, theirs.two_theta, rtol=1e-12, atol=0)
    # lines that fall together may stand in either order
    pairs = [torch.stack([r.hkl.long() @ torch.tensor([10**8, 10**4, 1]), r.crystal]) for r in (ours, theirs)]
    order = [np.lexsort(pair.numpy()) for pair in pairs]
    assert torch.equal(pairs[0][:, order[0]], pairs[1][:, order[1]])
    assert ours.f_squared.dtype == dtype
    strongest = torch.zeros(len(crystals), dtype=dtype).index_reduce_(0, ours.crystal, ours.f_squared, "amax")
    difference = (ours.f_squared[order[0]] - theirs.f_squared[order[1]]).abs() / strongest[ours.crystal[order[0]]]
    assert float(difference.max()) < tolerance
    assert torch.equal(ours.multiplicity[order[0]], theirs.multiplicity[order[1]])


@pytest.mark.parametrize(
    "instrument",
    [
        Instrument(),
        Instrument(n_points=20000, eta=0.4),
        Instrument(n_points=1000, eta=1.0, resolution=(0.4, -0.2, 0.2)),
        LABORATORY_INSTRUMENT,
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 4e-6), (torch.float32, 1e-5)])
def test_patterns(crystals, tensors, instrument, dtype, tolerance):
    """Windows and cut-offs differ at the feet of peaks, by less than is stated for the approximation itself."""
    lines = powder_reflections(crystals, instrument, dtype=dtype, margin=instrument.reach)
    ours = draw_peaks(lines, instrument)
    theirs = tensors(lambda: draw_peaks(lines, instrument))
    assert ours.dtype == dtype
    assert float(((ours - theirs).abs().amax(1) / theirs.amax(1)).max()) < tolerance


def test_reflection_data(tensors):
    numbers = np.arange(1, 231)
    ours = ideal_patterns(numbers, Instrument(), 3)
    theirs = tensors(lambda: ideal_patterns(numbers, Instrument(), 3))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("number", [2, 3, 7])
def test_threads_change_nothing(crystals, threads, number):
    instrument = Instrument(eta=0.2)
    results = []
    for used in (1, number):
        threads(used)
        lines = powder_reflections(crystals, instrument, dtype=torch.float32)
        results.append((lines.f_squared, lines.hkl, draw_peaks(lines, instrument)))
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_a_failure_in_a_thread_is_seen(threads):
    def work(begin, end):
        if begin:
            raise ValueError(f"items {begin} to {end}")

    threads(2)
    with pytest.raises(ValueError, match="items 5 to 10"):
        cpu.in_threads(work, np.ones(10))


def test_items_are_shared_out_by_their_cost(threads):
    seen = []
    threads(3)
    cpu.in_threads(lambda begin, end: seen.append((begin, end)), np.array([1.0] * 8 + [0.0] * 4 + [16.0]))
    assert sorted(seen)[0][0] == 0 and sorted(seen)[-1][1] == 13
    assert sum(end - begin for begin, end in seen) == 13
    assert (12, 13) in seen


def test_no_items_no_work():
    cpu.in_threads(lambda begin, end: None, np.zeros(0))

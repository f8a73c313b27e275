"""The worlds: one thing changes at a time, what a training draws holds the tests that it says it holds."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from paperlib.diffraction.imperfections import RULES, Imperfections
from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.diffraction.profile import peak_shape
from paperlib.diffraction.specimen import scherrer_width
from paperlib.diffraction.worlds import (
    DRAWN,
    INSIDE,
    OUTSIDE,
    PARTLY,
    SAMPLING_STEPS,
    one_change_each,
    samplings,
    seen_in_all,
)

WORLDS, SAMPLED = one_change_each(), samplings()
CLEAN = WORLDS["clean"]


def changed(world, base=CLEAN):
    """What of a world is not as in another: fields of the instrument, imperfections that occur, the alteration."""
    one, other = world.instrument, base.instrument
    what = {f.name for f in fields(one) if getattr(one, f.name) != getattr(other, f.name)}
    spoilt, before = world.imperfections or Imperfections(), base.imperfections or Imperfections()
    what |= {name for name in RULES if getattr(spoilt, name) != getattr(before, name)}
    return what | ({"alteration"} if world.alteration != base.alteration else set())


def test_a_test_differs_from_clean_patterns_by_one_thing():
    doublet = {"wavelength", "second_wavelength"}
    for key, world in WORLDS.items():
        if key not in ("clean", "drawn", "laboratory"):
            assert len(changed(world)) == 1 or changed(world) == doublet, key
    assert changed(WORLDS["laboratory"]) > doublet | {"texture", "counts", "crystallite_size"}


def test_what_a_training_draws_holds_what_is_called_inside():
    for key, world in WORLDS.items():
        spoilt = world.imperfections or Imperfections()
        held = world.instrument == CLEAN.instrument and world.alteration is None
        for name, rule in RULES.items():
            (low, high), (least, most) = getattr(spoilt, name), getattr(DRAWN, name)
            none = (low, high) == (rule.off, rule.off) and name in ("crystallite_size", "background", "gaussian_noise")
            held &= none or least <= low <= high <= most
        assert held == (world.drawn == INSIDE), key
    assert {world.drawn for world in WORLDS.values()} == {INSIDE, PARTLY, OUTSIDE}


def test_widths_are_inside_and_the_broadest_is_what_the_text_says():
    angle = torch.linspace(5, 90, 50, dtype=torch.float64)
    sizes = [torch.full_like(angle, scherrer_width(size, CU_KALPHA.wavelength)) for size in DRAWN.crystallite_size]
    broad, narrow = (float((peak_shape(CU_KALPHA, angle, y=y)[0] / CU_KALPHA.fwhm(angle)).mean()) for y in sizes)
    assert narrow < 1.01 and 1.7 < broad < 2.0
    for key in ("width_11", "width_12", "width_15"):
        ratio = WORLDS[key].instrument.fwhm(angle) / CU_KALPHA.fwhm(angle)
        assert torch.allclose(ratio, torch.tensor(WORLDS[key].level, dtype=torch.float64))
        assert narrow < WORLDS[key].level < broad


def test_samplings_have_one_time_per_degree_and_steps_that_change_one_thing():
    variance_per_point = [(w.imperfections.gaussian_noise[1] ** 2, w.instrument.step) for w in SAMPLED.values()]
    assert np.ptp([variance * step for variance, step in variance_per_point]) < 1e-9
    expected = {"points": {"n_points"}, "fewer": {"n_points"}, "width": {"resolution"}, "bins": {"alteration"}}
    for key, (one, other) in SAMPLING_STEPS.items():
        what = changed(SAMPLED[one], SAMPLED[other]) - {"gaussian_noise"}
        assert what == expected.get(key.partition("_")[0], {"two_theta", "n_points"}), key
        if key.endswith("range"):
            assert SAMPLED[one].instrument.step == pytest.approx(CU_KALPHA.step, rel=2e-3)
    bins = SAMPLED["half_1000_bins"].sampling()
    assert bins["in_bin"] == 5 and bins["fwhm"] / bins["step"] < 1


def test_a_crystal_is_left_out_that_one_world_does_not_show(build, halite):
    # the first lines stand at 2θ = 22, 60 and 100 degrees
    crystals = build(*(halite | {"cell": [a, a, a, 90, 90, 90], "species": [26] * 8} for a in (7.0, 2.67, 1.74)))
    halved = replace(crystals, occupancy=np.tile([1.0] * 4 + [0.5] * 4, 3))
    assert seen_in_all(halved, [CLEAN]).tolist() == [0, 1]
    assert seen_in_all(halved, [CLEAN, *SAMPLED.values()]).tolist() == [0]

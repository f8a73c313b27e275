"""The distance of Kα1 and Kα2 tells the anode, and says nothing where it cannot."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from paperlib.answers.anode import DOUBLETS, SURE, anode_of, anode_warning, doublets, other_anodes
from paperlib.answers.answer import ask
from paperlib.datasets.measured import MeasuredPattern
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS
from paperlib.diffraction.simulate import powder_patterns
from paperlib.diffraction.without_torch import K_ALPHA

GRID = np.linspace(5, 90, 4251)


def pattern_of(intensity, two_theta=GRID, wavelength=1.5406, radiation="xray"):
    return MeasuredPattern(two_theta, intensity, wavelength, 0.0, 0.5, radiation, Path("a.xy"), "text", ())


def by_hand(shift, seed=0, n=30, noise=0.5):
    """Lines at random, each with a second one ``shift`` away in ln sin θ: what one anode does, from its definition."""
    rng = np.random.default_rng(seed)
    x = np.log(np.sin(np.radians(GRID / 2)))
    counts = np.full(len(GRID), 20.0)
    for place, height in zip(rng.uniform(-1.6, -0.4, n), 10 ** rng.uniform(1.5, 3.5, n), strict=True):
        for at, share in ((place, 1.0), (place + shift, 0.5)) if shift else ((place, 1.0),):
            counts += height * share * np.exp(-4 * np.log(2) * ((x - at) * np.tan(np.exp(at)) / 8e-4) ** 2)
    return rng.poisson(counts).astype(float)


def measured(crystals, anode):
    first, second = DOUBLETS[anode]
    beam = {"two_theta": (5.0, 90.0), "n_points": len(GRID), "wavelength": first, "second_wavelength": second}
    world = dataclasses.replace(MINERALS, detector_start=0.0, detector_end=180.0, counts=(1e4, 1e5), gaussian_noise=0.0)
    instrument = dataclasses.replace(MINERAL_INSTRUMENT, **beam)
    return powder_patterns(crystals, instrument, seed=3, imperfections=world).numpy()


def test_the_lines_lie_within_what_the_tables_of_means_say():
    for anode, (first, second) in DOUBLETS.items():
        assert (2 * first + second) / 3 == pytest.approx(K_ALPHA[anode], rel=2e-4)
        assert anode_of(first) == anode_of((2 * first + second) / 3) == anode
    assert anode_of(1.0) == ""


@pytest.mark.parametrize("anode", DOUBLETS)
def test_a_doublet_that_was_drawn_by_hand_is_the_most_likely(anode):
    shift = np.log(DOUBLETS[anode][1] / DOUBLETS[anode][0])
    found = doublets(GRID, by_hand(shift))
    assert max(found, key=found.get) == anode
    assert found[anode] > found[""] + 10


def test_a_single_line_is_no_doublet():
    found = doublets(GRID, by_hand(0.0))
    assert max(found, key=found.get) == ""
    assert anode_warning(pattern_of(by_hand(0.0))) == []


def test_neither_a_shift_of_all_lines_nor_a_scale_nor_a_background_changes_what_is_said():
    counts = by_hand(np.log(DOUBLETS["Co"][1] / DOUBLETS["Co"][0]))
    for two_theta, intensity in ((GRID + 0.05, counts), (GRID, 7 * counts), (GRID, counts + 500 - 3 * GRID)):
        best, share = next(iter(other_anodes(pattern_of(intensity, two_theta)).items()))
        assert best == "Co" and share > SURE


def test_the_wrong_wavelength_is_said_and_the_right_one_is_not(prototypes):
    crystals = prototypes[::24]
    for anode in ("Co", "Mo"):
        rows = measured(crystals, anode)
        told = [anode_warning(pattern_of(row)) for row in rows]
        assert np.mean([bool(text) for text in told]) > 0.6
        assert np.mean([f"{anode} (" in text[0] for text in told if text]) > 0.6
        right = [anode_warning(pattern_of(row, wavelength=DOUBLETS[anode][0])) for row in rows]
        assert np.mean([bool(text) for text in right]) < 0.15


def test_nothing_is_said_of_neutrons_of_gaps_of_coarse_and_of_short_patterns():
    counts = by_hand(np.log(DOUBLETS["Co"][1] / DOUBLETS["Co"][0]))
    assert anode_warning(pattern_of(counts))
    assert other_anodes(pattern_of(counts, radiation="neutron")) == {}
    whole = np.abs(GRID - 60) > 1
    for few in (whole, slice(None, None, 4), GRID < 45, GRID > 88):
        assert other_anodes(pattern_of(counts[few], GRID[few])) == {}
    assert other_anodes(pattern_of(0 * counts)) == {}


def test_the_answer_has_the_warning(asker):
    counts = by_hand(np.log(DOUBLETS["Co"][1] / DOUBLETS["Co"][0]))
    answer = ask(asker, pattern_of(counts), "a.xy")
    assert any("those of Co (1.79 Å)" in text for text in answer.warnings)

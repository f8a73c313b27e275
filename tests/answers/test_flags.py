"""Warnings come where they should, and not where the training had the like."""

import dataclasses

import numpy as np
import pytest

from paperlib.answers.answer import INSTRUMENT, TRAINED
from paperlib.answers.flags import _SCHERRER_K, flags, hump_share, trained_widths
from paperlib.answers.lines import Doublet, find_lines
from paperlib.answers.network_input import above_baseline
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS
from paperlib.diffraction.simulate import powder_patterns
from paperlib.diffraction.specimen import SCHERRER_K
from paperlib.diffraction.without_torch import NOT_MEASURED

GRID = INSTRUMENT.grid()
COPPER = Doublet(INSTRUMENT.second_wavelength / INSTRUMENT.wavelength - 1, INSTRUMENT.wavelength)
HUMP = np.exp(-(((GRID - 25) / 6) ** 2))


def warned(pattern):
    pattern = np.where(pattern < 0, NOT_MEASURED, pattern / pattern.max()).astype(np.float32)
    above = above_baseline(pattern[None], INSTRUMENT.step)[0]
    lines = find_lines(above, pattern >= 0, INSTRUMENT, COPPER)
    return flags(pattern, above, lines, INSTRUMENT, TRAINED)


def test_patterns_of_the_training_get_no_warning_but_of_their_range(prototypes):
    crystals = prototypes[::12]
    patterns = powder_patterns(crystals, MINERAL_INSTRUMENT, seed=5, imperfections=MINERALS).numpy()
    assert [text for row in patterns for text in warned(row)] == []


def test_noise_and_glass_have_no_lines(simulated):
    rng = np.random.default_rng(1)
    for pattern in (rng.normal(1, 0.1, len(GRID)), rng.poisson(20 + 300 * HUMP).astype(float)):
        assert [text.split(":")[0] for text in warned(pattern)] == ["no line stands out of the noise"]


def test_a_pattern_of_spikes_is_said_to_be_noise():
    """Of a file of a diffractometer from which somebody had taken a background that was too high."""
    counts = np.maximum(np.random.default_rng(0).standard_t(2, len(GRID)) + 0.5, 0) + 0.01
    texts = warned(np.minimum(counts, 12))
    assert any("lines cannot be told from it" in text for text in texts)


def test_lines_on_much_glass_are_said_to_be_so(simulated):
    pattern = simulated[1][0]
    assert warned(pattern) == warned(pattern + 0.01 * HUMP) == []
    (text,) = warned(pattern + 3 * HUMP)
    assert "broad humps: the specimen is largely amorphous" in text


def test_air_scatter_and_fluorescence_are_no_hump(simulated):
    pattern = simulated[1][0]
    falling = 3 * np.exp(-GRID / 8) + 0.5
    for more in (falling, falling[::-1]):
        whole = ((pattern + more) / (pattern + more).max()).astype(np.float32)
        above = above_baseline(whole[None], INSTRUMENT.step)[0]
        assert hump_share(whole, above, INSTRUMENT.step) < 0.5
        assert warned(pattern + more) == []


def test_a_short_range_is_said(simulated):
    pattern = simulated[1][0]
    assert warned(np.where(GRID < 60, pattern, -1)) == []
    (text,) = warned(np.where(GRID < 40, pattern, -1))
    assert "only 41 % of the range 5–90°" in text


def test_lines_wider_than_in_the_training_and_sticks_are_said(prototypes):
    broad = dataclasses.replace(MINERALS, crystallite_size=4.0, background=0.0, hump=0.0, gaussian_noise=0.0)
    row = powder_patterns(prototypes[:1], MINERAL_INSTRUMENT, seed=1, imperfections=broad).numpy()[0]
    assert any("much wider than in the training" in text for text in warned(row))
    sticks = np.zeros(len(GRID))
    sticks[[300, 500, 700, 900, 1200]] = 1, 0.5, 0.7, 0.3, 0.2
    (text,) = warned(sticks)
    assert "single points" in text and "list of lines" in text


def test_widths_of_the_training_by_hand():
    least, greatest = trained_widths(np.array([30.0, 80.0]), INSTRUMENT, TRAINED)
    assert (least > 0.04).all() and (least < greatest).all()
    scherrer = np.degrees(0.9 * 1.5406 / 200) / np.cos(np.radians(15))
    assert greatest[0] > least[0] + scherrer and greatest[0] < least[0] + 1.5 * scherrer
    assert _SCHERRER_K == pytest.approx(SCHERRER_K)

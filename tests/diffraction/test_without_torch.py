"""What is copied for readers without torch is what it is a copy of."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from paperlib.diffraction import baseline, instrument, without_torch
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS
from paperlib.diffraction.without_torch import MINERAL_DIFFRACTOMETER, SPANNED_BROADENING


@pytest.mark.parametrize("name", ["NOT_MEASURED", "AVERAGED", "LINE", "SHORTEST", "K_ALPHA", "MAX_DOUBLET"])
def test_each_number_is_its_original(name):
    (original,) = [room for room in (baseline, instrument) if hasattr(room, name)]
    assert getattr(without_torch, name) == getattr(original, name)


def test_each_field_is_that_of_its_original():
    for field in dataclasses.fields(MINERAL_DIFFRACTOMETER):
        assert getattr(MINERAL_DIFFRACTOMETER, field.name) == getattr(MINERAL_INSTRUMENT, field.name), field.name


def test_lines_are_as_wide_as_in_either_of_the_worlds_that_are_trained_in():
    for field in dataclasses.fields(SPANNED_BROADENING):
        ends = [getattr(world, field.name) for world in (MINERALS, LABORATORY)]
        assert getattr(SPANNED_BROADENING, field.name) == (min(e[0] for e in ends), max(e[1] for e in ends)), field.name


def test_the_points_are_those_of_the_instrument():
    np.testing.assert_array_equal(MINERAL_DIFFRACTOMETER.grid(), MINERAL_INSTRUMENT.grid())
    assert MINERAL_DIFFRACTOMETER.step == MINERAL_INSTRUMENT.step == pytest.approx(0.04)


def test_it_loads_no_torch():
    code = "import sys, paperlib.diffraction.without_torch, paperlib.datasets.measured; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr

"""The comparison with pymatgen: agreement on real structures, and what a fault of ours would look like."""

import dataclasses

import numpy as np
import pytest

from paperlib.datasets.prepared import prepared_crystals
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.peers import deviations as module
from paperlib.diffraction.peers.deviations import pymatgen_deviations
from paperlib.diffraction.reflections import powder_reflections

INSTRUMENT = Instrument()


@pytest.fixture(scope="module")
def sample():
    crystals = prepared_crystals("prototypes").crystals
    return crystals[np.arange(0, len(crystals), 60)]


def test_the_rows_are_the_crystals_and_agree(sample):
    table = pymatgen_deviations(sample, INSTRUMENT)
    assert table.source_id.tolist() == list(sample.source_id)
    assert table.lines.min() > 0 and table.position_deviation.max() < 1e-4
    assert table.r_their_f0.max() < 1e-6 < 1e-4 < table.r_ours.median() < 0.05, "own form factors are others"


def test_a_fault_in_one_crystal_stands_in_its_row(sample, monkeypatch):
    def faulty(crystals, instrument, **options):
        found = powder_reflections(crystals, instrument, **options)
        two_theta = found.two_theta.clone()
        two_theta[int(found.start[1]) : int(found.start[2])] += 0.001
        return dataclasses.replace(found, two_theta=two_theta)

    monkeypatch.setattr(module, "powder_reflections", faulty)
    wrong = pymatgen_deviations(sample, INSTRUMENT).position_deviation
    assert wrong[1] == pytest.approx(0.001, rel=1e-3)
    assert wrong.drop(1).max() < 1e-4

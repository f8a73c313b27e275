import dataclasses

import pytest
import torch

from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.laboratory import LABORATORY, LABORATORY_INSTRUMENT, LABORATORY_TABLE, imperfections


def test_every_row_is_a_range_of_the_preset():
    """The table is what is drawn, and every field that has a range stands in it with a source."""
    fields = {f.name for f in dataclasses.fields(Imperfections)} - {"texture_axis", "impurities", "background_order"}
    # crystals as they are read have displacements of their own
    fields -= {"overall_b"}
    assert {row.parameter for row in LABORATORY_TABLE} == fields
    assert all(row.unit and row.source and row.low <= row.high for row in LABORATORY_TABLE)
    for row in LABORATORY_TABLE:
        if row.parameter not in ("second_phase", "goniometer_radius"):
            assert getattr(LABORATORY, row.parameter) == (row.low, row.high)


def test_second_phases_need_a_pool(build, halite):
    assert imperfections("laboratory") == LABORATORY
    assert not LABORATORY.has("second_phase")
    assert imperfections("laboratory", impurities=build(halite)).has("second_phase")
    with pytest.raises(ValueError, match="'synchrotron'; use 'laboratory'"):
        imperfections("synchrotron")


def test_widths_of_the_instrument():
    """GSAS-II's U = 2, V = -2, W = 5 are variances in (0.01°)²: at tan θ = 0.5, σ² = 4.5e-4 deg², FWHM 0.04995°."""
    at = torch.tensor([2 * 26.56505117707799], dtype=torch.float64)
    assert float(LABORATORY_INSTRUMENT.fwhm(at)) == pytest.approx(0.04995, abs=1e-5)
    assert LABORATORY_INSTRUMENT.step == pytest.approx(0.02)

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.peers.compare import (
    agreement_summary,
    line_disagreement,
    merge_lines,
    pymatgen_form_factors,
    pymatgen_lines,
)
from paperlib.diffraction.scattering import form_factors


def test_merging_sums_and_weighs():
    two_theta, intensity = merge_lines(np.array([30.001, 10.0, 30.0]), np.array([1.0, 5.0, 3.0]), 0.002)
    assert two_theta.tolist() == pytest.approx([10.0, 30.00025])
    assert intensity.tolist() == [5.0, 4.0]


def test_dark_lines_merge_to_their_mean():
    two_theta, intensity = merge_lines(np.array([20.0, 20.001]), np.zeros(2), 0.002)
    assert two_theta.tolist() == pytest.approx([20.0005])
    assert intensity.tolist() == [0.0]
    assert merge_lines(np.zeros(0), np.zeros(0), 0.1)[0].shape == (0,)


def test_impossible_lines_are_refused():
    with pytest.raises(ValueError, match="shape"):
        merge_lines(np.zeros(3), np.zeros(2), 0.1)
    with pytest.raises(ValueError, match="-1"):
        merge_lines(np.zeros(1), np.array([-1.0]), 0.1)
    with pytest.raises(ValueError, match="positive total"):
        line_disagreement((np.ones(1), np.zeros(1)), (np.ones(1), np.ones(1)))


def test_disagreement_by_hand():
    first = np.array([10.0, 20.0]), np.array([1.0, 1.0])
    assert line_disagreement(first, first) == (0.0, 0.0)
    moved = line_disagreement(first, (np.array([10.001, 20.0]), np.array([7.0, 7.0])))
    assert moved.position == pytest.approx(0.001)
    assert moved.intensity == pytest.approx(0.0)
    # Halves against three quarters and one quarter differ by a quarter twice.
    assert line_disagreement(first, (first[0], np.array([3.0, 1.0]))).intensity == pytest.approx(0.5)
    assert line_disagreement(first, (np.array([40.0]), np.array([1.0]))) == (0.0, 2.0)


def test_splitting_a_line_is_no_disagreement():
    one = np.array([10.0, 30.0]), np.array([2.0, 2.0])
    split = np.array([10.0, 29.9995, 30.0005]), np.array([2.0, 1.0, 1.0])
    assert line_disagreement(one, split).intensity == pytest.approx(0.0)


def test_pymatgen_keeps_weak_lines_and_is_left_as_it_was():
    from pymatgen.analysis.diffraction.core import AbstractDiffractionPatternCalculator
    from pymatgen.core import Lattice, Structure

    before = AbstractDiffractionPatternCalculator.SCALED_INTENSITY_TOL
    silicon = Structure.from_spacegroup(227, Lattice.cubic(5.431), ["Si"], [[0, 0, 0]])
    two_theta, intensity = pymatgen_lines(silicon, CU_KALPHA)
    assert AbstractDiffractionPatternCalculator.SCALED_INTENSITY_TOL == before > 0
    # 222, whose intensity is zero, is still in the list.
    row = np.argmin(np.abs(two_theta - 58.9))
    assert two_theta[row] == pytest.approx(58.9, abs=0.05)
    assert intensity[row] < 1e-20 * intensity.max()


@pytest.mark.parametrize("change", [{"anomalous": True}, {"monochromator": 26.6}, {"polarisation": False}])
def test_what_pymatgen_cannot_do_is_refused(change):
    with pytest.raises(ValueError, match="pymatgen models neither"):
        pymatgen_lines(None, Instrument(**change))


def test_form_factors_of_pymatgen_start_at_the_number_of_electrons():
    table = pymatgen_form_factors()
    z = torch.tensor([1, 8, 26, 92])
    assert form_factors(table, z, torch.zeros(4, dtype=torch.float64)).tolist() == [1, 8, 26, 92]
    # Two parametrisations of the same atoms: within 2 % up to s = 0.5 Å⁻¹.
    from paperlib.diffraction.scattering import scattering_table

    s_squared = torch.tensor(0.25, dtype=torch.float64)
    ours = form_factors(scattering_table("xray"), z[1:], s_squared)
    assert torch.allclose(form_factors(table, z[1:], s_squared), ours, rtol=0.02)


def test_summary_of_four_programs_by_hand():
    profiles = pd.DataFrame(
        {
            "radiation": ["xray", "neutron", "neutron"],
            "correlation": [0.999, 1.0, 0.9998],
            "r": [0.01, 0.0, 0.002],
            "max_difference": [0.02, 0.001, 0.003],
        }
    )
    lines = pd.DataFrame({"d_deviation": [1e-7, 3e-7], "xray_deviation": [1e-6, 0.0], "neutron_deviation": [0.0, 0.0]})
    summary = agreement_summary({"cctbx": lines, "CrysFML": profiles})
    rows = {(r.program, r.radiation, r.quantity): (r.structures, r.median, r.worst) for r in summary.itertuples()}
    assert len(rows) == len(summary) == 9
    assert rows["cctbx", "both", "d (relative)"] == pytest.approx((2, 2e-7, 3e-7))
    assert rows["cctbx", "xray", "Σ|F|² (of the strongest line)"] == pytest.approx((2, 5e-7, 1e-6))
    assert rows["CrysFML", "neutron", "1 - correlation of the profile"] == pytest.approx((2, 1e-4, 2e-4))
    assert rows["CrysFML", "neutron", "R of the profile"] == pytest.approx((2, 0.001, 0.002))
    assert rows["CrysFML", "xray", "largest difference (of the maximum)"] == pytest.approx((1, 0.02, 0.02))


def test_summaries_of_nothing_are_refused():
    with pytest.raises(ValueError, match=r"'GSAS'; known are \['pymatgen', 'cctbx', 'CrysFML', 'FullProf'\]"):
        agreement_summary({"GSAS": pd.DataFrame()})
    with pytest.raises(ValueError, match=r"cctbx has 1 rows and lacks the columns \['neutron_deviation'\]"):
        agreement_summary({"cctbx": pd.DataFrame({"d_deviation": [0.0], "xray_deviation": [0.0]})})
    with pytest.raises(ValueError, match="FullProf has 0 rows"):
        agreement_summary({"FullProf": pd.DataFrame(columns=["radiation", "correlation", "r", "max_difference"])})

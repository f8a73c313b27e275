"""The comparison with cctbx: agreement on every space group, and no agreement where there is a fault."""

import gzip
import json

import numpy as np
import pytest
import torch

from paperlib.diffraction.peers import reference
from paperlib.diffraction.peers.reference import cctbx_deviations
from paperlib.diffraction.reflections import powder_reflections

COLUMNS = {"source_id", "space_group", "lines", "d_deviation", "xray_deviation", "neutron_deviation"}


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(path, entries):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)
    return path


@pytest.fixture(scope="module")
def file(reference_folder):
    return reference_folder / "cctbx_lines_per_sg.jsonl.gz"


@pytest.fixture(scope="module")
def entries(file):
    """Seven of the structures, one from each crystal system or so."""
    return read(file)[::32]


def test_every_space_group_agrees_with_cctbx(file):
    table = cctbx_deviations(file)
    assert set(table.columns) == COLUMNS and len(table) == len(read(file)) == 223
    assert table.space_group.nunique() > 215 and table.lines.min() > 5
    assert table.d_deviation.max() < 1e-5
    assert table.xray_deviation.max() < 1e-5
    assert table.neutron_deviation.max() < 1e-5
    assert (table.xray_deviation > 0).all(), "two programs never agree in every bit; zero would mean no comparison"


@pytest.mark.parametrize("radiation", ["xray", "neutron"])
def test_single_precision_on_the_same_structures(file, radiation):
    """|F|² of all 223 structures in float32: within 1e-5 of the strongest line of float64, where 1e-3 is asked."""
    crystals = reference.read_jsonl(file, standardise=False, workers=1).crystals
    short = reference.Instrument(radiation=radiation, wavelength=0.7, two_theta=(0.2, 34.5))
    double, single = (powder_reflections(crystals, short, dtype=dtype) for dtype in (torch.float64, torch.float32))
    for first, last in zip(double.start[:-1], double.start[1:], strict=True):
        expected = double.f_squared[first:last]
        assert (single.f_squared[first:last] - expected).abs().max() < 1e-5 * expected.max()


@pytest.mark.parametrize(
    "fault", ["an atom moved by 0.02", "another element", "a cell 0.1 % too long", "a line left out", "a line too many"]
)
def test_a_fault_shows_as_a_large_deviation(entries, tmp_path, fault):
    good = cctbx_deviations(write(tmp_path / "good.jsonl.gz", entries))
    assert good[["d_deviation", "xray_deviation", "neutron_deviation"]].max().max() < 1e-5
    broken = json.loads(json.dumps(entries))
    for entry in broken:
        if fault == "an atom moved by 0.02":
            entry["frac"][0] = [x + 0.02 * k for x, k in zip(entry["frac"][0], (1, 2, 3), strict=True)]
        elif fault == "another element":
            entry["el"][0] = "Fe" if entry["el"][0] != "Fe" else "O"
        elif fault == "a cell 0.1 % too long":
            entry["lattice"] = (np.array(entry["lattice"]) * 1.001).tolist()
        else:
            lines = np.array(entry["lines_d_Ix_In"])
            strongest = lines[:, 1].argmax()
            if fault == "a line left out":
                lines = np.delete(lines, strongest, axis=0)
            else:
                lines = np.insert(lines, strongest, lines[strongest] * [1.003, 0.1, 0.1], axis=0)
            entry["lines_d_Ix_In"] = lines.tolist()
    found = cctbx_deviations(write(tmp_path / "broken.jsonl.gz", broken))
    assert len(found) == len(good)
    assert (found.xray_deviation > 1e-3).all(), found.xray_deviation


def test_a_structure_that_cannot_be_read_is_named(entries, tmp_path):
    broken = json.loads(json.dumps(entries[:2]))
    broken[1]["el"][0] = "Qq"
    with pytest.raises(ValueError, match="cannot be read") as error:
        cctbx_deviations(write(tmp_path / "broken.jsonl.gz", broken))
    assert "broken.jsonl.gz" in str(error.value) and broken[1]["id"] in str(error.value)


def test_sums_of_squares_worked_by_hand(tmp_path):
    # atoms at rest on a body-centred cell scatter neutrons with F = 2 b where h + k + l is even, else F = 0;
    # b of iron is 9.45 fm (Sears 1992); down to 1.2 Å there are 110, 12 indices of one spacing, and 200, 6
    b, a = 9.45, 2.8665
    lines = [[a / 2**0.5, 12.0, 12 * (2 * b) ** 2], [a / 2, 6.0, 6 * (2 * b) ** 2]]
    lattice = (np.eye(3) * a).tolist()
    entry = {"id": "iron", "lattice": lattice, "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "el": ["Fe", "Fe"]}
    row = cctbx_deviations(write(tmp_path / "iron.jsonl.gz", [entry | {"lines_d_Ix_In": lines}])).iloc[0]
    assert row.space_group == 229 and row.neutron_deviation < 1e-9 and row.d_deviation < 1e-12
    assert row.xray_deviation > 0.1, "the X-ray column holds plain multiplicities, which no atom scatters"


@pytest.mark.parametrize(
    "ours, theirs, expected",
    [
        (([2.0, 1.5], [10.0, 5.0]), ([2.0, 1.5], [10.0, 5.0]), (0, 0)),
        (([2.0, 1.5], [10.0, 4.0]), ([2.0, 1.5], [10.0, 5.0]), (0, 0.1)),
        # one program splits what the other merges
        (([2.000001, 2.0, 1.5], [4.0, 6.0, 5.0]), ([2.0000005, 1.5], [10.0, 5.0]), (0, 0)),
        # a line that only one of them has
        (([2.0, 1.7, 1.5], [10.0, 3.0, 5.0]), ([2.0, 1.5], [10.0, 5.0]), (0, 0.3)),
        (([2.0], [10.0]), ([2.0, 1.5], [10.0, 5.0]), (0, 0.5)),
        # within the width of a cluster the difference in spacing is measured
        (([2.000008, 1.5], [10.0, 5.0]), ([2.0, 1.5], [10.0, 5.0]), (4e-6, 0)),
        # at the very end of the range a line may be missing
        (([2.0, 1.20001], [10.0, 5.0]), ([2.0], [10.0]), (0, 0)),
        (([2.0, 1.2001], [10.0, 5.0]), ([2.0], [10.0]), (0, 0.5)),
    ],
)
def test_the_deviation_of_two_lists_by_hand(ours, theirs, expected):
    found = reference._deviation(*map(np.array, ours), *map(np.array, theirs))
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_instrument_reaches_the_last_reference_line(file, entries):
    short = reference.Instrument(radiation="xray", wavelength=0.7, two_theta=(0.2, 34.5), anomalous=False)
    assert 0.7 / (2 * np.sin(np.radians(34.5 / 2))) < reference.D_MIN
    crystals = reference.read_jsonl(file, standardise=False).crystals[0]
    assert powder_reflections(crystals, short).d.min() < reference.D_MIN * 1.02
    assert min(min(line[0] for line in entry["lines_d_Ix_In"]) for entry in entries) >= reference.D_MIN

"""Measured patterns: every dialect of text gives the same numbers, what is wrong is named, and grids keep the peaks."""

import os
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets import measured
from paperlib.datasets.measured import MeasuredPattern, PatternError, on_instrument, read_pattern, read_patterns
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.simulate import powder_patterns
from tests.datasets import pattern_files as made
from tests.datasets.pattern_files import COUNTS, TWO_THETA, N

CU = 1.5406
Q = 4 * np.pi * np.sin(np.radians(TWO_THETA / 2)) / CU
D = 2 * np.pi / Q
POINTS = list(zip(TWO_THETA, COUNTS, strict=True))


@pytest.fixture
def read(tmp_path):
    """read(content) -> pattern at Cu Kα1."""

    def from_content(content, **given_to):
        path = tmp_path / "pattern.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_pattern(path, **{"wavelength": CU} | given_to)

    return from_content


def check_points(pattern, atol=1e-9):
    assert np.allclose(pattern.two_theta, TWO_THETA, atol=atol) and np.allclose(pattern.intensity, COUNTS, atol=1e-6)


def pattern_of(two_theta, intensity, wavelength=CU, second=0.0):
    return MeasuredPattern(two_theta, intensity, wavelength, second, 0.5, "xray", "made", "text", ())


@pytest.mark.parametrize(
    "content",
    [
        made.columns(),
        made.columns(separator=","),
        made.columns(separator=", "),
        made.columns(separator="\t"),
        made.columns(separator=";", comma=True),
        made.columns(separator=" ", comma=True),
        made.columns(separator="\t", comma=True),
        made.columns(separator="   ", esd=True),
        made.columns(separator="; ", comma=True, esd=True),
        made.columns(header=["2theta,intensity"], separator=","),
        made.columns(header=["# a scan of 5 points", "! 10 70", "601 1"], esd=True),
        made.columns(header=["Angle 2Theta", "10.0 0.1 70.0"]),
        made.columns(end="\r\n"),
        made.columns(end="\r"),
        b"\xef\xbb\xbf" + made.columns().encode(),
        made.columns().encode("utf-16"),
        made.columns().encode("utf-16-le"),
        made.columns().encode("utf-16-be"),
        made.columns(header=["# 2θ in °"]).encode("latin-1", "replace"),
        made.columns() + "\n# end of the scan\n\x1a",
        "title\n2-Theta Angle (Degrees)\nIntensity\n     601\n" + made.columns(separator="  "),
        ",2theta (deg),intensity\n" + "".join(f"{i},{a},{b}\n" for i, (a, b) in enumerate(POINTS)),
        "intensity;2theta\n" + made.columns(COUNTS, TWO_THETA, separator=";"),
        '"2theta","counts"\n' + "".join(f'"{a}","{b}"\n' for a, b in POINTS),
    ],
)  # fmt: skip
def test_text_in_its_dialects(read, content):
    pattern = read(content)
    check_points(pattern)
    assert pattern.format == "text" and pattern.warnings == ()
    assert pattern.two_theta.dtype == pattern.intensity.dtype == np.float64


DIALECTS = st.fixed_dictionaries(
    {
        "separator": st.sampled_from([" ", "   ", "\t", ";", "; ", ","]),
        "comma": st.booleans(),
        "header": st.sampled_from([(), ("2theta counts",), ("# made", "! by a test"), ("Sample: A 5", "", "x 1 2")]),
        "end": st.sampled_from(["\n", "\r\n", "\r"]),
        "esd": st.booleans(),
    }
)


@given(
    dialect=DIALECTS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    backwards=st.booleans(),
    start=st.integers(200, 4000),
    step=st.integers(1, 50),
    n=st.integers(100, 300),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_come_back_whatever_the_dialect(tmp_path, dialect, encoding, backwards, start, step, n):
    if dialect["separator"] == ",":
        dialect["comma"] = False
    x = (start + step * np.arange(n)) / 100
    counts = np.random.default_rng(n).integers(0, 10**6, n) / 10
    order = slice(None, None, -1 if backwards else 1)
    path = tmp_path / "pattern.xy"
    path.write_bytes(made.columns(x[order], counts[order], decimals=2, **dialect).encode(encoding))
    pattern = read_pattern(path, wavelength=0.2)
    assert np.allclose(pattern.two_theta, x, rtol=0, atol=1e-9)
    assert np.allclose(pattern.intensity, counts, rtol=0, atol=1e-9)
    assert ("x decreases; sorted" in pattern.warnings) == backwards


@pytest.mark.parametrize(
    ("header", "x", "says"),
    [
        ("q(1/A) I", Q, "q in 1/Å"),
        ("Q [Å^-1];I", Q, "q in 1/Å"),
        ("#          q_A^-1   I  sigma", Q, "q in 1/Å"),
        ("#  q_nm^-1   I", 10 * Q, "q in 1/nm"),
        ("q (1/nm)", 10 * Q, "q in 1/nm"),
        ("d-spacing (A), Intensity", D, "d in Å"),
        ("d\tI", D, "d in Å"),
        ("d (nm)  I", D / 10, "d in nm"),
        ("2theta (rad)  I", np.radians(TWO_THETA), "radians"),
        ("# 2th_rad  I", np.radians(TWO_THETA), "radians"),
    ],
)
def test_an_axis_that_is_named_is_converted(read, header, x, says):
    pattern = read(made.columns(x, decimals=7, header=[header]))
    check_points(pattern, atol=1e-3)
    assert [warning for warning in pattern.warnings if says in warning]


@pytest.mark.parametrize(
    "header", ["2theta I", "2-Theta (deg) I", "TwoTheta;I", "tth I", "Angle,Intensity", "2θ, I", "° I"]
)
def test_an_axis_of_angles_is_left_alone(read, header):
    pattern = read(made.columns(header=[header]))
    check_points(pattern)
    assert pattern.warnings == ()


@pytest.mark.parametrize(
    "header", ["Time: 12:30", "Energy = 8.04 keV", "d = 240 mm", "Q: quality of the scan", "D8 Advance"]
)
def test_a_remark_is_no_name_of_an_axis(read, header):
    check_points(read(made.columns(header=[header])))


def test_what_cannot_be_seen_with_the_wavelength_is_left_out(read):
    pattern = read(made.columns(np.linspace(0.5, 12, N), header=["q I"]))
    assert len(pattern.two_theta) < N and pattern.two_theta[-1] < 180
    assert [warning for warning in pattern.warnings if "cannot be seen with 1.5406 Å" in warning]


@pytest.mark.parametrize(
    ("x", "wavelength", "says"),
    [
        (np.linspace(0.5, 7.9, N), CU, r"ends at 7\.9; .* may be q or d; write the name of the axis"),
        (D, CU, "steps of x grow"),
        (D[::-1], 0.2, "steps of x grow"),
        (np.geomspace(0.5, 30, N), CU, "steps of x grow"),
        (np.geomspace(1000, 20000, N), CU, "x reaches 20000.*time of flight"),
        (100 * TWO_THETA, CU, "hundredths of a degree"),
        (2 * TWO_THETA + 50, CU, "x reaches 190, and no 2theta does"),
    ],
)
def test_numbers_that_look_like_no_angles_are_refused(read, x, wavelength, says):
    with pytest.raises(PatternError, match=says):
        read(made.columns(x), wavelength=wavelength)


def test_short_ranges_are_angles_where_the_beam_or_the_file_says_so(read):
    x = np.linspace(1, 9, N)
    assert [w for w in read(made.columns(x), wavelength=0.2).warnings if "read as angles" in w]
    assert read(made.columns(x, header=["2theta I"])).warnings == ()


def test_steps_that_change_are_kept_and_mentioned(read):
    x = np.concatenate([np.arange(10, 30, 0.05), np.arange(30, 60, 0.1), np.arange(60, 120, 0.2)])
    pattern = read(made.columns(x, 100 + 50 * np.sin(x)))
    assert np.allclose(pattern.two_theta, x)
    assert pattern.warnings == ("the step is not constant: 0.05 to 0.2 degrees",)
    rounded = 10 + 0.0131303 * np.arange(3000)
    for decimals in (2, 3):
        assert read(made.columns(rounded, 100 + 50 * np.sin(rounded), decimals=decimals)).warnings == ()


def test_angles_at_zero_and_below_are_left_out(read):
    x = TWO_THETA - 11
    pattern = read(made.columns(x))
    assert pattern.two_theta[0] > 0 and "points at 2theta of zero or less are left out" in pattern.warnings[0]


def test_order_and_repeats_are_put_right(read):
    backwards = read(made.columns(TWO_THETA[::-1], COUNTS[::-1]))
    check_points(backwards)
    assert backwards.warnings == ("x decreases; sorted",)
    ranges = read(made.columns(np.roll(TWO_THETA, 200), np.roll(COUNTS, 200)))
    check_points(ranges)
    assert ranges.warnings == ("x turns back at 1 points; sorted",)
    twice = read(made.columns(np.append(TWO_THETA, 70.0), np.append(COUNTS, COUNTS[-1] + 10)))
    assert twice.intensity[-1] == COUNTS[-1] + 5 and len(twice.two_theta) == N
    assert twice.warnings == ("1 points repeat an angle; the mean is taken",)


@pytest.mark.parametrize("word", ["nan", "NaN", "?", "-", "inf", ""])
def test_missing_values_are_left_out(read, word):
    rows = made.columns(separator=";").split("\n")
    rows[100:110] = [f"{row.partition(';')[0]};{word}" for row in rows[100:110]]
    pattern = read("\n".join(rows))
    assert len(pattern.two_theta) == N - 10 and TWO_THETA[105] not in pattern.two_theta
    assert pattern.warnings[0] == "10 points without a value are left out"


def test_empty_fields_between_tabs_are_missing_not_the_next_column(read):
    rows = made.columns(separator="\t", esd=True).split("\n")
    first, _, esd = rows[50].split("\t")
    rows[50] = f"{first}\t\t{esd}"
    assert len(read("\n".join(rows)).two_theta) == N - 1
    check_points(read(made.columns(separator="\t\t")))


def test_lines_that_are_no_rows_are_named(read):
    rows = made.columns().split("\n")
    rows[40] = "detector overflow"
    pattern = read("\n".join(rows))
    assert len(pattern.two_theta) == N - 1
    assert pattern.warnings[:2] == (
        "1 lines are no rows of numbers, the first is line 41",
        "1 points without a value are left out",
    )


def test_what_is_slightly_negative_is_set_to_zero(read):
    noise = np.where(np.arange(N) % 3 == 0, -2.0, COUNTS)
    pattern = read(made.columns(y=noise))
    assert pattern.intensity.min() == 0 and pattern.intensity.max() == COUNTS.max()
    assert pattern.warnings == ("201 of 601 intensities are negative and set to 0",)


def counts_only():
    rows = np.random.default_rng(2).integers(100, 190, (200, 10))
    return "\n".join(["10.0 0.1 70.0", *map(made.numbers, rows)])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "an empty file"),
        (b"  \r\n", "an empty file"),
        (bytes(range(256)) * 20, "binary file"),
        ("Dear colleague,\nhere is the scan that you asked for.\n", "line 1: no two columns of numbers"),
        ("\n\n" + "\n".join(f"{value}" for value in COUNTS), "line 3: no two columns of numbers"),
        ("10.0 5\n", "1 point; a pattern with less than 100"),
        (made.columns(TWO_THETA[:50], COUNTS[:50]), "50 points; a pattern with less than 100 cannot be classified"),
        (made.columns(y=np.zeros(N)), "intensity is 0 everywhere"),
        (made.columns(y=np.full(N, 7.0)), "intensity is 7 everywhere"),
        (made.columns(y=np.where(np.arange(N) % 3, -2.0, COUNTS)), "400 of 601 intensities are negative"),
        (made.columns(y=np.where(np.arange(N) % 5, COUNTS, np.nan)), "121 of 601 points have no value"),
        (made.columns(np.random.default_rng(1).permutation(TWO_THETA)), "so it is no axis"),
        (counts_only(), "so it is no axis"),
        (made.columns(separator=",", comma=True), "are commas both decimal marks and separators"),
        (made.columns(separator=";") + "70,1;5\n", "line 602: both points and commas"),
        (made.columns(header=["TOF I"]), "time of flight"),
        (made.columns(header=["Energy (keV)  I"]), "an energy"),
    ],
)
def test_what_is_no_pattern_is_refused_with_file_and_remedy(read, tmp_path, content, says):
    with pytest.raises(PatternError, match=says) as caught:
        read(content)
    assert str(tmp_path / "pattern.txt") in str(caught.value)
    assert any(mark in caught.value.problem for mark in (";", ":"))
    assert isinstance(caught.value, ValueError)


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.xy does not exist"):
        read_pattern(tmp_path / "nothing.xy")
    with pytest.raises(PatternError, match="a folder; give the files one by one"):
        read_pattern(tmp_path)
    os.mkfifo(tmp_path / "pipe.xy")
    with pytest.raises(PatternError, match="no regular file"):
        read_pattern(tmp_path / "pipe.xy")


def test_a_gigabyte_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "frames.raw"
    with open(path, "wb") as file:
        file.truncate(2**30)
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(PatternError, match=r"1,024 MiB, not read.*export the scan"):
        read_pattern(path)


def test_one_bad_file_does_not_end_the_reading_of_the_others(tmp_path):
    names = ["a.xy", "b.xy", "c.xy", "d.xy"]
    contents = [made.columns(), "nothing", made.columns(header=["wavelength 0.7093"])]
    for name, content in zip(names[:3], contents, strict=True):
        (tmp_path / name).write_text(content)
    found = list(read_patterns([tmp_path / name for name in names], wavelength=CU))
    assert [path.name for path, _ in found] == names
    assert [type(result) for _, result in found] == [MeasuredPattern, PatternError, MeasuredPattern, FileNotFoundError]
    assert found[2][1].wavelength == CU and "0.7093" in found[2][1].warnings[0]


def test_an_error_travels_between_processes():
    error = pickle.loads(pickle.dumps(PatternError("a.xy", "bad; mend it", 3)))
    assert str(error) == "a.xy, line 3: bad; mend it" and error.line == 3


@pytest.fixture(scope="module")
def crystals():
    """Rutile and silicon."""
    rutile = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
    )
    silicon = Structure.from_spacegroup("Fd-3m", Lattice.cubic(5.431), ["Si"], [[0, 0, 0]])
    return CrystalSet.from_structures([rutile, silicon])


def peaks(x, y, height=0.02):
    """Positions of the maxima, by a parabola through the three highest points."""
    at = np.flatnonzero((y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:]) & (y[1:-1] > height)) + 1
    left, middle, right = np.log(y[at - 1]), np.log(y[at]), np.log(y[at + 1])
    return x[at] + (x[1] - x[0]) * (left - right) / (2 * (left - 2 * middle + right))


@pytest.mark.parametrize(
    "beam",
    [
        {"wavelength": 0.71073},
        {"wavelength": 1.540593, "second_wavelength": 1.544427},
        {"wavelength": 1.909, "radiation": "neutron"},
    ],
)
def test_through_d_the_peaks_lie_where_the_wanted_beam_has_them(crystals, beam):
    width, within = (0.04, 0.05) if "second_wavelength" in beam else (0.004, 0.03)  # unresolved, or one line
    there = Instrument(**{"two_theta": (3, 110 if "second_wavelength" not in beam else 60), "n_points": 8000,
                          "resolution": (0, 0, width)} | beam)  # fmt: skip
    here = Instrument(two_theta=(10, 60), n_points=2500, resolution=(0, 0, 0.01))
    wanted = {"radiation": beam.get("radiation", "xray")}
    simulated = powder_patterns(crystals, Instrument(**vars(here) | wanted)).numpy()
    measured_there = powder_patterns(crystals, there).numpy().astype(np.float64)
    for made_there, expected in zip(measured_there, simulated, strict=True):
        pattern = pattern_of(there.grid(), made_there, beam["wavelength"], beam.get("second_wavelength", 0.0))
        intensity, seen = on_instrument(pattern, here)
        assert seen.all() and intensity.max() == 1 and intensity.dtype == np.float32
        found = peaks(here.grid(), intensity)
        nearest = np.abs(peaks(here.grid(), expected)[:, None] - found).min(1)
        assert len(found) >= 3 and nearest.max() < within


def test_a_pattern_on_the_grid_stays_as_it_is():
    grid, counts = CU_KALPHA.grid(), 100 + 50 * np.sin(CU_KALPHA.grid())
    intensity, seen = on_instrument(pattern_of(grid, counts, CU_KALPHA.wavelength), CU_KALPHA)
    assert seen.all() and np.allclose(intensity, counts / counts.max(), atol=1e-6)


def test_finer_patterns_are_averaged_over_the_bins():
    step = CU_KALPHA.step
    x = np.linspace(5 - step / 2, 90 + step / 2, 10 * 1000 + 1)
    noise = np.random.default_rng(0).poisson(100, len(x)).astype(float)
    intensity, seen = on_instrument(pattern_of(x, noise, CU_KALPHA.wavelength), CU_KALPHA)
    ends = noise[::10]
    means = (noise[:-1].reshape(1000, 10).sum(1) - ends[:-1] / 2 + ends[1:] / 2) / 10  # trapezia
    assert seen.all() and np.allclose(intensity, means / means.max(), atol=1e-6)
    one = np.zeros(len(x))
    one[5005] = 1  # a spike that no grid point hits is not lost
    assert np.count_nonzero(on_instrument(pattern_of(x, one, CU_KALPHA.wavelength), CU_KALPHA)[0]) == 1


def test_coarser_patterns_are_interpolated():
    x = np.linspace(5, 90, 171)
    y = 100 + 50 * np.sin(x / 3)
    intensity, seen = on_instrument(pattern_of(x, y, CU_KALPHA.wavelength), CU_KALPHA)
    expected = np.interp(CU_KALPHA.grid(), x, y)
    assert seen.all() and np.allclose(intensity, expected / expected.max(), atol=1e-6)


def test_what_was_not_measured_is_masked():
    x = np.concatenate([np.arange(20, 40, 0.02), np.arange(45, 70, 0.02)])
    grid = CU_KALPHA.grid()
    intensity, seen = on_instrument(pattern_of(x, 100 + np.sin(x), CU_KALPHA.wavelength), CU_KALPHA)
    inside = ((grid > 19.96) & (grid < 40.02)) | ((grid > 44.96) & (grid < 70.02))
    assert np.array_equal(seen, inside) and not intensity[~seen].any() and intensity[seen].min() > 0.9


@pytest.mark.parametrize(
    ("x", "wavelength", "says"),
    [
        (
            np.linspace(80, 120, 500),
            CU,
            "measured from 80° to 120° at 1.5406 Å, that is 80.1° to 120.2° at 1.54184 Å: 10",
        ),
        (np.linspace(3, 8, 500), CU, "measure a wider range"),
        (np.linspace(90, 120, 500), 0.5, "nothing of it can be seen"),
    ],
)
def test_too_little_overlap_is_refused(x, wavelength, says):
    with pytest.raises(PatternError, match=says):
        on_instrument(pattern_of(x, 1 + np.sin(x) ** 2, wavelength), CU_KALPHA)


def test_zeros_within_the_range_are_refused():
    x = np.linspace(1, 90, 2000)
    with pytest.raises(PatternError, match="nothing but zeros"):
        on_instrument(pattern_of(x, (x < 4).astype(float)), CU_KALPHA)


def test_the_beam_of_a_doublet_is_its_weighted_mean():
    pattern = pattern_of(TWO_THETA, COUNTS, 1.540593, 1.544427)
    assert pattern.mean_wavelength == pytest.approx(1.541871, abs=1e-6)
    assert pattern_of(TWO_THETA, COUNTS).mean_wavelength == CU
    assert measured.MIN_OVERLAP == 15


def test_files_of_instruments_fit_the_instrument_of_the_paper(data_folder):
    folder = data_folder / "vendor"
    if not folder.is_dir():
        pytest.skip("PAPERLIB_DATA holds no vendor files")
    files = sorted(path for path in folder.iterdir() if path.suffix != ".md")
    for path, pattern in read_patterns(files, wavelength=CU):
        assert isinstance(pattern, MeasuredPattern), path
        intensity, seen = on_instrument(pattern, CU_KALPHA)
        assert intensity.shape == seen.shape == (1000,) and intensity.max() == 1 and intensity.min() >= 0
        first, last = max(5, pattern.two_theta[0]), min(90, pattern.two_theta[-1])
        assert seen.sum() == pytest.approx((last - first) / CU_KALPHA.step, abs=3)

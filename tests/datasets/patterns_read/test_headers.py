"""What the formats of instruments state of beam and axis, in files written here and in files of instruments."""

import struct
import zipfile

import numpy as np
import pytest

from paperlib.datasets.measured import PatternError, read_pattern
from paperlib.datasets.patterns_read import xml_files
from tests.datasets import pattern_files as made
from tests.datasets.pattern_files import COUNTS, TWO_THETA, N

WRITTEN = {
    "xrdml": (made.xrdml(), (1.540598, 1.544426, 0.5)),
    "uxd": (made.uxd(), (1.5406, 1.54439, 0.5)),
    "ras": (made.ras(), (1.540593, 1.544414, 0.5)),
    "bruker raw 1": (made.raw_1(), (1.54056, 1.54439, 0.5)),
    "bruker raw 2": (made.raw_2(), (1.54056, 1.54439, 0.5)),
    "bruker raw 3": (made.raw_3(), (1.5406, 1.54439, 0.5)),
    "bruker raw 4": (made.raw_4(), (1.5406, 1.54439, 0.5)),
    "pdcif": (made.pdcif(), (1.5406, 0, 0.5)),
}


@pytest.fixture
def file(tmp_path):
    """file(content, name) -> path."""

    def write(content, name="pattern.dat"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def beam(pattern):
    return pattern.wavelength, pattern.second_wavelength, pattern.second_ratio


def check_points(pattern):
    assert np.allclose(pattern.two_theta, TWO_THETA, atol=1e-6) and np.array_equal(pattern.intensity, COUNTS)


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_format_gives_points_and_beam(file, kind):
    content, expected = WRITTEN[kind]
    pattern = read_pattern(file(content))  # by content: no format depends on the name of the file
    check_points(pattern)
    assert pattern.format == kind and beam(pattern) == expected and pattern.radiation == "xray"
    assert pattern.warnings == ()


@pytest.mark.parametrize(("write", "first"), [(made.brml, 1.5406), (made.rasx, 1.540593)])
def test_zipped_formats_give_points_and_beam(tmp_path, write, first):
    pattern = read_pattern(write(tmp_path / "pattern.zip"))
    check_points(pattern)
    assert pattern.format == write.__name__ and pattern.wavelength == first and pattern.second_ratio == 0.5
    assert pattern.second_wavelength == pytest.approx(1.5444, abs=1e-4) and pattern.warnings == ()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (made.xrdml('<kAlpha1 unit="nm">0.15406</kAlpha1>'), (1.5406, 0)),
        (made.xrdml(intended="K-Beta"), (1.39225, 0)),
        (made.xrdml('<kAlpha1>1.5406</kAlpha1><kAlpha2>0</kAlpha2>'), (1.5406, 0)),
        (made.xrdml("<kAlpha1>1.5406</kAlpha1><kAlpha2>1.5444</kAlpha2><ratioKAlpha2KAlpha1>0</ratioKAlpha2KAlpha1>"),
         (1.5406, 0)),
        (made.raw_3(alpha=(0, 0), ratio=0), (1.5418, 0)),
        (made.raw_4(alpha=(0, 0), ratio=0), (1.5418, 0)),
        (made.raw_4(mean=1.5406, alpha=(1.5406, 0), ratio=0), (1.5406, 0)),
        (made.raw_1(alpha=(0.70930, 0.71359)), (0.7093, 0.71359)),
        (made.uxd("_WL_UNIT='NM'\n_WL1=0.15406\n"), (1.5406, 0)),
        (made.uxd("_WL1=0.15406\n", pairs=True), (1.5406, 0)),
        (made.ras("Ka1"), (1.540593, 0)),
        (made.ras("Kb"), (1.392246, 0)),
        (made.gsas(comment="# Calibrated wavelength = 0.412342 A"), (0.412342, 0)),
        (made.pdcif("_pd_proc_wavelength 1.2500(3)\n"), (1.25, 0)),
        (made.pdcif(
            "loop_\n_diffrn_radiation_wavelength\n_diffrn_radiation_wavelength_wt\n_diffrn_radiation_wavelength_id\n"
            "1.5444 0.5 2\n1.54060(1) 1.0 1\n"), (1.5406, 1.5444)),
    ],
)  # fmt: skip
def test_the_beam_is_the_one_that_is_stated(file, content, expected):
    pattern = read_pattern(file(content))
    assert beam(pattern)[:2] == pytest.approx(expected)
    assert pattern.second_ratio == 0.5


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["# Wavelength: 1.032100e-10 m"], (1.0321, 0)),
        (["Lambda = 0.15406 nm"], (1.5406, 0)),
        (["_WL1=1.5406", "_WL2=1.5444"], (1.5406, 1.5444)),
        (["K-Alpha1 wavelength,1.540598", "K-Alpha2 wavelength,1.544426", "Ratio K-Alpha2/K-Alpha1,0.4",
          "K-Beta wavelength,1.39225"], (1.540598, 1.544426)),
        (["! neutrons, wavelength (A) 2.4395"], (2.4395, 0)),
    ],
)  # fmt: skip
def test_text_may_state_its_wavelength_in_the_header(file, header, expected):
    pattern = read_pattern(file(made.columns(header=header)))
    assert beam(pattern)[:2] == pytest.approx(expected)
    assert pattern.second_ratio == (0.4 if "Ratio" in "".join(header) else 0.5)


def test_a_tube_may_stand_with_the_set_up(tmp_path):
    pattern = read_pattern(made.brml(tmp_path / "a.brml", tube="", elsewhere=made.BRUKER_TUBE))
    assert beam(pattern) == (1.5406, 1.54439, 0.5)
    average = '<Tube><WaveLengthAverage Unit="nm" Value="0.154184" /></Tube>'
    assert beam(read_pattern(made.brml(tmp_path / "b.brml", tube=average)))[:2] == pytest.approx((1.54184, 0))


@pytest.mark.parametrize(
    "content",
    [made.xrdml(""), made.uxd(""), made.gsas(), made.pdcif(""), made.columns(), made.raw_1((0, 0)),
     made.raw_4(0, (0, 0), 0)],
)  # fmt: skip
def test_without_a_wavelength_the_file_is_refused_until_one_is_given(file, content):
    path = file(content)
    with pytest.raises(PatternError, match=r"states no wavelength; give it: .*--wavelength 1\.5406"):
        read_pattern(path)
    pattern = read_pattern(path, wavelength=1.5406)
    check_points(pattern)
    assert pattern.wavelength == 1.5406 and pattern.warnings == ()


def test_what_is_given_wins_over_what_is_stated_where_they_differ(file):
    path = file(made.xrdml())
    assert beam(read_pattern(path, wavelength=1.5406)) == beam(read_pattern(path)) == (1.540598, 1.544426, 0.5)
    assert read_pattern(path, wavelength=1.5418).warnings == ()
    other = read_pattern(path, wavelength=0.7107, radiation="neutron")
    assert beam(other)[:2] == (0.7107, 0) and other.radiation == "neutron"
    assert [w for w in other.warnings if "1.5406 Å; 0.7107 Å was given" in w]
    assert [w for w in other.warnings if "states xray; neutron was given" in w]


@pytest.mark.parametrize(
    ("value", "says"), [(0.15406, "nm"), (0.001, "outside"), (float("nan"), "outside"), (99, "out")]
)
def test_a_wavelength_that_makes_no_sense_is_refused(file, value, says):
    with pytest.raises(PatternError, match=says):
        read_pattern(file(made.columns()), wavelength=value)


@pytest.mark.parametrize(
    ("beam_lines", "radiation", "warned"),
    [
        ("_diffrn_radiation_wavelength 1.909\n_diffrn_radiation_probe neutron\n", "neutron", False),
        (
            "_diffrn_radiation_wavelength 1.909\n_diffrn_radiation_type 'constant wavelength neutron'\n",
            "neutron",
            False,
        ),
        ("_diffrn_radiation_wavelength 0.4\n_diffrn_radiation_probe x-ray\n", "xray", False),
        ("_diffrn_radiation_wavelength 1.909\n", "xray", True),
        ("_diffrn_radiation_wavelength 1.5406\n", "xray", False),
    ],
)
def test_the_radiation_is_stated_or_assumed_with_a_warning(file, beam_lines, radiation, warned):
    pattern = read_pattern(file(made.pdcif(beam_lines)))
    assert pattern.radiation == radiation
    assert bool([w for w in pattern.warnings if "X-rays or neutrons" in w]) == warned


def test_beam_of_a_cif_may_stand_in_another_block(file):
    content = "data_overall\n_diffrn_radiation_probe neutron\n_diffrn_radiation_wavelength 1.5401\n" + made.pdcif("")
    pattern = read_pattern(file(content))
    assert (pattern.wavelength, pattern.radiation) == (1.5401, "neutron")


def test_a_cif_gives_a_profile_by_its_range_and_leaves_out_what_is_missing(file):
    rows = "\n".join(f"{value:g}" for value in COUNTS)
    ends = "_pd_meas_2theta_range_min 10.0\n_pd_meas_2theta_range_max 70.0\n_pd_meas_2theta_range_inc 0.1\n"
    content = f"data_a\n_diffrn_radiation_wavelength 1.5406\n{ends}loop_\n_pd_meas_counts_total\n{rows}\n"
    check_points(read_pattern(file(content)))
    holes = np.where(np.arange(N) % 100 == 7, np.nan, COUNTS)
    pattern = read_pattern(file(made.pdcif(counts=holes)))
    assert len(pattern.two_theta) == N - 6 and "6 points without a value are left out" in pattern.warnings


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("_pd_proc_d_spacing", 1.5406 / (2 * np.sin(np.radians(TWO_THETA / 2)))),
        ("_pd_proc_recip_len_Q", 4 * np.pi * np.sin(np.radians(TWO_THETA / 2)) / 1.5406),
    ],
)
def test_a_cif_in_d_or_q_is_converted(file, tag, values):
    pattern = read_pattern(file(made.pdcif(x=tag, values=values)))
    assert np.allclose(pattern.two_theta, TWO_THETA, atol=5e-3) and np.array_equal(pattern.intensity, COUNTS)
    assert [w for w in pattern.warnings if "converted to 2theta with 1.5406 Å" in w]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (made.pdcif(x="_pd_meas_time_of_flight", values=1000 + 5 * np.arange(N)), "time of flight"),
        (made.gsas("SLOG 1000.0 20000.0 0.0004 0.0 STD"), "time of flight"),
        (made.gsas("TIME_MAP 1 2 3 4 STD"), "time of flight"),
        (made.gsas("CONST 200000.0 500.0 0 0 STD"), "time of flight"),
        ("data_nacl\n_cell_length_a 5.64\n", "without a powder profile"),
        ("data_a\n_diffrn_radiation_probe electron\n" + made.pdcif()[13:], "electrons"),
        ("data_a\nloop_\n_pd_meas_counts_total\n1 2 'open\n", "no well-formed CIF"),
        (made.raw_1()[:900], "ends too early"),
        (made.raw_2()[:280], "ends too early"),
        (made.raw_4()[:900], "truncated"),
        (made.ras().partition("*RAS_INT_END")[0], "INT_END"),
        (made.xrdml()[:-40], "no complete XML"),
        (made.xrdml(before='<!DOCTYPE x [<!ENTITY a "b">]>'), "document type or an entity"),
        ("<html><body>No such file</body></html>", "XML of a kind"),
        (b"\x1f\x8b\x08rest", "packed"),
        (b"PK\x03\x04rest", "damaged"),
    ],
)
def test_what_is_no_powder_pattern_or_damaged_is_refused_with_a_remedy(file, content, says):
    with pytest.raises(PatternError, match=says) as caught:
        read_pattern(path := file(content), wavelength=1.5406)
    assert str(path) in str(caught.value) and ("; " in str(caught.value) or ": " in caught.value.problem)


@pytest.mark.parametrize(
    "content",
    [made.xrdml(scans=3), made.raw_1(following=2), made.raw_2(ranges=3), made.raw_3(ranges=3), made.raw_4(ranges=3),
     made.uxd() + "_COUNTS\n1 2 3\n_COUNTS\n1 2 3\n", made.ras() * 3,
     "".join(made.pdcif().replace("profile", f"p{i}") for i in range(3))],
)  # fmt: skip
def test_of_several_scans_the_first_is_read_and_the_others_are_mentioned(file, content):
    pattern = read_pattern(file(content))
    check_points(pattern)
    assert pattern.warnings == ("the file holds 3 scans: the first is read, the others are not",)


def test_of_several_zipped_scans_too(tmp_path):
    assert "3 scans" in read_pattern(made.brml(tmp_path / "a.brml", scans=3)).warnings[0]


def test_what_grows_without_end_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(xml_files, "MAX_BYTES", 2**20)
    bomb = made.rasx(tmp_path / "bomb.rasx", profile="0" * (2**20 + 1))
    assert bomb.stat().st_size < 2**15
    with pytest.raises(PatternError, match="more than the 1 MiB"):
        read_pattern(bomb)
    deep = tmp_path / "deep.xrdml"
    deep.write_text("<xrdMeasurements>" + "<a>" * 1000 + "</a>" * 1000 + "</xrdMeasurements>")
    with pytest.raises(PatternError, match="deeper elements"):
        read_pattern(deep)


def test_a_member_that_is_longer_than_it_says_is_refused(tmp_path):
    path = made.rasx(tmp_path / "lies.rasx")
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, at + 24, 100)  # the size of the first member, in the list at the end
    path.write_bytes(content)
    with pytest.raises(PatternError, match="damaged"):
        read_pattern(path)


@pytest.mark.parametrize("kind", [*WRITTEN, "brml", "rasx"])
def test_a_damaged_file_raises_nothing_but_a_pattern_error(tmp_path, kind):
    path, draw = tmp_path / "pattern", np.random.default_rng(0)
    if kind in WRITTEN:
        whole = WRITTEN[kind][0]
        whole = whole if isinstance(whole, bytes) else whole.encode()
    else:
        whole = getattr(made, kind)(path).read_bytes()
    for i in range(12):
        content = bytearray(whole[: draw.integers(len(whole))] if i % 3 == 0 else whole)
        for at in draw.integers(0, max(len(content), 1) if i % 3 == 1 else min(len(content), 700), 8):
            content[at : at + 1] = bytes([draw.choice([0, 1, 48, 255])])
        path.write_bytes(content)
        try:
            pattern = read_pattern(path, wavelength=1.5406)
        except PatternError as error:
            assert str(path) in str(error)
        else:
            assert np.all(np.diff(pattern.two_theta) > 0) and np.all(np.isfinite(pattern.intensity))


def test_another_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        archive.writestr("a.xy", made.columns())
    with pytest.raises(PatternError, match="neither brml nor rasx; unpack"):
        read_pattern(tmp_path / "scans.zip")


def test_texts_in_latin_1_and_xml_in_utf_16_are_read(tmp_path, file):
    assert read_pattern(file(made.uxd().encode("latin-1"))).format == "uxd"
    (tmp_path / "a.xrdml").write_text(made.xrdml().replace("UTF-8", "UTF-16"), encoding="utf-16")
    check_points(read_pattern(tmp_path / "a.xrdml"))


VENDOR = {
    "bruker_v4_converter.raw": ("bruker raw 4", 4059, (1.5406, 1.54439)),
    "bruker_v4_eva.raw": ("bruker raw 4", 7134, (1.5406, 0)),
    "gsas.raw": ("gsas", 4941, None),
    "panalytical.xrdml": ("xrdml", 5027, (1.540598, 1.544426)),
    "panalytical_mixture_GeO2-ZnO.xrdml": ("xrdml", 8301, (1.540598, 1.544426)),
    "rigaku.rasx": ("rasx", 2334, (1.540593, 1.544414)),
}


def stated(path):
    """First and last angle and first intensities, taken from the bytes without any of our readers."""
    content = path.read_bytes()
    if path.name.startswith("bruker"):
        at = content.index(b"Locked Coupled") - 32
        start, step, n = struct.unpack_from("<ddI", content, at + 72)
        return start, start + step * (n - 1), [struct.unpack_from("<f", content, len(content) - _data(content, at))[0]]
    if path.name == "gsas.raw":
        words = content.split()
        return 16.0, 16.0 + 0.017 * 4940, [float(word) for word in words[words.index(b"STD") + 1 :][:3]]
    if path.name == "rigaku.rasx":
        rows = zipfile.ZipFile(path).read("Data0/Profile0.txt").decode("utf-8-sig").split("\n")
        rows = [[float(word) for word in row.split()] for row in rows if row.strip()]
        return rows[0][0], rows[-1][0], [row[1] for row in rows[:3]]
    text = content.decode("utf-8-sig")
    part = text[text.index('axis="2Theta"') :]
    first, last = (float(part.partition(f"<{end}Position>")[2].partition("<")[0]) for end in ("start", "end"))
    counts = part.partition('counts">')[2].split()
    return first, last, [float(word) for word in counts[:3]]


def _data(content, at):
    n, stride = struct.unpack_from("<I", content, at + 88)[0], struct.unpack_from("<I", content, at + 136)[0]
    return n * stride


@pytest.mark.parametrize("name", VENDOR)
def test_files_of_instruments(data_folder, name):
    path = data_folder / "vendor" / name
    if not path.is_file():
        pytest.skip(f"PAPERLIB_DATA holds no vendor/{name}")
    kind, n, wavelengths = VENDOR[name]
    pattern = read_pattern(path, wavelength=None if wavelengths else 1.5406)
    assert pattern.format == kind and len(pattern.two_theta) == n and pattern.radiation == "xray"
    assert beam(pattern) == (*(wavelengths or (1.5406, 0)), 0.5)
    first, last, counts = stated(path)
    assert (pattern.two_theta[0], pattern.two_theta[-1]) == pytest.approx((first, last), abs=1e-9)
    assert pattern.intensity[: len(counts)].tolist() == pytest.approx(counts)
    expected = ["2320 of 7134 intensities are negative and set to 0"] if "eva" in name else []
    assert list(pattern.warnings) == expected

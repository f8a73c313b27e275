"""Whole profiles of CrysFML and FullProf, what remains between them and ours, and why."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from paperlib.crystals.species import species_code, species_symbol
from paperlib.diffraction.peers import reference_profiles
from paperlib.diffraction.peers.reference_profiles import (
    crysfml_profiles,
    fullprof_example,
    fullprof_profiles,
    fullprof_ticks,
)
from paperlib.diffraction.profile import draw_peaks
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.scattering import form_factors, scattering_table

COLUMNS = ["id", "formula", "space_group", "radiation", "points", "correlation", "r", "max_difference"]

TABLES_IV = {
    "O": (0.047, 0.032),
    "Si": (0.244, 0.330),
    "S": (0.319, 0.557),
    "Zn": (-1.612, 0.678),
    "Pb": (-4.818, 8.505),
}
"""f' and f'' at Cu Kα, International Tables IV (1974), table 2.3.1."""


@pytest.fixture(scope="module")
def crysfml_files(reference_folder):
    return reference_folder / "crysfml_cw_profiles.npz", reference_folder / "crysfml_cw_profiles_structures.json"


@pytest.fixture(scope="module")
def fullprof_folder(reference_folder):
    return reference_folder / "fullprof_neutron_cw"


def _crysfml(files, name):
    """The X-ray profile of one structure."""
    return next(
        p for p in reference_profiles._read_crysfml(*files) if p.name == name and p.instrument.radiation == "xray"
    )


def _table_iv(crystal):
    """The usual form factors with f' and f'' of 1974 for the species of a crystal."""
    plain = scattering_table("xray")
    constant, imaginary = plain.constant.clone(), plain.imaginary.clone()
    for code in set(crystal.species.tolist()):
        f_prime, imaginary[code] = TABLES_IV[species_symbol(code)]
        constant[code] += f_prime
    return dataclasses.replace(plain, constant=constant, imaginary=imaginary)


# CrysFML


def test_all_profiles_of_crysfml(crysfml_files):
    table = crysfml_profiles(*crysfml_files)
    assert table.columns.tolist() == COLUMNS
    assert len(table) == 20 and table.id.nunique() == 10
    assert {62, 186} <= set(table.space_group)
    neutron, xray = (table[table.radiation == radiation] for radiation in ("neutron", "xray"))
    assert len(neutron) == len(xray) == 10
    # f' and f'' hold for X-rays only, so that with neutrons nothing but rounding is left
    assert neutron.correlation.min() > 1 - 1e-8 and neutron.max_difference.max() < 1.5e-4
    assert xray.correlation.min() > 0.9999 and xray.max_difference.max() < 1e-2
    assert xray.max_difference.min() > 1e-4, "two tables of f' never agree so well"


def test_what_remains_for_lead_sulphate_is_the_table_of_dispersion_corrections(crysfml_files):
    """With f' and f'' of International Tables IV the X-ray profile agrees as well as the neutron profile."""
    profile = _crysfml(crysfml_files, "PbSO4")
    lines = powder_reflections(
        profile.crystal,
        profile.instrument,
        margin=profile.instrument.reach,
        scattering=_table_iv(profile.crystal),
    )
    ours = draw_peaks(lines, profile.instrument)[0].numpy()
    assert np.abs(ours / ours.max() - profile.intensity).max() < 1e-4


@pytest.mark.parametrize("name", ["quartz", "wurtzite_ZnO"])
def test_crysfml_takes_one_of_two_friedel_opposites(crysfml_files, name):
    """In crystals without a centre |F(hkl)|² and |F(-h-k-l)|² differ by f''; a powder shows their mean. The CrysFML
    profile is mean + s × half the difference with s = 1 or -1 for each line."""
    profile = _crysfml(crysfml_files, name)
    crystal, instrument = profile.crystal, profile.instrument
    table = _table_iv(crystal)
    lines = powder_reflections(crystal, instrument, margin=instrument.reach, scattering=table)
    species, s_squared = torch.from_numpy(crystal.species.astype(int)), 1 / (4 * lines.d**2)
    f = form_factors(table, species, s_squared[:, None]).numpy() + 1j * table.imaginary[species].numpy()
    phases = np.exp(2j * np.pi * lines.hkl.numpy() @ crystal.frac.T)
    plus, minus = np.abs((f * phases).sum(1)) ** 2, np.abs((f * phases.conj()).sum(1)) ** 2
    assert lines.f_squared.numpy() == pytest.approx((plus + minus) / 2, rel=1e-9, abs=1e-9)

    peaks = np.stack([_one_line(lines, i, instrument) for i in range(len(lines.d))])
    scale = lines.f_squared.numpy().max()
    half = np.abs(plus - minus) / 2
    known = ((plus + minus) / 2) @ peaks
    split = np.flatnonzero(half > 1e-3 * scale)
    design = np.column_stack([known, (half[split, None] * peaks[split]).T]) / scale
    # lines of one spacing that are not equivalent (hkl and khl of quartz) have one profile: fit what they share
    signs, *_ = np.linalg.lstsq(design, profile.intensity, rcond=1e-8)
    assert np.abs(design @ signs - profile.intensity).max() < 3e-4
    lonely = [
        i
        for i, j in enumerate(split)
        if np.abs(np.delete(lines.two_theta.numpy(), j) - lines.two_theta[j].item()).min() > 0.1
    ]
    assert len(lonely) >= 5
    assert np.abs(signs[1:][lonely] / signs[0]) == pytest.approx(1, abs=0.05)
    mean_only = known * (known @ profile.intensity) / (known @ known)
    assert np.abs(mean_only - profile.intensity).max() > 2e-3


def _one_line(lines, i, instrument):
    """(n_points,) profile of |F|² = 1 at line ``i``."""
    width = instrument.fwhm(lines.two_theta[i]).item()
    x = (instrument.grid() - lines.two_theta[i].item()) / width
    factor = (lines.intensity[i] / lines.f_squared[i]).item() if lines.f_squared[i] > 1e-9 else 0.0
    return factor * np.exp(-4 * np.log(2) * x**2) / width


# FullProf


def test_all_patterns_of_fullprof(fullprof_folder):
    table = fullprof_profiles(fullprof_folder).set_index("id")
    assert table.columns.tolist() == [*COLUMNS[1:], "asymmetric"]
    assert set(table.index) == {"pbso4_cw", "pbso4_uvwx_no-assym", "pbso4_uvwy_no-assym", "al2o3_uvwx_no-assym"}
    assert table.correlation.min() > 0.9999
    assert table.index[table.asymmetric].tolist() == ["pbso4_cw"]
    # axial divergence, which we do not model, is the largest of the differences
    assert table.max_difference.idxmax() == "pbso4_cw"
    assert table[~table.asymmetric].max_difference.max() < 0.007


def test_what_remains_for_symmetric_peaks_is_where_fullprof_ends_them(fullprof_folder):
    """Ended at 6 FWHM, as its input says (Wdt 6.0), the peaks agree with FullProf's to 0.1 % of the strongest."""
    profile = reference_profiles._read_fullprof(fullprof_folder / "pbso4_uvwy_no-assym.json")
    grid = profile.instrument.grid()
    lines = powder_reflections(profile.crystal, profile.instrument, margin=profile.instrument.reach)
    ended, whole = np.zeros(len(grid)), np.zeros(len(grid))
    for centre, intensity in zip(lines.two_theta.tolist(), lines.intensity.tolist(), strict=True):
        peak, fwhm = _thompson_cox_hastings(profile.instrument, grid, centre, centre)
        ended += intensity * peak * (np.abs(grid - centre) < 6 * fwhm)
        # lines beyond the last angle have the width of the last angle in our engine
        whole += intensity * _thompson_cox_hastings(profile.instrument, grid, centre, min(centre, grid[-1]))[0]
    ended *= (ended @ profile.intensity) / (ended @ ended)
    # FullProf takes fewer lines beyond the last angle than we do
    difference = np.abs(ended - profile.intensity)[grid < 150]
    assert difference.max() < 1e-3 * profile.intensity.max()
    assert difference.sum() < 2e-3 * profile.intensity.sum()
    # the same formula with whole tails is what our engine draws
    whole *= (whole @ profile.intensity) / (whole @ whole)
    assert np.abs(reference_profiles._ours(profile) - whole).max() < 1e-4 * profile.intensity.max()


def _thompson_cox_hastings(instrument, grid, centre, width_at):
    """Peak of unit area at ``centre`` with the width at ``width_at`` degrees, and its FWHM; Thompson, Cox and
    Hastings (1987), U tan²θ + V tan θ + W and X tan θ + Y / cos θ as in the manual of FullProf."""
    (u, v, w), (x, y) = instrument.resolution, instrument.lorentzian
    tangent, cosine = math.tan(math.radians(width_at / 2)), math.cos(math.radians(width_at / 2))
    g, l = math.sqrt(u * tangent**2 + v * tangent + w), x * tangent + y / cosine  # noqa: E741
    fwhm = (
        g**5 + 2.69269 * g**4 * l + 2.42843 * g**3 * l**2 + 4.47163 * g**2 * l**3 + 0.07842 * g * l**4 + l**5
    ) ** 0.2
    q = l / fwhm
    eta = 1.36603 * q - 0.47719 * q**2 + 0.11116 * q**3
    z = (grid - centre) / fwhm
    gaussian = math.sqrt(4 * math.log(2) / math.pi) * np.exp(-4 * math.log(2) * z**2)
    return ((1 - eta) * gaussian + eta * 2 / math.pi / (1 + 4 * z**2)) / fwhm, fwhm


def test_what_remains_for_corundum_is_counting_noise(fullprof_folder):
    """FullProf simulated this pattern with Poisson noise: residuals of the size of √counts, without memory."""
    _, theirs, ours = fullprof_example(fullprof_folder, "al2o3_uvwx_no-assym")
    strong = ours > 100
    residual = ((theirs - ours) / np.sqrt(ours))[strong]
    assert strong.sum() > 500
    # χ² per point of pure noise scatters by √(2 / 678) = 0.054
    assert np.mean(residual**2) == pytest.approx(1, abs=0.16)
    assert abs(np.corrcoef(residual[1:], residual[:-1])[0, 1]) < 0.12


def test_the_example_is_on_the_scale_of_fullprof(fullprof_folder):
    two_theta, theirs, ours = fullprof_example(fullprof_folder, "pbso4_uvwx_no-assym")
    assert two_theta.shape == theirs.shape == ours.shape == (2909,)
    assert two_theta[0] == 10.14406 and two_theta[1] - two_theta[0] == pytest.approx(0.05, rel=1e-9)
    assert ours @ theirs == pytest.approx(ours @ ours, rel=1e-12)
    with pytest.raises(ValueError, match=r"no FullProf pattern 'srtio3'; it has \['al2o3_uvwx_no-assym', 'pbso4_cw'"):
        fullprof_example(fullprof_folder, "srtio3")


# Files made by hand: bcc iron, b = 9.45 fm, whose lines all have |F|² = (2 b)²

IRON = {"sg": "I m -3 m", "cell": "2.8665 2.8665 2.8665 90 90 90", "atoms": [["Fe", "FE", [0, 0, 0], 2]]}


def _iron(grid, wavelength, u, v, w, b_iso=0.0):
    """Neutron pattern from h² + k² + l² alone, every hkl counted."""
    hkl = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3), axis=-1).reshape(-1, 3)
    squares = (hkl**2).sum(1)[hkl.sum(1) % 2 == 0]
    pattern = np.zeros_like(grid)
    for n, count in zip(*np.unique(squares[squares > 0], return_counts=True), strict=True):
        sine = wavelength * math.sqrt(n) / 2 / 2.8665
        if sine >= 1:
            continue
        theta = math.asin(sine)
        tangent = math.tan(theta)
        fwhm2 = u * tangent**2 + v * tangent + w
        height = count * math.exp(-2 * b_iso * sine**2 / wavelength**2) / (sine**2 * math.cos(theta))
        x = grid - 2 * math.degrees(theta)
        pattern += height / math.sqrt(fwhm2) * np.exp(-4 * math.log(2) * x**2 / fwhm2)
    return pattern / pattern.max()


def _crysfml_of_iron(folder, **changed):
    grid = np.linspace(5, 90, 4251)
    pattern = _iron(grid, 1.5403, 0.02, -0.02, 0.04)
    arrays = {f"iron|{kind}|{axis}": a for kind in ("Neutrons", "X-rays") for axis, a in (("x", grid), ("y", pattern))}
    np.savez(folder / "profiles.npz", **arrays)
    (folder / "structures.json").write_text(json.dumps({"iron": IRON | changed}))
    return folder / "profiles.npz", folder / "structures.json"


def test_iron_by_hand_in_the_format_of_crysfml(tmp_path):
    table = crysfml_profiles(*_crysfml_of_iron(tmp_path)).set_index("radiation")
    assert table.loc["neutron", "correlation"] > 1 - 1e-9 and table.loc["neutron", "max_difference"] < 1e-6
    assert table.loc["neutron", ["id", "formula", "space_group"]].tolist() == ["iron", "Fe", 229]
    assert table.loc["xray", "correlation"] < 0.999, "X-ray form factors fall off, scattering lengths do not"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sg": "I m -3 q"}, "iron: space group 'I m -3 q'"),
        ({"atoms": [["Fe", "FE", [0, 0, 0.1], 2]]}, r"iron: FE at \[0, 0, 0.1\] has 12 equivalents.* counts 2"),
        ({"atoms": [["Fe", "QQ", [0, 0, 0], 2]]}, "'Qq' is not the symbol of an element"),
    ],
)
def test_a_structure_that_makes_no_sense_is_named(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message):
        crysfml_profiles(*_crysfml_of_iron(tmp_path, **changed))


def test_profiles_that_are_missing_are_named(tmp_path):
    profiles, structures = _crysfml_of_iron(tmp_path)
    structures.write_text(json.dumps({"gold": IRON}))
    with pytest.raises(ValueError, match=r"profiles.npz lacks \['gold\|Neutrons\|y', 'gold\|X-rays\|y'\]"):
        crysfml_profiles(profiles, structures)


def _fullprof_of_iron(folder, offset=-0.1, first=20.1, n_points=2401, **changed):
    """A pattern from 20° to 140° in steps of 0.05° as FullProf writes it, with a zero shift of ``offset``."""
    grid = first + 0.05 * np.arange(n_points)
    counts = np.round(1e5 * _iron(grid, 1.8, 0.14, -0.40, 0.40, b_iso=0.35))
    counts[-1] = 0
    site = {"_type_symbol": "Fe", "_fract_x": 0, "_fract_y": 0, "_fract_z": 0, "_B_iso_or_equiv": 0.35}
    phase = {"_space_group_name_H-M_alt": "I m -3 m", "_atom_site": [site | changed]}
    phase |= {f"_cell_length_{x}": 2.8665 for x in "abc"} | {f"_cell_angle_{x}": 90 for x in ("alpha", "beta", "gamma")}
    experiment = {"_diffrn_radiation_wavelength": 1.8, "_pd_meas_2theta_offset": offset}
    experiment |= {"_pd_meas_2theta_range_min": 20.0}
    experiment |= {f"_pd_instr_resolution_{k}": v for k, v in zip("uvwxy", (0.14, -0.40, 0.40, 0, 0), strict=True)}
    (folder / "iron.json").write_text(json.dumps({"phases": [{"iron": phase}], "experiments": [{"NPD": experiment}]}))
    rows = [" ".join(f"{int(x):7d}" for x in counts[i : i + 10]) for i in range(0, n_points, 10)]
    (folder / "iron.sub").write_text("\n".join([f"{first} 0.05 {first + 0.05 * 2400:.4f}  ! Phase No: 1", *rows]))
    return folder


def test_iron_by_hand_in_the_format_of_fullprof(tmp_path):
    row = fullprof_profiles(_fullprof_of_iron(tmp_path)).iloc[0]
    assert row.correlation > 1 - 1e-8 and row.max_difference < 2e-5 and not row.asymmetric
    assert row.points == 2400, "the last point is filling"
    # displacement 0.35 Å² and the angles of the file matter
    assert fullprof_profiles(_fullprof_of_iron(tmp_path, _B_iso_or_equiv=0.0)).iloc[0].correlation < 0.9999


@pytest.mark.parametrize("changed", [{"first": 20.0}, {"n_points": 2400}, {"offset": 0.1}])
def test_a_pattern_that_does_not_fit_its_input_is_refused(tmp_path, changed):
    with pytest.raises(ValueError, match=r"iron.sub: .*do not fit iron.json"):
        fullprof_profiles(_fullprof_of_iron(tmp_path, **changed))


def test_a_folder_without_patterns_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no FullProf input"):
        fullprof_profiles(tmp_path)


def test_atoms_on_special_positions_are_counted_once():
    atom = reference_profiles._Atom("O", (0.3063, 0, 0.25))
    crystal = reference_profiles._crystal("x", "R -3 c", (4.759, 4.759, 12.99, 90, 90, 120), [atom])
    assert len(crystal.frac) == 18 and set(crystal.species) == {species_code("O")}
    # a third given to four decimals still stands on its axis
    zinc = reference_profiles._Atom("Zn", (0.33333, 0.66667, 0))
    assert len(reference_profiles._crystal("x", "P 63 m c", (3.25, 3.25, 5.2, 90, 90, 120), [zinc]).frac) == 2


def test_the_ticks_of_the_example_are_its_reflections(fullprof_folder):
    """Lead sulphate is Pnma: of its first lines, 011 at d = 5.38 Å is seen and 010 and 001 are not."""
    ticks = fullprof_ticks(fullprof_folder, "pbso4_uvwx_no-assym")
    two_theta, theirs, _ = fullprof_example(fullprof_folder, "pbso4_uvwx_no-assym")
    assert (np.diff(ticks) >= 0).all() and ticks[-1] <= two_theta[-1] + 1e-9
    strongest = two_theta[theirs.argmax()]
    assert np.abs(ticks - strongest).min() < 0.1
    assert len(ticks) < 400

"""What CrysFML is told, what is said where it is absent, and, where it is there, how far it lies from us and why."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperlib.crystals.crystal_set import DEUTERIUM
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.peers import crysfml, reference_profiles
from paperlib.diffraction.simulate import powder_patterns

NEUTRONS = Instrument(radiation="neutron")
X_RAYS = Instrument(polarisation=False, anomalous=True)
CAESIUM_CHLORIDE = {
    "cell": [4.123, 4.123, 4.123, 90, 90, 90],
    "frac": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "species": [55, 17],
    "b_iso": [0.5, np.nan],
    "occupancy": [1.0, 0.75],
}
installed = pytest.mark.skipif(not crysfml.available(), reason="the optional package crysfml is not installed")


def test_what_the_program_is_told_of_caesium_chloride(build):
    lines = crysfml.cfl_lines(build(CAESIUM_CHLORIDE), replace(NEUTRONS, wavelength=1.5, n_points=851))
    for line in (
        "Patt_Type Neutrons Powder CW",
        "LAMBDA 1.500000 1.500000 0.0",
        "UVWXY 0.01000000 -0.01000000 0.02000000 0.00000000 0.00000000",
        "Gen_patt 5.00000000 0.10000000 90.00000000",
        "Cell 4.12300000 4.12300000 4.12300000 90.00000000 90.00000000 90.00000000",
        "SPGR P 1",
        "Atom Cs1 Cs 0.00000000 0.00000000 0.00000000 0.50000000 1.00000000",
        "Atom Cl2 Cl 0.50000000 0.50000000 0.50000000 0.00000000 0.75000000",
    ):
        assert line in lines
    assert sum(line.startswith("Atom ") for line in lines) == 2, "all atoms of the cell, none by symmetry"
    assert "Patt_Type X-rays Powder CW" in crysfml.cfl_lines(build(CAESIUM_CHLORIDE), X_RAYS)


def test_it_is_not_asked_for_what_it_does_not_compute(build):
    crystal = build(CAESIUM_CHLORIDE)
    for instrument in (Instrument(), replace(X_RAYS, polarisation=True), replace(X_RAYS, anomalous=False)):
        with pytest.raises(ValueError, match="polarisation=False and anomalous=True"):
            crysfml.cfl_lines(crystal, instrument)
    with pytest.raises(ValueError, match="one wavelength"):
        crysfml.cfl_lines(crystal, replace(NEUTRONS, eta=0.5))
    with pytest.raises(ValueError, match="one crystal"):
        crysfml.cfl_lines(build(CAESIUM_CHLORIDE, CAESIUM_CHLORIDE), NEUTRONS)


def test_without_the_package_the_message_says_how_to_get_it_and_under_which_licence(build, monkeypatch):
    monkeypatch.setitem(sys.modules, "crysfml", None)
    assert not crysfml.available()
    with pytest.raises(ModuleNotFoundError, match=r"pip install \.\[crysfml\].*LGPL.*forbids military use"):
        crysfml.crysfml_patterns(build(CAESIUM_CHLORIDE), NEUTRONS)
    with pytest.raises(ModuleNotFoundError, match="pip install"):
        crysfml.version()


def test_a_program_that_ends_otherwise_than_it_should_is_quoted(build, tmp_path, monkeypatch):
    (tmp_path / "crysfml").mkdir()
    (tmp_path / "crysfml" / "__init__.py").touch()
    ending = 'def patterns_simulation(strings, x):\n    raise SystemExit("the array is too small")\n'
    (tmp_path / "crysfml" / "cfml_py_utilities.py").write_text(ending)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="CrysFML ended with 1: the array is too small"):
        crysfml.crysfml_patterns(build(CAESIUM_CHLORIDE), NEUTRONS)


@installed
def test_the_stored_profiles_are_what_the_program_computes(reference_folder, tmp_path, monkeypatch):
    path = reference_folder.resolve() / "crysfml_cw_profiles"
    monkeypatch.chdir(tmp_path)
    for profile in reference_profiles._read_crysfml(path.with_suffix(".npz"), Path(f"{path}_structures.json")):
        if profile.name in ("NaCl", "rutile", "PbSO4"):
            (found,) = crysfml.crysfml_patterns(profile.crystal, profile.instrument)
            assert np.abs(found - profile.intensity).max() < 1e-4, profile.name
    assert not list(tmp_path.iterdir()), "no list of reflections is left behind"


@installed
def test_neutron_patterns_agree_with_ours(build, symmetric, triclinic):
    """Of all crystal systems, with vacancies and displacements, and with deuterium."""
    made = [symmetric(number, np.random.default_rng(number)) for number in (2, 14, 62, 88, 139, 167, 194, 227)]
    crystals = build(*made, triclinic, CAESIUM_CHLORIDE | {"species": [26, DEUTERIUM]})
    theirs, ours = crysfml.crysfml_patterns(crystals, NEUTRONS), powder_patterns(crystals, NEUTRONS).numpy()
    assert np.abs(theirs - ours).max() < 2e-3 and theirs.max(1) == pytest.approx(1)


@installed
def test_what_its_x_ray_patterns_lack_is_the_polarisation_factor(build):
    crystals = build({"cell": [4.0495] * 3 + [90] * 3, "frac": _FACES, "species": 13, "source_id": "Al"})
    theirs = {"xray": {5: crysfml.crysfml_patterns(crystals, X_RAYS)}}
    table = crysfml.agreement(crystals, {5: np.array([0])}, theirs, {"as_trained": Instrument(), "alike": X_RAYS})
    assert table[["compared", "split", "id"]].values.tolist() == [["as_trained", 5, "Al"], ["alike", 5, "Al"]]
    as_trained, alike = table["max_difference"]
    assert alike < 2e-3 < 0.05 < as_trained and not table["other_length"].any()


@installed
def test_its_length_of_samarium_is_ten_times_the_one_of_the_table(build):
    """Two unlike atoms at the corners and in the middle: 100 shows the difference of the lengths, 110 their sum."""
    crystal = build({"cell": [4.0] * 3 + [90] * 3, "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "species": [62, 8]})
    (theirs,), (ours,) = crysfml.crysfml_patterns(crystal, NEUTRONS), powder_patterns(crystal, NEUTRONS).numpy()
    ratio = [_height(pattern, 22.2) / _height(pattern, 31.6) for pattern in (theirs, ours)]
    lengths = {0.80: ratio[1], 8.0: ratio[0]}
    oxygen, known = 5.803, ((0.80 - 5.803) / (0.80 + 5.803)) ** 2
    for length, found in lengths.items():
        assert found / ratio[1] == pytest.approx(((length - oxygen) / (length + oxygen)) ** 2 / known, rel=0.02)
    table = crysfml.agreement(crystal, {0: np.array([0])}, {"neutron": {0: theirs[None]}}, {"neutron": NEUTRONS})
    assert table["other_length"].tolist() == [True]


def test_differences_are_summed_up_with_and_without_crystals_of_another_length():
    table = pd.DataFrame(
        {
            "compared": ["alike"] * 2 + ["neutron"] * 3,
            "max_difference": [0.1, 0.3, 0.001, 0.003, 0.5],
            "other_length": [False] * 4 + [True],
        }
    )
    assert crysfml.agreement_summary(table) == {
        "alike_median": (0.2, 2),
        "alike_max": (0.3, 2),
        "neutron_median": (0.003, 3),
        "neutron_max": (0.5, 3),
        "neutron_same_lengths_median": (0.002, 2),
        "neutron_same_lengths_max": (0.003, 2),
    }


@installed
def test_a_crystal_that_it_cannot_compute_is_named(build):
    with pytest.raises(ValueError, match=r"crystal 1 \(polonium\).*CrysFML says"):
        crysfml.crysfml_patterns(
            build(CAESIUM_CHLORIDE, CAESIUM_CHLORIDE | {"species": 84, "source_id": "polonium"}), NEUTRONS
        )


_FACES = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]


def _height(pattern, two_theta):
    """The highest point within a degree of an angle."""
    return pattern[np.abs(NEUTRONS.grid() - two_theta) < 1].max()

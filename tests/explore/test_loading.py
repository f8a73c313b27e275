"""Files that somebody uploads, and patterns that are offered."""

import numpy as np
import pytest

from paperlib.explore.loading import MEASURED, MOST, crystals_of, measured_offers, simulated_offers, uploaded
from paperlib.lab import fetch

CIF = """data_salt
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 Na 0 0 0
Cl1 Cl 0.5 0.5 0.5
"""
ROWS = "".join(f"{5 + 0.02 * i:.2f} {100 + i % 7}\n" for i in range(3000)).encode()


def test_a_cif_becomes_a_crystal():
    (one,) = uploaded("salt.cif", CIF.encode())
    assert one.crystal is not None and one.truth == 225 and one.name == "NaCl, Fm-3m"


def test_a_pattern_needs_its_wavelength_and_says_so():
    with pytest.raises(
        ValueError, match=r"a\.xy: the file states no wavelength; give it in the field beside the button"
    ):
        uploaded("a.xy", ROWS)
    (one,) = uploaded("a.xy", ROWS, 1.5406)
    assert one.measured.wavelength == 1.5406 and one.truth == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("../../b.cif", b"data_x\n_cell_length_a 3\n", r"b\.cif: no crystal could be read: b: no atoms"),
        ("c.xy", b"", r"c\.xy: an empty file"),
        ("d.zip", b"no archive", r"d\.zip"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason(name, content, says):
    with pytest.raises(ValueError, match=says) as error:
        uploaded(name, content, 1.54)
    assert "tmp" not in str(error.value)


def test_of_many_crystals_some_are_offered():
    many = "".join(CIF.replace("data_salt", f"data_{i}") for i in range(MOST + 5))
    assert len(uploaded("many.cif", many.encode())) == MOST


def test_simulated_measurements_are_made_when_they_are_chosen(crystals):
    offers = simulated_offers(crystals)
    assert len(offers) == len({text for text, _ in offers}) > 20
    one, again = (offers[3][1]() for _ in range(2))
    np.testing.assert_array_equal(one.measured.intensity, again.measured.intensity)
    assert one.truth in crystals.space_group and one.measured.intensity.max() > 0


def test_measured_patterns_are_offered_by_name(tmp_path):
    angle = np.arange(10, 80, 0.02)
    intensity = np.tile(np.exp(-(((angle - 30) / 0.1) ** 2)), (2, 1)).astype(np.float32)
    intensity[0, angle < 14.99] = np.nan
    path = tmp_path / "named.npz"
    np.savez(path, two_theta=angle, intensity=intensity, name=["Quartz", "Beryl"], space_group=np.int16([152, 192]))
    (beryl, _), (text, make) = measured_offers(path)
    assert beryl.startswith("measured · Beryl") and text == "measured · Quartz, P3121"
    one = make()
    assert one.truth == 152 and "no test" in one.note
    assert one.measured.two_theta[0] == pytest.approx(15) and one.measured.intensity.max() == pytest.approx(1)


def test_the_measured_patterns_of_the_registry_are_offered_where_they_are():
    try:
        path = fetch.fetch(MEASURED)
    except FileNotFoundError:
        pytest.skip(f"{MEASURED} is not here: set PAPERLIB_DATA")
    offers = measured_offers(path)
    assert len(offers) == 111
    subject = offers[0][1]()
    assert subject.truth > 0 and np.isfinite(subject.measured.intensity).all()


def test_a_set_that_is_not_there_is_named(tmp_path):
    with pytest.raises((FileNotFoundError, ValueError), match="nowhere"):
        crystals_of(str(tmp_path / "nowhere.jsonl"))

"""A neutron pattern and an X-ray pattern of one crystal: the same lines, other heights, and why they are other."""

import numpy as np
import pytest
import torch

from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.diffraction.radiations import compared_instruments, left_out_by
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.scattering import form_factors, scattering_table
from paperlib.diffraction.simulate import powder_patterns, validate

INSTRUMENTS = compared_instruments(1000)
X_RAYS, NEUTRONS = INSTRUMENTS["xray"], INSTRUMENTS["neutron"]
FACES = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]


def test_the_same_lines_with_other_heights(build, symmetric):
    numbers = (2, 14, 62, 88, 139, 167, 194, 227)
    crystals = build(*(symmetric(number, np.random.default_rng(number)) for number in numbers))
    one, other = (powder_reflections(crystals, instrument) for instrument in (X_RAYS, NEUTRONS))
    for name in ("crystal", "hkl", "two_theta", "multiplicity"):
        assert np.array_equal(getattr(one, name).numpy(), getattr(other, name).numpy()), name
    patterns = [powder_patterns(crystals, instrument).numpy() for instrument in (X_RAYS, NEUTRONS)]
    assert np.array_equal(X_RAYS.grid(), NEUTRONS.grid())
    differ = np.abs(patterns[0] - patterns[1]).max(1)
    assert (differ > 0.01).all() and np.median(differ) > 0.2


def test_neutrons_of_one_element_are_weighed_by_multiplicity_and_lorentz_factor_alone(build):
    """Copper: |F|² is the same for every line; X-rays fall off by f0² and the polarisation factor."""
    copper = build({"cell": [3.615] * 3 + [90] * 3, "frac": FACES, "species": 29})
    xray, neutron = (powder_reflections(copper, instrument) for instrument in (X_RAYS, NEUTRONS))
    seen = neutron.f_squared > 1e-6 * neutron.f_squared.max()
    assert neutron.f_squared[seen].numpy() == pytest.approx((4 * 7.718) ** 2, rel=1e-3)
    two_theta = np.radians(neutron.two_theta[seen].numpy())
    lorentz = 1 / (np.sin(two_theta) * np.sin(two_theta / 2))
    heights = (neutron.intensity / (neutron.multiplicity * neutron.f_squared))[seen].numpy()
    assert heights / lorentz == pytest.approx(np.full(len(heights), (heights / lorentz)[0]), rel=1e-9)
    f0 = form_factors(scattering_table("xray"), torch.full((int(seen.sum()),), 29), 1 / (4 * xray.d[seen] ** 2)).numpy()
    expected = (f0 / 7.718) ** 2 * (1 + np.cos(two_theta) ** 2) / 2
    ratio = (xray.intensity / neutron.intensity)[seen].numpy()
    assert ratio / ratio[0] == pytest.approx(expected / expected[0], rel=1e-6)


def test_the_instruments_differ_in_the_beam_alone():
    assert X_RAYS == CU_KALPHA and (NEUTRONS.radiation, INSTRUMENTS["alike"].radiation) == ("neutron", "xray")
    few = compared_instruments(500).values()
    assert all(np.array_equal(x.grid(), np.linspace(5, 90, 500)) and x.wavelength == X_RAYS.wavelength for x in few)
    assert len({x.resolution for x in few}) == 1


def test_a_crystal_without_a_neutron_length_has_no_neutron_pattern(build):
    simple = {"cell": [3.35] * 3 + [90] * 3, "frac": [[0, 0, 0]]}
    crystals = build(*(simple | {"species": code} for code in (29, 84, 94)))  # copper, polonium, plutonium
    left_out = left_out_by(crystals, INSTRUMENTS)
    assert {key: found.tolist() for key, found in left_out.items()} == {"xray": [], "neutron": [1, 2], "alike": [2]}
    assert validate(crystals, NEUTRONS)[0] == (1, "no neutron scattering length for Po")

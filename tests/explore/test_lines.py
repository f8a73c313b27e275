"""The lines of crystals that everybody knows."""

import numpy as np
import pytest

from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.diffraction.reflections import powder_reflections
from paperlib.explore.lines import lines_of


@pytest.fixture
def lines():
    def of(subject):
        reflections = powder_reflections(subject.crystal, MINERAL_INSTRUMENT)
        return lines_of(subject.crystal, MINERAL_INSTRUMENT, reflections)

    return of


def test_rock_salt_has_lines_of_unmixed_indices_alone(lines, salt):
    found = lines(salt)
    parity = found.hkl % 2
    unmixed = (parity == parity[:, :1]).all(axis=1)
    np.testing.assert_array_equal(found.allowed, unmixed)
    assert (np.diff(found.two_theta) > 0).all() and (found.height[~found.allowed] == 0).all()
    strongest = int(found.height.argmax())
    assert sorted(np.abs(found.hkl[strongest])) == [0, 0, 2] and "× 6" in found.text[strongest]
    first = int(np.flatnonzero(found.allowed)[0])
    assert found.text[first].startswith("<b>1 1 1</b> × 8<br>")
    np.testing.assert_allclose(2 * found.d * np.sin(np.radians(found.two_theta / 2)), MINERAL_INSTRUMENT.wavelength)


def test_a_forbidden_line_says_what_forbids_it(lines, crystal_called):
    silicon = lines(crystal_called("Si", 227))
    said = {silicon.name(i): text for i, text in enumerate(silicon.text) if not silicon.allowed[i]}
    names = {"".join(sorted(name.replace("-", "").replace(" ", ""), reverse=True)): name for name in said}
    assert "forbidden by a glide plane" in said[names["200"]] and "0kl: k + l = 4n" in said[names["200"]]
    assert "forbidden by a centring" in said[names["100"]] and "h + k, h + l, k + l = 2n" in said[names["100"]]


def test_the_nearest_line_is_found_among_those_that_are_meant(lines, salt):
    found = lines(salt)
    assert found.allowed[found.nearest(27.0, allowed=True)]
    assert not found.allowed[found.nearest(27.0, allowed=False)]

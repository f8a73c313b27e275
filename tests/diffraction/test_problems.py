"""Each kind of bad input, one bad crystal among good ones, through both public calls."""

import dataclasses
import gzip
import itertools

import numpy as np
import pytest

from paperlib.crystals.crystal_set import DEUTERIUM
from paperlib.crystals.sources import read_jsonl
from paperlib.crystals.standardise import OCCUPANCY_TOLERANCE
from paperlib.diffraction import problems
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.problems import SAME_PLACE, crystal_problems, raise_problems
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.scattering import scattering_table
from paperlib.diffraction.simulate import powder_patterns, validate

XRAY = scattering_table("xray")

BAD = {
    "zero edge": (
        {"cell": [5.6, 0, 5.6, 90, 90, 90]},
        "cell (5.6, 0, 5.6, 90, 90, 90) (Å, degrees) encloses no volume",
    ),
    "negative edge": ({"cell": [5.6, 5.6, -5.6, 90, 90, 90]}, "(5.6, 5.6, -5.6, 90, 90, 90) (Å, degrees) encloses no"),
    "negative angle": ({"cell": [5.6, 5.6, 5.6, 90, -90, 90]}, "angles must lie between 0 and 180 degrees"),
    "impossible angles": ({"cell": [5.6, 5.6, 5.6, 40, 40, 120]}, "no three axes make such angles"),
    "NaN edge": (
        {"cell": [5.6, np.nan, 5.6, 90, 90, 90]},
        "cell (5.6, nan, 5.6, 90, 90, 90) (Å, degrees) is not finite",
    ),
    "infinite edge": (
        {"cell": [5.6, np.inf, 5.6, 90, 90, 90]},
        "(5.6, inf, 5.6, 90, 90, 90) (Å, degrees) is not finite",
    ),
    "NaN coordinate": ({"frac": [[0, 0, 0], [0.5, np.nan, 0.5]]}, "coordinates (0.5, nan, 0.5) are not finite"),
    "infinite coordinate": ({"frac": [[0, 0, 0], [0.5, 0, np.inf]]}, "coordinates (0.5, 0, inf) are not finite"),
    "occupancy above 1": ({"occupancy": [1.0, 1.1]}, "occupancy 1.1 of site 1 is not in (0, 1]"),
    "no occupancy": ({"occupancy": [0.0, 1.0]}, "occupancy 0 of site 0 is not in (0, 1]"),
    "NaN occupancy": ({"occupancy": [1.0, np.nan]}, "occupancy nan of site 1"),
    "overfull place": (
        {"frac": [[0.25, 0, 1], [0.25, 1, 0]], "occupancy": [0.75, 0.5]},
        "occupancies at (0.25, 0, 1) add up to 1.25 (Na 0.75, Cl 0.5), but one place holds 1 at most",
    ),
    "infinite displacement": ({"b_iso": [0.5, np.inf]}, "B of site 1 is inf Å²"),
    "negative displacement": ({"b_iso": [0.5, -0.1]}, "B of site 1 is -0.1 Å²"),
    "no such species": ({"species": [0, 17]}, "no X-ray form factor for species code 0"),
    "no form factor": ({"species": [11, 100]}, "no X-ray form factor for Fm"),
}


@pytest.fixture
def salt():
    """One formula unit of NaCl in a cell of CsCl: two atoms, no symmetry stated."""
    return {"cell": [3.9] * 3 + [90.0] * 3, "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "species": [11, 17]}


@pytest.mark.parametrize("call", [powder_patterns, powder_reflections])
@pytest.mark.parametrize("name", BAD)
def test_the_bad_crystal_of_a_batch_is_named(build, salt, halite, call, name):
    change, reason = BAD[name]
    crystals = build(salt, halite, salt | change | {"source_id": "the-bad-one"}, salt)
    with pytest.raises(ValueError) as error:
        call(crystals, CU_KALPHA)
    message = str(error.value)
    assert "1 of 4 crystals" in message and "crystal 2 (the-bad-one): " in message and reason in message
    assert "leave out those that paperlib.diffraction.simulate.validate lists" in message
    assert [i for i, _ in validate(crystals, CU_KALPHA)] == [2]
    call(crystals[[0, 1, 3]], CU_KALPHA)


def test_no_reflection_in_the_range_names_crystal_range_and_wavelength(build, salt):
    tiny = salt | {"cell": [0.7] * 3 + [90.0] * 3, "source_id": "tiny"}
    crystals = build(salt, tiny, salt)
    with pytest.raises(
        ValueError, match=r"crystal 1 \(tiny\): no reflection lies between 2θ = 5° and 90° at 1.54184 Å"
    ):
        powder_patterns(crystals, CU_KALPHA)
    # a line list may be empty
    assert powder_reflections(crystals, CU_KALPHA).start.diff()[1] == 0
    gap = Instrument(two_theta=(5.0, 15.0), n_points=500)
    assert [i for i, _ in validate(crystals, gap)] == [0, 1, 2]


def test_deuterium_has_its_own_length_and_may_lack_one(build, salt):
    heavy, light = (build(salt | {"species": [code, 17], "source_id": "water"}) for code in (DEUTERIUM, 1))
    neutron = Instrument(radiation="neutron", wavelength=1.5)
    # b_D = 6.671 fm, b_H = -3.739 fm, b_Cl = 9.577 fm; 110 adds the two atoms up
    for crystals, b in ((heavy, 6.671), (light, -3.739)):
        lines = powder_reflections(crystals, neutron)
        row = [sorted(map(abs, hkl)) for hkl in lines.hkl.tolist()].index([0, 1, 1])
        assert float(lines.f_squared[row]) == pytest.approx((b + 9.577) ** 2, rel=2e-4)
    known = XRAY.known.copy()
    known[DEUTERIUM] = False
    with pytest.raises(ValueError, match=r"crystal 0 \(water\): no X-ray form factor for D"):
        powder_reflections(heavy, CU_KALPHA, scattering=dataclasses.replace(XRAY, known=known))
    with pytest.raises(ValueError, match=r"crystal 0 \(hand-0\): no neutron scattering length for Po"):
        powder_patterns(build(salt | {"species": [84, 17]}), neutron)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"wavelength": 0.15418}, r"0.15418 Å.*must be given in Å, not in nm \(did you mean 1.5418 Å\?\)"),
        ({"wavelength": -1.5}, "-1.5 Å"),
        ({"wavelength": float("nan")}, "nan Å"),
        ({"two_theta": (90.0, 5.0)}, r"\(90.0, 5.0\)°; give \(first, last\)"),
        ({"two_theta": (30.0, 30.0)}, r"\(30.0, 30.0\)°; give \(first, last\)"),
        ({"two_theta": (float("nan"), 30.0)}, r"\(nan, 30.0\)°; give \(first, last\)"),
        ({"n_points": 0}, "n_points is 0"),
    ],
)
def test_instruments_that_make_no_sense(change, reason):
    with pytest.raises(ValueError, match=reason):
        Instrument(**change)


# Occupancies at one place


def _places(build, salt, frac, occupancy, species=26):
    crystal = salt | {"frac": frac, "occupancy": occupancy, "species": [species] * len(frac)}
    return crystal_problems(build(salt, crystal, salt), CU_KALPHA, XRAY)


@pytest.mark.parametrize(
    "occupancy", [[0.333, 0.333, 0.333], [0.3334, 0.3334, 0.3334], [1 / 3] * 3, [0.5, 0.5000004], [1.0000004]]
)
def test_rounded_occupancies_are_no_fault(build, salt, occupancy):
    assert sum(occupancy) <= 1 + OCCUPANCY_TOLERANCE
    assert _places(build, salt, [[0.1, 0.2, 0.3]] * len(occupancy), occupancy) == []


@pytest.mark.parametrize("total", [1 + 0.9 * OCCUPANCY_TOLERANCE, 1 + 1.1 * OCCUPANCY_TOLERANCE])
def test_the_tolerance_of_the_total_is_sharp(build, salt, total):
    found = _places(build, salt, [[0.1, 0.2, 0.3]] * 2, [0.5, total - 0.5])
    assert [i for i, _ in found] == ([] if total < 1 + OCCUPANCY_TOLERANCE else [1])


def test_places_are_found_wherever_they_lie(build, salt):
    """Pairs just inside the distance at random places, across the borders of the cell and of any bins."""
    rng = np.random.default_rng(5)
    first = np.concatenate([rng.random((100, 3)), rng.integers(-2, 3, (50, 3)), rng.integers(0, 97, (100, 3)) / 96])
    second = first + rng.uniform(-0.99, 0.99, (250, 3)) * SAME_PLACE + rng.integers(-2, 3, (250, 3))
    crystals = build(
        *(salt | {"frac": [a, b], "occupancy": [0.6, 0.7]} for a, b in zip(first, second, strict=True)),
    )
    found = crystal_problems(crystals, CU_KALPHA, XRAY)
    assert [i for i, _ in found] == list(range(250))
    assert all("add up to 1.3 (Na 0.6, Cl 0.7)" in reason for _, reason in found)


def test_neighbours_are_no_place(build, salt):
    """Rows twice the distance apart may both be full, and so may equal places of two crystals."""
    rng = np.random.default_rng(6)
    first = rng.random((200, 3))
    step = np.eye(3)[rng.integers(0, 3, 200)] * rng.choice([-1, 1], (200, 1)) * 2.01 * SAME_PLACE
    pairs = [salt | {"frac": [a, b]} for a, b in zip(first, first + step, strict=True)]
    assert crystal_problems(build(*pairs, *[salt] * 5), CU_KALPHA, XRAY) == []


def test_a_third_row_at_the_place_of_two(build, salt):
    frac = [[0, 0, 0], [0.5, 0.5, 0.5], [0.9999, 0.0001, 1.0], [0, 0, 0]]
    found = _places(build, salt, frac, [0.5, 1.0, 0.3, 0.4])
    assert found == [(1, found[0][1])]
    assert "(0, 0, 0) add up to 1.2 (Fe 0.5, Fe 0.3, Fe 0.4)" in found[0][1]


def test_each_crystal_has_one_reason_and_few_are_shown(build, salt):
    worst = salt | {"cell": [0.0] * 6, "occupancy": [2.0, 1.0], "frac": [[0, 0, 0], [np.nan, 0, 0]]}
    crystals = build(*[worst] * 7)
    found = crystal_problems(crystals, CU_KALPHA, XRAY)
    assert [i for i, _ in found] == list(range(7)) and all("encloses no volume" in reason for _, reason in found)
    with pytest.raises(ValueError, match=r"7 of 7 crystals(.|\n)*crystal 4 \(hand-4\)(.|\n)*and 2 more") as error:
        raise_problems(crystals, found)
    assert "crystal 5" not in str(error.value)
    raise_problems(crystals, [])


def test_real_mixed_sites_are_accepted(data_folder, tmp_path):
    """Doped superconductors as published: no crystal is refused whose occupancies its source rounded."""
    with gzip.open(data_folder / "structures" / "3dsc_10904.jsonl.gz", "rt", encoding="utf-8") as file:
        chosen = list(itertools.islice(file, 0, None, 60))
    with gzip.open(tmp_path / "some.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(chosen)
    crystals = read_jsonl(tmp_path / "some.jsonl.gz", standardise=False, workers=1).crystals
    assert len(crystals) > 150 and np.mean(crystals.occupancy < 1) > 0.1
    found: dict[int, str] = {}
    problems._check_places(crystals, found)
    assert found == {}

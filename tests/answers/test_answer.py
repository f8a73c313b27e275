"""What is said of a pattern depends on its lines alone, and adds up."""

import dataclasses
import json

import numpy as np
import pytest

from paperlib.answers.answer import (
    INSTRUMENT,
    NETWORK,
    SCHEME,
    Asker,
    ask,
    class_name,
    members,
    released_asker,
    systems,
)
from paperlib.answers.card import NO_CARD, Card
from paperlib.datasets.labels import Labels
from paperlib.datasets.measured import read_pattern
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT, MINERALS
from paperlib.diffraction.reflections import powder_reflections
from paperlib.diffraction.simulate import powder_patterns
from paperlib.diffraction.without_torch import NOT_MEASURED
from paperlib.learning.calibration import tempered
from tests.answers.conftest import write_xy
from tests.answers.released import network, torch_probabilities, write

GRID = INSTRUMENT.grid()
MEAN = (INSTRUMENT.wavelength + 0.5 * INSTRUMENT.second_wavelength) / 1.5


@pytest.fixture
def answer_of(asker, tmp_path):
    """The answer about an intensity on the points of the instrument, or others."""

    def call(intensity, two_theta=None, wavelength=INSTRUMENT.wavelength, cell=None, card=None):
        path = write_xy(tmp_path / "one.xy", intensity, two_theta)
        chosen = asker if card is None else Asker(asker.network, card)
        return ask(chosen, read_pattern(path, wavelength), path.name, cell)

    return call


@pytest.fixture
def pattern(simulated):
    return simulated[1][4].astype(float)


def test_the_probabilities_are_those_of_the_network(answer_of, pattern):
    answer = answer_of(1000 * pattern)
    expected = torch_probabilities(network(), answer.pattern[None])[0]
    np.testing.assert_allclose(answer.group_p, expected, atol=1e-4)


def test_probabilities_of_classes_are_the_sums_over_their_groups(answer_of, pattern):
    answer = answer_of(pattern)
    assert answer.group_p.sum() == pytest.approx(1, abs=1e-12) and answer.class_p.sum() == pytest.approx(1, abs=1e-12)
    sums = [answer.group_p[np.array(members(k)) - 1].sum() for k in range(len(Labels(SCHEME)))]
    np.testing.assert_allclose(answer.class_p, sums, rtol=1e-10)
    for falling in (answer.class_p[answer.classes], answer.group_p[answer.groups - 1]):
        assert (np.diff(falling) <= 0).all()


def test_scale_and_level_of_a_pattern_say_nothing(answer_of, pattern):
    one = answer_of(pattern)
    for other in (7e4 * pattern, 1000 * pattern + 300, pattern * 1e-3):
        np.testing.assert_allclose(answer_of(other).class_p, one.class_p, atol=2e-4)


def test_another_wavelength_shows_the_same_d_and_gets_the_same_answer(answer_of, simulated):
    single = dataclasses.replace(MINERAL_INSTRUMENT, wavelength=MEAN, second_wavelength=0.0)
    pattern = powder_patterns(simulated[0][4:5], single).numpy()[0]
    two_theta = 2 * np.degrees(np.arcsin(np.sin(np.radians(GRID / 2)) * 1.2 / MEAN))
    here, there = answer_of(pattern, wavelength=MEAN), answer_of(pattern, two_theta, 1.2)
    np.testing.assert_allclose(there.class_p, here.class_p, atol=0.03)
    d = np.array([one.line.d for one in here.lines])
    strong = [one for one in there.lines if one.line.height > 0.05]
    assert len(strong) > 5 and all(np.abs(d / one.line.d - 1).min() < 1e-3 for one in strong)
    for answer, wavelength in ((here, MEAN), (there, 1.2)):
        for one in answer.lines:
            assert np.sin(np.radians(one.two_theta / 2)) * 2 * one.line.d == pytest.approx(wavelength)


@pytest.mark.parametrize("stated", [(1.540593, 1.5444256), (1.540593, 0.0), (1.5418, 0.0)])
def test_the_doublet_of_copper_is_found_whether_it_is_stated_or_not(asker, simulated, tmp_path, stated):
    crystals, patterns = simulated
    read = read_pattern(write_xy(tmp_path / "one.xy", patterns[0]), stated[0])
    read = dataclasses.replace(read, wavelength=stated[0], second_wavelength=stated[1])
    answer = ask(asker, read, "one.xy")
    d = powder_reflections(crystals[:1], MINERAL_INSTRUMENT).d.numpy()
    errors = [np.abs(d / one.line.d - 1).min() for one in answer.lines]
    assert len(errors) > 5 and max(errors) < 1.1e-3, "no second line has become a d of its own"


def test_what_was_not_measured_is_said_to_the_network(answer_of, pattern):
    seen = (GRID > 12) & (GRID < 70)
    answer = answer_of(pattern[seen], GRID[seen])
    outside = (GRID < 11.9) | (GRID > 70.1)
    assert (answer.pattern[outside] == NOT_MEASURED).all()
    assert answer.pattern[(GRID > 12.1) & (GRID < 69.9)].min() >= 0
    assert not np.allclose(answer.class_p, answer_of(pattern).class_p, atol=1e-3)


def test_a_line_says_what_the_odds_lose_without_it(asker, answer_of, pattern):
    answer = answer_of(pattern)
    first, second = answer.classes[:2]
    odds = np.log(answer.class_p[first] / answer.class_p[second])
    effects = [abs(one.effect) for one in answer.lines]
    assert len(effects) > 10 and effects == sorted(effects, reverse=True) and effects[0] > 0.01
    one = answer.lines[0]
    left, right = one.line.feet
    cut = answer.above.copy()
    cut[left : right + 1] = np.minimum(cut[left : right + 1], np.linspace(cut[left], cut[right], right - left + 1))
    logits = asker.network.logits_of_lines(cut[None], np.ones((1, len(GRID)), dtype=bool))
    log_p = Labels("space_group").collapse(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), SCHEME)[0]
    assert one.effect == pytest.approx(odds - (log_p[first] - log_p[second]), abs=1e-3)


def test_the_card_warms_probabilities_and_refuses(answer_of, asker, pattern):
    plain, warm = answer_of(pattern), answer_of(pattern, card=Card(temperature=3.0))
    expected = tempered(np.log(plain.group_p)[None], 3.0)[0]
    np.testing.assert_allclose(warm.group_p, np.exp(expected), rtol=1e-6)
    assert plain.known and warm.class_p.max() < plain.class_p.max()
    just = plain.class_p.max()
    assert answer_of(pattern, card=Card(refuse_below=just - 1e-6)).known
    assert not answer_of(pattern, card=Card(refuse_below=just + 1e-6)).known


def test_with_a_cell_the_lines_have_indices(answer_of, simulated):
    crystals, patterns = simulated
    answer = answer_of(patterns[0], cell=crystals.cell[0])
    assert crystals.space_group[0] == 225
    indices = {one.reflections[0].hkl for one in answer.lines if one.reflections}
    assert {(2, 0, 0), (2, 2, 0), (4, 0, 0), (4, 4, 0)} <= indices
    assert all(len({x % 2 for x in hkl}) == 1 for hkl in indices), "all even or all odd"


def test_warnings_of_the_reader_come_first_and_neutrons_are_said(asker, tmp_path, pattern):
    read = read_pattern(write_xy(tmp_path / "n.xy", pattern), 1.2, "neutron")
    answer = ask(asker, dataclasses.replace(read, warnings=("repaired",)), "n.xy")
    assert answer.warnings[0] == "repaired" and "trained on xray, not on neutron" in answer.warnings[-1]


def test_classes_have_names_members_and_systems():
    k = int(Labels(SCHEME).of([225])[0])
    assert class_name(k) == "F - - - (cubic)" and 225 in members(k) and systems(k) == "cubic"
    assert systems(int(Labels(SCHEME).of([147])[0])) == "trigonal, hexagonal"


def test_the_released_network_lies_beside_its_card(root_with_network, monkeypatch, tmp_path):
    monkeypatch.setenv("PAPERLIB_ROOT", str(root_with_network))
    assert released_asker().card == Card(limits=(NO_CARD,)) and released_asker().network.name == NETWORK
    path = write(tmp_path / "net.safetensors", network())
    path.with_suffix(".json").write_text(json.dumps({"temperature": 1.5}))
    assert released_asker(path).card.temperature == 1.5
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=rf"no released network .*{NETWORK}"):
        released_asker()


@pytest.mark.parametrize(
    ("size", "scheme", "says"),
    [
        ({"n_classes": 99}, "published", "classes of 'published'; it must be space groups"),
        ({"n_points": 2000}, "space_group", "reads 2000 points"),
        ({"step": 0.02}, "space_group", r"2125 points 0\.02° apart"),
    ],
)
def test_a_network_for_other_patterns_is_refused(tmp_path, size, scheme, says):
    path = write(tmp_path / "net.safetensors", network(**size), scheme)
    with pytest.raises(ValueError, match=rf"net\.safetensors .*{says}"):
        released_asker(path)


def test_patterns_of_the_training_are_answered(asker, simulated, tmp_path):
    made = powder_patterns(simulated[0], MINERAL_INSTRUMENT, seed=3, imperfections=MINERALS).numpy()
    for i, row in enumerate(made):
        path = write_xy(tmp_path / f"{i}.xy", row)
        answer = ask(asker, read_pattern(path, 1.5406), path.name)
        assert np.isfinite(answer.class_p).all() and answer.lines

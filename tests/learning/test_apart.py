"""Controls that take one thing from patterns at a time, and scores within a class, on cases made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from paperlib.crystals.sources import load_crystals
from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import powder_reflections
from paperlib.learning import apart
from paperlib.learning.ranked import ranked_in

SCHEME = "absences"
SPACES = ("space_group", SCHEME, apart.known_class(SCHEME))
INSTRUMENT = Instrument(n_points=500)


@pytest.fixture(scope="module")
def crystals():
    return load_crystals("prototypes").crystals[:6]


def lines(crystals, instrument):
    """By crystal and hkl: the angle and |F|²; of lines that both instruments show."""
    found = powder_reflections(crystals, instrument, "cpu")
    names = [(int(c), *hkl) for c, hkl in zip(found.crystal, found.hkl.tolist(), strict=True)]
    return {n: (float(t), float(f)) for n, t, f in zip(names, found.two_theta, found.f_squared, strict=True)}


def test_a_rescaled_cell_moves_lines_by_braggs_law_and_leaves_structure_factors(crystals):
    factor = 1.1
    here, there = lines(crystals, INSTRUMENT), lines(crystals, apart.rescaled_at(INSTRUMENT, factor))
    both = here.keys() & there.keys()
    assert len(both) > 50
    sines = np.array([[np.sin(np.radians(x[n][0] / 2)) for x in (here, there)] for n in both])
    assert sines[:, 0] == pytest.approx(factor * sines[:, 1], rel=1e-5), "d grows, so the sine of theta shrinks"
    heights = np.array([[x[n][1] for x in (here, there)] for n in both])
    assert heights[:, 0] == pytest.approx(heights[:, 1], rel=1e-4)


def test_every_control_is_about_the_same_crystals_and_changes_their_patterns(crystals):
    rows, keys = {0: np.array([4, 1, 3])}, np.arange(len(crystals))
    tests = apart.controls(crystals, rows, keys, INSTRUMENT, [0.9, 1.1], 0.1)
    assert [test.key for test in tests] == ["permuted", "scaled_900", "scaled_1100", "shape", "all"]
    items = [test.items(0) for test in tests]
    assert all(np.array_equal(of.space_group, crystals.space_group[rows[0]]) for of in items)
    identities = [str(of.identity) for of in items]
    assert len(set(identities)) == len(items), "a training that was asked one is not taken to have answered another"
    flat = np.stack([of.patterns for of in items])
    assert all(np.abs(flat[i] - flat[j]).max() > 0.05 for i in range(len(items)) for j in range(i))


def answered(truth, answers):
    """A study of one training: probabilities {space group: p} for each item of each test; the rest is shared."""
    fine, cell = Labels("space_group"), ("space_group", 0, 0)
    items = SimpleNamespace(space_group=np.array(truth), clusters=np.arange(len(truth)))
    told, of_test = {}, {}
    for test, chances in answers.items():
        p = np.full((len(truth), 230), 1e-6)
        for row, of_item in zip(p, chances, strict=True):
            for group, chance in of_item.items():
                row[group - 1] = chance
        log_p = np.log(p / p.sum(1, keepdims=True))
        told[test, *cell], of_test[test, 0] = ranked_in(log_p, fine, items.space_group, SPACES), items
    return SimpleNamespace(cells=[cell], answers=told, items=of_test)


def test_the_group_is_asked_for_once_the_class_is_known_and_beside_the_commonest():
    # P1 and P-1 are one class, P2, Pm and P2/m another
    full = [{225: 0.9, 2: 0.06}, {225: 0.9, 3: 0.05, 6: 0.04}, {10: 0.9}]
    mixed = [{1: 0.9}, {3: 0.9}, {3: 0.9}]
    trained = answered([2, 6, 10], {"test": full, "permuted": mixed})
    scores = apart.in_class(trained, "space_group", SCHEME, {0: np.array([1, 2, 2, 10, 10, 6, 225])})
    assert scores.values["space_group@test"][0, 0].tolist() == [1, 0, 1]
    assert scores.values["space_group@permuted"][0, 0].tolist() == [0, 0, 0]
    assert scores.values[apart.COMMONEST][0, 0].tolist() == [1, 0, 1]
    contrasts = apart.changes({"in_class": (scores, "space_group")}, ["test", "permuted"], [1.0])
    assert set(contrasts) == {"in_class_permuted", "in_class_rescaled", "gain_test", "gain_permuted"}
    scores_of, terms = contrasts["in_class_permuted"]
    assert scores_of.contrast(terms).value == pytest.approx(-2 / 3)
    assert scores.contrast(contrasts["gain_test"][1]).value == 0
    table = apart.control_table({"in_class": (scores, "space_group")}, ["test", "permuted"])
    whole = table[table.split == -1].set_index("control")["value"]
    assert whole.to_dict() == pytest.approx({"test": 2 / 3, "permuted": 0, "commonest": 2 / 3})
    kinds = {0: np.array(["a", "b", "b"])}
    by = apart.by_kind(scores, "space_group", ["test", "permuted"], kinds).set_index(["kind", "score"])["value"]
    assert by["a", "test"] == 1 and by["b", "gain_permuted"] == pytest.approx(-0.5)


def test_a_class_of_one_group_is_left_out():
    labels = Labels(SCHEME).of(np.arange(1, 231))
    alone = next(int(g) + 1 for g in range(230) if (labels == labels[g]).sum() == 1)
    trained = answered([alone, 2], {"test": [{alone: 0.9}, {2: 0.9}]})
    assert apart.several_groups(trained, SCHEME)[0].tolist() == [False, True]


def test_types_are_counted_among_training_crystals_alone():
    types = np.array(["a"] * 12 + ["b"] * 4 + ["c", "c", "d", "e"])
    train, test = np.r_[0:10, 12:15, 16, 18], np.array([10, 11, 15, 17, 19])
    assert apart.type_bins(types, train, test).tolist() == [3, 3, 2, 1, 0]


def test_the_gain_in_known_types_is_held_against_that_in_others_and_the_class_of_most_gain_is_named():
    trained = answered([2, 2, 6, 10], {"test": [{2: 0.9}, {2: 0.9}, {6: 0.9}, {3: 0.9}]})
    scores = apart.in_class(trained, "space_group", SCHEME, {0: np.array([1, 1, 2, 10])})
    contrast, terms = apart.known_types(scores, "space_group", {0: np.array([1, 3, 0, 0])})
    # gains are 1, 1 in known types and 1, -1 in others
    assert contrast.contrast(terms).value == pytest.approx(1 - 0)
    kinds = {0: np.array(["P-1", "P-1", "P2/m", "P2/m"])}
    found = apart.largest_gain(apart.by_kind(scores, "space_group", ["test"], kinds))
    assert found["largest_class"].value == "P-1" and found["largest_gain"].value == 1
    assert found["largest_guess"].value == 0 and found["largest_share"].value == 1

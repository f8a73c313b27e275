"""Mixtures of kinds of patterns, patterns that come from elsewhere, and studies that are asked about a part of them."""

import pickle

import numpy as np
import pytest

from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets.labels import Labels
from paperlib.datasets.prepared import prepared_patterns
from paperlib.diffraction.radiations import compared_instruments
from paperlib.learning import comparison
from paperlib.learning.arms import Arm, ItemBudget, StoredRows, StoredTest
from paperlib.learning.radiations import (
    GivenTest,
    about,
    mixed_rows,
    program_effects,
    program_tests,
    radiation_effects,
    radiation_tests,
)
from paperlib.learning.study import study

from .made_up import MODEL, KeepingRun

LABELS = Labels("absences")
INSTRUMENTS = compared_instruments(400)
ALIKE = INSTRUMENTS.pop("alike")
ROWS, TESTED = {0: np.arange(40)}, {0: np.arange(40, 60)}


@pytest.fixture
def prepared(tmp_path, monkeypatch, crystals):
    """The patterns of both radiations, by radiation."""
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    return {kind: prepared_patterns(crystals, instrument) for kind, instrument in INSTRUMENTS.items()}


@pytest.fixture(scope="module")
def crystals():
    return random_crystals(np.tile(np.arange(2, 231, 12), 3), seed=1, elements=("O", "Ti", "Si", "Ca"))


def test_a_mixture_holds_both_kinds_in_equal_parts_each_in_an_order_of_its_own(prepared):
    kinds = {kind: StoredRows(p, ROWS, LABELS, 16) for kind, p in prepared.items()}
    mixed = pickle.loads(pickle.dumps(mixed_rows([*kinds.values()])))
    stream = mixed(0, 3)
    assert (stream.batch_size, stream.n_items, stream.n_points) == (16, 80, 400)
    batches = [[t.numpy() for t in stream.batch(step)] for step in range(5)]
    assert [len(patterns) for patterns, _ in batches] == [16] * 5
    seen = {kind: [] for kind in kinds}
    for patterns, targets in batches:
        for pattern, target in zip(patterns, targets, strict=True):
            (found,) = [
                (k, i) for k, p in prepared.items() for i in range(40) if np.array_equal(p.patterns[i], pattern)
            ]
            assert target == LABELS.of(prepared["xray"].crystals.space_group[[found[1]]].astype(int))[0]
            seen[found[0]].append(found[1])
    assert all(sorted(rows) == list(range(40)) for rows in seen.values()), "a pass shows each crystal once in each kind"
    assert seen["xray"][:8] != seen["neutron"][:8]
    # a budget of patterns is as many batches, whatever they hold
    budget = ItemBudget(800, lr=1e-3)
    assert budget(stream).steps == budget(kinds["xray"](0, 3)).steps == 50
    assert stream.identity() == mixed_rows([*kinds.values()])(0, 3).identity() != mixed(0, 4).identity()


def test_given_patterns_are_known_by_their_crystals_and_by_what_made_them(prepared):
    given = {0: np.array(prepared["neutron"].patterns[TESTED[0]])}
    clusters = np.arange(60) // 2
    test = GivenTest("other", prepared["neutron"], TESTED, clusters, given, {"program": "other 1.0"})
    items = test.items(0)
    assert np.array_equal(items.space_group, prepared["neutron"].crystals.space_group[40:60])
    assert np.array_equal(items.clusters, clusters[40:60]) and items.patterns is given[0]
    same = StoredTest("ours", prepared["neutron"], TESTED, clusters).items(0)
    assert items.identity == {"crystals": same.identity["crystals"], "program": "other 1.0"}
    short = GivenTest("other", prepared["neutron"], TESTED, clusters, {0: given[0][:5]}, {})
    with pytest.raises(ValueError, match="20 crystals and 5 patterns"):
        short.items(0)


def test_tests_about_the_same_crystals_are_compared_though_others_are_asked_too(prepared, tmp_path):
    clusters = np.arange(60)
    arm = Arm(
        "xray", LABELS, StoredRows(prepared["xray"], ROWS, LABELS, 16), ItemBudget(32, 1e-3), ("absences",), MODEL
    )
    given = {0: np.array(prepared["xray"].patterns[TESTED[0]])}
    tests = [StoredTest(kind, p, TESTED, clusters) for kind, p in prepared.items()]
    tests += [
        StoredTest("few", prepared["xray"], {0: TESTED[0][:7]}, clusters),
        GivenTest("given", prepared["xray"], TESTED, clusters, given, {"program": "a copy"}),
    ]
    trained = study(KeepingRun(tmp_path / "run"), [arm], tests, [0], [0], workers=1)
    with pytest.raises(ValueError, match="not about the same crystals"):
        comparison.scored_across(trained, "absences")
    pair = comparison.scored_across(about(trained, ("xray", "given")), "absences")
    assert set(pair.values) == {"xray@xray", "xray@given"}
    assert pair.contrast({"xray@given": 1, "xray@xray": -1}).value == 0, "the same patterns get the same answers"
    with pytest.raises(KeyError, match="no test other"):
        about(trained, ("xray", "other"))


def test_the_tests_of_a_study_and_what_is_compared_between_them(prepared):
    clusters = np.arange(60)
    tests = radiation_tests(prepared, TESTED, clusters)
    keys = [test.key for test in tests]
    assert keys == ["xray", "neutron", "xray_permuted", "neutron_permuted"]
    xray, permuted = (tests[i].items(0).patterns for i in (0, 2))
    assert np.abs(xray - permuted).max() > 0.1, "the heights have changed places"
    for name, terms in radiation_effects(["xray", "neutron", "both"]).items():
        assert sorted(terms.values()) == [-1, 1], name
        assert {term.partition("@")[2] for term in terms} <= set(keys)
    assert radiation_effects([])["other_xray"] == {"neutron@xray": 1, "xray@xray": -1}

    patterns = {kind: {0: np.array(prepared[kind].patterns[TESTED[0]])} for kind in prepared}
    theirs = {"xray": (ALIKE, patterns["xray"]), "neutron": (INSTRUMENTS["neutron"], patterns["neutron"])}
    tests = program_tests(prepared, TESTED, clusters, theirs, "other 1.0")
    assert [t.key for t in tests] == ["ours_xray", "alike_xray", "crysfml_xray", "ours_neutron", "crysfml_neutron"]
    assert tests[2].items(0).identity["instrument"] == repr(ALIKE)
    assert tests[1].instrument == ALIKE and len({tuple(t.items(0).space_group) for t in tests}) == 1
    effects = program_effects(tests)
    assert effects["program_xray_xray"] == {"xray@crysfml_xray": 1, "xray@ours_xray": -1}
    assert {name for name in effects if "neutron" in name} == {"program_neutron_neutron", "program_both_neutron"}
    parts = [effects[f"{part}_both_xray"] for part in ("alike", "remaining")]
    total = {term: sum(p.get(term, 0) for p in parts) for part in parts for term in part}
    assert {term: k for term, k in total.items() if k} == effects["program_both_xray"]
    assert program_tests(prepared, TESTED, clusters, {}, "") == [] and program_effects([]) == {}

"""Streams made on the fly: items by number in any order, balance, right targets, new draws in each pass, identity."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.synthesis import random_crystals
from paperlib.datasets import generated_streams
from paperlib.datasets.generated_streams import CrystalStream, IdealStream
from paperlib.datasets.labels import Labels
from paperlib.diffraction.ideal import ideal_patterns
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.simulate import powder_patterns
from paperlib.symmetry.extinction import class_members

INSTRUMENT = Instrument(n_points=400)
ABSENCES, SPACE_GROUPS = Labels("absences"), Labels("space_group")
IMPERFECT = Imperfections(background=(0.01, 0.1), counts=(1e3, 1e5), zero_shift=(-0.1, 0.1), texture=(0.7, 1.4))


@pytest.fixture(scope="module")
def crystals():
    """23 crystals of five groups: two of one class, common and rare ones."""
    return random_crystals([3] * 6 + [6] * 2 + [19] * 9 + [62] * 5 + [225], seed=5)


def ideal(**changes):
    made = {"labels": ABSENCES, "instrument": INSTRUMENT, "batch_size": 16, "n_items": 1000, "seed": 3}
    return IdealStream(**made | changes)


def of_crystals(crystals, **changes):
    made = {"labels": ABSENCES, "instrument": INSTRUMENT, "batch_size": 8, "seed": 3, "imperfections": IMPERFECT}
    return CrystalStream(crystals, **made | changes)


@pytest.fixture(params=["line", "laue", "crystals", "balanced crystals"])
def make(request, crystals):
    """A function from changes to a stream."""
    if request.param in ("line", "laue"):
        return lambda **changes: ideal(family=request.param, **changes)
    balance = "classes" if request.param.startswith("balanced") else None
    return lambda **changes: of_crystals(crystals, balance=balance, **changes)


def first(stream, n):
    """The first n items of a stream."""
    batches = [stream.batch(step) for step in range(-(-n // stream.batch_size))]
    return tuple(torch.cat(tensors)[:n] for tensors in zip(*batches, strict=True))


def test_any_order_gives_the_batches_of_the_sequence(make):
    in_order = [make().batch(step) for step in range(4)]
    stream = make()
    for step in (3, 0, 2, 3):
        patterns, targets = stream.batch(step)
        assert torch.equal(patterns, in_order[step][0]) and torch.equal(targets, in_order[step][1])


def test_an_item_is_the_same_in_batches_of_any_size(make):
    patterns, targets = first(make(batch_size=8), 50)
    for batch_size in (1, 7, 50):
        same, labels = first(make(batch_size=batch_size), 50)
        assert torch.equal(labels, targets)
        torch.testing.assert_close(same, patterns, atol=1e-5, rtol=0)


def test_batches_are_what_a_network_takes(make):
    stream = make()
    patterns, targets = stream.batch(2, torch.device("cpu"))
    assert patterns.shape == (stream.batch_size, 400) and stream.n_points == 400
    assert patterns.dtype == torch.float32 and targets.dtype == torch.int64
    assert patterns.isfinite().all() and torch.equal(patterns.amax(1), torch.ones(stream.batch_size))
    assert patterns.min() >= 0  # none of these has noise that goes below


def test_a_copy_in_another_process_gives_the_same(make):
    copy = pickle.loads(pickle.dumps(make()))
    assert copy.identity() == make().identity()
    assert all(torch.equal(a, b) for a, b in zip(copy.batch(3), make().batch(3), strict=True))


def test_the_seed_changes_every_item(make):
    here, there = first(make(), 40), first(make(seed=4), 40)
    assert not (here[0] == there[0]).all(1).any() and not torch.equal(here[1], there[1])


@pytest.mark.parametrize("family", ["line", "laue"])
def test_ideal_items_are_those_of_their_space_group_and_number(family):
    stream = ideal(family=family, labels=SPACE_GROUPS)
    patterns, targets = stream.batch(5)
    items = np.arange(80, 96)
    groups = stream.space_groups(items)
    expected = ideal_patterns(groups, INSTRUMENT, 3, family=family, items=items)
    torch.testing.assert_close(patterns, expected, atol=1e-6, rtol=0)
    assert torch.equal(targets, torch.from_numpy(groups - 1))
    assert torch.equal(ideal(family=family).batch(5)[1], torch.from_numpy(ABSENCES.of(groups)))


def test_groups_come_in_turn_in_an_order_drawn_anew():
    groups = ideal().space_groups(np.arange(3 * 230)).reshape(3, 230)
    assert np.array_equal(np.sort(groups, axis=1), np.tile(np.arange(1, 231), (3, 1)))
    assert np.mean(groups[0] == groups[1]) < 0.05
    # neighbours are no block of one crystal system
    assert np.mean(np.abs(np.diff(groups[0])) < 10) < 0.2


@pytest.mark.parametrize("scheme", ["absences", "published"])
def test_classes_come_in_turn_and_their_groups_in_turn(scheme):
    labels = Labels(scheme)
    turns = 12
    groups = ideal(labels=labels, balance="classes").space_groups(np.arange(turns * len(labels)))
    classes = labels.of(groups).reshape(turns, -1)
    assert np.array_equal(np.sort(classes, axis=1), np.tile(np.arange(len(labels)), (turns, 1)))
    for number in (3, 19, 221):
        members = class_members(number, scheme)
        counts = [np.sum(groups == member) for member in members]
        assert sum(counts) == turns and max(counts) - min(counts) <= 1


def test_crystals_come_with_their_own_pattern_and_label(crystals):
    stream = of_crystals(crystals, labels=SPACE_GROUPS, imperfections=None)
    patterns, targets = stream.batch(1)
    rows = stream.rows(np.arange(8, 16))
    assert torch.equal(targets, torch.from_numpy(crystals.space_group[rows].astype(np.int64) - 1))
    torch.testing.assert_close(patterns, powder_patterns(crystals[rows], INSTRUMENT), atol=1e-5, rtol=0)


def test_imperfections_are_those_of_the_item(crystals):
    patterns, _ = of_crystals(crystals).batch(4)
    items = np.arange(32, 40)
    rows = of_crystals(crystals).rows(items)
    expected = powder_patterns(crystals[rows], INSTRUMENT, seed=3, imperfections=IMPERFECT, items=items)
    torch.testing.assert_close(patterns, expected, atol=1e-5, rtol=0)


def test_a_pass_brings_every_crystal_once(crystals):
    stream = of_crystals(crystals)
    assert stream.n_items == 23
    passes = stream.rows(np.arange(4 * 23)).reshape(4, 23)
    assert np.array_equal(np.sort(passes, axis=1), np.tile(np.arange(23), (4, 1)))
    assert len({tuple(order) for order in passes.tolist()}) == 4


@pytest.mark.parametrize("balance, kinds", [("groups", 5), ("classes", 4)])
def test_balanced_crystals_come_by_kind_and_each_kind_uses_all_of_its_own(crystals, balance, kinds):
    rows = of_crystals(crystals, balance=balance).rows(np.arange(18 * kinds))
    groups = crystals.space_group[rows]
    kind = groups if balance == "groups" else ABSENCES.of(groups)
    assert np.unique(kind, return_counts=True)[1].tolist() == [18] * kinds
    assert set(rows.tolist()) == set(range(23))
    assert np.bincount(rows)[crystals.space_group == 19].tolist() == [2] * 9


def test_each_pass_draws_imperfections_anew(crystals):
    one = crystals[:1]
    passes, _ = first(of_crystals(one), 3)
    assert (passes[0] - passes[1]).abs().max() > 0.01 and (passes[1] - passes[2]).abs().max() > 0.01
    clean, _ = first(of_crystals(one, imperfections=None), 3)
    torch.testing.assert_close(clean[0], clean[2], atol=1e-6, rtol=0)


def test_the_identity_of_an_ideal_stream_knows_every_argument():
    changes = [
        *({"labels": SPACE_GROUPS}, {"instrument": Instrument(n_points=401)}, {"batch_size": 17}, {"n_items": 999}),
        *({"seed": 4}, {"balance": "classes"}, {"family": "laue"}),
    ]
    identities = [ideal(**change).identity() for change in [{}, *changes]]
    assert json.loads(json.dumps(identities)) == identities
    assert len({json.dumps(identity) for identity in identities}) == len(changes) + 1
    assert ideal().identity() == identities[0]


def test_the_identity_of_a_crystal_stream_knows_every_argument_and_the_simulation(crystals, monkeypatch):
    changes = [
        *({"labels": SPACE_GROUPS}, {"instrument": Instrument(n_points=401)}, {"batch_size": 9}, {"seed": 4}),
        *({"imperfections": None}, {"imperfections": dataclasses.replace(IMPERFECT, texture=1.0)}),
        {"imperfections": dataclasses.replace(IMPERFECT, second_phase=0.1, impurities=crystals[:2])},
        {"imperfections": dataclasses.replace(IMPERFECT, second_phase=0.1, impurities=crystals[:3])},
        *({"balance": "groups"}, {"balance": "classes"}, {"digest": "another name"}),
    ]
    identities = [of_crystals(crystals, **change).identity() for change in [{}, *changes]]
    identities.append(of_crystals(crystals[1:]).identity())
    monkeypatch.setattr(generated_streams, "PATTERNS", dataclasses.replace(generated_streams.PATTERNS, version=99))
    identities.append(of_crystals(crystals).identity())
    monkeypatch.undo()
    assert json.loads(json.dumps(identities)) == identities
    assert len({json.dumps(identity) for identity in identities}) == len(changes) + 3
    assert of_crystals(crystals).identity() == identities[0]


def test_the_checksum_of_crystals_sees_atoms_and_not_last_digits(crystals):
    def changed(**columns):
        return of_crystals(dataclasses.replace(crystals, **columns)).identity()["crystals"]

    original = changed()
    assert changed(source_id=crystals.source_id[::-1].copy()) == original, "names are not what is learnt from"
    assert changed(cell=crystals.cell * (1 + 1e-15)) == original
    assert changed(cell=crystals.cell * (1 + 1e-5)) != original
    species = crystals.species.copy()
    species[-1] += 1
    assert changed(species=species) != original
    assert changed(space_group=crystals.space_group[::-1].copy()) != original


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"n_items": 0}, "n_items=0"),
        ({"balance": "rows"}, "'groups' or 'classes'"),
        ({"family": "lines"}, "'line' or 'laue'"),
    ],
)
def test_arguments_that_make_no_ideal_stream(changes, message):
    with pytest.raises(ValueError, match=message):
        ideal(**changes)


def test_arguments_that_make_no_crystal_stream(crystals):
    with pytest.raises(ValueError, match="no crystals"):
        of_crystals(CrystalSet.empty())
    with pytest.raises(ValueError, match="'groups' or 'classes'"):
        of_crystals(crystals, balance="crystals")
    with pytest.raises(ValueError, match="batch_size=-1"):
        of_crystals(crystals, batch_size=-1)

"""Distances of answers from the truth, and what guesses would give, on answers made by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from paperlib.datasets.labels import Labels
from paperlib.learning import error_graph
from paperlib.learning.error_graph import FirstAnswers
from paperlib.learning.kept import published_name
from paperlib.learning.ranked import ranked, save_ranked
from paperlib.symmetry.relations import distances

CELL = (0, 0)
FM3M, PM3M, PMMM, P4MMM, P1 = 225, 221, 47, 123, 1


def told(truth, first, seen):
    """The answers of one training, as space groups; ``seen`` are those of its training items."""
    shares = np.bincount(np.array(seen) - 1, minlength=230) / len(seen)
    target, answer = ({CELL: np.array(x) - 1} for x in (truth, first))
    return FirstAnswers(target, answer, {0: shares}, {0: np.arange(len(truth))})


ANSWERS = told([FM3M, PM3M, PM3M, P1], [FM3M, FM3M, PMMM, P1], [PM3M, PM3M, PM3M, PMMM])


def test_mean_distance_of_the_network_the_commonest_and_draws():
    scores = error_graph.mean_distances(ANSWERS, distances())
    assert scores.values["network"][CELL].tolist() == [0, 1, 2, 0]
    from_p1 = distances()[P1 - 1, [PM3M - 1, PMMM - 1]]
    assert scores.values["commonest"][CELL].tolist() == [1, 0, 0, from_p1[0]]
    assert scores.values["draws"][CELL][1] == pytest.approx(0.25 * 2)
    assert scores.values["draws"][CELL][3] == pytest.approx(from_p1 @ [0.75, 0.25])


def test_draws_agree_with_draws_that_are_made():
    generator, shares = np.random.default_rng(0), np.random.default_rng(1).dirichlet(np.full(230, 0.1))
    truth = generator.choice(230, 40, p=shares)
    answers = FirstAnswers({CELL: truth}, {CELL: (truth + 1) % 230}, {0: shares}, {0: np.arange(40)})
    drawn = generator.choice(230, (4000, 40), p=shares)
    d = distances()[drawn, truth]
    found = error_graph.mean_distances(answers, distances()).values["draws"][CELL]
    assert found == pytest.approx(d.mean(0), abs=0.1)
    near = error_graph.wrong_within(answers, distances() == 1).values["draws"][CELL]
    assert near == pytest.approx((d == 1).sum(0) / (d > 0).sum(0), abs=0.05)


def test_of_wrong_answers_alone_is_asked_how_they_are_related():
    related = error_graph.relation_table("space_group")
    shares = {
        name: error_graph.wrong_within(ANSWERS, r).values["network"][CELL].tolist() for name, r in related.items()
    }
    # Pm-3m read as Fm-3m, a k-relation, and as Pmmm, two steps down
    assert shares["one_edge"] == shares["k"] == [1, 0]
    assert shares["t"] == shares["t_up"] == shares["same_class"] == [0, 0]
    guess = error_graph.commonest_within(ANSWERS, related["one_edge"]).values["commonest"][CELL]
    assert guess.tolist() == [1, 0], "of Fm-3m and P1, the items that are not Pm-3m"
    drawn = error_graph.wrong_within(ANSWERS, related["one_edge"]).values["draws"][CELL]
    assert drawn.tolist() == [0, 0], "where the truth is Pm-3m, a wrong draw is Pmmm"


def test_up_is_an_answer_with_a_larger_point_group():
    related = error_graph.relation_table("space_group")
    assert related["t_up"][P4MMM - 1, PM3M - 1] and not related["t_down"][P4MMM - 1, PM3M - 1]
    assert related["t_down"][PM3M - 1, P4MMM - 1] and not related["t"][PM3M - 1, PMMM - 1]
    assert related["same_class"][2, 5] and not related["same_class"][2, 3]  # P2, Pm; P2_1


def test_classes_are_as_far_as_their_nearest_members():
    labels = Labels("absences")
    d = error_graph.class_distances("absences")
    assert (
        d.shape == (97, 97)
        and not d.diagonal().any()
        and np.array_equal(d, d.T)
        and d[~np.eye(97, dtype=bool)].min() == 1
    )
    one, other = labels.of([FM3M, PM3M])
    members = labels.of(np.arange(1, 231))
    assert d[one, other] == distances()[np.ix_(members == one, members == other)].min() == 1
    edge = error_graph.relation_table("absences")["one_edge"]
    assert np.array_equal(edge & ~np.eye(97, dtype=bool), d == 1)


def test_shares_at_all_distances_add_up_to_one():
    table = error_graph.distance_table({"space_group": ANSWERS}, {"space_group": distances()})
    sums = table[table.split == -1].groupby("who")["value"].sum()
    assert sums.to_dict() == pytest.approx({"network": 1, "commonest": 1, "draws": 1})
    values = error_graph.named_values(table, "{arm}_{who}_{distance}")
    assert values["space_group_network_0"].value == 0.5 and values["space_group_network_0"].kind == "share"


def test_near_table_tells_network_draws_and_their_difference():
    answers = told([FM3M, FM3M, P1, P1], [PM3M, FM3M, FM3M, P1], [PM3M, PMMM, P1, P1])
    table = error_graph.near_table({"space_group": answers}, {"space_group": "space_group"})
    rows = table[(table.split == -1) & (table.relation == "one_edge")].set_index("who")["value"]
    assert rows["network"] == 0.5 and rows["draws"] == pytest.approx(0.25 / 2)
    assert rows["above_draws"] == pytest.approx(0.375)
    assert rows["commonest"] == 0, "P1 is no maximal subgroup of Fm-3m"


def test_published_predictions_are_read_and_have_to_be_about_the_test_items(tmp_path):
    labels, truth = Labels("space_group"), {0: np.array([1, 2, 225]), 1: np.array([2, 2, 14])}
    for split, groups in truth.items():
        log_p = np.full((3, 230), np.log(1e-3 / 229))
        log_p[:, 1] = np.log(0.999)
        path = tmp_path / published_name("test", "space_group", split, split)
        path.parent.mkdir(exist_ok=True)
        save_ranked(path, {"space_group": ranked(log_p, labels.of(groups))})
    trainings = pd.DataFrame({"arm": ["space_group", "direct", "space_group"], "split": [0, 0, 1], "seed": [0, 0, 1]})
    results = SimpleNamespace(table=lambda *_: trainings, file=lambda _, name: tmp_path / name)
    seen = {0: np.array([2, 2, 1]), 1: np.array([1])}
    about = (results, "06_labels", "space_group", "space_group")
    found = error_graph.published_answers(*about, truth, truth, seen)
    assert {repeat: first.tolist() for repeat, first in found.first.items()} == {(0, 0): [1] * 3, (1, 1): [1] * 3}
    assert {split: wrong.tolist() for split, wrong in found.wrong().items()} == {
        0: [True, False, True],
        1: [False, False, True],
    }
    assert found.frequencies[0][:2] == pytest.approx([1 / 3, 2 / 3])
    with pytest.raises(ValueError, match="split 1, are about other test items"):
        error_graph.published_answers(*about, truth | {1: np.array([2, 2, 15])}, truth, seen)

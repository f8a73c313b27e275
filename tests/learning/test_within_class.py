"""What is known within a class, on answers that are made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from paperlib.datasets.labels import Labels
from paperlib.learning.ranked import ranked_in
from paperlib.learning.within_class import beside_chance, where_class_is_right

FINE, SCHEME = Labels("space_group"), "absences"
TRICLINIC, MONOCLINIC = (1, 2), (3, 6, 10)
"""All groups of two classes without absences."""


def answered(truth, *chances):
    """A study of one training, whose answer to each item is given as {space group: probability}; the rest is shared."""
    p = np.full((len(chances), 230), 1e-6)
    for row, of_item in zip(p, chances, strict=True):
        for group, chance in of_item.items():
            row[group - 1] = chance
    log_p = np.log(p / p.sum(1, keepdims=True))
    items = SimpleNamespace(space_group=np.array(truth), clusters=np.arange(len(truth)))
    answers = ranked_in(log_p, FINE, items.space_group, ("space_group", SCHEME))
    cell = ("sg", 0, 0)
    return SimpleNamespace(cells=[cell], answers={("test", *cell): answers}, items={("test", 0): items})


def test_a_guess_among_the_groups_of_the_class_that_is_named():
    trained = answered([3, 1, 1], {6: 0.9}, {1: 0.9}, {3: 0.9})
    found = beside_chance(trained, "test", "sg", SCHEME)
    assert found.values["observed"][0, 0].tolist() == [0, 1, 0]
    assert found.values["guessed"][0, 0] == pytest.approx([1 / len(MONOCLINIC), 1 / len(TRICLINIC), 0])


def test_the_group_is_read_within_the_class_and_only_where_that_is_right():
    # the class of the second is right though its first group is of another one; that of the third is wrong
    chances = {6: 0.9}, {3: 0.2, 6: 0.19, 10: 0.18, 225: 0.3}, {225: 0.9}
    trained = answered([6, 3, 3], *chances)
    seen = {0: np.array([3, 3, 6, 10])}
    found = where_class_is_right(trained, "test", "sg", SCHEME, seen)
    assert found.values["network"][0, 0].tolist() == [1, 1]
    assert found.values["commonest"][0, 0].tolist() == [0, 1], "3 is the commonest of its class"
    assert found.clusters[0].tolist() == [0, 1]


def test_a_class_of_one_group_says_nothing():
    alone = next(
        int(g) for g in range(1, 231) if (Labels(SCHEME).of(np.arange(1, 231)) == Labels(SCHEME).of([g])).sum() == 1
    )
    with pytest.raises(ValueError, match="no test item"):
        where_class_is_right(answered([alone], {alone: 0.9}), "test", "sg", SCHEME, {0: np.array([alone])})

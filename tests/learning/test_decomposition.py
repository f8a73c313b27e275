"""Answers taken apart into the family and the reading: by hand, from probabilities to shares."""

import numpy as np
import pandas as pd
import pytest

from paperlib.datasets.labels import Labels
from paperlib.learning.arms import TestItems
from paperlib.learning.decomposition import decomposition, parts_of
from paperlib.learning.ranked import load_ranked, ranked_in, save_ranked
from paperlib.learning.study import Trained

GROUPS = np.array([16, 16, 75, 221])
"""P222 twice, P4, Pm-3m."""


def answers(spaces):
    labels = Labels("published")
    p222, pmma, p4, p42, cubic = labels.of([16, 51, 75, 77, 221])
    said = [
        {p222: 0.5, pmma: 0.3, p4: 0.2},  # right in everything
        {p4: 0.4, p222: 0.35, pmma: 0.25},  # the likeliest class is tetragonal, the likeliest family orthorhombic
        {p222: 0.6, p4: 0.3, p42: 0.1},  # told that it is tetragonal, it would be right
        {cubic: 1e-6, p4: 0.9},  # a family without a chance, read without a choice
    ]
    p = np.full((4, 99), 1e-9)
    for row, chances in enumerate(said):
        p[row, list(chances)] = list(chances.values())
    return ranked_in(np.log(p / p.sum(1, keepdims=True)), labels, GROUPS, spaces)


def trained(of_arm):
    cells = pd.DataFrame([(arm, 0, 0) for arm in of_arm], columns=["arm", "split", "seed"])
    items = {("test", 0): TestItems(np.zeros((4, 1)), GROUPS, np.arange(4), {})}
    kept = {("test", arm, 0, 0): answers(spaces) for arm, spaces in of_arm.items()}
    return Trained(cells, pd.DataFrame(), pd.DataFrame(), kept, items)


def test_family_reading_and_whole_by_hand(tmp_path):
    table = decomposition(trained({"net": parts_of("published"), "other": ("published",)}), "test", "published")
    assert table[table.arm == "net"].set_index("part").value.to_dict() == {
        "family": 2 / 4, "reading": 4 / 4, "whole": 1 / 4,
    }  # fmt: skip
    assert table[table.arm == "other"].part.tolist() == ["whole"] and (table.n == 4).all()
    path = tmp_path / "answers.npz"
    save_ranked(path, answers(parts_of("published")))
    assert list(load_ranked(path)) == list(parts_of("published")), "a conditional answer is kept like any other"


def test_arms_without_the_parts_are_told_what_to_name():
    with pytest.raises(ValueError, match=r"no arm is scored in 'crystal_family': give its Arm spaces"):
        decomposition(trained({"net": ("published",)}), "test", "published")

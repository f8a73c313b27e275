"""Tables of what rules leave, counted by hand."""

import numpy as np
import pytest

from paperlib.datasets.pictured import atom_table, cell_table
from paperlib.datasets.rule_tables import ASKED, class_change, contrasting, left_table, left_values, size_table
from tests.datasets import planted

GROUPS = {"pattern, doped": np.array([0, 0, 1, 1, 1, 2]), "cell": np.arange(6)}
DATABASE = np.array(["one", "one", "one", "two", "two", "two"])


def test_what_is_left_of_each_database_and_of_all():
    left = left_table(GROUPS, DATABASE).set_index(["rule", "database"])
    assert left.loc[("pattern, doped", "together"), ["entries", "groups", "largest"]].tolist() == [6, 3, 3]
    assert left.loc[("pattern, doped", "one"), ["entries", "groups", "largest"]].tolist() == [3, 2, 2]
    assert left.loc["cell", "removed"].tolist() == [0, 0, 0]
    values = left_values(left.reset_index())
    assert values["pattern_doped_groups"].value == 3 and values["pattern_doped_removed_share"].value == 0.5
    assert values["two_pattern_doped_removed"].value == 1 and values["one_cell_removed"].value == 0


def test_sizes_add_up_to_all_entries():
    sizes = size_table(GROUPS)
    assert (sizes["size"] * sizes["groups"]).groupby(sizes["rule"]).sum().to_dict() == {"cell": 6, "pattern, doped": 6}
    assert sizes[sizes["rule"] == "pattern, doped"]["size"].tolist() == [1, 2, 3]


def test_classes_before_and_after():
    # of four entries of Fm-3m and two of P-1, one of Fm-3m goes for another
    group = np.array([225, 225, 225, 225, 2, 2])
    table = class_change(group, np.array([0, 0, 1, 2, 3, 4]), np.array(list("abcdef")), "published")
    rows = table[table["before"] > 0].sort_values("before")
    assert rows["before"].tolist() == [2, 4] and rows["after"].tolist() == [2, 3]
    assert rows["change"].tolist() == pytest.approx([2 / 5 - 2 / 6, 3 / 5 - 4 / 6])
    assert table["change"].sum() == pytest.approx(0)


def test_three_to_show():
    similarity = np.array([[1, 0.9, 0.5, 0.8], [0.9, 1, 0.4, 0.7], [0.5, 0.4, 1, 0.6], [0.8, 0.7, 0.6, 1.0]])
    # the first resembles the others most; the rule tells 2 and 3 from it
    assert contrasting(similarity, np.array([0, 0, 1, 2])).tolist() == [0, 3, 2]
    assert contrasting(similarity, np.array([0, 0, 1, 0])).tolist() == [0, 1, 2]


def test_what_is_asked_goes_from_loose_to_strict_and_lets_doping_in():
    assert next(iter(ASKED)) == "formula~group" and ASKED["pattern, doped"] == ("pattern", {"formula": 0.02})


def test_tables_of_a_picture():
    salt = planted.rock_salt("salt")
    atoms, cells = atom_table(salt), cell_table(salt)
    assert atoms["element"].tolist() == ["Na", "Cl"] * 4 and set(atoms["row"]) == {0}
    assert atoms["radius"].gt(0.5).all() and len(set(atoms["radius"])) == 2
    assert cells.loc[0, ["a", "gamma", "n_atoms", "space_group"]].tolist() == [5.64, 90, 8, 225]

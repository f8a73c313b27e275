"""Where derived entries come from, and what it says of labels: small files written by hand."""

import gzip
import json

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.named_crystals import SAME, named_families
from paperlib.datasets.parents import Lineage, doping_series, label_noise, noise_values, read_lineage, relabelled
from paperlib.datasets.talk_rows import ROWS, talk_rows, talk_table
from tests.datasets import planted

LINES = [
    {"id": "mp-1", "formula": "NaCl"},
    {"id": "A-1", "parent": "mp-1", "doped": False, "formula": "Na1Cl1"},
    {"id": "A-2", "parent": "mp-1", "doped": True, "formula": "K0.1Na0.9Cl1"},
    {"id": 7, "parent": "mp-2", "doped": True, "formula": "K0.1Na0.9Cl1"},
]


@pytest.mark.parametrize("name", ["set.jsonl", "set.jsonl.gz"])
def test_parents_are_read_where_they_are_named(tmp_path, name):
    content = "\n".join([*map(json.dumps, LINES), "no JSON", '"A-1"', ""]).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    ids = np.array(["A-2", "mp-1", "7", "A-1", "elsewhere"])
    lineage = read_lineage(ids, [tmp_path / name, "prototypes", tmp_path])
    assert lineage.parent.tolist() == ["mp-1", "mp-1", "mp-2", "mp-1", "elsewhere"]
    assert lineage.derived.tolist() == [True, False, True, True, False]
    assert lineage.doped.tolist() == [True, False, True, False, False]
    assert lineage.formula.tolist() == ["K0.1Na0.9Cl1", "", "K0.1Na0.9Cl1", "Na1Cl1", ""]
    assert len(read_lineage(ids[:0], []).parent) == 0


def lineage_of(parent, doped, formula):
    parent = np.array(parent)
    return Lineage(parent, np.ones(len(parent), bool), np.array(doped), np.array(formula))


def test_labels_that_cannot_all_be_right():
    formula = ["X", "X", "X", "X", "Y", "Y", "Z", "Z", "W"]
    group = np.array([225, 225, 221, 62, 2, 147, 12, 12, 1])
    doped = [True] * 8 + [False]
    noise = label_noise(lineage_of(["p"] * 9, doped, formula), group).set_index("formula")
    assert noise.index.tolist() == ["X", "Y", "Z"], "what is not doped is not asked"
    # X: two of four are 225, so that at least two are wrong; Y: one of two; Z: none that is known
    assert noise["surely_wrong"].to_dict() == {"X": 2, "Y": 1, "Z": 0}
    assert noise["space_groups"].to_dict() == {"X": 3, "Y": 2, "Z": 1}
    assert noise["entries"].to_dict() == {"X": 4, "Y": 2, "Z": 2}
    assert noise["classes"].to_dict()["X"] == 3
    values = {name: value.value for name, value in noise_values(noise.reset_index()).items()}
    assert values == {"noise_formulas": 3, "noise_entries": 8, "noise_several_groups": 2, "noise_several_classes": 2,
                      "noise_surely_wrong": 3, "noise_surely_wrong_share": 3 / 8}  # fmt: skip
    none = label_noise(lineage_of([], [], []), group[:0])
    assert len(none) == 0 and "noise_surely_wrong_share" not in noise_values(none)


def test_groups_of_one_extinction_class_are_one_class():
    # P222 and Pmmm have no systematic absences either
    noise = label_noise(lineage_of(["p"] * 2, [True] * 2, ["X"] * 2), np.array([16, 47]))
    assert noise.iloc[0][["space_groups", "classes", "surely_wrong"]].tolist() == [2, 1, 1]


def test_undoped_copies_with_another_group_than_their_parent():
    salt = planted.rock_salt
    crystals = CrystalSet.concatenate([salt("mp-1"), salt("mp-2"), salt("A"), salt("B"), salt("C"), salt("D")])
    crystals.space_group[:] = [225, 225, 225, 221, 221, 221]
    lineage = Lineage(
        np.array(["mp-1", "mp-2", "mp-1", "mp-2", "mp-9", "mp-1"]), np.array([0, 0, 1, 1, 1, 1], bool),
        np.array([0, 0, 0, 0, 0, 1], bool), np.array([""] * 6),
    )  # fmt: skip
    assert relabelled(crystals, lineage) == (1, 2), "C's parent is not at hand, D is doped"


def series(shares, parent="p"):
    """Rock salt with a share of the chlorine replaced by bromine."""
    made = [planted.rock_salt(f"{parent} {x}") for x in shares]
    crystals = []
    for x, crystal in zip(shares, made, strict=True):
        structure = crystal.to_structures()[0]
        structure.replace_species({"Cl": {"Cl": 1 - x, "Br": x}} if x else {})
        structure.properties["source_id"] = str(crystal.source_id[0])
        crystals.append(structure)
    return CrystalSet.from_structures(crystals)


def test_a_series_by_rising_dopant_of_the_parent_that_has_most():
    crystals = CrystalSet.concatenate([series([0.1, 0.0], "q"), series([0.3, 0.0, 0.05, 0.05], "p")])
    parent = ["q", "q", "p", "p", "p", "p"]
    lineage = lineage_of(parent, [False] * 6, [""] * 6)
    assert doping_series(crystals, lineage, "Br", "Cl", ["Na"]).tolist() == [3, 4, 2]
    assert doping_series(crystals, lineage, "I", "Cl", ["Na"]).tolist() == [], "one crystal is no series"
    own = lineage._replace(derived=np.zeros(6, bool))
    assert len(doping_series(crystals, own, "Br", "Cl", ["Na"])) == 0


def test_what_loses_atoms_is_of_no_series():
    crystals = series([0.0, 0.1, 0.2])
    crystals.occupancy[crystals.site_start[2] : crystals.site_start[3]] *= np.where(
        crystals.species[crystals.site_start[2] :] == 11, 0.5, 1.0
    )
    lineage = lineage_of(["p"] * 3, [False] * 3, [""] * 3)
    assert doping_series(crystals, lineage, "Br", "Cl", ["Na"]).tolist() == [0, 1]


def test_the_rows_of_the_talk():
    """By hand: six rows have one formula and group. Of these 94288 and 94289 differ by 0.2 and 0.3 %; 94290 is 2.7 %
    longer along c, 94291 half as long, 426574 2 % shorter along c, and 426575 1.02 % shorter along a."""
    table = talk_table().set_index("source_id")
    six = ["94288", "94289", "94290", "94291", "426574", "426575"]
    for rule in ("formula~group", "formula+group"):
        assert table[rule].nunique() == 6 and table.loc[six, rule].nunique() == 1
    assert table["cell"].nunique() == 10
    assert table.loc["94288", "cell"] == table.loc["94289", "cell"]
    assert table["cell, wide"].nunique() == 7 and table.loc[six, "cell, wide"].nunique() == 2
    printed = [427.66, 42.56, 183.96, 185.23, 191.41, 96.27, 179.33, 180.61, 103.42, 45.73, 47.44]
    np.testing.assert_allclose(table["volume"], printed, atol=0.06)
    assert table["year"].tolist() == [year for _, year, *_ in ROWS]


def test_the_mixed_sites_of_the_rows_have_their_composition():
    rows = talk_rows()
    np.testing.assert_allclose(np.add.reduceat(rows.occupancy, rows.site_start[:-1]), 1)
    first = rows.occupancy[:4] / rows.occupancy[0]
    np.testing.assert_allclose(first, [1, 99, 150, 50])


def test_families_by_name():
    names = [name for family in SAME for name in family]
    assert len(set(names)) == len(names)
    found = named_families(np.array(["zeolites/SOD", *names, "zeolites/RHO"]))
    assert len(set(found.tolist())) == len(SAME) + 2
    assert found[0] == "zeolites/SOD"

"""The released networks' answers about crystals that everybody knows, and about files as they come."""

import numpy as np
import pytest

from paperlib import cli
from paperlib.crystals.sources import load_crystals
from paperlib.diffraction.instrument import CU_KALPHA
from paperlib.diffraction.simulate import powder_patterns
from paperlib.learning.classify import TOP, about_networks, answers, classify
from paperlib.learning.classify_files import as_text, classify_files
from tests.crystals.reading.test_cif import cif

SALT = cif("5.64 5.64 5.64 90 90 90", "F m -3 m", "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5", name="salt")
SILICON = cif("5.431 5.431 5.431 90 90 90", "F d -3 m :2", "Si1 Si 0.125 0.125 0.125", name="silicon")
QUARTZ = cif(
    "4.913 4.913 5.405 90 90 120", "P 32 2 1", "Si1 Si 0.4697 0 0.6666667\nO1 O 0.4135 0.2669 0.7858", name="quartz"
)


@pytest.fixture
def files(tmp_path):
    """A folder with a blank in its name: rock salt, silicon, quartz."""
    folder = tmp_path / "my cifs"
    folder.mkdir()
    for name, text in (("salt", SALT), ("silicon", SILICON), ("quartz", QUARTZ)):
        (folder / f"{name}.cif").write_text(text)
    return folder


def test_what_was_read_is_what_everybody_knows(files):
    table = classify_files([files]).table.set_index("source_id")
    assert table["formula"].to_dict() == {"quartz": "SiO2", "salt": "NaCl", "silicon": "Si"}
    assert table["space_group"].to_dict() == {"quartz": 154, "salt": 225, "silicon": 227}
    assert (table["declared"] == table["space_group"]).all()
    assert table["extinction_class"].to_dict() == {
        "quartz": "P 31 - -",
        "salt": "F - - - (cubic)",
        "silicon": "F d - -",
    }
    assert table.loc["salt", ["a", "b", "c"]].tolist() == pytest.approx([5.64] * 3)


def test_answers_are_five_falling_probabilities_and_the_place_of_the_truth(files):
    table = classify_files([files]).table
    for kind in ("class", "group"):
        p = table[[f"{kind}_p{k}" for k in range(1, TOP + 1)]].to_numpy()
        assert (np.diff(p, axis=1) <= 0).all() and (p > 0).all() and (p.sum(axis=1) <= 1 + 1e-6).all()
        truth = table["extinction_class" if kind == "class" else "symbol"]
        for i, true in enumerate(truth):
            named = table.loc[i, [f"{kind}_{k}" for k in range(1, TOP + 1)]].tolist()
            assert len(set(named)) == TOP
            rank = table.loc[i, f"{kind}_rank"]
            assert named.index(true) + 1 == rank if true in named else rank > TOP


def test_simple_structures_are_read_rightly_by_both_networks(files):
    table = classify_files([files]).table.set_index("source_id")
    assert table.loc[["salt", "silicon"], ["class_rank", "group_rank"]].eq(1).all(axis=None)
    prototypes = load_crystals("prototypes").crystals
    known = np.flatnonzero(np.isin(prototypes.source_id, ["AB_cF8_225_a_b", "A_cI2_229_a", "A2B_tP6_129_ac_c"]))
    assert len(known) == 3
    assert classify(prototypes[known])["class_rank"].eq(1).all()


def test_answers_about_patterns_do_not_ask_for_the_truth(files):
    crystals = load_crystals(files).crystals
    patterns = powder_patterns(crystals, CU_KALPHA)
    blind = answers(patterns)
    assert not [name for name in blind if name.endswith("rank")]
    told = classify(crystals)
    assert blind.equals(told[list(blind)])
    with pytest.raises(ValueError, match="patterns of 999 points; the released networks read 1000"):
        answers(patterns[:, :999])


def test_a_crystal_without_a_line_in_range_is_named_and_the_rest_goes_on(files):
    crystals = load_crystals(files).crystals
    crystals.cell[1, :3] = 0.5
    table = classify(crystals)
    assert "no reflection lies between 2θ = 5° and 90°" in table["no_pattern"][1]
    assert table["class_1"].notna().tolist() == [True, False, True]


def test_one_bad_file_goes_on_and_says_why(files, tmp_path):
    (files / "broken.cif").write_text("no CIF at all")
    classified = classify_files([files, tmp_path / "none.cif"])
    assert len(classified.table) == 3
    assert classified.refused["name"].tolist() == ["broken", "none.cif"]
    text = as_text(classified)
    assert "broken: not a valid CIF" in text and "none.cif does not exist" in text
    assert "3 read, 2 not read" in text and repr(classified) == "<Classified: 3 crystals, 2 entries refused>"


def test_the_command_prints_what_was_read_and_what_the_network_is(files, tmp_path, capsys):
    assert cli.main(["classify", str(files), "--csv", str(tmp_path / "a" / "answers.csv")]) == 0
    out = capsys.readouterr().out
    assert "salt: NaCl, a 5.64, b 5.64, c 5.64 Å" in out
    assert "Fm-3m (No. 225); as the file states" in out
    assert "*F - - - (cubic)" in out
    assert "Not for measured patterns yet" in out
    header, *rows = (tmp_path / "a" / "answers.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("file,source_id,formula,a,b,c") and len(rows) == 3


def test_a_missing_file_is_one_line_and_exit_status_1(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cli.main(["classify", "~/no such.cif"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.splitlines()) == 1 and "~/no such.cif" in captured.err
    (tmp_path / "salt.cif").write_text(SALT)
    assert cli.main(["classify", "~/salt.cif"]) == 0
    assert "salt: NaCl" in capsys.readouterr().out


def test_nothing_readable_is_exit_status_1(tmp_path, capsys):
    (tmp_path / "bad.cif").write_text("no CIF at all")
    assert cli.main(["classify", str(tmp_path / "bad.cif")]) == 1
    assert "0 read, 1 not read" in capsys.readouterr().out


def test_the_networks_are_described_by_their_published_scores():
    text = about_networks()
    assert "06_labels" in text and "clean simulated patterns" in text and "24,469 structures" in text
    # scores.csv: direct, published, split 0, seed 0
    assert "right first in 67.9 % (66.2–69.6)" in text

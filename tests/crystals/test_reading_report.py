"""The report of a reading: every entry once, with what became of it; the screen and the CSV; the command."""

import gzip

import pandas as pd
import pytest

from paperlib import cli
from paperlib.crystals import reading_report
from paperlib.crystals.sources import load_crystals
from tests.crystals.reading.test_cif import GOOD


@pytest.fixture
def folder(tmp_path):
    """Six CIFs: two good, one that declares a subgroup, one that is cut, one twice; and two other files."""
    folder = tmp_path / "my crystals"
    (folder / "deep").mkdir(parents=True)
    (folder / "good.cif").write_text(GOOD)
    (folder / "deep/good.cif").write_text(GOOD.replace("Na1 Na", "Li1 Li"))
    (folder / "low.cif").write_text(GOOD.replace("P m -3 m", "P 4 3 2"))
    (folder / "cut.cif").write_text(GOOD[:-4])
    (folder / "twice.cif").write_text(GOOD)
    (folder / "twice.cif.gz").write_bytes(gzip.compress(GOOD.encode()))
    (folder / "notes.txt").write_text("")
    (folder / "other.zip").write_bytes(b"")
    return folder


def test_every_entry_has_a_row_that_says_what_became_of_it(folder):
    table = reading_report.outcomes(load_crystals(folder))
    rows = table.set_index("entry")
    assert table.entry.tolist() == sorted(table.entry) and len(table) == 8
    assert dict(zip(table.entry, table.outcome, strict=True)) == {
        "good": "read",
        "deep/good": "read",
        "low": "read with a remark",
        "twice": "read with a remark",
        "cut": "refused",
        "other.zip": "refused",
        "my crystals": "about the source",
    }
    assert rows.loc["good", ["formula", "declared", "found", "symbol", "extinction_class"]].tolist() == [
        "Na", 221, 221, "Pm-3m", "P - - - (cubic)"
    ]  # fmt: skip
    assert rows.loc["good", ["a", "b", "c", "alpha", "beta", "gamma"]].tolist() == [4, 4, 4, 90, 90, 90]
    assert rows.loc["low", "reason"] == reading_report.OTHER_GROUP
    assert rows.loc["low", "detail"] == "207 P432 declared, 221 Pm-3m found"
    assert rows.loc["twice", "reason"].tolist() == ["id used more than once"] * 2
    assert rows.loc["my crystals", "detail"] == "1 .txt" and pd.isna(rows.loc["cut", "found"])


def test_the_screen_keeps_to_its_width_and_counts_what_it_does_not_show(folder):
    for i in range(30):
        (folder / f"{'long ' * 12}{i}.cif").write_text(GOOD)
    table = reading_report.outcomes(load_crystals(folder))
    text = reading_report.screen(table, limit=5)
    assert max(map(len, text.splitlines())) <= reading_report.WIDTH
    assert "read: 32" in text and "… and 27 more that are not shown here" in text
    assert "refused: 2" in text and "    an archive among CIFs is not read: read it by itself, or unpack it" in text
    assert "my crystals" in text and "    files that are no CIFs: 1 .txt" in text
    assert "more that" not in reading_report.screen(table, limit=32)


def test_the_summary_counts_and_lists(folder):
    lines = reading_report.brief(load_crystals(folder)).splitlines()
    assert lines[0] == "7 entries: 5 read, 2 refused"
    assert "    remark: id used more than once: 1" in lines and any("refused: " in line for line in lines)
    assert lines[-2:] == [
        "1 of 5 declare another space group than the one found",
        "    low (Na): 207 P432 declared, 221 Pm-3m found",
    ]


def test_several_remarks_on_one_crystal_each_say_what_they_belong_to(folder):
    (folder / "low.cif.gz").write_bytes(gzip.compress((folder / "low.cif").read_bytes()))
    row = reading_report.outcomes(load_crystals(folder)).set_index("entry").loc["low"].iloc[0]
    assert row.reason == "id used more than once; another space group than declared"
    assert row.detail.startswith(
        "id used more than once: 2 crystals are called this; another space group than declared:"
    )


def test_the_command_writes_what_it_shows(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli.paths, "check_installation", lambda: None)
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cli.main(["read", "~/my crystals"]) == 0
    said = capsys.readouterr().out
    written = tmp_path / "data" / "work" / "custom" / "read" / "my crystals.csv"
    assert str(written) in said and "low (Na): 207 P432 declared" in said
    assert len(pd.read_csv(written)) == 8
    assert cli.main(["read", str(folder / "cut.cif"), "--csv", str(tmp_path / "own.csv")]) == 1, "nothing was read"
    assert pd.read_csv(tmp_path / "own.csv").outcome.tolist() == ["refused"]
    capsys.readouterr()
    for source, message in (("nowhere", "nowhere does not exist; give"), ("data", "holds no file that ends in .cif")):
        assert cli.main(["read", str(tmp_path / source)]) == 1
        assert message in capsys.readouterr().err

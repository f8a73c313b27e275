"""Files as they come: what is a pattern, one bad file among good ones, what is written, and the command."""

import csv
import json
import os
import re
import subprocess
import sys
import tomllib

import numpy as np
import pytest

from paperlib import cli
from paperlib.answers import picture, written
from paperlib.answers.answer import INSTRUMENT, NETWORK, Answer
from paperlib.answers.pattern_files import Failed, ask_files
from paperlib.answers.recognised import CRYSTALS, holds_pattern
from paperlib.crystals.reading import files as crystal_files
from paperlib.symmetry.extinction import class_members
from tests.conftest import ROOT

POWDER = "data_a\nloop_\n_pd_proc_2theta_corrected\n_pd_meas_counts_total\n10 1\n10.02 2\n"
CRYSTAL = "data_a\nloop_\n_atom_site_label\n_atom_site_fract_x\nNa 0\n"


def asked(*words):
    return cli.main(["classify", *map(str, words)])


def test_files_are_told_by_suffix_and_content(tmp_path):
    for name in ("a.xy", "a.xrdml", "a.raw", "a.txt", "a", "a.brml"):
        assert holds_pattern(tmp_path / name), "there or not"
    assert not holds_pattern(tmp_path) and not holds_pattern("prototypes")
    assert {*crystal_files.CIFS, *crystal_files.ARCHIVES, *crystal_files.JSON_LINES} < set(CRYSTALS)
    assert not any(holds_pattern(tmp_path / f"A{suffix.upper()}") for suffix in CRYSTALS)
    for text, expected in ((POWDER, True), (CRYSTAL, False), (POWDER + CRYSTAL, False), ("nothing", False)):
        (tmp_path / "b.cif").write_text(text)
        assert holds_pattern(tmp_path / "b.cif") == expected


def test_one_bad_file_does_not_end_the_others(asker, files, tmp_path):
    bad = tmp_path / "bad.xy"
    bad.write_text("no pattern at all\n")
    told = []
    answers = ask_files(asker, [files[0], bad, tmp_path / "gone.xy", files[1]], 1.5406, failed=told.append)
    assert [type(answer) for answer in answers] == [Answer, Failed, Failed, Answer]
    assert [failed.file for failed in told] == [str(bad), str(tmp_path / "gone.xy")]
    assert all(name in failed.error for name, failed in zip(("bad.xy", "gone.xy"), told, strict=True))
    assert "gone.xy\n  no answer: " in written.as_text(answers[2])
    (alone,) = ask_files(asker, [files[1]], 1.5406)
    np.testing.assert_array_equal(alone.class_p, answers[3].class_p)


def check_schema(entry):
    assert {"file", "predictions", "space_groups", "warnings"} <= entry.keys()
    assert isinstance(entry["file"], str) and all(isinstance(text, str) for text in entry["warnings"])
    if "error" in entry:
        assert entry["predictions"] == entry["space_groups"] == [] and entry["error"]
        return
    assert len(entry["predictions"]) == 99 and len(entry["space_groups"]) == 230
    assert sorted(one["extinction_class"] for one in entry["predictions"]) == list(range(99))
    assert sorted(one["number"] for one in entry["space_groups"]) == list(range(1, 231))
    p = {one["number"]: one["probability"] for one in entry["space_groups"]}
    for listed in (entry["predictions"], entry["space_groups"]):
        falling = [one["probability"] for one in listed]
        assert falling == sorted(falling, reverse=True) and sum(falling) == pytest.approx(1, abs=1e-9)
        assert all(isinstance(x, float) for x in falling)
    for one in entry["predictions"]:
        assert tuple(one["space_groups"]) == class_members(one["space_groups"][0], "published")
        assert one["probability"] == pytest.approx(sum(p[n] for n in one["space_groups"]), abs=1e-9)
        assert isinstance(one["symbol"], str)


def test_the_command_writes_json_a_table_and_a_picture(at_root, files, tmp_path, capsys):
    (tmp_path / "bad.xy").write_text("no pattern at all\n")
    out = {name: tmp_path / "out" / f"a.{name}" for name in ("json", "csv", "png")}
    words = [files[0], tmp_path / "bad.xy", files[1], "--wavelength", "1.5406", "--cell", "5.64 5.64 5.64 90 90 90"]
    words += ["--json", out["json"], "--csv", out["csv"], "--figure", out["png"]]
    assert asked(*words) == 1, "one failed"
    shown = capsys.readouterr()
    assert "bad.xy, line 1" in shown.err and "Traceback" not in shown.err
    assert f"Network {NETWORK}" in shown.out and "lines that decide between" in shown.out
    entries = json.loads(out["json"].read_text())
    assert [entry["file"] for entry in entries] == [str(files[0]), str(tmp_path / "bad.xy"), str(files[1])]
    assert ["error" in entry for entry in entries] == [False, True, False]
    for entry in entries:
        check_schema(entry)
    assert entries[0]["lines"][0].keys() == {"two_theta", "d", "height", "effect", "reflections"}
    rows = list(csv.DictReader(out["csv"].open(encoding="utf-8")))
    assert [row["file"] for row in rows] == [entry["file"] for entry in entries]
    assert rows[0]["answer"] == rows[0]["class_1"] == entries[0]["predictions"][0]["symbol"]
    assert float(rows[0]["class_p1"]) == entries[0]["predictions"][0]["probability"]
    assert int(rows[2]["group_1"]) == entries[2]["space_groups"][0]["number"] and "bad.xy" in rows[1]["error"]
    assert out["png"].read_bytes().startswith(b"\x89PNG")
    assert asked(files[0], "--wavelength", "1.5406") == 0


def test_a_doubtful_answer_is_no_answer(asker, files):
    (answer,) = ask_files(asker, files[:1], 1.5406)
    doubtful = type(answer)(**(vars(answer) | {"refuse_below": 0.999, "warnings": ("short",)}))
    text = written.as_text(doubtful)
    assert "I do not know: the best class has" in text and "warning: short" in text
    assert not written.as_object(doubtful)["known"]
    assert "I do not know" not in written.as_text(answer)


def test_all_files_bad_is_exit_status_1_and_a_whole_json(at_root, tmp_path, capsys):
    path = tmp_path / "a.json"
    assert asked(tmp_path / "gone.xy", "--wavelength", "1.5406", "--json", path) == 1
    (entry,) = json.loads(path.read_text())
    check_schema(entry)
    assert "gone.xy" in entry["error"] and "gone.xy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a.xy", "b.cif"), "b.cif holds crystals, a.xy a pattern; ask about one kind"),
        (("b.cif", "--json", "c.json"), "--json is for measured patterns; b.cif holds crystals"),
        (("a.xy", "--figure", "c.doc"), "--figure c.doc is no picture; end its name in .png, .pdf, .svg"),
        (("a.xy", "--cell", "5 5 5"), "the cell is '5 5 5'; give six numbers"),
    ],
)
def test_words_that_make_no_sense_are_one_line(at_root, capsys, words, says):
    assert asked(*words) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and says in shown.err and len(shown.err.splitlines()) == 1


def test_a_network_that_is_not_there_is_one_line(at_root, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PAPERLIB_ROOT", str(tmp_path))
    assert asked("a.xy") == 1
    assert NETWORK in capsys.readouterr().err


def test_a_page_shows_a_few_patterns(asker, files):
    answers = ask_files(asker, files, 1.5406)
    figure = picture.draw(answers)
    assert len(figure.axes) == 2 * picture.MOST and len(picture.draw(answers[:1]).axes) == 2
    assert "p0.xy" in figure.axes[0].get_title("left")
    with pytest.raises(ValueError, match="no answer to draw"):
        picture.draw([])


def test_the_command_starts_at_once_and_loads_nothing_heavy(root_with_network, files):
    code = (
        "import sys\n"
        "from paperlib.lab import paths\npaths.check_installation = lambda: None\n"
        f"sys.argv = ['paperlib', 'classify', {str(files[0])!r}, '--wavelength', '1.5406']\n"
        "import runpy\ntry:\n    runpy.run_module('paperlib', run_name='__main__')\n"
        "except SystemExit as end:\n    print('ended', end.code)\n"
        "heavy = {'torch', 'pymatgen', 'pyxtal', 'pandas', 'matplotlib', 'numba', 'spglib', 'scipy'}\n"
        "print('heavy', sorted(heavy & sys.modules.keys()))"
    )
    before = os.times().children_user
    more = {"PAPERLIB_ROOT": str(root_with_network)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | more, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-2:] == ["ended 0", "heavy []"], done.stdout + done.stderr
    # of its own processor, whatever else the machine does; two seconds are meant
    assert os.times().children_user - before < 4
    assert str(INSTRUMENT.n_points) in done.stdout


def test_the_small_installation_answers_with_the_packages_of_its_list_alone(root_with_network, files, tmp_path):
    """What is missing there is hidden here; pictures and crystals are refused in words, as a file that is not there."""
    lines = (ROOT / "requirements-classify.txt").read_text().splitlines()
    listed = {re.match(r"[a-z]+", line)[0] for line in lines if not line.startswith("#")}
    assert listed == {"geddes", "gemmi", "numpy", "tqdm"}
    code = (
        "import contextlib, importlib.metadata, io, sys\n"
        f"kept = {listed!r} | {{'paperlib'}}\n"
        "for name, owners in importlib.metadata.packages_distributions().items():\n"
        "    if not kept & set(owners) and name not in sys.modules: sys.modules[name] = None\n"
        "from paperlib.lab import paths\npaths.check_installation = lambda: None\n"
        "from paperlib.cli import main\n"
        "sys.exit(main(['classify', *sys.argv[1:]]))"
    )
    outputs = ["--json", str(tmp_path / "a.json"), "--csv", str(tmp_path / "a.csv")]
    more = {"PAPERLIB_ROOT": str(root_with_network)}
    for words, status, says in (
        ([str(files[0]), "--wavelength", "1.5406", *outputs], 0, "written: "),
        ([str(files[0]), "--wavelength", "1.5406", "--figure", str(tmp_path / "a.png")], 1, "pictures need matplotlib"),
        (["prototypes"], 1, "crystals the whole installation"),
        (["nowhere.xy"], 1, "error: nowhere.xy does not exist"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=ROOT, env=os.environ | more, capture_output=True, text=True
        )
        assert done.returncode == status and says in done.stdout + done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_the_small_installation_has_the_ranges_of_the_whole():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lines = (ROOT / "requirements-classify.txt").read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} <= set(wanted)

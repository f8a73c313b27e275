"""Kept work: what it is found by, what a change of its code leads to, and what killed and simultaneous makers leave."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from paperlib.lab import paths, stages
from paperlib.lab.stages import Items, Stage, made
from paperlib.lab.store import write_arrays
from tests.lab.conftest import edit

CHEAP = Stage("cheap", 1, "paperlib.datasets.toy_rule")
SLOW = Stage("slow", 1, "paperlib.datasets.toy_rule", cheap=False)
IN_ANOTHER_PROCESS = "from paperlib.datasets.toy_stages import squares; print(squares(3).tolist())"


class Maker:
    """Makes three items and counts how often it is asked; ``shift`` moves them."""

    def __init__(self, values=(0.0, 1.0, 2.0), names=("a", "b", "c")):
        self.values, self.names, self.times = list(values), list(names), 0

    def __call__(self, folder):
        self.times += 1
        assert list(folder.iterdir()) == [], "an empty folder to begin with"
        write_arrays(folder / "values.npz", {"values": np.array(self.values)})
        return Items(np.array(self.names), np.array([f"{v:.3f}" for v in self.values]))


def values(artefact):
    with np.load(artefact.folder / "values.npz") as archive:
        return archive["values"].tolist()


def rule_of(clone):
    return clone / "src" / "paperlib" / "datasets" / "toy_rule.py"


def change_code(clone):
    edit(rule_of(clone), "return i * i", "return i**2")


def test_what_was_made_is_found_again_with_its_items_and_a_record(clone):
    make = Maker()
    first = made(CHEAP, {"n": 3}, {"source": "abc"}, make)
    again = made(CHEAP, {"n": 3}, {"source": "abc"}, make)
    assert make.times == 1 and again.folder == first.folder and again.digest == first.digest
    assert again.items.names.tolist() == ["a", "b", "c"] and again.items.digests.tolist() == ["0.000", "1.000", "2.000"]
    assert values(again) == [0, 1, 2]
    assert first.folder.parent == paths.stages() / "cheap"
    record = json.loads((first.folder / "record.json").read_text())
    assert record["arguments"] == {"n": 3} and record["inputs"] == {"source": "abc"} and record["n"] == 3
    assert record["code"] == stages.code_of(CHEAP) and record["digest"] == first.digest
    assert [path.name for path in first.folder.parent.iterdir() if not path.name.endswith(".lock")] == [record_key()]


def record_key():
    return stages.key_of(CHEAP, {"n": 3}, {"source": "abc"})


def test_the_key_is_stage_version_arguments_and_inputs_and_nothing_else(clone):
    before = stages.key_of(CHEAP, {"n": 3, "m": 1.0}, {"source": "abc", "other": "x"})
    assert stages.key_of(CHEAP, {"m": 1.0, "n": 3}, {"other": "x", "source": "abc"}) == before, "in any order"
    elsewhere = Stage("cheap", 1, "paperlib.lab.rng", cheap=False)
    assert stages.key_of(elsewhere, {"n": 3, "m": 1.0}, {"source": "abc", "other": "x"}) == before
    change_code(clone)
    assert stages.key_of(CHEAP, {"n": 3, "m": 1.0}, {"source": "abc", "other": "x"}) == before
    other = [
        stages.key_of(Stage("cheap", 2, CHEAP.entry), {"n": 3, "m": 1.0}, {"source": "abc", "other": "x"}),
        stages.key_of(Stage("dear", 1, CHEAP.entry), {"n": 3, "m": 1.0}, {"source": "abc", "other": "x"}),
        stages.key_of(CHEAP, {"n": 4, "m": 1.0}, {"source": "abc", "other": "x"}),
        stages.key_of(CHEAP, {"n": 3}, {"m": "1.0", "source": "abc", "other": "x"}),
        stages.key_of(CHEAP, {"n": 3, "m": 1.0}, {"source": "abd", "other": "x"}),
        stages.key_of(CHEAP, {"n": 3, "m": 1.0}, {"source": "x", "other": "abc"}),
        stages.key_of(CHEAP, {"n": 3, "m": 1.0}, {"source": "abc"}),
    ]
    assert len({before, *other}) == 1 + len(other)


def test_an_argument_that_is_not_plain_is_refused():
    # the text of a long array leaves out its middle, and that of an object may name its address
    with pytest.raises(TypeError, match="JSON"):
        stages.key_of(CHEAP, {"rows": np.arange(5000)}, {})


def test_changed_code_of_a_cheap_stage_makes_it_again_and_equal_items_leave_all_as_it_was(clone, capsys):
    make = Maker()
    first = made(CHEAP, {}, {}, make)
    change_code(clone)
    again = made(CHEAP, {}, {}, make)
    assert make.times == 2 and again.digest == first.digest and again.folder == first.folder
    assert capsys.readouterr().out.splitlines() == [
        "cheap: its code changed; made again and compared",
        "cheap: all 3 items are as before",
    ]
    made(CHEAP, {}, {}, make)
    assert make.times == 2, "the record says that the new code makes the same"
    record = json.loads((first.folder / "record.json").read_text())
    assert record["code"] == stages.code_of(CHEAP) and record["confirmed"]


def test_prose_in_the_code_of_a_stage_changes_nothing(clone):
    make = Maker()
    made(CHEAP, {}, {}, make)
    edit(rule_of(clone), "the area", "an area")
    edit(rule_of(clone), "squares of whole numbers only", "give a whole number")
    edit(rule_of(clone), "Its square.", "The number times itself.")
    made(CHEAP, {}, {}, make)
    assert make.times == 1


def test_items_that_differ_are_named_and_the_new_ones_are_taken(clone, capsys):
    first = made(CHEAP, {}, {}, Maker())
    change_code(clone)
    again = made(CHEAP, {}, {}, Maker([0.0, 1.5, 2.5]))
    assert capsys.readouterr().out.splitlines()[-1] == "cheap: 2 of 3 items differ from before: b, c"
    assert again.digest != first.digest and again.folder == first.folder and values(again) == [0, 1.5, 2.5]
    kept = made(CHEAP, {}, {}, Maker())
    assert kept.digest == again.digest and values(kept) == [0, 1.5, 2.5]
    assert made(CHEAP, {}, {"upstream": first.digest}, Maker()).folder != (
        made(CHEAP, {}, {"upstream": kept.digest}, Maker()).folder
    ), "what follows is keyed by the digest"


@pytest.mark.parametrize(
    "names, numbers, says",
    [
        ("abcd", (0, 1, 2, 3), "1 of 4 items differ from before: d"),
        ("ab", (0, 1), "1 of before are gone: c"),
        ("bca", (1, 2, 0), "the items are in another order"),
        ("axc", (0, 7, 2), "1 of 3 items differ from before: x; 1 of before are gone: b"),
    ],
)
def test_items_that_are_new_or_gone_or_moved_are_another_set(clone, capsys, names, numbers, says):
    first = made(CHEAP, {}, {}, Maker())
    change_code(clone)
    again = made(CHEAP, {}, {}, Maker(numbers, names))
    assert capsys.readouterr().out.splitlines()[-1] == f"cheap: {says}"
    assert again.digest != first.digest and again.items.names.tolist() == list(names)


def test_many_different_items_are_counted_and_five_are_named(clone, capsys):
    names = [f"item-{i}" for i in range(2000)]
    made(CHEAP, {}, {}, Maker(range(2000), names))
    change_code(clone)
    made(CHEAP, {}, {}, Maker(range(1, 2001), names))
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "cheap: 2,000 of 2,000 items differ from before: item-0, item-1, item-2, item-3, item-4, …"


def test_floats_may_be_compared_within_a_tolerance(clone, capsys):
    def same(old, new):
        before, now = (np.load(folder / "values.npz")["values"] for folder in (old, new))
        return np.abs(before - now) < 1e-2

    first = made(CHEAP, {}, {}, Maker(), same)
    change_code(clone)
    again = made(CHEAP, {}, {}, Maker([0.001, 1.001, 2.001]), same)
    assert "all 3 items are as before" in capsys.readouterr().out
    assert values(again) == [0, 1, 2] and again.digest == first.digest, "the old ones stay"
    edit(rule_of(clone), "i**2", "i**2 + 0")
    made(CHEAP, {}, {}, Maker([0.001, 1.1, 2.001]), same)
    assert "1 of 3 items differ from before: b" in capsys.readouterr().out


def test_an_expensive_stage_ignores_its_code_and_a_new_version_makes_another(clone, capsys):
    make = Maker()
    first = made(SLOW, {}, {}, make)
    change_code(clone)
    assert made(SLOW, {}, {}, make).digest == first.digest and make.times == 1 and not capsys.readouterr().out
    raised = made(Stage("slow", 2, SLOW.entry, cheap=False), {}, {}, make)
    assert make.times == 2 and raised.folder != first.folder and first.folder.is_dir(), "the old one is kept"


def test_the_account_names_the_stages_used_since_it_began(clone):
    stages.forget()
    assert stages.used() == {}
    made(CHEAP, {}, {}, Maker())
    made(SLOW, {}, {}, Maker())
    assert stages.used() == {
        "cheap": {"version": 1, "code": stages.code_of(CHEAP)},
        "slow": {"version": 1, "code": ""},
    }
    stages.forget()
    made(CHEAP, {}, {}, Maker())
    assert list(stages.used()) == ["cheap"], "found work counts like made work"


def test_an_exception_while_making_leaves_nothing_that_counts(clone):
    def fails(folder):
        (folder / "half.txt").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(CHEAP, {}, {}, fails)
    make = Maker()
    assert values(made(CHEAP, {}, {}, make)) == [0, 1, 2] and make.times == 1
    change_code(clone)
    with pytest.raises(KeyboardInterrupt):
        made(CHEAP, {}, {}, fails)
    assert values(made(CHEAP, {}, {}, make)) == [0, 1, 2]


def run_squares(**environment):
    line = [sys.executable, "-c", IN_ANOTHER_PROCESS]
    return subprocess.Popen(line, env=os.environ | environment, stdout=subprocess.PIPE, text=True)


def test_a_process_that_is_killed_while_making_leaves_a_part_that_the_next_one_replaces(clone):
    killed = run_squares(TOY_KILLS="1")
    assert killed.wait(60) == 9
    folder = paths.stages() / "squares"
    parts = [path for path in folder.iterdir() if path.name.endswith(".part")]
    assert [path.name for path in parts[0].iterdir()] == ["half.txt"]
    next_one = run_squares()
    assert next_one.communicate(timeout=60)[0] == "[0, 1, 4]\n"
    left = [path.name for path in folder.iterdir() if not path.name.endswith(".lock")]
    assert left == [parts[0].name[1:-5]]
    assert sorted(path.name for path in (folder / left[0]).iterdir()) == ["items.npz", "record.json", "values.npz"]


def test_two_processes_that_want_the_same_make_it_once(clone):
    log = clone / "log.txt"
    both = [run_squares(TOY_LOG=str(log)) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in both] == ["[0, 1, 4]\n"] * 2
    assert log.read_text() == "made\n"


def test_what_was_set_aside_by_a_process_killed_between_two_renames_comes_back(clone):
    make = Maker()
    folder = made(CHEAP, {}, {}, make).folder
    folder.rename(folder.with_name(f".{folder.name}.old"))
    assert values(made(CHEAP, {}, {}, make)) == [0, 1, 2] and make.times == 1


def test_a_record_that_is_gone_or_damaged_counts_as_none(clone):
    make = Maker()
    record = made(CHEAP, {}, {}, make).folder / "record.json"
    record.write_text(record.read_text()[:-30])
    made(CHEAP, {}, {}, make)
    record.unlink()
    made(CHEAP, {}, {}, make)
    assert make.times == 3


def test_the_stages_of_a_library_are_read_from_its_sources_as_they_stand(clone):
    assert stages.declared()["squares"] == Stage("squares", 1, "paperlib.datasets.toy_rule")
    assert stages.declared()["step"].cheap is False
    assert "paperlib.datasets.toy_stages" in stages.fronts() and "paperlib.lab.stages" not in stages.fronts()
    module = clone / "src" / "paperlib" / "datasets" / "toy_stages.py"
    edit(module, 'Stage("squares", 1', 'Stage("squares", 2')
    assert stages.declared()["squares"].version == 2
    edit(module, 'Stage("step", 1', 'Stage("squares", 1')
    with pytest.raises(ValueError, match="two stages have the name 'squares'"):
        stages.declared()

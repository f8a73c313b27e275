"""Large sets: the same bytes for any workers, kills and resumptions."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from paperlib.crystals import production, shards
from paperlib.crystals.production import random_crystal_set, rejections
from paperlib.crystals.synthesis import balanced_space_groups, random_crystals
from paperlib.lab.store import DiskFullError

SMALL = {
    "elements": ("Na", "Cl", "O", "Ti"),
    "atoms_per_lattice_point": (4, 12),
    "max_atoms": 100,
    "among": (2, 14, 62, 166),
}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return random_crystal_set(tmp_path_factory.mktemp("whole"), 250, 11, shard_size=60, **SMALL)


def test_crystals_are_those_of_the_generator(whole):
    rules = {name: value for name, value in SMALL.items() if name != "among"}
    alone = random_crystals(balanced_space_groups(250, among=SMALL["among"])[130:170], 11, first=130, **rules)
    read = whole[130:170]
    np.testing.assert_array_equal(read.frac, alone.frac)
    np.testing.assert_array_equal(read.source_id, alone.source_id)
    index = whole.index
    assert set(index["seed"]) == {11} and list(index["item"]) == list(range(250))
    assert index["space_group"].value_counts().max() == 63


def test_two_workers_write_the_same_bytes(whole, tmp_path):
    pytest.importorskip("distributed", reason="the optional extra 'cluster' is not installed")
    random_crystal_set(tmp_path, 250, 11, shard_size=60, n_workers=2, **SMALL)
    assert contents(tmp_path) == contents(whole.folder)


def test_a_killed_run_resumes_and_ends_with_the_same_bytes(whole, tmp_path):
    code = (
        "from paperlib.crystals.production import random_crystal_set\n"
        "import paperlib.crystals.production as production, time\n"
        "write = production.write_shard\n"
        "def slowly(*arguments):\n"
        "    write(*arguments)\n"
        "    time.sleep(60 if arguments[1] == 2 else 0)\n"
        "production.write_shard = slowly\n"
        f"random_crystal_set({str(tmp_path)!r}, 250, 11, shard_size=60, **{SMALL!r})\n"
    )
    run = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    deadline = time.monotonic() + 300
    while not (tmp_path / "00002.json").exists() and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert (tmp_path / "00002.json").exists() and not (tmp_path / "set.json").exists()
    written = {name: (tmp_path / name).stat().st_mtime_ns for name in ("00000.npz", "00001.npz", "00002.npz")}
    random_crystal_set(tmp_path, 250, 11, shard_size=60, **SMALL)
    assert contents(tmp_path) == contents(whole.folder)
    assert written == {name: (tmp_path / name).stat().st_mtime_ns for name in written}, "finished shards are kept"


def test_a_finished_set_is_opened_and_not_made_again(whole, monkeypatch):
    monkeypatch.setattr(production, "synthesise", None)
    again = random_crystal_set(whole.folder, 250, 11, shard_size=60, **SMALL)
    assert len(again) == 250


@pytest.fixture
def small_set(tmp_path):
    def make():
        return random_crystal_set(tmp_path / "set", 90, 11, shard_size=30, **SMALL)

    make()
    return make


def test_code_that_changed_and_makes_the_same_leaves_all_shards(small_set, monkeypatch, capsys):
    before = {path.name: path.stat().st_mtime_ns for path in small_set().folder.glob("*.npz")}
    monkeypatch.setattr(shards, "code_of", lambda stage: "another")
    after = small_set()
    assert {path.name: path.stat().st_mtime_ns for path in after.folder.glob("*.npz")} == before
    assert "the code of random shards changed" in (said := capsys.readouterr().out) and "the same" in said
    small_set()
    assert capsys.readouterr().out == ""


def test_a_mended_fault_reaches_every_shard_and_the_crystals_are_named(small_set, monkeypatch, capsys):
    old = small_set()[:]
    synthesise = production.synthesise

    def mended(space_groups, seed, rules, first):
        made = synthesise(space_groups, seed, rules, first)
        made.crystals.b_iso[made.crystals.site_start[1]] += 0.5  # of the second crystal of each shard
        return made

    monkeypatch.setattr(production, "synthesise", mended)
    assert np.array_equal(small_set()[:].b_iso, old.b_iso), "the code is as it was: nothing is looked at"
    monkeypatch.setattr(shards, "code_of", lambda stage: "another")
    new = small_set()[:]
    assert (new.b_iso != old.b_iso).sum() == 3, "one in each shard"
    assert f"1 of 30 crystals differ ({new.source_id[1]})" in capsys.readouterr().out


def test_another_version_of_the_stage_is_another_set(small_set, monkeypatch):
    version = production.RANDOM_SHARDS.version + 1
    monkeypatch.setattr(production, "RANDOM_SHARDS", replace(production.RANDOM_SHARDS, version=version))
    with pytest.raises(ValueError, match=r"holds another set of crystals .*stage"):
        small_set()


def test_another_seed_or_rule_does_not_overwrite(whole):
    before = contents(whole.folder)
    with pytest.raises(ValueError, match=r"holds another set.*seed: 11 there, 12 asked for"):
        random_crystal_set(whole.folder, 250, 12, shard_size=60, **SMALL)
    with pytest.raises(ValueError, match=r"holds another set.*rules"):
        random_crystal_set(whole.folder, 250, 11, shard_size=60, **SMALL, max_coefficient=2)
    assert contents(whole.folder) == before


def test_rejections_are_summed_over_the_shards(whole):
    table = rejections(whole)
    assert set(table["space_group"]) <= set(SMALL["among"]) and table["count"].min() > 0
    assert "a translation beyond the group" in set(table["reason"])


def test_balance_over_extinction_classes(tmp_path):
    made = random_crystal_set(tmp_path, 97, 1, balance="extinction_class", shard_size=50)
    assert sorted(made.index["class_absences"]) == list(range(97))


def test_pyxtal_makes_sets_too(tmp_path):
    rules = SMALL | {"among": (2, 166)}
    made = random_crystal_set(tmp_path, 4, 1, generator="pyxtal", shard_size=2, **rules)
    assert len(made) == 4 and made[0].source_id[0] == "pyxtal-1-0"


def test_too_little_disk_is_said_before_the_work_begins(tmp_path):
    with pytest.raises(DiskFullError, match=r"GB more in .* are free; free some"):
        random_crystal_set(tmp_path, 10**13, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_loses_nothing_that_is_written(whole, tmp_path, monkeypatch):
    write = production.write_shard

    def full(folder, number, *rest):
        if number == 2:
            raise DiskFullError("no room to write 00002.npz")
        write(folder, number, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(production, "write_shard", full)
        with pytest.raises(DiskFullError):
            random_crystal_set(tmp_path, 250, 11, shard_size=60, **SMALL)
    random_crystal_set(tmp_path, 250, 11, shard_size=60, **SMALL)
    assert contents(tmp_path) == contents(whole.folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n=0"),
        ({"shard_size": 0}, "shard_size=0"),
        ({"generator": "airss"}, "generator='airss' is unknown"),
        ({"balance": "colour"}, "balance='colour'"),
        ({"scheme": "mine"}, "unknown scheme 'mine'"),
        ({"among": (0,)}, "space group 0"),
        ({"max_atom": 5}, "unknown rule max_atom"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anything_is_written(tmp_path, arguments, message):
    folder = tmp_path / "set"
    with pytest.raises(ValueError, match=message):
        random_crystal_set(folder, **({"n": 5, "seed": 0} | arguments))
    assert not folder.exists()

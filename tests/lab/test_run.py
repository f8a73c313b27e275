"""One run: its lock, what it writes and keeps, and what it says no to."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from paperlib.lab import locks, parameters, paths, run
from paperlib.lab.locks import BusyError
from paperlib.lab.results import Value
from paperlib.lab.run import OverError, Run
from tests.lab.conftest import run_here

HOLDS = """
import sys, time
from paperlib.lab import parameters
from paperlib.lab.run import Run
run = Run("02_slow", parameters.profile_parameters("02_slow", "smoke"))
run.file("half.txt").write_text("half")
print("open", flush=True)
sys.stdin.readline()
run.finish()
print("closed", flush=True)
sys.stdin.readline()
"""


def opened(stem="02_slow", **changed):
    return Run(stem, parameters.profile_parameters(stem, "smoke") | changed)


def partial():
    return paths.work("smoke") / "partial" / "02_slow"


def test_a_second_run_of_a_notebook_is_refused_and_leaves_the_first_one_whole(clone):
    line = [sys.executable, "-c", HOLDS]
    first = subprocess.Popen(line, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while first.stdout.readline() != "open\n":
        assert first.poll() is None
    with pytest.raises(
        BusyError, match=f"02_slow is running in another process, {first.pid}; .*`kill {first.pid}`, or"
    ):
        opened()
    assert (partial() / "half.txt").read_text() == "half"
    opened("03_sum", factor=2.0)  # another notebook goes on
    first.stdin.write("\n")
    first.stdin.flush()
    while first.stdout.readline() != "closed\n":
        assert first.poll() is None
    assert (paths.work_results("smoke") / "02_slow" / "half.txt").is_file()
    second = opened()  # the first process lives on, its lock is free
    second.finish()
    first.communicate("\n", timeout=60)
    assert first.returncode == 0


def test_the_lock_of_a_killed_run_is_free(clone):
    line = [sys.executable, "-c", HOLDS]
    first = subprocess.Popen(line, env=os.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while first.stdout.readline() != "open\n":
        assert first.poll() is None
    first.kill()
    first.wait()
    opened().finish()


def test_a_notebook_runs_again_in_the_same_kernel_finished_or_not(clone):
    first = opened()
    first.file("half.txt").write_text("half")
    again = opened()
    assert list(again.folder.iterdir()) == [], "what was not finished is gone"
    again.finish()
    opened().finish()
    opened()
    changed = opened(steps=2)  # the lock of the run that was left is not kept
    assert [path for path in locks.held_locks() if path.is_relative_to(clone)] == [
        paths.work("custom") / ".02_slow.lock"
    ]
    changed.finish()
    assert not [path for path in locks.held_locks() if path.is_relative_to(clone)]


def test_until_it_is_finished_the_last_good_result_stays(clone):
    before = run_here("02_slow")
    manifest = paths.work_results("smoke") / "02_slow" / "manifest.json"
    broken = opened()
    broken.file("announced.txt")
    with pytest.raises(FileNotFoundError, match=r"02_slow announced the output announced\.txt but did not write it"):
        broken.finish()
    assert json.loads(manifest.read_text()) == before
    large = opened()
    large.arrays("big", x=np.random.default_rng(0).random(200_000))
    with pytest.raises(ValueError, match=r"big\.npz has 1\.\d MB; publish less than 1 MB, or pass publish=False"):
        large.finish()
    assert json.loads(manifest.read_text()) == before
    small = opened()
    small.arrays("big", publish=False, x=np.random.default_rng(0).random(200_000))
    small.finish()
    assert json.loads(manifest.read_text())["outputs"]["big.npz"]["published"] is False


def test_values_carry_their_kind_and_timings_stand_in_the_record(clone):
    one = opened()
    one.value("count", 3)
    one.value("words", "as published")
    one.value("share", Value(0.5, 0.4, 0.6, 100), kind="share")
    one.value("mean", np.float32(0.25), n=np.int64(7))
    one.timing("seconds", 12.5)
    one.timing("speed", Value(3.0, 2.0, 4.0), kind="rate")
    one.table("speed", pd.DataFrame({"per_second": [time.perf_counter()]}), timing=True)
    one.finish()
    manifest = json.loads((paths.work_results("smoke") / "02_slow" / "manifest.json").read_text())
    kinds = {name: entry["kind"] for name, entry in manifest["values"].items()}
    assert kinds == {"count": "count", "words": "text", "share": "share", "mean": "number"}
    assert manifest["values"]["share"] == {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100, "kind": "share"}
    assert manifest["values"]["mean"]["n"] == 7
    timings = manifest["record"]["timings"]
    assert {name: entry["kind"] for name, entry in timings.items()} == {"seconds": "seconds", "speed": "rate"}
    assert manifest["outputs"]["speed.csv"]["timing"] and manifest["outputs"]["speed.csv"]["published"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), Value(0.5, float("nan"), 0.6)])
def test_a_number_that_is_not_finite_is_refused(clone, bad):
    with pytest.raises(ValueError, match=r"02_slow/score: .* is not a finite number"):
        opened().value("score", bad)


def test_a_pause_says_how_to_go_on(clone):
    with pytest.raises(run.Paused, match="stopped after 2 minutes; run the same command again to go on"):
        opened().pause("stopped after 2 minutes")


def test_changed_parameters_go_to_custom_and_a_wrong_type_is_refused(clone):
    changed = opened(steps=2)
    assert changed.target == paths.CUSTOM and changed.folder.is_relative_to(paths.work(paths.CUSTOM))
    with pytest.raises(parameters.ParameterError, match="steps='two' is str"):
        opened(steps="two")
    with pytest.raises(FileNotFoundError, match=r"'nowhere\.cif' is neither in data/registry\.txt nor a file"):
        opened().data("nowhere.cif")


def test_a_run_that_is_over_says_how_to_begin_again_and_still_shows_what_it_wrote(clone):
    done = opened()
    done.table("t", pd.DataFrame({"x": [1]}))
    done.finish()
    attempts = (
        lambda: done.table("t", pd.DataFrame({"x": [2]})),
        lambda: done.arrays("a", x=np.zeros(1)),
        lambda: done.value("n", 1),
        lambda: done.timing("t", 1.0),
        lambda: done.file("f.txt"),
        done.finish,
    )
    for attempt in attempts:
        with pytest.raises(
            OverError, match=r'02_slow is over.* begin with its cell `run = Run\("02_slow", globals\(\)\)`'
        ):
            attempt()
    assert not partial().exists()
    assert done.results.table("02_slow", "t").x.tolist() == [1]

    left = opened()
    again = opened()
    with pytest.raises(OverError):
        left.finish()
    again.finish()


@pytest.mark.parametrize("change", [{"steps": 9}, {"steps": "two"}, {"steps": True}, {"profile": "laptop"}])
def test_a_parameter_changed_during_the_run_sends_it_to_custom(clone, capsys, change):
    before = run_here("02_slow")
    namespace = parameters.profile_parameters("02_slow", "smoke")
    going_on = Run("02_slow", namespace)
    namespace |= change
    going_on.finish()
    (name, value), *_ = change.items()
    assert f"02_slow: {name} is {value!r} now and was" in capsys.readouterr().out
    kept = json.loads((paths.work_results("smoke") / "02_slow" / "manifest.json").read_text())
    apart = json.loads((paths.work_results("custom") / "02_slow" / "manifest.json").read_text())
    assert kept == before
    assert apart["record"]["profile"] == "custom" and apart["record"]["differs"].startswith(name)
    assert not [path for path in locks.held_locks() if path.is_relative_to(clone)]


def test_a_whole_number_for_a_float_is_no_change(clone):
    namespace = parameters.profile_parameters("02_slow", "smoke")
    going_on = Run("02_slow", namespace)
    namespace["seconds"] = 0
    going_on.finish()
    assert going_on.target == "smoke"


def test_data_are_found_below_home_and_what_is_not_there_is_answered(clone, monkeypatch):
    monkeypatch.setenv("HOME", str(clone / "home"))
    (clone / "home" / "my cifs").mkdir(parents=True)
    going_on = opened("03_sum")
    assert going_on.data("~/my cifs") == str(clone / "home" / "my cifs")
    with pytest.raises(FileNotFoundError, match=r"did you mean 'my cifs'\?"):
        going_on.data("~/my_cifs")
    with pytest.raises(FileNotFoundError, match="there is no folder 'data2' in"):
        going_on.data("data2/cifs")
    with pytest.raises(FileNotFoundError, match="names no file"):
        going_on.data(" ")

"""Five hundred damaged inputs: none ends a run, hangs, kills a process, fails without a word, or writes anywhere."""

import json
import subprocess
import sys

import pytest


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    """What the process said that read them all, and the folder that it was given."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "elsewhere").mkdir()
    (folder / "trial").mkdir()
    words = [sys.executable, "-W", "ignore", "-m", "tests.crystals.reading.fuzz", str(folder / "trial")]
    log = folder / "trial" / "log.txt"
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    except subprocess.TimeoutExpired:
        pytest.fail(f"hangs at {log.read_text().splitlines()[-1]}")
    last = log.read_text().splitlines()[-1] if log.exists() else "the start"
    assert done.returncode == 0, f"died with {done.returncode} at {last}: {done.stderr[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1]), folder


def test_no_input_ends_a_run_or_goes_unmentioned(tried):
    said, _ = tried
    assert said["inputs"] == 500 and said["readings"] > 500
    assert said["faults"] == []


def test_nothing_is_written_outside_the_target_and_no_pickle_is_run(tried):
    _, folder = tried
    assert listing(folder / "trial" / "outside") == [] == listing(folder / "elsewhere")
    assert {path.name for path in (folder / "trial").iterdir()} == {"inputs", "outside", "healthy", "target", "log.txt"}
    assert {path.name for path in folder.iterdir()} == {"elsewhere", "trial"}

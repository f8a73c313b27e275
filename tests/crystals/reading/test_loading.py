"""Many entries in several processes: what a plain script sees of them, and what is in memory meanwhile."""

import json
import subprocess
import sys

import pytest

from paperlib.crystals.reading import loading
from paperlib.crystals.reading.json_lines import json_line
from paperlib.crystals.sources import read_jsonl

SALT = {"lattice": [[3, 0, 0], [0, 3, 0], [0, 0, 3]], "frac": [[0, 0, 0], [0.5, 0.5, 0.5]], "el": ["Cs", "Cl"]}


def line(number):
    return json.dumps(SALT | {"id": f"s-{number}"})


SCRIPT = """
import os

from paperlib.crystals.reading.loading import load_entries
from paperlib.crystals.reading.json_lines import json_line
from paperlib.crystals.sources import load_crystals
from paperlib.lab import progress

progress.SECONDS = 0.0  # a line for everything


def parse(name, content):
    if name == "600":
        os._exit(9)
    return json_line(name, content)


print("the script runs")
load_crystals("set.jsonl", workers=2).crystals.save("read.npz")
try:
    load_entries(((str(number), text) for number, text in enumerate(open("set.jsonl"))), parse, workers=2)
except RuntimeError as error:
    print(error)
"""
"""Without a guard (``if __name__ == "__main__":``), as a reader would write it."""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script, run once in a folder with 700 crystals, and that folder."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "set.jsonl").write_text("\n".join(map(line, range(700))))
    (folder / "script.py").write_text(SCRIPT)
    words = [sys.executable, "script.py"]
    return folder, subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)


def test_a_plain_script_reads_in_several_processes_without_a_guard(script):
    folder, done = script
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert done.stdout.count("the script runs") == 1, "the workers do not run it again"
    assert "700 entries" in done.stderr, "progress is shown"
    read_jsonl(folder / "set.jsonl", workers=1).crystals.save(folder / "alone.npz")
    assert (folder / "read.npz").read_bytes() == (folder / "alone.npz").read_bytes()


def test_a_worker_that_dies_is_an_error_with_the_remedy(script):
    _, done = script
    assert "one of the 2 worker processes died" in done.stdout and "workers=1" in done.stdout, done.stderr


class Counted(bytes):
    """A content that counts how many of its kind are in memory, and reaches a worker as plain bytes."""

    now = peak = 0

    def __init__(self, _):
        Counted.now += 1
        Counted.peak = max(Counted.peak, Counted.now)

    def __del__(self):
        Counted.now -= 1

    def __reduce__(self):
        return bytes, (bytes(self),)


def test_a_few_chunks_a_worker_are_in_memory_at_a_time(monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 5)
    monkeypatch.setattr(loading, "SERIAL_CHUNKS", 1)
    entries = ((str(number), Counted(line(number).encode())) for number in range(500))
    loaded = loading.load_entries(entries, json_line, workers=2)
    assert loaded.crystals.source_id.tolist() == [f"s-{number}" for number in range(500)]
    assert 5 <= Counted.peak <= 8 * 5, "four chunks wait, and those that are just read, done or put together"


def test_a_source_that_breaks_off_is_its_own_error_with_any_number_of_workers(monkeypatch):
    monkeypatch.setattr(loading, "CHUNK", 5)

    def entries():
        yield from ((str(number), line(number)) for number in range(120))
        raise ValueError("the archive is cut")

    for workers in (1, 2):
        with pytest.raises(ValueError, match="the archive is cut"):
            loading.load_entries(entries(), json_line, workers=workers)

"""Facts about the machine, and OpenMP threads that do not spin."""

import os
import subprocess
import sys

import pytest

from paperlib.lab import machine


def test_the_record_names_versions_the_processor_and_its_cores():
    record = machine.machine_record()
    assert set(record["versions"]) == set(machine.PACKAGES)
    assert record["python"] == ".".join(map(str, sys.version_info[:3])) and record["peak_memory_MiB"] > 1
    assert machine.processor().endswith(f"{machine.cores()} cores")
    assert machine.processor().split(",")[0] not in ("", "x86_64")


def test_cores_are_those_that_this_process_may_use():
    one = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])"
    line = [sys.executable, "-c", f"{one}; from paperlib.lab import machine; print(machine.cores())"]
    assert subprocess.run(line, capture_output=True, text=True, timeout=60).stdout.strip() == "1"


def test_threads_wait_without_spinning_unless_the_user_said_otherwise(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    machine.wait_without_spinning()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    machine.wait_without_spinning()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_a_changed_environment_is_put_back_whatever_happens(monkeypatch):
    monkeypatch.setenv("PAPERLIB_KNOWN", "before")
    monkeypatch.delenv("PAPERLIB_NEW", raising=False)
    with pytest.raises(KeyError), machine.environment({"PAPERLIB_KNOWN": "now", "PAPERLIB_NEW": "now"}):
        assert os.environ["PAPERLIB_KNOWN"] == os.environ["PAPERLIB_NEW"] == "now"
        raise KeyError
    assert os.environ["PAPERLIB_KNOWN"] == "before" and "PAPERLIB_NEW" not in os.environ

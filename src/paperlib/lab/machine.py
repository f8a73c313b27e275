"""What this machine is: cores, processor, versions, memory. Facts for records; no result depends on them."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import platform
import re
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "torch", "pymatgen", "spglib", "gemmi", "pyxtal", "captum", "papermill", "matplotlib")
"""Packages whose versions a record keeps."""


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor by its name, where the system tells it, and the number of cores that this process may use."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        models = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
        name = models[0].strip() if models else name
    return f"{name}, {cores()} cores"


def device_name() -> str:
    """The CUDA device where torch is loaded and finds one, otherwise the processor."""
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return processor()


def machine_record() -> dict[str, Any]:
    """Versions, device and memory of this process, for the record part of a manifest."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device_name(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "peak_memory_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def wait_without_spinning() -> None:
    """Let idle OpenMP threads sleep, in this process if torch is not loaded yet and in those that it starts.

    They spin otherwise, and take the core from the work that they wait for: with other work on both of two cores a
    small training made 7 to 19 items a second so, and 280 without spinning. A value that the user set is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@contextlib.contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Environment variables changed for this process and those that it starts, and put back afterwards."""
    saved = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in saved.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


RUNNER = "PAPERLIB_RUNNER"
"""Environment variable: the process that started this kernel, without which there is no use in going on."""


def shell() -> Any:
    """The IPython shell of this process, None outside one."""
    # not imported: where no kernel has loaded IPython, there is none
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def end_with_runner() -> None:
    """Have this process killed when the one that :data:`RUNNER` names dies, however it does.

    A kernel looks once a second by itself whether its parent lives, in a thread that has to wait while compiled code
    runs for minutes; the system does not wait. On Linux only: elsewhere the kernel's own thread is all there is.
    """
    runner = os.environ.get(RUNNER)
    if runner != str(os.getppid()) or not sys.platform.startswith("linux"):
        return
    set_death_signal = 1  # PR_SET_PDEATHSIG of sys/prctl.h
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if runner != str(os.getppid()):
        os._exit(1)  # it died meanwhile

"""Locks between processes: one run of a notebook at a time, one of a profile."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO


class BusyError(RuntimeError):
    """Another process is running the same notebook or profile."""


_LOCKS: dict[Path, IO[str]] = {}
"""Locks that this process holds. A notebook that is run twice in one kernel keeps its lock."""


def held_locks() -> list[Path]:
    """The lock files that this process holds."""
    return list(_LOCKS)


def hold_lock(path: Path, message: str) -> None:
    """Hold the lock file ``path`` until this process ends, however it does. Raises BusyError with ``message``, the
    process that holds it and the remedy, where another one does."""
    if path in _LOCKS:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    file = open(path, "a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise BusyError(
            f"{message} in another process{f', {holder}' if holder else ''}; wait for it or stop it: "
            f"`kill {holder or 'PROCESS'}`, or shut down the kernel of the notebook in JupyterLab"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    _LOCKS[path] = file


def release_lock(path: Path) -> None:
    """Let another process have the lock file ``path``, if this one holds it."""
    if file := _LOCKS.pop(path, None):
        file.close()

"""Compiled functions whose cache on disk knows all the sources that they are made of.

numba keeps machine code beside a module and makes it anew when that module changes, but not when a function that it
calls in another module does: after an update old code would run. Here the stamp of every cached function is the
checksum of the whole room.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from paperlib.lab.store import sha256_of, sha256_of_text


@functools.cache
def room_stamp() -> str:
    """Checksum of all modules of this room."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256_of_text(*(part for path in files for part in (path.name, sha256_of(path))))


def compiled(function: Callable[..., Any]) -> Any:
    """``numba.njit`` with a cache that is discarded when any module of the room changes. Where numba's cache cannot
    be told so, there is none, and each process compiles for itself."""
    dispatcher = njit(function)
    dispatcher.enable_caching()
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if not hasattr(cache_file, "_source_stamp"):
        return njit(function)
    cache_file._source_stamp = room_stamp()
    return dispatcher

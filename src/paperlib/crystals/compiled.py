"""Compiled functions whose cache on disk knows all the sources that they are made of.

numba keeps machine code beside a module and makes it anew when that module changes, but not when a function that it
calls in another module does: after an update old code would run. Here the stamp of every cached function is the
checksum of all modules that hold compiled functions or their constants.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from paperlib.lab.store import sha256_of, sha256_of_text
from paperlib.symmetry import wyckoff_tables


@functools.cache
def sources_stamp() -> str:
    """Checksum of the modules of this room that use :func:`compiled`, and of the constants that they share."""
    modules = sorted(Path(__file__).parent.rglob("*.py"))
    read = [path for path in modules if "@compiled" in path.read_text("utf-8")] + [Path(wyckoff_tables.__file__)]
    return sha256_of_text(*(part for path in read for part in (path.name, sha256_of(path))))


def compiled(function: Callable[..., Any]) -> Any:
    """``numba.njit`` with a cache that is discarded when one of these modules changes. Where numba finds no folder to
    write to, or its cache cannot be told so, there is none, and each process compiles for itself."""
    dispatcher = njit(function)
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # no folder for it
        return dispatcher
    cache_file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if not hasattr(cache_file, "_source_stamp"):
        return njit(function)
    cache_file._source_stamp = sources_stamp()
    return dispatcher

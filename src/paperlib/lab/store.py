"""Files that are either whole or absent, and their checksums.

Everything is written beside its destination under another name, flushed to the disk, and renamed: a reader,
or the next run after a crash, never sees half a file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


class DiskFullError(OSError):
    """There was no room to write a file; what was there before is untouched."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A path to write to; it takes the place of ``path`` when the block ends without an exception.

    The partial file has the suffix of ``path``, so that writers which look at it behave. Raises
    DiskFullError, with the remedy, where the disk or the file-size limit is reached.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        with told_when_full(path):
            yield partial
            with open(partial, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def told_when_full(path: Path) -> Iterator[None]:
    """Raise DiskFullError, with the remedy, where there is no room to write ``path`` in the block."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise DiskFullError(
                error.errno,
                f"no room to write {path} ({error.strerror}); free some space (make clean removes old runs) or "
                "raise the limit (ulimit -f), then run the same command again: earlier results are untouched",
            ) from error
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` (UTF-8) to ``path`` atomically."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as indented, key-sorted JSON. Raises ValueError for NaN and infinities."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file. Raises ValueError, naming the file, where it is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON ({error}); delete it and run again") from error


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV with full double precision."""
    with atomic_path(path) as partial:
        table.to_csv(partial, index=False, lineterminator="\n")


def write_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to a compressed ``.npz`` file."""
    with atomic_path(path) as partial:
        np.savez_compressed(partial, **arrays)


def sha256_of(path: str | Path) -> str:
    """The SHA-256 checksum of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_text(*parts: str) -> str:
    """The SHA-256 checksum of several texts, none of which can run into the next."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()

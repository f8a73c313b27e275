"""What a data file holds, whatever its bytes: one digest for all files with the same entries.

Two programs, or two versions of one, compress and format the same entries differently. Numbers count as they are read,
floats to six decimals in JSON lines and to four in arrays, so that ``1``, ``1.0`` and ``-0.0``, ``0.0`` are the same.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np


def content_digest(path: Path) -> str:
    """SHA-256, in hexadecimal, of what a file holds: the entries of JSON lines (``.jsonl.gz``) and the rows of a table
    (``.csv``) in their order, the arrays of an ``.npz`` and the files of a ``.tar.gz`` by name.

    Raises ValueError, naming the file, where it is damaged or of no such kind. Nothing is unpickled.
    """
    parts = next((parts for suffix, parts in _KINDS.items() if path.name.endswith(suffix)), None)
    if parts is None:
        raise ValueError(f"{path}: there is no digest of the content of such files, only of {', '.join(_KINDS)}")
    digest = hashlib.sha256()
    try:
        for part in parts(path):
            digest.update(len(part).to_bytes(8, "little") + part)
    except _DAMAGE as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    return digest.hexdigest()


_DAMAGE = (
    *(EOFError, ValueError, OverflowError, RecursionError, csv.Error),
    *(zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, tarfile.TarError),
)
"""What the readers of the standard library and of NumPy raise for a file that is not whole."""


def _entries(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            entry = _plain(json.loads(line))
            yield json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        rounded = round(value, 6)
        return int(rounded) if rounded == int(rounded) else rounded
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _rows(path: Path) -> Iterator[bytes]:
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            yield "\x1f".join(cell.strip() for cell in row).encode()


def _arrays(path: Path) -> Iterator[bytes]:
    with np.load(path, allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            array = arrays[name]
            yield f"{name} {array.shape}".encode()
            if array.dtype.kind == "f":
                # adding zero makes +0 of -0; one bit pattern for all that are no number
                array = np.round(array.astype("<f8"), 4) + 0.0
                yield np.where(np.isnan(array), np.nan, array).tobytes()
            elif array.dtype.kind in "iub":
                yield array.astype("<i8").tobytes()
            else:
                yield json.dumps(array.tolist(), ensure_ascii=False).encode()


def _members(path: Path) -> Iterator[bytes]:
    with tarfile.open(path, "r:gz") as archive:
        files = {member.name.removeprefix("./"): member for member in archive if member.isfile()}
        for name, member in sorted(files.items()):
            yield name.encode()
            yield archive.extractfile(member).read()


_KINDS: dict[str, Callable[[Path], Iterator[bytes]]] = {
    ".jsonl.gz": _entries,
    ".csv": _rows,
    ".npz": _arrays,
    ".tar.gz": _members,
}

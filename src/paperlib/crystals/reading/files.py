"""What counts as a file of crystals, what its entries are called, and how much of one entry is read."""

from __future__ import annotations

import gzip
import io
import re
from collections import Counter
from pathlib import Path
from typing import Protocol

from paperlib.crystals.reading.loading import Remark, Skipped

CIFS = (".cif", ".cif.gz", ".mcif", ".mcif.gz")
ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
JSON_LINES = (".jsonl", ".jsonl.gz")

MAX_ENTRY = 32 * 2**20
"""Bytes of one unpacked CIF. One with all its reflections has some 10 MiB; gemmi takes twenty times the size of the
text in memory where every second character is a value, 0.6 GiB for this limit. A gzip file of 8 MB can hold 8 GB."""

OTHER_FILES = "files that are no CIFs"
"""Kind of the remark that counts them."""


class Readable(Protocol):
    """A file of bytes, packed or not."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, ``size`` of them at most."""


class TooLargeError(ValueError):
    """An entry is longer than it may be."""


def is_cif(name: str) -> bool:
    """Whether a path inside a folder or archive is a CIF; macOS's shadow files (``._x.cif``) are not."""
    return name.lower().endswith(CIFS) and not name.rsplit("/", 1)[-1].startswith("._")


def stem(name: str) -> str:
    """The path of a CIF without its suffix: what its crystal is called."""
    return re.sub(r"\.m?cif(\.gz)?$", "", name, flags=re.IGNORECASE)


def bounded(file: Readable, limit: int) -> bytes:
    """All that is left of ``file``. Raises TooLargeError beyond ``limit`` bytes, without having read much more."""
    content = file.read(limit + 1)
    if len(content) > limit:
        raise TooLargeError(f"more than {limit / 2**20:.3g} MiB unpacked, which no CIF or line needs")
    return content


def cif_text(name: str, content: bytes | Path) -> bytes:
    """The text of a CIF, unpacked where its name ends in ``.gz``. Raises TooLargeError, and what reading and
    unpacking raise."""
    packed = name.lower().endswith(".gz")
    if isinstance(content, Path):
        with gzip.open(content) if packed else open(content, "rb") as file:
            return bounded(file, MAX_ENTRY)
    if not packed:
        return content
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        return bounded(file, MAX_ENTRY)


class Others:
    """The files of a folder or archive that are no CIFs: those that may hold crystals are named, the rest counted."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.named: list[Skipped] = []
        self.counted: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Note one file."""
        last = name.rsplit("/", 1)[-1]
        if last.startswith("._"):
            self.counted["._* (of macOS)"] += 1
        elif last.lower().endswith(ARCHIVES):
            self.named.append(Skipped(name, "an archive among CIFs is not read", "read it by itself, or unpack it"))
        elif last.lower().endswith(JSON_LINES):
            self.named.append(Skipped(name, "JSON lines among CIFs are not read", "read this file by itself"))
        else:
            self.counted[Path(last).suffix.lower() or "without suffix"] += 1

    def notes(self) -> list[Skipped | Remark]:
        """What there is to say, files that may hold crystals first."""
        listed = ", ".join(f"{n} {suffix}" for suffix, n in sorted(self.counted.items()))
        return [*self.named, *([Remark(self.where, OTHER_FILES, listed)] if listed else [])]

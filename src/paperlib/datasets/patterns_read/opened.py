"""A pattern file in memory: never a large one, its text whatever the encoding, and errors that name it."""

from __future__ import annotations

import codecs
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geddes
import numpy as np

MAX_BYTES = 64 * 2**20
"""Bytes of a file, or of what a zipped one holds. A scan of 200,000 points, far more than instruments make, has 10 MiB
as text; parsed XML takes some ten times its size in memory."""

EXPORT = "export the scan as text with two columns, 2theta and intensity"
"""What helps with a file that cannot be read."""


class PatternError(ValueError):
    """A file from which no powder pattern can be taken: which one, where, why, and what to do."""

    def __init__(self, path: str | Path, problem: str, line: int | None = None) -> None:
        self.path, self.problem, self.line = Path(path), problem, line
        super().__init__(f"{path}{'' if line is None else f', line {line}'}: {problem}")

    def __reduce__(self) -> tuple[type[PatternError], tuple[Path, str, int | None]]:
        # a process that reads for another one sends its errors back
        return type(self), (self.path, self.problem, self.line)


BINARY = (".raw", ".brml", ".rasx")
"""Suffixes of the formats that are no text."""


@dataclass(frozen=True)
class Opened:
    """A file that was read whole."""

    path: Path
    content: bytes

    def error(self, problem: str, line: int | None = None) -> PatternError:
        """An error about this file, to be raised."""
        return PatternError(self.path, problem, line)

    @cached_property
    def text(self) -> str:
        """The content as text with plain line ends. Raises PatternError where it is none."""
        text = decoded(self.content)
        if text is None:
            raise self.error(f"a binary file of a kind that is not known here; {EXPORT}")
        return text

    @property
    def lines(self) -> list[str]:
        """The lines of the text, without their ends."""
        return self.text.split("\n")

    def points(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """x and y (n,) float64 of the first scan as geddes reads it; ``name`` tells it the format by its suffix."""
        # a degree sign in Latin-1 is no UTF-8, and geddes would stop there
        content = self.content if name.endswith(BINARY) else self.text.encode()
        try:
            scan = geddes.read_bytes(content, name)
        except ValueError as error:
            raise self.error(f"{error}; {EXPORT}") from error
        return np.array(scan.x, dtype=np.float64), np.array(scan.y, dtype=np.float64)


def opened(path: str | Path) -> Opened:
    """The file at ``path``, ``~`` resolved.

    Raises FileNotFoundError where nothing is there, and PatternError for a folder, a device, an empty file and one of
    more than :data:`MAX_BYTES`, which is not read.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; give the file that the diffractometer wrote")
    if not path.is_file():
        raise PatternError(path, f"{'a folder' if path.is_dir() else 'no regular file'}; give the files one by one")
    if (size := os.stat(path).st_size) > MAX_BYTES:
        raise PatternError(
            path,
            f"{size / 2**20:,.0f} MiB, not read: more than {MAX_BYTES // 2**20} MiB, and no powder pattern needs that "
            f"(detector images, or many scans?); {EXPORT}",
        )
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if not content.strip():
        raise PatternError(path, "an empty file; copy or export it again")
    return Opened(path, content[:MAX_BYTES])


def decoded(content: bytes) -> str | None:
    """Text in UTF-8 or UTF-16, with or without a byte-order mark, else Latin-1; line ends are ``\\n``. None for what
    holds bytes that no text has."""
    encoding = _encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8-sig":
            return None
        text = content.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return None if _controls(text[:100_000]) else text


def _encoding(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # a pattern is digits, of whose two bytes in UTF-16 one is zero
    sample = content[: 2 * (min(len(content), 4096) // 2)]
    halves = [sample[i::2].count(0) * 2 / max(len(sample), 1) for i in (0, 1)]
    if max(halves) > 0.9 and min(halves) < 0.1:
        return "utf-16-le" if halves[1] > halves[0] else "utf-16-be"
    return "utf-8-sig"


def _controls(text: str) -> bool:
    """Whether there are control characters: a form feed and the end mark of DOS are of the texts of old programs."""
    return any(ord(c) < 32 and c not in "\t\n\f\x1a" for c in text)

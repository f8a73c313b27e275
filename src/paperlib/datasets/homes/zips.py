"""Members of a zip archive from anywhere, read one at a time and never unpacked to the disk.

What an archive claims is not believed: names that lead out of it, links and encrypted members are named and not read,
a member may have 64 MiB, and all together fifty times what the archive has, which no text of numbers reaches.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from paperlib.datasets.measured_sets import LabelledPattern

MEMBER = 64 * 2**20
"""Bytes of one member, unpacked."""

RATIO = 50
"""How many times larger than the archive its members together may be; numbers as text pack to a fifth or so."""


class LeftOut(NamedTuple):
    """What was not taken, and why."""

    name: str
    reason: str


def members(path: Path, suffix: str) -> Iterator[tuple[str, bytes] | LeftOut]:
    """Names and contents of the members whose name ends in ``suffix`` (any case), in the order of their names.

    Raises ValueError, naming the archive and the remedy, where it is damaged or unpacks to more than it may.
    """
    left = RATIO * path.stat().st_size + MEMBER
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                if member.is_dir() or not member.filename.lower().endswith(suffix):
                    continue
                if reason := _refused(member):
                    yield LeftOut(member.filename, reason)
                    continue
                with archive.open(member) as file:
                    content = file.read(MEMBER + 1)
                left -= len(content)
                if left < 0:
                    raise ValueError(f"{path} unpacks to more than {RATIO} times its size: not read any further")
                if len(content) > MEMBER:
                    yield LeftOut(member.filename, f"more than {MEMBER >> 20} MiB unpacked")
                else:
                    yield member.filename, content
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise ValueError(f"{path} is no complete archive ({error}); delete it and run again") from error


def patterns_in(
    path: Path, suffix: str, read: Callable[[str, bytes], LabelledPattern]
) -> Iterator[LabelledPattern | LeftOut]:
    """What ``read`` makes of the name and content of each of :func:`members`; one of which it raises ValueError is left
    out with what that says. Raises ValueError for a damaged archive."""
    for member in members(path, suffix):
        if isinstance(member, LeftOut):
            yield member
            continue
        try:
            yield read(*member)
        except ValueError as error:
            yield LeftOut(member[0], str(error))


def leads_out(name: str) -> bool:
    """Whether a name of another system is no path inside a folder."""
    inside = PurePosixPath(name.replace("\\", "/"))
    return not name or ".." in inside.parts or inside.is_absolute() or bool(PureWindowsPath(name).drive)


def _refused(member: zipfile.ZipInfo) -> str:
    if leads_out(member.filename):
        return "a name that leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a link is not followed"
    return "encrypted" if member.flag_bits & 0x1 else ""

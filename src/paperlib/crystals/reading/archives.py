"""The CIFs of an archive, one after the other: what of it cannot be read is named, and a cut archive is noticed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from paperlib.crystals.reading.files import MAX_ENTRY, Others, TooLargeError, bounded, is_cif, stem
from paperlib.crystals.reading.loading import Remark, Skipped

Entry = tuple[str, "bytes | Path | Skipped | Remark"]

DAMAGED = "archive damaged"
"""Reason of the entry that stands for what is missing of an archive."""

_END = bytes(tarfile.BLOCKSIZE)
"""The block of zeros that ends a tar archive."""

_END_RECORD = 22
"""Bytes of the record at the end of a .zip archive."""

_PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""How a packed tar archive begins, whatever it is called."""


def archived(path: Path) -> Iterator[Entry]:
    """Names and contents of the CIFs of a .zip (in the order of their names) or .tar archive (in its own).

    Members that cannot be read, and what may hold crystals but is no CIF, come as :class:`Skipped`; so does, at the
    end, the damage of an archive that could be read in part. Nothing is unpacked to the disk: names with ``..`` and
    links lead nowhere. Raises ValueError, naming the path, for an archive of which nothing can be read.
    """
    return _zip(path) if path.suffix.lower() == ".zip" else _tar(path)


def _incomplete(path: Path, error: object) -> ValueError:
    return ValueError(f"{path} is not a complete archive ({error}); download or pack it again")


def _zip(path: Path) -> Iterator[Entry]:
    others = Others(path.name)
    try:
        archive = zipfile.ZipFile(path)
        members = sorted(archive.infolist(), key=lambda member: member.filename)
    except OSError:
        raise
    except Exception as error:  # whatever the structure of a damaged file makes zipfile stumble on
        raise _incomplete(path, error) from error
    with archive:
        for member in members:
            if is_cif(member.filename) and not member.is_dir():
                yield member.filename, _zip_member(archive, member)
            elif not member.is_dir():
                others.add(member.filename)
    if trouble := _missing_members(path, len(archive.comment), len(members)):
        others.named.append(Skipped(path.name, DAMAGED, f"{trouble}. Download or pack it again"))
    yield from ((note.name, note) for note in others.notes())


def _missing_members(path: Path, comment: int, found: int) -> str:
    """What is wrong with the list of members, '' where it is whole: zipfile does not compare their number with the one
    in the record at the end, before the comment (of so many bytes)."""
    with open(path, "rb") as file:
        file.seek(-(_END_RECORD + comment), os.SEEK_END)
        record = file.read(_END_RECORD)
    if not record.startswith(b"PK\x05\x06"):
        return "more data behind its end mark"
    (stated,) = struct.unpack_from("<H", record, 10)
    # 65,535 says that the number stands elsewhere
    return "" if stated in (found, 0xFFFF) else f"{found} members found, {stated} stated"


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | Skipped:
    name = stem(member.filename)
    if stat.S_ISLNK(member.external_attr >> 16):
        return Skipped(name, "a link is not followed", "what it points to is read by its own name")
    if member.flag_bits & 0x1:
        return Skipped(name, "entry encrypted", "unpack the archive with its password and read the folder")
    try:
        with archive.open(member) as file:
            return bounded(file, MAX_ENTRY)
    except TooLargeError as error:
        return Skipped(name, "entry too large", str(error))
    except NotImplementedError as error:
        return Skipped(name, "way of packing not supported", f"{error}; unpack the archive and read the folder")
    except Exception as error:
        return Skipped(name, "file cannot be read", str(error))


class _Blocks:
    """An unpacked tar archive as tarfile reads it: never more at a time than a limit (a header may claim gigabytes),
    and the last block is remembered."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.last = b""
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if size > MAX_ENTRY + 2 * tarfile.BLOCKSIZE:
            raise tarfile.ReadError(f"a header claims {size:,} bytes")
        content = self._file.read(size)
        self.last = content[: tarfile.BLOCKSIZE]
        return content


def _tar(path: Path) -> Iterator[Entry]:
    with open(path, "rb") as raw:
        start = raw.read(8)
        raw.seek(0)
        unpack = next((unpack for magic, unpack in _PACKED.items() if start.startswith(magic)), None)
        with unpack(raw) if unpack else raw as file:  # type: ignore[operator]
            yield from _members(path, file)


def _members(path: Path, file: IO[bytes]) -> Iterator[Entry]:
    others, blocks, n, place = Others(path.name), _Blocks(file), 0, -1
    try:
        tar = tarfile.open(fileobj=blocks, mode="r:")  # type: ignore[call-overload]
        while (member := tar.next()) is not None:
            tar.members.clear()  # half a million of them are a gigabyte
            if member.offset <= place or member.size < 0:
                raise tarfile.ReadError("a member begins before the one that it follows")
            n, place, name = n + 1, member.offset, member.name.removeprefix("./")
            if is_cif(name) and not member.isdir():
                yield name, _tar_member(tar, member, stem(name))
            elif not member.isdir():
                others.add(name)
        trouble = _after_the_end(blocks, file)
    except Exception as error:  # whatever damaged headers and packed data make tarfile and zlib stumble on
        if not n:
            raise _incomplete(path, error) from error
        trouble = str(error) or type(error).__name__
    if trouble:
        detail = f"{trouble} after {n} members; what follows is not read. Download or pack it again"
        others.named.append(Skipped(path.name, DAMAGED, detail))
    yield from ((note.name, note) for note in others.notes())


def _tar_member(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> bytes | Skipped:
    """The content of a member. An error while it is read is one of the archive: nothing after it can be trusted."""
    if member.issym() or member.islnk():
        return Skipped(
            name, "a link is not followed", f"it points to {member.linkname}, read where the archive holds it"
        )
    if not member.isfile():
        return Skipped(name, "not a regular file", f"a tar member of type {member.type!r}")
    try:
        with tar.extractfile(member) as file:  # type: ignore[union-attr]
            return bounded(file, MAX_ENTRY)
    except TooLargeError as error:
        return Skipped(name, "entry too large", str(error))


def _after_the_end(blocks: _Blocks, file: IO[bytes]) -> str:
    """What is wrong at the end of a tar archive; '' where it is whole. tarfile ends without a word where a header has a
    wrong checksum or is cut. Reading on to the end of the file makes gzip compare its checksum."""
    if not blocks.last:
        return "no end mark: cut short"
    if blocks.last != _END:
        return "a header that is cut or has a wrong checksum"
    more = False
    while piece := file.read(2**20):
        more = more or piece.count(0) != len(piece)
    return "more data behind its end mark" if more else ""

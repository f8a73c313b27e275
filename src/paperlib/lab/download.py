"""Downloads that go on where they broke off, and are checked before they take their name.

What comes is written to ``NAME.part``; a note beside it (``NAME.part.json``) says of which version of the file it is a
part, so that the rest can be asked for later (HTTP Range with If-Range). A server that knows no ranges starts again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from paperlib.lab.asking import CHUNK, Manners, asked, insist
from paperlib.lab.fetch import ChecksumError, copy_file
from paperlib.lab.locks import hold_lock, release_lock
from paperlib.lab.progress import progress
from paperlib.lab.store import sha256_of, told_when_full, write_text

_MIB = 2**20


def download(
    url: str,
    target: Path,
    checksum: str = "",
    size: int | None = None,
    manners: Manners | None = None,
    what: str = "",
) -> Path:
    """Bring the file at ``url`` (http, https or file) to ``target``, in place of what is there; its path.

    ``checksum`` is ``sha256:…`` , ``md5:…`` or ``git:…`` (the name that git gives to a file), ``size`` its bytes; both
    are compared before the file takes its name. ``what`` names it in a progress bar. Raises FileNotFoundError where the
    server does not have it, RefusedError or another ConnectionError where it does not give it (what came is kept), and
    ChecksumError for other content than expected, of which nothing is kept; BusyError where another process downloads
    into the same folder.
    """
    manners = manners or Manners()
    part = _part(target)
    with _alone(target.parent), told_when_full(target):
        if urlsplit(url).scheme == "file":
            try:
                copy_file(url, part)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"there is no {url}") from error
        else:
            once = functools.partial(_transfer, url, part, bool(checksum), manners, what)
            insist(url, manners, once, _by_hand(url, target), "what came is kept: run this again later")
        _compare(part, url, checksum, size)
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    _note(part).unlink(missing_ok=True)
    return target


def kept(
    url: str,
    target: Path,
    checksum: str = "",
    size: int | None = None,
    manners: Manners | None = None,
    what: str = "",
) -> Path:
    """The file ``target``: downloaded once as by :func:`download`, and not asked for again while it is there.

    The SHA-256 of what came, or of what was put there by hand, is recorded in ``NAME.sha256`` (the format of sha256sum)
    and checked at each later use. Raises as :func:`download` does, and ChecksumError where the file has changed since.
    """
    record = target.with_name(f"{target.name}.sha256")
    if not target.is_file():
        download(url, target, checksum, size, manners, what)
        record.unlink(missing_ok=True)
    elif checksum and (wrong := _difference(target, checksum, size)):
        raise ChecksumError(f"{target} is not the file at {url}: {wrong}; delete it and run again, or put a good copy")
    found = sha256_of(target)
    if not record.is_file():
        write_text(record, f"{found}  {target.name}\n")
    elif (expected := record.read_text(encoding="utf-8").split(maxsplit=1)[0]) != found:
        raise ChecksumError(
            f"{target} has changed since it came: SHA-256 {found}, recorded {expected}; delete it and run again, or "
            f"delete {record.name} if the change is yours"
        )
    return target


def digest_of(path: Path, algorithm: str) -> str:
    """The digest of a file as hexadecimal digits: ``sha256``, ``md5``, or ``git`` for the name that git gives it."""
    with open(path, "rb") as file:
        if algorithm != "git":
            return hashlib.file_digest(file, algorithm).hexdigest()
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        while chunk := file.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that went on with one part would spoil it."""
    lock = folder / ".download.lock"
    hold_lock(lock, f"something is downloaded into {folder}")
    try:
        yield
    finally:
        release_lock(lock)


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _by_hand(url: str, target: Path) -> str:
    return f"Without a network: fetch {url} elsewhere, put it at {target}, and run this again"


def _transfer(url: str, part: Path, has_checksum: bool, manners: Manners, what: str) -> None:
    """One attempt to complete ``part``."""
    start, condition = _resumable(url, part, has_checksum)
    headers = {"Range": f"bytes={start}-"} if start else {}
    with asked(url, manners, **headers, **condition) as response:
        if response.status_code == 416 and response.headers.get("Content-Range") == f"bytes */{start}":
            return  # it was complete, and only had to be renamed
        if response.status_code == 416:
            part.unlink()
            raise requests.exceptions.ConnectionError("the part that is here does not fit")
        response.raise_for_status()
        if response.status_code != 206:
            start = 0  # the whole file comes, because the server knows no ranges or has another version
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            part.unlink()
            raise requests.exceptions.ConnectionError("another part came than was asked for")
        length = response.headers.get("Content-Length")
        packed = response.headers.get("Content-Encoding", "identity") != "identity"
        total = None if length is None or packed else start + int(length)
        _note(part).write_text(json.dumps({"url": "" if packed else url, "version": _version(response)}))
        _write(response, part, start, total, what)
    if total is not None and part.stat().st_size != total:
        raise requests.exceptions.ConnectionError(f"cut short: {part.stat().st_size:,} of {total:,} bytes")


def _write(response: requests.Response, part: Path, start: int, total: int | None, what: str) -> None:
    with open(part, "ab" if start else "wb") as file:
        if not what:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
            return
        with progress(total=total and math.ceil(total / _MIB), desc=what, unit="MiB") as bar:
            bar.update(start // _MIB)
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                bar.update(math.ceil(file.tell() / _MIB) - bar.n)


def _resumable(url: str, part: Path, has_checksum: bool) -> tuple[int, dict[str, str]]:
    """Bytes that are here and can be gone on with, and the header that makes the server compare versions."""
    try:
        note = json.loads(_note(part).read_text(encoding="utf-8"))
        if note["url"] == url and (note["version"] or has_checksum):
            return part.stat().st_size, {"If-Range": note["version"]} if note["version"] else {}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no part, or none that is known: start at the beginning
    return 0, {}


def _version(response: requests.Response) -> str:
    tag = response.headers.get("ETag", "")
    # a weak tag does not promise the same bytes
    return response.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag


def _difference(path: Path, checksum: str, size: int | None) -> str:
    """How a file differs from what is expected, "" where it does not."""
    algorithm, _, expected = checksum.partition(":")
    found = digest_of(path, algorithm) if checksum else ""
    differences = [f"{algorithm} {found}, expected {expected}"] if found != expected else []
    if size is not None and path.stat().st_size != size:
        differences.append(f"{path.stat().st_size:,} bytes, expected {size:,}")
    return "; ".join(differences)


def _compare(part: Path, url: str, checksum: str, size: int | None) -> None:
    """Raise ChecksumError, and keep nothing, where what came is not what was expected."""
    if wrong := _difference(part, checksum, size):
        part.unlink()
        _note(part).unlink(missing_ok=True)
        target = part.with_name(part.name.removesuffix(".part"))
        raise ChecksumError(
            f"{target.name} from {url} is not the file that was expected: {wrong}; nothing of it is kept. Run this "
            f"again; if it comes out the same, the file has changed there: put a good copy at {target}"
        )

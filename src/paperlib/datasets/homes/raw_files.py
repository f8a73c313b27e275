"""Raw files of public repositories, each at one commit, fetched once and checked.

Single files are known by SHA-256; folders of many files come out of one archive of their repository and are known by
git's own name for their content. ``PAPERLIB_MIRROR`` names a server or a ``file://`` folder that stands in.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import shutil
import tarfile
import urllib.parse
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from paperlib.lab import paths
from paperlib.lab.asking import Manners
from paperlib.lab.download import download
from paperlib.lab.fetch import ChecksumError, mirrored
from paperlib.lab.progress import progress
from paperlib.lab.store import sha256_of

RETRIES = 2
"""Further attempts after a time-out or an error of the server; what the server does not have is not asked for again."""

BACKOFF = 1.0
"""Seconds before the first of them."""


@dataclass(frozen=True)
class Repository:
    """A public repository, ``owner/name``, at one commit."""

    name: str
    commit: str

    def url(self, path: str) -> str:
        """Where one of its files is offered."""
        return mirrored(f"https://raw.githubusercontent.com/{self.name}/{self.commit}/{urllib.parse.quote(path)}")

    def archive_url(self) -> str:
        """Where all of its files are offered as one ``.tar.gz``."""
        return mirrored(f"https://codeload.github.com/{self.name}/tar.gz/{self.commit}")

    def place(self, path: str = "") -> Path:
        """Where its files are kept on this machine."""
        return paths.root() / "data" / "raw" / "homes" / self.name / path


@dataclass(frozen=True)
class Folder:
    """A folder of a repository: its path, the bytes of its files together, and git's name for its content."""

    repository: Repository
    path: str
    size: int
    tree: str


def raw_file(repository: Repository, path: str, sha256: str) -> Path:
    """The path of one file, fetched unless it is there already.

    Raises FileNotFoundError where the server does not have it, ConnectionError where the server does not answer (the
    next call goes on with what came), and ChecksumError for other content than expected, of which nothing is kept.
    """
    target = repository.place(path)
    if target.is_file() and sha256_of(target) == sha256:
        return target
    return download(repository.url(path), target, f"sha256:{sha256}", manners=_manners())


def raw_files(repository: Repository, checksums: Mapping[str, str], what: str) -> list[Path]:
    """The paths of many single files (path: SHA-256), with a progress bar; what an earlier call has brought is kept.

    Raises as :func:`raw_file` does, and says how many are there.
    """
    done: list[Path] = []
    for path, sha256 in progress(checksums.items(), len(checksums), what, "files"):
        try:
            done.append(raw_file(repository, path, sha256))
        except ConnectionError as error:
            raise ConnectionError(f"{error} ({len(done)} of {len(checksums)} files of {what} are there)") from error
    return done


def raw_folders(folders: list[Folder]) -> list[Path]:
    """The paths of folders of one repository, out of its archive unless all are there already.

    Raises as :func:`raw_file` does. An archive cannot be fetched in parts: after an interruption it is fetched again.
    """
    repository = folders[0].repository
    places = [repository.place(folder.path) for folder in folders]
    if all(place.is_dir() and tree_id(place) == folder.tree for place, folder in zip(places, folders, strict=True)):
        return places
    with _archive(repository) as archive:
        for place, folder in zip(places, folders, strict=True):
            shutil.rmtree(place, ignore_errors=True)
            _unpack(archive, folder, place)
            found = tree_id(place) if place.is_dir() else "no such folder"
            if found != folder.tree:
                shutil.rmtree(place, ignore_errors=True)
                raise ChecksumError(
                    f"{folder.path} in {repository.archive_url()} is not the folder that the recipe was made with: "
                    f"git tree {found[:14]}, expected {folder.tree[:12]}…; nothing of it is kept"
                )
    return places


def chosen_files(repository: Repository, checksums: Mapping[str, str], size: int) -> list[Path]:
    """The paths of files (path: SHA-256, ``size`` bytes together) out of the archive of their repository, where they
    lie among others. Raises as :func:`raw_folders` does."""
    targets = {path: repository.place(path) for path in checksums}
    if all(target.is_file() and sha256_of(target) == checksums[path] for path, target in targets.items()):
        return list(targets.values())
    with _archive(repository) as archive:
        _unpack(archive, Folder(repository, "", size, ""), repository.place(), only=checksums)
    for path, target in targets.items():
        if not target.is_file() or sha256_of(target) != checksums[path]:
            target.unlink(missing_ok=True)
            raise ChecksumError(f"{path} in {repository.archive_url()} is not the file that the recipe was made with")
    return list(targets.values())


@contextmanager
def _archive(repository: Repository) -> Iterator[Path]:
    """The archive of a repository, fetched, and removed in the end."""
    archive = repository.place("archive.tar.gz")
    try:
        download(repository.archive_url(), archive, manners=_manners(), what=repository.name)
        yield archive
    finally:
        archive.unlink(missing_ok=True)


def _manners() -> Manners:
    # these servers are made for many requests
    return Manners(rate=math.inf, retries=RETRIES, backoff=BACKOFF)


def tree_id(folder: Path) -> str:
    """Git's name for the content of a folder: what ``git rev-parse COMMIT:FOLDER`` says, 40 hexadecimal digits."""
    return _tree(folder).hex()


def _tree(folder: Path) -> bytes:
    lines = []
    for item in folder.iterdir():
        name = os.fsencode(item.name)
        if item.is_dir():
            # git sorts a folder as if its name ended in a slash
            lines.append((name + b"/", b"40000 " + name + b"\0" + _tree(item)))
        else:
            mode = b"100755 " if os.access(item, os.X_OK) else b"100644 "
            lines.append((name, mode + name + b"\0" + _object(b"blob", item.read_bytes())))
    return _object(b"tree", b"".join(line for _, line in sorted(lines)))


def _object(kind: bytes, content: bytes) -> bytes:
    return hashlib.sha1(kind + b" %d\0" % len(content) + content, usedforsecurity=False).digest()


def _unpack(archive: Path, folder: Folder, place: Path, only: Mapping[str, str] | None = None) -> None:
    """The files of one folder (or some of them) of an archive whose members all lie in one folder of any name."""
    left = folder.size
    start = PurePosixPath(folder.path)
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
                wanted = inside.is_relative_to(start) and (only is None or str(inside) in only)
                if not member.isfile() or not wanted or ".." in inside.parts:
                    continue
                left -= member.size
                if left < 0:
                    raise ChecksumError(f"{folder.repository.archive_url()} holds more in {start} than it should")
                target = place / inside.relative_to(start)
                target.parent.mkdir(parents=True, exist_ok=True)
                with members.extractfile(member) as source, open(target, "wb") as copy:
                    shutil.copyfileobj(source, copy)
                target.chmod(0o755 if member.mode & 0o100 else 0o644)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ConnectionError(
            f"the archive {folder.repository.archive_url()} is damaged or cut short ({error}): run the same command "
            "again"
        ) from error

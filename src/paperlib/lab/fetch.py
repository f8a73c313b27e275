"""Data files by name: looked for offline first, downloaded otherwise, and checked either way.

``data/registry.txt`` holds one line per file: name, SHA-256, and either the URL where a public home offers the file as
it is, or ``content:`` with the digest of what it holds, where it is rebuilt from public files (`paperlib data fetch`).
A rebuilt file has other bytes than the registered one; if the digest of its content agrees, it is the same input.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pooch

from paperlib.lab import paths
from paperlib.lab.content import content_digest
from paperlib.lab.store import sha256_of

EMBEDDED = ("prototypes",)
"""Sets of crystals that come with an installed package and need no file."""

MIRROR = "PAPERLIB_MIRROR"
"""Environment variable with the address of a server (or a file:// folder) that stands in for the public homes."""

_SHA256 = re.compile("[0-9a-f]{64}")
_CONTENT = re.compile("content:([0-9a-f]{64})")


class ChecksumError(ValueError):
    """A file whose content is not what the registry says."""


@dataclass(frozen=True)
class Entry:
    """One line of the registry."""

    sha256: str
    url: str | None = None
    content: str | None = None
    """Digest of the content (:func:`paperlib.lab.content.content_digest`) of a file that can be rebuilt."""


def is_embedded(source: str) -> bool:
    """Whether ``source`` names a set that comes with an installed package."""
    return source in EMBEDDED


def registry(path: Path | None = None) -> dict[str, Entry]:
    """The registry by file name. Raises ValueError, naming the entry, where it cannot be read."""
    path = path or paths.root() / "data" / "registry.txt"
    book = pooch.create(path.parent, base_url="")
    expected = f"{path}: expected `name sha256 [url, or content:digest]` in each line"
    try:
        book.load_registry(path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a quotation mark that is not closed
        raise ValueError(f"{expected}; {error}") from error
    entries = {}
    for name, sha256 in book.registry.items():
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{expected}; found no checksum in '{name} {sha256}'")
        home = book.urls.get(name, "")
        if home.startswith("content:"):
            if not (digest := _CONTENT.fullmatch(home)):
                raise ValueError(f"{expected}; '{home}' of {name} is no digest")
            entries[name] = Entry(sha256, content=digest.group(1))
        else:
            entries[name] = Entry(sha256, home or None)
    return entries


def fetch(name: str, entries: dict[str, Entry] | None = None, folder: Path | None = None) -> Path:
    """The path of a registered file, its checksum verified.

    Looked for under ``PAPERLIB_DATA`` (relative to the root of the repository), then under ``data/raw``
    (``folder``), then downloaded to there with pooch if it has a URL. Raises ChecksumError for a corrupt file and
    FileNotFoundError, with the remedy, where it is nowhere to be had or has to be rebuilt first.
    """
    entries = registry() if entries is None else entries
    if name not in entries:
        raise KeyError(f"{name!r} is not in data/registry.txt; it lists {', '.join(entries)}")
    entry = entries[name]
    folder = folder or paths.root() / "data" / "raw"
    if present := _find(name, folder):
        return _verified(present, entry)
    if entry.url is None:
        raise FileNotFoundError(remedy([name], {name: entry}))
    url = mirrored(entry.url)
    downloader = copy_file if urlsplit(url).scheme == "file" else None
    book = pooch.create(folder, base_url="", registry={name: entry.sha256}, urls={name: url})
    try:
        return Path(book.fetch(name, downloader=downloader))
    except OSError as error:  # first: what requests says of a bad proxy or address is a ValueError too
        raise FileNotFoundError(
            f"cannot download {name} from {url} ({error}); put a copy at {folder / name} or set PAPERLIB_DATA"
        ) from error
    except ValueError as error:
        raise ChecksumError(
            f"the download of {name} from {url} is corrupt: {error}. Nothing was kept; try again, or put a "
            f"good copy at {folder / name}"
        ) from error


def mirrored(url: str) -> str:
    """The address that stands in for a public one: ``PAPERLIB_MIRROR`` with the same path where it is set, and
    the same query unless the mirror is a folder."""
    mirror = os.environ.get(MIRROR, "").rstrip("/")
    if not mirror:
        return url
    query = "" if mirror.startswith("file:") else urlsplit(url).query
    return mirror + urlsplit(url).path + (f"?{query}" if query else "")


def missing(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that the registry lists and that lie nowhere on this machine; :func:`remedy` says what to
    do. Names of embedded sets and paths of the user's own files are none of them."""
    entries = registry()
    return [name for name in dict.fromkeys(names) if name in entries and not at_hand(name)]


def remedy(names: Iterable[str], entries: dict[str, Entry] | None = None) -> str:
    """What is said of registered files that are not on this machine: one line for each, with what to do."""
    entries = registry() if entries is None else entries
    lines = []
    for name in names:
        can = entries[name].url or entries[name].content
        get = f"`paperlib data fetch {name}` brings it, or" if can else "it was computed for the paper, no home has it:"
        lines.append(
            f"{name} is not on this machine; {get} put it under data/raw, or set PAPERLIB_DATA to a folder that holds "
            "it (data/README.md says where it comes from)"
        )
    return "\n".join(lines)


def identity_of(path: Path) -> str:
    """The checksum that a file enters results with: its SHA-256, or the registered one if the file stands in the place
    of a registered one and holds the same (see :func:`fetch`)."""
    found = sha256_of(path)
    for home in _homes(paths.root() / "data" / "raw"):
        if not path.resolve().is_relative_to(home.resolve()):
            continue
        name = path.resolve().relative_to(home.resolve()).as_posix()
        entry = registry().get(name)
        if entry is not None and _same_content(path, found, entry):
            return entry.sha256
    return found


def _same_content(path: Path, sha256: str, entry: Entry) -> bool:
    return entry.content is not None and sha256 != entry.sha256 and _digest(path, sha256) == entry.content


@functools.cache
def _digest(path: Path, sha256: str) -> str | None:
    """Digest of the content of the file whose checksum is ``sha256``, None where it is damaged; seconds once."""
    try:
        return content_digest(path)
    except ValueError:
        return None


def copy_file(url: str, target: str | Path, _: pooch.Pooch | None = None) -> None:
    """Copy what a ``file://`` address names, a mirror on a mounted disk, to ``target``: as a downloader of pooch, which
    itself knows no such addresses. Raises FileNotFoundError where there is nothing."""
    shutil.copyfile(url2pathname(urlsplit(url).path), target)


def at_hand(name: str) -> bool:
    """Whether a registered file lies on this machine, its checksum not looked at."""
    return _find(name, paths.root() / "data" / "raw") is not None


def _homes(folder: Path) -> list[Path]:
    offline = os.environ.get("PAPERLIB_DATA")
    return [*([paths.root() / Path(offline).expanduser()] if offline else []), folder]


def _find(name: str, folder: Path) -> Path | None:
    return next((home / name for home in _homes(folder) if (home / name).is_file()), None)


def _verified(path: Path, entry: Entry) -> Path:
    found = sha256_of(path)
    if found == entry.sha256 or _same_content(path, found, entry):
        return path
    another = " and another content" if entry.content else ""
    raise ChecksumError(f"{path} is corrupt: SHA-256 {found[:12]}…, expected {entry.sha256[:12]}…{another}; replace it")

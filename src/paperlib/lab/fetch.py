"""Data files by name: looked for offline first, downloaded otherwise, and checked either way.

``data/registry.txt`` holds one line per file: name, SHA-256 and, where the file has a public home, its URL.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pooch

from paperlib.lab import paths
from paperlib.lab.store import sha256_of

EMBEDDED = ("prototypes",)
"""Sets of crystals that come with an installed package and need no file."""

_SHA256 = re.compile("[0-9a-f]{64}")


class ChecksumError(ValueError):
    """A file whose content is not what the registry says."""


@dataclass(frozen=True)
class Entry:
    """One line of the registry."""

    sha256: str
    url: str | None


def is_embedded(source: str) -> bool:
    """Whether ``source`` names a set that comes with an installed package."""
    return source in EMBEDDED


def registry(path: Path | None = None) -> dict[str, Entry]:
    """The registry by file name. Raises ValueError, naming the entry, where it cannot be read."""
    path = path or paths.root() / "data" / "registry.txt"
    book = pooch.create(path.parent, base_url="")
    expected = f"{path}: expected `name sha256 [url]` in each line"
    try:
        book.load_registry(path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a quotation mark that is not closed
        raise ValueError(f"{expected}; {error}") from error
    for name, sha256 in book.registry.items():
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{expected}; found no checksum in '{name} {sha256}'")
    return {name: Entry(sha256, book.urls.get(name)) for name, sha256 in book.registry.items()}


def fetch(name: str, entries: dict[str, Entry] | None = None, folder: Path | None = None) -> Path:
    """The path of a registered file, its checksum verified.

    Looked for under ``PAPERLIB_DATA`` (relative to the root of the repository), then under ``data/raw``
    (``folder``), then downloaded to there with pooch. Raises ChecksumError for a corrupt file and
    FileNotFoundError where it is nowhere to be had.
    """
    entries = registry() if entries is None else entries
    if name not in entries:
        raise KeyError(f"{name!r} is not in data/registry.txt; it lists {', '.join(entries)}")
    entry = entries[name]
    folder = folder or paths.root() / "data" / "raw"
    if present := _find(name, folder):
        return _verified(present, entry)
    if entry.url is None:
        raise FileNotFoundError(
            f"{name} has no public download; put it under data/raw, or set PAPERLIB_DATA to a folder that holds it "
            "(data/README.md says where it comes from and how to rebuild it)"
        )
    downloader = _copy if urlsplit(entry.url).scheme == "file" else None
    book = pooch.create(folder, base_url="", registry={name: entry.sha256}, urls={name: entry.url})
    try:
        return Path(book.fetch(name, downloader=downloader))
    except OSError as error:  # first: what requests says of a bad proxy or address is a ValueError too
        raise FileNotFoundError(
            f"cannot download {name} from {entry.url} ({error}); put a copy at {folder / name} or set PAPERLIB_DATA"
        ) from error
    except ValueError as error:
        raise ChecksumError(
            f"the download of {name} from {entry.url} is corrupt: {error}. Nothing was kept; try again, or put a "
            f"good copy at {folder / name}"
        ) from error


def _copy(url: str, target: str, _: pooch.Pooch | None) -> None:
    # a mirror on a mounted disk: pooch itself knows no file:// addresses
    shutil.copyfile(url2pathname(urlsplit(url).path), target)


def at_hand(name: str) -> bool:
    """Whether a registered file lies on this machine, its checksum not looked at."""
    return _find(name, paths.root() / "data" / "raw") is not None


def _find(name: str, folder: Path) -> Path | None:
    offline = os.environ.get("PAPERLIB_DATA")
    homes = [paths.root() / Path(offline).expanduser()] if offline else []
    return next((home / name for home in [*homes, folder] if (home / name).is_file()), None)


def _verified(path: Path, entry: Entry) -> Path:
    found = sha256_of(path)
    if found != entry.sha256:
        raise ChecksumError(f"{path} is corrupt: SHA-256 {found[:12]}…, expected {entry.sha256[:12]}…; replace it")
    return path

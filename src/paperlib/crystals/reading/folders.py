"""The CIFs of a folder and its subfolders, in one order; what stands there and is not read is named."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from paperlib.crystals.reading.files import Others, is_cif, stem
from paperlib.crystals.reading.loading import Remark, Skipped


class Listing(NamedTuple):
    """What a folder holds."""

    names: list[str]
    """Paths of the CIFs within the folder."""
    marks: list[str]
    """For each of them a text of its name, size (bytes) and time of change (ns), to tell a folder from what it was."""
    notes: list[Skipped | Remark]
    """What is not read, and why."""


def listed(folder: Path) -> Listing:
    """The CIFs of ``folder``. Links to files are followed, links to folders, which may lead round in a
    circle, are not."""
    found: list[str] = []
    notes: list[Skipped | Remark] = []
    others = Others(folder.name)

    def unreadable(error: OSError) -> None:
        notes.append(Skipped(_within(folder, error.filename), "folder cannot be read", error.strerror or str(error)))

    for parent, subfolders, files in os.walk(folder, onerror=unreadable):
        for name in subfolders:
            if os.path.islink(os.path.join(parent, name)):
                path = _within(folder, os.path.join(parent, name))
                notes.append(Skipped(path, "a link to a folder is not followed", "read that folder by itself"))
        found += [_within(folder, os.path.join(parent, name)) for name in files]
    names, marks = [], []
    # the order of paths, which compare part by part: "a/b" comes before "a.b"; no name holds a zero byte
    for name in sorted(found, key=lambda name: name.replace("/", "\0")):
        if not is_cif(name):
            others.add(name)
            continue
        try:
            status = (folder / name).stat()
        except OSError as error:
            link = "broken link" if os.path.islink(folder / name) else "file cannot be read"
            notes.append(Skipped(stem(name), link, error.strerror or str(error)))
            continue
        if stat.S_ISREG(status.st_mode):
            names.append(name)
            marks.append(f"{name!a} {status.st_size} {status.st_mtime_ns}")
        else:
            notes.append(Skipped(stem(name), "not a regular file", "reading it might never end"))
    return Listing(names, marks, sorted(notes, key=lambda note: note.name) + others.notes())


def _within(folder: Path, path: str) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()

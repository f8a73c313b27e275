"""A path as the entries that it holds and the parser that they need, whatever it is: one place for all readers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from paperlib.crystals.reading import archives, files, folders, json_lines
from paperlib.crystals.reading.archives import Entry
from paperlib.crystals.reading.cif import read_cif
from paperlib.crystals.reading.loading import Parser
from paperlib.crystals.standardise import BadCrystalError, Sites

CIFS_WANTED = f"no file that ends in {' or '.join(files.CIFS)}; put CIFs there or name another path"


class Opened(NamedTuple):
    """A source whose entries can be read once."""

    entries: Iterator[Entry]
    parse: Parser
    nothing: str
    """What a source without entries holds, and the remedy."""
    total: int | None = None
    """Number of entries where it is known beforehand."""
    marks: list[str] | None = None
    """What tells a folder from what it was (:class:`paperlib.crystals.reading.folders.Listing`), None for a file."""


def existing(path: str | Path) -> Path:
    """The path, with ``~`` resolved. Raises FileNotFoundError, with the remedy, where nothing is there."""
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; give a folder, an archive or a file of crystals")
    return path


def open_source(path: Path) -> Opened:
    """A folder or an archive of CIFs, one CIF, or JSON lines. Raises ValueError for anything else."""
    if path.is_dir():
        names, marks, notes = folders.listed(path)
        entries: list[Entry] = [(name, path / name) for name in names]
        entries += [(note.name, note) for note in notes]
        return Opened(iter(entries), cif_entry, CIFS_WANTED, len(entries), marks)
    name = path.name.lower()
    if path.is_file() and name.endswith(files.JSON_LINES):
        return Opened(json_lines.lines(path), json_lines.json_line, "no line; download or write it again")
    if path.is_file() and name.endswith(files.ARCHIVES):
        return Opened(archives.archived(path), cif_entry, CIFS_WANTED)
    if path.is_file() and name.endswith(files.CIFS):
        return Opened(iter([(path.name, path)]), cif_entry, CIFS_WANTED, 1)
    raise ValueError(
        f"{path} is neither a folder, a CIF, an archive ({', '.join(files.ARCHIVES)}) of CIFs nor JSON lines "
        f"({', '.join(files.JSON_LINES)})"
    )


def cif_entry(name: str, content: bytes | Path) -> Iterator[Sites | BadCrystalError]:
    """The crystals of one CIF, or why there are none; ``name`` is its path within the source."""
    crystal = files.stem(name)
    try:
        text = files.cif_text(name, content)
    except files.TooLargeError as error:
        yield BadCrystalError(crystal, "entry too large", str(error))
    except (OSError, EOFError, zlib.error) as error:
        yield BadCrystalError(crystal, "file cannot be read", str(error))
    else:
        yield from read_cif(crystal, text)

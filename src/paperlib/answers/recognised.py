"""Which files are measured patterns, and which hold crystals."""

from __future__ import annotations

import re
from pathlib import Path

CIFS = (".cif", ".mcif")
CRYSTALS = (*CIFS, ".cif.gz", ".mcif.gz", ".zip", ".tar.gz", ".tgz", ".tar", ".jsonl", ".jsonl.gz", ".npz")
"""Suffixes of files that hold crystals; a CIF may hold a pattern instead."""

_PATTERN = re.compile(rb"^\s*_pd_(meas|proc)_(intensity|counts)", re.MULTILINE | re.IGNORECASE)
_ATOMS = re.compile(rb"^\s*_atom_site(_label|_type_symbol|_fract_x|\.)", re.MULTILINE | re.IGNORECASE)


def holds_pattern(source: str | Path) -> bool:
    """Whether ``source`` is a measured pattern: a file, there or not, whose suffix is not one of :data:`CRYSTALS`, or a
    CIF with a powder pattern and no atoms. Folders, and ``prototypes``, are crystals."""
    path = Path(source).expanduser()
    if str(source) == "prototypes" or path.is_dir():
        return False
    name = path.name.lower()
    if not name.endswith(CRYSTALS):
        return True
    if not name.endswith(CIFS) or not path.is_file():
        return False
    content = path.read_bytes()
    return bool(_PATTERN.search(content)) and not _ATOMS.search(content)

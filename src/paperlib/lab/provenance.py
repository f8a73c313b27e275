"""Where a result comes from: content of data, commit, uncommitted files, time; and the manifest that keeps them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paperlib.lab import fetch, paths
from paperlib.lab.store import read_json, sha256_of, sha256_of_text

_CODE_PATHS = ("src", ":(glob)notebooks/*.ipynb", "notebooks/params", "pyproject.toml", "constraints.txt")


def data_hash(path: Path) -> str:
    """Checksum of a data file, or of the names and contents of all files in a folder.

    A file rebuilt in the place of a registered one, with the same content, counts as the registered one.
    """
    if path.is_file():
        return fetch.identity_of(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return sha256_of_text(*(part for f in files for part in (str(f.relative_to(path)), sha256_of(f))))


def commit() -> str | None:
    """The commit that is checked out, None outside a git checkout (an archive of the sources)."""
    return _git("rev-parse", "HEAD")


def uncommitted() -> list[str] | None:
    """Sources, notebooks, parameters and constraints that differ from the commit; None outside git."""
    # by content: the status of a notebook that was only run goes by its size
    changed = _git("diff", "--name-only", "HEAD", "--", *_CODE_PATHS)
    new = _git("ls-files", "--others", "--exclude-standard", "--", *_CODE_PATHS)
    return None if changed is None or new is None else sorted({*changed.splitlines(), *new.splitlines()})


def _git(*arguments: str) -> str | None:
    if not (paths.root() / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=paths.root(), capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.rstrip("\n")


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def is_manifest(content: Any) -> bool:
    """Whether a JSON value has the four parts of a manifest."""
    return isinstance(content, dict) and {"identity", "record", "outputs", "values"} <= content.keys()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in ``folder``, or None where there is none that is whole."""
    try:
        content = read_json(folder / "manifest.json")
    except (FileNotFoundError, ValueError):
        return None
    return content if is_manifest(content) else None

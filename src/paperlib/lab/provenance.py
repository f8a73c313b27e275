"""Where a result comes from: the identity that decides whether it is fresh, and the record of its run."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib.metadata
import os
import platform
import re
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paperlib.lab import paths
from paperlib.lab.parameters import NotebookCode
from paperlib.lab.store import read_json, sha256_of, sha256_of_text

PACKAGES = ("numpy", "torch", "pymatgen", "spglib", "gemmi", "pyxtal", "captum", "papermill", "matplotlib")
"""Packages whose versions a record keeps."""

_CODE_PATHS = ("src", ":(glob)notebooks/*.ipynb", "notebooks/params", "pyproject.toml", "constraints.txt")


def code_hash(code: NotebookCode) -> str:
    """Checksum of the syntax trees of a notebook's cells, the parameters cell left out: neither a comment
    nor a default that a profile overrides makes a result stale."""
    return sha256_of_text(*(_dump(ast.parse(cell)) for cell in code.cells))


def _dump(node: Any) -> str:
    """A syntax tree as text, in the same form on every Python (``ast.dump`` changed in 3.12 and 3.13, which
    would make published results stale for a reader with another version)."""
    if isinstance(node, ast.AST):
        parts = [
            f"{name}={_dump(value)}"
            for name, value in ast.iter_fields(node)
            if not (value is None and getattr(type(node), name, ...) is None) and (value or name != "type_params")
        ]
        return f"{type(node).__name__}({', '.join(parts)})"
    return f"[{', '.join(map(_dump, node))}]" if isinstance(node, list) else repr(node)


@functools.cache
def _module_hash(path: Path, modified: int) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # attribute documentation is a bare text too, so every expression that is only a text goes
            node.body = [n for n in node.body if not _is_text(n)] or [ast.Pass()]
    return sha256_of_text(_dump(tree))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def module_hash(name: str) -> str:
    """Checksum of the syntax tree of a paperlib module, docstrings and comments left out ('' if it is gone)."""
    path = paths.root() / "src" / Path(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return _module_hash(path, path.stat().st_mtime_ns) if path.is_file() else ""


def source_hashes() -> dict[str, str]:
    """:func:`module_hash` of every paperlib module there is: what the sources are at this moment."""
    source = paths.root() / "src"
    files = [path for path in sorted((source / "paperlib").rglob("*.py")) if path.name != "__init__.py"]
    names = [".".join(path.relative_to(source).with_suffix("").parts) for path in files]
    return {name: module_hash(name) for name in names}


def imported_modules() -> list[str]:
    """The paperlib modules that this process has imported, packages with an empty file left out."""
    return sorted(
        name
        for name, module in sys.modules.items()
        if name.startswith("paperlib.") and getattr(module, "__file__", None) and not hasattr(module, "__path__")
    )


def data_hash(path: Path) -> str:
    """Checksum of a data file, or of the names and contents of all files in a folder."""
    if path.is_file():
        return sha256_of(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return sha256_of_text(*(part for f in files for part in (str(f.relative_to(path)), sha256_of(f))))


def commit() -> str | None:
    """The commit that is checked out, None outside a git checkout (an archive of the sources)."""
    return _git("rev-parse", "HEAD")


def uncommitted() -> list[str] | None:
    """Sources, notebooks, parameters and constraints that differ from the commit; None outside git."""
    lines = _git("status", "--porcelain", "--untracked-files=all", "--", *_CODE_PATHS)
    return None if lines is None else [line[3:] for line in lines.splitlines()]


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


def processor() -> str:
    """The processor by its name, where the system tells it, and the number of cores that this process may use."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        models = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
        name = models[0].strip() if models else name
    return f"{name}, {cores()} cores"


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_record() -> dict[str, Any]:
    """Versions, device and memory of this process, for the record part of a manifest."""
    device = processor()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "peak_memory_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


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

"""Which code a result was made by: the modules that some code imports, found by reading it, and their checksums.

What a process happens to have loaded does not count, nor do comments, docstrings and the texts of errors: none of them
can move a number.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from paperlib.lab import paths
from paperlib.lab.store import sha256_of, sha256_of_text

MACHINERY = frozenset(
    f"paperlib.lab.{name}"
    for name in (
        *(
            "asking",
            "closure",
            "cluster",
            "content",
            "download",
            "fetch",
            "freshness",
            "machine",
            "parameters",
            "paths",
            "provenance",
            "publish",
        ),
        *("results", "run", "runner", "stages", "store", "verify"),
        *("display", "engine", "inputs", "jupyter", "locks", "overrides", "progress", "screen", "session"),
    )
)
"""Modules that keep, move and report results, and compute none: recorded, never part of an identity."""


def is_machinery(module: str) -> bool:
    """Whether a module is of :data:`MACHINERY`, of the room of reporting, or above the street."""
    above = ("reporting", "cli", "home_commands", "classify_command", "release_command", "explore")
    return module in MACHINERY or module.split(".")[1] in above


def path_of(module: str) -> Path | None:
    """The file of a paperlib module; of a package its ``__init__.py`` where that holds code. None where there is no
    code: an empty package, or a name within a module."""
    path = paths.PACKAGE.joinpath(*module.split(".")[1:])
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file() and file.stat().st_size:
            return file
    return None


def all_modules() -> list[str]:
    """Every module of the library by its dotted name."""
    files = (path for path in paths.PACKAGE.rglob("*.py") if path.name != "__init__.py")
    return sorted(".".join(("paperlib", *path.relative_to(paths.PACKAGE).with_suffix("").parts)) for path in files)


def imports(tree: ast.AST, where: str = "a notebook") -> set[str]:
    """Names of paperlib modules that a syntax tree imports, inside functions too, and of the packages around them.

    Raises ValueError, naming ``where``, for a relative import: it would need to know the package it stands in.
    """
    return _modules(_imported(tree, where))


def closure(roots: Iterable[str], without: Iterable[str] = ()) -> dict[str, str]:
    """Modules that ``roots`` (names of modules) reach by importing, themselves included, with their checksums.

    Machinery is left out, and so are the modules ``without`` and what only they import.
    """
    found: dict[str, str] = {}
    waiting, closed = list(_modules(roots)), frozenset(without)
    while waiting:
        name = waiting.pop()
        if name not in found and name not in closed and not is_machinery(name) and (code := _code(name)):
            found[name] = module_hash(name)
            waiting += _modules(code.imported)
    return dict(sorted(found.items()))


def module_hash(name: str) -> str:
    """Checksum of the syntax tree of a module without docstrings, comments and texts of errors, and of the data files
    beside it that it names ('' if it is gone)."""
    path, code = path_of(name), _code(name)
    if path is None or code is None:
        return ""
    data = [path.with_name(text) for text in code.file_names if path.with_name(text).is_file()]
    return sha256_of_text(code.checksum, *map(sha256_of, data)) if data else code.checksum


def code_hash(cells: Iterable[str]) -> str:
    """Checksum of the syntax trees of pieces of code, as :func:`module_hash` takes them."""
    return sha256_of_text(*(_dump(_plain(cell)) for cell in cells))


class _Code(NamedTuple):
    """What the text of a module says."""

    checksum: str
    imported: frozenset[str]
    """Dotted names of what it imports, modules or not."""
    file_names: tuple[str, ...]
    """Texts in it that could name a file beside it."""


def _code(name: str) -> _Code | None:
    path = path_of(name)
    return _read(path.read_text(encoding="utf-8"), name) if path else None


@functools.cache
def _read(text: str, name: str) -> _Code:
    tree = ast.parse(text)
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    file_names = sorted(text for text in texts if _FILE_NAME.fullmatch(text))
    return _Code(sha256_of_text(_dump(_plain(text))), frozenset(_imported(tree, name)), tuple(file_names))


_FILE_NAME = re.compile(r"[\w-]+\.(?!py$)\w+")


def _imported(tree: ast.AST, where: str) -> set[str]:
    """Dotted names under paperlib that a syntax tree imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise ValueError(f"{where}: write `{ast.unparse(node)}` with the full name of the module")
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.startswith("paperlib.")}


def _modules(names: Iterable[str]) -> set[str]:
    """Those of ``names``, and of the packages around them, that are files with code."""
    parts = [name.split(".") for name in names]
    around = {".".join(part[:n]) for part in parts for n in range(2, len(part) + 1)}
    return {name for name in around if path_of(name)}


class _Plain(ast.NodeTransformer):
    """Drops what cannot change a number: expressions that are only a text, and what an error says."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # attribute documentation is a bare text too, so every expression that is only a text goes
            node.body = [n for n in node.body if not _is_text(n)] or [ast.Pass()]
        if isinstance(node, ast.JoinedStr):
            # from 3.12 on, a format that is itself computed (f"{x:{width}}") ends in an empty text
            node.values = [n for n in node.values if not (isinstance(n, ast.Constant) and n.value == "")]
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return ast.Raise(exc=error, cause=None)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.Assert(test=self.visit(node.test), msg=None)


def _plain(text: str) -> ast.AST:
    return _Plain().visit(ast.parse(text))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _dump(node: object) -> str:
    """A syntax tree as text, in the same form on every Python (``ast.dump`` changed in 3.12 and 3.13, which would make
    published results stale for a reader with another version)."""
    if isinstance(node, ast.AST):
        parts = [
            f"{name}={_dump(value)}"
            for name, value in ast.iter_fields(node)
            if not (value is None and getattr(type(node), name, ...) is None) and (value or name != "type_params")
        ]
        return f"{type(node).__name__}({', '.join(parts)})"
    return f"[{', '.join(map(_dump, node))}]" if isinstance(node, list) else repr(node)

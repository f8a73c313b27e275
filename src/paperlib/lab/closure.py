"""Which code a result was made by: the modules that some code imports, found by reading it, and their checksums.

What a process happens to have loaded does not count, nor do comments, docstrings and the texts of errors: none of them
can move a number.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path

from paperlib.lab import paths
from paperlib.lab.store import sha256_of_text

MACHINERY = frozenset(
    f"paperlib.lab.{name}"
    for name in (
        *("closure", "cluster", "fetch", "freshness", "machine", "parameters", "paths", "provenance", "publish"),
        *("results", "run", "runner", "stages", "store", "verify"),
    )
)
"""Modules that keep, move and report results, and compute none: recorded, never part of an identity."""


def is_machinery(module: str) -> bool:
    """Whether a module is of :data:`MACHINERY`, of the room of reporting, or above the street."""
    return module in MACHINERY or module.split(".")[1] in ("reporting", "cli", "explore")


def path_of(module: str) -> Path | None:
    """The file of a paperlib module, None where there is none (a package, or a name within a module)."""
    path = paths.PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() else None


def all_modules() -> list[str]:
    """Every module of the library by its dotted name."""
    files = (path for path in paths.PACKAGE.rglob("*.py") if path.name != "__init__.py")
    return sorted(".".join(("paperlib", *path.relative_to(paths.PACKAGE).with_suffix("").parts)) for path in files)


def imports(tree: ast.AST) -> set[str]:
    """Names of paperlib modules that a syntax tree imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.startswith("paperlib.") and path_of(name)}


def closure(roots: Iterable[str], without: Iterable[str] = ()) -> dict[str, str]:
    """Modules that ``roots`` (names of modules) reach by importing, themselves included, with their checksums.

    Machinery is left out, and so are the modules ``without`` and what only they import.
    """
    found: dict[str, str] = {}
    waiting, closed = list(roots), frozenset(without)
    while waiting:
        name = waiting.pop()
        if name in found or name in closed or is_machinery(name):
            continue
        found[name] = module_hash(name)
        waiting += _imports_of(name, _modified(name))
    return dict(sorted(found.items()))


def module_hash(name: str) -> str:
    """Checksum of the syntax tree of a module without docstrings, comments and texts of errors ('' if it is gone)."""
    return _module_hash(name, _modified(name)) if path_of(name) else ""


def code_hash(cells: Iterable[str]) -> str:
    """Checksum of the syntax trees of pieces of code, as :func:`module_hash` takes them."""
    return sha256_of_text(*(_dump(_plain(ast.parse(cell))) for cell in cells))


def _modified(name: str) -> int:
    path = path_of(name)
    return path.stat().st_mtime_ns if path else 0


@functools.cache
def _tree(name: str, modified: int) -> ast.Module:
    path = path_of(name)
    assert path is not None, name
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def _imports_of(name: str, modified: int) -> frozenset[str]:
    return frozenset(imports(_tree(name, modified)))


@functools.cache
def _module_hash(name: str, modified: int) -> str:
    return sha256_of_text(_dump(_plain(_tree(name, modified))))


class _Plain(ast.NodeTransformer):
    """Drops what cannot change a number: expressions that are only a text, and what an error says."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # attribute documentation is a bare text too, so every expression that is only a text goes
            node.body = [n for n in node.body if not _is_text(n)] or [ast.Pass()]
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return ast.Raise(exc=error, cause=None)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.Assert(test=self.visit(node.test), msg=None)


def _plain(tree: ast.Module) -> ast.AST:
    return _Plain().visit(ast.parse(ast.unparse(tree)))


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

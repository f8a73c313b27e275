"""The data that notebooks read: which they name, where these lie, and what is said of those that do not."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paperlib.lab import fetch, parameters, paths


def place(source: str) -> Path:
    """Where the user's own file or folder ``source`` lies: relative to the root of the repository, ``~`` is home.

    Raises FileNotFoundError for an empty text and an unknown user.
    """
    if not source.strip():
        raise FileNotFoundError(f"{source!r} names no file: give the path of a file or folder, or a registered name")
    try:
        return paths.root() / Path(source).expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(f"{source!r}: {error}") from error


def problem(source: str) -> str:
    """Why the data ``source`` cannot be read here, with the remedy; nothing where it lies on this machine or could be
    fetched."""
    if fetch.is_embedded(source):
        return ""
    entries = fetch.registry()
    if source in entries:
        return "" if fetch.at_hand(source) or entries[source].url else fetch.remedy([source])
    try:
        path = place(source)
    except FileNotFoundError as error:
        return str(error)
    if path.exists():
        return ""
    says = f"{source!r} is neither in data/registry.txt nor a file or folder at {path}"
    there = next(folder for folder in path.parents if folder.is_dir())
    if there != path.parent:
        return f"{says}: there is no folder {path.relative_to(there).parts[0]!r} in {there}"
    alike = difflib.get_close_matches(source, entries, n=1)
    alike += difflib.get_close_matches(path.name, [file.name for file in there.iterdir()], n=1)
    return says + (f"; did you mean {alike[0]!r}?" if alike else "")


def lacking(stem: str, values: dict[str, Any]) -> str:
    """The first :func:`problem` with the data that a notebook would read with the parameters ``values``."""
    return next((says for source in named(parameters.read_notebook(stem), values) if (says := problem(source))), "")


def named(code: parameters.NotebookCode, values: dict[str, Any]) -> list[str]:
    """The data that a notebook names by literals and parameters: what its cells hand to ``run.data``, and parameters
    that name a registered file, or a folder of such files. A parameter that is an empty text names nothing."""
    found = [source for cell in code.cells for source in _handed(ast.parse(cell), values)]
    texts = [text for value in values.values() for text in (value if isinstance(value, list) else [value])]
    for name in fetch.registry():
        found += [name for text in texts if isinstance(text, str) and text and (text == name or _within(name, text))]
    return list(dict.fromkeys(source for source in found if source))


def _within(name: str, folder: str) -> bool:
    return name.startswith(f"{folder.rstrip('/')}/")


def _handed(tree: ast.AST, values: dict[str, Any]) -> Iterator[str]:
    """What ``run.data`` is called with, as far as literals, parameters and loops over parameters say."""
    loops: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.comprehension, ast.For)) and isinstance(node.target, ast.Name):
            loops |= {node.target.id: node.iter.id} if isinstance(node.iter, ast.Name) else {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="run"), attr="data"), args=[argument, *_]):
                given = argument.value if isinstance(argument, ast.Constant) else None
                if isinstance(argument, ast.Name):
                    given = values.get(loops.get(argument.id, argument.id))
                yield from (text for text in (given if isinstance(given, list) else [given]) if isinstance(text, str))

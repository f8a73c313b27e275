"""Parameters of notebooks: what a notebook declares, what a profile sets, and what may override them.

papermill injects an unknown name with a mere warning and cannot see a declaration that is not a plain
literal; here both are errors, before anything runs.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from paperlib.lab import paths


class ParameterError(ValueError):
    """A parameter that is unknown, unreadable, of the wrong type, or that no cell reads."""


@dataclass(frozen=True)
class NotebookCode:
    """The code of a notebook, apart from what papermill injects."""

    stem: str
    declared: dict[str, Any]
    """Parameters and their default values, from the cell tagged ``parameters``."""
    cells: tuple[str, ...]
    """Sources of the other code cells, in order."""

    @property
    def names_read(self) -> set[str]:
        """All names that a cell outside the parameters cell loads."""
        return {
            node.id
            for cell in self.cells
            for node in ast.walk(ast.parse(cell))
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }

    @property
    def names_set(self) -> set[str]:
        """All names that a cell outside the parameters cell binds, loops within brackets apart."""
        own = (node for cell in self.cells for node in _outside_comprehensions(ast.parse(cell)))
        return {node.id for node in own if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}

    @property
    def upstream(self) -> set[str]:
        """Stems of other notebooks that a cell names: those whose results this one reads."""
        texts = {
            node.value
            for cell in self.cells
            for node in ast.walk(ast.parse(cell))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        return {stem for stem in paths.stems() if stem != self.stem and stem in texts}


def read_notebook(stem: str) -> NotebookCode:
    """Read ``notebooks/<stem>.ipynb``. Raises ParameterError where its parameters cell is missing, holds
    anything but plain literals, or where a declared parameter is read by no cell or given another value by one."""
    path = paths.notebook(stem)
    if not path.is_file():
        raise ParameterError(f"there is no notebook {stem!r}; there are {', '.join(paths.stems())}")
    # nbformat would read it too, but to import it takes three seconds, in every kernel and worker that has a run
    book = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    tagged = [cell for cell in code if "parameters" in _tags(cell)]
    if len(tagged) != 1:
        raise ParameterError(f"{path} has {len(tagged)} cells tagged 'parameters'; it needs exactly one")
    rest = [cell for cell in code if cell is not tagged[0] and "injected-parameters" not in _tags(cell)]
    content = NotebookCode(stem, _literals(_source(tagged[0]), path), tuple(map(_source, rest)))
    unread = [name for name in content.declared if name not in content.names_read and name != "profile"]
    if unread:
        raise ParameterError(f"{path}: no cell reads the parameter {unread[0]!r}; use it or remove it")
    if rebound := sorted(content.names_set & content.declared.keys()):
        raise ParameterError(f"{path}: a cell gives the parameter {rebound[0]!r} another value; take another name")
    return content


def _tags(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])


def _source(cell: dict[str, Any]) -> str:
    """The text of a cell, which a file holds whole or line by line."""
    return "".join(cell["source"])


def _outside_comprehensions(node: ast.AST) -> Iterator[ast.AST]:
    """A syntax tree without the loops in brackets, whose names are their own."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.comprehension):
            yield from _outside_comprehensions(child)


def _literals(source: str, path: Path) -> dict[str, Any]:
    declared: dict[str, Any] = {}
    for node in ast.parse(source).body:
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            raise ParameterError(
                f"{path}: papermill cannot read the line {ast.unparse(node)!r}; write it as `name = literal`"
            )
        name = node.targets[0].id
        try:
            declared[name] = ast.literal_eval(node.value)
        except ValueError:
            declared[name] = None
        if not _is_flat(declared[name]):
            raise ParameterError(
                f"{path}: the parameter {name!r} must be a number, a text, a truth value or a list of these, "
                f"not {ast.unparse(node.value)!r}"
            )
        line = source.splitlines()[node.lineno - 1]
        if line.count("=") > 1:
            raise ParameterError(f"{path}: papermill cannot read a line with two '=': {line!r}")
    return declared


def _is_flat(value: Any) -> bool:
    scalar = (bool, int, float, str)
    return isinstance(value, scalar) or (isinstance(value, list) and all(isinstance(v, scalar) for v in value))


def profile_parameters(stem: str, profile: str) -> dict[str, Any]:
    """The parameters of a notebook under a profile: its own defaults (the smoke profile), overlaid with
    ``notebooks/params/<profile>/<stem>.yml`` where there is one."""
    if profile not in paths.PROFILES:
        raise ParameterError(f"unknown profile {profile!r}; choose one of {', '.join(paths.PROFILES)}")
    declared = read_notebook(stem).declared
    path = paths.root() / "notebooks" / "params" / profile / f"{stem}.yml"
    changes = yaml.safe_load(path.read_text()) or {} if path.is_file() else {}
    if not isinstance(changes, dict):
        raise ParameterError(f"{path} must hold `name: value` lines")
    if changes.get("profile", profile) != profile:
        raise ParameterError(f"{path} says profile: {changes['profile']}; it must say {profile}, as its folder does")
    merged = declared | check_overrides(declared, changes, where=str(path))
    return merged | ({"profile": profile} if "profile" in declared else {})


def check_overrides(declared: dict[str, Any], overrides: dict[str, Any], where: str) -> dict[str, Any]:
    """``overrides`` with whole numbers turned into floats where the default is one.

    Raises ParameterError, naming ``where``, for a name that is not declared or a value of another type.
    """
    checked = {}
    for name, value in overrides.items():
        if name not in declared:
            raise ParameterError(f"{where}: unknown parameter {name!r}; the notebook declares {', '.join(declared)}")
        checked[name] = _same_type(name, declared[name], value, where)
    return checked


def _same_type(name: str, default: Any, value: Any, where: str) -> Any:
    if isinstance(default, list):
        if isinstance(value, list):
            return [_same_type(name, default[0], v, where) for v in value] if default else list(value)
    elif type(default) is float and type(value) in (int, float):
        return float(value)
    elif type(default) is type(value):
        return value
    raise ParameterError(
        f"{where}: {name}={value!r} is {type(value).__name__}, but the default {default!r} is {type(default).__name__}"
    )

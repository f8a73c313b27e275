"""Expensive work that is kept: found by what went in, never by the text of the code that does it.

An artefact is a folder under ``data/work/stages``. Its key is the stage, its version, its arguments and the content of
its inputs. Its record also keeps a checksum of the code behind it: where that has changed and the stage is cheap, the
work is done again beside the old one and compared, item by item. Equal, everything after it stays as it is; different,
the items are named and work goes on with the new ones.
"""

from __future__ import annotations

import ast
import fcntl
import functools
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.lab import closure, paths, provenance
from paperlib.lab.store import read_json, sha256_of_text, write_arrays, write_json

REMAKE = "PAPERLIB_REMAKE"
"""Environment variable: cheap work that was done before this time (ISO 8601) is done again and compared."""


@dataclass(frozen=True)
class Stage:
    """A kind of expensive work. Declared as a constant, with literal arguments, in the module that offers it."""

    name: str
    version: int
    """Raised by hand whenever the numbers are meant to change; golden samples hold us to it."""
    entry: str
    """The module whose imports, followed to their end, are the code of the stage."""
    cheap: bool = True
    """Minutes rather than hours: worth doing again to see whether a change of code changed anything."""


@dataclass(frozen=True)
class Items:
    """What a stage made, item by item: names (n,) for messages and digests (n,), one text or integer each."""

    names: np.ndarray
    digests: np.ndarray


@dataclass(frozen=True)
class Artefact:
    """Kept work: its folder, the digest of all its items, the items, and how many seconds it took to make."""

    folder: Path
    digest: str
    items: Items
    seconds: float


_USED: dict[str, dict[str, Any]] = {}
"""Stages that this process has used since :func:`forget`, by name: their version and the checksum of their code."""


_CODE: dict[str, str] = {}
"""Checksums of the code of cheap stages when the account began: what is edited later is not what runs."""


def forget() -> None:
    """Begin a new account of the stages that are used (a run does so when it opens)."""
    _USED.clear()
    _CODE.clear()
    _CODE.update({name: code_of(stage) for name, stage in declared().items() if stage.cheap})


def use(stage: Stage) -> None:
    """Note that a stage is part of what is going on."""
    _USED[stage.name] = {"version": stage.version, "code": _running_code(stage) if stage.cheap else ""}


def used() -> dict[str, dict[str, Any]]:
    """The account since :func:`forget`: version and code of each stage; '' for the code of one that is not cheap."""
    return {name: dict(entry) for name, entry in sorted(_USED.items())}


def code_of(stage: Stage) -> str:
    """Checksum of the code of a stage."""
    return sha256_of_text(*(f"{name} {text}" for name, text in closure.closure([stage.entry]).items()))


def _running_code(stage: Stage) -> str:
    return _CODE.get(stage.name) or code_of(stage)


def key_of(stage: Stage, arguments: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """What an artefact is found by: 20 hexadecimal digits. Raises TypeError for an argument that JSON cannot hold: the
    text of an array leaves out its middle."""
    parts = (stage.name, stage.version, sorted(arguments.items()), sorted(inputs.items()))
    return sha256_of_text(json.dumps(parts))[:20]


def made(
    stage: Stage,
    arguments: Mapping[str, Any],
    inputs: Mapping[str, str],
    make: Callable[[Path], Items],
    same: Callable[[Path, Path], np.ndarray] | None = None,
) -> Artefact:
    """The artefact of ``stage`` for plain ``arguments`` and ``inputs`` (names to checksums of content): kept, or made.

    ``make(folder)`` writes its files into an empty folder and returns the items. Where items cannot be compared by
    their digests, since floats differ in their last digits, ``same(old, new)`` tells from two folders which of the
    items agree, as (n,) bool. A process that wants what another is making waits for it.
    """
    use(stage)
    key, code = key_of(stage, arguments, inputs), _running_code(stage)
    folder = paths.stages() / stage.name / key
    with locked(folder.with_name(f".{key}.lock")):
        record = _record(folder)
        if record is not None and not (stage.cheap and (record["code"] != code or _asked_again(record))):
            return Artefact(folder, record["digest"], _items(folder), record["seconds"])
        again = record is not None
        if record is not None:
            why = "its code changed; " if record["code"] != code else ""
            print(f"{stage.name}: {why}made again and compared", flush=True)
        partial = folder.with_name(f".{key}.part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        began = time.monotonic()
        items = make(partial)
        seconds = round(time.monotonic() - began, 2)
        write_arrays(partial / "items.npz", {"names": items.names, "digests": items.digests})
        if record is not None:
            difference = _difference(folder, partial, items, same)
            if not difference:
                shutil.rmtree(partial)
                write_json(folder / "record.json", record | {"code": code, "confirmed": provenance.now()})
                print(f"{stage.name}: all {len(items.names):,} items are as before", flush=True)
                return Artefact(folder, record["digest"], _items(folder), record["seconds"])
            print(f"{stage.name}: {difference}", flush=True)
        digest = sha256_of_text(key, *map(str, items.digests.tolist()))
        content = {"stage": stage.name, "version": stage.version, "arguments": dict(arguments), "inputs": dict(inputs)}
        content |= {"code": code, "digest": digest, "n": len(items.names), "made": provenance.now()}
        write_json(partial / "record.json", content | {"seconds": seconds})
        if again:
            shutil.rmtree(folder.with_name(f".{key}.old"), ignore_errors=True)
            os.replace(folder, folder.with_name(f".{key}.old"))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
        shutil.rmtree(folder.with_name(f".{key}.old"), ignore_errors=True)
        return Artefact(folder, digest, items, seconds)


def _asked_again(record: dict[str, Any]) -> bool:
    """Whether ``make verify`` wants the artefact made again: it was not, since the time that the variable gives."""
    return record.get("confirmed", record["made"]) < os.environ.get(REMAKE, "")


def _record(folder: Path) -> dict[str, Any] | None:
    """The record of a whole artefact, None where there is none; one that a killed run had set aside comes back."""
    aside = folder.with_name(f".{folder.name}.old")
    if aside.exists() and not folder.exists():
        os.replace(aside, folder)
    try:
        return read_json(folder / "record.json")
    except (FileNotFoundError, ValueError):
        return None


def _items(folder: Path) -> Items:
    with np.load(folder / "items.npz", allow_pickle=False) as archive:
        return Items(archive["names"], archive["digests"])


def _difference(old: Path, new: Path, items: Items, same: Callable[[Path, Path], np.ndarray] | None) -> str:
    """What is not as it was, in words; nothing where all is."""
    before, n = _items(old), len(items.names)
    if np.array_equal(before.names, items.names):
        changed = items.names[~same(old, new) if same else before.digests != items.digests].tolist()
        return f"{len(changed):,} of {n:,} items differ from before: {_some(changed)}" if changed else ""
    known = dict(zip(before.names.tolist(), before.digests.tolist(), strict=True))
    now = dict(zip(items.names.tolist(), items.digests.tolist(), strict=True))
    changed = [name for name, digest in now.items() if known.get(name) != digest]
    gone = [name for name in known if name not in now]
    says = [f"{len(changed):,} of {n:,} items differ from before: {_some(changed)}"] if changed else []
    says += [f"{len(gone):,} of before are gone: {_some(gone)}"] if gone else []
    return "; ".join(says) or "the items are in another order"


def _some(names: list[Any]) -> str:
    return ", ".join(map(str, names[:5])) + (", …" if len(names) > 5 else "")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``; wait for a process that holds it. It is released when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def declared() -> dict[str, Stage]:
    """All stages by name, read from the sources without importing them. Raises ValueError for a stage whose arguments
    are no literals, or whose name another one has."""
    found: dict[str, Stage] = {}
    for stage in (stage for module in closure.all_modules() for stage in _stages_of(module)):
        if stage.name in found:
            raise ValueError(f"two stages have the name {stage.name!r}")
        found[stage.name] = stage
    return found


def fronts() -> frozenset[str]:
    """Modules that declare a stage: what they do is keyed by content, and no result depends on their text."""
    return frozenset(module for module in closure.all_modules() if _stages_of(module))


def _stages_of(module: str) -> tuple[Stage, ...]:
    path = closure.path_of(module)
    return _stages_in(path.read_text(encoding="utf-8")) if path else ()


@functools.cache
def _stages_in(text: str) -> tuple[Stage, ...]:
    if "Stage(" not in text:
        return ()
    calls = [getattr(node, "value", None) for node in ast.parse(text).body]
    return tuple(
        Stage(*map(ast.literal_eval, call.args), **{str(w.arg): ast.literal_eval(w.value) for w in call.keywords})
        for call in calls
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Stage"
    )

"""Reading results: tables, arrays and values that runs have written, with the manifests that vouch for them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paperlib.lab import paths
from paperlib.lab.store import read_json, sha256_of, sha256_of_text


class MissingResultError(LookupError):
    """A result that has not been computed, or is not part of a run."""


_FEW = 12
"""Names that an error lists; of more it lists half as many."""

KINDS = {
    "share": "a fraction, printed in %",
    "points": "a difference of shares, printed in percentage points",
    "count": "a whole number of things",
    "seconds": "a time",
    "rate": "a number per second",
    "ratio": "how many times as much",
    "deviation": "spans orders of magnitude, printed with a power of ten",
    "number": "anything else that is measured",
    "text": "words",
}
"""The kinds of values: what a number means decides how it is printed."""


@dataclass(frozen=True)
class Value:
    """One number of the paper: an estimate with its interval (95 %, None where it has none), the number of items
    behind it (None where that has no meaning), and what kind of number it is. Raises ValueError for another kind."""

    value: float | int | str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    kind: str = "number"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r} is none of {', '.join(KINDS)}")
        if isinstance(self.value, str) != (self.kind == "text"):
            raise ValueError(f"kind={self.kind!r} does not fit {self.value!r}; words, and only words, are of kind text")


class Results:
    """Results found in one or several folders of stems; the first folder that has a stem wins.

    Every file and value that is read is remembered in ``reads`` with its checksum, every stem that was asked for in
    vain in ``absent``, so that a run can record its inputs. ``accept`` limits the results to those that one profile
    made, or a bigger one has published; ``hidden`` stems are taken as not there (a run must not read what is computed
    after it).
    """

    def __init__(self, *folders: Path, accept: str | None = None, hidden: Collection[str] = ()) -> None:
        self._folders = folders
        self._accept = accept
        self._hidden = frozenset(hidden)
        self._overlay: dict[str, Path] = {}
        self._pending: dict[str, dict[str, Any]] = {}
        self.reads: dict[str, str] = {}
        self.absent: set[str] = set()

    @classmethod
    def of_profile(cls, profile: str, hidden: Collection[str] = ()) -> Results:
        """Results of a profile's runs; where one is missing, the published one if that profile made it or a bigger one
        (:func:`paperlib.lab.paths.or_bigger`)."""
        return cls(paths.work_results(profile), paths.published_results(), accept=profile, hidden=hidden)

    @classmethod
    def published(cls) -> Results:
        """The published results, whatever profile made each of them."""
        return cls(paths.published_results())

    def show_unfinished(self, stem: str, folder: Path, manifest: dict[str, Any]) -> None:
        """Let a run see what it has written so far under its own stem."""
        self._overlay[stem] = folder
        self._pending[stem] = manifest

    def folder(self, stem: str) -> Path:
        """The folder with the results of a stem. Raises MissingResultError, with the remedy."""
        if stem in self._overlay:
            return self._overlay[stem]
        for folder in self._folders if stem not in self._hidden else ():
            path = folder / stem / "manifest.json"
            if path.is_file() and self._accepts(read_json(path)["record"]["profile"]):
                return folder / stem
        if stem not in self._hidden:
            self.absent.add(stem)
        profile = f" PROFILE={self._accept}" if self._accept else ""
        raise MissingResultError(f"there are no results of {stem}; run it first (make reproduce{profile})")

    def _accepts(self, profile: str) -> bool:
        return self._accept is None or profile in paths.or_bigger(self._accept)

    def has(self, stem: str) -> bool:
        """Whether the stem has results."""
        try:
            self.folder(stem)
        except MissingResultError:
            return False
        return True

    def stems(self) -> list[str]:
        """All stems that have results, in running order."""
        return [stem for stem in paths.stems() if self.has(stem)]

    def manifest(self, stem: str) -> dict[str, Any]:
        """The manifest of a stem."""
        folder = self.folder(stem)
        return self._pending[stem] if stem in self._pending else read_json(folder / "manifest.json")

    def _file(self, stem: str, file_name: str) -> Path:
        path = self.folder(stem) / file_name
        if not path.is_file():
            raise MissingResultError(f"the results of {stem} in {path.parent} hold no {file_name}")
        self._note(stem, file_name)
        return path

    def _note(self, stem: str, file_name: str) -> None:
        entry = self.manifest(stem)["outputs"].get(file_name)
        if stem not in self._overlay and entry and not entry.get("timing"):
            self.reads[f"file:{stem}/{file_name}"] = entry["sha256"]

    def table(self, stem: str, name: str) -> pd.DataFrame:
        """The table ``<stem>/<name>.csv``, numbers to the last digit; empty cells are NaN."""
        return pd.read_csv(self._file(stem, f"{name}.csv"))

    def arrays(self, stem: str, name: str) -> dict[str, np.ndarray]:
        """The arrays of ``<stem>/<name>.npz``."""
        with np.load(self._file(stem, f"{name}.npz"), allow_pickle=False) as archive:
            return dict(archive)

    def weights(self, stem: str, name: str) -> Path:
        """The file ``<name>.safetensors`` that a stem wrote; in a clone the released copy in ``data/models``."""
        own = self.folder(stem) / f"{name}.safetensors"
        expected = self.manifest(stem)["outputs"].get(own.name, {}).get("sha256")
        for path in (own, released_model(stem, own.name)):
            if path.is_file() and sha256_of(path) == expected:
                self._note(stem, own.name)
                return path
        raise MissingResultError(
            f"the weights {own.name} of {stem} are not here; run it again (NOTEBOOK={stem} FORCE=1)"
        )

    def file(self, stem: str, file_name: str) -> Path:
        """The path of an output of a stem by its name."""
        return self._file(stem, file_name)

    def value(self, key: str) -> Value:
        """The value or timing with the key ``stem/name``. Raises MissingResultError for an unknown key."""
        stem, _, name = key.partition("/")
        manifest = self.manifest(stem)
        known = manifest["values"] | timings(manifest)
        if name not in known:
            raise MissingResultError(f"unknown value {key!r}; {stem} has {_some(name, known)}")
        if stem not in self._overlay and name in manifest["values"]:
            self.reads[f"value:{stem}/{name}"] = value_digest(manifest["values"][name])
        return Value(**known[name])

    def values(self, stem: str) -> dict[str, Value]:
        """All values and timings of a stem by name."""
        manifest = self.manifest(stem)
        if stem not in self._overlay:
            self.reads[f"values:{stem}"] = value_digest(manifest["values"])
        return {name: Value(**entry) for name, entry in (manifest["values"] | timings(manifest)).items()}

    def origin(self, stem: str) -> str:
        """A line for captions and tables: which profile made the results, and when."""
        record = self.manifest(stem)["record"]
        return f"{record['profile']} profile, {record['finished'][:10]}"


def _some(name: str, known: Collection[str]) -> str:
    """Names to choose from where ``name`` is none of the ``known`` ones: those that look like it where there are
    many."""
    if len(known) <= _FEW:
        return ", ".join(sorted(known)) or "none"
    alike = difflib.get_close_matches(name, known, _FEW // 2, 0.5) or sorted(known)[: _FEW // 2]
    return f"{len(known)} values, among them {', '.join(alike)}"


def released_model(stem: str, file_name: str) -> Path:
    """Where the released weights of a stem lie: ``data/models/<stem>-<file name>``."""
    return paths.root() / "data" / "models" / f"{stem}-{file_name}"


def timings(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a run measured with a clock, by name: part of its record, never of what it says."""
    return manifest["record"].get("timings", {})


def value_digest(values: Any) -> str:
    """One checksum of a value, or of all values of a manifest."""
    return sha256_of_text(json.dumps(values, sort_keys=True))


def damaged_outputs(folder: Path, manifest: dict[str, Any], published_only: bool) -> list[str]:
    """Names of outputs of a manifest that are missing from ``folder`` or differ from their checksums."""
    return [
        name
        for name, entry in manifest["outputs"].items()
        if (entry["published"] or not published_only)
        and not ((folder / name).is_file() and sha256_of(folder / name) == entry["sha256"])
    ]

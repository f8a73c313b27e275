"""One run of one notebook: it knows its parameters, what it read and what it wrote.

A notebook opens ``run = Run("06_labels", globals())`` after its parameters cell and closes with
``run.finish()``. Until then everything is written aside; ``finish`` puts it in place in one step, so that a
run that dies leaves the last good result as it was.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paperlib.lab import fetch, parameters, paths, provenance
from paperlib.lab.results import Results, Value, digest
from paperlib.lab.store import sha256_of, sha256_of_text, write_arrays, write_json, write_table

PUBLISHED_BYTES = 1_000_000
"""Outputs above this size stay in ``data/work``; the repository keeps small files only."""


class Paused(RuntimeError):
    """A run that stopped at its time limit, to be resumed."""


class Run:
    """The run of notebook ``stem`` with the parameters found in ``namespace`` (the notebook's globals).

    Parameters that differ from those of the profile send the run to ``data/work/custom``. Raises
    ParameterError for a parameter of the wrong type or an unknown profile.
    """

    def __init__(self, stem: str, namespace: dict[str, Any]) -> None:
        self.stem = stem
        self.code = parameters.read_notebook(stem)
        given = {name: namespace[name] for name in self.code.declared}
        self.parameters = parameters.check_overrides(self.code.declared, given, where=f"notebook {stem}")
        self.profile = str(self.parameters["profile"])
        expected = parameters.profile_parameters(stem, self.profile)
        self.changed = {name: v for name, v in self.parameters.items() if v != expected[name]}
        self.target = paths.CUSTOM if self.changed else self.profile
        self._partial = paths.work(self.target) / "partial" / stem
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        self._inputs: dict[str, str] = {}
        self._manifest: dict[str, Any] = {"outputs": {}, "values": {}, "identity": {}}
        self._manifest["record"] = {
            "run_id": uuid.uuid4().hex[:12],
            "profile": self.target,
            "started": provenance.now(),
            "commit": provenance.commit(),
            "uncommitted": provenance.uncommitted(),
        }
        self._start = time.monotonic()
        # Taken now: a source edited while this runs is not the one that is running, and makes the result stale.
        self._sources = provenance.source_hashes()
        order = paths.stems()
        self.results = Results.of_profile(self.profile, hidden=order[order.index(stem) + 1 :])
        pending = self._manifest | {"record": self._manifest["record"] | {"finished": provenance.now()}}
        self.results.show_unfinished(stem, self._partial, pending)
        if self.profile == "paper":
            _require_cuda(stem)
        note = f" with {self.changed}, kept apart in data/work/custom" if self.changed else ""
        print(f"{stem} · {self.profile} profile{note} · run {self._manifest['record']['run_id']}")

    def data(self, source: str) -> str:
        """A data source, registered as an input by its checksum.

        ``source`` is the name of an embedded set (returned as it is), a name in ``data/registry.txt`` (found
        or fetched, see :func:`paperlib.lab.fetch.fetch`), or the path of the user's own file or folder,
        relative to the root of the repository. Raises FileNotFoundError, with the remedy.
        """
        if fetch.is_embedded(source):
            self._inputs[f"embedded:{source}"] = source
            return source
        if source in fetch.registry():
            path = fetch.fetch(source)
        else:
            path = paths.root() / source
            if not path.exists():
                raise FileNotFoundError(f"{source!r} is neither in data/registry.txt nor a file or folder at {path}")
        self._inputs[f"data:{source}"] = provenance.data_hash(path)
        return str(path)

    def checkpoint_dir(self, *names: str, **settings: Any) -> Path:
        """A folder for resumable work, kept between runs.

        It belongs to ``settings``, to the data and to the code behind the work (all rooms but ``lab`` and
        ``reporting``, which cannot change it): with any of these changed the work starts anew, beside the old.
        """
        code = [m for m in provenance.imported_modules() if m.split(".")[1] not in ("lab", "reporting", "cli")]
        hashes = [f"{name} {self._sources.get(name, '')}" for name in code]
        key = sha256_of_text(repr(sorted(settings.items())), repr(sorted(self._inputs.items())), *hashes)
        return paths.work(self.target) / "checkpoints" / self.stem / "-".join([*names, key[:12]])

    def pause(self, message: str) -> None:
        """Stop here because a time limit was reached; the same command goes on from the checkpoint.

        Raises Paused always.
        """
        raise Paused(f"{message}; run the same command again to go on")

    @property
    def folder(self) -> Path:
        """Where this run writes until it is finished."""
        return self._partial

    def adopt(self, files: list[Path], publish: bool = True) -> None:
        """Make files that were written below :attr:`folder` outputs of the run."""
        for path in files:
            self.file(str(path.relative_to(self._partial)), publish)

    def table(self, name: str, table: pd.DataFrame, publish: bool = True) -> pd.DataFrame:
        """Write a table as ``<name>.csv`` and return it, to be shown."""
        self._written(f"{name}.csv", write_table, table, publish)
        return table

    def arrays(self, name: str, publish: bool = True, **arrays: np.ndarray) -> None:
        """Write arrays as ``<name>.npz``; ``publish=False`` keeps them out of the repository."""
        self._written(f"{name}.npz", write_arrays, arrays, publish)

    def file(self, name: str, publish: bool = True, release: bool = False) -> Path:
        """A path to write a file to; it becomes an output of the run when ``finish`` finds it.

        ``release`` marks small weights, which publishing puts into ``data/models`` rather than ``data/results``.
        """
        self._manifest["outputs"][name] = {"sha256": "", "published": publish and not release, "released": release}
        return self._partial / name

    def value(self, name: str, value: float | int | str | Value, **more: Any) -> None:
        """Keep one number for the paper under ``<stem>/<name>``; ``more`` are low, high and n."""
        entry = value if isinstance(value, Value) else Value(value, **more)
        plain = {
            key: v.item() if isinstance(v, np.generic) else v
            for key, v in (("value", entry.value), ("low", entry.low), ("high", entry.high), ("n", entry.n))
        }
        bad = [key for key, v in plain.items() if isinstance(v, float) and not np.isfinite(v)]
        if bad:
            raise ValueError(f"{self.stem}/{name}: {bad[0]}={plain[bad[0]]!r} is not a finite number")
        self._manifest["values"][name] = plain

    def _written(self, file_name: str, write: Any, content: Any, publish: bool) -> None:
        write(self.file(file_name, publish), content)

    def finish(self) -> None:
        """Write the manifest and put the results in place, replacing those of the last run at once."""
        for name, entry in self._manifest["outputs"].items():
            path = self._partial / name
            if not path.is_file():
                raise FileNotFoundError(f"{self.stem} announced the output {name} but did not write it")
            if entry["published"] and path.stat().st_size > PUBLISHED_BYTES:
                raise ValueError(
                    f"{name} has {path.stat().st_size / 1e6:.1f} MB; publish less than {PUBLISHED_BYTES / 1e6:.0f} MB, "
                    "or pass publish=False"
                )
            entry["sha256"] = sha256_of(path)
        inputs = dict(self._inputs)
        for stem in self.results.used - {self.stem}:
            inputs[f"result:{stem}"] = digest(self.results.manifest(stem))
        inputs |= {f"result:{stem}": "absent" for stem in self.results.absent - self.results.used}
        modules = {name: self._sources.get(name, "") for name in provenance.imported_modules()}
        self._manifest["identity"] = {
            "notebook": provenance.code_hash(self.code),
            "modules": modules,
            "parameters": self.parameters,
            "inputs": inputs,
        }
        seconds = time.monotonic() - self._start
        self._manifest["record"] |= {"finished": provenance.now(), "seconds": round(seconds, 1)}
        self._manifest["record"] |= provenance.machine_record()
        write_json(self._partial / "manifest.json", self._manifest)
        _swap(self._partial, paths.work_results(self.target) / self.stem)
        outputs, values = len(self._manifest["outputs"]), len(self._manifest["values"])
        print(f"{self.stem} finished after {seconds:.0f} s: {outputs} files, {values} values")


def _require_cuda(stem: str) -> None:
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError(f"{stem}: the paper profile needs a CUDA device and finds none; use PROFILE=laptop")


def _swap(new: Path, old: Path) -> None:
    # A reader finds the old folder or the new one. Between the two renames it finds none, and a run killed
    # there leaves the old one beside, from where the next freshness check brings it back.
    old.parent.mkdir(parents=True, exist_ok=True)
    aside = old.with_name(f".{old.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    if old.exists():
        os.replace(old, aside)
    os.replace(new, old)
    shutil.rmtree(aside, ignore_errors=True)


def restore_interrupted(profile: str) -> None:
    """Bring back results that a run killed in the middle of :meth:`Run.finish` had set aside."""
    for aside in paths.work_results(profile).glob(".*.old"):
        good = aside.with_name(aside.name[1:-4])
        if good.exists():
            shutil.rmtree(aside)
        else:
            os.replace(aside, good)

"""One run of one notebook: it knows its parameters, what it read and what it wrote.

A notebook opens ``run = Run("06_labels", globals())`` after its parameters cell and closes with
``run.finish()``. Until then everything is written aside; ``finish`` puts it in place in one step, so that a
run that dies leaves the last good result as it was.
"""

from __future__ import annotations

import ast
import os
import shutil
import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paperlib.lab import closure, fetch, inputs, machine, parameters, paths, provenance, stages
from paperlib.lab.locks import held_locks, hold_lock, release_lock
from paperlib.lab.results import Results, Value
from paperlib.lab.session import Session
from paperlib.lab.store import sha256_of, write_arrays, write_json, write_table

PUBLISHED_BYTES = 1_000_000
"""Outputs above this size stay in ``data/work``; the repository keeps small files only."""


class Paused(RuntimeError):
    """A run that stopped at its time limit, to be resumed."""


class OverError(RuntimeError):
    """A run that is finished, or that another one of the same notebook has taken the place of."""


_GOING_ON: dict[str, str] = {}
"""The run of each notebook that is going on in this process, by stem: its id."""


class Run:
    """The run of notebook ``stem`` with the parameters found in ``namespace`` (the notebook's globals).

    Parameters that differ from those of the profile send the run to ``data/work/custom``, and so do parameters and
    cells that somebody changes while it runs. Raises ParameterError for a parameter of the wrong type or an unknown
    profile, BusyError while another process runs the notebook.
    """

    def __init__(self, stem: str, namespace: dict[str, Any]) -> None:
        paths.check_installation()
        machine.wait_without_spinning()
        machine.end_with_runner()
        self.stem = stem
        self.code = parameters.read_notebook(stem)
        self._namespace = namespace
        self._session = Session(self.code.cells, namespace)
        given = {name: namespace[name] for name in self.code.declared}
        self.parameters = parameters.check_overrides(self.code.declared, given, where=f"notebook {stem}")
        self.profile = str(self.parameters["profile"])
        expected = parameters.profile_parameters(stem, self.profile)
        self.changed = {name: v for name, v in self.parameters.items() if v != expected[name]}
        self.target = paths.CUSTOM if self.changed else os.environ.get(paths.INTO, self.profile)
        self._lock = self._lock_in(self.target)
        hold_lock(self._lock, f"{stem} is running")
        for left in [path for path in held_locks() if path.name == self._lock.name and path != self._lock]:
            release_lock(left)  # of a run with other parameters that this kernel began and did not finish
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
            "timings": {},
        }
        _GOING_ON[stem] = self._manifest["record"]["run_id"]
        self._start = time.monotonic()
        # Taken now: a source edited while this runs is not the one that is running, and makes the result stale.
        self._code_identity = code_identity(self.code)
        stages.forget()
        order = paths.stems()
        self.results = Results.of_profile(self.profile, hidden=order[order.index(stem) + 1 :])
        pending = self._manifest | {"record": self._manifest["record"] | {"finished": provenance.now()}}
        self.results.show_unfinished(stem, self._partial, pending)
        note = f" with {self.changed}, kept apart in data/work/custom" if self.changed else ""
        print(f"{stem} · {self.profile} profile{note} · run {self._manifest['record']['run_id']}")

    def data(self, source: str) -> str:
        """A data source, registered as an input by its checksum: the path to read from.

        ``source`` is the name of an embedded set (returned as it is), a name in ``data/registry.txt`` (found
        or fetched, see :func:`paperlib.lab.fetch.fetch`), or the path of the user's own file or folder,
        relative to the root of the repository or to home (``~/…``). Raises FileNotFoundError, with the remedy.
        """
        if fetch.is_embedded(source):
            self._inputs[f"embedded:{source}"] = source
            return source
        if source in fetch.registry():
            path = fetch.fetch(source)
        elif says := inputs.problem(source):
            raise FileNotFoundError(says)
        else:
            path = inputs.place(source)
        self._inputs[f"data:{source}"] = provenance.data_hash(path)
        return str(path)

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
        self._check_going_on()
        for path in files:
            self.file(str(path.relative_to(self._partial)), publish)

    def table(self, name: str, table: pd.DataFrame, publish: bool = True, timing: bool = False) -> pd.DataFrame:
        """Write a table as ``<name>.csv`` and return it, to be shown. ``timing`` marks a table of times and speeds,
        which is published and is no part of what the result says."""
        write_table(self.file(f"{name}.csv", publish, timing=timing), table)
        return table

    def arrays(self, name: str, publish: bool = True, **arrays: np.ndarray) -> None:
        """Write arrays as ``<name>.npz``; ``publish=False`` keeps them out of the repository."""
        write_arrays(self.file(f"{name}.npz", publish), arrays)

    def file(self, name: str, publish: bool = True, release: bool = False, timing: bool = False) -> Path:
        """A path to write a file to; it becomes an output of the run when ``finish`` finds it.

        ``release`` marks small weights, which publishing puts into ``data/models`` rather than ``data/results``;
        ``timing`` as in :meth:`table`.
        """
        self._check_going_on()
        entry = {"sha256": "", "published": publish and not release, "released": release, "timing": timing}
        self._manifest["outputs"][name] = entry
        path = self._partial / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def value(self, name: str, value: float | int | str | Value, **more: Any) -> None:
        """Keep one number for the paper under ``<stem>/<name>``; ``more`` are ``kind``, low, high and n.

        Whole numbers are counts and texts are texts without being called so. Raises ValueError for a number that is
        not finite and an unknown kind.
        """
        self._check_going_on()
        self._manifest["values"][name] = self._plain(name, value, more)

    def timing(self, name: str, value: float | Value, kind: str = "seconds", **more: Any) -> None:
        """Keep what a clock measured (``kind`` seconds, rate or ratio) for the paper: part of the record of the run,
        so that measuring it again leaves everything after it fresh."""
        self._check_going_on()
        self._manifest["record"]["timings"][name] = self._plain(name, value, {"kind": kind, **more})

    def _plain(self, name: str, value: float | int | str | Value, more: dict[str, Any]) -> dict[str, Any]:
        if isinstance(value, Value):
            value = Value(**(asdict(value) | more))
        else:
            natural = {str: "text", int: "count", np.str_: "text", np.int64: "count"}.get(type(value), "number")
            value = Value(value, **({"kind": natural} | more))
        plain = {key: v.item() if isinstance(v, np.generic) else v for key, v in asdict(value).items()}
        bad = [key for key, v in plain.items() if isinstance(v, float) and not np.isfinite(v)]
        if bad:
            raise ValueError(f"{self.stem}/{name}: {bad[0]}={plain[bad[0]]!r} is not a finite number")
        return plain

    def finish(self) -> None:
        """Write the manifest and put the results in place, replacing those of the last run at once.

        Where parameters or cells are not those that the run took when it began, the place is ``data/work/custom``,
        and a line says what differs.
        """
        self._check_going_on()
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
        if differs := self._parameter_difference() or self._session.difference():
            self._keep_apart(differs)
        read = self._inputs | self.results.reads
        read |= {f"absent:{stem}": "" for stem in self.results.absent}
        self._manifest["identity"] = {
            **self._code_identity,
            "parameters": self.parameters,
            "inputs": read,
            "stages": stages.used(),
        }
        seconds = time.monotonic() - self._start
        self._manifest["record"] |= {"finished": provenance.now(), "seconds": round(seconds, 1)}
        self._manifest["record"] |= machine.machine_record()
        write_json(self._partial / "manifest.json", self._manifest)
        place = paths.work_results(self.target) / self.stem
        swap(self._partial, place)
        del _GOING_ON[self.stem]
        for path in {self._lock, self._lock_in(self.target)}:
            release_lock(path)
        # cells that only look at the results work on when they are run again
        self.results.show_unfinished(self.stem, place, self._manifest)
        outputs, values = len(self._manifest["outputs"]), len(self._manifest["values"])
        print(f"{self.stem} finished after {seconds:.0f} s: {outputs} files, {values} values")

    def _lock_in(self, target: str) -> Path:
        return paths.work(target) / f".{self.stem}.lock"

    def _check_going_on(self) -> None:
        if _GOING_ON.get(self.stem) != self._manifest["record"]["run_id"]:
            raise OverError(
                f"this run of {self.stem} is over, and nothing can be added to what it wrote; to run the notebook "
                f'again, begin with its cell `run = Run("{self.stem}", globals())` and run all cells below it'
            )

    def _parameter_difference(self) -> str:
        """Which parameter is not what it was when the run began, in words; nothing where all are."""
        for name, taken in self.parameters.items():
            now = self._namespace.get(name)
            try:
                same = parameters.check_overrides(self.parameters, {name: now}, where=self.stem)[name] == taken
            except parameters.ParameterError:
                same = False
            if not same:
                return f"{name} is {now!r} now and was {taken!r} when the run began"
        return ""

    def _keep_apart(self, differs: str) -> None:
        """Send the results to ``data/work/custom``, for the reason ``differs``."""
        print(
            f"{self.stem}: {differs}: kept apart in data/work/custom, not as a result of the {self.profile} profile "
            f"(to have that, run the notebook from its cell with Run, each cell once and in order)"
        )
        self.target = paths.CUSTOM
        self._manifest["record"] |= {"profile": paths.CUSTOM, "differs": differs}
        hold_lock(self._lock_in(paths.CUSTOM), f"{self.stem} is running with other parameters")


def code_identity(code: parameters.NotebookCode) -> dict[str, Any]:
    """The part of an identity that is code: the cells but for the parameters, whose values are kept apart, and the
    modules of analysis that they import. What stages do is keyed by content, and machinery computes nothing."""
    roots = set().union(*(closure.imports(ast.parse(cell)) for cell in code.cells)) if code.cells else set()
    return {"notebook": closure.code_hash(code.cells), "analysis": closure.closure(roots, without=stages.fronts())}


def swap(new: Path, old: Path) -> None:
    """Put the folder ``new`` in the place of ``old``."""
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

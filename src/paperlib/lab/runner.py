"""The strict runner: notebooks in order, only what is not fresh, with a table at the end.

Each notebook runs in its own kernel through papermill. The first failure stops what depends on it and
nothing else; earlier results stay as they were.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paperlib.lab import freshness, inputs, machine, overrides, parameters, paths, provenance
from paperlib.lab.locks import hold_lock, release_lock
from paperlib.lab.run import restore_interrupted

READS_ALL = ("90_figures", "91_values", "00_overview")
"""Notebooks that gather whatever results there are, and so depend on every notebook before them."""


UNFINISHED = ("failed", "paused", "waits")


@dataclass
class Outcome:
    """What became of one notebook: "ran", "fresh", "failed", "paused" (at its time limit, to be resumed by the
    same command) or "waits" (for one that failed or paused)."""

    stem: str
    status: str
    seconds: float = 0.0
    wrote: str = ""
    message: str = ""


@dataclass
class Job:
    """What to run: stems (all where empty), whether to run fresh ones too, parameters that override."""

    profile: str
    only: list[str] = field(default_factory=list)
    force: bool = False
    overrides: list[str] = field(default_factory=list)
    """Texts such as "epochs=3 seeds=[1]" (:mod:`paperlib.lab.overrides`), for the one notebook in ``only``."""


def reproduce(job: Job) -> list[Outcome]:
    """Run every notebook of the job that is not fresh; report each as it goes.

    Raises BusyError while another process runs the same profile, and before anything runs ParameterError for a bad
    parameter or stem, FileNotFoundError for data that a given parameter names and that are not there. Other notebooks
    whose data are not there are named at the beginning.
    """
    paths.check_installation()
    stems = paths.stems()
    for stem in job.only:
        parameters.read_notebook(stem)
        if stem in paths.INTERACTIVE:
            raise parameters.ParameterError(f"{stem} is interactive and has no results: make lab, then open it")
    for stem in stems:
        parameters.profile_parameters(stem, job.profile)
    if job.overrides and len(job.only) != 1:
        raise parameters.ParameterError("a parameter override needs one notebook: name it with NOTEBOOK=<stem>")
    given = overrides.parse(job.only[0], job.overrides) if job.overrides else {}
    chosen = [stem for stem in stems if stem in job.only] if job.only else stems
    values = {stem: parameters.profile_parameters(stem, job.profile) | given for stem in chosen}
    lacking = {stem: says for stem in chosen if (says := inputs.lacking(stem, values[stem]))}
    if given and lacking:
        raise FileNotFoundError(lacking[job.only[0]])
    for stem, says in lacking.items():
        print(f"{stem} can run only with data that are missing: {says}", flush=True)
    with _lock(job.profile):
        restore_interrupted(job.profile)
        states: dict[str, freshness.State] = {}
        outcomes: list[Outcome] = []
        for stem in stems[: stems.index(chosen[-1]) + 1]:
            states[stem] = freshness.check(stem, job.profile, states)
            if stem not in chosen:
                continue
            counter = f"[{len(outcomes) + 1}/{len(chosen)}]"
            outcomes.append(_one(stem, job, given, states[stem], outcomes, counter))
            if outcomes[-1].status == "ran" and not given:
                states[stem] = freshness.check(stem, job.profile, states)
        return outcomes


def _one(
    stem: str,
    job: Job,
    given: dict[str, Any],
    state: freshness.State,
    before: list[Outcome],
    counter: str,
) -> Outcome:
    needs = parameters.read_notebook(stem).upstream
    broken = [o.stem for o in before if o.status in UNFINISHED and (o.stem in needs or stem in READS_ALL)]
    if broken:
        print(f"{counter} {stem}: waits for {broken[0]}", flush=True)
        return Outcome(stem, "waits", message=f"needs {broken[0]}")
    if state.fresh and not job.force and not given:
        print(f"{counter} {stem}: fresh", flush=True)
        return Outcome(stem, "fresh", wrote=state.reason)
    why = "forced" if state.fresh else f"{state.state}: {state.reason}"
    print(f"{counter} {stem}: running ({why})", flush=True)
    start = time.monotonic()
    try:
        manifest = execute(stem, job.profile, given)
    except NotebookFailed as error:
        status = "paused" if str(error).startswith("Paused") else "failed"
        print(f"{counter} {stem}: {status}\n{error}", flush=True)
        return Outcome(stem, status, time.monotonic() - start, message=str(error).splitlines()[0])
    wrote = f"{len(manifest['outputs'])} files, {len(manifest['values'])} values"
    return Outcome(stem, "ran", time.monotonic() - start, wrote=wrote)


class NotebookFailed(RuntimeError):
    """A notebook whose data are missing, that raised, whose kernel died, or that left no result; the message says what
    to do."""


def execute(stem: str, profile: str, given: dict[str, Any]) -> dict[str, Any]:
    """Execute one notebook, with parameters ``given`` in place of those of its profile, and return its manifest.

    Raises NotebookFailed, and KeyboardInterrupt where the user or the system ends it.
    """
    expected = parameters.profile_parameters(stem, profile)
    values = expected | parameters.check_overrides(expected, given, where="command line")
    if says := inputs.lacking(stem, values):
        raise NotebookFailed(says)
    import nbclient.exceptions
    import papermill

    from paperlib.lab import engine

    target = os.environ.get(paths.INTO, profile) if values == expected else paths.CUSTOM
    output = paths.work_executed(target) / f"{stem}.ipynb"
    attempt = paths.work(target) / "failed" / f"{stem}.ipynb"
    attempt.parent.mkdir(parents=True, exist_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = paths.work_results(target) / stem
    before = _run_id(provenance.read_manifest(folder))
    try:
        with _kernel_environment():
            papermill.execute_notebook(
                str(paths.notebook(stem)),
                str(attempt),
                parameters=values,
                kernel_name="python3",
                cwd=str(paths.root()),
                engine_name=engine.NAME,
                progress_bar=False,
                log_output=True,
                extra_arguments=["--IPKernelApp.log_level=50"],
            )
    except papermill.exceptions.PapermillExecutionError as error:
        raise NotebookFailed(_explain(error.ename, error.evalue, attempt)) from error
    except (nbclient.exceptions.DeadKernelError, RuntimeError) as error:
        raise NotebookFailed(
            f"its kernel was killed ({error}); if memory ran out (dmesg says so), close other programs; "
            "then run the same command again: it resumes from the last checkpoint"
        ) from error
    except OSError as error:
        raise NotebookFailed(_explain(type(error).__name__, str(error), attempt)) from error
    manifest = provenance.read_manifest(folder)
    if manifest is None or _run_id(manifest) == before:
        raise NotebookFailed("it ended without writing its results: its last cell must be run.finish()")
    os.replace(attempt, output)
    return manifest


def _run_id(manifest: dict[str, Any] | None) -> str | None:
    return manifest["record"]["run_id"] if manifest else None


def _explain(name: str, text: str, notebook: Path) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", f"{name}: {text}").strip()
    where = f"The notebook as it stood: {notebook.relative_to(paths.root())}."
    if os.strerror(errno.ENOSPC) in plain or os.strerror(errno.EFBIG) in plain:
        plain += "\nThe disk (or the file-size limit, ulimit -f) is full: make room, then run the same command again."
    if name in ("MemoryError", "OutOfMemoryError"):
        plain += "\nMemory ran out: close other programs or choose a smaller profile."
    return f"{plain}\n{where} Earlier results are untouched."


def _kernel_environment() -> AbstractContextManager[None]:
    """What a kernel finds: bars of other packages are silent, and it ends with this process."""
    machine.wait_without_spinning()
    quiet = {"TQDM_DISABLE": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    return machine.environment(quiet | {machine.RUNNER: str(os.getpid())})


@contextmanager
def _lock(profile: str) -> Iterator[None]:
    path = paths.work(profile) / ".lock"
    hold_lock(path, f"another run of the {profile} profile is going on")
    try:
        yield
    finally:
        release_lock(path)


def report(outcomes: list[Outcome]) -> str:
    """The closing table: notebook, status, time, what it wrote."""
    rows = [("notebook", "status", "time", "wrote")]
    rows += [(o.stem, o.status, f"{o.seconds:.0f} s" if o.seconds else "", o.message or o.wrote) for o in outcomes]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]) for row in rows]
    total = sum(o.seconds for o in outcomes)
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "", f"total {total:.0f} s"])

"""Trainings that are done: on this machine in ``data/work/trainings``, in a clone by what is published of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paperlib.lab import paths
from paperlib.lab.results import released_model
from paperlib.lab.run import Run
from paperlib.lab.store import read_json
from paperlib.learning.ranked import Ranked, load_ranked, load_whole
from paperlib.learning.weights import weights_header

if TYPE_CHECKING:
    from paperlib.learning.work import Task

MAX_RELEASED_BYTES = 10_000_000
FACTS = ("labels", "parameters", "steps", "items", "loss", "precision", "threads")
TABLES = ("trainings", "training_times", "history")
"""Of a study, without the part before their names."""
TIMES = ("minutes", "items_per_s", "waiting", "device")


@dataclass(frozen=True)
class Kept:
    """A training that is done."""

    facts: dict[str, Any]
    """:data:`FACTS`."""
    times: dict[str, Any]
    """:data:`TIMES`."""
    history: pd.DataFrame
    """As in :class:`paperlib.learning.training.History`."""
    answers: dict[str, dict[str, Ranked]]
    """By test and space."""
    whole: dict[str, np.ndarray]
    """By test: (n, n_classes) log-probabilities, of tests that keep them."""
    files: dict[str, Path]
    """Predictions by test; and under "weights" the weights, where they are here."""


def find_kept(task: Task, stem: str) -> Kept | None:
    """The training of ``task`` with its answers to all tests, None where it has to be done.

    The same recipe may have been carried out in another precision or with another number of threads, which its facts
    say; the one that this machine would take is preferred.
    """
    for folder in executions(task):
        if (found := _local(folder, task)) and _complete(found, task):
            return found
    found = _published(paths.published_results() / stem, task, stem)
    return found if found and _complete(found, task) else None


def executions(task: Task) -> list[Path]:
    """The folders in which this machine carried out the recipe of ``task``, first the one that it would take."""
    folders = [path for path in paths.trainings().glob(f"{task.key}-*") if path.is_dir()]
    return sorted(folders, key=lambda path: (path != task.folder, path.name))


def answer_files(folder: Path, task: Task) -> dict[str, Path]:
    """Where the execution in ``folder`` has its answers to the tests of ``task``, by test."""
    return {test: folder / f"{test}-{key}.npz" for test, key in task.asked.items()}


def in_all_spaces(answers: Mapping[str, Ranked], task: Task) -> bool:
    """Whether the answers to a test, by space, are all that ``task`` asks for: another study may have asked the same
    training in fewer spaces."""
    return set(task.arm.spaces) <= answers.keys()


def _complete(found: Kept, task: Task) -> bool:
    return all(in_all_spaces(of_test, task) for of_test in found.answers.values())


def _local(folder: Path, task: Task) -> Kept | None:
    files = answer_files(folder, task)
    if not (folder / "done.json").is_file() or not all(path.is_file() for path in files.values()):
        return None
    done = read_json(folder / "done.json")
    files["weights"] = folder / "weights.safetensors"
    return _kept(done, done, pd.read_csv(folder / "history.csv"), files)


def _published(folder: Path, task: Task, stem: str) -> Kept | None:
    for path in sorted(folder.glob("*trainings.csv")):
        part = path.name.removesuffix("trainings.csv").removesuffix("_")
        if found := _published_in(folder, part, task, stem):
            return found
    return None


def _published_in(folder: Path, part: str, task: Task, stem: str) -> Kept | None:
    table, times, history = (pd.read_csv(folder / f"{named(name, part)}.csv") for name in TABLES)
    rows = table[table.key == task.key] if "key" in table else table.iloc[:0]
    if not len(rows):
        return None
    row = rows.iloc[0]
    files = {test: folder / published_name(test, row.arm, row.split, row.seed) for test in task.asked}
    if not all(path.is_file() for path in files.values()):
        return None
    if any(row.get(f"test_{test}") != key for test, key in task.asked.items()):
        return None
    here = "arm == @row.arm and split == @row.split and seed == @row.seed"
    clock, curve = times.query(here).iloc[0], history.query(here).drop(columns=["arm", "split", "seed"])
    weights = released_model(stem, weights_name(row.arm, row.seed))
    # the name holds no split, and a file of an older release may lie there
    if weights.is_file() and weights_header(weights)["notes"].get("training") == task.key:
        files["weights"] = weights
    return _kept(row, clock, curve, files)


def _kept(facts: Any, times: Any, history: pd.DataFrame, files: dict[str, Path]) -> Kept:
    answered = {test: path for test, path in files.items() if test != "weights"}
    answers = {test: load_ranked(path) for test, path in answered.items()}
    whole = {test: log_p for test, path in answered.items() if (log_p := load_whole(path)) is not None}
    known, measured = ({name: _plain(of[name]) for name in names} for of, names in ((facts, FACTS), (times, TIMES)))
    return Kept(known, measured, history.reset_index(drop=True), answers, whole, files)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def named(name: str, part: str) -> str:
    """What a table or value of a study is called in a notebook that holds several: with the ``part`` before it."""
    return f"{part}_{name}" if part else name


def published_name(test: str, arm: str, split: Any, seed: int) -> str:
    """Where the predictions of a training stand among the outputs of its study."""
    return f"predictions/{test}-{arm}-split{split}-seed{seed}.npz"


def weights_name(arm: str, seed: int) -> str:
    """What the weights of a training are called among the outputs of its study."""
    return f"{arm}_seed{seed}.safetensors"


def publish_kept(run: Run, task: Task, kept: Kept, release: bool) -> None:
    """Make the predictions of a training outputs of the run, and its weights where they are to be released.

    Raises FileNotFoundError where the weights are asked for and not here: predictions alone were published.
    """
    for test in task.asked:
        shutil.copyfile(kept.files[test], run.file(published_name(test, task.arm.key, task.split, task.seed)))
    if not release:
        return
    name = weights_name(task.arm.key, task.seed)
    path = kept.files.get("weights")
    if path is None:
        raise FileNotFoundError(
            f"the weights {released_model(run.stem, name)} are gone; bring the file back (git checkout data/models)"
        )
    if path.stat().st_size > MAX_RELEASED_BYTES:
        raise ValueError(f"{name} has {path.stat().st_size / 1e6:.1f} MB; at most {MAX_RELEASED_BYTES / 1e6:.0f}")
    shutil.copyfile(path, run.file(name, publish=False, release=True))

"""Trainings carried out: one after the other here, or several at a time in processes of their own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from paperlib.datasets.combined_streams import MadeOnHost, Prefetched
from paperlib.datasets.labels import Labels
from paperlib.lab import machine, paths
from paperlib.lab.stages import locked
from paperlib.lab.store import write_json
from paperlib.learning.arms import Arm, Test, TestItems, content_key
from paperlib.learning.configuration import TrainConfig
from paperlib.learning.device import numerics, pick_device, precision_of
from paperlib.learning.kept import answer_files, executions, in_all_spaces
from paperlib.learning.models import build_model, count_parameters, describe_model
from paperlib.learning.prediction import predict
from paperlib.learning.priors import CORRECTED, class_frequencies, exchanged
from paperlib.learning.ranked import Ranked, load_ranked, ranked_in, ranks_alone, save_ranked
from paperlib.learning.training import History, fit, identity_of
from paperlib.learning.weights import load_weights, save_weights

_ITEMS_FOR_A_PROCESS = 100_000
"""Fewer items than this for each process are trained sooner than processes have started."""
_PROCESSES_OF_A_GPU = 8
"""More take turns on the device without getting more done."""
_SECONDS_BETWEEN_LINES = 5.0


@dataclass(frozen=True)
class Task:
    """One training, and the tests that it has to answer."""

    arm: Arm
    split: Any
    seed: int
    config: TrainConfig
    tests: tuple[Test, ...]
    key: str
    """Of its recipe: everything that it follows from but how it is executed."""
    asked: Mapping[str, str]
    """What each test set is, by its key."""
    folder: Path
    """Where this machine keeps its execution of the training."""
    n_items: int
    """Patterns that it sees in all."""
    start: Task | None = None
    """The training whose weights it starts from."""

    @property
    def cell(self) -> tuple[str, Any, int]:
        """Arm, split and seed."""
        return self.arm.key, self.split, self.seed


def make_task(
    arm: Arm,
    split: Any,
    seed: int,
    tests: Sequence[Test],
    items: Mapping[tuple[str, Any], TestItems],
    start: Task | None = None,
) -> Task:
    """The task of one cell of a study; ``items`` are the test items by test and split."""
    stream = arm.stream(split, seed)
    config = replace(arm.config(stream) if callable(arm.config) else arm.config, seed=seed)
    model = build_model(n_classes=len(arm.labels), n_points=stream.n_points, seed=seed, **arm.model)
    identity = identity_of(describe_model(model), _start(seed, start), stream, config)
    key = "t" + content_key(identity | {"labels": arm.labels.identity()})
    device = pick_device(config.device)
    threads = config.threads if device.type == "cpu" else 0
    folder = paths.trainings() / f"{key}-{precision_of(config.precision, model, device)}-{threads}"
    of_arm = tuple(test for test in tests if test.key in arm.tests or not arm.tests)
    asked = {test.key: content_key(items[test.key, split].identity) for test in of_arm}
    return Task(arm, split, seed, config, of_arm, key, asked, folder, config.steps * stream.batch_size, start)


def _start(seed: int, start: Task | None) -> dict[str, Any]:
    """Which weights a training starts from, in plain values."""
    return {"seed": seed} if start is None else {"training": start.key}


def in_turn(tasks: Sequence[Task]) -> list[list[Task]]:
    """``tasks`` in the order in which they can be carried out: each training once, then what other cells of the study
    ask the same trainings, and behind it those that start from their weights. A training whose weights are wanted and
    not here (its predictions were published) is among them."""
    firsts: dict[str, Task] = {}
    for task in tasks:
        if task.start is not None and _weights(task.start) is None:
            firsts.setdefault(task.start.key, task.start)
        if task.start is None:
            firsts.setdefault(task.key, task)
    first = [*firsts.values()]
    again = [task for task in tasks if task.start is None and task is not firsts[task.key]]
    later = [task for task in tasks if task.start is not None]
    return [some for some in (first, again, later) if some]


def _weights(task: Task) -> Path | None:
    """Where this machine has the weights of the training of ``task``."""
    paths_of_it = (folder / "weights.safetensors" for folder in executions(task) if (folder / "done.json").is_file())
    return next((path for path in paths_of_it if path.is_file()), None)


def processes_for(tasks: Sequence[Task]) -> int:
    """How many processes are worth while for ``tasks``: at most one a core, and on a GPU, where each makes its batches
    in a thread beside it, one for two cores."""
    if pick_device(tasks[0].config.device).type != "cpu":
        return max(1, min(machine.cores() // 2, len(tasks), _PROCESSES_OF_A_GPU))
    by_work = sum(task.n_items for task in tasks) // _ITEMS_FOR_A_PROCESS
    return max(1, min(machine.cores() // tasks[0].config.threads, len(tasks), by_work))


def carry_out(tasks: Sequence[Task], deadline: float, n_processes: int) -> None:
    """Train all ``tasks`` and keep what they answer; begin none after ``deadline`` (of time.monotonic), and stop those
    that go on then. A line for each pass is printed. What their streams keep for all is made first (see
    :data:`paperlib.learning.arms.MakeStream`)."""
    for task in tasks:
        if (prepare := getattr(task.arm.stream, "prepare", None)) is not None:
            prepare(task.split)
    if n_processes == 1:
        for task in tasks:
            train(task, deadline, lambda line, task=task: print(f"{_name(task)}: {line}", flush=True))
        return
    from joblib.externals.loky import get_reusable_executor

    machine.wait_without_spinning()
    for task in tasks:
        _log(task).unlink(missing_ok=True)  # its lines were shown when they were written
    executor = get_reusable_executor(max_workers=n_processes, reuse=False, timeout=600)
    futures = [executor.submit(_train_apart, task, deadline, os.getpid(), paths.root()) for task in tasks]
    try:
        _show_lines(tasks, futures)
    finally:
        executor.shutdown(kill_workers=True)


def _show_lines(tasks: Sequence[Task], futures: Sequence[Future[None]]) -> None:
    """Print what the processes write into their logs until all are done; raise what one of them raised."""
    shown = {task.cell: 0 for task in tasks}
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=_SECONDS_BETWEEN_LINES)
        for task in tasks:
            lines = _log(task).read_text().splitlines() if _log(task).is_file() else []
            for line in lines[shown[task.cell] :]:
                print(f"{_name(task)}: {line}", flush=True)
            shown[task.cell] = len(lines)
        for future in done:
            future.result()


def _train_apart(task: Task, deadline: float, parent: int, root: Path) -> None:
    """:func:`train` in a process of its own, which ends when the process that asked for it does."""
    os.environ["PAPERLIB_ROOT"] = str(root)
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    _log(task).parent.mkdir(parents=True, exist_ok=True)
    with _log(task).open("w", encoding="utf-8", buffering=1) as log:
        train(task, deadline, lambda line: print(line, file=log, flush=True))


def _leave_with(parent: int) -> None:
    while _alive(parent):
        time.sleep(1)
    os._exit(1)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def train(task: Task, deadline: float, report: Callable[[str], None]) -> None:
    """Carry out one task, or as much of it as there is time for; what is done is kept in its folder."""
    minutes = (deadline - time.monotonic()) / 60
    if minutes <= 0:
        return
    arm = task.arm
    with locked(task.folder.with_name(f".{task.folder.name}.lock")):
        if (done := _carried_out(task)) is not None:
            answer(replace(task, folder=done), load_weights(done / "weights.safetensors", arm.labels.scheme).model)
            return
        stream = arm.stream(task.split, task.seed)
        model = build_model(n_classes=len(arm.labels), n_points=stream.n_points, seed=task.seed, **arm.model)
        if task.start is not None:
            if (weights := _weights(task.start)) is None:
                return  # the limit of time came before it was trained
            model.load_state_dict(load_weights(weights, arm.labels.scheme).model.state_dict())
        validation = arm.validation(task.split, task.seed) if arm.validation else None
        config = replace(task.config, max_minutes=min(minutes, task.config.max_minutes))
        on_gpu = pick_device(config.device).type == "cuda"
        data = Prefetched(MadeOnHost(stream), ahead=4) if on_gpu else stream
        history = fit(model, data, config, task.folder, validation, start=_start(task.seed, task.start), report=report)
        if not history.stopped_early:
            answer(task, model)
            names = [str(name) for name in arm.labels.names]
            save_weights(task.folder / "weights.safetensors", model, arm.labels.scheme, names, training=task.key)
            write_json(task.folder / "done.json", record(task, model, history))


def _carried_out(task: Task) -> Path | None:
    """Where an execution of the training lies that is complete, whose weights are here, and that was not asked
    everything yet; one that was is what a study finds, and who carries it out again wants another execution."""
    for folder in executions(task):
        there = (folder / name for name in ("done.json", "weights.safetensors"))
        if all(path.is_file() for path in there) and any(_unasked(replace(task, folder=folder))):
            return folder
    return None


def _unasked(task: Task) -> Iterator[tuple[Test, Path]]:
    """The tests that the execution in the folder of ``task`` has not answered in all spaces, and where answers go."""
    files = answer_files(task.folder, task)
    for test in task.tests:
        path = files[test.key]
        if not (path.is_file() and in_all_spaces(load_ranked(path), task)):
            yield test, path


def answer(task: Task, model: Any) -> None:
    """Keep what a trained model says about those test sets of its task that it was not asked yet."""
    arm = task.arm
    for test, path in _unasked(task):
        items = test.items(task.split)
        # as many threads as in training: the bits do not depend on what else runs, and processes share the cores
        with numerics(task.config.threads, task.config.deterministic):
            log_p = predict(model, items.patterns).log_probabilities
        answers = ranked_in(log_p, arm.labels, items.space_group, arm.spaces)
        if arm.seen is not None and items.expected is not None:
            seen = arm.seen(task.split)
            answers[CORRECTED] = _corrected(log_p, seen, items.expected, arm.labels, items.space_group)
        save_ranked(path, answers, log_p if items.whole else None)


def _corrected(log_p: np.ndarray, seen: np.ndarray, expected: np.ndarray, labels: Labels, truth: np.ndarray) -> Ranked:
    """The answers about items of space groups ``truth`` (n,) of a network that was trained on items of ``seen`` (m,),
    where the groups are ``expected`` (230,) times."""
    trained_on = class_frequencies(labels, np.bincount(seen, minlength=231)[1:])
    return ranks_alone(exchanged(log_p, trained_on, class_frequencies(labels, expected)), labels.of(truth))


def record(task: Task, model: Any, history: History) -> dict[str, Any]:
    """Facts of a finished training, and its times."""
    precision, threads = task.folder.name.split("-")[1:]
    loss = float(history.rounds.loss.iloc[-1])
    facts = {"labels": task.arm.labels.scheme, "parameters": count_parameters(model), "steps": history.steps}
    facts |= {"items": history.items, "loss": loss, "precision": precision, "threads": int(threads)}
    rate = history.items / max(60 * history.minutes, 1e-9)
    times = {"minutes": history.minutes, "items_per_s": rate, "waiting": history.waiting}
    return facts | times | {"device": machine.device_name(), "key": task.key}


def _log(task: Task) -> Path:
    return task.folder.with_name(f"{task.folder.name}.log")


def _name(task: Task) -> str:
    return f"{task.arm.key}, split {task.split}, seed {task.seed}"

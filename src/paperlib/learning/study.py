"""How every study is run: arms × splits × seeds, each trained once and asked about every test set, resumable.

A training is found by its own identity (model, start, stream, configuration, recipe): in ``data/work/trainings``, or
by its published predictions in a clone. What is not found is trained, on a CPU several at a time, one process for each.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from paperlib.lab import stages
from paperlib.lab.display import counted, one_line
from paperlib.lab.run import Run
from paperlib.learning.arms import Arm, Test, TestItems
from paperlib.learning.kept import Kept, find_kept, named, publish_kept
from paperlib.learning.ranked import Ranked
from paperlib.learning.training import TRAINING
from paperlib.learning.work import Task, carry_out, in_turn, make_task, processes_for

Cell = tuple[str, Any, int]
"""Arm, split and seed of a training."""


@dataclass(frozen=True)
class Trained:
    """All trainings of a study and what they say."""

    trainings: pd.DataFrame
    """One row per training: arm, split, seed, key, labels, parameters, steps, items, loss, precision, threads."""
    times: pd.DataFrame
    """One row per training: arm, split, seed, minutes, items_per_s, waiting (share of the time), device."""
    history: pd.DataFrame
    """One row per training and pass: arm, split, seed, step, items, loss, validation_top1, lr."""
    answers: Mapping[tuple[str, str, Any, int], Mapping[str, Ranked]]
    """By (test, arm, split, seed), and then by space."""
    items: Mapping[tuple[str, Any], TestItems]
    """By (test, split): the test items that the answers are about."""
    whole: Mapping[tuple[str, str, Any, int], np.ndarray] = field(default_factory=dict)
    """By (test, arm, split, seed), of tests that keep them: (n, n_classes) log-probabilities."""

    def __repr__(self) -> str:
        arms = dict.fromkeys(self.trainings["arm"])
        return one_line("Trained", counted(len(self.trainings), "training"), f"arms {', '.join(arms)}")

    @property
    def cells(self) -> list[Cell]:
        """Arm, split and seed of every training, in the order of the study."""
        return [tuple(row) for row in self.trainings[["arm", "split", "seed"]].itertuples(index=False, name=None)]

    def repeats(self) -> list[tuple[Any, int]]:
        """Split and seed of every repetition, the same for all arms but those that name seeds of their own."""
        return list(dict.fromkeys((split, seed) for _, split, seed in self.cells))


def study(
    run: Run,
    arms: Sequence[Arm],
    tests: Sequence[Test],
    seeds: Sequence[int],
    splits: Sequence[Hashable],
    max_minutes: float = 0.0,
    paired: bool = False,
    workers: int = 0,
    part: str = "",
) -> Trained:
    """Train every arm on every split with every seed, or with those of ``seeds`` that the arm names (``paired``: split
    i with seed i only), and ask each training about every test set.

    Writes the tables ``trainings``, ``history`` and ``training_times``, the predictions of every training and the
    weights that arms release as outputs of ``run``; numbers of seeds, splits and parameters (of the first arm) as
    its values; ``part`` stands before their names where a notebook holds several studies. Stops cleanly after
    ``max_minutes`` (0: no limit), to be resumed by the same call. ``workers`` processes train at a time; 0 takes
    one a core where there is work for minutes.
    Raises Paused at the limit, ValueError for keys that occur twice and for an arm that starts from none before it.
    """
    pairs = list(zip(splits, seeds, strict=True)) if paired else list(itertools.product(splits, seeds))
    keys: dict[str, list[Any]] = {"arms": [arm.key for arm in arms], "tests": [test.key for test in tests]}
    keys["repetitions"] = pairs
    for what, given in keys.items():
        if len(set(given)) < len(given):
            raise ValueError(f"{what} need keys of their own: {given}")
    stages.use(TRAINING)
    items = {(test.key, split): test.items(split) for test in tests for split in dict.fromkeys(p[0] for p in pairs)}
    cells = [(arm, *pair) for pair, arm in itertools.product(pairs, arms) if not arm.seeds or pair[1] in arm.seeds]
    tasks = _made_tasks(cells, tests, items)
    kept = {task.cell: found for task in tasks if (found := find_kept(task, run.stem)) is not None}
    missing = [task for task in tasks if task.cell not in kept]
    if missing:
        print(f"{len(tasks)} trainings, {len(kept)} of them found; {_size(missing)} to do", flush=True)
        deadline = time.monotonic() + 60 * max_minutes if max_minutes else math.inf
        for some in in_turn(missing):
            carry_out(some, deadline, workers or processes_for(some))
        kept |= {task.cell: found for task in missing if (found := find_kept(task, run.stem)) is not None}
        if unfinished := [task for task in tasks if task.cell not in kept]:
            run.pause(f"{len(unfinished)} of {len(tasks)} trainings are not finished after {max_minutes:g} minutes")
    first = pairs[0]
    for task in tasks:
        publish_kept(run, task, kept[task.cell], release=task.arm.release and (task.split, task.seed) == first)
    run.value(named("n_seeds", part), len(dict.fromkeys(seed for _, seed in pairs)))
    run.value(named("n_splits", part), len(dict.fromkeys(split for split, _ in pairs)))
    run.value(named("n_parameters", part), int(kept[tasks[0].cell].facts["parameters"]))
    run.timing(named("training_seconds", part), 60 * sum(kept[task.cell].times["minutes"] for task in tasks))
    return _gathered(run, tasks, kept, items, part)


def _made_tasks(
    cells: Sequence[tuple[Arm, Any, int]], tests: Sequence[Test], items: Mapping[tuple[str, Any], TestItems]
) -> list[Task]:
    made: dict[Cell, Task] = {}
    for arm, split, seed in cells:
        start = made.get((arm.start, split, seed))
        if arm.start and start is None:
            raise ValueError(f"arm {arm.key!r} starts from {arm.start!r}, which is no arm before it with these seeds")
        made[arm.key, split, seed] = make_task(arm, split, seed, tests, items, start)
    return [*made.values()]


def _size(tasks: Sequence[Task]) -> str:
    return f"{len(tasks)} with {sum(task.n_items for task in tasks) / 1e6:.2f} million items"


def _gathered(
    run: Run, tasks: Sequence[Task], kept: Mapping[Cell, Kept], items: Mapping[tuple[str, Any], TestItems], part: str
) -> Trained:
    place = [{"arm": task.arm.key, "split": task.split, "seed": task.seed} for task in tasks]
    facts = [kept[task.cell] for task in tasks]
    asked = [{f"test_{test}": key for test, key in task.asked.items()} for task in tasks]
    rows = [p | {"key": t.key} | k.facts | a for p, t, k, a in zip(place, tasks, facts, asked, strict=True)]
    trainings = run.table(named("trainings", part), pd.DataFrame(rows))
    clock = pd.DataFrame([p | k.times for p, k in zip(place, facts, strict=True)])
    times = run.table(named("training_times", part), clock, timing=True)
    curves = [k.history.assign(**p) for p, k in zip(place, facts, strict=True)]
    columns = ["arm", "split", "seed", "step", "items", "loss", "validation_top1", "lr"]
    history = run.table(named("history", part), pd.concat(curves, ignore_index=True)[columns])
    answers = {(test, *task.cell): kept[task.cell].answers[test] for task in tasks for test in task.asked}
    whole = {(test, *task.cell): log_p for task in tasks for test, log_p in kept[task.cell].whole.items()}
    return Trained(trainings, times, history, answers, items, whole)

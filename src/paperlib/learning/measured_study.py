"""What a study of measured patterns compares: networks trained on simulated patterns, on measured ones, and on both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from paperlib.datasets.drawn_sets import DrawnSet
from paperlib.datasets.labels import Labels
from paperlib.datasets.pattern_sets import PatternSet
from paperlib.datasets.specimens import Specimens
from paperlib.learning.arms import Arm, ItemBudget
from paperlib.learning.measured_arms import MeasuredData, MeasuredTest, MixedData, SetData

Rows = Callable[[PatternSet], np.ndarray] | None
"""(n,) int64: which items of a set to take; all of them where there is None."""

SHIFTS = {"m2": -2, "m1": -1, "measured": 0, "p1": 1, "p2": 2}
"""Tests about the measured patterns, moved by so many points of the grid (0.04°): the views that are averaged."""

SPANNED = ("minerals", "laboratory")
"""The worlds that the main trainings span."""
WORLDS = (*SPANNED, "wide")
"""All that trainings of some length were carried out in."""
TOGETHER = ("both_worlds", "longer", "larger", "three_worlds", *(f"in_{world}" for world in WORLDS))
"""Arms that saw no measured pattern, but real and random crystals: their mean is a step at test time."""

PUBLISHED_MODEL = {"name": "resnet"}

LIMITS = (
    "one phase, of more than 80 % of the volume",
    "inorganic crystals: none of the training set is organic",
    "a laboratory diffractometer: lines wider than those of crystallites of 20 nm were not in training",
    "of measured patterns it has seen minerals of one collection (RRUFF); what it does to others is not known",
)
"""What a network of such a study is not for."""


@dataclass(frozen=True)
class Plan:
    """How a study trains: networks (:func:`paperlib.learning.models.build_model`), batches and budgets."""

    labels: Labels
    spaces: tuple[str, ...]
    """Schemes of labels that all arms are scored in."""
    models: Mapping[str, Mapping[str, Any]]
    """``main``; ``larger``, that of the arm of this name; and ``worlds``, of the trainings that are compared among
    themselves."""
    budgets: Mapping[str, ItemBudget]
    """Of the trainings on ``simulated`` patterns, of those that are ``longer`` and ``larger``, of those in ``worlds``
    that are compared among themselves, in ``fine``-tuning, and on measured patterns ``alone``."""
    batch_size: int
    batch_measured: int
    """Measured patterns in a batch; a fine-tuned network sees as many simulated ones beside them."""
    seeds: Sequence[int]

    def mixed(self, sets: Mapping[str, PatternSet], names: Sequence[str], size: int, real: Rows = None) -> MixedData:
        """Equal parts of the sets ``names`` in batches of ``size``; of those of real crystals the rows that ``real``
        gives."""
        rows = {name: real(sets[name]) if real and name.startswith("real_") else None for name in names}
        return MixedData(tuple(SetData(sets[name], self.labels, size // len(names), rows[name]) for name in names))

    def arm(self, key: str, data: Any, budget: str, tests: Sequence[str], **options: Any) -> Arm:
        """An arm with one of ``budgets`` and what all have in common; ``options`` are other fields of :class:`Arm`."""
        model = options.pop("model", self.models["main"])
        return Arm(key, self.labels, data, self.budgets[budget], self.spaces, model, tests=tuple(tests), **options)


def plan_of(
    labels: Labels,
    spaces: tuple[str, ...],
    shape: Mapping[str, Any],
    networks: Sequence[tuple[Sequence[int], int]],
    items: Mapping[str, int],
    rates: tuple[float, float],
    device: str,
    batches: tuple[int, int],
    seeds: Sequence[int],
) -> Plan:
    """A plan for networks that keep positions, with the sizes ``shape`` in common; ``networks`` gives channels and
    hidden width of the main, the larger and the small one, ``items`` how many patterns each kind of training sees, by
    its name in :attr:`Plan.budgets`, ``rates`` the learning rates from the start and in fine-tuning, ``batches`` the
    sizes of batches and of the measured patterns in them."""
    model = {"name": "position_resnet", "stem_kernel": 15, "stem_stride": 4, "dropout": 0.3, **shape}
    model |= {"input": "above_baseline", "coverage": True}
    kinds = zip(("main", "larger", "worlds"), networks, strict=True)
    models = {kind: model | {"channels": channels, "hidden": hidden} for kind, (channels, hidden) in kinds}
    warm = {"fine": 1000, "alone": 5000}
    budgets = {
        kind: ItemBudget(n, rates[kind == "fine"], device, warm.get(kind, ItemBudget.warmup_items))
        for kind, n in items.items()
    }
    return Plan(labels, spaces, models, budgets, *batches, seeds)


def names_of(worlds: Sequence[str], kinds: Sequence[str] = ("real", "random")) -> list[str]:
    """Names of the sets of ``kinds`` of crystals in ``worlds``."""
    return [f"{kind}_{world}" for world in worlds for kind in kinds]


def measured_arms(
    plan: Plan, sets: Mapping[str, PatternSet], singles: Sequence[str], own: MeasuredData, left_in: np.ndarray
) -> list[Arm]:
    """The arms.

    ``both_worlds`` sees real and random crystals in both of :data:`SPANNED`, all in equal parts; ``known_left_out`` no
    real crystal that the measured patterns may show, but those of ``left_in`` (n,) bool; ``fine_tuned`` and
    ``fine_tuned_left_out`` go on from these with the other folds of the measured patterns, ``fine_tuned_longer`` four
    times as long; ``measured_alone`` is without simulated ones. With the first seed alone: ``in_<world>``, one world
    instead of both; ``only_real`` and ``only_random``, one kind of crystals in both; and shorter ones, one for each of
    the sets ``singles``, and ``published``, the published network, on ``real``.
    """
    brief, once = ("measured", "named", "simulated"), tuple(plan.seeds[:1])
    spanned = names_of(SPANNED)

    def unknown(of: PatternSet) -> np.ndarray:
        return np.flatnonzero(left_in[cast(DrawnSet, of).rows(np.arange(of.n))])

    def mixed(size: int, rows: Rows = None) -> MixedData:
        return plan.mixed(sets, spanned, size, rows)

    arms = [
        plan.arm("both_worlds", mixed(plan.batch_size), "simulated", ()),
        plan.arm("known_left_out", mixed(plan.batch_size, unknown), "simulated", brief),
    ]
    for suffix, start, rows in (("", "both_worlds", None), ("_left_out", "known_left_out", unknown)):
        both = MixedData((own, *mixed(plan.batch_measured, rows).parts))
        views = ("measured",) if suffix else tuple(SHIFTS)
        arms.append(plan.arm(f"fine_tuned{suffix}", both, "fine", ("named", *views), start=start))
        if not suffix:
            often = replace(plan.budgets["fine"], items=4 * plan.budgets["fine"].items)
            longer = replace(arms[-1], key="fine_tuned_longer", config=often, tests=("named", "measured"), seeds=once)
            arms.append(longer)
    arms.append(plan.arm("measured_alone", own, "alone", ("measured", "named")))
    others = {f"in_{world}": (names_of([world]), "simulated", "main") for world in WORLDS}
    others |= {f"only_{kind}": (names_of(SPANNED, [kind]), "simulated", "main") for kind in ("real", "random")}
    others["three_worlds"] = names_of(WORLDS), "longer", "main"
    others |= {"longer": (spanned, "longer", "main"), "larger": (spanned, "larger", "larger")}
    for key, (names, budget, model) in others.items():
        data = plan.mixed(sets, names, plan.batch_size)
        arms.append(plan.arm(key, data, budget, brief, model=plan.models[model], seeds=once))
    compared = [(key, key, plan.models["worlds"]) for key in singles] + [("published", "real", PUBLISHED_MODEL)]
    for key, name, model in compared:
        data = SetData(sets[name], plan.labels, plan.batch_size)
        arms.append(plan.arm(key, data, "worlds", brief, model=model, seeds=once))
    return arms


def released_arms(plan: Plan, sets: Mapping[str, PatternSet], everything: MeasuredData, start: Arm) -> list[Arm]:
    """``start``, which is asked nothing here, and ``fine_tuned_all``, which goes on from it with ``everything`` that
    was measured and the sets of one pattern a crystal."""
    size = plan.batch_measured // 3
    parts = tuple(SetData(sets[name], plan.labels, size) for name in ("real", "laboratory", "random"))
    of_start = replace(start, tests=("none",))
    tuned = plan.arm("fine_tuned_all", MixedData((everything, *parts)), "fine", ("calibration",), start=start.key)
    return [of_start, tuned]


def measured_tests(patterns: Specimens, fold: np.ndarray, unnamed: np.ndarray) -> list[MeasuredTest]:
    """Tests about one fold (n,) of the measured patterns after the other: ``named``, those with names, which were never
    looked at, and for the others, ``unnamed`` (n,) bool, one for each of :data:`SHIFTS`."""
    of_unnamed = np.where(unnamed, fold, -1)
    tests = [MeasuredTest("named", patterns, np.where(unnamed, -1, fold))]
    return tests + [MeasuredTest(key, patterns, of_unnamed, shift) for key, shift in SHIFTS.items()]

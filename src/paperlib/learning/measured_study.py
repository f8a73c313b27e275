"""What a study of measured patterns compares: networks trained on simulated patterns, on measured ones, and on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paperlib.datasets.labels import Labels
from paperlib.datasets.pattern_sets import PatternSet
from paperlib.datasets.specimens import Specimens
from paperlib.learning.arms import Arm, ItemBudget
from paperlib.learning.measured_arms import MeasuredData, MeasuredTest, MixedData, SetData

SHIFTS = {"m2": -2, "m1": -1, "measured": 0, "p1": 1, "p2": 2}
"""Tests about the measured patterns, moved by so many points of the grid (0.04°): the views that are averaged."""

OFTEN = ("minerals", "left_out")
"""Sets that show their crystals several times; the others show theirs once."""

PUBLISHED_MODEL = {"name": "resnet"}

LIMITS = (
    "one phase, of more than 80 % of the volume",
    "inorganic crystals: none of the training set is organic",
    "a laboratory diffractometer: lines wider than those of crystallites of 60 nm were not in training",
)
"""What a network of such a study is not for."""


@dataclass(frozen=True)
class Plan:
    """How a study trains: one network (:func:`paperlib.learning.models.build_model`), batches and budgets."""

    labels: Labels
    spaces: tuple[str, ...]
    """Schemes of labels that all arms are scored in."""
    model: Mapping[str, Any]
    batch_size: int
    batch_measured: int
    """Measured patterns in a batch; a fine-tuned network sees as many simulated ones beside them."""
    simulated: ItemBudget
    worlds: ItemBudget
    """Of the trainings that are compared among themselves; the first seed alone."""
    fine: ItemBudget
    alone: ItemBudget
    """Of trainings on measured patterns alone."""
    seeds: Sequence[int]

    def halves(self, sets: Mapping[str, PatternSet], real: str, size: int) -> MixedData:
        """Real crystals, of the set ``real``, and random ones, half of each in batches of ``size``."""
        return MixedData(tuple(SetData(sets[key], self.labels, size // 2) for key in (real, "random")))

    def arm(self, key: str, data: Any, budget: ItemBudget, tests: Sequence[str], **options: Any) -> Arm:
        """An arm with what all have in common; ``options`` are other fields of :class:`Arm`."""
        model = options.pop("model", self.model)
        return Arm(key, self.labels, data, budget, self.spaces, model, tests=tuple(tests), **options)


def measured_arms(plan: Plan, sets: Mapping[str, PatternSet], own: MeasuredData) -> list[Arm]:
    """The arms: ``minerals`` (real and random crystals in equal parts) and ``known_left_out`` (without real crystals
    that the measured patterns may show); ``fine_tuned`` and ``fine_tuned_left_out``, which go on from these with the
    other folds of the measured patterns; ``measured_alone``; and, to be compared among themselves, one for each of
    ``sets`` but :data:`OFTEN`, and ``published``, the published network, on ``real``."""
    brief, once = ("measured", "named", "simulated"), tuple(plan.seeds[:1])
    arms = [
        plan.arm("minerals", plan.halves(sets, "minerals", plan.batch_size), plan.simulated, (), release=True),
        plan.arm("known_left_out", plan.halves(sets, "left_out", plan.batch_size), plan.simulated, brief),
    ]
    for suffix, start, real in (("", "minerals", "minerals"), ("_left_out", "known_left_out", "left_out")):
        both = MixedData((own, *plan.halves(sets, real, plan.batch_measured).parts))
        arms.append(plan.arm(f"fine_tuned{suffix}", both, plan.fine, ("named", *SHIFTS), start=start))
    arms.append(plan.arm("measured_alone", own, plan.alone, ("measured", "named")))
    singles = {key: SetData(of, plan.labels, plan.batch_size) for key, of in sets.items() if key not in OFTEN}
    arms += [plan.arm(key, data, plan.worlds, brief, seeds=once) for key, data in singles.items()]
    other = {"model": PUBLISHED_MODEL, "seeds": once}
    return [*arms, plan.arm("published", singles["real"], plan.worlds, brief, **other)]


def measured_tests(patterns: Specimens, fold: np.ndarray, unnamed: np.ndarray) -> list[MeasuredTest]:
    """Tests about one fold (n,) of the measured patterns after the other: ``named``, those with names, which were never
    looked at, and for the others, ``unnamed`` (n,) bool, one for each of :data:`SHIFTS`."""
    of_unnamed = np.where(unnamed, fold, -1)
    tests = [MeasuredTest("named", patterns, np.where(unnamed, -1, fold))]
    return tests + [MeasuredTest(key, patterns, of_unnamed, shift) for key, shift in SHIFTS.items()]

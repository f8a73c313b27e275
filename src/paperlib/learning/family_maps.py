"""Maps in reciprocal space: the mean effect of each family of reflections over the crystals of a class or space group.

A map is a table of families, in the setting of the class, with the means of six effects
(:mod:`paperlib.learning.family_effects`), each beside the same of a network with random weights. Means hold whatever
crystals there are, and say how many; who draws them leaves out those of fewer than :data:`FEWEST`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from torch import nn

from paperlib.learning.attribution import Attributions
from paperlib.learning.family_effects import experiment, mean_gradients
from paperlib.learning.family_trials import allowed_trials, forbidden_trials
from paperlib.learning.map_judgement import baselines
from paperlib.learning.trial_worlds import TrialWorld
from paperlib.symmetry.reflection_families import axes_of_class

ALLOWED = ("deletion", "ig_zero", "ig_background")
"""What is known of families that a class allows."""

FORBIDDEN = ("insertion", "moved", "ig_filled")
"""What is known of families that it forbids; "moved" is the line off the lattice."""

EFFECTS = (*ALLOWED, *FORBIDDEN)

RANDOM = "_random"
"""What the names of a network with random weights, and of its effects, end in."""

FEWEST = 4
"""Crystals without which a mean is not shown."""

RANDOM_STEPS = 32
"""Largest number of steps for networks with random weights: their score hardly differs between the ends of the way, so
that a share of the difference is a tolerance which more steps do not reach either."""


def family_effects(
    models: Mapping[str, nn.Module],
    targets: Mapping[str, np.ndarray],
    world: TrialWorld,
    mapped: np.ndarray,
    *,
    most: int,
    tolerance: float,
    max_steps: int,
) -> tuple[pd.DataFrame, dict[str, Attributions]]:
    """One row per crystal of ``world`` and family: the columns of
    :class:`paperlib.learning.family_trials.FamilyTrials` but for the trial, ``allowed``, and ``<model>_<effect>`` for
    each of ``models`` and :data:`EFFECTS`; NaN where there is none. ``targets`` (n,) are by the name of the model,
    ``most`` families of either kind are taken of a crystal. Integrated gradients are those of the crystals ``mapped``
    (k,) alone; their maps, of which completeness can be told, come along by ``<model>_<effect>``."""
    of_mapped, n = world.part(mapped), len(world.crystals)
    starts, gradients, maps = baselines(of_mapped), {}, {}
    for name, model in models.items():
        steps = min(max_steps, RANDOM_STEPS) if name.endswith(RANDOM) else max_steps
        found, own = mean_gradients(
            model, of_mapped, targets[name][mapped], starts, tolerance=tolerance, max_steps=steps
        )
        for baseline, values in found.items():
            gradients[f"{name}_ig_{baseline}"] = np.full((n, values.shape[1]), np.nan)
            gradients[f"{name}_ig_{baseline}"][mapped] = values
        maps |= {f"{name}_ig_{baseline}": one for baseline, one in own.items()}
    allowed = allowed_trials(world.crystals, world.instrument, most)
    there, moved = forbidden_trials(world.crystals, world.instrument, most, world.seed)
    parts = []
    for made, effect, others in ((allowed, "deletion", ALLOWED[1:]), (there, "insertion", FORBIDDEN[2:])):
        some = {f"{name}_{other}": gradients[f"{name}_{other}"] for name in models for other in others}
        found = experiment(models, targets, world, made, some)
        found = {f"{name}_{effect}" if name in models else name: values for name, values in found.items()}
        if made is there:
            beside = experiment(models, targets, world, moved)
            found |= {f"{name}_moved": values for name, values in beside.items()}
        trial = made.families["trial"].to_numpy()
        columns = {name: values[trial] for name, values in found.items()}
        parts.append(made.families.drop(columns="trial").assign(allowed=made is allowed, **columns))
    return pd.concat(parts, ignore_index=True), maps


def labelled(
    effects: pd.DataFrame, model: str, space_group: np.ndarray, label: np.ndarray, scheme: str
) -> pd.DataFrame:
    """The rows of ``effects`` that speak of ``model`` and of its network with random weights: ``label`` (n,) of each
    crystal, h, k, l in the setting of the class of ``scheme`` ("" for that of the space group (n,) itself), and effects
    by their own names, those of random weights ending in :data:`RANDOM`."""
    crystal = effects["crystal"].to_numpy()
    own = ["crystal", "height", "kind", "deciding", "allowed"]
    columns = {name: effects[f"{model}_{name}"] for name in EFFECTS}
    columns |= {f"{name}{RANDOM}": effects[f"{model}{RANDOM}_{name}"] for name in EFFECTS}
    hkl = effects[["h", "k", "l"]].to_numpy()
    if scheme:
        axes = np.array([axes_of_class(int(number), scheme) for number in space_group]).reshape(-1, 3)
        hkl = np.take_along_axis(hkl, axes[crystal], axis=1)
    indices = dict(zip("hkl", hkl.T, strict=True))
    return effects[own].assign(label=label[crystal], **indices, **columns)


def mean_map(table: pd.DataFrame) -> pd.DataFrame:
    """One row per label and family of a :func:`labelled` table: ``allowed``, the mean ``height``, the mean of every
    effect, the standard ``error`` of that of the experiment (deletion or insertion; NaN for a single crystal), and the
    numbers of crystals behind it, ``n``, and behind integrated gradients, ``n_ig``."""
    effects = [*EFFECTS, *(f"{name}{RANDOM}" for name in EFFECTS)]
    whole = table.assign(
        experiment=table["deletion"].fillna(table["insertion"]), ig=table["ig_zero"].fillna(table["ig_filled"])
    )
    groups = whole.groupby(["label", "h", "k", "l"], sort=True)
    means = groups[["height", *effects]].mean()
    more = groups.agg(
        allowed=("allowed", "first"),
        error=("experiment", "sem"),
        n=("experiment", "count"),
        n_ig=("ig", "count"),
    )
    return means.join(more).reset_index()


def completeness(maps: Mapping[str, Attributions]) -> pd.DataFrame:
    """One row per model and baseline: ``map``, the number ``n`` of crystals, the mean number of ``steps``, the share
    ``within`` the tolerance, and the ``median`` and the ``worst`` error of the sum in log-odds."""
    rows = [
        {"map": name, "n": len(made.delta), "steps": made.steps.mean(), "within": made.converged.mean(),
         "median": np.median(made.delta), "worst": made.delta.max()}
        for name, made in maps.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def stored(means: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns of a :func:`mean_map` as small arrays: ``label`` (m,), ``hkl`` (m, 3), and the rest (m,), effects in
    half precision (three digits are more than a colour shows)."""
    hkl = means[["h", "k", "l"]].to_numpy(dtype=np.int8)
    arrays = {"label": means["label"].to_numpy(dtype=np.int16), "hkl": hkl}
    for name in means.columns.difference(["label", "h", "k", "l"]):
        kind = {"allowed": bool, "n": np.int16, "n_ig": np.int16}.get(name, np.float16)
        arrays[name] = means[name].to_numpy().astype(kind)
    return arrays


def in_turn(label: np.ndarray, most: int) -> np.ndarray:
    """(k,) rows, rising, of at most ``most`` crystals: the first of each ``label`` (n,), then the second of each, …"""
    rank = pd.Series(label).groupby(label).cumcount().to_numpy()
    return np.sort(np.argsort(rank, kind="stable")[:most])


def label_table(names: Sequence[str], first: Sequence[int], label: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """One row per label that occurs among crystals (n,): ``label``, its ``symbol`` of ``names``, the ``space_group`` of
    ``first`` whose setting its reflections are meant in, how many ``crystals`` there are, and how many of them the
    network reads ``right`` ((n,) bool)."""
    found, count = np.unique(label, return_counts=True)
    columns = {"label": found, "symbol": [names[i] for i in found], "space_group": [first[i] for i in found]}
    return pd.DataFrame(columns | {"crystals": count, "right": [int(right[label == i].sum()) for i in found]})

"""Maps in reciprocal space: the mean effect of each family of reflections over the crystals of a class or space group.

A map is a table of families, in the setting of the class, with the means of six effects
(:mod:`paperlib.learning.family_effects`), each beside the same of a network with random weights. Means hold whatever
crystals there are, and say how many; who draws them leaves out those of fewer than :data:`FEWEST`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

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


def labelled(
    effects: pd.DataFrame, model: str, space_group: np.ndarray, label: np.ndarray, scheme: str
) -> pd.DataFrame:
    """The rows of ``effects`` that speak of ``model`` and of its network with random weights: ``label`` (n,) of each
    crystal, h, k, l in the setting of the class of ``scheme`` ("" for that of the space group (n,) itself), and effects
    by their own names, those of random weights ending in :data:`RANDOM`; with ``rank``, the number of the family of its
    kind in its crystal by rising angle, which is their order, from 0."""
    crystal = effects["crystal"].to_numpy()
    rank = effects.groupby(["crystal", "allowed"]).cumcount()
    own = ["crystal", "height", "kind", "deciding", "allowed"]
    columns = {name: effects[f"{model}_{name}"] for name in EFFECTS}
    columns |= {f"{name}{RANDOM}": effects[f"{model}{RANDOM}_{name}"] for name in EFFECTS}
    hkl = effects[["h", "k", "l"]].to_numpy()
    if scheme:
        axes = np.array([axes_of_class(int(number), scheme) for number in space_group]).reshape(-1, 3)
        hkl = np.take_along_axis(hkl, axes[crystal], axis=1)
    indices = dict(zip("hkl", hkl.T, strict=True))
    return effects[own].assign(label=label[crystal], rank=rank, **indices, **columns)


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


def completeness(errors: pd.DataFrame) -> pd.DataFrame:
    """One row per ``map``: the number ``n`` of crystals, the mean number of ``steps``, the share ``within`` the
    tolerance, and the ``median`` and the ``worst`` error of the sum in log-odds, from one row per map and crystal
    with its ``steps``, whether it ``converged``, and its error ``delta``."""
    groups = errors.groupby("map", sort=False)
    more = {"median": ("delta", "median"), "worst": ("delta", "max")}
    return groups.agg(n=("delta", "count"), steps=("steps", "mean"), within=("converged", "mean"), **more).reset_index()


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

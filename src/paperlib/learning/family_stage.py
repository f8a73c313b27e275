"""The effects of families of reflections on networks, crystal by crystal, computed once and kept.

Half an hour on two cores for a thousand crystals: a stage (:mod:`paperlib.lab.stages`), kept in blocks of crystals, so
that a run that is stopped goes on from the block it was at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.prepared import item_digests
from paperlib.diffraction.instrument import Instrument
from paperlib.lab.progress import progress
from paperlib.lab.stages import Items, Stage, made
from paperlib.lab.store import sha256_of_text, write_arrays
from paperlib.learning.family_effects import experiment, mean_gradients
from paperlib.learning.family_maps import ALLOWED, EFFECTS, FORBIDDEN, RANDOM
from paperlib.learning.family_trials import allowed_trials, forbidden_trials
from paperlib.learning.map_judgement import baselines
from paperlib.learning.trial_worlds import TrialWorld
from paperlib.learning.weights import tensors_digest

FAMILY_EFFECTS = Stage("family effects", 1, "paperlib.learning.family_stage", cheap=False)
"""What families say to networks."""

RANDOM_STEPS = 32
"""Largest number of steps for networks with random weights: their score hardly differs between the ends of the way, so
that a share of the difference is a tolerance which more steps do not reach either."""

_FILES = ("effects", "errors")
_ERRORS = ("delta", "score_difference", "steps", "converged")
_BLOCK = 32
"""Crystals that are worked off together, and kept together."""


def kept_effects(
    models: Mapping[str, nn.Module],
    targets: Mapping[str, np.ndarray],
    crystals: CrystalSet,
    instrument: Instrument,
    mapped: np.ndarray,
    *,
    most: int,
    tolerance: float,
    max_steps: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What :func:`family_effects` says of clean patterns of ``crystals`` (n), ``crystal`` being their row, kept or
    computed; ``targets`` (n,) by the name of the model, ``mapped`` (k,) rows."""
    weights = {f"weights of {name}": _digest(model) for name, model in models.items()}
    numbers: dict[str, Any] = {"most": most, "tolerance": tolerance, "max_steps": max_steps}
    parts: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for begin in progress(range(0, len(crystals), _BLOCK), desc="families of reflections", unit="blocks"):
        rows = np.arange(begin, min(begin + _BLOCK, len(crystals)))
        some, chosen = crystals[rows], np.flatnonzero(np.isin(rows, mapped))
        wanted = {name: targets[name][rows] for name in models}
        digests = item_digests(some)

        def make(
            folder: Path,
            some: CrystalSet = some,
            chosen: np.ndarray = chosen,
            wanted: dict[str, np.ndarray] = wanted,
            digests: np.ndarray = digests,
        ) -> Items:
            world = TrialWorld(some, instrument)
            for name, table in zip(_FILES, family_effects(models, wanted, world, chosen, **numbers), strict=True):
                write_arrays(folder / f"{name}.npz", {key: _plain(table[key]) for key in table.columns})
            return Items(some.source_id, digests)

        arguments = {"instrument": asdict(instrument), "mapped": chosen.tolist(), **numbers}
        arguments["targets"] = {name: values.tolist() for name, values in wanted.items()}
        inputs = {"crystals": sha256_of_text(*map(str, digests)), **weights}
        folder = made(FAMILY_EFFECTS, arguments, inputs, make).folder
        read = [_read(folder / f"{name}.npz") for name in _FILES]
        parts.append(tuple(table.assign(crystal=rows[table["crystal"]]) for table in read))
    effects, errors = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    return effects, errors


def family_effects(
    models: Mapping[str, nn.Module],
    targets: Mapping[str, np.ndarray],
    world: TrialWorld,
    mapped: np.ndarray,
    *,
    most: int,
    tolerance: float,
    max_steps: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Effects, one row per crystal of ``world`` and family: the columns of
    :class:`paperlib.learning.family_trials.FamilyTrials` but for the trial, ``allowed``, and ``<model>_<effect>`` for
    each of ``models`` and :data:`paperlib.learning.family_maps.EFFECTS`; NaN where there is none. ``targets`` (n,) are
    by the name of the model, ``most`` families of either kind are taken of a crystal. Integrated gradients are those of
    the crystals ``mapped`` (k,) alone; the error of their sums comes along, one row per ``map``
    (``<model>_<effect>``) and ``crystal``: ``delta``, ``score_difference``, ``steps`` and whether it ``converged``."""
    gradients: dict[str, np.ndarray] = {}
    errors = [pd.DataFrame({name: [] for name in ("map", "crystal", *_ERRORS)})]
    of_mapped = world.part(mapped)
    for name, model in models.items():
        steps = min(max_steps, RANDOM_STEPS) if name.endswith(RANDOM) else max_steps
        found, maps = mean_gradients(
            model, of_mapped, targets[name][mapped], baselines(of_mapped), tolerance=tolerance, max_steps=steps
        )
        for baseline, values in found.items():
            key = f"{name}_ig_{baseline}"
            gradients[key] = np.full((len(world.crystals), values.shape[1]), np.nan)
            gradients[key][mapped] = values
            columns = {column: getattr(maps[baseline], column) for column in _ERRORS}
            errors.append(pd.DataFrame({"map": key, "crystal": mapped} | columns))
    allowed = allowed_trials(world.crystals, world.instrument, most)
    there, moved = forbidden_trials(world.crystals, world.instrument, most, world.seed)
    parts = []
    for tried, effect, others in ((allowed, "deletion", ALLOWED[1:]), (there, "insertion", FORBIDDEN[2:])):
        some = {f"{name}_{other}": gradients[f"{name}_{other}"] for name in models for other in others}
        found = experiment(models, targets, world, tried, some)
        found = {f"{name}_{effect}" if name in models else name: values for name, values in found.items()}
        if tried is there:
            beside = experiment(models, targets, world, moved)
            found |= {f"{name}_moved": values for name, values in beside.items()}
        trial = tried.families["trial"].to_numpy()
        columns = {name: values[trial] for name, values in found.items()}
        parts.append(tried.families.drop(columns="trial").assign(allowed=tried is allowed, **columns))
    effects = pd.concat(parts, ignore_index=True)
    every = [f"{name}_{effect}" for name in models for effect in EFFECTS]
    effects = effects.reindex(columns=[*effects.columns.difference(every, sort=False), *every])
    return effects, pd.concat(errors[len(errors) > 1 :], ignore_index=True)


def _plain(column: pd.Series) -> np.ndarray:
    """A column as an array that needs no pickle."""
    return column.to_numpy(dtype=np.str_) if column.dtype.kind not in "biuf" else column.to_numpy()


def _read(path: Path) -> pd.DataFrame:
    with np.load(path, allow_pickle=False) as archive:
        return pd.DataFrame({name: archive[name] for name in archive.files})


def _digest(model: nn.Module) -> str:
    return tensors_digest({name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()})

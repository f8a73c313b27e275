"""The judgement of attribution maps: a trained network beside networks with random weights, all in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from torch import nn

from paperlib.diffraction.lattice_lines import lattice_lines, widths
from paperlib.lab.results import Value
from paperlib.learning.attribution import Attributions
from paperlib.learning.map_judgement import (
    FEWEST,
    MAPS,
    REGIONS,
    agreement,
    deletion_effects,
    insertion_effects,
    judgement,
    maps_of,
    region_shares,
    regions,
    survival,
)
from paperlib.learning.trial_worlds import TrialWorld

EXPERIMENTS = ("deletion", "insertion")


@dataclass(frozen=True, eq=False)
class Judged:
    """What came out of it."""

    table: pd.DataFrame
    """One row per question and map, see :func:`judged_maps`."""
    maps: Mapping[str, Attributions]
    """Those of the trained network, by name."""

    def sums(self) -> dict[str, Attributions]:
        """The maps that have a sum rule, by name."""
        return {name: self.maps[name] for name, (method, _) in MAPS.items() if method == "integrated_gradients"}

    def values(self) -> dict[str, Value]:
        """Every row of the table by ``<question>_<map>``; shares and their differences as such."""
        kinds = dict.fromkeys(REGIONS, "share") | {f"{name}_difference": "points" for name in REGIONS}
        rows = self.table.itertuples()
        return {
            f"{r.question}_{r.map}": Value(r.value, r.low, r.high, r.n, kinds.get(r.question, "number")) for r in rows
        }


def judged_maps(
    trained: nn.Module,
    random: Sequence[nn.Module],
    world: TrialWorld,
    targets: np.ndarray,
    *,
    stage: str,
    tolerance: float,
    max_steps: int,
) -> Judged:
    """The maps :data:`paperlib.learning.map_judgement.MAPS` of the patterns of ``world`` for the classes ``targets``
    (n,), asked of a ``trained`` network and held against those of networks with ``random`` weights:

    - ``allowed``, ``forbidden``, ``off``: the shares of the trained network's maps, of patterns that have points of all
      three regions (those of all points are the map "points"); with ``_difference``, less the mean share of the others;
    - ``deletion``, ``insertion``: rank correlation with what lines do to the trained network; with ``_difference``,
      less that of the others' maps with the same;
    - ``survival``: rank correlation with the others' maps.
    """
    maps, *others = (
        maps_of(model, world, targets, stage=stage, tolerance=tolerance, max_steps=max_steps)
        for model in (trained, *random)
    )
    lattice, grid = lattice_lines(world.crystals, world.instrument), world.instrument.grid()
    where = regions(lattice, len(targets), grid, widths(world.instrument, lattice.two_theta))
    part = (where.sum(2) >= FEWEST).all(0)
    own, theirs = region_shares(maps, where), [region_shares(other, where) for other in others]
    columns: dict[str, dict[str, np.ndarray]] = {}
    for i, region in enumerate(REGIONS):
        columns[region] = {"points": where[i, part].mean(1)} | {name: share[i, part] for name, share in own.items()}
        columns[f"{region}_difference"] = {
            name: share[i, part] - np.mean([other[name][i, part] for other in theirs], axis=0)
            for name, share in own.items()
        }
    effects = (deletion_effects(trained, world, targets), insertion_effects(trained, world, targets))
    for question, effect in zip(EXPERIMENTS, effects, strict=True):
        columns[question] = {name: agreement(made, effect, world) for name, made in maps.items()}
        columns[f"{question}_difference"] = {
            name: columns[question][name] - np.mean([agreement(other[name], effect, world) for other in others], axis=0)
            for name in maps
        }
    columns["survival"] = {
        name: np.mean([survival(made, other[name]) for other in others], axis=0) for name, made in maps.items()
    }
    return Judged(judgement(columns), maps)

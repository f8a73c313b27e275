"""Experiments reflection by reflection: which lines of a crystal are taken away, and which are put in.

The unit is a family of reflections (:mod:`paperlib.symmetry.reflection_families`): all that the lattice makes coincide.
Of each crystal the lowest families with indices up to :data:`HIGHEST` take part.

- An *allowed* family that is seen is taken away with its own intensity. Where another one falls on the same place by
  chance of the cell (333 on 511) it stays: nothing has to be shared.
- A *forbidden* place of the lattice gets one line of a given height, and, as a control, the same line 0.5 to 2.5°
  beside, off the lattice. Where several forbidden families share a place (221 and 300) this is one experiment, and
  each of them gets its result. Forbidden places within a width of an allowed line are left out: nothing would be seen
  there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import lattice_lines
from paperlib.diffraction.reflections import powder_reflections
from paperlib.learning.insertions import N_CLASSES, SEEN, Trials, forbidden_lines
from paperlib.symmetry.absence_order import kinds_of_absence, stricter_classes
from paperlib.symmetry.reflection_families import representatives

HIGHEST = 4
"""The largest index of the families that take part."""


@dataclass(frozen=True, eq=False)
class FamilyTrials:
    """Trials with single lines of n crystals, and the families that each of them speaks of."""

    trials: Trials
    """(t) trials; ``trials.table`` has the column ``crystal``."""
    families: pd.DataFrame
    """(m) rows: ``trial``, ``crystal``; ``h``, ``k``, ``l`` of the family in the setting of the crystal's space group;
    ``height``, its intensity in units of the crystal's strongest line (0 for forbidden ones); ``kind``, what forbids it
    ("" for allowed ones); ``deciding``, whether a stricter class forbids an allowed one."""


def allowed_trials(crystals: CrystalSet, instrument: Instrument, most: int) -> FamilyTrials:
    """The families that are seen, the ``most`` lowest of each crystal, each to be taken away."""
    lines, made = powder_reflections(crystals, instrument), _Collected()
    start, intensity = lines.start.numpy(), lines.intensity.numpy()
    for i in range(len(crystals)):
        rows = np.arange(start[i], start[i + 1])
        number = int(crystals.space_group[i])
        hkl = lines.hkl.numpy()[rows].astype(np.int64)
        called = representatives(number, hkl)
        rows, hkl, called = (a[np.abs(called).max(1) <= HIGHEST] for a in (rows, hkl, called))
        if not len(rows):
            continue
        strongest = intensity[start[i] : start[i + 1]].max()
        names, of = np.unique(called, axis=0, return_inverse=True)
        height = np.bincount(of.ravel(), intensity[rows]) / strongest
        deciding = np.zeros(len(names), dtype=bool)
        for other in stricter_classes(number):
            deciding |= other.absent(names)
        two_theta = lines.two_theta.numpy()[rows]
        first = np.array([two_theta[of.ravel() == j].min() for j in range(len(names))])
        for j in [j for j in np.argsort(first, kind="stable") if height[j] > SEEN][:most]:
            own = of.ravel() == j
            made.add(i, hkl[own], two_theta[own], intensity[rows[own]], names[[j]], height[j], [""], deciding[j])
    return made.trials()


def forbidden_trials(
    crystals: CrystalSet, instrument: Instrument, most: int, seed: int = 0
) -> tuple[FamilyTrials, FamilyTrials]:
    """The places of the lattice that are forbidden, the ``most`` lowest of each crystal: each to get a line there, and
    the same off the lattice as a control. Raises ValueError for crystals that are not in the standard setting."""
    lattice, there, moved = lattice_lines(crystals, instrument), _Collected(), _Collected()
    for i in range(len(crystals)):
        rows, number, taken = lattice.of(i), int(crystals.space_group[i]), 0
        line, hkl = lattice.line[rows], lattice.hkl[rows]
        for one, angle, beside in zip(*forbidden_lines(lattice, i, instrument, seed), strict=True):
            here = hkl[line == line[np.argmax((hkl == one).all(1))]]
            names = np.unique(representatives(number, here), axis=0)
            names = names[np.abs(names).max(1) <= HIGHEST]
            if not len(names) or taken == most:
                continue
            taken += 1
            kinds = kinds_of_absence(number, names).tolist()
            for made, place in ((there, angle), (moved, beside)):
                made.add(i, one[None], np.array([place]), np.array([np.nan]), names, 0.0, kinds, False)
    return there.trials(), moved.trials()


class _Collected:
    """Trials as they come."""

    def __init__(self) -> None:
        self.crystal: list[int] = []
        self.lines: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.families: list[dict[str, object]] = []

    def add(
        self,
        crystal: int,
        hkl: np.ndarray,
        two_theta: np.ndarray,
        intensity: np.ndarray,
        names: np.ndarray,
        height: float,
        kinds: list[str],
        deciding: bool,
    ) -> None:
        for (h, k, l), kind in zip(names.tolist(), kinds, strict=True):  # noqa: E741
            row = {"trial": len(self.crystal), "crystal": crystal, "h": h, "k": k, "l": l}
            self.families.append(row | {"height": float(height), "kind": kind, "deciding": bool(deciding)})
        self.crystal.append(crystal)
        self.lines.append((hkl, two_theta, intensity))

    def trials(self) -> FamilyTrials:
        lengths = [len(two_theta) for _, two_theta, _ in self.lines]
        hkl, two_theta, intensity = zip(*self.lines, strict=True) if self.lines else ((), (), ())
        trials = Trials(
            table=pd.DataFrame({"crystal": np.array(self.crystal, dtype=np.int64)}),
            trial=np.repeat(np.arange(len(lengths)), lengths),
            hkl=np.concatenate([np.zeros((0, 3), dtype=np.int64), *hkl]),
            two_theta=np.concatenate([np.zeros(0), *two_theta]),
            intensity=np.concatenate([np.zeros(0), *intensity]),
            fits=np.zeros((len(lengths), N_CLASSES), dtype=bool),
        )
        types = dict.fromkeys(("trial", "crystal", "h", "k", "l"), np.int64) | {"height": float, "kind": str}
        types |= {"deciding": bool}
        return FamilyTrials(trials, pd.DataFrame(self.families, columns=list(types)).astype(types))

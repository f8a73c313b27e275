"""Experiments instead of pictures: reflections put into patterns where a class forbids them, and taken away.

*Insertion.* Into the pattern of a crystal of class A go lines that A forbids and a looser class B allows
(:mod:`paperlib.symmetry.absence_order`), at the angles that Bragg's law gives for the crystal's own cell. A network
that reads absences must withdraw A. The control puts the same lines, as high, 0.5 to 2.5° beside, where the lattice of
the crystal has no line at all: whoever looks at positions is not led to B by them.

*Deletion.* From the pattern of a crystal of class A all lines are taken that a stricter class C forbids. The control
takes as many others away, as high as can be found, which leaves A the only answer.

Only lines that can be seen take part: a forbidden line that falls on an allowed one is no evidence, and a line
without a place for its control is left out of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import LatticeLines, distance_to, lattice_lines, moved_off, widths
from paperlib.diffraction.reflections import powder_reflections
from paperlib.symmetry.absence_order import Related, looser_classes, looser_variants, stricter_classes
from paperlib.symmetry.extinction import class_of_space_group, extinction_classes
from paperlib.symmetry.groups import is_absent

COUNTS = (1, 4, 0)
"""How many lines are put in, the lowest first; 0 stands for all."""

PLACES = ("lattice", "moved")
"""Where they go: to the angles of the lattice, or beside them as a control."""

TAKEN = ("deciding", "others")
"""Which lines are taken away: those that the stricter class forbids, or as many others as a control."""

SEEN = 1e-6
"""Share of the strongest line below which a line of a clean pattern does not count."""

N_CLASSES = len(extinction_classes("absences"))


@dataclass(frozen=True, eq=False)
class Trials:
    """t patterns to be made from those of n crystals, each with lines put in or taken away."""

    table: pd.DataFrame
    """(t) rows: ``crystal`` (row of the crystals), ``own`` and ``other`` (classes of the scheme "absences"), ``kind``
    of what the two differ by, ``count`` and ``place`` (one of :data:`PLACES` or :data:`TAKEN`)."""
    trial: np.ndarray
    """(m,) int64, rising: the trial that each line belongs to."""
    hkl: np.ndarray
    """(m, 3) int64."""
    two_theta: np.ndarray
    """(m,) float64, degrees: where it is put in, or stands."""
    intensity: np.ndarray
    """(m,) float64 of lines that are taken away; NaN for lines that are put in, whose height the experiment sets."""
    fits: np.ndarray
    """(t, 97) bool: classes that the changed lattice lines fit: the looser ones that allow all that was put in, or the
    stricter one."""

    def __len__(self) -> int:
        return len(self.table)


class _Collected:
    """Trials as they come."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.lines: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.fits: list[np.ndarray] = []

    def add(
        self, row: dict[str, object], hkl: np.ndarray, two_theta: np.ndarray, intensity: np.ndarray, fits: np.ndarray
    ) -> None:
        self.rows.append(row)
        self.lines.append((hkl, two_theta, intensity))
        self.fits.append(fits)

    def trials(self) -> Trials:
        columns = ["crystal", "own", "other", "kind", "count", "place"]
        lengths = [len(two_theta) for _, two_theta, _ in self.lines]
        hkl, two_theta, intensity = zip(*self.lines, strict=True) if self.lines else ((), (), ())
        return Trials(
            table=pd.DataFrame(self.rows, columns=columns),
            trial=np.repeat(np.arange(len(lengths)), lengths),
            hkl=np.concatenate([np.zeros((0, 3), dtype=np.int64), *hkl]),
            two_theta=np.concatenate([np.zeros(0), *two_theta]),
            intensity=np.concatenate([np.zeros(0), *intensity]),
            fits=np.array(self.fits, dtype=bool).reshape(-1, N_CLASSES),
        )


def insertion_trials(
    crystals: CrystalSet, instrument: Instrument, counts: Sequence[int] = COUNTS, seed: int = 0
) -> Trials:
    """For each crystal and each looser class the lowest lines to put in, as many as ``counts`` says (0: all), at their
    angles and moved off the lattice. Pairs with fewer lines than a count have no trial of it. Raises ValueError for
    crystals that are not in the standard setting."""
    lattice, made = lattice_lines(crystals, instrument), _Collected()
    own = class_of_space_group("absences")
    for i in range(len(crystals)):
        number = int(crystals.space_group[i])
        if not (looser := looser_classes(number)):
            continue
        hkl, two_theta, moved = forbidden_lines(lattice, i, instrument, seed)
        variants = looser_variants(number)
        absent = np.array([is_absent(member, hkl[:, axes]) for _, member, axes in variants]).reshape(-1, len(hkl))
        for other in looser:
            allows = ~absent[variants.index((other.index, other.member, other.axes))]
            chosen = np.flatnonzero(allows)
            for count in counts:
                some = chosen[:count] if count else chosen
                if not len(some) or len(some) < count:
                    continue
                fits = np.zeros(N_CLASSES, dtype=bool)
                fits[[v[0] for v, row in zip(variants, absent, strict=True) if not row[some].any()]] = True
                for place, angles in zip(PLACES, (two_theta, moved), strict=True):
                    row = _row(i, own[number], other, count, place)
                    made.add(row, hkl[some], angles[some], np.full(len(some), np.nan), fits)
    return made.trials()


def forbidden_lines(
    lattice: LatticeLines, crystal: int, instrument: Instrument, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lines that the space group of a crystal forbids, a width or more from all allowed ones, by rising angle: one
    of their reflections (m, 3), their 2θ (m,) and a place off the lattice for each (m,), degrees."""
    rows = lattice.of(crystal)
    allowed, line, two_theta = lattice.allowed[rows], lattice.line[rows], lattice.two_theta[rows]
    shown = np.zeros(line.max(initial=-1) + 1, dtype=bool)
    np.logical_or.at(shown, line, allowed)
    apart = distance_to(two_theta, two_theta[allowed]) > widths(instrument, two_theta)
    _, first = np.unique(line, return_index=True)
    first = first[~shown[line[first]] & apart[first]]
    moved = moved_off(two_theta[first], two_theta, instrument, seed, crystal)
    first, moved = first[np.isfinite(moved)], moved[np.isfinite(moved)]
    return lattice.hkl[rows][first], two_theta[first], moved


def deletion_trials(crystals: CrystalSet, instrument: Instrument) -> Trials:
    """For each crystal and each stricter class the lines that this class forbids, and as control as many of the others.
    Pairs in which nothing is to be seen of the former, or too few of the latter are there, are left out."""
    lines, made = powder_reflections(crystals, instrument), _Collected()
    own = class_of_space_group("absences")
    start = lines.start.numpy()
    for i in range(len(crystals)):
        rows = slice(int(start[i]), int(start[i + 1]))
        hkl, two_theta = lines.hkl[rows].numpy().astype(np.int64), lines.two_theta[rows].numpy()
        intensity = lines.intensity[rows].numpy()
        width = widths(instrument, two_theta)
        seen = np.flatnonzero(intensity > SEEN * intensity.max())
        number = int(crystals.space_group[i])
        for other in stricter_classes(number):
            absent = other.absent(hkl)
            kept = two_theta[~absent]
            deciding = seen[absent[seen] & (distance_to(two_theta[seen], kept) > width[seen])]
            others = _as_high(intensity, deciding, seen[~absent[seen]])
            if not len(deciding) or len(others) < len(deciding):
                continue
            fits = np.zeros(N_CLASSES, dtype=bool)
            fits[other.index] = True
            for place, some in zip(TAKEN, (np.flatnonzero(absent), others), strict=True):
                row = _row(i, own[number], other, len(deciding), place)
                made.add(row, hkl[some], two_theta[some], intensity[some], fits)
    return made.trials()


def _as_high(intensity: np.ndarray, wanted: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """Of the lines ``choice`` as many as ``wanted``, each the nearest in height (by ratio) that is left, the strongest
    first, in rising order; fewer where there are not enough."""
    left, taken = list(choice), []
    for line in wanted[np.argsort(-intensity[wanted], kind="stable")][: len(choice)]:
        ratio = np.abs(np.log(intensity[left] / intensity[line]))
        taken.append(left.pop(int(ratio.argmin())))
    return np.sort(np.array(taken, dtype=np.int64))


def _row(crystal: int, own: int, other: Related, count: int, place: str) -> dict[str, object]:
    return {
        "crystal": crystal,
        "own": int(own),
        "other": other.index,
        "kind": other.kind,
        "count": count,
        "place": place,
    }

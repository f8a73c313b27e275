"""Sets of measured patterns with known space groups, on the grid of a network, and what in them is one specimen.

Patterns of one mineral, and near copies of a pattern under any name, are no independent evidence, and must not stand on
both sides of a split: they share a *cluster*. Two patterns are near copies where the cosine of what stands above their
baselines (:mod:`paperlib.diffraction.baseline`), roots taken, is at least :data:`ALIKE`, one of them moved by up to
:data:`MOVED`; clusters are the connected components of that relation and of equal names. Members of a solid solution
whose cells differ by more than that may stand in different clusters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.alike.joining import components
from paperlib.datasets.generated_streams import checksum_of
from paperlib.diffraction.baseline import NOT_MEASURED, above_baseline
from paperlib.diffraction.draws import draw
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.laboratory import LABORATORY
from paperlib.diffraction.measurement import detector_mask
from paperlib.diffraction.simulate import powder_patterns
from paperlib.lab import rng
from paperlib.lab.display import counted, one_line

ALIKE = 0.8
"""Cosine of two patterns from which on they are near copies."""
MOVED = 0.2
"""Degrees 2θ."""
LEAST = 0.5
"""A set of which less than this share of the instrument's points was measured is on another grid."""


@dataclass(frozen=True, eq=False)
class Specimens:
    """Measured patterns, row by row."""

    patterns: np.ndarray
    """(n, n_points) float32, maximum 1; :data:`paperlib.diffraction.baseline.NOT_MEASURED` where nothing was."""
    space_group: np.ndarray
    """(n,) int64."""
    name: np.ndarray
    """(n,) str: of the specimen; "" where the set does not say."""
    formula: np.ndarray
    """(n,) str: likewise."""
    clusters: np.ndarray
    """(n,) int64: patterns of one cluster are no independent evidence."""
    instrument: Instrument
    digest: str
    """Checksum of the files."""

    def __len__(self) -> int:
        return len(self.patterns)

    def __repr__(self) -> str:
        clusters = counted(len(np.unique(self.clusters)), "cluster")
        return one_line("Specimens", counted(len(self), "pattern"), clusters)

    def recipe(self, rows: np.ndarray) -> dict[str, Any]:
        """What the patterns of ``rows`` are, in this order, in plain values."""
        order = hashlib.sha256(np.ascontiguousarray(rows, dtype=np.int64).tobytes()).hexdigest()
        return {"kind": "measured", "files": self.digest, "rows": order, "instrument": repr(self.instrument)}

    def folds(self, n: int, seed: int = 0) -> np.ndarray:
        """(n_patterns,) int64: the fold, from 0 to ``n`` - 1, of each pattern. Clusters are dealt out whole, the
        largest first, each to the fold with the fewest patterns of its space groups, then with the fewest of all."""
        names, member = np.unique(self.clusters, return_inverse=True)
        size = np.bincount(member)
        chance = rng.uniform(seed, "folds", np.arange(len(names)))
        counts = np.zeros((n, 231), dtype=np.int64)
        fold = np.empty(len(names), dtype=np.int64)
        for cluster in np.lexsort((chance, -size)):
            groups = self.space_group[member == cluster]
            fold[cluster] = min(range(n), key=lambda f: (counts[f, groups].sum(), counts[f].sum(), f))
            np.add.at(counts[fold[cluster]], groups, 1)
        return fold[member]


def read_specimens(files: Sequence[str | Path], instrument: Instrument) -> Specimens:
    """The patterns of ``files`` (``.npz`` with ``two_theta`` (m,) degrees, ``intensity`` (n, m), NaN where nothing was
    measured, ``space_group`` (n,) and perhaps ``name`` and ``formula`` (n,)), in order, on the grid of ``instrument``.

    Points of a finer grid are averaged around each point of the instrument's. Raises ValueError, naming the file, where
    one of these arrays is missing or has another shape, where a grid is coarser than the instrument's or covers less
    than :data:`LEAST` of it, and for a pattern that is 0 or negative everywhere.
    """
    parts, digest = [], hashlib.sha256()
    for file in files:
        path = Path(file)
        digest.update(path.read_bytes())
        with np.load(path, allow_pickle=False) as archive:
            parts.append(_read(path, {key: archive[key] for key in archive.files}, instrument))
    patterns, groups, names, formulas = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    clusters = find_clusters(patterns, names, instrument)
    return Specimens(patterns, groups, names, formulas, clusters, instrument, digest.hexdigest())


def stand_in(crystals: CrystalSet, instrument: Instrument, seed: int = 0) -> Specimens:
    """A set for trying things out where there are no measured patterns: those of ``crystals`` with the imperfections
    called "laboratory", which are others than those of :mod:`paperlib.diffraction.mineral_world`. Each is a
    specimen of its own."""
    patterns = powder_patterns(crystals, instrument, seed=seed, imperfections=LABORATORY)
    reached = detector_mask(draw(LABORATORY, seed, np.arange(len(crystals))), instrument)
    made = patterns.masked_fill(~reached, NOT_MEASURED).numpy()
    names, formulas = (texts.astype(np.str_) for texts in (crystals.source_id, crystals.formula))
    alone, groups = np.arange(len(crystals)), crystals.space_group.astype(np.int64)
    return Specimens(made, groups, names, formulas, alone, instrument, checksum_of(crystals))


def _read(path: Path, arrays: Mapping[str, np.ndarray], instrument: Instrument) -> tuple[np.ndarray, ...]:
    if missing := [key for key in ("two_theta", "intensity", "space_group") if key not in arrays]:
        raise ValueError(f"{path} has no array {missing[0]!r}; it has {', '.join(arrays)}")
    two_theta, intensity = (arrays[key].astype(np.float64) for key in ("two_theta", "intensity"))
    groups = arrays["space_group"].astype(np.int64)
    shape = (len(groups), two_theta.size)
    if two_theta.ndim != 1 or intensity.shape != shape:
        raise ValueError(f"{path}: intensity is {intensity.shape}, not (space groups, angles) = {shape}")
    if not (np.diff(two_theta) > 0).all() or np.median(np.diff(two_theta)) > instrument.step:
        raise ValueError(f"{path}: two_theta must rise, in steps of at most {instrument.step:.3g}°")
    texts = (arrays.get(key, np.full(len(groups), "")).astype(np.str_) for key in ("name", "formula"))
    return averaged(two_theta, intensity, instrument, str(path)), groups, *texts


def averaged(two_theta: np.ndarray, intensity: np.ndarray, instrument: Instrument, what: str = "") -> np.ndarray:
    """(n, n_points) float32 of maximum 1: ``intensity`` (n, m) at rising ``two_theta`` (m,) degrees, averaged over the
    points nearest to each of the instrument's; :data:`NOT_MEASURED` where there is none, or none that is a number.
    Raises ValueError, naming ``what`` and the row, for a pattern without a positive point, and where less than
    :data:`LEAST` of the instrument's points were measured."""
    grid = instrument.grid()
    ends = np.searchsorted(two_theta, np.append(grid - instrument.step / 2, grid[-1] + instrument.step / 2))
    good = np.isfinite(intensity)
    sums = np.concatenate([np.zeros((len(intensity), 1)), np.cumsum(np.where(good, intensity, 0), axis=1)], axis=1)
    counts = np.concatenate([np.zeros((len(intensity), 1)), np.cumsum(good, axis=1)], axis=1)
    there = np.diff(counts[:, ends], axis=1)
    mean = np.diff(sums[:, ends], axis=1) / np.maximum(there, 1)
    covered = (there > 0).mean(1)
    if len(covered) and covered.min() < LEAST:
        row = int(covered.argmin())
        raise ValueError(f"{what}: of pattern {row} only {100 * covered[row]:.0f} % of the range was measured")
    top = mean.max(1, initial=0)
    if (top <= 0).any():
        raise ValueError(f"{what}: pattern {int(np.argmin(top))} is nowhere above 0")
    return np.where(there > 0, mean / top[:, None], NOT_MEASURED).astype(np.float32)


def find_clusters(patterns: np.ndarray, names: np.ndarray, instrument: Instrument, alike: float = ALIKE) -> np.ndarray:
    """(n,) int64: clusters of ``patterns`` (n, n_points) that are near copies or have the same of ``names`` (n,), ""
    being no name. Numbered from 0, in the order of the first member."""
    similar = cosines(patterns, patterns, instrument) >= alike
    similar |= (names[:, None] == names) & (names != "")
    pairs = np.argwhere(np.triu(similar, 1))
    return components(len(patterns), pairs)


def cosines(some: np.ndarray, others: np.ndarray, instrument: Instrument) -> np.ndarray:
    """(n, m) float32: the cosine of each of ``some`` (n, n_points) patterns with each of ``others`` (m, n_points), of
    the roots of what stands above their baselines, at the shift of up to :data:`MOVED` that makes it largest."""
    roots = []
    for patterns in (some, others):
        above = above_baseline(torch.from_numpy(np.asarray(patterns, dtype=np.float32)), instrument.step)
        root = above.clamp(min=0.0).sqrt()
        roots.append(root / root.norm(dim=1, keepdim=True))
    reach = round(MOVED / instrument.step)
    best = torch.full((len(some), len(others)), -1.0)
    for shift in range(-reach, reach + 1):
        best = torch.maximum(best, roots[0] @ roots[1].roll(shift, dims=1).T)
    return best.numpy()

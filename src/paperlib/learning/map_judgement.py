"""Attribution maps held against experiments: does a map say what really happens when a line comes or goes?

Three questions, each asked pattern by pattern and answered over patterns:

- *Where does the map lie?* The shares of |attribution| within one width of allowed lines, of forbidden lines of the
  lattice, and elsewhere, each beside that of the same network with random weights: a method that multiplies by the
  pattern lies on its lines whatever the network has learnt.
- *Is it right?* The rank correlation of what the map gives to lines with what really happens to the score when a line
  is taken away (deletion), and when one is put in where there is none (insertion).
- *Does it depend on the weights?* The rank correlation of maps of the trained network with those of random weights
  (Adebayo et al., arXiv:1810.03292): a map that survives them is one of the pattern and not of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from paperlib.diffraction.lattice_lines import LatticeLines, lattice_lines, widths
from paperlib.diffraction.profile import draw_peaks
from paperlib.diffraction.reflections import powder_reflections
from paperlib.lab.metrics import bootstrap
from paperlib.learning.attribution import MIRRORED, SEGMENTS, Attributions, attribute
from paperlib.learning.insertions import N_CLASSES, Trials, forbidden_lines
from paperlib.learning.trial_worlds import TrialWorld, chosen_lines

MAPS = {
    "saliency": ("saliency", ""),
    "ig_zero": ("integrated_gradients", "zero"),
    "ig_background": ("integrated_gradients", "background"),
    "ig_filled": ("integrated_gradients", "filled"),
    "grad_cam": ("grad_cam", ""),
    "occlusion": ("occlusion", "zero"),
}
"""Maps by name: the method (:data:`paperlib.learning.attribution.METHODS`) and the baseline it starts from."""

BACKGROUND = 1e-2
"""Level of the baseline "background", of the maximum."""

PUT_IN = 1e-3
"""Height of lines that are put in, and of the forbidden lines in the baseline "filled", of the maximum."""

MOST = 24
"""Lines of a pattern that take part in a judgement, evenly spread over those there are."""

FEWEST = 5
"""Lines, or points of a region, without which a pattern takes no part."""

REGIONS = ("allowed", "forbidden", "off")
"""Points within one width of an allowed line; of another line of the lattice; and all others."""


def regions(lattice: LatticeLines, n: int, grid: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(3, n, n_points) bool: which points of the ``grid`` (n_points,) lie in each of :data:`REGIONS`, the ``width`` of
    each lattice line (r,) in degrees."""
    near = np.zeros((2, n, len(grid)), dtype=bool)
    first, last = (np.searchsorted(grid, lattice.two_theta + side * width) for side in (-1, 1))
    for crystal, allowed, begin, end in zip(lattice.crystal, lattice.allowed, first, last, strict=True):
        near[int(not allowed), crystal, begin:end] = True
    return np.stack([near[0], near[1] & ~near[0], ~near[0] & ~near[1]])


def baselines(world: TrialWorld) -> dict[str, Tensor]:
    """(n, n_points) float32 by name: the empty pattern, a flat background, and the crystal's own pattern with all lines
    of its lattice that its group forbids filled in."""
    lattice, n = lattice_lines(world.crystals, world.instrument), len(world.crystals)
    found = [forbidden_lines(lattice, i, world.instrument, world.seed) for i in range(n)]
    filling = _trials([(i, hkl, angles, np.full(len(hkl), np.nan)) for i, (hkl, angles, _) in enumerate(found)])
    lines = chosen_lines(filling, np.arange(len(filling)), world.instrument)
    crystal = torch.from_numpy(filling.table["crystal"].to_numpy(copy=True))
    added = torch.zeros_like(world.base).index_add_(0, crystal, draw_peaks(lines, world.instrument))
    filled = world.base + PUT_IN * added
    zero = torch.zeros_like(filled)
    return {"zero": zero.float(), "background": (zero + BACKGROUND).float(), "filled": filled.float()}


def maps_of(
    model: nn.Module, world: TrialWorld, targets: np.ndarray, *, stage: str, tolerance: float, max_steps: int
) -> dict[str, Attributions]:
    """The :data:`MAPS` of the patterns of ``world`` for the scores of ``targets`` (n,); see
    :func:`paperlib.learning.attribution.attribute`."""
    starts, patterns = baselines(world), world.patterns()
    return {
        name: attribute(
            model,
            patterns,
            targets,
            method,
            baseline=starts.get(start),
            stage=stage if method == "grad_cam" else None,
            cuts=SEGMENTS if start == "zero" else MIRRORED,
            tolerance=tolerance,
            max_steps=max_steps,
        )
        for name, (method, start) in MAPS.items()
    }


def region_shares(maps: Mapping[str, Attributions], where: np.ndarray) -> dict[str, np.ndarray]:
    """By name of the map, (3, n): the share of its absolute values in each of the regions ``where`` (3, n,
    n_points)."""
    sizes = {name: np.abs(made.maps) for name, made in maps.items()}
    return {name: (size * where).sum(2) / np.maximum(size.sum(1), 1e-30) for name, size in sizes.items()}


@dataclass(frozen=True, eq=False)
class Effects:
    """What lines really do to the score of the true class, in m experiments."""

    crystal: np.ndarray
    """(m,) int64."""
    two_theta: np.ndarray
    """(m,) degrees."""
    change: np.ndarray
    """(m,) score of the pattern as it is less score with the line taken away, or put in."""


def deletion_effects(model: nn.Module, world: TrialWorld, targets: np.ndarray) -> Effects:
    """Allowed lines above a thousandth of the strongest taken away, one at a time."""
    lines, parts = powder_reflections(world.crystals, world.instrument), []
    start, intensity = lines.start.numpy(), lines.intensity.numpy()
    for i in range(len(world.crystals)):
        rows = np.arange(start[i], start[i + 1])
        rows = _spread(rows[intensity[rows] > PUT_IN * intensity[rows].max()])
        hkl, angles = lines.hkl.numpy()[rows].astype(np.int64), lines.two_theta.numpy()[rows]
        parts += [(i, hkl[[j]], angles[[j]], intensity[rows[[j]]]) for j in range(len(rows))]
    return _effects(model, world, targets, _trials(parts), 0.0)


def insertion_effects(model: nn.Module, world: TrialWorld, targets: np.ndarray) -> Effects:
    """Lines put in, one at a time: those of the lattice that the group forbids, and the same off the lattice."""
    lattice, parts = lattice_lines(world.crystals, world.instrument), []
    for i in range(len(world.crystals)):
        hkl, angles, moved = forbidden_lines(lattice, i, world.instrument, world.seed)
        for j in _spread(np.arange(len(hkl))):
            parts += [(i, hkl[[j]], place[[j]], np.array([np.nan])) for place in (angles, moved)]
    return _effects(model, world, targets, _trials(parts), PUT_IN)


def agreement(made: Attributions, effects: Effects, world: TrialWorld) -> np.ndarray:
    """(n,) rank correlation (Spearman), pattern by pattern, of |attribution| summed within one width of each line of
    ``effects`` with |change|; NaN for a pattern with too few lines, or of which map or effects are constant."""
    grid, width = world.instrument.grid(), widths(world.instrument, effects.two_theta)
    summed = np.concatenate([np.zeros((len(made.maps), 1)), np.abs(made.maps).cumsum(1, dtype=np.float64)], axis=1)
    first, last = (np.searchsorted(grid, effects.two_theta + side * width) for side in (-1, 1))
    given = summed[effects.crystal, last] - summed[effects.crystal, first]
    found = np.full(len(made.maps), np.nan)
    for i in range(len(found)):
        own = effects.crystal == i
        found[i] = _rank_correlation(given[own], np.abs(effects.change[own]))
    return found


def survival(trained: Attributions, random: Attributions) -> np.ndarray:
    """(n,) rank correlation over all points of |maps| of the trained network with those of random weights."""
    pairs = zip(np.abs(trained.maps), np.abs(random.maps), strict=True)
    return np.array([_rank_correlation(a, b) for a, b in pairs])


def judgement(columns: Mapping[str, Mapping[str, np.ndarray]]) -> pd.DataFrame:
    """One row per map and question: the mean over the patterns that take part, with its interval and their number.
    ``columns`` holds for each question and map the results pattern by pattern (n,), NaN where one takes no part; where
    none does there is no row."""
    rows = []
    for question, by_map in columns.items():
        for name, each in by_map.items():
            if not np.isfinite(each).any():
                continue
            mean = bootstrap(each[np.isfinite(each)])
            rows.append({"question": question, "map": name, "value": mean.value, "low": mean.low, "high": mean.high})
            rows[-1]["n"] = mean.n
    return pd.DataFrame(rows)


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < FEWEST or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def _spread(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= MOST:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)]


def _trials(parts: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]) -> Trials:
    """Trials of crystal, hkl, angles and intensities, those without lines left out."""
    parts = [part for part in parts if len(part[1])]
    lengths = [len(part[1]) for part in parts]
    return Trials(
        table=pd.DataFrame({"crystal": np.array([part[0] for part in parts], dtype=np.int64)}),
        trial=np.repeat(np.arange(len(parts)), lengths),
        hkl=np.concatenate([np.zeros((0, 3), dtype=np.int64), *(part[1] for part in parts)]),
        two_theta=np.concatenate([np.zeros(0), *(part[2] for part in parts)]),
        intensity=np.concatenate([np.zeros(0), *(part[3] for part in parts)]),
        fits=np.zeros((len(parts), N_CLASSES), dtype=bool),
    )


@torch.no_grad()
def _effects(model: nn.Module, world: TrialWorld, targets: np.ndarray, trials: Trials, height: float) -> Effects:
    crystal, changes = trials.table["crystal"].to_numpy(), []
    before = _scores(model, world.patterns(), targets)
    for chosen in np.split(np.arange(len(trials)), np.arange(512, len(trials), 512)):
        if len(chosen):
            rows = crystal[chosen]
            patterns = world.made(*world.parts(trials, chosen), height, rows)
            changes.append(before[rows] - _scores(model, patterns, targets[rows]))
    return Effects(crystal, trials.two_theta, np.concatenate([np.zeros(0), *changes]))


def _scores(model: nn.Module, patterns: Tensor, targets: np.ndarray) -> np.ndarray:
    """(n,) logits of the targets less the mean over the classes, as attributions explain them."""
    device = next(model.parameters()).device
    logits = torch.cat([model(rows.to(device)) for rows in patterns.split(256)]).double().cpu().numpy()
    return logits[np.arange(len(logits)), targets] - logits.mean(1)

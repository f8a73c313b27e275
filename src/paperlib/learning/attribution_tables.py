"""Tables and arrays of attribution maps: their errors, their means, and one pattern line by line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import powder_reflections
from paperlib.lab.metrics import mean_by_group
from paperlib.learning.attribution import Attributions
from paperlib.symmetry import groups

SHOWN = 0.1
"""Per cent of the strongest line above which a line of the worked pattern is listed."""


def completeness_table(maps: Mapping[str, Attributions], crystals: CrystalSet) -> pd.DataFrame:
    """One row per map and pattern: difference in score, absolute and relative error of the sum (0 where there is no
    difference and no error), and steps. ``maps`` are integrated gradients of the patterns of ``crystals``, by name."""
    parts = []
    for name, made in maps.items():
        size = np.abs(made.score_difference)
        columns = {
            "model": name,
            "id": crystals.source_id,
            "space_group": crystals.space_group,
            "score_difference": made.score_difference,
            "delta": made.delta,
            "relative_delta": np.where(made.delta > 0, made.delta / np.maximum(size, 1e-12), 0.0),
            "steps": made.steps,
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def mean_maps(maps: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """Means by group, in half precision (three digits are more than a picture shows), of each of ``maps``: maps
    (n, n_points) and the groups (n,) of their patterns. Each map counts with its maximum as 1."""
    means = {}
    for name, (each, group) in maps.items():
        unit = each / np.maximum(np.abs(each).max(1, keepdims=True), 1e-12)
        means[name] = mean_by_group(unit, group)[2].astype(np.float16)
    return means


def worked_pattern(
    probability: np.ndarray, targets: np.ndarray, space_group: np.ndarray, wanted: int
) -> tuple[int, float, bool]:
    """The pattern to be shown line by line: its row, the probability of its class, and whether that is the answer. It
    is the most probable correct answer of space group ``wanted``, or of all, or what comes nearest."""
    true = probability[np.arange(len(targets)), targets]
    correct = probability.argmax(1) == targets
    one = int((true + 2 * (correct & (space_group == wanted)) + correct).argmax())
    return one, float(true[one]), bool(correct[one])


def worked_lines(crystals: CrystalSet, instrument: Instrument, row: int, attribution: np.ndarray) -> pd.DataFrame:
    """The lines of one crystal above :data:`SHOWN`: h, k, l, multiplicity, 2θ, intensity (strongest 100), and the sum
    of the map ``attribution`` (n_points,) within one width."""
    found = powder_reflections(crystals[np.array([row])], instrument)
    lines = pd.DataFrame(found.hkl.numpy(), columns=["h", "k", "l"])
    lines["multiplicity"] = found.multiplicity.numpy()
    lines["two_theta"] = found.two_theta.numpy()
    lines["intensity"] = 100 * found.intensity.numpy() / found.intensity.numpy().max()
    width, grid = instrument.fwhm(found.two_theta).numpy(), instrument.grid()
    first, last = (np.searchsorted(grid, lines["two_theta"] + side * width) for side in (-1, 1))
    lines["attribution"] = [attribution[a:b].sum() for a, b in zip(first, last, strict=True)]
    return lines[lines["intensity"] > SHOWN]


def worked_info(crystals: CrystalSet, row: int, class_symbol: str, probability: float, correct: bool) -> pd.DataFrame:
    """What the title of the worked pattern says: one row."""
    number = int(crystals.space_group[row])
    info = {
        "source_id": crystals.source_id[row],
        "formula": crystals.formula[row],
        "space_group": number,
        "symbol": groups.symbol(number),
        "class_symbol": class_symbol,
        "probability": probability,
        "correct": correct,
    }
    return pd.DataFrame([info])

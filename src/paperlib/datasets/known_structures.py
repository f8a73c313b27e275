"""Which crystals of a database may be the ones that measured patterns show.

Names are rarely given with patterns, and cells of calculated structures are off by one or two per cent. A crystal is
taken for a *known* one where it has formula and space group of a named pattern, or where its calculated pattern,
stretched by up to :data:`STRETCHED` and blurred, resembles a measured pattern of its own space group. The second rule
finds two in three of the crystals that the first one finds, and takes isotypic ones along.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from pymatgen.core import Composition
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.specimens import Specimens
from paperlib.diffraction.baseline import above_baseline
from paperlib.diffraction.instrument import Instrument

STRETCHED = 0.03
"""Largest relative change of all spacings."""
STEPS = 25
"""Changes that are tried."""
BLURRED = 0.4
"""Degrees 2θ over which patterns are averaged: unequal changes of the axes move lines apart."""
ALIKE = 0.6
"""Cosine from which on a crystal is known."""


def resemblance(patterns: np.ndarray, measured: np.ndarray, instrument: Instrument) -> np.ndarray:
    """(n, m) float32: the largest cosine of each of ``patterns`` (n, n_points) of crystals with each of the
    ``measured`` ones (m, n_points), over the changes of spacing; roots of what stands above the baselines, blurred."""
    of_crystals = _roots(patterns, instrument)
    best = torch.full((len(patterns), len(measured)), -1.0)
    above = _roots(measured, instrument)
    for change in np.linspace(-STRETCHED, STRETCHED, STEPS):
        best = torch.maximum(best, of_crystals @ _normalised(_stretched(above, instrument, change)).T)
    return best.numpy()


def known_structures(patterns: np.ndarray, crystals: CrystalSet, measured: Specimens) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool, which of ``crystals``, of clean ``patterns`` (n, n_points) on the instrument of the set, may be shown
    by one of the ``measured`` patterns; and (m,) bool, which of these show one of the crystals."""
    known, shown = np.zeros(len(crystals), dtype=bool), np.zeros(len(measured), dtype=bool)
    formula, named = (np.array([_shares(text) for text in texts]) for texts in (crystals.formula, measured.formula))
    for group in np.unique(measured.space_group):
        rows, seen = (np.flatnonzero(numbers == group) for numbers in (crystals.space_group, measured.space_group))
        if not len(rows):
            continue
        alike = resemblance(patterns[rows], measured.patterns[seen], measured.instrument) >= ALIKE
        alike |= (formula[rows][:, None] == named[seen]) & (named[seen] != "")
        known[rows] |= alike.any(1)
        shown[seen] |= alike.any(0)
    return known, shown


def _shares(formula: str) -> str:
    """The elements of a formula and their shares, in an order of their own; "" for none."""
    shares = Composition(str(formula)).fractional_composition.as_dict() if formula else {}
    return " ".join(f"{element}{share:.4f}" for element, share in sorted(shares.items()))


def _roots(patterns: np.ndarray, instrument: Instrument) -> Tensor:
    above = above_baseline(torch.from_numpy(np.array(patterns, dtype=np.float32)), instrument.step).clamp(min=0.0)
    window = round(BLURRED / instrument.step) // 2 * 2 + 1
    # roots first, so that lines count by their number more than by their height
    return _normalised(F.avg_pool1d(above.sqrt()[:, None], window, 1, window // 2)[:, 0])


def _normalised(roots: Tensor) -> Tensor:
    centred = roots - roots.mean(dim=1, keepdim=True)
    return centred / centred.norm(dim=1, keepdim=True).clamp(min=1e-9)


def _stretched(roots: Tensor, instrument: Instrument, change: float) -> Tensor:
    """``roots`` as they would be with all spacings multiplied by 1 + ``change``; the ends are continued."""
    theta = np.radians(instrument.grid() / 2)
    # what appears at an angle now was at the angle of a spacing smaller by that factor
    before = 2 * np.degrees(np.arcsin(np.clip(np.sin(theta) * (1 + change), 0, 1)))
    place = np.clip((before - instrument.two_theta[0]) / instrument.step, 0, len(theta) - 1 - 1e-6)
    low = torch.from_numpy(place.astype(np.int64))
    share = torch.from_numpy((place - np.floor(place)).astype(np.float32))
    return roots[:, low] * (1 - share) + roots[:, low + 1] * share

"""The parameters of imperfect patterns, drawn item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from paperlib.diffraction.imperfections import MAX_BACKGROUND_ORDER, RULES, Imperfections
from paperlib.lab import rng

LOW_INDEX_AXES = (
    *((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)),
    *((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)),
)
"""Lattice planes that a texture axis is drawn from: 100, 110 and 111 in all their orientations."""

_FIRST_RANGE = 2 + MAX_BACKGROUND_ORDER
"""Columns of an item: texture axis, impurity, coefficients of the background (as many as there can be), then RULES."""


class Draws(NamedTuple):
    """What was drawn for n items; float64 where nothing else is said, units as in :class:`Imperfections`."""

    zero_shift: Tensor
    """(n,)"""
    displacement: Tensor
    """(n,)"""
    texture: Tensor
    """(n,)"""
    texture_axis: Tensor
    """(n, 3) int64."""
    crystallite_size: Tensor
    """(n,); 0 for no broadening."""
    microstrain: Tensor
    """(n,)"""
    background: Tensor
    """(n, order + 1): coefficients of the Chebyshev polynomials T_0, T_1, ... over the range of the instrument."""
    hump: Tensor
    """(n,)"""
    hump_centre: Tensor
    """(n,)"""
    hump_width: Tensor
    """(n,)"""
    second_phase: Tensor
    """(n,)"""
    impurity: Tensor
    """(n,) int64: row of ``impurities``."""
    counts: Tensor
    """(n,); 0 for no counting noise."""
    gaussian_noise: Tensor
    """(n,)"""
    detector_start: Tensor
    """(n,)"""
    detector_end: Tensor
    """(n,)"""
    detector_step: Tensor
    """(n,)"""
    overall_b: Tensor
    """(n,)"""


def draw(
    imperfections: Imperfections,
    seed: int,
    items: Tensor | np.ndarray | Sequence[int],
    device: torch.device | str = "cpu",
) -> Draws:
    """The parameters of the patterns ``items`` ((n,) numbers from 0), on ``device``: a function of (seed, item).

    Uniforms are bit-identical on all devices; values made from them by a logarithm agree to float64's rounding.
    The k-th coefficient of the background is uniform within ± (1/k) / Σ(1/j) of its mean times its variation, so
    that the polynomial never falls below zero. Raises ValueError for items that are no (n,) integers from 0.
    """
    numbers = torch.as_tensor(items, device=device)
    if numbers.ndim != 1 or (len(numbers) and (numbers.is_floating_point() or numbers.dtype == torch.bool)):
        raise ValueError(f"items must be (n,) whole numbers from 0, got {numbers.dtype} of {tuple(numbers.shape)}")
    order = imperfections.background_order
    n_columns = _FIRST_RANGE + len(RULES)
    u = rng.uniform(seed, "imperfections", numbers, n_columns) if len(numbers) else numbers.new_zeros((0, n_columns))
    u = u.to(torch.float64)
    values = {}
    for column, (name, rule) in enumerate(RULES.items(), start=_FIRST_RANGE):
        low, high = getattr(imperfections, name)
        # where the range is a point, either formula gives it exactly
        values[name] = low * (high / low) ** u[:, column] if rule.log and low > 0 else low + (high - low) * u[:, column]

    axes = LOW_INDEX_AXES if imperfections.texture_axis is None else (imperfections.texture_axis,)
    axis = (u[:, 0] * len(axes)).to(torch.int64)
    pool = 1 if imperfections.impurities is None else len(imperfections.impurities)
    share = 1 / torch.arange(1, order + 1, dtype=torch.float64, device=u.device)
    swing = (2 * u[:, 2 : 2 + order] - 1) * (share / share.sum()) * values.pop("background_variation")[:, None]
    values["background"] = values["background"][:, None] * torch.cat([torch.ones_like(u[:, :1]), swing], dim=1)
    return Draws(
        texture_axis=torch.tensor(axes, device=u.device)[axis],
        impurity=(u[:, 1] * pool).to(torch.int64),
        **values,
    )

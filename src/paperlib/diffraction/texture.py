"""Preferred orientation after March and Dollase.

A reflection whose plane normals make the angle α with the axis of the texture is stronger by

    P(α) = (r² cos²α + sin²α / r)^(-3/2)

in a flat specimen measured by reflection, or one spun about an axis along the scattering vector (March, 1932; Dollase,
J. Appl. Cryst. 19 (1986) 267). Its mean over all directions is 1 for every r. A powder line is the sum over a family
of equivalent reflections, which make different angles with one axis: it is P averaged over the family that counts.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.hkl import reciprocal_metric
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections
from paperlib.symmetry.groups import laue_rotations

_BYTES_PER_EQUIVALENT = 80

_CPU_BLOCK_BYTES = 4 * 2**20


def march_dollase(cosine_squared: Tensor, r: Tensor | float) -> Tensor:
    """P for cos²α and March's r > 0, which broadcast: r^-3 at α = 0, r^(3/2) at 90°, 1 where r is 1."""
    return (r * r * cosine_squared + (1 - cosine_squared) / r) ** -1.5


def texture_factors(
    reflections: Reflections, crystals: CrystalSet, r: Tensor, axis: Tensor, memory_budget: int = MEMORY_BUDGET
) -> Tensor:
    """(r,) factors for the intensities of ``reflections``, in their type and on their device.

    Crystal i has March's r ``r[i]`` and the normals of the planes ``axis[i]`` ((n, 3) indices hkl) as axis. Each factor
    is the mean over the equivalents that the reflection stands for: those of the Laue class for crystals with
    ``standard`` set, itself and its Friedel opposite for others. Blocks stay under ``memory_budget`` bytes.
    """
    intensity = reflections.intensity
    device, dtype = intensity.device, intensity.dtype
    metric = torch.from_numpy(reciprocal_metric(crystals.cell)).to(device)
    normal = axis.to(device, torch.float64)[:, :, None]
    # h R G* p = h q: instead of the reflection, the axis takes all its equivalent places
    along = (metric @ normal).squeeze(2)
    inverse_length = torch.rsqrt((normal.squeeze(2) * along).sum(1))
    r = r.to(device, dtype)

    numbers = np.where(crystals.standard, crystals.space_group, 1)
    used, group = np.unique(numbers, return_inverse=True)
    turns = [_proper_rotations(int(number)) for number in used]
    count = torch.tensor([len(t) for t in turns], device=device)[torch.from_numpy(group).to(device)]
    factors = torch.empty_like(intensity)
    if device.type == "cpu":
        memory_budget = min(memory_budget, _CPU_BLOCK_BYTES)
    for order in sorted({len(t) for t in turns}):
        of_order = [i for i, t in enumerate(turns) if len(t) == order]
        place = torch.zeros(len(used), dtype=torch.int64)
        place[of_order] = torch.arange(len(of_order))
        chosen = (count == order).nonzero().squeeze(1)
        rotations = torch.from_numpy(np.stack([turns[i] for i in of_order])).to(device, torch.float64)
        rotations = rotations[place[torch.from_numpy(group)].to(device)[chosen]]
        images = torch.zeros((len(crystals), order, 3), dtype=dtype, device=device)
        images[chosen] = (
            (rotations @ along[chosen][:, None, :, None]).squeeze(3) * inverse_length[chosen, None, None]
        ).to(dtype)
        rows = (count[reflections.crystal] == order).nonzero().squeeze(1)
        for some in rows.split(max(1, memory_budget // (_BYTES_PER_EQUIVALENT * order))):
            crystal = reflections.crystal[some]
            scaled = reflections.hkl[some].to(dtype) * reflections.d[some, None].to(dtype)
            cosine = (images[crystal] @ scaled[:, :, None]).squeeze(2)
            factors[some] = march_dollase(cosine.square().clamp(max=1), r[crystal][:, None]).mean(1)
    return factors


@functools.lru_cache(maxsize=230)
def _proper_rotations(number: int) -> np.ndarray:
    """(m, 3, 3) float64: one of each pair R, -R of the Laue class; P cannot tell the two apart."""
    rotations = laue_rotations(number).astype(np.float64)
    return rotations[np.linalg.det(rotations) > 0]

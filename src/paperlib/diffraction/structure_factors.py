"""|F|² of many reflections of many crystals at once.

F(hkl) = Σ_j o_j f_j(s) exp(-B_j s²) exp(2πi (h x_j + k y_j + l z_j)) over the atoms j of the conventional cell.
The atoms of a crystal fall into few *kinds* (one species with one B each); Σ over kinds of f exp(-B s²) times the
geometric sums of the kind needs one form factor per reflection and kind instead of one per reflection and atom.

Reflections are cut into tiles of one crystal each; tiles of crystals of like size form a batch, padded to the
largest of them, so that a cell of 500 atoms among small ones costs what it would cost alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.scattering import ScatteringTable, form_factors

TILE = 32
"""Reflections of a tile: large enough for the matrix products, small enough to waste little on the last one."""

CPU_BATCH_BYTES = 8 * 2**20
"""On a CPU a batch should stay in the cache."""


class _Sites:
    """The sites of a set on a device, each assigned to the kinds of its crystal."""

    def __init__(self, crystals: CrystalSet, device: torch.device | str, dtype: torch.dtype) -> None:
        crystal = np.repeat(np.arange(len(crystals)), crystals.n_sites)
        order = np.lexsort((crystals.b_iso, crystals.species, crystal))
        keys = np.stack([crystal, crystals.species, crystals.b_iso])[:, order]
        is_new = np.ones(len(order), dtype=bool)
        is_new[1:] = np.any(keys[:, 1:] != keys[:, :-1], axis=0)
        kind = np.empty(len(order), dtype=np.int64)
        kind[order] = np.cumsum(is_new) - 1

        self.n_sites = crystals.n_sites
        self.n_kinds = np.bincount(crystal[order][is_new], minlength=len(crystals))
        kind_start = np.concatenate([[0], np.cumsum(self.n_kinds)[:-1]]).astype(np.int64)
        self.has_displacement = bool(np.any(crystals.b_iso))

        def move(array: np.ndarray, as_type: torch.dtype) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device, as_type)

        self.site_start, self.site_count = move(crystals.site_start[:-1], torch.int64), move(self.n_sites, torch.int64)
        self.kind_start, self.kind_count = move(kind_start, torch.int64), move(self.n_kinds, torch.int64)
        self.frac = move(crystals.frac, torch.float64)
        self.occupancy = move(crystals.occupancy, dtype)
        self.local_kind = move(kind - kind_start[crystal], torch.int64)
        self.kind_species = move(crystals.species[order][is_new], torch.int64)
        self.kind_b = move(crystals.b_iso[order][is_new], dtype)


def squared_structure_factors(
    crystals: CrystalSet,
    start: np.ndarray,
    hkl: Tensor,
    s_squared: Tensor,
    table: ScatteringTable,
    dtype: torch.dtype,
    memory_budget: int,
) -> Tensor:
    """(r,) |F|² in electrons² (X-rays) or fm² (neutrons), on the device of ``hkl`` and of type ``dtype``.

    Reflections ``start[i]:start[i + 1]`` of ``hkl`` (r, 3) and ``s_squared`` ((r,), (sin θ / λ)² in Å⁻²) belong
    to crystal i. Phases are reduced in float64; sines, form factors and sums are of type ``dtype``. With f'' the
    mean of |F(hkl)|² and |F(-h-k-l)|² is taken, which a powder line cannot tell apart. The arrays of one batch
    stay under ``memory_budget`` bytes where a single tile does.
    """
    device = hkl.device
    table = table.to(device, dtype)
    has_imaginary = bool(np.any(table.imaginary.cpu().numpy()))
    sites = _Sites(crystals, device, dtype)
    if device.type == "cpu":
        memory_budget = min(memory_budget, CPU_BATCH_BYTES)
    result = torch.zeros(len(hkl) + 1, dtype=dtype, device=device)  # the last element takes the padding
    padded_hkl = torch.nn.functional.pad(hkl, (0, 0, 0, 1)).to(torch.float64)
    padded_s_squared = torch.nn.functional.pad(s_squared, (0, 1)).to(dtype)

    for crystal, first, last in _batches(sites, start, memory_budget):
        chosen, local = np.unique(crystal, return_inverse=True)
        n_sites, n_kinds = int(sites.n_sites[chosen].max()), int(sites.n_kinds[chosen].max())
        c, t = torch.from_numpy(chosen).to(device), torch.from_numpy(local).to(device)
        row = torch.from_numpy(first[:, None] + np.arange(TILE)).to(device)
        row = torch.where(row < torch.from_numpy(last).to(device)[:, None], row, len(hkl))
        s2 = padded_s_squared[row][..., None]

        slot = torch.arange(n_sites, device=device)
        filled = slot < sites.site_count[c][:, None]
        site = torch.where(filled, sites.site_start[c][:, None] + slot, 0)
        kind_slot = torch.arange(n_kinds, device=device)
        occupancy = torch.where(filled, sites.occupancy[site], 0)
        weight = (sites.local_kind[site][..., None] == kind_slot) * occupancy[..., None]
        kind = sites.kind_start[c][:, None] + torch.minimum(kind_slot, sites.kind_count[c][:, None] - 1)

        turns = torch.bmm(padded_hkl[row], sites.frac[site].transpose(1, 2)[t])
        phase = (turns.sub_(turns.round()) * (2 * math.pi)).to(dtype)
        cosines, sines = torch.bmm(phase.cos(), weight[t]), torch.bmm(phase.sin_(), weight[t])
        if sites.has_displacement:
            damping = torch.exp(-sites.kind_b[kind][t][:, None] * s2)
            cosines, sines = cosines * damping, sines * damping
        f = form_factors(table, sites.kind_species[kind][t][:, None], s2)
        squared = (f * cosines).sum(-1).square() + (f * sines).sum(-1).square()
        if has_imaginary:
            f = table.imaginary[sites.kind_species[kind][t]][:, None]
            squared += (f * cosines).sum(-1).square() + (f * sines).sum(-1).square()
        result[row] = squared
    return result[:-1]


def _batches(
    sites: _Sites, start: np.ndarray, memory_budget: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batches of tiles, the crystals with few sites first: crystal, first row, end of the rows of the crystal."""
    n_tiles = -(-np.diff(start) // TILE)
    crystal = np.repeat(np.arange(len(n_tiles)), n_tiles)
    index = np.arange(len(crystal)) - np.repeat(np.cumsum(n_tiles) - n_tiles, n_tiles)
    first, last = start[crystal] + TILE * index, start[crystal + 1]
    order = np.argsort(sites.n_sites[crystal], kind="stable")
    crystal, first, last = crystal[order], first[order], last[order]
    n_sites, n_kinds = sites.n_sites[crystal], sites.n_kinds[crystal]

    # Per tile: phases in float64, their reduced copy, cosine and sine; weights of each kind; form factors.
    tile_bytes = 8 * (TILE * n_sites * 4 + n_sites * n_kinds * 2 + TILE * n_kinds * 6)
    begin = 0
    while begin < len(crystal):
        # The batch is padded to the most sites and kinds in it, so the largest cost so far counts for all.
        ahead = slice(begin, begin + memory_budget // int(tile_bytes[begin]) + 1)
        cost = np.maximum.accumulate(tile_bytes[ahead]) * np.arange(1, len(tile_bytes[ahead]) + 1)
        end = begin + max(1, int(np.searchsorted(cost, memory_budget, side="right")))
        yield crystal[begin:end], first[begin:end], last[begin:end]
        begin = end

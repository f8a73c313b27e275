"""|F|² of many reflections of many crystals at once.

F(hkl) = Σ_j o_j f_j(s) exp(-B_j s²) exp(2πi (h x_j + k y_j + l z_j)) over the atoms j of the conventional cell.
The atoms of a crystal fall into few *kinds* (one species with one B each); Σ over kinds of f exp(-B s²) times the
geometric sums of the kind needs one form factor per reflection and kind instead of one per reflection and atom.

Reflections are cut into tiles of one crystal each; tiles of crystals of like size form a batch, padded to the
largest of them, so that a cell of 500 atoms among small ones costs what it would cost alone. Where the space group
has an inversion centre at the origin the sines cancel and are not computed. On a CPU a compiled kernel does the same
crystal by crystal (:mod:`paperlib.diffraction.kernels`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.cpu import compiled_for, in_threads
from paperlib.diffraction.kernels import squared_factors
from paperlib.diffraction.scattering import ScatteringTable, form_factors
from paperlib.symmetry.groups import operations

TILE = 32
"""Reflections of a tile: large enough for the matrix products, small enough to waste little on the last one."""

CPU_BATCH_BYTES = 8 * 2**20
"""On a CPU a batch should stay in the cache."""


class _Kinds:
    """Which sites of each crystal are of one kind."""

    def __init__(self, crystals: CrystalSet) -> None:
        self.crystal = np.repeat(np.arange(len(crystals)), crystals.n_sites)
        b_iso = np.nan_to_num(crystals.b_iso, nan=0.0)  # what is not known is taken as 0
        self.order = np.lexsort((b_iso, crystals.species, self.crystal))
        """Sites kind by kind, the crystals in their order."""
        keys = np.stack([self.crystal, crystals.species, b_iso])[:, self.order]
        is_new = np.ones(len(self.order), dtype=bool)
        is_new[1:] = np.any(keys[:, 1:] != keys[:, :-1], axis=0)
        self.begin = np.append(np.flatnonzero(is_new), len(self.order))
        """(K + 1,) sites of kind q are ``order[begin[q]:begin[q + 1]]``."""
        first = self.order[self.begin[:-1]]
        self.species, self.b_iso = crystals.species[first].astype(np.int64), b_iso[first]
        self.n_kinds = np.bincount(self.crystal[first], minlength=len(crystals))
        self.crystal_begin = np.concatenate([[0], np.cumsum(self.n_kinds)])
        """(n + 1,) kinds of crystal i are ``crystal_begin[i]:crystal_begin[i + 1]``."""


class _Sites:
    """The sites of a set on a device, each assigned to the kinds of its crystal."""

    def __init__(self, crystals: CrystalSet, device: torch.device | str, dtype: torch.dtype) -> None:
        kinds = _Kinds(crystals)
        kind = np.empty(len(kinds.order), dtype=np.int64)
        kind[kinds.order] = np.repeat(np.arange(len(kinds.species)), np.diff(kinds.begin))
        has_centre = np.array([False, *(_has_centre(number) for number in range(1, 231))])
        self.centric = crystals.standard & has_centre[crystals.space_group]
        self.n_sites, self.n_kinds = crystals.n_sites, kinds.n_kinds
        self.has_displacement = bool(np.any(kinds.b_iso))

        def move(array: np.ndarray, as_type: torch.dtype) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device, as_type)

        self.site_start, self.site_count = move(crystals.site_start[:-1], torch.int64), move(self.n_sites, torch.int64)
        self.kind_start = move(kinds.crystal_begin[:-1], torch.int64)
        self.kind_count = move(self.n_kinds, torch.int64)
        self.frac = move(crystals.frac, torch.float64)
        self.occupancy = move(crystals.occupancy, dtype)
        self.local_kind = move(kind - kinds.crystal_begin[kinds.crystal], torch.int64)
        self.kind_species = move(kinds.species, torch.int64)
        self.kind_b = move(kinds.b_iso, dtype)


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
    if compiled_for(device):
        return _on_cpu(crystals, start, hkl, s_squared, table, dtype)
    table = table.to(device, dtype)
    has_imaginary = bool(np.any(table.imaginary.cpu().numpy()))
    sites = _Sites(crystals, device, dtype)
    if device.type == "cpu":
        memory_budget = min(memory_budget, CPU_BATCH_BYTES)
    result = torch.zeros(len(hkl) + 1, dtype=dtype, device=device)  # the last element takes the padding
    padded_hkl = torch.nn.functional.pad(hkl, (0, 0, 0, 1)).to(torch.float64)
    padded_s_squared = torch.nn.functional.pad(s_squared, (0, 1)).to(dtype)

    for centric, (crystal, first, last) in _batches(sites, start, memory_budget):
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
        phase = turns.sub_(turns.round()).to(dtype).mul_(2 * math.pi)
        scale = weight[t]
        kind_species, kind_b = sites.kind_species[kind][t][:, None], sites.kind_b[kind][t][:, None]
        factors = [form_factors(table, kind_species, s2)]
        if has_imaginary:
            factors.append(table.imaginary[kind_species])
        if sites.has_displacement:
            damping = torch.exp(-kind_b * s2)
            factors = [factor * damping for factor in factors]
        squared = torch.zeros(row.shape, dtype=dtype, device=device)
        for wave in (phase.cos(),) if centric else (phase.cos(), phase.sin_()):
            sums = torch.bmm(wave, scale)
            for factor in factors:
                squared += (factor * sums).sum(-1).square_()
        result[row] = squared
    return result[:-1]


def _on_cpu(
    crystals: CrystalSet, start: np.ndarray, hkl: Tensor, s_squared: Tensor, table: ScatteringTable, dtype: torch.dtype
) -> Tensor:
    """The same, by :func:`paperlib.diffraction.kernels.squared_factors`."""
    kinds = _Kinds(crystals)
    result = torch.empty(len(hkl), dtype=dtype)
    tables = (t.to(torch.float64).numpy() for t in (table.amplitude, table.width, table.constant, table.imaginary))
    arguments = (
        *(hkl.numpy(), s_squared.numpy(), start, crystals.frac[kinds.order], crystals.occupancy[kinds.order]),
        *(crystals.site_start, kinds.begin, kinds.crystal_begin, kinds.species, kinds.b_iso),
        *(*tables, table.times_s_squared),
    )
    cost = np.diff(start) * (crystals.n_sites + 20.0)
    in_threads(lambda begin, end: squared_factors(*arguments, begin, end, result.numpy()), cost)
    return result


@functools.cache
def _has_centre(number: int) -> bool:
    """Whether a space group has an inversion centre at the origin of our setting."""
    rotations, translations = operations(number)
    return bool(np.any(np.all(rotations == -np.eye(3), axis=(1, 2)) & np.all(translations == 0, axis=1)))


def _batches(
    sites: _Sites, start: np.ndarray, memory_budget: int
) -> Iterator[tuple[bool, tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Batches of tiles, the crystals with few sites first: whether all of them have an inversion centre at the origin
    (else none has), and crystal, first row, end of the rows of the crystal."""
    n_tiles = -(-np.diff(start) // TILE)
    crystal = np.repeat(np.arange(len(n_tiles)), n_tiles)
    index = np.arange(len(crystal)) - np.repeat(np.cumsum(n_tiles) - n_tiles, n_tiles)
    first, last = start[crystal] + TILE * index, start[crystal + 1]
    # Per tile: phases in float64, their reduced copy, cosine and sine; weights of each kind; form factors.
    n_sites, n_kinds = sites.n_sites[crystal], sites.n_kinds[crystal]
    tile_bytes = 8 * (TILE * n_sites * 4 + n_sites * n_kinds * 2 + TILE * n_kinds * 6)
    for centric in (False, True):
        rows = np.flatnonzero(sites.centric[crystal] == centric)
        rows = rows[np.argsort(n_sites[rows], kind="stable")]
        begin = 0
        while begin < len(rows):
            # The batch is padded to the most sites and kinds in it, so the largest cost so far counts for all.
            ahead = rows[begin : begin + memory_budget // int(tile_bytes[rows[begin]]) + 1]
            cost = np.maximum.accumulate(tile_bytes[ahead]) * np.arange(1, len(ahead) + 1)
            batch = ahead[: max(1, int(np.searchsorted(cost, memory_budget, side="right")))]
            yield centric, (crystal[batch], first[batch], last[batch])
            begin += len(batch)

"""How strongly each element scatters: X-ray form factors and neutron scattering lengths by species code.

X-rays: International Tables for Crystallography C (1992), table 6.1.1.4, neutral atoms, as gemmi's ``it92``
holds it (the table of CCP4 and of cctbx' ``it1992``): f0 = Σ a exp(-b s²) + c with four Gaussians, valid for
s = sin θ / λ up to 2 Å⁻¹, H to Cf. Ions are treated as neutral atoms, deuterium as hydrogen.

Neutrons: real part of the bound coherent scattering length in fm, Neutron News 3 (1992) 29-37, as gemmi's
``neutron92`` holds it. Elements without a measured length are listed there as zero and are unknown here. The
lengths do not depend on s. The strong absorbers (Cd, Sm, Eu, Gd, Dy) have an energy-dependent complex length, of
which only the real part at thermal energies is used.

Anomalous scattering: f' and f'' of Cromer and Liberman (1981) with the corrections of Kissel and Pratt (1990),
Li to U, from gemmi; hydrogen and helium have none to speak of.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import gemmi
import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import DEUTERIUM, N_SPECIES

MAX_S_IT92 = 2.0
"""Å⁻¹: largest sin θ / λ for which the four Gaussians of the International Tables hold."""

HC = 12398.41984
"""eV Å: photon energy times wavelength (CODATA 2018)."""


@dataclass(frozen=True, eq=False)
class ScatteringTable:
    """Coefficients of f0(s) = constant + q Σ_j amplitude_j exp(-width_j s²) for every species code, where q is 1,
    or s² where ``times_s_squared`` is set. Electrons for X-rays, fm for neutrons; s = sin θ / λ in Å⁻¹."""

    name: str
    """What the table is called in error messages."""
    amplitude: Tensor
    """(N_SPECIES, g) float64; g may be 0."""
    width: Tensor
    """(N_SPECIES, g) float64, Å²."""
    constant: Tensor
    """(N_SPECIES,) float64; includes f' where anomalous scattering is asked for."""
    imaginary: Tensor
    """(N_SPECIES,) float64: f''."""
    known: np.ndarray
    """(N_SPECIES,) bool: species that the table holds."""
    times_s_squared: bool = False

    def to(self, device: torch.device | str, dtype: torch.dtype) -> ScatteringTable:
        """The same table with its tensors on another device and in another precision."""
        moved = [t.to(device, dtype) for t in (self.amplitude, self.width, self.constant, self.imaginary)]
        return ScatteringTable(self.name, *moved, known=self.known, times_s_squared=self.times_s_squared)


@functools.lru_cache(maxsize=32)
def scattering_table(radiation: str, wavelength: float | None = None, anomalous: bool = False) -> ScatteringTable:
    """The table for ``radiation`` "xray" or "neutron"; sources and ranges stand in the docstring of the module.

    ``anomalous`` adds f' and f'' for X-rays of ``wavelength`` Å. Raises ValueError for another radiation, and
    for anomalous scattering of neutrons or without a wavelength.
    """
    if radiation not in ("xray", "neutron"):
        raise ValueError(f"radiation {radiation!r} is unknown; use 'xray' or 'neutron'")
    if anomalous and (radiation != "xray" or wavelength is None):
        raise ValueError("anomalous scattering (f', f'') needs radiation='xray' and a wavelength in Å")
    n_gaussians = 4 if radiation == "xray" else 0
    amplitude, width = np.zeros((N_SPECIES, n_gaussians)), np.zeros((N_SPECIES, n_gaussians))
    constant, imaginary = np.zeros(N_SPECIES), np.zeros(N_SPECIES)
    known = np.zeros(N_SPECIES, dtype=bool)
    for code in range(1, N_SPECIES):
        element = gemmi.Element("D") if code == DEUTERIUM else gemmi.Element(code)
        if radiation == "neutron":
            constant[code] = element.neutron92.get_coefs()[0]
            known[code] = constant[code] != 0
        elif element.it92 is not None:
            amplitude[code], width[code], constant[code] = element.it92.a, element.it92.b, element.it92.c
            z = element.atomic_number
            known[code] = not anomalous or z <= 92
            if anomalous and 3 <= z <= 92:
                f_prime, imaginary[code] = gemmi.cromer_liberman(z=z, energy=HC / wavelength)
                constant[code] += f_prime
    name = "neutron scattering length" if radiation == "neutron" else "X-ray form factor"
    tensors = [torch.from_numpy(array) for array in (amplitude, width, constant, imaginary)]
    return ScatteringTable(name + (" with f' and f''" if anomalous else ""), *tensors, known=known)


def form_factors(table: ScatteringTable, species: Tensor, s_squared: Tensor) -> Tensor:
    """Real part of the scattering factor, f0 (+ f'): electrons for X-rays, fm for neutrons.

    ``species`` (integer codes) and ``s_squared`` ((sin θ / λ)² in Å⁻²) broadcast against each other; the result
    has their common shape and the precision of the table. Species that the table does not hold must have been
    refused before (:func:`is_known`); here they scatter nothing.
    """
    total = torch.zeros(torch.broadcast_shapes(species.shape, s_squared.shape)).to(table.constant)
    s_squared = s_squared.to(table.constant.dtype)
    for amplitude, width in zip(table.amplitude.T, table.width.T, strict=True):
        total += amplitude[species] * torch.exp(-width[species] * s_squared)
    if table.times_s_squared:
        total *= s_squared
    return total + table.constant[species]


def is_known(table: ScatteringTable, species: np.ndarray) -> np.ndarray:
    """Which species codes ``table`` holds, as bool of the shape of ``species``; codes out of range are not."""
    inside = (species >= 0) & (species < N_SPECIES)
    return inside & table.known[np.where(inside, species, 0)]

"""What the specimen and its place do to the lines of a pattern.

1. Texture multiplies each intensity, see :mod:`paperlib.diffraction.texture`, and so does the factor of an overall
   displacement B, exp(-2 B sin²θ / λ²).
2. Lines move by the zero shift and by -2 s cos θ / R (radians) for a specimen that lies s behind the axis of a
   Bragg–Brentano goniometer of radius R (Wilson, 1963; International Tables C, section 5.2).
3. Small crystallites add a Lorentzian width K λ / (L cos θ), K = 0.9 (Scherrer, 1918), strain one of 4 ε tan θ (Stokes
   and Wilson, 1944); widths are joined by :func:`paperlib.diffraction.profile.peak_shape`.
4. A second phase with the share v of the volume adds its lines: the intensity of a phase is its volume times Σ|F|² /
   V², V the volume of its cell, here (1 - v) I_1 + v I_2 (V_1 / V_2)². Absorption by both is taken to be the same. It
   shares shifts and broadening and has no texture.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch
from torch import Tensor

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.draws import Draws
from paperlib.diffraction.hkl import reciprocal_metric
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.profile import draw_peaks, peak_shape
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, powder_reflections
from paperlib.diffraction.texture import texture_factors

SCHERRER_K = 0.9
"""Shape factor for the full width at half maximum; 0.94 for cubes and 0.89 for spheres are the usual extremes."""


def scherrer_width(size: Tensor | float, wavelength: float) -> Tensor | float:
    """y in degrees of the width y / cos θ for crystallites of ``size`` nm (> 0) and a wavelength in Å."""
    return math.degrees(SCHERRER_K * wavelength / 10) / size


def strain_width(microstrain: Tensor | float) -> Tensor | float:
    """x in degrees of the width x tan θ for a relative strain ε: 4 ε."""
    return math.degrees(4) * microstrain


def broadest(imperfections: Imperfections, instrument: Instrument) -> Instrument:
    """The instrument with the broadest lines that specimens can give it."""
    smallest = imperfections.crystallite_size[0]
    x, y = instrument.lorentzian
    x = x + strain_width(imperfections.microstrain[1])
    y = y + (scherrer_width(smallest, instrument.wavelength) if smallest else 0.0)
    return dataclasses.replace(instrument, lorentzian=(x, y))


def margin(imperfections: Imperfections, instrument: Instrument) -> float:
    """Degrees 2θ beyond the ends of the range from where lines can reach the pattern, whatever is drawn."""
    shift = max(map(abs, imperfections.zero_shift))
    displacement = max(map(abs, imperfections.displacement)) / imperfections.goniometer_radius
    return broadest(imperfections, instrument).reach + shift + math.degrees(2 * displacement)


def shifted(reflections: Reflections, draws: Draws, goniometer_radius: float) -> Tensor:
    """(r,) float64 positions in degrees 2θ with zero shift and displacement (steps 2 of the module)."""
    theta = torch.deg2rad(reflections.two_theta / 2)
    zero, displacement = (t[reflections.crystal] for t in (draws.zero_shift, draws.displacement))
    return reflections.two_theta + zero - torch.rad2deg(2 * displacement / goniometer_radius * torch.cos(theta))


def line_shape(reflections: Reflections, draws: Draws, instrument: Instrument) -> tuple[Tensor, Tensor]:
    """FWHM in degrees and Lorentzian fraction, both (r,), with size and strain broadening."""
    size = draws.crystallite_size
    y = torch.where(size > 0, scherrer_width(size.clamp(min=1e-3), instrument.wavelength), 0.0)
    x = strain_width(draws.microstrain)
    return peak_shape(instrument, reflections.two_theta, x[reflections.crystal], y[reflections.crystal])


def specimen_patterns(
    reflections: Reflections,
    crystals: CrystalSet,
    instrument: Instrument,
    imperfections: Imperfections,
    draws: Draws,
    memory_budget: int = MEMORY_BUDGET,
) -> Tensor:
    """(n, n_points) noise-free patterns of imperfect specimens, of the scale and type that
    :func:`paperlib.diffraction.profile.draw_peaks` gives.

    ``reflections`` are those of the n ``crystals`` with the :func:`margin` that the ranges ask for, ``draws`` what was
    drawn for them. Raises ValueError, naming it, for a second phase that cannot be simulated.
    """
    if imperfections.has("overall_b"):
        factor = torch.exp(-draws.overall_b[reflections.crystal] / (2 * reflections.d.to(torch.float64) ** 2))
        damped = reflections.intensity * factor.to(reflections.intensity.dtype)
        reflections = dataclasses.replace(reflections, intensity=damped)
    if imperfections.has("texture"):
        factor = texture_factors(reflections, crystals, draws.texture, draws.texture_axis, memory_budget)
        reflections = dataclasses.replace(reflections, intensity=reflections.intensity * factor)
    if imperfections.has("second_phase"):
        share = draws.second_phase.to(reflections.intensity.dtype)
        first = dataclasses.replace(reflections, intensity=reflections.intensity * (1 - share)[reflections.crystal])
        patterns = _drawn(first, instrument, imperfections, draws, memory_budget)
        second = _second_phases(crystals, instrument, imperfections, draws, reflections, memory_budget)
        return patterns + _drawn(second, instrument, imperfections, draws, memory_budget)
    return _drawn(reflections, instrument, imperfections, draws, memory_budget)


def _drawn(
    reflections: Reflections, instrument: Instrument, imperfections: Imperfections, draws: Draws, memory_budget: int
) -> Tensor:
    broadened = imperfections.has("crystallite_size") or imperfections.has("microstrain")
    shape = line_shape(reflections, draws, instrument) if broadened else None
    if imperfections.has("zero_shift") or imperfections.has("displacement"):
        two_theta = shifted(reflections, draws, imperfections.goniometer_radius)
        shape = peak_shape(instrument, reflections.two_theta) if shape is None else shape
        reflections = dataclasses.replace(reflections, two_theta=two_theta)
    return draw_peaks(reflections, instrument, memory_budget, shape)


def _second_phases(
    crystals: CrystalSet,
    instrument: Instrument,
    imperfections: Imperfections,
    draws: Draws,
    like: Reflections,
    memory_budget: int,
) -> Reflections:
    """Lines of the second phase of each of the n crystals, scaled to its share. A phase that several crystals have is
    computed once."""
    device, dtype = like.intensity.device, like.intensity.dtype
    used, which = np.unique(draws.impurity.cpu().numpy(), return_inverse=True)
    pool = imperfections.impurities[used]
    try:
        found = powder_reflections(
            pool, instrument, device, dtype, margin=margin(imperfections, instrument), memory_budget=memory_budget
        )
    except ValueError as error:
        raise ValueError(f"second phases (impurities {used.tolist()[:5]} ... of the pool): {error}") from error

    # det G* = 1 / V²
    volume_ratio = np.linalg.det(reciprocal_metric(pool.cell))[which] / np.linalg.det(reciprocal_metric(crystals.cell))
    scale = (draws.second_phase * torch.from_numpy(volume_ratio).to(device)).to(dtype)
    phase = torch.from_numpy(which).to(device)
    count = found.start.diff()[phase]
    start = torch.nn.functional.pad(count.cumsum(0), (1, 0))
    item = torch.repeat_interleave(count)
    row = torch.arange(len(item), device=device) + (found.start[phase] - start[:-1])[item]
    columns = {
        f.name: getattr(found, f.name)[row]
        for f in dataclasses.fields(Reflections)
        if f.name not in ("crystal", "start")
    }
    columns["intensity"] = columns["intensity"] * scale[item]
    return Reflections(crystal=item, start=start, **columns)

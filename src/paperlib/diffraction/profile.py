"""Peaks on a grid: from line lists to patterns.

A line of intensity I at 2θ_0 becomes I Φ(2θ - 2θ_0) with the pseudo-Voigt function of unit area over 2θ in degrees,

    Φ(x) = (1 - η) √(4 ln 2 / π) / w exp(-4 ln 2 x² / w²) + η (2 / π w) / (1 + 4 x² / w²),

w the full width at half maximum of both parts (Wertheim et al., 1974), sampled at the points of the grid.

Gaussians are cut off at 2.5 w, where 4e-9 of the area lies outside. Lorentzians reach over the whole pattern, with an
error of at most 2e-6 of the height of a line (:mod:`paperlib.diffraction.canvas`).
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor

from paperlib.diffraction.canvas import Canvas, gaussian, lorentzian
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, lorentz_polarisation


def pseudo_voigt(x: Tensor, fwhm: Tensor, eta: float) -> Tensor:
    """Φ(x) per degree at ``x`` degrees from the centre, of unit area; ``x`` and ``fwhm`` (degrees) broadcast."""
    u = x / fwhm
    return ((1 - eta) * gaussian(u) + eta * lorentzian(u)) / fwhm


def peak_shape(
    instrument: Instrument, two_theta: Tensor, x: Tensor | None = None, y: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """FWHM in degrees and Lorentzian fraction η, both (r,), of lines at ``two_theta`` (r,) degrees.

    The instrument's pseudo-Voigt is taken apart into Gaussian and Lorentzian widths, x tan θ + y / cos θ is added to
    the latter, and both are put together again with the polynomials of Thompson, Cox and Hastings, J. Appl. Cryst. 20
    (1987) 79 (their inverse as in the FullProf manual). ``x`` and ``y`` (degrees, (r,)) come on top of
    ``instrument.lorentzian``: strain of 4 ε tan θ and Scherrer widths K λ / (L cos θ) have this form.
    """
    fwhm, eta = instrument.fwhm(two_theta), instrument.eta
    if x is None and y is None and not any(instrument.lorentzian):
        return fwhm, torch.full_like(fwhm, eta)
    theta = torch.deg2rad(two_theta.clamp(*instrument.two_theta) / 2)
    strain = instrument.lorentzian[0] + (0.0 if x is None else x)
    size = instrument.lorentzian[1] + (0.0 if y is None else y)
    gauss = fwhm * math.sqrt(max(0.0, 1 - 0.74417 * eta - 0.24781 * eta**2 - 0.00810 * eta**3))
    lorentz = fwhm * (0.72928 * eta + 0.19289 * eta**2 + 0.07783 * eta**3)
    lorentz = lorentz + strain * torch.tan(theta) + size / torch.cos(theta)
    powers = [1, 2.69269, 2.42843, 4.47163, 0.07842, 1]
    total = sum(c * gauss ** (5 - i) * lorentz**i for i, c in enumerate(powers)) ** 0.2
    q = lorentz / total
    return total, 1.36603 * q - 0.47719 * q**2 + 0.11116 * q**3


def with_second_line(reflections: Reflections, instrument: Instrument) -> Reflections:
    """``reflections`` with the lines of ``instrument.second_wavelength`` appended (unchanged where there is none).

    They stand at the angle of that wavelength plus whatever shift the first line has from its own Bragg angle, with
    the second ratio and their own Lorentz–polarisation factor. The result is no longer in the order of the crystals.
    """
    if not instrument.second_wavelength:
        return reflections
    bragg, sine = (w / (2 * reflections.d) for w in (instrument.wavelength, instrument.second_wavelength))
    first = torch.rad2deg(2 * torch.arcsin(bragg.clamp(max=1)))
    keep = sine < 1
    second = torch.rad2deg(2 * torch.arcsin(sine.clamp(max=1)))
    ratio = instrument.second_ratio * lorentz_polarisation(second, instrument) / lorentz_polarisation(first, instrument)
    columns = {
        "two_theta": second + reflections.two_theta - first,
        "intensity": reflections.intensity * ratio.to(reflections.intensity.dtype),
    }
    names = [f.name for f in dataclasses.fields(Reflections) if f.name != "start"]
    both = {n: torch.cat([getattr(reflections, n), columns.get(n, getattr(reflections, n))[keep]]) for n in names}
    return dataclasses.replace(reflections, **both)


def draw_peaks(
    reflections: Reflections,
    instrument: Instrument,
    memory_budget: int = MEMORY_BUDGET,
    shape: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """(n, n_points) patterns of the n crystals of ``reflections``, on their device and in the type of their
    intensities: intensity per degree 2θ, so that the sum times the step is the sum of the intensities.

    A second wavelength of the instrument adds its lines. ``shape`` (FWHM in degrees and η, both (r,)) replaces that
    of the instrument; the lines of the second wavelength have the shape of the first. Lines are worked off in blocks
    whose arrays stay under ``memory_budget`` bytes.
    """
    fwhm, eta = peak_shape(instrument, reflections.two_theta) if shape is None else shape
    lines = with_second_line(reflections, instrument)
    if len(lines.d) > len(fwhm):
        second = (instrument.second_wavelength < 2 * reflections.d).nonzero().squeeze(1)
        fwhm, eta = torch.cat([fwhm, fwhm[second]]), torch.cat([eta, eta[second]])
    canvas = Canvas(len(reflections.start) - 1, int(instrument.n_points), lines.intensity, memory_budget)
    height = lines.intensity.to(torch.float64) / fwhm
    position = (lines.two_theta - instrument.two_theta[0]) / instrument.step
    width = fwhm / instrument.step
    canvas.gaussians(lines.crystal, position, width, height * (1 - eta))
    tailed = eta.nonzero().squeeze(1)
    if len(tailed):
        canvas.lorentzians(*(t[tailed] for t in (lines.crystal, position, width, height * eta)))
    return canvas.patterns

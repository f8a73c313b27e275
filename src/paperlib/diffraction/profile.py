"""Peaks on a grid: from line lists to patterns.

A line of intensity I at 2θ_0 becomes I Φ(2θ - 2θ_0) with the pseudo-Voigt function of unit area over 2θ in degrees,

    Φ(x) = (1 - η) √(4 ln 2 / π) / w exp(-4 ln 2 x² / w²) + η (2 / π w) / (1 + 4 x² / w²),

w the full width at half maximum of both parts (Wertheim et al., 1974), sampled at the points of the grid.

Gaussians are cut off at 2.5 w, where 4e-9 of the area lies outside. Lorentzians reach over the whole pattern. Their
core is drawn point by point; their tail, which is smooth, is summed over all lines of a crystal on a coarse grid and
interpolated from there: an error of at most 2e-6 of the height of a line, for a fraction of the points.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from paperlib.diffraction.instrument import GAUSSIAN_REACH, Instrument
from paperlib.diffraction.reflections import MEMORY_BUDGET, Reflections, lorentz_polarisation

CORE = 6.0
"""FWHM from the centre where a Lorentzian is half core and half tail."""

CORE_REACH = 4 * CORE
"""FWHM to which cores are drawn; beyond, less than 2e-6 of the height is left out."""

COARSE = 1.0
"""Largest distance of the points of the coarse grid, in FWHM."""

_NODES = range(-2, 4)
"""Points of the coarse grid, counted from the one on the left, that a value between two of them is taken from."""

CPU_BLOCK_BYTES = 2**20
"""On a CPU the arrays of a block of lines should stay in the cache."""

_BYTES_PER_POINT = 40
"""Position, value and intermediates of one line at one point."""

_Shape = Callable[[Tensor], Tensor]


def pseudo_voigt(x: Tensor, fwhm: Tensor, eta: float) -> Tensor:
    """Φ(x) per degree at ``x`` degrees from the centre, of unit area; ``x`` and ``fwhm`` (degrees) broadcast."""
    u = x / fwhm
    return ((1 - eta) * _gaussian(u) + eta * _lorentzian(u)) / fwhm


def _gaussian(u: Tensor) -> Tensor:
    """Gaussian of unit area and unit FWHM."""
    return torch.exp(u * u * (-4 * math.log(2))) * math.sqrt(4 * math.log(2) / math.pi)


def _lorentzian(u: Tensor) -> Tensor:
    """Lorentzian of unit area and unit FWHM."""
    return (2 / math.pi) / (1 + 4 * u * u)


def _core(u: Tensor) -> Tensor:
    """A Lorentzian less its :func:`_tail`; falls off with the fourth power of ``u``."""
    square = u * u
    return (CORE**4 / (2 * math.pi) - square / (8 * math.pi)) / ((square + 0.25) * (square * square + CORE**4))


def _tail(u: Tensor) -> Tensor:
    """u² / (u⁴ + c⁴) / 2π with c = ``CORE``: far from the centre the Lorentzian, and nowhere a feature narrower
    than c."""
    square = u * u
    return square / (square * square + CORE**4) * (1 / (2 * math.pi))


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
    canvas = _Canvas(len(reflections.start) - 1, instrument, lines.intensity, memory_budget)
    height = lines.intensity.to(torch.float64) / fwhm
    position = (lines.two_theta - instrument.two_theta[0]) / instrument.step
    width = fwhm / instrument.step
    canvas.add(lines.crystal, position, width, height * (1 - eta), GAUSSIAN_REACH, _gaussian)
    tailed = eta.nonzero().squeeze(1)
    if len(tailed):
        canvas.add_lorentzians(*(t[tailed] for t in (lines.crystal, position, width, height * eta)))
    return canvas.patterns


class _Canvas:
    """Patterns under construction. Positions and widths are counted in points of the grid, in float64: in the type of
    the intensities 2θ would be good to 1e-5 degrees only."""

    def __init__(self, n: int, instrument: Instrument, like: Tensor, memory_budget: int) -> None:
        self.n_points = int(instrument.n_points)
        self.patterns = torch.zeros((n, self.n_points), dtype=like.dtype, device=like.device)
        self.budget = min(memory_budget, CPU_BLOCK_BYTES) if like.device.type == "cpu" else memory_budget

    def add(
        self, crystal: Tensor, position: Tensor, width: Tensor, height: Tensor, reach: float, shape: _Shape
    ) -> None:
        """Draw ``height * shape((x - position) / width)`` at the points within ``reach`` widths."""
        flat = self.patterns.view(-1)
        for rows, n_window in self._blocks(width, reach):
            offset = torch.arange(n_window, device=flat.device)
            first = torch.ceil(position[rows] - reach * width[rows]).to(torch.int64).clamp(0, self.n_points - n_window)
            inverse = 1 / width[rows]
            # a straight line in the offset, whose slope and start are rounded but once
            start, slope = ((first - position[rows]) * inverse).to(flat.dtype), inverse.to(flat.dtype)
            value = shape(torch.addcmul(start[:, None], slope[:, None], offset.to(flat.dtype)))
            value *= height[rows, None].to(flat.dtype)
            target = (crystal[rows] * self.n_points + first)[:, None] + offset
            flat.scatter_add_(0, target.view(-1), value.view(-1))

    def add_lorentzians(self, crystal: Tensor, position: Tensor, width: Tensor, height: Tensor) -> None:
        """Draw Lorentzians, cores on the grid and tails through coarse grids."""
        self.add(crystal, position, width, height, CORE_REACH, _core)
        stride_of = (width * COARSE).to(torch.int64).clamp(min=1)
        stride_of = 2 ** torch.log2(stride_of.to(torch.float64)).floor().to(torch.int64)
        for stride in torch.unique(stride_of).tolist():
            rows = (stride_of == stride).nonzero().squeeze(1)
            n_coarse = (self.n_points - 1) // stride + len(_NODES)
            coarse = self.patterns.new_zeros((len(self.patterns), n_coarse))
            point = torch.arange(_NODES[0], n_coarse + _NODES[0], device=rows.device, dtype=coarse.dtype) * stride
            block = max(1, self.budget // (_BYTES_PER_POINT * n_coarse))
            for some in rows.split(block):
                inverse = 1 / width[some]
                start, slope = (-position[some] * inverse).to(coarse.dtype), inverse.to(coarse.dtype)
                u = torch.addcmul(start[:, None], slope[:, None], point)
                value = _tail(u).mul_(height[some, None].to(coarse.dtype))
                coarse.index_add_(0, crystal[some], value)
            self._interpolate(coarse, stride)

    def _interpolate(self, coarse: Tensor, stride: int) -> None:
        """Add a coarse grid to the patterns, by Lagrange interpolation of fifth degree."""
        point = torch.arange(self.n_points, device=coarse.device)
        left, t = point // stride, (point % stride).to(coarse.dtype) / stride
        weights = [math.prod((t - other) / (node - other) for other in _NODES if other != node) for node in _NODES]
        block = max(1, self.budget // (_BYTES_PER_POINT * self.n_points))
        for few, patterns in zip(coarse.split(block), self.patterns.split(block), strict=True):
            for i, weight in enumerate(weights):
                patterns.addcmul_(few[:, left + i], weight)

    def _blocks(self, width: Tensor, reach: float) -> Iterator[tuple[Tensor, int]]:
        """Rows of lines and the window that all of them fit in, lines of like width together. Windows come in fixed
        sizes, so that what is drawn of a line does not depend on the other lines."""
        window = (2 * reach * width).to(torch.int64) + 2
        size = torch.log2(window.to(torch.float64)).mul(4).ceil().to(torch.int64)
        for exponent in torch.unique(size).tolist():
            rows = (size == exponent).nonzero().squeeze(1)
            n_window = min(self.n_points, math.floor(2 ** (exponent / 4)) + 1)
            for some in rows.split(max(1, self.budget // (_BYTES_PER_POINT * n_window))):
                yield some, n_window

"""The diffractometer: radiation, wavelength, range, sampling and resolution, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paperlib.diffraction.scattering import MAX_S_IT92

GAUSSIAN_REACH = 2.5
"""A Gaussian peak is drawn out to this many FWHM on each side: there it has fallen to 2^-25 = 3e-8 of its height,
and 4e-9 of its area lies outside."""

LORENTZIAN_REACH = 20.0
"""A peak with a Lorentzian part is drawn over the whole pattern; lines outside the range count up to this many
FWHM beyond its ends, where their tail has fallen to 1/1600 of the height."""

SHORTEST = 0.05
"""Å. Synchrotrons measure powders from some 0.1 Å (120 keV) on; shorter ones are those of electrons."""

K_ALPHA = {"Ag": 0.5609, "Mo": 0.7107, "Cu": 1.5418, "Co": 1.7903, "Fe": 1.9374, "Cr": 2.2910}
"""Å, mean of the doublet (International Tables C, table 4.2.2.1): a tenth of one is a length in nm."""

MAX_DOUBLET = 0.02
"""Relative difference of two wavelengths above which they are no doublet (Kα1 and Kα2 differ by 0.1 to 0.9 %)."""


@dataclass(frozen=True)
class Instrument:
    """A constant-wavelength powder diffractometer.

    Raises ValueError, naming parameter, value, unit and remedy, where the description makes no sense.
    """

    radiation: str = "xray"
    """``xray`` or ``neutron``."""
    wavelength: float = 1.541838
    """Å; the default is the weighted mean of Cu Kα1 and Kα2. With a second wavelength, the first of the two."""
    two_theta: tuple[float, float] = (5.0, 90.0)
    """First and last point of the pattern in degrees."""
    n_points: int = 1000
    """Number of equidistant points, both ends included."""
    resolution: tuple[float, float, float] = (0.01, -0.01, 0.02)
    """Caglioti u, v, w in degrees²: FWHM² = u tan²θ + v tan θ + w."""
    eta: float = 0.0
    """Lorentzian fraction of the pseudo-Voigt peaks, 0 (Gaussian) to 1 (Lorentzian), both of the same FWHM."""
    polarisation: bool = True
    """X-rays of a laboratory tube, polarised by the scattering; False for a beam polarised normal to the
    scattering plane (synchrotron). Neutrons have no such factor."""
    monochromator: float = 0.0
    """Diffraction angle 2θ of a crystal monochromator in degrees, 0 for none; 26.6 for graphite and Cu Kα."""
    anomalous: bool = False
    """Add f' and f'' to the X-ray form factors."""
    lorentzian: tuple[float, float] = (0.0, 0.0)
    """x, y in degrees: a further Lorentzian broadening of FWHM x tan θ + y / cos θ (FullProf's X and Y)."""
    second_wavelength: float = 0.0
    """Å: the other line of a doublet, e.g. 1.544426 for Cu Kα2 beside 1.540593 for Kα1; 0 for one line."""
    second_ratio: float = 0.5
    """Intensity of the second line relative to the first."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "two_theta", tuple(float(x) for x in self.two_theta))
        object.__setattr__(self, "resolution", tuple(float(x) for x in self.resolution))
        object.__setattr__(self, "lorentzian", tuple(float(x) for x in self.lorentzian))
        self._check_beam()
        self._check_range()
        self._check_peaks()

    def _check_beam(self) -> None:
        if self.radiation not in ("xray", "neutron"):
            raise ValueError(f"radiation is {self.radiation!r}; use 'xray' or 'neutron'")
        if not (math.isfinite(self.wavelength) and self.wavelength > 0):
            raise ValueError(f"wavelength is {self.wavelength} Å; give a positive number in Å, e.g. 1.541838")
        if self.wavelength < SHORTEST:
            raise ValueError(f"wavelength is {self.wavelength} Å; no powder diffractometer goes below {SHORTEST} Å")
        for anode, line in K_ALPHA.items():
            if abs(10 * self.wavelength / line - 1) < 1e-3:
                raise ValueError(
                    f"wavelength is {self.wavelength} Å, which is K-alpha of {anode} in nm; it must be given in Å, not "
                    f"in nm (did you mean {10 * self.wavelength:g} Å?)"
                )
        if self.second_wavelength and not abs(self.second_wavelength / self.wavelength - 1) <= MAX_DOUBLET:
            raise ValueError(
                f"second_wavelength is {self.second_wavelength} Å beside wavelength {self.wavelength} Å; the lines of "
                f"a doublet differ by at most {100 * MAX_DOUBLET:g} %; give e.g. 1.544426 beside 1.540593, or 0 for "
                "one line"
            )
        if not (math.isfinite(self.second_ratio) and self.second_ratio > 0):
            raise ValueError(f"second_ratio is {self.second_ratio}; give a positive number, 0.5 for Kα2 / Kα1")
        if not 0 <= self.monochromator < 180:
            raise ValueError(f"monochromator is {self.monochromator}°; give its 2θ in degrees, 0 <= 2θ < 180")
        if self.radiation == "neutron" and (self.anomalous or self.monochromator):
            raise ValueError("anomalous and monochromator describe X-rays; leave them out for radiation='neutron'")

    def _check_range(self) -> None:
        if len(self.two_theta) != 2 or not 0 < self.two_theta[0] < self.two_theta[1] < 180:
            raise ValueError(f"two_theta is {self.two_theta}°; give (first, last) with 0 < first < last < 180 degrees")
        if isinstance(self.n_points, bool) or int(self.n_points) != self.n_points or self.n_points < 2:
            raise ValueError(f"n_points is {self.n_points!r}; a pattern needs a whole number of at least 2 points")
        if self.radiation == "xray" and self.max_s > MAX_S_IT92:
            limit = 2 * math.degrees(math.asin(min(1.0, MAX_S_IT92 * self.wavelength)))
            raise ValueError(
                f"two_theta reaches {self.two_theta[1]}°, sin θ / λ = {self.max_s:.3f} Å⁻¹, but the X-ray form factors "
                f"hold only to {MAX_S_IT92} Å⁻¹; end the range at {limit:.1f}° or take a longer wavelength"
            )

    def _check_peaks(self) -> None:
        if not 0 <= self.eta <= 1:
            raise ValueError(f"eta is {self.eta}; the Lorentzian fraction lies between 0 and 1")
        if len(self.lorentzian) != 2 or not all(math.isfinite(x) and x >= 0 for x in self.lorentzian):
            raise ValueError(f"lorentzian is {self.lorentzian}; give x and y in degrees, finite and not negative")
        if len(self.resolution) != 3 or not np.all(np.isfinite(self.resolution)):
            raise ValueError(f"resolution is {self.resolution}; give three finite numbers u, v, w in degrees²")
        u, v, w = self.resolution
        ends = [math.tan(math.radians(x / 2)) for x in self.two_theta]
        lowest = min(max(-v / (2 * u), ends[0]), ends[1]) if u > 0 else ends[0]
        narrowest, tangent = min((u * t * t + v * t + w, t) for t in (*ends, lowest))
        if narrowest <= 0:
            raise ValueError(
                f"resolution (u, v, w) is {self.resolution} degrees²: FWHM² falls to {narrowest:.3g} degrees² at "
                f"2θ = {2 * math.degrees(math.atan(tangent)):.1f}°, but must be positive from {self.two_theta[0]}° to "
                f"{self.two_theta[1]}°; raise w"
            )
        if self.step > 2 * math.sqrt(narrowest):
            raise ValueError(
                f"n_points is {self.n_points}: the points lie {self.step:.3g}° apart, more than twice the narrowest "
                f"peak (FWHM {math.sqrt(narrowest):.3g}°), so peaks would fall between them; take more points or "
                "broader peaks"
            )

    @property
    def max_s(self) -> float:
        """Largest sin θ / λ in Å⁻¹."""
        return math.sin(math.radians(self.two_theta[1] / 2)) / self.wavelength

    @property
    def step(self) -> float:
        """Distance of two points in degrees 2θ."""
        return (self.two_theta[1] - self.two_theta[0]) / (self.n_points - 1)

    @property
    def has_tails(self) -> bool:
        """Whether the peaks have a Lorentzian part."""
        return self.eta > 0 or any(self.lorentzian)

    @property
    def reach(self) -> float:
        """Degrees 2θ beyond the ends of the range from where lines still contribute to the pattern."""
        ends = torch.tensor(self.two_theta, dtype=torch.float64)
        tangent, cosine = torch.tan(torch.deg2rad(ends / 2)), torch.cos(torch.deg2rad(ends / 2))
        # the sum of the widths of two peaks is an upper bound of the width of their convolution
        widest = float((self.fwhm(ends) + self.lorentzian[0] * tangent + self.lorentzian[1] / cosine).max())
        return widest * (LORENTZIAN_REACH if self.has_tails else GAUSSIAN_REACH) + self._splitting(float(ends[1]))

    def _splitting(self, two_theta: float) -> float:
        """Degrees 2θ between the lines of the doublet at ``two_theta``, rounded up."""
        if not self.second_wavelength:
            return 0.0
        relative = abs(self.second_wavelength / self.wavelength - 1)
        sine = math.sin(math.radians(two_theta / 2))
        further = math.degrees(2 * math.asin(min(1.0, sine * (1 + relative))))
        return max(further - two_theta, math.degrees(2 * relative * math.tan(math.radians(two_theta / 2))))

    def grid(self) -> np.ndarray:
        """(n_points,) float64: the points of a pattern in degrees 2θ."""
        return np.linspace(*self.two_theta, int(self.n_points))

    def fwhm(self, two_theta: Tensor) -> Tensor:
        """Full width at half maximum in degrees, without ``lorentzian``, of peaks at ``two_theta`` degrees (any
        shape); Caglioti, Paoletti and Ricci (1958). Beyond the ends of the range the width at the end is taken,
        because the formula has been found positive only inside."""
        u, v, w = self.resolution
        t = torch.tan(torch.deg2rad(two_theta.clamp(*self.two_theta) / 2))
        return torch.sqrt((u * t + v) * t + w)


CU_KALPHA = Instrument()
"""The instrument of the paper: Cu Kα, 1.541838 Å, 1000 points over 5–90°, Gaussian peaks of 0.13–0.14°."""

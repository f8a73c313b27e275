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


@dataclass(frozen=True)
class Instrument:
    """A constant-wavelength powder diffractometer.

    Raises ValueError, naming parameter, value, unit and remedy, where the description makes no sense.
    """

    radiation: str = "xray"
    """``xray`` or ``neutron``."""
    wavelength: float = 1.541838
    """Å; the default is the weighted mean of Cu Kα1 and Kα2."""
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "two_theta", tuple(float(x) for x in self.two_theta))
        object.__setattr__(self, "resolution", tuple(float(x) for x in self.resolution))
        self._check_beam()
        self._check_range()
        self._check_peaks()

    def _check_beam(self) -> None:
        if self.radiation not in ("xray", "neutron"):
            raise ValueError(f"radiation is {self.radiation!r}; use 'xray' or 'neutron'")
        if not (math.isfinite(self.wavelength) and self.wavelength > 0):
            raise ValueError(f"wavelength is {self.wavelength} Å; give a positive number in Å, e.g. 1.541838")
        if self.wavelength < 0.3:
            raise ValueError(
                f"wavelength is {self.wavelength} Å, shorter than diffractometers use; it must be given in Å, not "
                f"in nm (did you mean {10 * self.wavelength:g} Å?)"
            )
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
    def reach(self) -> float:
        """Degrees 2θ beyond the ends of the range from where lines still contribute to the pattern."""
        widest = float(self.fwhm(torch.tensor(self.two_theta, dtype=torch.float64)).max())
        return widest * (LORENTZIAN_REACH if self.eta > 0 else GAUSSIAN_REACH)

    def grid(self) -> np.ndarray:
        """(n_points,) float64: the points of a pattern in degrees 2θ."""
        return np.linspace(*self.two_theta, int(self.n_points))

    def fwhm(self, two_theta: Tensor) -> Tensor:
        """Full width at half maximum in degrees of peaks at ``two_theta`` degrees (any shape); Caglioti, Paoletti
        and Ricci (1958). Beyond the ends of the range the width at the end is taken, because the formula has
        been found positive only inside."""
        u, v, w = self.resolution
        t = torch.tan(torch.deg2rad(two_theta.clamp(*self.two_theta) / 2))
        return torch.sqrt((u * t + v) * t + w)


CU_KALPHA = Instrument()
"""The instrument of the paper: Cu Kα, 1.541838 Å, 1000 points over 5–90°, Gaussian peaks of 0.13–0.14°."""

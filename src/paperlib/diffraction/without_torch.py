"""What of this room is needed where torch is not loaded: copies of numbers, which tests hold to their originals, and
the mean wavelength.

Reading a measured pattern and asking a network in numpy take a second; loading torch would take several more. The
originals stand in :mod:`paperlib.diffraction.instrument`, :mod:`paperlib.diffraction.baseline` and
:mod:`paperlib.diffraction.mineral_world`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOT_MEASURED = -1.0
"""In a pattern of maximum 1: at this point nothing was measured."""
AVERAGED = 0.2
"""Degrees 2θ over which a pattern is averaged before its baseline is looked for."""
LINE = 4.0
"""Degrees 2θ: the length of the line of the baseline."""

SHORTEST = 0.05
"""Å: the shortest wavelength of a powder diffractometer."""
K_ALPHA = {"Ag": 0.5609, "Mo": 0.7107, "Cu": 1.5418, "Co": 1.7903, "Fe": 1.9374, "Cr": 2.2910}
"""Å, mean of the doublet of each anode."""
MAX_DOUBLET = 0.02
"""Relative difference of two wavelengths above which they are no doublet."""


def mean_wavelength(first: float, second: float, ratio: float) -> float:
    """Å: the mean of the lines of a doublet weighted with their intensities; ``second`` 0 for one line."""
    return (first + ratio * second) / (1 + ratio) if second else first


@dataclass(frozen=True)
class Diffractometer:
    """What of an :class:`~paperlib.diffraction.instrument.Instrument` says where a line stands and how wide it is."""

    radiation: str
    """``xray`` or ``neutron``."""
    wavelength: float
    """Å; with a second wavelength, the first of the two."""
    two_theta: tuple[float, float]
    """First and last point of the pattern in degrees."""
    n_points: int
    """Number of equidistant points, both ends included."""
    resolution: tuple[float, float, float]
    """Caglioti u, v, w in degrees²."""
    lorentzian: tuple[float, float]
    """x, y in degrees: a further broadening of FWHM x tan θ + y / cos θ."""
    second_wavelength: float
    """Å: the other line of a doublet, 0 for one line."""
    second_ratio: float
    """Intensity of the second line relative to the first."""

    @property
    def step(self) -> float:
        """Distance of two points in degrees 2θ."""
        return (self.two_theta[1] - self.two_theta[0]) / (self.n_points - 1)

    @property
    def mean_wavelength(self) -> float:
        """Å: :func:`mean_wavelength` of its lines."""
        return mean_wavelength(self.wavelength, self.second_wavelength, self.second_ratio)

    def grid(self) -> np.ndarray:
        """(n_points,) float64: the points of a pattern in degrees 2θ."""
        return np.linspace(*self.two_theta, self.n_points)


@dataclass(frozen=True)
class Broadening:
    """What of :class:`~paperlib.diffraction.imperfections.Imperfections` makes lines wider: what is drawn from."""

    crystallite_size: tuple[float, float]
    """nm."""
    microstrain: tuple[float, float]
    """Δd / d."""


MINERAL_DIFFRACTOMETER = Diffractometer(
    radiation="xray",
    wavelength=1.540593,
    two_theta=(5.02, 89.98),
    n_points=2125,
    resolution=(0.0011090354888959124, -0.0011090354888959124, 0.0027725887222397813),
    lorentzian=(0.03223679634623583, 0.0),
    second_wavelength=1.5444256,
    second_ratio=0.5,
)
"""``MINERAL_INSTRUMENT``."""

SPANNED_BROADENING = Broadening(crystallite_size=(20.0, 5000.0), microstrain=(0.0, 0.001))
"""Of ``MINERALS`` and ``LABORATORY`` together."""

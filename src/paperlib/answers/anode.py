"""Which anode a pattern was measured with, by how far apart Kα1 and Kα2 stand in all of it.

A wrong wavelength makes every d wrong by one factor, and such a pattern is that of some crystal. The doublet is not
that patient: λ2 / λ1 is a property of the anode.

1. At the same d, sin θ2 / sin θ1 = λ2 / λ1. In x = ln sin θ the pattern of Kα2 is that of Kα1 moved by
   s = ln (λ2 / λ1), for every line, wherever it stands and whatever overlaps: y(x) = a(x) + a(x - s) / 2.
2. Its power spectrum is |ŷ(k)|² = |â(k)|² (5/4 + cos k s): the ripple tells s, the lines are in |â|² alone.
3. Where lines stand at random, |â|² scatters about an envelope, their shape, of which the logarithm is taken as a
   quadratic in k; noise adds a floor. Each s has a likelihood (Whittle, 1953: |ŷ(k)|² is exponentially distributed
   about its mean); "no doublet" has one as well. None needs a line to be found or resolved.
"""

from __future__ import annotations

import math

import numpy as np

from paperlib.answers.network_input import baseline
from paperlib.datasets.measured import MeasuredPattern
from paperlib.diffraction.without_torch import K_ALPHA

DOUBLETS = {
    "Ag": (0.55942178, 0.5638131),
    "Mo": (0.70931715, 0.713607),
    "Cu": (1.5405929, 1.5444274),
    "Co": (1.788996, 1.792835),
    "Fe": (1.936041, 1.939973),
    "Cr": (2.289726, 2.293651),
}
"""Å, Kα1 and Kα2 of each anode (Hölzer et al., Phys. Rev. A 56, 4554, 1997, for Cr to Cu; Deslattes et al., Rev. Mod.
Phys. 75, 35, 2003, for Mo and Ag)."""

SURE = 0.25
"""Of :func:`other_anodes`, from which on it is a warning. It is given to 1-2 % of 250 simulated patterns of each anode
under its own wavelength (6 % where they have Kα1 alone, fewer than 1 % with 30-50 % of a second phase), and to 3 % of
471 measured with copper. Of patterns of Mo, Fe, Cr and Co under the wavelength of copper 80-87 % have it, of Ag 57 %;
of copper under that of Mo 92 %, of Co 39 %; of the measured ones under that of Mo 91 %, of Co 64 %. It names the right
anode in 97 % of these or more. ``python tests/benchmarks/anode.py`` counts all this."""
RIGHT = "of 100 patterns with the right one, 3 have this warning"
CHANCE = 10.0
"""Difference of log-likelihoods that counts for little: few lines are not at random."""

FIRST = 25.0
"""Degrees 2θ below which the doublet is narrower than any line."""
WAVES = 250.0, 7000.0
"""Range of k: slower waves hold where the lines stand, faster ones nothing but noise."""
FLOOR = 0.75
"""Share of the highest k from which on there is noise alone."""
LEAST = 0.7
"""Least range of x, that from 25° to 52°."""
FINEST = 1e4
"""Least k that the points must resolve, as every 0.02° does, or every 0.03° where they reach 80°."""
_SECOND = 0.5
"""Intensity of Kα2 relative to Kα1."""
_DEGREE = 2
_STEPS = 30
_TAPER = 0.05
"""Share of the range over which each end fades."""
_SAME = 4e-3
"""Relative difference of wavelengths of one anode."""


def anode_of(wavelength: float) -> str:
    """The anode with Kα at ``wavelength`` in Å, "" where there is none."""
    return next((name for name, mean in K_ALPHA.items() if abs(wavelength / mean - 1) < _SAME), "")


def doublets(two_theta: np.ndarray, intensity: np.ndarray) -> dict[str, float]:
    """Log-likelihoods of the doublets of :data:`DOUBLETS`, and as "" that of a single line, of a pattern: degrees (n,),
    rising, and ``intensity`` (n,). Empty where it is too short, too coarse, or has gaps."""
    seen = two_theta >= FIRST
    if seen.sum() < 100 or not intensity.max() > 0:
        return {}
    steps = np.diff(two_theta)
    step = float(np.median(steps))
    if steps.max() > 3 * step:
        return {}
    y = intensity / intensity.max()
    x = np.log(np.sin(np.radians(two_theta / 2)))[seen]
    y = (y - baseline(y[None], step)[0])[seen]
    fine = float(np.diff(x).min())
    if x[-1] - x[0] < LEAST or math.pi / fine < FINEST:
        return {}
    k, power, noise = _spectra(x, y, fine)
    found = {"": _likelihood(k, power, noise, 0.0)}
    for anode, (first, second) in DOUBLETS.items():
        found[anode] = _likelihood(k, power, noise, math.log(second / first))
    return found


def other_anodes(pattern: MeasuredPattern) -> dict[str, float]:
    """The anodes but that of its wavelength, and how well their doublets fit a ``pattern``, the best first: of what a
    doublet says against a single line the share, below 1, that neither that of the given wavelength nor a single line
    explains; 0 or less where one of these fits as well. Empty where nothing can be said."""
    found = doublets(pattern.two_theta, pattern.intensity) if pattern.radiation == "xray" else {}
    if not found:
        return {}
    declared = anode_of(pattern.mean_wavelength)
    single = found[""]
    known = max(single, found.get(declared, single))
    shares = {
        name: (found[name] - known) / (max(found[name] - single, 0.0) + CHANCE) for name in DOUBLETS if name != declared
    }
    return dict(sorted(shares.items(), key=lambda one: -one[1]))


def anode_warning(pattern: MeasuredPattern) -> list[str]:
    """A warning that names those of :func:`other_anodes` that reach :data:`SURE`."""
    fit = [f"{name} ({K_ALPHA[name]:.4g} Å)" for name, share in other_anodes(pattern).items() if share >= SURE]
    if not fit:
        return []
    return [
        f"Kα1 and Kα2 are as far apart as those of {' or '.join(fit)}, not as {pattern.wavelength:.5g} Å has them: is "
        f"the wavelength right? ({RIGHT})"
    ]


def _spectra(x: np.ndarray, y: np.ndarray, fine: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Waves k in :data:`WAVES`, the power of ``y`` (n,) at ``x`` (n,) in them, and what of it is noise."""
    even = np.arange(x[0], x[-1], fine)
    from_end = np.minimum(np.arange(len(even)), np.arange(len(even))[::-1]) / (_TAPER * len(even))
    taper = np.sin(np.pi / 2 * np.minimum(from_end, 1)) ** 2
    power = np.abs(np.fft.rfft(np.interp(even, x, y) * taper)) ** 2
    k = 2 * np.pi * np.fft.rfftfreq(len(even), fine)
    # white noise at points dx apart, interpolated linearly: triangles, of the transform dx sinc²(k dx / 2)
    distance, knots = np.diff(x)[::8], np.linspace(0, k[-1], 200)
    waves = np.sinc(knots[:, None] * distance / (2 * np.pi))
    noise = np.interp(k, knots, (distance**2 * waves**4).sum(axis=1))
    floor = k > FLOOR * k[-1]
    noise *= np.median(power[floor] / noise[floor]) / math.log(2)
    inside = (k > WAVES[0]) & (k < min(WAVES[1], FLOOR * k[-1]))
    return k[inside], power[inside], noise[inside]


def _likelihood(k: np.ndarray, power: np.ndarray, noise: np.ndarray, shift: float) -> float:
    """The greatest log-likelihood of ``power`` (n,) with a doublet that is ``shift`` wide in x, over all envelopes; by
    Fisher scoring, each step halved until it climbs."""
    ripple = 1 + _SECOND**2 + 2 * _SECOND * np.cos(k * shift) if shift else np.ones_like(k)
    terms = np.polynomial.chebyshev.chebvander(2 * (k - k[0]) / (k[-1] - k[0]) - 1, _DEGREE)

    def mean(envelope: np.ndarray) -> np.ndarray:
        return np.exp(np.clip(terms @ envelope, -80, 80)) * ripple + noise

    def likelihood(envelope: np.ndarray) -> float:
        expected = mean(envelope)
        return -float((np.log(expected) + power / expected).sum())

    smooth = np.convolve(np.pad(power, 20, mode="edge"), np.full(41, 1 / 41), mode="valid")
    envelope = np.linalg.lstsq(terms, np.log(np.maximum(smooth - noise, 0.05 * noise)), rcond=None)[0]
    best = likelihood(envelope)
    for _ in range(_STEPS):
        expected = mean(envelope)
        slopes = terms * (1 - noise / expected)[:, None]
        step = np.linalg.lstsq(slopes, power / expected - 1, rcond=None)[0]
        climbed = next((s for s in 0.5 ** np.arange(10) if likelihood(envelope + s * step) > best), 0.0)
        gained = likelihood(envelope + climbed * step) - best
        envelope, best = envelope + climbed * step, best + gained
        if gained < 1e-3:
            break
    return best

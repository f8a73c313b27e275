"""Powder patterns that do not know the scale of a crystal, to tell arrangements of atoms apart.

Two determinations of one structure, at two temperatures or with two density functionals, differ in the scale of the
cell before they differ in anything else; drawn over 2θ their lines do not meet. Here every cell is first brought to
the same volume per atomic site, and the lines are drawn over ln d with one relative width, so that a strain of the
cell within the tolerance of the rules leaves them on one another. Two arrangements of the same atoms in one cell still
differ: in how much intensity lies where.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from paperlib.crystals.cell_geometry import cell_volume
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import powder_reflections

VOLUME_PER_SITE = 15.0
"""Å³ that each crystal is brought to: about the mean of inorganic crystals."""

INSTRUMENT = Instrument(two_theta=(4.0, 90.0))
"""X-rays of Cu Kα; at :data:`VOLUME_PER_SITE` the lines with d from 1.09 to 22 Å count."""

STEP = 0.01
"""Of the axis ln d."""

WIDTHS = (0.01, 0.03)
"""Standard deviations of a line on the axis ln d. A line that moves by a third of its width looks like another line,
so that the width must be several times the difference of the cells; the narrower it is, the more it tells."""

FINE = 0.0015
"""Relative difference of two cells up to which the narrow lines serve, above it the wide ones."""

_FIRST, _LAST = (
    math.log(INSTRUMENT.wavelength / (2 * math.sin(math.radians(angle / 2)))) for angle in INSTRUMENT.two_theta[::-1]
)
_MARGIN = math.ceil(4 * max(WIDTHS) / STEP)
N_POINTS = math.ceil((_LAST - _FIRST) / STEP) + 2 * _MARGIN + 1
"""Points of a fingerprint."""


def fingerprints(crystals: CrystalSet) -> np.ndarray:
    """(n, 2, N_POINTS) float32, drawn with the narrow and with the wide lines, each of length 1: the product of two
    rows is the similarity of two crystals, 0 … 1.

    1. Cells are scaled to :data:`VOLUME_PER_SITE`; rows at one place (a disordered site) count once, and displacement
       parameters, which some sources give and others do not, are left out.
    2. Each line adds its intensity (multiplicity × squared structure factor × Lorentz–polarisation factor) at ln d,
       drawn as a Gaussian.
    3. The square root is taken, so that weak lines count, and the sum of squares made 1: the product of two
       fingerprints is the Bhattacharyya coefficient of the two patterns.

    Crystals without a line in the range give zeros. Raises ValueError for crystals that cannot be simulated.
    """
    owner = np.repeat(np.arange(len(crystals)), crystals.n_sites)
    sites = np.bincount(owner, begins_place(crystals), len(crystals))
    # a crystal without atoms keeps a cell, so that it is refused for what it lacks
    scale = (VOLUME_PER_SITE * np.maximum(sites, 1) / cell_volume(crystals.cell)) ** (1 / 3)
    cell = np.concatenate([crystals.cell[:, :3] * scale[:, None], crystals.cell[:, 3:]], axis=1)
    lines = powder_reflections(replace(crystals, cell=cell, b_iso=np.zeros_like(crystals.b_iso)), INSTRUMENT)
    place = (np.log(lines.d.numpy()) - _FIRST) / STEP + _MARGIN
    point, share = np.floor(place).astype(np.int64), place % 1.0
    row, intensity = lines.crystal.numpy() * N_POINTS, lines.intensity.numpy()
    size = len(crystals) * N_POINTS
    drawn = np.bincount(row + point, intensity * (1 - share), size)
    drawn += np.bincount(row + np.minimum(point + 1, N_POINTS - 1), intensity * share, size)
    drawn = drawn.reshape(-1, N_POINTS)
    smooth = np.stack([gaussian_filter1d(drawn, width / STEP, axis=1, mode="constant") for width in WIDTHS], axis=1)
    root = np.sqrt(np.maximum(smooth, 0))
    return (root / np.maximum(np.linalg.norm(root, axis=2, keepdims=True), 1e-30)).astype(np.float32)


def begins_place(crystals: CrystalSet) -> np.ndarray:
    """(m,) float64: 1 for the first row of each place of each crystal, else 0."""
    begins = np.ones(len(crystals.frac))
    begins[1:] = np.any(crystals.frac[1:] != crystals.frac[:-1], axis=1)
    begins[crystals.site_start[:-1][crystals.n_sites > 0]] = 1
    return begins

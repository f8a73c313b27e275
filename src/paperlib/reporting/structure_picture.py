"""A crystal structure as a picture: the cell in parallel projection, atoms as balls, bonds by distance.

Nothing but fractional coordinates and radii is needed, so that the picture can be drawn from results.
"""

from __future__ import annotations

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from paperlib.reporting import style

TURN, TILT = 17.0, 11.0
"""Degrees about the vertical and towards the viewer: a little off an axis, as structures are usually shown."""

BALL = 0.42
"""Radius of a ball over the covalent radius."""

BOND = 1.12
"""A bond is drawn up to this multiple of the sum of the covalent radii: what crystallographic viewers use."""

_FACE = 1e-3
"""Fractional distance within which an atom lies on a face and is repeated on the opposite one."""


def lattice_vectors(cell: np.ndarray) -> np.ndarray:
    """(3, 3) rows a, b, c in Å of a cell (6,) in Å and degrees: a along x, b in the xy plane (International Tables B,
    section 3.3.1)."""
    a, b, c = cell[:3]
    cos_alpha, cos_beta, cos_gamma = np.cos(np.radians(cell[3:]))
    sin_gamma = np.sqrt(1 - cos_gamma**2)
    x, y = cos_beta, (cos_alpha - cos_beta * cos_gamma) / sin_gamma
    return np.array([[a, 0, 0], [b * cos_gamma, b * sin_gamma, 0], [c * x, c * y, c * np.sqrt(1 - x * x - y * y)]])


def with_faces(frac: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, 3) the atoms (n, 3) in the cell and once more on each opposite face, edge or corner; (k,) which atom each
    is."""
    frac = np.where(frac % 1 > 1 - _FACE, 0.0, frac % 1)
    shifts = np.array(list(itertools.product((0, 1), repeat=3)))
    allowed = np.all((shifts[None] == 0) | (frac[:, None] < _FACE), axis=-1)
    atom, shift = np.nonzero(allowed)
    return frac[atom] + shifts[shift], atom


def bonds(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """(k, 2) pairs of points (n, 3; Å) no further apart than ``BOND`` times the sum of their ``radii`` (n,)."""
    apart = np.linalg.norm(points[:, None] - points, axis=-1)
    return np.argwhere(np.triu(apart <= BOND * (radii[:, None] + radii), 1))


def draw_structure(ax: Axes, cell: np.ndarray, frac: np.ndarray, elements: list[str], radii: np.ndarray) -> dict:
    """Draw a cell (6,) with atoms at ``frac`` (n, 3) of ``elements`` (n) with covalent ``radii`` (n,) in Å; c points
    up. Returns the colour of each element. The axes lose their frame and get equal scales."""
    vectors = lattice_vectors(cell)
    turn, tilt = np.radians([TURN, TILT])
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]])
    # seen along y of the turned frame: x to the right, z up; what has a small y is near
    view = about_x @ about_z
    positions, atom = with_faces(frac)
    # rounded, so that neither the picture's bytes nor which of two equally near atoms is in front hang on last digits
    points, radii = (positions @ vectors @ view.T).round(4), radii[atom]
    near, far = points[:, 1].min(), np.ptp(points[:, 1]) + 1e-9
    palette = (style.BLUE, style.VERMILION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY)
    colours = {name: palette[i % len(palette)] for i, name in enumerate(dict.fromkeys(elements))}
    for i, j in bonds(points, radii):
        depth = -np.mean(points[[i, j], 1])
        ax.plot(points[[i, j], 0], points[[i, j], 2], color="0.55", lw=1.1, solid_capstyle="round", zorder=depth - 1e-3)
    for i in np.argsort(-points[:, 1], kind="stable"):
        haze = 0.45 * (points[i, 1] - near) / far
        face = (1 - haze) * np.array(_rgb(colours[elements[atom[i]]])) + haze
        x, depth, z = points[i]
        ax.add_patch(Circle((x, z), BALL * radii[i], fc=face, ec="0.15", lw=0.35, zorder=-depth))
        light = 0.55 * face + 0.45
        shine = (x - 0.28 * BALL * radii[i], z + 0.28 * BALL * radii[i])
        ax.add_patch(Circle(shine, 0.3 * BALL * radii[i], fc=light, lw=0, zorder=-depth + 1e-4))
    _edges(ax, (vectors @ view.T).round(4))
    ax.set_aspect("equal")
    ax.autoscale_view()
    ax.axis("off")
    return colours


def _edges(ax: Axes, vectors: np.ndarray) -> None:
    for start in itertools.product((0, 1), repeat=3):
        for axis in range(3):
            if start[axis] == 0:
                begin = np.array(start) @ vectors
                end = begin + vectors[axis]
                behind = -max(begin[1], end[1]) - 1e-2
                ax.plot([begin[0], end[0]], [begin[2], end[2]], color=style.BLACK, lw=0.5, zorder=behind)


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))

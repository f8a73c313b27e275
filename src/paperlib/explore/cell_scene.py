"""A crystal in three dimensions, as traces of plotly: cell edges, atoms, bonds. No molecular viewer is needed, and none
that loads its code from the network."""

from __future__ import annotations

import itertools

import gemmi
import numpy as np
import plotly.graph_objects as go

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.crystals.species import species_symbol
from paperlib.reporting import style
from paperlib.reporting.structure_picture import bonds, lattice_vectors, with_faces

PALETTE = (style.BLUE, style.VERMILION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY)
"""Of the elements of a crystal, in the order in which they come, as in the pictures of the paper."""
MOST_BONDED = 400
"""Atoms of a cell up to which bonds are looked for."""
_SIZE = 11.0
"""Pixels per Å of covalent radius."""


def cell_traces(crystal: CrystalSet, scene: str) -> list[go.Scatter3d]:
    """The traces of one ``crystal`` in the ``scene`` of a figure ("scene", "scene2", …): always three."""
    vectors = lattice_vectors(crystal.cell[0])
    positions, atom = with_faces(crystal.frac)
    points = positions @ vectors
    names = [species_symbol(int(code)) for code in crystal.species]
    radius = np.array([gemmi.Element(name).covalent_r for name in names])
    colours = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(dict.fromkeys(names))}
    hover = [_said(names[a], place, float(crystal.occupancy[a])) for a, place in zip(atom, positions, strict=True)]
    common = {"scene": scene, "showlegend": False}
    pairs = bonds(points, radius[atom]) if len(points) <= MOST_BONDED else np.zeros((0, 2), dtype=np.int64)
    metal = np.array([gemmi.Element(name).is_metal for name in names])[atom]
    pairs = pairs[~metal[pairs].all(axis=1)]  # metals touch in all directions
    return [
        go.Scatter3d(**_segments(_edges(vectors)), **common, mode="lines", hoverinfo="skip", line=_line("#1A1A1A", 3)),
        go.Scatter3d(**_segments(points[pairs]), **common, mode="lines", hoverinfo="skip", line=_line("#9A9A9A", 4)),
        go.Scatter3d(
            x=points[:, 0],
            y=points[:, 1],
            z=points[:, 2],
            **common,
            mode="markers",
            text=hover,
            hoverinfo="text",
            marker={
                "size": np.clip(_SIZE * radius[atom], 5, 22),
                "color": [colours[names[a]] for a in atom],
                "opacity": 1,
                "line": {"color": "#303030", "width": 1},
            },
        ),
    ]


def scene_layout() -> dict:
    """The layout of a scene: no axes, equal scales, parallel projection, c upwards."""
    hidden = {"visible": False, "showspikes": False}
    eye = {"x": 0.65, "y": -2.05, "z": 0.65}
    camera = {"projection": {"type": "orthographic"}, "eye": eye, "up": {"x": 0, "y": 0, "z": 1}}
    return {"xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "aspectmode": "data", "camera": camera}


def _said(name: str, place: np.ndarray, occupancy: float) -> str:
    where = ", ".join(f"{x:.4g}" for x in place.round(4) + 0.0)
    return f"<b>{name}</b> {where}" + (f"<br>occupied to {100 * occupancy:.3g} %" if occupancy < 1 else "")


def _edges(vectors: np.ndarray) -> np.ndarray:
    """(12, 2, 3) the edges of a cell."""
    corners = np.array(list(itertools.product((0, 1), repeat=3)))
    pairs = [(a, b) for a, b in itertools.combinations(corners, 2) if np.abs(a - b).sum() == 1]
    return np.array(pairs) @ vectors


def _segments(ends: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of one line through (k, 2, 3) segments, parted by gaps."""
    broken = np.concatenate([ends, np.full((len(ends), 1, 3), np.nan)], axis=1).reshape(-1, 3)
    return dict(zip("xyz", broken.T, strict=True))


def _line(colour: str, width: float) -> dict:
    return {"color": colour, "width": width}

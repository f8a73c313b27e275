"""Crystals built by hand, so that these tests rest on no other program's idea of a structure."""

import os
from pathlib import Path

import numpy as np
import pytest

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.symmetry.groups import cell_constraints, operations, wyckoff_positions


def _build(*crystals):
    """A CrystalSet from dicts with cell, frac and species, and what differs from the defaults."""
    counts = [len(c["frac"]) for c in crystals]

    def per_site(name, default):
        return np.concatenate([np.broadcast_to(c.get(name, default), k) for c, k in zip(crystals, counts, strict=True)])

    return CrystalSet(
        cell=np.array([c["cell"] for c in crystals], dtype=float),
        space_group=np.array([c.get("space_group", 1) for c in crystals], dtype=np.int16),
        standard=np.array([c.get("standard", False) for c in crystals]),
        site_start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        frac=np.concatenate([np.asarray(c["frac"], dtype=float).reshape(-1, 3) for c in crystals]),
        species=per_site("species", 0).astype(np.int16),
        occupancy=per_site("occupancy", 1.0).astype(float),
        b_iso=per_site("b_iso", 0.0).astype(float),
        formula=np.array([c.get("formula", "") for c in crystals]),
        source_id=np.array([c.get("source_id", f"hand-{i}") for i, c in enumerate(crystals)]),
    )


def _symmetric(number, rng, edge=4.5):
    """A crystal of a space group in its standard setting: one species on each of up to three random Wyckoff
    positions, at random points. A position without a free coordinate holds one species only."""
    constraints = cell_constraints(number)
    edges = edge * rng.uniform(0.8, 1.4, 3)[list(constraints.equal_edge)]
    angles = [x if x is not None else float(rng.uniform(75, 115)) for x in constraints.fixed_angle]
    rotations, translations = operations(number)
    positions = wyckoff_positions(number)
    chosen = [positions[0], *(positions[i] for i in rng.integers(len(positions), size=2))]
    frac, species, b_iso, full = [], [], [], set()
    for position, code, b in zip(chosen, (8, 26, 55), (0.4, 0.0, 1.1), strict=True):
        if position.letter in full:
            continue
        if position.degrees_of_freedom == 0:
            full.add(position.letter)
        crowded = True
        while crowded:  # a point too near to an axis or a plane would meet its own images
            site = position.representative[:, :3] @ rng.random(3) + position.representative[:, 3]
            points = rotations[position.orbit] @ site + translations[position.orbit]
            apart = points[:, None] - points
            crowded = np.sum(np.all(np.abs(apart - np.round(apart)) < 0.01, axis=2)) > len(points)
        frac.append(points)
        species += [code] * len(points)
        b_iso += [b] * len(points)
    return {
        "cell": [*edges, *angles],
        "frac": np.concatenate(frac),
        "species": species,
        "b_iso": b_iso,
        "space_group": number,
        "standard": True,
        "source_id": f"group-{number}",
    }


@pytest.fixture(scope="session")
def build():
    """build(*dicts) -> CrystalSet."""
    return _build


@pytest.fixture(scope="session")
def symmetric():
    """symmetric(number, rng, edge) -> dict for ``build``."""
    return _symmetric


@pytest.fixture(scope="session")
def triclinic():
    """A crystal without any symmetry, three species, partial occupancies and displacements."""
    rng = np.random.default_rng(11)
    return {
        "cell": [4.1, 5.3, 6.2, 81.0, 97.0, 103.0],
        "frac": rng.random((7, 3)),
        "species": [8, 8, 8, 14, 14, 56, 56],
        "occupancy": [1, 1, 0.5, 1, 0.75, 1, 0.25],
        "b_iso": [0.5, 0.5, 0.9, 0.3, 0.3, 0.0, 0.2],
    }


@pytest.fixture(scope="session")
def halite():
    """NaCl in its conventional cell, Fm-3m."""
    lattice = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return {
        "cell": [5.6402] * 3 + [90.0] * 3,
        "frac": np.concatenate([lattice, lattice + 0.5]),
        "species": [11] * 4 + [17] * 4,
        "space_group": 225,
        "standard": True,
        "source_id": "NaCl",
    }


@pytest.fixture(scope="session")
def reference_folder():
    """Folder of calculations by independent programs; these tests are skipped where there is none."""
    folder = os.environ.get("PAPERLIB_DATA")
    if not folder:
        pytest.skip("PAPERLIB_DATA is not set; it names the folder with reference calculations of other programs")
    return Path(folder) / "reference"


@pytest.fixture(scope="session")
def lines_of():
    """lines_of(reflections, i) -> positions and intensities of one crystal as arrays."""

    def select(reflections, i):
        rows = slice(int(reflections.start[i]), int(reflections.start[i + 1]))
        return reflections.two_theta[rows].cpu().numpy(), reflections.intensity[rows].cpu().numpy().astype(float)

    return select

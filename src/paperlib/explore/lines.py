"""The lines that the lattice of a crystal can show, allowed and forbidden, with what is said of each when it is pointed
at: hkl, multiplicity, spacing, and the condition that a forbidden one breaks."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from paperlib.answers.broken import broken_condition
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import distance_to, lattice_lines, widths
from paperlib.diffraction.reflections import Reflections
from paperlib.symmetry.absence_order import kinds_of_absence
from paperlib.symmetry.groups import laue_rotations

MOST = 300
"""Allowed, and forbidden, lines that are drawn, the lowest."""
NAMED = 4
"""Reflections of one line that are named."""


@dataclass(frozen=True, eq=False)
class Lines:
    """m lines of one crystal on one instrument, by rising angle."""

    d: np.ndarray
    """(m,) Å."""
    two_theta: np.ndarray
    """(m,) degrees."""
    allowed: np.ndarray
    """(m,) bool."""
    height: np.ndarray
    """(m,) intensity over that of the strongest line; 0 for forbidden ones."""
    hkl: np.ndarray
    """(m, 3) int64: the first reflection of each."""
    text: tuple[str, ...]
    """(m) what is said of each, in HTML."""

    def __len__(self) -> int:
        return len(self.d)

    def nearest(self, two_theta: float, allowed: bool) -> int | None:
        """The line nearest to an angle in degrees among the allowed or the forbidden ones; None without any."""
        rows = np.flatnonzero(self.allowed == allowed)
        return int(rows[np.argmin(np.abs(self.two_theta[rows] - two_theta))]) if len(rows) else None

    def name(self, line: int) -> str:
        """The indices of a line, "1 1 1"."""
        return " ".join(map(str, self.hkl[line].tolist()))


def lines_of(crystal: CrystalSet, instrument: Instrument, reflections: Reflections) -> Lines:
    """The lines of the one ``crystal``, whose allowed ``reflections`` are known: the allowed ones, and those forbidden
    ones that stand a width or more from all of them. Raises ValueError for a crystal that is not in the standard
    setting of its group."""
    lattice, number = lattice_lines(crystal, instrument), int(crystal.space_group[0])
    _, first = np.unique(lattice.line, return_index=True)
    members = np.split(np.arange(len(lattice.line)), first[1:])
    shown = np.array([lattice.allowed[rows].any() for rows in members], dtype=bool)
    angle = lattice.two_theta[first] if len(first) else np.zeros(0)
    apart = distance_to(angle, angle[shown]) > widths(instrument, angle)
    kept = np.sort(np.concatenate([np.flatnonzero(shown)[:MOST], np.flatnonzero(~shown & apart)[:MOST]]))
    intensity, multiplicity = _by_hkl(reflections)
    height = np.zeros(len(kept))
    texts = []
    for i, line in enumerate(kept.tolist()):
        rows = [row for row in members[line].tolist() if lattice.allowed[row] == shown[line]]
        named = [tuple(lattice.hkl[row].tolist()) for row in rows]
        height[i] = sum(intensity.get(hkl, 0.0) for hkl in named) if shown[line] else 0.0
        texts.append(_said(number, named, [multiplicity.get(hkl, 0) for hkl in named], bool(shown[line])))
    height /= max(height.max(initial=0.0), 1e-300)
    d, two_theta = lattice.d[first][kept], angle[kept]
    facts = [
        f"{text}<br>d = {one:.4f} Å, 2θ = {place:.2f}°" + (f", {100 * tall:.3g} %" if seen else "")
        for text, one, place, tall, seen in zip(texts, d, two_theta, height, shown[kept], strict=True)
    ]
    return Lines(d, two_theta, shown[kept], height, lattice.hkl[first][kept], tuple(facts))


def _by_hkl(reflections: Reflections) -> tuple[dict[tuple[int, ...], float], dict[tuple[int, ...], int]]:
    """Intensity and multiplicity of each reflection."""
    names = list(map(tuple, reflections.hkl.tolist()))
    return (
        dict(zip(names, reflections.intensity.tolist(), strict=True)),
        dict(zip(names, reflections.multiplicity.tolist(), strict=True)),
    )


def _said(number: int, named: list[tuple[int, ...]], multiplicity: list[int], allowed: bool) -> str:
    if not allowed:
        kind, condition = _forbidden_by(number, named[0])
        return f"<b>{_index(named[0])}</b> forbidden by a {kind}<br>{condition}"
    parts = [f"<b>{_index(hkl)}</b> × {m}" for hkl, m in zip(named[:NAMED], multiplicity, strict=False)]
    return ", ".join(parts) + ", …" * (len(named) > NAMED)


@functools.cache
def _forbidden_by(number: int, hkl: tuple[int, int, int]) -> tuple[str, str]:
    """What extinguishes a reflection, and the condition that it breaks. Equivalents are asked too: the operation that
    extinguishes one need not extinguish the others."""
    equivalents = np.asarray(hkl, dtype=np.int64) @ laue_rotations(number).astype(np.int64)
    found = set(kinds_of_absence(number, equivalents)) - {""}
    kind = next((name for name in ("centring", "glide", "screw") if name in found), "centring")
    words = {"centring": "centring", "glide": "glide plane", "screw": "screw axis"}
    return words[kind], broken_condition(number, hkl)


def _index(hkl: tuple[int, ...]) -> str:
    return " ".join(str(i).replace("-", "−") for i in hkl)

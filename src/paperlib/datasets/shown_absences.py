"""Does a pattern show that a crystal belongs to no stricter extinction class?

A crystal of one class obeys the conditions of a stricter one, by accident, when no line that they forbid is strong
enough to be seen: neighbours in the periodic table scatter X-rays alike and hide what tells them apart, and atoms on
special positions extinguish more than their group does. The label is then true, and the pattern does not show it.

A *line* is what a powder pattern resolves: all reflections that the symmetry of the empty lattice makes equivalent. It
breaks a condition when each of them does. Classes are compared in the cell of the crystal, with a primitive or a
centred lattice; the axes of orthorhombic crystals may be permuted and the three cell choices of monoclinic ones
exchanged, since nothing in a pattern names them. Lines of one spacing that the lattice does not make equivalent (300
and 221 of a cubic one) count each for itself.
"""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.absences import EXAMPLES, PERIOD, holohedry, present_codes, reflection_codes
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.reflections import powder_reflections
from paperlib.symmetry.axis_choices import axis_choices
from paperlib.symmetry.extinction import extinction_classes
from paperlib.symmetry.groups import crystal_family, laue_rotations

VISIBLE = 1e-3
"""Of the strongest line: what a good laboratory pattern shows above its noise."""

_HIGHEST_INDEX = 6
"""00l: l = 6n has the longest period of all reflection conditions."""


def stricter_classes(crystals: CrystalSet, instrument: Instrument, visible: float = VISIBLE) -> pd.DataFrame:
    """One row per crystal, (n, 4): ``source_id``; ``space_group``; ``stricter``, how many extinction classes
    ("absences") of the same crystal family have more conditions in the same cell; and ``unbroken``, how many of these
    no line above ``visible`` of the strongest breaks.

    Crystals stand in the standard setting; raises ValueError, naming the first, where one does not, and for crystals
    without a pattern on ``instrument``.
    """
    if not crystals.standard.all():
        name = crystals.source_id[np.flatnonzero(~crystals.standard)[0]]
        raise ValueError(f"{name} is not in the standard setting, so its hkl cannot be compared; read it standardised")
    n = len(crystals)
    lines = powder_reflections(crystals, instrument)
    crystal, intensity = lines.crystal.numpy(), lines.intensity.numpy()
    strongest = np.zeros(n)
    np.maximum.at(strongest, crystal, intensity)
    seen = intensity > visible * strongest[crystal]
    crystal, hkl = crystal[seen], lines.hkl.numpy()[seen].astype(np.int64)
    stricter, unbroken = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for number in np.unique(crystals.space_group):
        laue, members = holohedry(int(number)), np.flatnonzero(crystals.space_group == number)
        rows = np.isin(crystal, members)
        indices, line = np.unique(hkl[rows], axis=0, return_inverse=True)
        for settings in _stricter(int(number)):
            free = np.zeros(n, dtype=bool)
            for matrix, representative in settings:
                breaks = ~_present(representative, laue, indices @ matrix)[line.ravel()]
                broken = np.bincount(crystal[rows], weights=breaks, minlength=n) > 0
                free[members] |= ~broken[members]
            stricter[members] += 1
            unbroken += free
    columns = {"source_id": crystals.source_id, "space_group": crystals.space_group}
    return pd.DataFrame(columns | {"stricter": stricter, "unbroken": unbroken})


@functools.cache
def _stricter(number: int) -> tuple[tuple[tuple[np.ndarray, int], ...], ...]:
    """For each stricter class its settings: a matrix that acts on rows hkl, and a space group of the class."""
    own = _present(number, holohedry(number), _grid())
    found = []
    for settings in _classes(holohedry(number), crystal_family(number)):
        stricter = tuple(
            (matrix, group) for matrix, group, other in settings if not np.any(other & ~own) and np.any(own & ~other)
        )
        found += [stricter] if stricter else []
    return tuple(found)


@functools.cache
def _classes(laue: str, family: str) -> tuple[tuple[tuple[np.ndarray, int, np.ndarray], ...], ...]:
    """For each class of a crystal family its settings that differ: matrix, space group, and what is present of the
    grid, lines being those of the holohedry ``laue``."""
    classes = []
    for members in extinction_classes("absences"):
        if crystal_family(members[0]) == family:
            settings: dict[bytes, tuple[np.ndarray, int, np.ndarray]] = {}
            for matrix in axis_choices(family):
                present = _present(members[0], laue, _grid() @ matrix)
                settings.setdefault(present.tobytes(), (matrix, members[0], present))
            classes.append(tuple(settings.values()))
    return tuple(classes)


@functools.cache
def _grid() -> np.ndarray:
    """(2197, 3) int64: all hkl with indices that show every residue."""
    axis = np.arange(-_HIGHEST_INDEX, _HIGHEST_INDEX + 1)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def _present(number: int, laue: str, hkl: np.ndarray) -> np.ndarray:
    """(m,) bool: whether group ``number`` shows the line of each of ``hkl`` (m, 3), lines being those of the
    holohedry ``laue``."""
    orbits = hkl @ laue_rotations(EXAMPLES[laue]).astype(np.int64)
    codes = reflection_codes(*np.moveaxis(orbits, -1, 0))
    # Which of the equivalents lies in the asymmetric unit does not matter, as long as the zone that the line lies in
    # shows in its code: the one with the most zero or equal indices.
    relations = np.array([bits.bit_count() for bits in range(32)])[codes // PERIOD**3]
    best = codes[relations.argmax(axis=0), np.arange(len(hkl))]
    return present_codes(number, laue)[best]

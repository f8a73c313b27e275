"""Our lines against those of pymatgen, structure by structure."""

from __future__ import annotations

import pandas as pd

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.peers import compare
from paperlib.diffraction.reflections import powder_reflections
from paperlib.symmetry import groups


def pymatgen_deviations(crystals: CrystalSet, instrument: Instrument) -> pd.DataFrame:
    """Deviations from the lines of pymatgen: one row per crystal.

    Columns: lines (how many pymatgen has), position_deviation (largest, in degrees 2θ), r_their_f0 and r_ours (R of
    the intensities, see :class:`paperlib.diffraction.peers.compare.LineDisagreement`, with pymatgen's form factors and
    with our own), source_id, formula, space_group, crystal_system. Raises ValueError for an instrument that pymatgen
    does not know and for a crystal without lines.
    """
    ours = powder_reflections(crystals, instrument)
    with_their_f0 = powder_reflections(crystals, instrument, scattering=compare.pymatgen_form_factors())
    rows = []
    for i, structure in enumerate(crystals.to_structures()):
        lines, part = compare.pymatgen_lines(structure, instrument), slice(int(ours.start[i]), int(ours.start[i + 1]))
        pairs = [(r.two_theta[part].numpy(), r.intensity[part].numpy()) for r in (with_their_f0, ours)]
        same_f0, own_f0 = (compare.line_disagreement(pair, lines) for pair in pairs)
        rows.append((len(lines[0]), max(same_f0.position, own_f0.position), same_f0.intensity, own_f0.intensity))
    deviations = pd.DataFrame(rows, columns=["lines", "position_deviation", "r_their_f0", "r_ours"])
    systems = [groups.crystal_system(int(g)) for g in crystals.space_group]
    given = {"source_id": crystals.source_id, "formula": crystals.formula, "space_group": crystals.space_group}
    return deviations.assign(**given, crystal_system=systems)

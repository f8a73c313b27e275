"""Which files of an archive of CIFs are one crystal, by the names that crystallographers gave them.

OpenChemistry/crystals holds 524 CIFs named by formula and mineral, or by the three letters that the International
Zeolite Association gives to each *different* framework. Its repeats of formula and space group are therefore a test
with an answer that no rule made: nearly all are frameworks of SiO2 that share nothing but formula and group.
"""

from __future__ import annotations

import numpy as np

SAME = (
    ("carbides/SiC-2H-Moissanite", "carbides/SiC-Moissanite"),
    ("carbides/SiC-3C-beta", "carbides/SiC"),
    ("elements/Fe-Iron-alpha", "elements/Fe-Iron-beta", "elements/Fe-Iron-delta"),
    ("elements/P-Phosphorus-black", "elements/P-Phosphorus"),
    ("ice/H2O-Ice-Ih", "ice/H2O-Ice"),
    ("oxides/GeO2-Argutite-tetrag", "oxides/GeO2-Argutite"),
    ("oxides/In2O3-IndiumOxide", "oxides/In2O3"),
    ("sulfides/ZnS-Sphalerite", "sulfides/ZnS-Zincblende"),
)
"""Files of the archive that name one crystal, of all that share formula and space group, judged by name and content:
polytypes of silicon carbide by their stacking, sphalerite and zincblende as two words for one mineral, and iron, whose
alpha, beta and delta are one arrangement (body-centred cubic) at three temperatures. All other files that share
formula and group are different crystals by name: zeolite frameworks, graphite and lonsdaleite, quartz and OSO."""


def named_families(ids: np.ndarray) -> np.ndarray:
    """(n,) str: for each of ``ids`` (n,) the first name of its crystal in :data:`SAME`, or its own."""
    first = {name: names[0] for names in SAME for name in names}
    return np.array([first.get(name, name) for name in ids.tolist()], dtype=np.str_)

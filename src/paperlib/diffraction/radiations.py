"""X-rays and neutrons on the same points: the instruments of a comparison, and which crystals all of them see.

With one wavelength and one range a crystal has its lines at the same places in both; the heights differ, since neutrons
see the nuclei and have no polarisation factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from paperlib.crystals.crystal_set import CrystalSet
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.simulate import validate

RADIATIONS = ("xray", "neutron")


def compared_instruments(n_points: int) -> dict[str, Instrument]:
    """The instrument of the paper for each of :data:`RADIATIONS`, and as ``alike`` for X-rays without the polarisation
    factor and with f' and f'', as programs have it that were written for other beams; ``n_points`` each."""
    xray = replace(CU_KALPHA, n_points=n_points)
    neutron = replace(xray, radiation="neutron")
    return {"xray": xray, "neutron": neutron, "alike": replace(xray, polarisation=False, anomalous=True)}


def left_out_by(crystals: CrystalSet, instruments: Mapping[str, Instrument]) -> dict[str, np.ndarray]:
    """(m,) int64 by instrument: crystals that have no pattern on it, for want of a scattering length, say."""
    return {
        key: np.array([index for index, _ in validate(crystals, instrument)], dtype=np.int64)
        for key, instrument in instruments.items()
    }

"""The pattern of what stands on the bench.

Of a crystal the line list is changed and the pattern simulated from it, so that a line that is taken away is gone
exactly, below a neighbour too. Of a measured pattern points are changed (:mod:`paperlib.explore.points`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from paperlib.answers.answer import doublet_of
from paperlib.answers.lines import angle_of
from paperlib.crystals.crystal_set import CrystalSet
from paperlib.datasets.measured import MeasuredPattern, on_instrument
from paperlib.diffraction import cpu
from paperlib.diffraction.draws import Draws, draw
from paperlib.diffraction.imperfections import Imperfections
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.lattice_lines import single_lines
from paperlib.diffraction.measurement import measure
from paperlib.diffraction.reflections import Reflections, powder_reflections
from paperlib.diffraction.specimen import margin, specimen_patterns
from paperlib.explore.networks import Network, diffractometer
from paperlib.explore.points import edited_points, to_read
from paperlib.explore.subject import COPPER, SAME, Edits, Settings, Shown, Subject


def start_at_once() -> None:
    """Compute with torch alone in this process: for single crystals it is fast enough, and in a fresh clone the
    compiled kernels would first have to be compiled, for longer than somebody who opens a notebook waits."""
    cpu.ENABLED = False


def show(subject: Subject, settings: Settings, edits: Edits, network: Network) -> Shown:
    """The pattern of ``subject``, to be read by ``network``. Raises ValueError, in words for the user, where there is
    none: no line in the range, or a wavelength at which too little of the network's range is seen."""
    if subject.measured is not None:
        return edited_points(subject.measured, edits, network.instrument)
    instrument = instrument_at(settings.wavelength, network.instrument)
    reflections, intensity = _simulated(subject.crystal, instrument, settings, edits)
    beam, pattern = diffractometer(instrument), intensity
    lines = (instrument.wavelength, instrument.second_wavelength, instrument.second_ratio, instrument.radiation)
    seen = MeasuredPattern(
        beam.grid(), np.maximum(intensity, 0.0), *lines, Path(subject.name), format="simulated", warnings=()
    )
    if instrument != network.instrument:
        # as a measurement at this wavelength would be put before it
        pattern = to_read(*on_instrument(seen, network.instrument))
    doublet = doublet_of(seen) if instrument.second_wavelength else None
    return Shown(
        beam.grid(), intensity, beam.mean_wavelength, pattern.astype(np.float32), reflections, instrument, doublet
    )


def instrument_at(wavelength: float, instrument: Instrument) -> Instrument:
    """``instrument`` at another ``wavelength`` in Å, where it has no second line; unchanged at copper's."""
    if abs(wavelength / COPPER - 1) < 1e-3:
        return instrument
    return replace(instrument, wavelength=wavelength, second_wavelength=0.0)


def _simulated(
    crystal: CrystalSet, instrument: Instrument, settings: Settings, edits: Edits
) -> tuple[Reflections, np.ndarray]:
    """The reflections as they are, and the pattern (n_points,) float32, of maximum 1, with ``edits``."""
    spoilt = Imperfections(crystallite_size=settings.crystallite_size, gaussian_noise=settings.noise)
    items = torch.zeros(1, dtype=torch.int64)
    draws = draw(spoilt, settings.seed, items)
    reflections = powder_reflections(crystal, instrument, margin=margin(spoilt, instrument))
    patterns = specimen_patterns(reflections, crystal, instrument, spoilt, draws)
    if not patterns.max() > 0:
        first, last = instrument.two_theta
        raise ValueError(f"no line lies between {first:g}° and {last:g}° at {instrument.wavelength:g} Å")
    if edits.taken:
        gone = (reflections.d[:, None] / torch.tensor(edits.taken) - 1).abs().min(dim=1).values < 10 * SAME
        left = replace(reflections, intensity=reflections.intensity.masked_fill(gone, 0))
        patterns = specimen_patterns(left, crystal, instrument, spoilt, draws)
    if edits.put:
        # what is put in is as wide as the specimen makes it: heights are compared as they are before that
        sharp = float(specimen_patterns(reflections, crystal, instrument, Imperfections(), draws).max())
        patterns = patterns + sharp * _put(edits, crystal, instrument, spoilt, draws)
    if not patterns.max() > 0:
        raise ValueError("all lines are taken away; put one back")
    return reflections, measure(patterns, instrument, spoilt, draws, settings.seed, items, "max")[0].numpy()


def _put(edits: Edits, crystal: CrystalSet, instrument: Instrument, spoilt: Imperfections, draws: Draws) -> Tensor:
    """(1, n_points) what is put in, as wide as the lines of the specimen."""
    d, height = np.array(edits.put).T
    angle = angle_of(d, instrument.wavelength)
    lines = single_lines(np.zeros(len(d), dtype=np.int64), np.zeros((len(d), 3)), angle, 1, instrument)
    lines = replace(lines, intensity=lines.intensity * torch.from_numpy(height))
    return specimen_patterns(lines, crystal, instrument, spoilt, draws)

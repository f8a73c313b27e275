"""Attribution maps of the pattern that is shown, by :mod:`paperlib.learning.attribution`, at its wavelength.

Integrated gradients start from the empty pattern and multiply by the pattern: they are blind where nothing is, whatever
the network looks for there. Experiments with lines (:meth:`paperlib.explore.session.Session.line_map`) are not. The
network that reads measured patterns scales what stands above the background to a maximum of 1, so that all of the way
from the empty pattern is gone in its first step, and integrated gradients say nothing of it: they are not offered.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from paperlib.answers.lines import angle_of
from paperlib.explore.catalogue import SCHEME
from paperlib.explore.networks import CLEAN, Network, diffractometer
from paperlib.explore.pattern_plot import Map
from paperlib.explore.subject import Shown
from paperlib.symmetry.extinction import class_of_space_group

METHODS = {"Grad-CAM": "grad_cam", "Saliency": "saliency", "Integrated gradients": "integrated_gradients"}
"""Names for a list to choose from."""
_STEPS = 64
"""Of integrated gradients in each segment of the path: a second; how far their sum is from the score is said."""


def methods_for(network: Network) -> dict[str, str]:
    """Those of :data:`METHODS` that say something of a network."""
    return {name: value for name, value in METHODS.items() if name != "Integrated gradients" or network.name == CLEAN}


def attribution_map(network: Network, shown: Shown, extinction_class: int, method: str) -> Map:
    """The map of one of :data:`METHODS`, by its value, for the score of an extinction class. Raises ValueError for
    another method."""
    from paperlib.learning.attribution import attribute  # here, since it loads captum

    model, class_of = _model(network.name)
    target = np.array([extinction_class])
    found = attribute(model, shown.pattern[None], target, method, class_of=class_of, max_steps=_STEPS)
    mean = diffractometer(network.instrument).mean_wavelength
    d = mean / (2 * np.sin(np.radians(network.instrument.grid() / 2)))
    inside = shown.wavelength / (2 * d) < 1
    title = next(name for name, value in METHODS.items() if value == method)
    if method == "integrated_gradients":
        off = abs(float(found.delta[0])) / max(abs(float(found.score_difference[0])), 1e-9)
        title += f": the sum is within {100 * off:.1f} % of the score"
    return Map(angle_of(d[inside], shown.wavelength), found.maps[0][inside], False, title)


@functools.cache
def _model(name: str) -> tuple[Any, np.ndarray | None]:
    from paperlib.learning.released import load_released

    released = load_released(name)
    groups = released.class_scheme == "space_group"
    return released.model, class_of_space_group(SCHEME)[1:].copy() if groups else None

"""A released network asked about one measured pattern: probabilities, warnings, and the lines that decide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paperlib.answers.anode import anode_warning
from paperlib.answers.card import Card, read_card
from paperlib.answers.flags import flags
from paperlib.answers.indexing import Indexed, index_lines
from paperlib.answers.lines import Doublet, Line, angle_of, find_lines, without
from paperlib.answers.network_input import above_baseline, is_measured
from paperlib.answers.numpy_network import NumpyNetwork, read_network
from paperlib.datasets.labels import Labels
from paperlib.datasets.measured import MeasuredPattern, on_instrument
from paperlib.diffraction.without_torch import MINERAL_DIFFRACTOMETER, NOT_MEASURED, SPANNED_BROADENING
from paperlib.lab import paths
from paperlib.symmetry.extinction import class_symbols, extinction_classes
from paperlib.symmetry.groups import crystal_system

NETWORK = "13_measured-fine_tuned_all_seed0"
"""The released network that reads measured patterns."""
INSTRUMENT = MINERAL_DIFFRACTOMETER
"""The diffractometer on whose points it reads them."""
TRAINED = SPANNED_BROADENING
"""What made the lines wider that it was trained on."""
SCHEME = "published"
"""The extinction classes that it is asked for."""
_COPPER = 1e-3
"""Relative difference from the mean wavelength of copper within which the first line lies."""
MOST_LINES = 100
"""Lines that are taken out one by one, the highest."""


@dataclass(frozen=True)
class Asker:
    """A network and what is known of it."""

    network: NumpyNetwork
    card: Card


@dataclass(frozen=True)
class DecidingLine:
    """A line, and what it says between the first and the second class."""

    line: Line
    two_theta: float
    """Degrees, at the wavelength of the file."""
    effect: float
    """By how much ln(P1 / P2) falls when the line is taken away: above 0 it speaks for the first class."""
    reflections: tuple[Indexed, ...] = ()
    """Of the cell, where one was given."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says about one pattern."""

    file: str
    class_p: np.ndarray
    """(99,) float64: calibrated probabilities of the extinction classes, in the order of
    :func:`paperlib.symmetry.extinction.extinction_classes`."""
    group_p: np.ndarray
    """(230,) float64: of the space groups, by number."""
    refuse_below: float
    warnings: tuple[str, ...]
    lines: tuple[DecidingLine, ...]
    """The one that says the most first."""
    pattern: np.ndarray
    """(n_points,) float32 of maximum 1 on the points of :data:`INSTRUMENT`; ``NOT_MEASURED`` elsewhere."""
    above: np.ndarray
    """(n_points,) float64: above its baseline."""

    @property
    def classes(self) -> np.ndarray:
        """(99,) int64: the extinction classes, the most probable first."""
        return np.argsort(-self.class_p, kind="stable")

    @property
    def groups(self) -> np.ndarray:
        """(230,) int64: the numbers of the space groups, the most probable first."""
        return np.argsort(-self.group_p, kind="stable") + 1

    @property
    def known(self) -> bool:
        """Whether the best class is probable enough to be answered."""
        return bool(self.class_p.max() >= self.refuse_below)


def members(extinction_class: int) -> tuple[int, ...]:
    """The numbers of the space groups of a class of :data:`SCHEME`."""
    return extinction_classes(SCHEME)[extinction_class]


def class_name(extinction_class: int) -> str:
    """The extinction symbol of a class of :data:`SCHEME`."""
    return class_symbols(SCHEME)[extinction_class]


def systems(extinction_class: int) -> str:
    """The crystal system of a class of :data:`SCHEME`, or the two."""
    return ", ".join(dict.fromkeys(crystal_system(number) for number in members(extinction_class)))


def released_file() -> Path:
    """Where the weights of :data:`NETWORK` lie, or will."""
    return paths.root() / "data" / "models" / f"{NETWORK}.safetensors"


def released_asker(path: str | Path | None = None) -> Asker:
    """The network at ``path`` (by default the released :data:`NETWORK`) and its card, the file of the same name that
    ends in ``.json``.

    Raises FileNotFoundError where there is no network, ValueError for a damaged file or card and for a network that
    reads other points or answers with something else than space groups.
    """
    path = Path(path) if path else released_file()
    network = read_network(path)
    if network.class_scheme != "space_group":
        raise ValueError(f"{path} answers with classes of {network.class_scheme!r}; it must be space groups")
    step = network.architecture.get("step", 0.0)
    if network.n_points != INSTRUMENT.n_points or (step and not math.isclose(step, INSTRUMENT.step, rel_tol=1e-6)):
        raise ValueError(
            f"{path} reads {network.n_points} points {step:.4g}° apart; measured patterns are put on "
            f"{INSTRUMENT.n_points} points {INSTRUMENT.step:.4g}° apart"
        )
    return Asker(network, read_card(path.with_suffix(".json")))


def ask(asker: Asker, measured_pattern: MeasuredPattern, file: str, cell: np.ndarray | None = None) -> Answer:
    """What the network says about a pattern that was read from ``file``; with a ``cell`` (6,), in Å and degrees, the
    lines that decide have indices. Raises PatternError, a ValueError, where the pattern cannot be put on the points
    of the network."""
    intensity, measured = on_instrument(measured_pattern, INSTRUMENT)
    pattern = np.where(measured, intensity, NOT_MEASURED).astype(np.float32)
    above = above_baseline(pattern[None], INSTRUMENT.step)[0]
    wavelength = measured_pattern.mean_wavelength
    lag = max(1, math.ceil(_spacing(measured_pattern, wavelength) / INSTRUMENT.step - 0.01))
    lines = find_lines(above, measured, INSTRUMENT, doublet_of(measured_pattern), lag)
    warnings = [*measured_pattern.warnings, *anode_warning(measured_pattern)]
    warnings += flags(pattern, above, lines, INSTRUMENT, TRAINED, lag)
    if measured_pattern.radiation != INSTRUMENT.radiation:
        warnings.append(f"the network was trained on {INSTRUMENT.radiation}, not on {measured_pattern.radiation}")
    lines = tuple(sorted(lines, key=lambda line: -line.height)[:MOST_LINES])
    group_log_p, class_log_p = _asked(asker, pattern, lines)
    class_p = np.exp(class_log_p[0])
    first, second = np.argsort(-class_p, kind="stable")[:2]
    odds = class_log_p[:, first] - class_log_p[:, second]
    indexed: tuple[tuple[Indexed, ...], ...] = ((),) * len(lines)
    if cell is not None:
        indexed = index_lines(lines, cell, INSTRUMENT.mean_wavelength, (members(first)[0], members(second)[0]))
    deciding = [
        DecidingLine(line, float(angle_of(line.d, wavelength)), float(odds[0] - odds[i + 1]), indexed[i])
        for i, line in enumerate(lines)
    ]
    deciding.sort(key=lambda one: -abs(one.effect))
    group_p = np.exp(group_log_p[0])
    return Answer(file, class_p, group_p, asker.card.refuse_below, tuple(warnings), tuple(deciding), pattern, above)


def doublet_of(measured_pattern: MeasuredPattern) -> Doublet | None:
    """The two wavelengths of a beam. Where one is known, and it is that of a copper tube, its first line or its mean,
    the other may be there as well, and is looked for."""
    first, second = measured_pattern.wavelength, measured_pattern.second_wavelength
    mean = INSTRUMENT.mean_wavelength
    if second:
        return Doublet(second / first - 1, mean * first / measured_pattern.mean_wavelength)
    if measured_pattern.radiation == "xray" and abs(first / mean - 1) < _COPPER:
        return Doublet(INSTRUMENT.second_wavelength / INSTRUMENT.wavelength - 1, mean * INSTRUMENT.wavelength / first)
    return None


def _asked(asker: Asker, pattern: np.ndarray, lines: tuple[Line, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of space groups and of classes: the pattern's, then those without each of ``lines``.

    Lines go after the background is gone and the scale is set, so that nothing else changes with them.
    """
    whole = asker.network.lines(pattern[None])
    shown = np.concatenate([whole, *(without(whole[0], line)[None] for line in lines)])
    measured = np.broadcast_to(is_measured(pattern), shown.shape)
    scaled = asker.network.logits_of_lines(shown, measured) / asker.card.temperature
    log_p = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
    return log_p, Labels("space_group").collapse(log_p, SCHEME)


def _spacing(measured_pattern: MeasuredPattern, wavelength: float) -> float:
    """Degrees between two measured points, at the wavelength of the instrument."""
    return float(np.median(np.diff(measured_pattern.two_theta))) * INSTRUMENT.mean_wavelength / wavelength

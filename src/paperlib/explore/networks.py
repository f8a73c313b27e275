"""The released networks, asked about one pattern: probabilities, and what each line says for or against an answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from paperlib.answers.answer import NETWORK, released_asker
from paperlib.answers.lines import Doublet, Line, find_lines, without
from paperlib.answers.network_input import is_measured
from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import CU_KALPHA, Instrument
from paperlib.diffraction.mineral_world import MINERAL_INSTRUMENT
from paperlib.diffraction.without_torch import Diffractometer
from paperlib.explore.catalogue import SCHEME

CLEAN = "06_labels-direct_seed0"
"""The released network that was trained on clean simulated patterns."""
MOST_LINES = 40
"""Lines that are taken away one by one, the highest."""


@dataclass(frozen=True, eq=False)
class Opinion:
    """What a network says of a pattern."""

    class_p: np.ndarray
    """(99,) float64: probabilities of the extinction classes."""
    group_p: np.ndarray
    """(230,) float64: of the space groups, by number; empty from a network that is asked for classes alone."""
    refuse_below: float = 0.0
    """Probability of the best class below which the answer is "I do not know"."""

    @property
    def classes(self) -> np.ndarray:
        """(99,) int64: the classes, the most probable first."""
        return np.argsort(-self.class_p, kind="stable")

    @property
    def known(self) -> bool:
        """Whether the best class is probable enough to be answered."""
        return bool(self.class_p.max() >= self.refuse_below)


@dataclass(frozen=True, eq=False)
class Network:
    """A released network behind one face."""

    name: str
    """Of its file in ``data/models``, without suffix."""
    title: str
    """In a list to choose from."""
    about: str
    instrument: Instrument
    """On whose points it reads patterns."""
    lines: Callable[[np.ndarray], np.ndarray]
    """From a pattern (n_points,) to what of it stands above the background."""
    log_p: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    """From ``lines`` (n, n_points) and where they were measured to log-probabilities of the 99 classes and of the space
    groups, (n, 230) or (n, 0)."""
    refuse_below: float = 0.0

    def opinion(self, pattern: np.ndarray) -> Opinion:
        """About a ``pattern`` (n_points,) of maximum 1."""
        class_log_p, group_log_p = self.log_p(self.lines(pattern)[None], is_measured(pattern)[None])
        return Opinion(np.exp(class_log_p[0]), np.exp(group_log_p[0]), self.refuse_below)

    def effects(self, pattern: np.ndarray, doublet: Doublet | None) -> tuple[list[Line], np.ndarray]:
        """The :data:`MOST_LINES` highest lines of a ``pattern`` and by how much ln(P1 / P2) of the two best classes
        falls when each is taken away: above 0 it speaks for the first. The one that says the most comes first."""
        above, measured = self.lines(pattern), is_measured(pattern)
        found = find_lines(above, measured, diffractometer(self.instrument), doublet)
        lines = sorted(found, key=lambda one: -one.height)[:MOST_LINES]
        shown = np.stack([above, *(without(above, line) for line in lines)])
        log_p, _ = self.log_p(shown, np.broadcast_to(measured, shown.shape))
        first, second = np.argsort(-log_p[0], kind="stable")[:2]
        odds = log_p[:, first] - log_p[:, second]
        effect = odds[0] - odds[1:]
        order = np.argsort(-np.abs(effect), kind="stable")
        return [lines[i] for i in order], effect[order]

    def odds_with(self, patterns: Sequence[np.ndarray], pattern: np.ndarray) -> np.ndarray:
        """(n,) ln(P1 / P2) in each of ``patterns`` less that in ``pattern``, of the two best classes of ``pattern``."""
        shown = np.stack([self.lines(one) for one in (pattern, *patterns)])
        log_p, _ = self.log_p(shown, np.broadcast_to(is_measured(pattern), shown.shape))
        first, second = np.argsort(-log_p[0], kind="stable")[:2]
        odds = log_p[:, first] - log_p[:, second]
        return odds[1:] - odds[0]


@functools.cache
def robust() -> Network:
    """The network that reads measured patterns, in numpy. Raises FileNotFoundError where its weights are not there."""
    asker = released_asker()

    def log_p(lines: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scaled = asker.network.logits_of_lines(lines, measured) / asker.card.temperature
        groups = scaled - np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return Labels("space_group").collapse(groups, SCHEME), groups

    return Network(
        NETWORK,
        "for measured patterns (13_measured)",
        "trained on simulated patterns with the imperfections of laboratories, then on measured minerals",
        MINERAL_INSTRUMENT,
        lambda pattern: asker.network.lines(pattern[None])[0],
        log_p,
        asker.card.refuse_below,
    )


@functools.cache
def clean() -> Network:
    """The network of clean simulated patterns. Raises FileNotFoundError where its weights are not there."""
    import torch

    from paperlib.learning.released import load_released

    released = load_released(CLEAN, SCHEME, CU_KALPHA.n_points)

    def log_p(lines: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            logits = released.model(torch.from_numpy(np.asarray(lines, dtype=np.float32)))
        return logits.log_softmax(1).numpy().astype(np.float64), np.zeros((len(lines), 0))

    return Network(
        CLEAN,
        "for clean patterns (06_labels)",
        "trained on simulated patterns without noise or background, of one peak width: a little noise misleads it",
        CU_KALPHA,
        lambda pattern: np.maximum(pattern, 0.0).astype(np.float64),
        log_p,
    )


NETWORKS: dict[str, Callable[[], Network]] = {"robust": robust, "clean": clean}
"""The networks that can be asked, each loaded when it first is."""


def diffractometer(instrument: Instrument) -> Diffractometer:
    """What of an instrument says where its lines stand."""
    return Diffractometer(**{field.name: getattr(instrument, field.name) for field in fields(Diffractometer)})

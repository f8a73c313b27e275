"""What is known of a released network beside its weights: a small JSON file of the same name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paperlib.lab.store import read_json


@dataclass(frozen=True)
class Card:
    """Calibration, scores and limits of a network; the defaults are those of a network of which nothing is known."""

    temperature: float = 1.0
    """By which the logits over the network's own classes are divided (:mod:`paperlib.learning.calibration`)."""
    refuse_below: float = 0.0
    """Probability of the best extinction class below which the answer is "I do not know"."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """By what was scored."""
    limits: tuple[str, ...] = ()
    """What the network is not for, in words."""


def read_card(path: str | Path) -> Card:
    """The card at ``path``; the defaults where there is none.

    Raises ValueError, naming the file and the value, for a temperature that is not positive, a ``refuse_below`` outside
    0-1, and a file that is no JSON object of ``temperature``, ``refuse_below``, ``scores`` and ``limits``.
    """
    path = Path(path)
    if not path.is_file():
        return Card()
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f'{path} is no JSON object; write {{"temperature": 1.0, "refuse_below": 0.0}}')
    temperature, refuse_below = content.get("temperature", 1), content.get("refuse_below", 0)
    if not _is_number(temperature) or not temperature > 0:
        raise ValueError(f"{path}: temperature is {temperature!r}; give a positive number")
    if not _is_number(refuse_below) or not 0 <= refuse_below <= 1:
        raise ValueError(f"{path}: refuse_below is {refuse_below!r}; give a probability, 0 to 1")
    scores, limits = content.get("scores", {}), content.get("limits", [])
    if not isinstance(scores, dict) or not isinstance(limits, list):
        raise ValueError(f"{path}: scores is an object and limits a list of texts; got {scores!r} and {limits!r}")
    return Card(float(temperature), float(refuse_below), scores, tuple(map(str, limits)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

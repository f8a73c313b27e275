"""What is known of a released network beside its weights: a small JSON file of the same name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from paperlib.lab.store import read_json, write_json

NO_CARD = "no card lies beside its weights: its probabilities are not calibrated, and it never refuses"
KEYS = ("temperature", "refuse_below", "scores", "limits", "about")


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
    about: Mapping[str, Any] = field(default_factory=dict)
    """What it was trained on, its seed, and whatever else is to be said of it."""


def read_card(path: str | Path, complete: bool = False) -> Card:
    """The card at ``path``; where there is none, one with the limit :data:`NO_CARD`.

    Raises ValueError, naming the file and the value, for a temperature that is not positive, a ``refuse_below`` outside
    0-1, and a file that is no JSON object of :data:`KEYS`. With ``complete`` all but "about" must be there: raises
    FileNotFoundError where there is no file, ValueError for a key that is missing.
    """
    path = Path(path)
    if not path.is_file():
        if complete:
            raise FileNotFoundError(f"there is no card {path}; write one with {', '.join(KEYS[:4])}")
        return Card(limits=(NO_CARD,))
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(f'{path} is no JSON object; write {{"temperature": 1.0, "refuse_below": 0.0}}')
    if unknown := sorted(content.keys() - set(KEYS)):
        raise ValueError(f"{path} has {unknown[0]!r}; a card has {', '.join(KEYS)}, other facts go into about")
    if complete and (missing := [key for key in KEYS[:4] if key not in content]):
        raise ValueError(f"{path} has no {missing[0]!r}; a released network has a card with {', '.join(KEYS[:4])}")
    temperature, refuse_below = content.get("temperature", 1), content.get("refuse_below", 0)
    if not _is_number(temperature) or not temperature > 0:
        raise ValueError(f"{path}: temperature is {temperature!r}; give a positive number")
    if not _is_number(refuse_below) or not 0 <= refuse_below <= 1:
        raise ValueError(f"{path}: refuse_below is {refuse_below!r}; give a probability, 0 to 1")
    scores, limits, about = content.get("scores", {}), content.get("limits", []), content.get("about", {})
    if not isinstance(scores, dict) or not isinstance(limits, list) or not isinstance(about, dict):
        raise ValueError(
            f"{path}: scores and about are objects and limits a list of texts; got {scores!r}, {about!r}, {limits!r}"
        )
    return Card(float(temperature), float(refuse_below), scores, tuple(map(str, limits)), about)


def write_card(path: str | Path, card: Card) -> None:
    """Write ``card`` for :func:`read_card`. Raises ValueError for numbers that JSON has no word for."""
    write_json(path, asdict(card))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

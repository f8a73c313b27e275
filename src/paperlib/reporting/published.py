"""Scores that others have published and that figures show beside ours: the only numbers that are typed in, each with
its source.

All are from Baggett et al., *Attention Is Not All You Need for Diffraction* (arXiv:2604.23811, 2026), read there: top-1
of 99 extinction groups on balanced reflection data. Their cells and heights are not drawn as ours are, and their test
set is another one, so that a mark says where their network stands on their data.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Scores of one network of another study."""

    label: str
    parameters: int
    items: tuple[int, ...]
    """Training patterns."""
    top1: tuple[float, ...]
    """Per cent, for each of ``items``."""


RESNET = Published("ResNet", 630_000, (990_000,), (80.0,))
"""Its text says of further sizes, 99,000 to 5,140,000 patterns, that the score "plateaus at about 80"."""

_LADDER = (99_000, 396_000, 990_000, 2_170_000, 5_140_000)
TRANSFORMER = Published("transformer", 2_730_000, _LADDER, (57.5, 80.4, 89.8, 93.7, 94.4))
VISION_TRANSFORMER = Published("vision transformer", 9_520_000, _LADDER, (21.7, 30.9, 42.5, 60.9, 71.8))

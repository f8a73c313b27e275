"""DeepSets (Zaheer et al., arXiv:1703.06114): each peak by itself, then their sum or maximum. A cheap rival.

    input    the highest peaks of the pattern, as Fourier features of 1/d² and √height (:mod:`paperlib.learning.peaks`)
    phi      linear → GELU → linear → GELU for each peak
    pool     sum over √(number of peaks kept), or maximum, over the peaks that there are; 0 for none
    rho      norm → dropout → linear → GELU → dropout → linear

Integrated gradients from the empty pattern do not converge here: at the first trace of intensity all peaks are there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.learning.parts import check_choice, check_classes, transformed
from paperlib.learning.peaks import PeakList, PeakListSize, PeakReader

POOLINGS = ("sum", "max")


@dataclass(frozen=True)
class DeepSetsSize(PeakListSize):
    """Sizes of a :class:`DeepSets`. Raises ValueError for sizes that do not make a network."""

    width: int = 256
    """Numbers per peak."""
    hidden: int = 512
    """Width of the layer between the pooled numbers and the classes."""
    pooling: str = "sum"
    """"sum" or "max"."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.width, self.hidden) < 1:
            raise ValueError(f"every size of a network must be at least 1: {self}")
        check_choice("pooling", self.pooling, POOLINGS)


class DeepSets(nn.Module):
    """Logits of ``n_classes`` classes from the peaks of patterns of ``n_points`` points. Raises ValueError for fewer
    than two classes or three points."""

    bears_bfloat16 = True

    def __init__(self, n_classes: int, n_points: int, size: DeepSetsSize | None = None) -> None:
        super().__init__()
        size = size or DeepSetsSize()
        check_classes(n_classes)
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        self.peaks = PeakReader(n_points, size)
        self.phi = nn.Sequential(
            nn.Linear(self.peaks.n_features, size.width), nn.GELU(), nn.Linear(size.width, size.width), nn.GELU()
        )
        self.rho = nn.Sequential(
            nn.LayerNorm(size.width),
            nn.Dropout(size.dropout),
            nn.Linear(size.width, size.hidden),
            nn.GELU(),
            nn.Dropout(size.dropout),
        )
        self.head = nn.Linear(size.hidden, n_classes)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape."""
        return self.classify(self.peaks(transformed(patterns, self.n_points, "linear")))

    def classify(self, peaks: PeakList) -> Tensor:
        """(n, n_classes) logits from n lists of peaks, in whatever order."""
        x, present = self.phi(self.peaks.features(peaks)), peaks.present[..., None]
        if self.size.pooling == "sum":
            pooled = x.where(present, 0.0).sum(1) / self.size.n_peaks**0.5
        else:
            pooled = x.where(present, -torch.inf).amax(1)
            pooled = pooled.where(present.any(1), 0.0)
        return self.head(self.rho(pooled))

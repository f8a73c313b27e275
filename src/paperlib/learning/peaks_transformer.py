"""A transformer over the peaks of a pattern, which are a set: their order plays no part.

    input    the highest peaks of the pattern, as Fourier features of 1/d² and √height (:mod:`paperlib.learning.peaks`)
    tokens   linear; a class token beside them
    blocks   attention and feed-forward layers, in which nobody attends to peaks that a pattern lacks
    head     the class token → norm → linear

Integrated gradients from the empty pattern do not converge here: at the first trace of intensity all peaks are there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.learning.attention import AttentionBlock, check_attention
from paperlib.learning.parts import check_classes, transformed
from paperlib.learning.peaks import PeakList, PeakListSize, PeakReader


@dataclass(frozen=True)
class PeaksTransformerSize(PeakListSize):
    """Sizes of a :class:`PeaksTransformer`. Raises ValueError for sizes that do not make a network."""

    width: int = 128
    """Numbers per token."""
    depth: int = 4
    """Blocks."""
    heads: int = 4
    """Heads of the attention."""
    expansion: int = 4
    """Width inside the feed-forward layers per width outside."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.width, self.depth, self.heads, self.expansion) < 1:
            raise ValueError(f"every size of a network must be at least 1: {self}")
        check_attention(self.width, self.heads, rotary=False)


class PeaksTransformer(nn.Module):
    """Logits of ``n_classes`` classes from the peaks of patterns of ``n_points`` points. Raises ValueError for fewer
    than two classes or three points."""

    bears_bfloat16 = True

    def __init__(self, n_classes: int, n_points: int, size: PeaksTransformerSize | None = None) -> None:
        super().__init__()
        size = size or PeaksTransformerSize()
        check_classes(n_classes)
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        self.peaks = PeakReader(n_points, size)
        self.tokens = nn.Linear(self.peaks.n_features, size.width)
        self.token = nn.Parameter(0.02 * torch.randn(size.width))
        self.blocks = nn.ModuleList(
            AttentionBlock(size.width, size.heads, size.expansion, size.dropout) for _ in range(size.depth)
        )
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, n_classes)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape."""
        return self.classify(self.peaks(transformed(patterns, self.n_points, "linear")))

    def classify(self, peaks: PeakList) -> Tensor:
        """(n, n_classes) logits from n lists of peaks, in whatever order."""
        x = self.tokens(self.peaks.features(peaks))
        x = torch.cat([self.token.to(x.dtype).expand(len(x), 1, -1), x], 1)
        present = nn.functional.pad(peaks.present, (1, 0), value=True)
        for block in self.blocks:
            x = block(x, present=present)
        return self.head(self.norm(x[:, 0]))

"""A transformer over patches of the pattern, with rotary positions.

    input    √intensity (or the intensity itself), cut into patches; what the last one lacks is filled with zeros
    tokens   linear from the points of a patch
    stage_i  attention and feed-forward layer (:class:`paperlib.learning.attention.AttentionBlock`)
    head     mean over the patches → norm → linear; or a class token that joins the patches in one more block → norm →
             linear

The class token comes last, as in CaiT (Touvron et al., arXiv:2103.17239), so that every stage has positions of the
pattern and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.learning.attention import AttentionBlock, check_attention, rotary_table
from paperlib.learning.parts import (
    INPUTS,
    StageResolution,
    check_choice,
    check_classes,
    check_dropout,
    transformed,
)

POOLINGS = ("mean", "token")


@dataclass(frozen=True)
class TransformerSize:
    """Sizes of a :class:`Transformer`. Raises ValueError for sizes that do not make a network."""

    patch: int = 10
    """Points per patch."""
    width: int = 128
    """Numbers per token."""
    depth: int = 4
    """Blocks."""
    heads: int = 4
    """Heads of the attention; each has an even share of the width."""
    expansion: int = 4
    """Width inside the feed-forward layers per width outside."""
    pooling: str = "mean"
    """"mean" over the patches, or a class "token"."""
    dropout: float = 0.1
    """Probability of dropping one number of what a block adds."""
    input: str = "square_root"
    """As in :class:`paperlib.learning.resnet.ResNetSize`."""

    def __post_init__(self) -> None:
        if min(self.patch, self.width, self.depth, self.heads, self.expansion) < 1:
            raise ValueError(f"every size of a network must be at least 1: {self}")
        check_attention(self.width, self.heads, rotary=True)
        check_dropout(self.dropout)
        check_choice("pooling", self.pooling, POOLINGS)
        check_choice("input", self.input, INPUTS)


class TransformerStage(nn.Module):
    """A block on tokens that lie as the maps of a convolution do: (n, width, patches)."""

    def __init__(self, n_patches: int, size: TransformerSize) -> None:
        super().__init__()
        self.block = AttentionBlock(size.width, size.heads, size.expansion, size.dropout)
        self.register_buffer("rotation", rotary_table(n_patches, size.width // size.heads), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, patches) to the same shape."""
        return self.block(x.transpose(1, 2), self.rotation).transpose(1, 2)


class Transformer(nn.Module):
    """Logits of ``n_classes`` classes from patterns of ``n_points`` points.

    The stages are ``model.stages["stage1"]`` and so on; their maps are (n, width, patches). Raises ValueError where
    ``n_points`` is smaller than a patch or there are fewer than two classes.
    """

    bears_bfloat16 = True

    def __init__(self, n_classes: int, n_points: int, size: TransformerSize | None = None) -> None:
        super().__init__()
        size = size or TransformerSize()
        check_classes(n_classes)
        if n_points < size.patch:
            raise ValueError(f"a patch of {size.patch} needs at least that many points, got {n_points=}")
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        self.n_patches = -(-n_points // size.patch)
        self.tokens = nn.Linear(size.patch, size.width)
        self.stages = nn.Sequential()
        for i in range(size.depth):
            self.stages.add_module(f"stage{i + 1}", TransformerStage(self.n_patches, size))
        self.reader: nn.Module | None = None
        if size.pooling == "token":
            self.token = nn.Parameter(0.02 * torch.randn(size.width))
            self.reader = AttentionBlock(size.width, size.heads, size.expansion, size.dropout)
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, n_classes)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape."""
        x = transformed(patterns, self.n_points, self.size.input)
        x = F.pad(x, (0, self.n_patches * self.size.patch - self.n_points))
        x = self.tokens(x.view(len(x), self.n_patches, self.size.patch)).transpose(1, 2)
        x = self.stages(x).transpose(1, 2)
        if self.reader is None:
            x = x.mean(1)
        else:
            token = self.token.to(x.dtype).expand(len(x), 1, -1)
            x = self.reader(torch.cat([token, x], 1))[:, 0]
        return self.head(self.norm(x))

    def resolution(self) -> dict[str, StageResolution]:
        """Positions of each stage, by its name, and where they lie on the pattern; each sees all points."""
        patch = self.size.patch
        stage = StageResolution(self.n_patches, patch, (patch - 1) / 2, self.n_points)
        return {f"stage{i + 1}": stage for i in range(self.size.depth)}

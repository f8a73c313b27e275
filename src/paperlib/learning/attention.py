"""What transformers are made of: a block of attention and a feed-forward layer, and rotary positions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BASE = 10_000.0
"""Longest period of the rotary positions over 2π, in tokens: Su et al.'s own, longer than any pattern."""


def rotary_table(n_tokens: int, head_width: int) -> Tensor:
    """(2, n_tokens, head_width / 2): cosine and sine of the angle by which each pair of numbers of a query or key is
    turned at each token. Angles grow linearly with the place, so that products of the two depend on distances alone
    (Su et al., arXiv:2104.09864)."""
    rates = _BASE ** -torch.arange(0, 1, 2 / head_width, dtype=torch.float64)
    angles = torch.arange(n_tokens, dtype=torch.float64)[:, None] * rates
    return torch.stack([angles.cos(), angles.sin()]).float()


def turned(x: Tensor, rotation: Tensor) -> Tensor:
    """(n, heads, tokens, head_width) queries or keys turned by a :func:`rotary_table`, in the type they came in."""
    cos, sin = rotation
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)


class AttentionBlock(nn.Module):
    """y = x + attention(norm(x)), z = y + feed-forward(norm(y)); ``expansion`` times the width inside the latter."""

    def __init__(self, width: int, heads: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), nn.Linear(expansion * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, rotation: Tensor | None = None, present: Tensor | None = None) -> Tensor:
        """(n, tokens, width) to the same shape. ``rotation`` is a :func:`rotary_table`; ``present`` (n, tokens) bool
        says which tokens there are, at least one in each row: nobody attends to the others."""
        n, tokens, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if rotation is not None:
            q, k = turned(q, rotation), turned(k, rotation)
        mask = None if present is None else present[:, None, None, :]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(n, tokens, width)
        x = x + self.dropout(self.out(y))
        return x + self.dropout(self.feed(self.norm2(x)))


def check_attention(width: int, heads: int, rotary: bool) -> None:
    """Raises ValueError where ``heads`` do not share ``width`` evenly, or, with ``rotary`` positions, where a head has
    an odd width and its numbers no pairs."""
    if width % heads or (rotary and width // heads % 2):
        even = "even " if rotary else ""
        raise ValueError(f"the heads must share the width in {even}parts: {width=}, {heads=}")

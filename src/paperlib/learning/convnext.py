"""A one-dimensional ConvNeXt with dense short kernels.

    input    √intensity (or the intensity itself)
    stem     conv k, stride s → norm
    stage_i  norm → conv 3, stride s_i where stride or channels change; then blocks  y = x + f(x),
             f = conv k → norm → conv 1 to ``expansion`` times the channels → GELU → conv 1 back → dropout
    head     norm → maximum over the positions → linear, or norm → flatten → linear → norm → GELU → linear

The block is that of Liu et al. (arXiv:2201.03545) but for its convolution, which there goes over each channel by itself
with a long kernel: on a CPU such a convolution reaches only a fraction of the speed of a dense one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paperlib.learning.parts import (
    INPUTS,
    NORMS,
    Dropout,
    StageResolution,
    bears_bfloat16,
    check_choice,
    check_classes,
    check_dropout,
    check_norm,
    check_odd,
    check_stem,
    flat_norm,
    transformed,
)

HEADS = ("max", "flat")
_TRANSITION = 3
"""Kernel of the convolution between two stages; odd, so that a position stays centred on its points."""


@dataclass(frozen=True)
class ConvNeXtSize:
    """Sizes of a :class:`ConvNeXt`. Raises ValueError for sizes that do not make a network."""

    channels: tuple[int, ...] = (32, 64, 96, 128)
    """Channels of each stage; the stem has as many as the first."""
    strides: tuple[int, ...] = (1, 2, 2, 2)
    """Positions of the stage before per position of each stage."""
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    """Blocks of each stage."""
    kernel: int = 5
    """Kernel length of the blocks in positions; odd."""
    expansion: int = 2
    """Channels inside a block per channel outside."""
    stem_kernel: int = 11
    """Kernel length of the stem in points; odd."""
    stem_stride: int = 4
    """Points per position behind the stem."""
    head: str = "flat"
    """"flat" keeps the positions, "max" takes the maximum over them."""
    hidden: int = 256
    """Width of the layer between the flattened maps and the classes; without a meaning for "max"."""
    dropout: float = 0.1
    """Probability of dropping one number at the end of a block and before the linear layers."""
    norm: str = "batch"
    """As in :class:`paperlib.learning.resnet.ResNetSize`."""
    input: str = "square_root"
    """As there."""

    def __post_init__(self) -> None:
        for name in ("channels", "strides", "blocks"):
            object.__setattr__(self, name, tuple(int(v) for v in getattr(self, name)))
        if not len(self.channels) == len(self.strides) == len(self.blocks) > 0:
            raise ValueError(f"give one entry per stage: {self.channels=}, {self.strides=}, {self.blocks=}")
        lengths = (self.kernel, self.stem_kernel, self.stem_stride, self.expansion, self.hidden)
        if min(*self.channels, *self.strides, *self.blocks, *lengths) < 1:
            raise ValueError(f"every size of a network must be at least 1: {self}")
        check_odd(self.kernel, self.stem_kernel)
        check_dropout(self.dropout)
        check_norm(self.norm, self.channels)
        check_choice("head", self.head, HEADS)
        check_choice("input", self.input, INPUTS)


def _conv(inside: int, outside: int, kernel: int, stride: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, (1, kernel), (1, stride), (0, kernel // 2), bias=bias)


class ConvNeXtBlock(nn.Module):
    """y = x + f(x); see the head of the module."""

    def __init__(self, channels: int, size: ConvNeXtSize) -> None:
        super().__init__()
        inner = size.expansion * channels
        self.mix = nn.Sequential(_conv(channels, channels, size.kernel, 1, bias=False), NORMS[size.norm](channels))
        self.bottleneck = nn.Sequential(_conv(channels, inner, 1, 1), nn.GELU(), _conv(inner, channels, 1, 1))
        self.dropout = Dropout(size.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, 1, positions) to the same shape."""
        return x + self.dropout(self.bottleneck(self.mix(x)))


class ConvNeXt(nn.Module):
    """Logits of ``n_classes`` classes from patterns of ``n_points`` points.

    The stages are ``model.stages["stage1"]`` and so on. Raises ValueError where ``n_points`` is smaller than the stem's
    kernel or there are fewer than two classes.
    """

    def __init__(self, n_classes: int, n_points: int, size: ConvNeXtSize | None = None) -> None:
        super().__init__()
        size = size or ConvNeXtSize()
        check_classes(n_classes)
        check_stem(size.stem_kernel, n_points)
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        self.bears_bfloat16 = bears_bfloat16(size.norm)
        inside = size.channels[0]
        self.stem = nn.Sequential(
            _conv(1, inside, size.stem_kernel, size.stem_stride, bias=False), NORMS[size.norm](inside)
        )
        self.stages = nn.Sequential()
        for i, (outside, stride, blocks) in enumerate(zip(size.channels, size.strides, size.blocks, strict=True)):
            modules: list[nn.Module] = []
            if stride > 1 or inside != outside:
                modules += [NORMS[size.norm](inside), _conv(inside, outside, _TRANSITION, stride)]
            modules += [ConvNeXtBlock(outside, size) for _ in range(blocks)]
            self.stages.add_module(f"stage{i + 1}", nn.Sequential(*modules))
            inside = outside
        self.norm = NORMS[size.norm](inside)
        self.flat: nn.Module | None = None
        if size.head == "flat":
            left = list(self.resolution().values())[-1].n_positions
            norm = flat_norm(size.norm, size.hidden)
            linear = nn.Linear(left * inside, size.hidden, bias=False)
            self.flat = nn.Sequential(Dropout(size.dropout), linear, norm, nn.GELU())
            inside = size.hidden
        self.dropout = Dropout(size.dropout)
        self.head = nn.Linear(inside, n_classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape."""
        x = transformed(patterns, self.n_points, self.size.input)[:, None, None]
        x = self.norm(self.stages(self.stem(x)))
        x = x.flatten(2).max(2).values if self.flat is None else self.flat(x.permute(0, 2, 3, 1).flatten(1))
        return self.head(self.dropout(x))

    def resolution(self) -> dict[str, StageResolution]:
        """Positions of each stage, by its name, and where they lie on the pattern."""
        size, inside = self.size, self.size.channels[0]
        n_positions = (self.n_points - 1) // size.stem_stride + 1
        field, span = size.stem_kernel, size.stem_stride
        table = {}
        for i, (outside, stride, blocks) in enumerate(zip(size.channels, size.strides, size.blocks, strict=True)):
            if stride > 1 or inside != outside:
                field += (_TRANSITION - 1) * span
            span, inside = span * stride, outside
            field += blocks * (size.kernel - 1) * span
            n_positions = (n_positions - 1) // stride + 1
            seen = self.n_points if size.norm == "group" else field
            table[f"stage{i + 1}"] = StageResolution(n_positions, span, 0.0, seen)
        return table

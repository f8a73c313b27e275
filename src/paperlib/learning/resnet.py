"""The one-dimensional ResNet of the published study.

    stem     conv 13, stride 1 → dropout → norm → GELU → max-pool 7/7
    stage_i  two basic blocks  y = GELU(f(x) + g(x));  the first of them has stride s_i
             f = conv k_i → dropout → norm → GELU → conv k_i → dropout → norm
             g = conv 1, stride s_i → norm in the first block of a stage, the identity in the second
    head     maximum over the positions that are left → linear

Convolutions carry no bias (the norm that follows has one); the norm is a LayerNorm over the channels of one
position. This is the architecture of Baggett et al. (arXiv:2604.23811) as their published code has it, with
the padding, the place of the dropout and the down-sampling branch read there: 632,771 parameters with 99
classes.

Norm, activation and input may be chosen otherwise than they were published; see :class:`ResNetSize`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from paperlib.learning.parts import (
    ACTIVATIONS,
    INPUTS,
    NORMS,
    Dropout,
    StageResolution,
    bears_bfloat16,
    check_choice,
    check_classes,
    check_dropout,
    check_norm,
    transformed,
)


@dataclass(frozen=True)
class ResNetSize:
    """Sizes of a :class:`ResNet`; the defaults are the published ones. Raises ValueError for sizes that do
    not make a network."""

    channels: tuple[int, ...] = (32, 64, 64, 64)
    """Channels of each stage; the stem has as many as the first stage."""
    kernels: tuple[int, ...] = (5, 7, 17, 13)
    """Kernel length of each stage in positions; odd, so that a position stays centred on its points."""
    strides: tuple[int, ...] = (4, 4, 5, 3)
    """Positions of the stage before per position of each stage."""
    blocks: int = 2
    """Basic blocks per stage."""
    stem_kernel: int = 13
    """Kernel length of the stem in points; the stem is not padded, as published."""
    stem_pool: int = 7
    """Length and stride of the max-pool behind the stem, in points."""
    dropout: float = 0.05
    """Probability of dropping one number behind a convolution."""
    norm: str = "layer"
    """"layer": over the channels of one position, as published; "batch": BatchNorm, over a batch and all positions,
    which is faster on a CPU and bears bfloat16; "group": over the positions of one pattern and an eighth of the
    channels, which bears it as well."""
    activation: str = "gelu"
    """"gelu", as published, or "relu"."""
    input: str = "linear"
    """"linear": the intensity, as published; "square_root": its root, in which weak lines are not lost beside strong
    ones."""

    LATER: ClassVar[tuple[str, ...]] = ("input",)
    """Sizes that came after trainings that are kept; see :func:`paperlib.learning.models.describe_model`."""

    def __post_init__(self) -> None:
        for name in ("channels", "kernels", "strides"):
            object.__setattr__(self, name, tuple(int(v) for v in getattr(self, name)))
        if not len(self.channels) == len(self.kernels) == len(self.strides) > 0:
            raise ValueError(f"give one entry per stage: {self.channels=}, {self.kernels=}, {self.strides=}")
        lengths = (*self.kernels, self.stem_kernel, self.stem_pool)
        if min(*self.channels, *self.strides, *lengths, self.blocks) < 1:
            raise ValueError(f"every size of a ResNet must be at least 1: {self}")
        if any(length % 2 == 0 for length in lengths):
            raise ValueError(f"kernels and pool must be odd: {self.kernels=}, {self.stem_kernel=}, {self.stem_pool=}")
        check_dropout(self.dropout)
        check_norm(self.norm, self.channels)
        check_choice("activation", self.activation, tuple(ACTIVATIONS))
        check_choice("input", self.input, INPUTS)


def _conv_norm(
    inside: int, outside: int, kernel: int, stride: int, padding: int, dropout: float, norm: str
) -> nn.Sequential:
    conv = nn.Conv2d(inside, outside, (1, kernel), (1, stride), (0, padding), bias=False)
    return nn.Sequential(conv, Dropout(dropout), NORMS[norm](outside))


class BasicBlock(nn.Module):
    """y = GELU(f(x) + g(x)); see the head of the module. ``first`` says whether g is a convolution; ``dropout``,
    ``norm`` and ``activation`` are those of :class:`ResNetSize`."""

    def __init__(
        self,
        inside: int,
        outside: int,
        kernel: int,
        stride: int,
        first: bool,
        dropout: float,
        norm: str,
        activation: str,
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.conv1 = _conv_norm(inside, outside, kernel, stride, kernel // 2, dropout, norm)
        self.conv2 = _conv_norm(outside, outside, kernel, 1, kernel // 2, dropout, norm)
        self.downsample = _conv_norm(inside, outside, 1, stride, 0, 0.0, norm) if first else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inside, 1, positions) to (n, outside, 1, ceil(positions / stride))."""
        act = self.activation
        return act(self.conv2(act(self.conv1(x))) + self.downsample(x))


class ResNet(nn.Module):
    """Logits of ``n_classes`` classes from patterns of ``n_points`` points.

    The stages are ``model.stages["stage1"]`` and so on. Raises ValueError where ``n_points`` is smaller than
    the stem's kernel or there are fewer than two classes.
    """

    def __init__(self, n_classes: int, n_points: int, size: ResNetSize | None = None) -> None:
        super().__init__()
        size = size or ResNetSize()
        if n_points < size.stem_kernel:
            raise ValueError(
                f"a ResNet with a stem kernel of {size.stem_kernel} needs patterns of at least that many points, "
                f"got {n_points=}; sample the pattern more finely or choose a smaller stem_kernel"
            )
        check_classes(n_classes)
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        self.bears_bfloat16 = bears_bfloat16(size.norm)
        self.activation = ACTIVATIONS[size.activation]
        self.stem = _conv_norm(1, size.channels[0], size.stem_kernel, 1, 0, size.dropout, size.norm)
        self.pool = nn.MaxPool2d((1, size.stem_pool), padding=(0, size.stem_pool // 2))
        self.stages = nn.Sequential()
        inside, choices = size.channels[0], (size.dropout, size.norm, size.activation)
        for i, (outside, kernel, stride) in enumerate(zip(size.channels, size.kernels, size.strides, strict=True)):
            blocks = [BasicBlock(inside, outside, kernel, stride, True, *choices)]
            blocks += [BasicBlock(outside, outside, kernel, 1, False, *choices) for _ in range(size.blocks - 1)]
            self.stages.add_module(f"stage{i + 1}", nn.Sequential(*blocks))
            inside = outside
        self.head = nn.Linear(inside, n_classes)
        # The stem's single input channel cannot show the memory format; its weights carry it instead.
        self.to(memory_format=torch.channels_last)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape."""
        patterns = transformed(patterns, self.n_points, self.size.input)
        x = self.pool(self.activation(self.stem(patterns[:, None, None])))
        x = self.stages(x)
        return self.head(x.flatten(2).max(2).values)

    def resolution(self) -> dict[str, StageResolution]:
        """Positions of each stage, by its name, and where they lie on the pattern."""
        size = self.size
        n_positions = (self.n_points - size.stem_kernel) // size.stem_pool + 1
        centre = (size.stem_kernel - 1) / 2
        field = size.stem_kernel + size.stem_pool - 1
        span = size.stem_pool
        table = {}
        for i, (kernel, stride) in enumerate(zip(size.kernels, size.strides, strict=True)):
            field += (kernel - 1) * span
            span *= stride
            field += (2 * size.blocks - 1) * (kernel - 1) * span
            n_positions = (n_positions - 1) // stride + 1
            seen = self.n_points if size.norm == "group" else field
            table[f"stage{i + 1}"] = StageResolution(n_positions, span, centre, seen)
        return table

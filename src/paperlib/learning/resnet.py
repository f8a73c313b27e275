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

A position is kept as the last axis of an (n, channels, 1, positions) tensor in the memory format
``channels_last``: the same network as with ``Conv1d``, but the norm over channels then reads neighbouring
numbers, which is five times faster on a CPU, and the convolutions gain as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class StageResolution:
    """What one position of a stage stands for, in points of the pattern."""

    n_positions: int
    """Positions that the stage has."""
    span: int
    """Points from one position to the next."""
    first_centre: float
    """Point (counted from 0) on which position 0 is centred; may lie beyond the ends only through padding."""
    receptive_field: int
    """Points that can change the value at one position."""


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of an (n, channels, 1, positions) tensor, at each position by itself."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, 1, positions) to the same shape."""
        x = x.permute(0, 2, 3, 1)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class Dropout(nn.Dropout):
    """Dropout that spends 16 random bits on a number, so that the probability is a multiple of 1/65536.

    On a CPU torch's own takes five nanoseconds for each of the stem's 32,000 numbers per pattern, a quarter of
    a training step; this one takes half of that. On other devices it is torch's own.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``x``, whose memory must have no gaps, with dropped numbers set to 0 and the others scaled up."""
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        keep = bits[: x.numel()] >= round(self.p * 2**16) - 2**15
        return x * keep.to(x.dtype).mul_(1 / (1 - self.p)).as_strided(x.shape, x.stride())


NORMS: dict[str, Callable[[int], nn.Module]] = {"layer": ChannelNorm, "batch": nn.BatchNorm2d}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu}


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
    which is faster on a CPU and bears bfloat16."""
    activation: str = "gelu"
    """"gelu", as published, or "relu"."""

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
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1): {self.dropout=}")
        if self.norm not in NORMS or self.activation not in ACTIVATIONS:
            raise ValueError(
                f"choose the norm among {', '.join(NORMS)}, the activation among {', '.join(ACTIVATIONS)}: "
                f"{self.norm=}, {self.activation=}"
            )


def _conv_norm(
    inside: int, outside: int, kernel: int, stride: int, padding: int, dropout: float, norm: str
) -> nn.Sequential:
    conv = nn.Conv2d(inside, outside, (1, kernel), (1, stride), (0, padding), bias=False)
    return nn.Sequential(conv, Dropout(dropout), NORMS[norm](outside))


class BasicBlock(nn.Module):
    """y = GELU(f(x) + g(x)); see the head of the module. ``first`` says whether g is a convolution."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, size: ResNetSize, first: bool) -> None:
        super().__init__()
        dropout, norm, self.activation = size.dropout, size.norm, ACTIVATIONS[size.activation]
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
        if n_classes < 2:
            raise ValueError(f"a classifier needs at least two classes, got {n_classes=}")
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        self.bears_bfloat16 = size.norm == "batch"
        self.activation = ACTIVATIONS[size.activation]
        self.stem = _conv_norm(1, size.channels[0], size.stem_kernel, 1, 0, size.dropout, size.norm)
        self.pool = nn.MaxPool2d((1, size.stem_pool), padding=(0, size.stem_pool // 2))
        self.stages = nn.Sequential()
        inside = size.channels[0]
        for i, (outside, kernel, stride) in enumerate(zip(size.channels, size.kernels, size.strides, strict=True)):
            blocks = [BasicBlock(inside, outside, kernel, stride, size, first=True)]
            blocks += [BasicBlock(outside, outside, kernel, 1, size, first=False) for _ in range(size.blocks - 1)]
            self.stages.add_module(f"stage{i + 1}", nn.Sequential(*blocks))
            inside = outside
        self.head = nn.Linear(inside, n_classes)
        # The stem's single input channel cannot show the memory format; its weights carry it instead.
        self.to(memory_format=torch.channels_last)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape: the network
        would accept another sampling, and be wrong."""
        if patterns.ndim != 2 or patterns.shape[1] != self.n_points:
            raise ValueError(
                f"this model reads patterns of shape (n, {self.n_points}), got {tuple(patterns.shape)}; "
                "simulate or resample them on the grid that the model was trained on"
            )
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
            table[f"stage{i + 1}"] = StageResolution(n_positions, span, centre, field)
        return table

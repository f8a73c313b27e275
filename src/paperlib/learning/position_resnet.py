"""A one-dimensional ResNet that keeps the positions: its last feature maps are flattened, not pooled.

    input    √intensity (or the intensity itself), and beside it, if wanted, the position
    stem     conv k, stride s → norm → activation
    blocks   basic blocks as in :mod:`paperlib.learning.resnet`, one per entry of ``channels``
    head     flatten → dropout → linear → norm → activation → dropout → linear

Where a line stands is what tells one extinction class from another. The published network takes the maximum over the
positions that are left, so that its head can only ask whether something is anywhere; this one asks what is where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from paperlib.diffraction.baseline import is_measured
from paperlib.diffraction.instrument import CU_KALPHA
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
    check_odd,
    check_stem,
    flat_norm,
    transformed,
)
from paperlib.learning.resnet import BasicBlock


@dataclass(frozen=True)
class PositionResNetSize:
    """Sizes of a :class:`PositionResNet`. Raises ValueError for sizes that do not make a network."""

    channels: tuple[int, ...] = (32, 48, 64, 96, 128)
    """Channels of each block; the stem has as many as the first."""
    strides: tuple[int, ...] = (1, 2, 2, 2, 2)
    """Positions of the block before per position of each block."""
    kernel: int = 5
    """Kernel length of the blocks in positions; odd."""
    stem_kernel: int = 11
    """Kernel length of the stem in points; odd."""
    stem_stride: int = 4
    """Points per position behind the stem."""
    hidden: int = 512
    """Width of the layer between the flattened maps and the classes."""
    dropout: float = 0.1
    """Probability of dropping one number before each linear layer."""
    norm: str = "batch"
    """As in :class:`paperlib.learning.resnet.ResNetSize`."""
    activation: str = "relu"
    """As there."""
    input: str = "square_root"
    """As there."""
    coordinate: bool = False
    """Give the stem a second channel: where a point lies, from -1 at the first to 1 at the last."""
    coverage: bool = False
    """Give it another one: 1 where something was measured, 0 elsewhere (:mod:`paperlib.diffraction.baseline`)."""
    step: float = 0.0
    """Degrees 2θ between two points, for the input "above_baseline"."""

    LATER: ClassVar[tuple[str, ...]] = ("coordinate", "coverage", "step")
    """As in :class:`paperlib.learning.resnet.ResNetSize`."""

    def __post_init__(self) -> None:
        for name in ("channels", "strides"):
            object.__setattr__(self, name, tuple(int(v) for v in getattr(self, name)))
        if not len(self.channels) == len(self.strides) > 0:
            raise ValueError(f"give one entry per block: {self.channels=}, {self.strides=}")
        lengths = (self.kernel, self.stem_kernel, self.stem_stride, self.hidden)
        if min(*self.channels, *self.strides, *lengths) < 1:
            raise ValueError(f"every size of a network must be at least 1: {self}")
        check_odd(self.kernel, self.stem_kernel)
        check_dropout(self.dropout)
        check_norm(self.norm, self.channels)
        check_choice("activation", self.activation, tuple(ACTIVATIONS))
        check_choice("input", self.input, INPUTS)
        if self.input == "above_baseline" and not self.step > 0:
            raise ValueError(f"the input 'above_baseline' needs the step between points in degrees: {self.step=}")


def stem_in_degrees(step: float) -> dict[str, int]:
    """Sizes of a stem that spans as many degrees, with points ``step`` degrees apart, as the default one does on the
    instrument of the paper. What follows the stem is then the same network at any sampling."""
    finer = CU_KALPHA.step / step
    kernel = int(finer * PositionResNetSize.stem_kernel) // 2 * 2 + 1
    return {"stem_kernel": kernel, "stem_stride": max(1, round(finer * PositionResNetSize.stem_stride))}


class PositionResNet(nn.Module):
    """Logits of ``n_classes`` classes from patterns of ``n_points`` points.

    The blocks are ``model.stages["stage1"]`` and so on. Raises ValueError where ``n_points`` is smaller than the stem's
    kernel or there are fewer than two classes.
    """

    def __init__(self, n_classes: int, n_points: int, size: PositionResNetSize | None = None) -> None:
        super().__init__()
        size = size or PositionResNetSize()
        check_classes(n_classes)
        check_stem(size.stem_kernel, n_points)
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        self.bears_bfloat16 = bears_bfloat16(size.norm)
        self.activation = ACTIVATIONS[size.activation]
        if size.coordinate:
            self.register_buffer("coordinate", torch.linspace(-1, 1, n_points)[None, None, None], persistent=False)
        padding, inside, features = size.stem_kernel // 2, size.channels[0], 1 + size.coordinate + size.coverage
        conv = nn.Conv2d(features, inside, (1, size.stem_kernel), (1, size.stem_stride), (0, padding), bias=False)
        self.stem = nn.Sequential(conv, NORMS[size.norm](inside))
        self.stages = nn.Sequential()
        for i, (outside, stride) in enumerate(zip(size.channels, size.strides, strict=True)):
            first = stride > 1 or inside != outside
            block = BasicBlock(inside, outside, size.kernel, stride, first, 0.0, size.norm, size.activation)
            self.stages.add_module(f"stage{i + 1}", block)
            inside = outside
        left = list(self.resolution().values())[-1].n_positions
        self.dropout = Dropout(size.dropout)
        self.flat = nn.Linear(left * inside, size.hidden, bias=False)
        self.flat_norm = flat_norm(size.norm, size.hidden)
        self.head = nn.Linear(size.hidden, n_classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape."""
        x = transformed(patterns, self.n_points, self.size.input, self.size.step)[:, None, None]
        channels = [x]
        if self.size.coordinate:
            channels.append(self.coordinate.expand_as(x))
        if self.size.coverage:
            channels.append(is_measured(patterns)[:, None, None].to(x.dtype))
        x = torch.cat(channels, 1) if len(channels) > 1 else x
        x = self.stages(self.activation(self.stem(x)))
        x = self.flat(self.dropout(x.permute(0, 2, 3, 1).flatten(1)))
        return self.head(self.dropout(self.activation(self.flat_norm(x))))

    def resolution(self) -> dict[str, StageResolution]:
        """Positions of each block, by its name, and where they lie on the pattern."""
        size = self.size
        n_positions = (self.n_points - 1) // size.stem_stride + 1
        field, span = size.stem_kernel, size.stem_stride
        table = {}
        for i, stride in enumerate(size.strides):
            field += (size.kernel - 1) * span
            span *= stride
            field += (size.kernel - 1) * span
            n_positions = (n_positions - 1) // stride + 1
            seen = self.n_points if size.norm == "group" else field
            table[f"stage{i + 1}"] = StageResolution(n_positions, span, 0.0, seen)
        return table

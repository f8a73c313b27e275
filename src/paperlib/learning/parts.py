"""What several networks are made of: norms, activations, dropout, the input, and where the positions of a stage lie.

Convolutional networks keep a position as the last axis of an (n, channels, 1, positions) tensor in the memory format
``channels_last``: the same network as with ``Conv1d``, but a norm over channels then reads neighbouring numbers, which
is five times faster on a CPU, and the convolutions gain as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.diffraction.baseline import above_baseline

GROUPS = 8
"""Groups of channels of a GroupNorm; as many as the original's 32 would leave single channels in a small network."""


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
    """Points that can change the value at one position; all of them behind an attention or a GroupNorm."""


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of an (n, channels, 1, positions) tensor, at each position by itself."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, 1, positions) to the same shape."""
        x = x.permute(0, 2, 3, 1)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class Dropout(nn.Dropout):
    """Dropout that spends 16 random bits on a number, so that the probability is a multiple of 1/65536.

    On a CPU torch's own takes five nanoseconds for each of the 32,000 numbers per pattern behind the published stem, a
    quarter of a training step; this one takes half of that. On other devices it is torch's own.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``x``, whose memory must have no gaps, with dropped numbers set to 0 and the others scaled up."""
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        keep = bits[: x.numel()] >= round(self.p * 2**16) - 2**15
        return x * keep.to(x.dtype).mul_(1 / (1 - self.p)).as_strided(x.shape, x.stride())


def _group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(GROUPS, channels)


NORMS: dict[str, Callable[[int], nn.Module]] = {"layer": ChannelNorm, "batch": nn.BatchNorm2d, "group": _group_norm}
"""Norms of (n, channels, 1, positions) by name: "layer" over the channels of one position; "batch" over a batch and all
positions; "group" over the positions of one pattern and an eighth of the channels."""

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu}

INPUTS = ("linear", "square_root", "above_baseline")
"""What a network makes of intensities: nothing; the root of what lies above 0, in which weak lines are not lost beside
strong ones; or, for patterns with a background, a root with its sign of what lies above or below the baseline."""

_ROUNDED = 1e-3
"""Share of the maximum below which the root with a sign is straight, so that noise is not made larger than lines."""


def transformed(patterns: Tensor, n_points: int, kind: str, step: float = 0.0) -> Tensor:
    """(n, n_points) patterns as one of :data:`INPUTS`; "above_baseline" needs the ``step`` between points in degrees.
    Raises ValueError for patterns of another shape: a network would accept another sampling, and be wrong."""
    if patterns.ndim != 2 or patterns.shape[1] != n_points:
        raise ValueError(
            f"this model reads patterns of shape (n, {n_points}), got {tuple(patterns.shape)}; "
            "simulate or resample them on the grid that the model was trained on"
        )
    if kind == "linear":
        return patterns
    if kind == "above_baseline":
        peaks = above_baseline(patterns, step)
        return peaks / (peaks.abs() + _ROUNDED).sqrt()
    # The slope of the root is infinite at 0, where attributions must stay finite.
    return (patterns.clamp(min=0.0) + 1e-8).sqrt() - 1e-4


def bears_bfloat16(norm: str) -> bool:
    """Whether a convolutional network with ``norm`` bears bfloat16: "layer" divides by almost nothing where a pattern
    is empty, and its gradient is then infinite; the other norms look at more than one position."""
    return norm != "layer"


def check_classes(n_classes: int) -> None:
    """Raises ValueError for fewer than two classes."""
    if n_classes < 2:
        raise ValueError(f"a classifier needs at least two classes, got {n_classes=}")


def check_stem(kernel: int, n_points: int) -> None:
    """Raises ValueError for patterns of fewer points than the ``kernel`` of a stem is long."""
    if n_points < kernel:
        raise ValueError(f"a stem kernel of {kernel} needs at least that many points, got {n_points=}")


def check_odd(kernel: int, stem_kernel: int) -> None:
    """Raises ValueError for a kernel of even length, which is centred on no position."""
    if kernel % 2 == 0 or stem_kernel % 2 == 0:
        raise ValueError(f"kernels must be odd: {kernel=}, {stem_kernel=}")


def flat_norm(norm: str, width: int) -> nn.Module:
    """The norm of (n, width) numbers in a network whose maps have ``norm``: over the batch, or over each item."""
    return nn.BatchNorm1d(width) if norm == "batch" else nn.LayerNorm(width)


def check_choice(what: str, value: str, choices: Sequence[str]) -> None:
    """Raises ValueError where ``value`` is none of ``choices``, and lists them."""
    if value not in choices:
        raise ValueError(f"choose the {what} among {', '.join(choices)}: got {value!r}")


def check_norm(norm: str, channels: Sequence[int]) -> None:
    """Raises ValueError for an unknown norm, and for ``channels`` that a GroupNorm cannot cut into groups."""
    check_choice("norm", norm, tuple(NORMS))
    if norm == "group" and any(n % GROUPS for n in channels):
        raise ValueError(f"norm 'group' needs multiples of {GROUPS} channels, got {tuple(channels)}")


def check_dropout(dropout: float) -> None:
    """Raises ValueError for a probability outside [0, 1)."""
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must lie in [0, 1): {dropout=}")

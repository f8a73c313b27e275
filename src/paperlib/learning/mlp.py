"""A multilayer perceptron on the points of the pattern: what can be learnt without convolution. A cheap rival.

input    √intensity (or the intensity itself)
layers   linear → norm → activation → dropout, one per entry of ``widths``
head     linear
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from paperlib.learning.parts import INPUTS, check_choice, check_classes, check_dropout, transformed

_NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"gelu": nn.GELU, "relu": nn.ReLU}


@dataclass(frozen=True)
class MLPSize:
    """Sizes of an :class:`MLP`. Raises ValueError for sizes that do not make a network."""

    widths: tuple[int, ...] = (512, 512)
    """Width of each layer before the classes."""
    dropout: float = 0.1
    """Probability of dropping one number behind a layer."""
    norm: str = "batch"
    """"batch" or "layer"."""
    activation: str = "relu"
    """"gelu" or "relu"."""
    input: str = "square_root"
    """As in :class:`paperlib.learning.resnet.ResNetSize`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(int(v) for v in self.widths))
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"give at least one width, each at least 1: {self.widths=}")
        check_dropout(self.dropout)
        check_choice("norm", self.norm, tuple(_NORMS))
        check_choice("activation", self.activation, tuple(_ACTIVATIONS))
        check_choice("input", self.input, INPUTS)


class MLP(nn.Module):
    """Logits of ``n_classes`` classes from patterns of ``n_points`` points. Raises ValueError for fewer than two
    classes or no point."""

    bears_bfloat16 = True

    def __init__(self, n_classes: int, n_points: int, size: MLPSize | None = None) -> None:
        super().__init__()
        size = size or MLPSize()
        check_classes(n_classes)
        if n_points < 1:
            raise ValueError(f"a pattern needs a point, got {n_points=}")
        self.n_classes, self.n_points, self.size = n_classes, n_points, size
        modules: list[nn.Module] = []
        for inside, outside in zip((n_points, *size.widths[:-1]), size.widths, strict=True):
            modules += [nn.Linear(inside, outside, bias=False), _NORMS[size.norm](outside)]
            modules += [_ACTIVATIONS[size.activation](), nn.Dropout(size.dropout)]
        self.layers = nn.Sequential(*modules)
        self.head = nn.Linear(size.widths[-1], n_classes)

    def forward(self, patterns: Tensor) -> Tensor:
        """(n, n_points) patterns to (n, n_classes) logits. Raises ValueError for another shape."""
        return self.head(self.layers(transformed(patterns, self.n_points, self.size.input)))

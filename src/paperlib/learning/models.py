"""The architectures by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from paperlib.learning.convnext import ConvNeXt, ConvNeXtSize
from paperlib.learning.deepsets import DeepSets, DeepSetsSize
from paperlib.learning.mlp import MLP, MLPSize
from paperlib.learning.peaks_transformer import PeaksTransformer, PeaksTransformerSize
from paperlib.learning.position_resnet import PositionResNet, PositionResNetSize
from paperlib.learning.resnet import ResNet, ResNetSize
from paperlib.learning.transformer import Transformer, TransformerSize


class Architecture(NamedTuple):
    """A network class, called as ``network(n_classes, n_points, size)``, and the dataclass of its sizes."""

    network: Callable[..., nn.Module]
    size: type


ARCHITECTURES: dict[str, Architecture] = {
    "resnet": Architecture(ResNet, ResNetSize),
    "position_resnet": Architecture(PositionResNet, PositionResNetSize),
    "convnext": Architecture(ConvNeXt, ConvNeXtSize),
    "transformer": Architecture(Transformer, TransformerSize),
    "peaks_transformer": Architecture(PeaksTransformer, PeaksTransformerSize),
    "deepsets": Architecture(DeepSets, DeepSetsSize),
    "mlp": Architecture(MLP, MLPSize),
}
"""What :func:`build_model` can build. Each network has ``n_classes``, ``n_points``, ``size`` and ``bears_bfloat16``,
and maps (n, n_points) patterns to (n, n_classes) logits; one with positions has ``stages`` and ``resolution()``."""


def build_model(name: str, n_classes: int, n_points: int, *, seed: int = 0, **size: Any) -> nn.Module:
    """A network with fresh weights, which are a function of ``seed`` and the sizes; the global random state
    stays as it is. ``size`` holds fields of the architecture's size class, e.g. :class:`ResNetSize`.

    Raises ValueError for an unknown name and TypeError for an unknown size, each listing the choices.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(ARCHITECTURES)}")
    network, size_class = ARCHITECTURES[name]
    choices = [field.name for field in fields(size_class)]
    unknown = sorted(set(size) - set(choices))
    if unknown:
        raise TypeError(f"the model {name!r} has no size {unknown[0]!r}; its sizes are {', '.join(choices)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network(n_classes, n_points, size_class(**size))


def describe_model(model: nn.Module) -> dict[str, Any]:
    """Name, ``n_classes``, ``n_points`` and sizes of a model, such that ``build_model(**description)`` makes
    one like it (with fresh weights). Tuples become lists, as JSON would have them.

    Trainings are known by it. Sizes that came after trainings of an architecture (named in ``LATER`` of its size class)
    are therefore left out while they have their default. Raises TypeError for a model that is none of
    :data:`ARCHITECTURES`.
    """
    for name, architecture in ARCHITECTURES.items():
        if type(model) is architecture.network:
            later = getattr(architecture.size, "LATER", ())
            defaults = {field.name: field.default for field in fields(architecture.size) if field.name in later}
            sizes = {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in asdict(model.size).items()
                if key not in later or value != defaults[key]
            }
            return {"name": name, "n_classes": model.n_classes, "n_points": model.n_points} | sizes
    raise TypeError(f"{type(model).__name__} is not a model of paperlib ({', '.join(ARCHITECTURES)})")


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@torch.no_grad()
def count_flops(model: nn.Module) -> int:
    """Multiply-adds that the forward pass of one pattern takes: those of its matrix products and convolutions, which
    are nearly all; norms, activations and the search for peaks are not counted. The model keeps its mode."""
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    try:
        # The counter knows no fused attention on a CPU; the plain one is made of matrix products.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, model.n_points, device=device))
    finally:
        model.train(was_training)
    return counter.get_total_flops() // 2

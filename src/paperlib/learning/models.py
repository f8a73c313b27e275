"""The architectures by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, NamedTuple

import torch
from torch import nn

from paperlib.learning.resnet import ResNet, ResNetSize


class Architecture(NamedTuple):
    """A network class, called as ``network(n_classes, n_points, size)``, and the dataclass of its sizes."""

    network: Callable[..., nn.Module]
    size: type


ARCHITECTURES: dict[str, Architecture] = {"resnet": Architecture(ResNet, ResNetSize)}
"""What :func:`build_model` can build. Every network has ``n_classes``, ``n_points`` and ``size``, and maps
(n, n_points) patterns to (n, n_classes) logits."""


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

    Raises TypeError for a model that is none of :data:`ARCHITECTURES`.
    """
    for name, architecture in ARCHITECTURES.items():
        if type(model) is architecture.network:
            sizes = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(model.size).items()}
            return {"name": name, "n_classes": model.n_classes, "n_points": model.n_points} | sizes
    raise TypeError(f"{type(model).__name__} is not a model of paperlib ({', '.join(ARCHITECTURES)})")


def count_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)

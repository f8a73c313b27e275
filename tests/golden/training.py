"""Three steps of a training of each network, on made-up patterns that nothing else moves."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from paperlib.datasets.streams import ArrayStream
from paperlib.learning.configuration import TrainConfig
from paperlib.learning.models import build_model
from paperlib.learning.training import fit

MODELS: dict[str, Mapping[str, Any]] = {
    "layer": {},
    "batch": {"norm": "batch", "activation": "relu"},
}
"""The published ResNet, and the one that bears bfloat16."""

NETWORKS: dict[str, Mapping[str, Any]] = {
    "position_resnet": {"channels": (8, 16), "strides": (1, 2), "hidden": 12},
    "convnext": {"channels": (8, 16), "strides": (1, 2), "blocks": (1, 1), "hidden": 12},
    "transformer": {"width": 16, "depth": 2, "heads": 2},
    "peaks_transformer": {"width": 16, "depth": 2, "heads": 2, "n_peaks": 5, "n_frequencies": 8},
    "deepsets": {"width": 16, "hidden": 12, "n_peaks": 5, "n_frequencies": 8},
    "mlp": {"widths": (16, 12)},
}
"""The other architectures, small."""

_EXECUTION = {"precision": "float32", "threads": 1, "device": "cpu"}
_POINTS, _CLASSES, _PLACES = 300, 7, 12


def training() -> dict[str, np.ndarray]:
    """Of each model: the loss of every step; how far each of its tensors has moved from the start (root mean square);
    and twelve numbers of each tensor after the last step, evenly spaced."""
    made = {}
    for name, size in MODELS.items():
        start = build_model("resnet", _CLASSES, _POINTS, seed=5, **size).state_dict()
        model = build_model("resnet", _CLASSES, _POINTS, seed=5, **size)
        losses = _three_steps(model, 3e-4)
        end = {key: tensor.flatten() for key, tensor in model.state_dict().items() if tensor.is_floating_point()}
        moves = [(tensor - start[key].flatten()).square().mean().sqrt() for key, tensor in end.items()]
        places = [tensor[torch.linspace(0, len(tensor) - 1, _PLACES).long()] for tensor in end.values()]
        made[f"{name}_loss"] = losses
        made[f"{name}_moves"] = torch.stack(moves).numpy()
        made[f"{name}_weights"] = torch.cat(places).numpy()
    return made


def networks() -> dict[str, np.ndarray]:
    """Of each of :data:`NETWORKS`: the loss of every step. Its weights are left out: the bias of the keys of an
    attention has no gradient but rounding, which Adam makes steps of."""
    return {
        f"{name}_loss": _three_steps(build_model(name, _CLASSES, _POINTS, seed=5, **size), 3e-3)
        for name, size in NETWORKS.items()
    }


def _three_steps(model: nn.Module, lr: float) -> np.ndarray:
    config = TrainConfig(3, lr=lr, warmup_steps=1, weight_decay=1.0, label_smoothing=0.1, seed=2, **_EXECUTION)
    with tempfile.TemporaryDirectory() as folder:
        history = fit(model, _stream(), config, folder, report=lambda line: None)
    return history.rounds.loss.to_numpy()


def _stream() -> ArrayStream:
    """Eight patterns of a few peaks in one batch, so that each step is a pass with a loss of its own."""
    rng = np.random.default_rng(12)  # NumPy holds the bits of this generator from version to version
    centres, heights = rng.uniform(0, _POINTS, (8, 6, 1)), rng.uniform(0.1, 1, (8, 6, 1))
    patterns = (heights * np.exp(-0.5 * ((np.arange(_POINTS) - centres) / 2) ** 2)).sum(1)
    return ArrayStream(patterns.astype(np.float32), np.arange(8) % _CLASSES, 8, seed=3)

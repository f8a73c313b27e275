"""Released weights: a ``.safetensors`` file that says which network it fits and what its classes are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from paperlib.lab.display import counted, one_line
from paperlib.lab.store import atomic_path
from paperlib.learning.models import build_model, describe_model


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, shapes, types and values of tensors, whatever their order, memory format or device."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Released:
    """A model with released weights, in evaluation mode, and what is known of it."""

    model: nn.Module
    class_scheme: str
    """What the classes are, e.g. ``space_group`` or ``absences``."""
    class_names: tuple[str, ...]
    """Name of each class, in the order of the logits."""
    notes: dict[str, Any]
    """Where the weights come from: training data, grid, scores."""

    def __repr__(self) -> str:
        parameters = counted(sum(tensor.numel() for tensor in self.model.parameters()), "parameter")
        classes = f"{len(self.class_names)} classes ({self.class_scheme})"
        return one_line("Released", type(self.model).__name__, parameters, classes)


def save_weights(
    path: str | Path, model: nn.Module, class_scheme: str, class_names: Sequence[str], **notes: Any
) -> None:
    """Write the weights of a model of :mod:`paperlib.learning.models` to ``path`` (``.safetensors``).

    ``notes`` are values that JSON can hold. Raises ValueError where there is not one name per class or the
    path has another suffix.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"weights are kept as .safetensors, got {path}")
    architecture = describe_model(model)
    if len(class_names) != architecture["n_classes"]:
        raise ValueError(f"{len(class_names)} class names for {architecture['n_classes']} classes: give one for each")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    header = {
        "architecture": architecture,
        "class_scheme": class_scheme,
        "class_names": [str(name) for name in class_names],
        "notes": notes,
        "sha256": tensors_digest(tensors),
    }
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata={"paperlib": json.dumps(header, sort_keys=True)})


def weights_header(path: str | Path) -> dict[str, Any]:
    """What a file of :func:`save_weights` says of itself, without the weights: ``architecture``, ``class_scheme``,
    ``class_names``, ``notes`` and ``sha256``.

    Raises FileNotFoundError where there is no file, and ValueError, naming it, where it is truncated or of another
    origin.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there are no weights {path}; train the model, or fetch the released file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{path} is not a complete .safetensors file ({error}); delete it and get it again") from error
    if "paperlib" not in metadata:
        raise ValueError(f"{path} does not say which network it fits; it was not written by save_weights")
    return json.loads(metadata["paperlib"])


def load_weights(path: str | Path, class_scheme: str | None = None, n_points: int | None = None) -> Released:
    """Build the network that a file of :func:`save_weights` describes, and fill in its weights.

    Raises FileNotFoundError where there is no file, and ValueError, naming it, where it is truncated,
    damaged, of another origin, or has another ``class_scheme`` or ``n_points`` than the caller needs.
    """
    header = weights_header(path)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if tensors_digest(tensors) != header["sha256"]:
        raise ValueError(f"the weights in {path} do not agree with their checksum; delete the file and get it again")
    architecture = header["architecture"]
    if class_scheme is not None and header["class_scheme"] != class_scheme:
        raise ValueError(f"{path} tells classes of {header['class_scheme']!r} apart, not of {class_scheme!r}")
    if n_points is not None and architecture["n_points"] != n_points:
        raise ValueError(f"{path} reads patterns of {architecture['n_points']} points, not of {n_points=}")
    model = build_model(**architecture)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"the weights in {path} do not fit the network it names: {error}") from error
    return Released(model.eval(), header["class_scheme"], tuple(header["class_names"]), header["notes"])

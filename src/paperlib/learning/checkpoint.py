"""The state of a training run on disk: the last checkpoint and the one before it.

``run.json`` beside them says in plain text what was trained on what; the same content is inside each
checkpoint and must agree when a run goes on.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from paperlib.lab.store import atomic_path, write_json
from paperlib.learning.weights import tensors_digest


class CheckpointError(RuntimeError):
    """A checkpoint that belongs to another run, or that nothing can read."""


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Write ``last.pt``; what was there becomes ``previous.pt``. ``state`` holds tensors and plain values and
    its ``identity`` (plain values), which is also written to ``run.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    last = folder / "last.pt"
    with atomic_path(last) as partial:
        torch.save({**state, "sha256": tensors_digest(_tensors(state))}, partial)
        if last.exists():
            os.replace(last, folder / "previous.pt")
    write_json(folder / "run.json", state["identity"])


def load_checkpoint(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The newest readable checkpoint in ``folder`` on the CPU, or None where there is none.

    Where ``last.pt`` is damaged it is set aside as ``damaged.pt`` and ``previous.pt`` is taken, with a
    warning. Raises CheckpointError where nothing is readable, or where the checkpoint's identity is not
    ``identity``; the message says what differs.
    """
    last, previous = folder / "last.pt", folder / "previous.pt"
    if not last.exists() and not previous.exists():
        return None
    state, reason = _read(last)
    if state is None:
        state, previous_reason = _read(previous)
        if state is None:
            raise CheckpointError(
                f"no checkpoint in {folder} can be read: last.pt {reason}; previous.pt {previous_reason}. Delete "
                f"{folder} to start the training again"
            )
        warnings.warn(
            f"{last} {reason}; going on from {previous}, after step {state['step']}",
            RuntimeWarning,
            stacklevel=2,
        )
        if last.exists():
            os.replace(last, folder / "damaged.pt")
    differences = _differences(_flat(state["identity"]), _flat(identity))
    if differences:
        raise CheckpointError(
            f"{folder} holds the checkpoint of another run: {'; '.join(differences)}. Choose another folder, or "
            "delete this one to start again"
        )
    return state


def _read(path: Path) -> tuple[dict[str, Any] | None, str]:
    if not path.is_file():
        return None, "is missing"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        digest = tensors_digest(_tensors(state))
    except Exception as error:  # torch raises whatever its unpickler stumbles on
        return None, f"is truncated or damaged ({type(error).__name__})"
    return (state, "") if digest == state.get("sha256") else (None, "does not agree with its checksum")


def _tensors(state: Any, path: str = "") -> dict[str, Tensor]:
    """All tensors in nested dictionaries and lists, by their path."""
    if isinstance(state, Tensor):
        return {path: state}
    if isinstance(state, Mapping):
        items = state.items()
    elif isinstance(state, (list, tuple)):
        items = enumerate(state)
    else:
        return {}
    return {name: tensor for key, value in items for name, tensor in _tensors(value, f"{path}/{key}").items()}


def _flat(tree: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{path}{key}.") if isinstance(value, Mapping) else {f"{path}{key}": value}
    return flat


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} was {there.get(key)!r} and is now {here.get(key)!r}"
        for key in sorted(set(there) | set(here))
        if there.get(key) != here.get(key)
    ]

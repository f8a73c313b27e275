"""The command ``paperlib release``: a trained network becomes the one that ``paperlib classify`` asks."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from paperlib.answers.numpy_network import NumpyNetwork

RELEASED: Mapping[str, Any] = {
    **{"name": "position_resnet", "n_classes": 230, "n_points": 2125, "channels": (32, 64, 96, 128)},
    **{"strides": (2, 2, 2, 2), "stem_kernel": 15, "stem_stride": 4, "hidden": 512, "dropout": 0.3},
    **{"input": "above_baseline", "coverage": True, "step": 0.04},
}
"""What weights fit that come without a description of their network."""

AGREES = 1e-4
"""Largest difference of two probabilities by which the network in numpy may be off the one in torch."""


def add_release(commands: argparse._SubParsersAction) -> None:
    """Add ``release`` to the commands of ``paperlib``."""
    releasing = commands.add_parser("release", help=_command.__doc__, description=_command.__doc__)
    releasing.set_defaults(action=_command)
    releasing.add_argument(
        "weights", help="weights.safetensors or last.pt of a training, or a state_dict (.pt) of the released sizes"
    )
    releasing.add_argument("--card", required=True, help="JSON: temperature, refuse_below, scores, limits, about")
    releasing.add_argument("--to", default="", metavar="OUT", help="default: the one in data/models")


def _command(arguments: argparse.Namespace) -> int:
    """Put a trained network and its card where classify reads them, after a check that numpy answers as torch does."""
    try:
        print(f"released: {release(arguments.weights, arguments.card, arguments.to or None)}")
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def release(weights: str | Path, card: str | Path, to: str | Path | None = None) -> Path:
    """Write the network that was trained to ``weights`` and its ``card`` as files that
    :func:`paperlib.answers.answer.released_asker` reads, and return the path of the first.

    ``weights`` is a ``.safetensors`` file of :func:`paperlib.learning.weights.save_weights` (a study keeps one per
    training), a checkpoint of :func:`paperlib.learning.training.fit`, or a ``.pt`` file that holds a ``state_dict``,
    with "architecture" beside it or of the sizes :data:`RELEASED`. ``card`` is JSON as
    :func:`paperlib.answers.card.read_card` takes it, complete. ``to`` ends in ``.safetensors``; by default it is the
    network that ``paperlib classify`` asks. Weights that would take more than 10 MB are rounded to half precision.

    Raises FileNotFoundError for files that are not there; ValueError for an incomplete card, weights that fit no such
    network, a network of other patterns or answers, one that is still above 10 MB, and one that numpy reads
    otherwise than torch.
    Nothing is left at ``to`` then that was not there.
    """
    from paperlib.answers.answer import released_asker, released_file
    from paperlib.answers.card import read_card, write_card
    from paperlib.datasets.labels import Labels
    from paperlib.lab.store import atomic_path, sha256_of
    from paperlib.learning.kept import MAX_RELEASED_BYTES
    from paperlib.learning.rounded import ROUNDED
    from paperlib.learning.weights import save_weights

    weights, told = Path(weights).expanduser(), read_card(Path(card).expanduser(), complete=True)
    model, notes = _trained(weights)
    to = Path(to).expanduser() if to else released_file()
    names = [str(name) for name in Labels("space_group").names]
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / to.name
        notes = {"weights": sha256_of(weights)} | notes
        save_weights(trial, model, "space_group", names, **notes)
        if trial.stat().st_size > MAX_RELEASED_BYTES:
            save_weights(trial, model.half(), "space_group", names, **(notes | {"rounded": ROUNDED}))
            model = model.float()
        write_card(trial.with_suffix(".json"), told)
        if (size := trial.stat().st_size) > MAX_RELEASED_BYTES:
            raise ValueError(f"{weights} makes a file of {size / 1e6:.1f} MB; at most {MAX_RELEASED_BYTES / 1e6:.0f}")
        if (off := _difference(model, released_asker(trial).network)) > AGREES:
            raise ValueError(f"{weights}: in numpy a probability is {off:.2g} off torch's, more than {AGREES:g}")
        for suffix in (".json", ".safetensors"):
            with atomic_path(to.with_suffix(suffix)) as partial:
                shutil.copyfile(trial.with_suffix(suffix), partial)
    return to


def _trained(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """The network of a file of weights, in evaluation mode, and the notes in it."""
    import torch

    from paperlib.learning.models import build_model
    from paperlib.learning.weights import load_weights

    if path.suffix == ".safetensors":
        loaded = load_weights(path, "space_group")
        return loaded.model, loaded.notes
    if not path.is_file():
        raise FileNotFoundError(f"there are no weights {path}; give the file that the training wrote")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler stumbles on
        raise ValueError(f"{path} holds no weights that torch can read ({type(error).__name__}: {error})") from error
    found = found if isinstance(found, dict) else {}
    tensors = next((found[key] for key in ("model", "state_dict") if isinstance(found.get(key), dict)), found)
    described = found.get("architecture") or (found.get("identity") or {}).get("model") or RELEASED
    model = build_model(**described)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(f"the weights in {path} do not fit {dict(described)}: {error}") from error
    return model.eval(), {}


def _difference(model: nn.Module, twin: NumpyNetwork) -> float:
    """The largest difference of a probability between ``model`` and its ``twin``, on patterns with lines and gaps."""
    import numpy as np
    import torch

    from paperlib.diffraction.without_torch import NOT_MEASURED

    patterns = np.random.default_rng(0).uniform(0, 1, (64, twin.n_points)).astype(np.float32) ** 30
    patterns[::2, : patterns.shape[1] // 8] = NOT_MEASURED
    with torch.inference_mode():
        theirs = model(torch.from_numpy(patterns)).double().softmax(1).numpy()
    ours = np.exp(twin.logits(patterns))
    return float(np.abs(ours / ours.sum(1, keepdims=True) - theirs).max())

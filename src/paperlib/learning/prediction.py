"""Predictions of a model as a file: what metrics, calibration and figures read instead of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from paperlib.lab.display import one_line
from paperlib.lab.store import write_arrays


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says about n patterns. Raises ValueError where the shapes do not agree."""

    log_probabilities: np.ndarray
    """(n, n_classes) float32: natural logarithms, so that improbable classes keep their digits."""
    targets: np.ndarray
    """(n,) int64: class index, -1 where it is not known."""
    ids: np.ndarray
    """(n,) str: identifier of each pattern."""

    def __post_init__(self) -> None:
        n = len(self.log_probabilities)
        if self.log_probabilities.ndim != 2 or self.targets.shape != (n,) or self.ids.shape != (n,):
            raise ValueError(
                "predictions must be (n, n_classes) with (n,) targets and ids: "
                f"{self.log_probabilities.shape=}, {self.targets.shape=}, {self.ids.shape=}"
            )
        if n and int(self.targets.max()) >= self.log_probabilities.shape[1]:
            row = int(self.targets.argmax())
            raise ValueError(f"{self.ids[row]}: {self.targets[row]=} for {self.log_probabilities.shape[1]} classes")

    def __len__(self) -> int:
        return len(self.log_probabilities)

    def __repr__(self) -> str:
        return one_line("Predictions", f"{len(self):,} × {self.log_probabilities.shape[1]:,} log-probabilities")

    @property
    def probabilities(self) -> np.ndarray:
        """(n, n_classes) float64; each row adds up to 1 within the precision of float32."""
        return np.exp(self.log_probabilities.astype(np.float64))

    def save(self, path: str | Path) -> None:
        """Write one ``.npz`` file, whole or not at all."""
        write_arrays(path, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: str | Path) -> Predictions:
        """Read what :meth:`save` wrote. Raises ValueError, naming the file, where it is not that."""
        try:
            with np.load(path, allow_pickle=False) as archive:
                return cls(**{field.name: archive[field.name] for field in fields(cls)})
        except FileNotFoundError:
            raise
        except Exception as error:  # a damaged archive fails in zipfile, zlib or numpy
            raise ValueError(f"{path} does not hold predictions ({error}); delete it and predict again") from error


@torch.no_grad()
def predict(
    model: nn.Module,
    patterns: np.ndarray | Tensor,
    batch_size: int = 256,
    targets: np.ndarray | Tensor | None = None,
    ids: Sequence[str] | np.ndarray | None = None,
) -> Predictions:
    """Predictions of ``model``, in evaluation mode and on the device it lies on, for (n, n_points) patterns
    (an array, a memory-mapped array or a tensor). The default batch is the fastest on a CPU, whose caches a
    larger one leaves; a GPU gains from thousands.

    Without ``targets`` they are -1; without ``ids`` these are the row numbers. Raises ValueError for wrong
    shapes, and naming the first pattern that holds, or leads to, a number that is not finite.
    """
    n = len(patterns)
    names = np.arange(n).astype(np.str_) if ids is None else np.asarray(ids, dtype=np.str_)
    classes = np.full(n, -1, dtype=np.int64) if targets is None else torch.as_tensor(targets).cpu().numpy()
    if names.shape != (n,) or classes.shape != (n,):
        raise ValueError(f"one target and one id per pattern: {n=}, {classes.shape=}, {names.shape=}")
    log_probabilities = np.empty((n, model.n_classes), dtype=np.float32)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        for start in range(0, n, batch_size):
            batch = patterns[start : start + batch_size]
            batch = batch if isinstance(batch, Tensor) else torch.from_numpy(np.array(batch, dtype=np.float32))
            batch = batch.to(device, torch.float32)
            answer = torch.log_softmax(model(batch).float(), 1)
            finite = torch.isfinite(batch).all(1) & torch.isfinite(answer).all(1)
            if not finite.all():
                row = start + int(torch.argmin(finite.to(torch.uint8)))
                raise ValueError(
                    f"pattern {row} (id {names[row]}) is not finite or too large for the model; leave it out or mend it"
                )
            log_probabilities[start : start + len(batch)] = answer.cpu().numpy()
    finally:
        model.train(was_training)
    return Predictions(log_probabilities, classes.astype(np.int64), names)


def group_of_each_class(class_of: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes,) int64: the group of each class, counted from 0.

    ``class_of`` is just that; or the (231,) table of :func:`paperlib.symmetry.extinction.class_of_space_group`,
    whose entry 0 is -1, for the 230 space groups in order. Raises ValueError where it does not fit.
    """
    class_of = np.asarray(class_of)
    if class_of.shape == (n_classes + 1,) and class_of[0] == -1:
        class_of = class_of[1:]
    if class_of.shape != (n_classes,) or class_of.min() < 0:
        raise ValueError(f"give the group of each class, from 0: {n_classes=}, {class_of.shape=}, {class_of.min()=}")
    return class_of.astype(np.int64)

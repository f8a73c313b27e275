"""The training loop: AdamW, linear warm-up, cosine to zero, and checkpoints from which a run goes on exactly.

Everything that an epoch draws (the order of the patterns, the dropout) is a function of the seed and the
number of the epoch. A run that stops between epochs and goes on ends, on a CPU, in the same weights bit for
bit as one that never stopped; on CUDA the two agree within rounding, since some of its kernels add in an
order that changes.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.datasets.streams import Stream
from paperlib.lab import rng
from paperlib.lab.store import write_table
from paperlib.learning.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from paperlib.learning.device import keep_freed_memory, pick_device
from paperlib.learning.models import describe_model
from paperlib.learning.weights import tensors_digest

_LOSSES_AT_ONCE = 50
"""Steps between looks at the losses: a look makes the host wait for the device."""


@dataclass(frozen=True)
class TrainConfig:
    """Numbers of a training run. Raises ValueError for values that make no run."""

    epochs: int = 30
    """The cosine ends here: it is part of the method, not a limit; to stop earlier use ``max_minutes``."""
    lr: float = 1e-3
    """Peak learning rate; Adam's own default."""
    weight_decay: float = 0.01
    """AdamW's own default; on the weights of convolutions and linear layers only, as a norm's scale and a
    bias have no size to shrink from."""
    warmup_epochs: float = 1.0
    """Adam's second moments are noise in the first steps; a linear rise keeps these steps small."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's own default."""
    label_smoothing: float = 0.0
    """None: smoothing would shift the probabilities whose calibration is measured."""
    clip_norm: float = 1.0
    """Largest norm of the gradient; only the rare spike after warm-up is longer. 0 turns clipping off."""
    seed: int = 0
    """Of the dropout; the order of the patterns has the stream's seed, the first weights the model's."""
    mixed_precision: str = "auto"
    """"auto": bfloat16 where a CUDA device has it, never on a CPU; "off": float32 everywhere."""
    deterministic: bool = True
    """Ask torch for deterministic kernels where it has them; costs little at this size."""
    device: str = "auto"
    """As in :func:`paperlib.learning.device.pick_device`."""
    max_minutes: float = math.inf
    """Stop after the first epoch that ends later than this; the next call goes on. Each call does at least
    one epoch."""
    checkpoint_every: int = 1
    """Epochs between checkpoints; there is always one at a stop and at the end."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if self.epochs < 1 or self.checkpoint_every < 1 or not self.lr > 0:
            raise ValueError(f"must be positive: {self.epochs=}, {self.checkpoint_every=}, {self.lr=}")
        if not 0 <= self.warmup_epochs <= self.epochs:
            raise ValueError(f"the warm-up must lie inside the run: {self.warmup_epochs=}, {self.epochs=}")
        if not (0 <= self.label_smoothing < 1 and self.clip_norm >= 0 and self.weight_decay >= 0):
            raise ValueError(f"out of range: {self.label_smoothing=}, {self.clip_norm=}, {self.weight_decay=}")
        if self.mixed_precision not in ("auto", "off"):
            raise ValueError(f'choose "auto" or "off": {self.mixed_precision=}')

    def identity(self) -> dict[str, Any]:
        """The fields that change the result; limits and the place of work may change between calls."""
        values = asdict(self) | {"betas": list(self.betas)}
        return {k: v for k, v in values.items() if k not in ("device", "max_minutes", "checkpoint_every")}


@dataclass(frozen=True)
class History:
    """What a run has done so far."""

    epochs: pd.DataFrame
    """One row per epoch: epoch (from 1), loss (mean cross-entropy of the training batches), validation_top1
    (NaN without validation), lr (at the end), samples_per_s and minutes (of training in all)."""
    stopped_early: bool
    """The time limit came before the last epoch; call :func:`fit` again to go on."""


def learning_rate(step: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """Rate of optimizer step ``step`` (from 0): linear to ``config.lr`` during the warm-up, then half a
    cosine that reaches zero one step after the last."""
    warmup, total = config.warmup_epochs * steps_per_epoch, config.epochs * steps_per_epoch
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


def fit(
    model: nn.Module,
    stream: Stream,
    config: TrainConfig,
    checkpoint_dir: str | Path,
    validation: Stream | None = None,
) -> History:
    """Train ``model`` in place, or go on with the run whose checkpoint lies in ``checkpoint_dir``.

    The weights of the last epoch are the result: no epoch is chosen by its score, so the validation set only
    watches. A run that is complete already is loaded and its history returned. ``history.csv`` in
    ``checkpoint_dir`` grows by one line per checkpointed epoch. The model ends on the device it was trained on,
    in evaluation mode.

    Raises ValueError where stream and model do not fit; CheckpointError where the folder belongs to a run
    with another model, start, stream or configuration, or where no checkpoint in it can be read; and
    FloatingPointError, naming epoch and step, where the loss is not finite.
    """
    for data in (stream, validation):
        if data is not None and data.n_points != model.n_points:
            raise ValueError(f"the model reads {model.n_points} points, the stream gives {data.n_points}")
    folder, device = Path(checkpoint_dir), pick_device(config.device)
    if device.type == "cpu":
        keep_freed_memory()
    model.to(device)
    optimizer = torch.optim.AdamW(_decay_groups(model, config.weight_decay), lr=config.lr, betas=config.betas)
    identity = {
        "model": describe_model(model),
        "stream": stream.identity(),
        "validation": validation.identity() if validation is not None else None,
        "config": config.identity(),
    }
    start = tensors_digest(model.state_dict())
    rows: list[dict[str, float]] = []
    state = load_checkpoint(folder, identity)
    if state is not None:
        if start not in (state["start"], tensors_digest(state["model"])):
            raise CheckpointError(
                f"the model starts from other weights than the run in {folder}; build it with the same seed, or choose "
                "another folder"
            )
        start, rows = state["start"], state["rows"]
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])

    began = time.monotonic()
    with _deterministic(config.deterministic):
        for epoch in range(len(rows), config.epochs):
            rows.append(_train_epoch(model, optimizer, stream, config, epoch, device))
            rows[-1]["validation_top1"] = top1(model, validation, device) if validation is not None else math.nan
            rows[-1]["minutes"] += rows[-2]["minutes"] if epoch else 0.0
            _log(rows[-1], config.epochs)
            stop = time.monotonic() - began >= 60 * config.max_minutes
            if stop or (epoch + 1) % config.checkpoint_every == 0 or epoch + 1 == config.epochs:
                save_checkpoint(
                    folder,
                    {
                        "identity": identity,
                        "start": start,
                        "epochs_done": epoch + 1,
                        "rows": rows,
                        "model": model.state_dict(),
                        "optimizer": optimizer.state_dict(),
                    },
                )
                write_table(folder / "history.csv", _table(rows))
            if stop:
                break
    model.eval()
    return History(_table(rows), stopped_early=len(rows) < config.epochs)


def _train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    stream: Stream,
    config: TrainConfig,
    epoch: int,
    device: torch.device,
) -> dict[str, float]:
    """One pass over the stream; the row of the history without its validation."""
    began, n_samples, total = time.monotonic(), 0, 0.0
    losses: list[Tensor] = []
    sizes: list[int] = []
    high, low = rng.integers(config.seed, "dropout", [epoch], 2)[0]
    model.train()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed((int(high) << 32 | int(low)) >> 1)
        for i, (patterns, targets) in enumerate(stream.epoch(epoch)):
            lr = learning_rate(epoch * len(stream) + i, len(stream), config)
            for group in optimizer.param_groups:
                group["lr"] = lr
            with _precision(config, device):
                logits = model(patterns.to(device, non_blocking=True))
            loss = F.cross_entropy(
                logits.float(), targets.to(device, non_blocking=True), label_smoothing=config.label_smoothing
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if config.clip_norm:
                nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimizer.step()

            losses.append(loss.detach())
            sizes.append(len(targets))
            if len(losses) == _LOSSES_AT_ONCE or i + 1 == len(stream):
                first = i + 1 - len(losses)
                for k, value in enumerate(torch.stack(losses).tolist()):
                    if not math.isfinite(value):
                        raise FloatingPointError(
                            f"the loss is {value} in epoch {epoch + 1}, step {first + k + 1}; lower the learning rate "
                            f"({config.lr}) or look at the patterns of this step. The last checkpoint is untouched"
                        )
                    total += value * sizes[k]
                n_samples += sum(sizes)
                losses.clear()
                sizes.clear()
    seconds = time.monotonic() - began
    return {
        "epoch": epoch + 1,
        "loss": total / n_samples,
        "lr": lr,
        "samples_per_s": n_samples / seconds,
        "minutes": seconds / 60,
    }


@torch.no_grad()
def top1(model: nn.Module, stream: Stream, device: torch.device) -> float:
    """Share of the patterns in epoch 0 of ``stream`` whose most probable class is the target."""
    model.eval()
    right = n = 0
    for patterns, targets in stream.epoch(0):
        right += int((model(patterns.to(device)).argmax(1) == targets.to(device)).sum())
        n += len(targets)
    return right / n


def _decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _precision(config: TrainConfig, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    if config.mixed_precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


@contextlib.contextmanager
def _deterministic(wanted: bool) -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    if wanted:
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Filling every new buffer helps to find faulty kernels, changes no result, and costs a pass over it.
        torch.utils.deterministic.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.utils.deterministic.fill_uninitialized_memory = fill


def _table(rows: list[dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["epoch", "loss", "validation_top1", "lr", "samples_per_s", "minutes"])


def _log(row: dict[str, float], epochs: int) -> None:
    watched = "" if math.isnan(row["validation_top1"]) else f"validation top-1 {100 * row['validation_top1']:.2f} %  "
    print(
        f"epoch {row['epoch']}/{epochs}  loss {row['loss']:.4f}  {watched}lr {row['lr']:.2e}  "
        f"{row['samples_per_s']:.0f} samples/s  {row['minutes']:.1f} min",
        flush=True,
    )

"""The training loop: AdamW, linear warm-up, cosine to zero, and checkpoints from which a training goes on exactly.

Steps of the optimizer are what is counted. Everything that a step draws (its batch, its dropout) follows from the seeds
and its number. A training that stops and goes on ends, on a CPU, in the same weights bit for bit as one that never
stopped; on CUDA the two agree within rounding, since some of its kernels add in an order that changes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paperlib.datasets.streams import Stream, steps_per_pass
from paperlib.lab import rng
from paperlib.lab.stages import Stage
from paperlib.lab.store import write_table
from paperlib.learning.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from paperlib.learning.configuration import TrainConfig, learning_rate
from paperlib.learning.device import autocast, keep_freed_memory, numerics, pick_device, precision_of
from paperlib.learning.models import describe_model
from paperlib.learning.ranks import ALONE, Ranks
from paperlib.learning.replay import replayed
from paperlib.learning.weights import tensors_digest

TRAINING = Stage("training", 1, "paperlib.learning.training", cheap=False)
"""The recipe. Golden samples of its first steps fail where they move and the version does not."""

_STEPS_BETWEEN_LOOKS = 50
"""Steps between looks at the losses on a GPU: a look makes the host wait for the device."""


@dataclass(frozen=True)
class History:
    """What a training has done so far."""

    rounds: pd.DataFrame
    """One row per pass over the stream: ``step`` and ``items`` in all, ``loss`` (mean cross-entropy of its batches),
    ``validation_top1`` (NaN without validation), ``lr`` (at its end)."""
    steps: int
    """Optimizer steps done."""
    items: int
    """Patterns seen, repeated ones counted again."""
    minutes: float
    """Of training in all, on whatever machine did it."""
    waiting: float
    """Share of that time that was spent waiting for batches."""
    stopped_early: bool
    """The time limit came before the last step; call :func:`fit` again to go on."""


def identity_of(model_description: dict[str, Any], start: Any, stream: Stream, config: TrainConfig) -> dict[str, Any]:
    """What a training follows from, but for how it is executed: recipe, model, start, stream, configuration.

    ``start`` says which weights it starts from, for instance the seed of :func:`paperlib.learning.models.build_model`.
    """
    return {
        "recipe": TRAINING.version,
        "model": model_description,
        "start": start,
        "stream": stream.identity(),
        "config": config.identity(),
    }


def fit(
    model: nn.Module,
    stream: Stream,
    config: TrainConfig,
    folder: str | Path,
    validation: Stream | None = None,
    start: Any = None,
    report: Callable[[str], None] = print,
    ranks: Ranks = ALONE,
) -> History:
    """Train ``model`` in place, or go on with the training whose checkpoint lies in ``folder``.

    The weights of the last step are the result: none is chosen by its score, so ``validation`` only watches. A
    training that is complete is loaded and its history returned. ``history.csv`` in ``folder`` has a row for each pass,
    and ``report`` gets a line for it. ``start`` names the weights that the model has now; without it they are known by
    their checksum. The model ends on the device it was trained on, in evaluation mode. With several ``ranks``
    (:mod:`paperlib.learning.ranks`) each process calls this with the same arguments and ends with the same weights; the
    first one writes and reports.

    Raises ValueError where stream and model do not fit; CheckpointError where the folder belongs to another training,
    or where no checkpoint in it can be read; and FloatingPointError, naming the step, where loss or gradient is not
    finite.
    """
    for data in (stream, validation):
        if data is not None and data.n_points != model.n_points:
            raise ValueError(f"the model reads {model.n_points} points, the stream gives {data.n_points}")
    folder, device = Path(folder), ranks.device(pick_device(config.device))
    precision = precision_of(config.precision, model, device)
    if device.type == "cpu":
        keep_freed_memory()
    first_weights = tensors_digest(model.state_dict())
    model.to(device)
    groups, fused = _decay_groups(model, config.weight_decay), device.type == "cuda"
    optimizer = torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=fused)
    execution = {"precision": precision, "threads": config.threads if device.type == "cpu" else 0}
    identity = identity_of(describe_model(model), start or first_weights, stream, config) | execution | ranks.identity()
    state: dict[str, Any] = {"step": 0, "items": 0, "seconds": 0.0, "waiting": 0.0, "rows": [], "sums": [0.0, 0]}
    if (found := load_checkpoint(folder, identity)) is not None:
        if first_weights not in (found["first_weights"], tensors_digest(found["model"])):
            raise CheckpointError(
                f"the model starts from other weights than the run in {folder}; build it with the same seed, or choose "
                "another folder"
            )
        state = found
        first_weights = found["first_weights"]
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])

    def keep() -> None:
        if not ranks.first:
            return
        weights = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "random": _random_state(device)}
        save_checkpoint(folder, state | weights | {"identity": identity, "first_weights": first_weights})
        write_table(folder / "history.csv", _table(state["rows"]))

    per_pass = steps_per_pass(stream)
    look_every = 1 if device.type == "cpu" else _STEPS_BETWEEN_LOOKS
    before, began, kept = state["seconds"], time.monotonic(), time.monotonic()
    seen: list[tuple[Tensor, Tensor, int]] = []
    model.train()
    with numerics(config.threads, config.deterministic), torch.random.fork_rng(devices=_devices(device)):
        if ranks.several:
            forward = ranks.joined(model, device)
        else:
            forward = replayed(model, stream.batch_size, precision, device)
        if "random" in state:
            _set_random_state(state["random"], device)
        while state["step"] < config.steps:
            step = state["step"]
            if ranks.several:
                torch.manual_seed(ranks.dropout_seed(config.seed, step))
            elif step % per_pass == 0:
                torch.manual_seed(_dropout_seed(config.seed, step // per_pass))
            waited = time.monotonic()
            patterns, targets = stream.batch(step, device)
            n_batch = len(targets)
            patterns, targets, weight = ranks.part(patterns, targets)
            state["waiting"] += time.monotonic() - waited
            lr = learning_rate(step, config)
            for group in optimizer.param_groups:
                group["lr"] = lr
            with autocast(precision, device):
                logits = forward(patterns)
            loss = F.cross_entropy(logits.float(), targets, label_smoothing=config.label_smoothing)
            loss = loss * weight if ranks.several else loss
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm or math.inf)
            optimizer.step()

            state["step"], state["items"] = step + 1, state["items"] + n_batch
            seen.append((ranks.mean(loss.detach()), norm, n_batch))
            end_of_round = (step + 1) % per_pass == 0 or step + 1 == config.steps
            if len(seen) == look_every or end_of_round:
                _look(seen, state, precision, config)
            if end_of_round:
                top = top1(model, validation, device) if validation is not None else math.nan
                model.train()
                total, n = state["sums"]
                row = {"step": step + 1, "items": state["items"], "loss": total / n, "validation_top1": top, "lr": lr}
                state["rows"], state["sums"] = [*state["rows"], row], [0.0, 0]
            now = time.monotonic()
            state["seconds"] = before + now - began
            stop = ranks.agreed(now - began >= 60 * config.max_minutes and not seen, device)
            if stop or (now - kept >= 60 * config.checkpoint_minutes and not seen) or step + 1 == config.steps:
                keep()
                kept = now
            if end_of_round and ranks.first:
                report(_line(row, state, config.steps))
            if stop:
                break
    model.eval()
    waiting = state["waiting"] / max(state["seconds"], 1e-9)
    done = state["step"], state["items"], state["seconds"] / 60, waiting
    return History(_table(state["rows"]), *done, stopped_early=state["step"] < config.steps)


def _look(seen: list[tuple[Tensor, Tensor, int]], state: dict[str, Any], precision: str, config: TrainConfig) -> None:
    """Add up the losses of the last steps; stop where one, or the length of a gradient, is not finite."""
    losses, norms = (torch.stack([entry[i] for entry in seen]).tolist() for i in (0, 1))
    for k, (loss, norm) in enumerate(zip(losses, norms, strict=True)):
        if not (math.isfinite(loss) and math.isfinite(norm)):
            step = state["step"] - len(seen) + k + 1
            remedy = "train in float32" if precision != "float32" else f"lower the learning rate ({config.lr})"
            raise FloatingPointError(
                f"step {step}: the loss is {loss} and the gradient has the length {norm} (in {precision}); {remedy}, "
                "or look at the patterns of this step. The last checkpoint is untouched"
            )
        state["sums"] = [state["sums"][0] + loss * seen[k][2], state["sums"][1] + seen[k][2]]
    seen.clear()


@torch.no_grad()
def top1(model: nn.Module, stream: Stream, device: torch.device) -> float:
    """Share of the patterns in the first pass of ``stream`` whose most probable class is the target."""
    model.eval()
    right = n = 0
    for step in range(steps_per_pass(stream)):
        patterns, targets = stream.batch(step, device)
        right += int((model(patterns).argmax(1) == targets).sum())
        n += len(targets)
    return right / n


def _decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _dropout_seed(seed: int, number: int) -> int:
    high, low = rng.integers(seed, "dropout", [number], 2)[0]
    return (int(high) << 32 | int(low)) >> 1


def _devices(device: torch.device) -> list[torch.device]:
    return [device] if device.type == "cuda" else []


def _random_state(device: torch.device) -> list[Tensor]:
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state(d) for d in _devices(device))]


def _set_random_state(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    for saved, d in zip(states[1:], _devices(device), strict=False):
        torch.cuda.set_rng_state(saved, d)


def _table(rows: list[dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["step", "items", "loss", "validation_top1", "lr"])


def _line(row: dict[str, float], state: dict[str, Any], steps: int) -> str:
    watched = "" if math.isnan(row["validation_top1"]) else f"validation top-1 {100 * row['validation_top1']:.2f} %  "
    rate, minutes = state["items"] / max(state["seconds"], 1e-9), state["seconds"] / 60
    return f"step {row['step']}/{steps}  loss {row['loss']:.4f}  {watched}{rate:.0f} items/s  {minutes:.1f} min"

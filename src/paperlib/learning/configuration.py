"""Numbers of a training and its learning rate."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

PRECISIONS = ("auto", "float32", "bfloat16")

_NOT_IDENTITY = ("device", "precision", "threads", "max_minutes", "checkpoint_minutes")
"""How and where a training is executed; precision and threads stand beside the configuration in its identity, as they
came out."""


@dataclass(frozen=True)
class TrainConfig:
    """Numbers of a training. Raises ValueError for values that make none."""

    steps: int = 5000
    """The cosine ends here: it is part of the method, not a limit; to stop earlier use ``max_minutes``."""
    lr: float = 1e-3
    """Peak learning rate; Adam's own default."""
    weight_decay: float = 0.01
    """AdamW's own default; on the weights of convolutions and linear layers only, as a norm's scale and a bias have no
    size to shrink from."""
    warmup_steps: float = 200
    """Adam's second moments are noise in the first steps; a linear rise keeps these steps small."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's own default."""
    label_smoothing: float = 0.0
    """None: smoothing would shift the probabilities whose calibration is measured."""
    clip_norm: float = 1.0
    """Largest norm of the gradient; only the rare spike after warm-up is longer. 0 turns clipping off."""
    seed: int = 0
    """Of the dropout; the order of the patterns has the stream's seed, the first weights the model's."""
    precision: str = "auto"
    """"float32", "bfloat16", or "auto": bfloat16 where the processor or device has it and the model bears it."""
    threads: int = 1
    """Threads of a training on a CPU; one and two give different bits. One by measurement: two trainings side by side
    make more items than one on two cores, and beside other work a second thread costs more than it brings
    (``tests/benchmarks/training.py``)."""
    deterministic: bool = True
    """Ask torch for deterministic kernels where it has them; costs little at this size."""
    device: str = "auto"
    """As in :func:`paperlib.learning.device.pick_device`."""
    max_minutes: float = math.inf
    """Stop after the first step that ends later than this; the next call goes on. Each call does at least one step."""
    checkpoint_minutes: float = 5.0
    """Minutes between checkpoints, which is what a crash costs; there is always one at a stop and at the end."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "betas", tuple(self.betas))
        if self.steps < 1 or self.threads < 1 or not self.lr > 0:
            raise ValueError(f"must be positive: {self.steps=}, {self.threads=}, {self.lr=}")
        if not 0 <= self.warmup_steps <= self.steps:
            raise ValueError(f"the warm-up must lie inside the training: {self.warmup_steps=}, {self.steps=}")
        if not (0 <= self.label_smoothing < 1 and self.clip_norm >= 0 and self.weight_decay >= 0):
            raise ValueError(f"out of range: {self.label_smoothing=}, {self.clip_norm=}, {self.weight_decay=}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"choose one of {', '.join(PRECISIONS)}: {self.precision=}")

    def identity(self) -> dict[str, Any]:
        """The fields that the result follows from; limits and the place of work may change between calls."""
        values = asdict(self) | {"betas": list(self.betas)}
        return {name: value for name, value in values.items() if name not in _NOT_IDENTITY}


def learning_rate(step: int, config: TrainConfig) -> float:
    """Rate of optimizer step ``step`` (from 0): linear to ``config.lr`` during the warm-up, then half a cosine that
    reaches zero one step after the last."""
    warmup, total = config.warmup_steps, config.steps
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))

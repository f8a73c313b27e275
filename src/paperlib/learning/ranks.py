"""One training shared among several processes, which torchrun has started: each takes a part of every batch.

Of a batch of n items, process r of w takes the items r, r + w, r + 2w, …; gradients are added up, each item with the
weight that it has in the batch, so that the step is that of one process with the whole batch, within rounding. What is
drawn for dropout cannot be the same: it follows from the step and the process, not from the item, so that only
trainings without dropout have the loss curve of one process. BatchNorm would see a part of each batch, and is refused.

    torchrun --standalone --nproc-per-node=2 script.py

with a script that calls ``fit(…, ranks=started_ranks())``. On CPUs the processes talk by gloo, on GPUs, one for each,
by NCCL.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from paperlib.lab import rng


@dataclass(frozen=True)
class Ranks:
    """The place of this process among those that share a training."""

    rank: int = 0
    world: int = 1
    local: int = 0
    """Number on this machine, which is that of its GPU."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.world > 1

    def identity(self) -> dict[str, Any]:
        """How many processes there are, where there are several: they round otherwise than one."""
        return {"ranks": self.world} if self.several else {}

    def device(self, device: torch.device) -> torch.device:
        """The GPU of this process, where ``device`` is one."""
        return torch.device("cuda", self.local) if self.several and device.type == "cuda" else device

    def joined(self, model: nn.Module, device: torch.device) -> Callable[[Tensor], Tensor]:
        """What to call instead of ``model``, which is on ``device``: its gradients come out as the mean over all
        processes. Raises ValueError for a model with BatchNorm."""
        norms = [name for name, module in model.named_modules() if isinstance(module, _BatchNorm)]
        if norms:
            raise ValueError(
                f"{type(model).__name__} has BatchNorm ({norms[0]}), whose mean over a part of a batch is not that of "
                "the batch; train it in one process, or take norm='group' or 'layer'"
            )
        places = [device] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=places, broadcast_buffers=False)

    def part(self, patterns: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, float]:
        """This process's items of a batch, and the weight of the mean of their losses, of which the mean over all
        processes is the mean over the batch. One for which none is left takes the first item, with weight 0."""
        if not self.several:
            return patterns, targets, 1.0
        own = slice(self.rank, None, self.world) if self.rank < len(targets) else slice(0, 1)
        n_own = len(targets[self.rank :: self.world])
        return patterns[own], targets[own], self.world * n_own / len(targets)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a value over all processes."""
        if self.several:
            value = value.clone()
            dist.all_reduce(value)
            value /= self.world
        return value

    def agreed(self, choice: bool, device: torch.device) -> bool:
        """What the first process has chosen."""
        if not self.several:
            return choice
        said = torch.tensor(int(choice), device=device)
        dist.broadcast(said, 0)
        return bool(said)

    def dropout_seed(self, seed: int, step: int) -> int:
        """Of what this process drops in one step."""
        high, low = rng.integers(seed, f"dropout/{self.rank} of {self.world}", [step], 2)[0]
        return (int(high) << 32 | int(low)) >> 1


ALONE = Ranks()
"""One process, which has all of a batch."""


def started_ranks() -> Ranks:
    """The place of this process among those that torchrun started; :data:`ALONE` without it."""
    if not dist.is_torchelastic_launched():
        return ALONE
    local = int(os.environ["LOCAL_RANK"])
    if not dist.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(local)
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    return Ranks(dist.get_rank(), dist.get_world_size(), local)

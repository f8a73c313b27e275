"""Forward and backward pass of a network recorded once on a CUDA device and replayed for every batch.

The networks here are small: a training step is some four hundred kernels of a few microseconds each, and to launch them
one by one takes the host longer than the device needs to compute them. A recorded pass (a CUDA graph) is launched as
one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from paperlib.learning.device import autocast

Forward = Callable[[Tensor], Tensor]


def replayed(model: nn.Module, batch_size: int, precision: str, device: torch.device) -> Forward:
    """What to call instead of ``model`` in training: (n, n_points) patterns to logits, recorded for batches of
    ``batch_size`` on a CUDA device. Batches of another size, and all on other devices, go through the model itself.

    The model stays as it is, its running means and the random state included.
    """
    if device.type != "cuda":
        return model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    sample = torch.rand((batch_size, model.n_points), device=device)
    was_training = model.training
    model.train()
    with torch.random.fork_rng(devices=[device]), autocast(precision, device, keep=False):
        torch.cuda.make_graphed_callables(model, (sample,))
    recorded = model.forward
    del model.forward  # the recorded pass was put in the place of the method
    model.load_state_dict(before)
    model.train(was_training)

    def forward(patterns: Tensor) -> Tensor:
        return recorded(patterns) if len(patterns) == batch_size and model.training else model(patterns)

    return forward

"""What a norm makes of noise in empty stretches of a pattern, beside what it makes of lines.

A LayerNorm over the channels of one position divides what it finds there by its own size s, more exactly by √(s² + ε),
√ε = 0.003: a line of any height comes out alike, and noise in an empty stretch up to 1/√ε = 300 times as large beside
it as it was. A norm over many positions divides all of them by the same number.
"""

from __future__ import annotations

import numpy as np
import torch

from paperlib.learning.models import build_model


@torch.no_grad()
def noise_response(norm: str, patterns: np.ndarray, noise: float, seed: int = 0) -> float:
    """Size of the answer to noise relative to that to lines, behind the first norm of the published network with fresh
    weights and ``norm`` (see :class:`paperlib.learning.resnet.ResNetSize`).

    ``patterns`` (n, n_points) are clean and of maximum 1, ``noise`` the standard deviation of what is added. The answer
    to noise is the root mean square change at positions where no point in reach holds anything, the answer to lines the
    largest distance of a pattern's output from what an empty position gives, in root mean square over patterns. Raises
    ValueError where no position is empty.
    """
    model = build_model("resnet", 2, patterns.shape[1], seed=seed, norm=norm)
    convolution, layer = model.stem[0], model.stem[2].train()
    clean = torch.from_numpy(np.array(patterns, dtype=np.float32))[:, None, None]
    spoilt = clean + noise * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
    before, after = (layer(convolution(x)) for x in (clean, spoilt))
    empty = (convolution(clean) == 0).all(1)[:, 0]
    if not empty.any():
        raise ValueError(f"none of the {empty.numel()} positions of the patterns is empty; give clean patterns")
    change, lines = ((x**2).mean(1)[:, 0] for x in (after - before, before - _at_empty(before, empty)))
    return float((change[empty].mean() / lines.amax(1).mean()).sqrt())


def _at_empty(output: torch.Tensor, empty: torch.Tensor) -> torch.Tensor:
    """(n, channels, 1, 1): the mean output (n, channels, 1, positions) of each pattern where it is ``empty``
    (n, positions), of all patterns for one without such a position."""
    weight = empty[:, None, None].to(output.dtype)
    sums, counts = (output * weight).sum(3, keepdim=True), weight.sum(3, keepdim=True)
    overall = sums.sum(0, keepdim=True) / counts.sum()
    return torch.where(counts > 0, sums / counts.clamp(min=1), overall)

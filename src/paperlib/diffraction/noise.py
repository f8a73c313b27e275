"""Noise as a function of item and point: each point of each pattern has one random word of its own.

Both distributions are drawn by inversion, so that one word makes one number: nothing depends on how many words another
point used up. On one core of a CPU a word costs about 25 ns, a normal or Poisson quantile about 30 ns.
"""

from __future__ import annotations

import torch
from torch import Tensor

from paperlib.lab import rng

EXACT_BELOW = 10.0
"""Mean below which a Poisson quantile is found by summing probabilities."""

_TERMS = 45
"""A Poisson variable of mean 10 exceeds this with a probability below 2^-33, the smallest that one word can tell."""


def uniforms(seed: int, stream: str, items: Tensor, n_points: int) -> Tensor:
    """(n, n_points) float64 numbers, the centres of the 2^32 cells of (0, 1), for the items (n,) of a stream."""
    return (rng.integers(seed, stream, items, n_points).to(torch.float64) + 0.5) * 2.0**-32


def normal_quantile(u: Tensor) -> Tensor:
    """Standard normal numbers for uniform ``u`` in (0, 1)."""
    return torch.special.ndtri(u)


def poisson_quantile(u: Tensor, mean: Tensor) -> Tensor:
    """Smallest k with P(K <= k) >= u for K ~ Poisson(``mean``), float64; ``u`` in (0, 1), ``mean`` >= 0, of one shape.

    Below a mean of 10 the probabilities are summed; above, k is the floor of the asymptotic expansion of the quantile
    to the order 1 / mean (Giles, ACM Trans. Math. Softw. 42 (2016) 7), a Cornish–Fisher series with its continuity
    correction: one draw in 2000 is wrong by one at a mean of 10, one in 30,000 at 50, none that we found from 1000 on.
    """
    large = mean.clamp(min=EXACT_BELOW)
    w, root = normal_quantile(u), torch.sqrt(large)
    square = w * w
    series = 1 / 3 + square / 6 - w * (2 + square) / (72 * root)
    series = series + (-8 / 405 + square * (7 / 810 + square / 270)) / large
    k = torch.floor(large + root * w + series).clamp(min=0)
    small = (mean < EXACT_BELOW).nonzero(as_tuple=True)
    if len(small[0]):
        k[small] = _summed(u[small], mean[small])
    return k


def _summed(u: Tensor, mean: Tensor) -> Tensor:
    probability = torch.exp(-mean)
    total, k = probability.clone(), torch.zeros_like(u)
    for i in range(1, _TERMS):
        k += u > total
        probability = probability * mean / i
        total += probability
    return k

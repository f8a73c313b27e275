"""The random numbers of :mod:`paperlib.lab.rng`, one at a time and compiled.

A compiled loop that places atoms does not know beforehand how many numbers it will need. ``uniform(state)``
returns them in the order of ``lab.rng.uniform``: the k-th call for an item gives number k of its stream, bit for
bit (a test compares them), so that a crystal stays a function of its seed and its item alone.
"""

from __future__ import annotations

import math

import numpy as np

from paperlib.crystals.compiled import compiled

_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_ONE, _FIVE, _SIX, _SHIFT_26 = np.uint64(1), np.uint64(5), np.uint64(6), np.uint64(26)


@compiled
def new_state() -> np.ndarray:
    """(5,) uint64: two key words, two item words, the number of draws so far; :func:`restart` fills it."""
    return np.zeros(5, dtype=np.uint64)


@compiled
def restart(state: np.ndarray, key: np.ndarray, item: int) -> None:
    """Set ``state`` to the first draw of ``item`` of the stream with ``key`` (2,) uint64, see ``rng.stream_key``."""
    state[0], state[1] = key[0], key[1]
    state[2], state[3] = np.uint64(item) & _MASK, np.uint64(item) >> _HALF
    state[4] = np.uint64(0)


@compiled
def uniform(state: np.ndarray) -> float:
    """The next number of the item, uniform in [0, 1) with 53 random bits (Philox4x32-10)."""
    c0, c1, c2, c3 = state[2], state[3], state[4] >> _ONE, np.uint64(0)
    k0, k1 = state[0], state[1]
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _MASK, (p0 >> _HALF) ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    second = (state[4] & _ONE) == _ONE  # a block of four words makes two numbers
    state[4] += _ONE
    high, low = (c2, c3) if second else (c0, c1)
    return float(((high >> _FIVE) << _SHIFT_26) + (low >> _SIX)) * 2.0**-53


@compiled
def below(state: np.ndarray, n: int) -> int:
    """An integer uniform in 0 … n-1."""
    return min(int(uniform(state) * n), n - 1)


@compiled
def normal(state: np.ndarray) -> float:
    """A standard normal number (Box and Muller; takes two draws)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(state)))
    return radius * math.cos(2.0 * math.pi * uniform(state))

"""Counter-based random numbers.

A draw is a function of ``(seed, stream name, item, position)`` alone, so that it does not depend on the batch
size, the number of workers, the device or what was drawn before. The generator is Philox4x32-10 (Salmon et
al., SC'11, doi:10.1145/2063384.2063405); its integers and the uniforms made from them are bit-identical in
NumPy and in torch, on CPU and GPU. Items given as a torch tensor return a tensor on the same device, items
given as anything else return NumPy arrays.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = 0xFFFFFFFF
_ROUNDS = 10


def stream_key(seed: int, stream: str) -> tuple[int, int]:
    """The two 32-bit key words of a named stream."""
    digest = hashlib.sha256(f"{int(seed)}/{stream}".encode()).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:8], "little")


def _high_low(multiplier: int, word: Any) -> tuple[Any, Any]:
    # The 64-bit product wraps in int64; the shift brings the sign bit along and the mask drops it again, so
    # that both halves are right although neither NumPy's nor torch's signed integers can hold the product.
    product = word * multiplier
    return (product >> 32) & _MASK, product & _MASK


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Philox4x32-10: four 32-bit words (as int64 arrays or tensors of one shape) from a 128-bit counter."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    with np.errstate(over="ignore"):
        for _ in range(_ROUNDS):
            high0, low0 = _high_low(_MULTIPLIERS[0], c0)
            high1, low1 = _high_low(_MULTIPLIERS[1], c2)
            c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
            k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0, c1, c2, c3


def _words(seed: int, stream: str, items: Any, n_blocks: int) -> Any:
    """(n_items, n_blocks, 4) 32-bit words held as int64."""
    if hasattr(items, "device") and hasattr(items, "new_zeros"):
        import torch

        flat = items.reshape(-1, 1).to(torch.int64)
        blocks = torch.arange(n_blocks, device=items.device, dtype=torch.int64).expand(len(flat), n_blocks)
        stack, zeros_like = torch.stack, torch.zeros_like
    else:
        flat = np.asarray(items, dtype=np.int64).reshape(-1, 1)
        blocks = np.broadcast_to(np.arange(n_blocks, dtype=np.int64), (len(flat), n_blocks))
        stack, zeros_like = np.stack, np.zeros_like
    if len(flat) and int(flat.min()) < 0:
        raise ValueError(f"random streams number their items from 0; got items.min()={int(flat.min())}")
    low, high = (flat & _MASK) + zeros_like(blocks), (flat >> 32) + zeros_like(blocks)
    return stack(philox((low, high, blocks, zeros_like(blocks)), stream_key(seed, stream)), -1)


def integers(seed: int, stream: str, items: Any, n: int = 1) -> Any:
    """(n_items, n) integers in [0, 2**32), int64. ``items`` (n_items,) are non-negative integers."""
    words = _words(seed, stream, items, -(-n // 4))
    return words.reshape(len(words), -1)[:, :n]


def uniform(seed: int, stream: str, items: Any, n: int | None = None) -> Any:
    """Uniform float64 numbers in [0, 1) with 53 random bits: (n_items, n), or (n_items,) where n is None."""
    words = integers(seed, stream, items, 2 * (1 if n is None else n))
    whole = (words[:, 0::2] >> 5) * 2**26 + (words[:, 1::2] >> 6)
    # torch would multiply an integer tensor by a float in float32
    numbers = (whole.double() if hasattr(whole, "double") else whole.astype(np.float64)) * 2.0**-53
    return numbers[:, 0] if n is None else numbers


def paired_uniform(seed: int, stream: str, items: Any, keys: Any) -> Any:
    """(n,) uniform float64 numbers in [0, 1), one for each pair of ``items`` and ``keys`` (both (n,) integers, keys
    below 2**32): the same as ``uniform(seed, stream, [item], …)[0, 2 * key]`` without all those in between."""
    if len(items) and int(items.min()) < 0:
        raise ValueError(f"random streams number their items from 0; got items.min()={int(items.min())}")
    low, high = items & _MASK, items >> 32
    words = philox((low, high, keys, keys * 0), stream_key(seed, stream))
    whole = (words[0] >> 5) * 2**26 + (words[1] >> 6)
    return (whole.double() if hasattr(whole, "double") else whole.astype(np.float64)) * 2.0**-53


def permutation(seed: int, stream: str, epoch: int, n: int) -> np.ndarray:
    """(n,) int64: the order of n items in one epoch, a function of (seed, stream, epoch, n) alone."""
    words = integers(seed, f"{stream}/{int(epoch)}", np.arange(n), 2)
    return np.lexsort((words[:, 1], words[:, 0])).astype(np.int64)

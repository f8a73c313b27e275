"""How the work of a CPU is compiled and shared out among its cores.

Compiled kernels do what a few tensor operations do elsewhere in this room (those run on a GPU, and are the reference in
the tests), without their temporary arrays: a crystal fits into the cache of a core. They release the interpreter
lock, and each thread has crystals of its own, so that no two ever write to one place.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import torch

ENABLED = True
"""False sends the CPU down the path of the GPU, for comparison."""

compiled = numba.njit(nogil=True, cache=True, error_model="numpy")
"""Decorator of kernels. A kernel calls only functions of its own module, whose changes numba's cache on disk sees."""

fast = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})
"""The same for inner loops whose sums may be taken in any order, so that they fill the lanes of a processor."""


def compiled_for(device: torch.device) -> bool:
    """Whether the kernels of this module do the work on ``device``."""
    return ENABLED and device.type == "cpu"


_thread = threading.local()


def each_in_a_thread(work: Callable[[slice], None], parts: list[slice]) -> None:
    """Call ``work`` for all parts, in as many threads as torch uses; in them :func:`in_threads` opens no others. The
    error of the first part that fails is raised."""

    def alone(part: slice) -> None:
        _thread.busy = True
        try:
            work(part)
        finally:
            _thread.busy = False

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for task in [pool.submit(alone, part) for part in parts]:
            task.result()


def in_threads(work: Callable[[int, int], None], cost: np.ndarray) -> None:
    """Call ``work(begin, end)`` for runs of the n items of ``cost`` (n,), in as many threads as torch uses, each with
    about the same cost."""
    threads = 1 if getattr(_thread, "busy", False) else min(torch.get_num_threads(), len(cost))
    if threads <= 1:
        work(0, len(cost))
        return
    total = np.cumsum(cost)
    cuts = np.searchsorted(total - cost / 2, total[-1] * np.arange(1, threads) / threads)
    edges = np.unique(np.concatenate([[0], cuts, [len(cost)]])).tolist()
    with ThreadPoolExecutor(len(edges) - 1) as pool:
        for task in [pool.submit(work, *ends) for ends in itertools.pairwise(edges)]:
            task.result()

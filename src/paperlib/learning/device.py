"""The device that work runs on, in which precision, and what the host needs to be fast."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # glibc, malloc.h


def pick_device(prefer: str = "auto") -> torch.device:
    """``"cpu"``, ``"cuda"`` (or ``"cuda:1"`` …), or the first CUDA device where there is one (``"auto"``).

    Raises ValueError for another name and RuntimeError where CUDA is asked for and missing.
    """
    if prefer == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if prefer != "cpu" and not prefer.startswith("cuda"):
        raise ValueError(f"unknown device {prefer!r}; choose auto, cpu or cuda")
    if prefer.startswith("cuda") and not torch.cuda.is_available():
        raise RuntimeError(f"device {prefer!r} was asked for, but torch finds no CUDA device; use auto or cpu")
    return torch.device(prefer)


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory for the next allocation instead of handing it back to the system.

    A training step allocates and frees buffers of tens of megabytes; glibc maps each of them anew, and the
    page faults take a third of the time of a step (256 patterns of 1000 points: 186 ms with, 126 ms without
    them, on one core of an AMD EPYC). The setting holds for the rest of the process, whose peak memory stays
    the same. Returns whether it was made: only glibc (Linux) offers it.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))


def has_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` computes in bfloat16 by itself. Without it a processor emulates it, which is slower than
    float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    asked = ("_is_avx512_bf16_supported", "_is_amx_tile_supported", "_is_arm_bf16_supported")
    return any(bool(question()) for name in asked if (question := getattr(torch.cpu, name, None)))


def precision_of(wanted: str, model: nn.Module, device: torch.device) -> str:
    """ "float32" or "bfloat16": ``wanted`` or, for "auto", bfloat16 where the device has it and ``model`` bears it.

    A network bears it that says so (``bears_bfloat16``). The published one does not: its norm divides by almost
    nothing where a pattern is empty, and in bfloat16 its gradient is infinite at the second step.
    """
    if wanted != "auto":
        return wanted
    return "bfloat16" if getattr(model, "bears_bfloat16", False) and has_bfloat16(device) else "float32"


def autocast(precision: str, device: torch.device, keep: bool = True) -> contextlib.AbstractContextManager[Any]:
    """The context in which a model runs in ``precision``; ``keep`` rounds a weight once for all its uses in there."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=keep)


@contextlib.contextmanager
def numerics(threads: int, deterministic: bool) -> Iterator[None]:
    """Settings of torch for the length of a block: ``threads`` on the CPU, deterministic kernels where it has them, and
    numbers too small to be normal taken as zero, which a processor is slow with."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill, there = torch.utils.deterministic.fill_uninitialized_memory, torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    if deterministic:
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Filling every new buffer helps to find faulty kernels, changes no result, and costs a pass over it.
        torch.utils.deterministic.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.utils.deterministic.fill_uninitialized_memory = fill
        torch.set_flush_denormal(False)
        torch.set_num_threads(there)

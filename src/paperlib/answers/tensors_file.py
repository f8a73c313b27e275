"""Tensors of a ``.safetensors`` file in numpy alone: the package ``safetensors`` is compiled, and no browser has it.

The format (huggingface/safetensors, "Format"): eight bytes with the length of the header, little-endian; the header, a
JSON object of name → dtype, shape and first and last byte; the numbers, little-endian, in C order, without gaps.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
"""What numpy has of the format's types, without those of truth values and of eight-bit and brain floats."""
_NOTES = "__metadata__"


def read_tensors(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors of the file at ``path``, and the notes beside them. Raises ValueError, without the path, where it is
    cut off, damaged, or holds a type that is not in :data:`DTYPES`."""
    content = Path(path).read_bytes()
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError(f"the header should have {length} bytes, the file has {len(content)}")
    try:
        header = json.loads(content[8 : 8 + length])
    except ValueError as error:
        raise ValueError(f"the header is no JSON: {error}") from error
    if not isinstance(header, dict) or not isinstance(header.get(_NOTES, {}), dict):
        raise ValueError("the header is no JSON object")
    notes, numbers = header.pop(_NOTES, {}), content[8 + length :]
    tensors = {name: _tensor(name, said, numbers) for name, said in header.items()}
    if (held := sum(tensor.nbytes for tensor in tensors.values())) != len(numbers):
        raise ValueError(f"the tensors have {held} bytes, the file has {len(numbers)}")
    return tensors, notes


def _tensor(name: str, said: Any, numbers: bytes) -> np.ndarray:
    try:
        kind, shape, (first, last) = said["dtype"], [int(n) for n in said["shape"]], said["data_offsets"]
        dtype = np.dtype(DTYPES[kind])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the tensor {name!r} is described by {said!r}") from error
    if not 0 <= first <= last <= len(numbers) or last - first != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"the tensor {name!r} of shape {shape} does not stand at bytes {first} to {last}")
    return np.frombuffer(numbers, dtype, math.prod(shape), first).reshape(shape)

"""The forward pass of :class:`paperlib.learning.position_resnet.PositionResNet` in numpy, from a released file.

    input    lines (:mod:`paperlib.answers.network_input`), and beside them, if the file says so, position and coverage
    stem     conv, stride → norm → activation
    blocks   y = act(f(x) + g(x)); f = conv → norm → act → conv → norm; g = conv of length 1 → norm, or the identity
    head     flatten → linear → norm → act → linear

A batch norm that has stopped learning is one factor and one shift per channel: both are worked into the weights when
the file is read. Maps are (n, positions, channels), so that a convolution is one product of matrices. What the
architecture has beside (norms over a pattern or a position) is refused, not imitated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from paperlib.answers.network_input import INPUTS, is_measured, lines_of, weighed
from paperlib.answers.tensors_file import read_tensors

KNOWN = {
    *("name", "n_classes", "n_points", "channels", "strides", "kernel", "stem_kernel", "stem_stride", "hidden"),
    *("dropout", "norm", "activation", "input", "coordinate", "coverage", "step"),
}
"""Sizes of the architecture; a file that has others is of a later version."""

AT_ONCE = 128
"""Patterns that go through together: some 100 MB at the sizes that are released."""

_EPSILON = 1e-5
"""Of torch's batch norms."""


def _gelu(x: np.ndarray) -> np.ndarray:
    from scipy.special import erf  # here, since the released network does without

    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"relu": _relu, "gelu": _gelu}


class _Conv(NamedTuple):
    """A convolution and the batch norm behind it."""

    weight: np.ndarray
    """(channels before * kernel, channels)."""
    shift: np.ndarray
    """(channels,)."""
    kernel: int
    stride: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n, positions, channels before) to (n, ceil(positions / stride), channels)."""
        padded = np.pad(x, ((0, 0), (self.kernel // 2, self.kernel // 2), (0, 0)))
        seen = np.lib.stride_tricks.sliding_window_view(padded, self.kernel, axis=1)[:, :: self.stride]
        return seen.reshape(*seen.shape[:2], -1) @ self.weight + self.shift


class _Block(NamedTuple):
    conv1: _Conv
    conv2: _Conv
    downsample: _Conv | None


@dataclass(frozen=True, eq=False)
class NumpyNetwork:
    """A network that :func:`read_network` has read."""

    name: str
    """The name of the file, without its suffix."""
    architecture: Mapping[str, Any]
    """As ``learning.models.describe_model`` gives it."""
    class_scheme: str
    """What the classes are, e.g. ``space_group``."""
    class_names: tuple[str, ...]
    """In the order of the logits."""
    notes: Mapping[str, Any]
    """Where the weights come from."""
    stem: _Conv
    blocks: tuple[_Block, ...]
    flat: tuple[np.ndarray, np.ndarray]
    head: tuple[np.ndarray, np.ndarray]

    @property
    def n_points(self) -> int:
        """Points of a pattern that it reads."""
        return int(self.architecture["n_points"])

    def lines(self, patterns: np.ndarray) -> np.ndarray:
        """(n, n_points) float64: ``patterns`` (n, n_points), of maximum 1, as :meth:`logits_of_lines` takes
        them: without their background where this network takes it away. Raises ValueError for another shape."""
        if patterns.ndim != 2 or patterns.shape[1] != self.n_points:
            raise ValueError(f"{self.name} reads patterns of shape (n, {self.n_points}), got {patterns.shape}")
        return lines_of(patterns, self.architecture["input"], self.architecture.get("step", 0.0))

    def logits(self, patterns: np.ndarray) -> np.ndarray:
        """(n, n_classes) float64 from ``patterns`` (n, n_points) of maximum 1, with ``NOT_MEASURED`` where nothing was
        measured. Raises ValueError for another shape."""
        return self.logits_of_lines(self.lines(patterns), is_measured(patterns))

    def logits_of_lines(self, lines: np.ndarray, measured: np.ndarray) -> np.ndarray:
        """(n, n_classes) float64 from ``lines`` (n, n_points) and where something was ``measured`` (n, n_points)."""
        parts = [
            self._forward(lines[i : i + AT_ONCE], measured[i : i + AT_ONCE]) for i in range(0, len(lines), AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.class_names)))

    def _forward(self, lines: np.ndarray, measured: np.ndarray) -> np.ndarray:
        channels = [weighed(lines, self.architecture["input"])]
        if self.architecture.get("coordinate", False):
            channels.append(np.broadcast_to(np.linspace(-1, 1, self.n_points), lines.shape))
        if self.architecture.get("coverage", False):
            channels.append(measured)
        act = _ACTIVATIONS[self.architecture["activation"]]
        x = act(self.stem(np.stack(channels, axis=2).astype(np.float32)))
        for block in self.blocks:
            x = act(block.conv2(act(block.conv1(x))) + (x if block.downsample is None else block.downsample(x)))
        weight, shift = self.flat
        x = act(x.reshape(len(x), -1) @ weight + shift)
        weight, shift = self.head
        return (x @ weight + shift).astype(np.float64)


def read_network(path: str | Path) -> NumpyNetwork:
    """The network of a file that ``learning.weights.save_weights`` wrote.

    Raises FileNotFoundError where there is no file, and ValueError, naming it, where it is damaged, of another origin,
    or holds another architecture than a ``position_resnet`` with batch norms.
    """
    path = Path(path)
    if not path.is_file():
        there = ", ".join(sorted(other.stem for other in path.parent.glob("*.safetensors"))) or "none"
        raise FileNotFoundError(f"there is no released network {path} (beside it: {there}); fetch it, or train it")
    try:
        tensors, notes = read_tensors(path)
        header = json.loads(notes.get("paperlib", "null"))
    except ValueError as error:
        raise ValueError(f"{path} is not a complete .safetensors file ({error}); delete it and get it again") from error
    if header is None:
        raise ValueError(f"{path} does not say which network it fits; it was not written by save_weights")
    if _digest(tensors) != header["sha256"]:
        raise ValueError(f"the weights in {path} do not agree with their checksum; delete the file and get it again")
    architecture = header["architecture"]
    _check(path, architecture)
    blocks = tuple(_block(tensors, f"stages.stage{i + 1}", s) for i, s in enumerate(architecture["strides"]))
    factor, shift = _norm(tensors, "flat_norm")
    return NumpyNetwork(
        path.stem,
        architecture,
        header["class_scheme"],
        tuple(header["class_names"]),
        header["notes"],
        _conv(tensors, "stem.0", "stem.1", int(architecture["stem_stride"])),
        blocks,
        (np.ascontiguousarray((tensors["flat.weight"] * factor[:, None]).T, dtype=np.float32), shift),
        (np.ascontiguousarray(tensors["head.weight"].T), tensors["head.bias"]),
    )


def _check(path: Path, architecture: Mapping[str, Any]) -> None:
    says = ""
    if architecture["name"] != "position_resnet":
        says = f"holds the architecture {architecture['name']!r}, not 'position_resnet'"
    elif later := sorted(architecture.keys() - KNOWN):
        says = f"has the size {later[0]!r}, which came later than this reader"
    elif architecture["norm"] != "batch":
        says = f"has norms of the kind {architecture['norm']!r}, not 'batch'"
    elif architecture["activation"] not in _ACTIVATIONS:
        says = f"has the activation {architecture['activation']!r}, none of {', '.join(_ACTIVATIONS)}"
    elif architecture["input"] not in INPUTS:
        says = f"has the input {architecture['input']!r}, none of {', '.join(INPUTS)}"
    if says:
        raise ValueError(f"{path} {says}; ask it with torch: paperlib.learning.weights.load_weights")


def _digest(tensors: Mapping[str, np.ndarray]) -> str:
    """As ``learning.weights.tensors_digest``."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {tensors[name].shape} torch.{tensor.dtype}\\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def _norm(tensors: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the shift (channels,) of a batch norm."""
    weight, bias, mean, var = (
        tensors[f"{name}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = weight / np.sqrt(var + _EPSILON)
    return factor, (bias - mean * factor).astype(np.float32)


def _conv(tensors: Mapping[str, np.ndarray], conv: str, norm: str, stride: int) -> _Conv:
    factor, shift = _norm(tensors, norm)
    weight = tensors[f"{conv}.weight"][:, :, 0] * factor[:, None, None]
    flat = np.ascontiguousarray(weight.reshape(len(weight), -1).T, dtype=np.float32)
    return _Conv(flat, shift, weight.shape[2], stride)


def _block(tensors: Mapping[str, np.ndarray], name: str, stride: int) -> _Block:
    down = None
    if f"{name}.downsample.0.weight" in tensors:
        down = _conv(tensors, f"{name}.downsample.0", f"{name}.downsample.2", stride)
    first = _conv(tensors, f"{name}.conv1.0", f"{name}.conv1.2", stride)
    return _Block(first, _conv(tensors, f"{name}.conv2.0", f"{name}.conv2.2", 1), down)

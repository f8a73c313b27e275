"""Where peaks are drawn: patterns under construction.

Lorentzians are drawn in two parts. Their core is drawn point by point; their tail, which has no feature narrower than
``CORE`` widths, is summed over all lines of a pattern on a coarse grid and interpolated from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from paperlib.diffraction.cpu import compiled_for, in_threads
from paperlib.diffraction.instrument import GAUSSIAN_REACH
from paperlib.diffraction.peak_kernels import add_cores, add_gaussians, add_interpolated, add_tails

CORE = 6.0
"""FWHM from the centre where a Lorentzian is half core and half tail."""

CORE_REACH = 4 * CORE
"""FWHM to which cores are drawn; beyond, less than 2e-6 of the height is left out."""

COARSE = 1.0
"""Largest distance of the points of the coarse grid, in FWHM."""

_NODES = range(-2, 4)
"""Points of the coarse grid, counted from the one on the left, that a value between two of them is taken from."""

CPU_BLOCK_BYTES = 2**20
"""On a CPU the arrays of a block of lines should stay in the cache."""

_BYTES_PER_POINT = 40
"""Position, value and intermediates of one line at one point."""

_GAUSSIAN_HEIGHT = math.sqrt(4 * math.log(2) / math.pi)


def gaussian(u: Tensor) -> Tensor:
    """Gaussian of unit area and unit FWHM."""
    return torch.exp(u * u * (-4 * math.log(2))) * _GAUSSIAN_HEIGHT


def lorentzian(u: Tensor) -> Tensor:
    """Lorentzian of unit area and unit FWHM."""
    return (2 / math.pi) / (1 + 4 * u * u)


def _core(u: Tensor) -> Tensor:
    """A Lorentzian less its :func:`_tail`; falls off with the fourth power of ``u``."""
    square = u * u
    return (CORE**4 / (2 * math.pi) - square / (8 * math.pi)) / ((square + 0.25) * (square * square + CORE**4))


def _tail(u: Tensor) -> Tensor:
    """u² / (u⁴ + c⁴) / 2π with c = ``CORE``: far from the centre the Lorentzian, and nowhere a feature narrower
    than c."""
    square = u * u
    return square / (square * square + CORE**4) * (1 / (2 * math.pi))


class Canvas:
    """(n, n_points) patterns, dark at first, to which lines are added.

    Lines are given as tensors (r,): the pattern that each belongs to, its position and FWHM in points of the grid, both
    float64 (in the type of the intensities positions would be good to 1e-5 degrees only), and its area in units of
    points times intensity, divided by the FWHM.
    """

    def __init__(self, n: int, n_points: int, like: Tensor, memory_budget: int) -> None:
        self.patterns = torch.zeros((n, n_points), dtype=like.dtype, device=like.device)
        self.n_points = n_points
        self.budget = min(memory_budget, CPU_BLOCK_BYTES) if like.device.type == "cpu" else memory_budget
        self.compiled = compiled_for(like.device)

    def gaussians(self, pattern: Tensor, position: Tensor, width: Tensor, height: Tensor) -> None:
        """Add Gaussians, cut off at ``GAUSSIAN_REACH`` FWHM."""
        if self.compiled:
            lines = (position, width, height * _GAUSSIAN_HEIGHT)
            self._run(add_gaussians, pattern, lines, (GAUSSIAN_REACH,), self.patterns)
        else:
            self._windows(pattern, position, width, height, GAUSSIAN_REACH, gaussian)

    def lorentzians(self, pattern: Tensor, position: Tensor, width: Tensor, height: Tensor) -> None:
        """Add Lorentzians over the whole range."""
        if self.compiled:
            self._run(add_cores, pattern, (position, width, height), (CORE, CORE_REACH), self.patterns)
        else:
            self._windows(pattern, position, width, height, CORE_REACH, _core)
        strides = (width * COARSE).clamp(min=1).log2().floor().to(torch.int64)
        for exponent in torch.unique(strides).tolist():
            rows = (strides == exponent).nonzero().squeeze(1)
            self._tails(2**exponent, *(t[rows] for t in (pattern, position, width, height)))

    def _run(
        self, kernel: Callable, pattern: Tensor, lines: tuple, settings: tuple, target: Tensor, *grid: int
    ) -> None:
        order = np.argsort(pattern.numpy(), kind="stable")
        count = np.bincount(pattern.numpy(), minlength=len(target))
        start = np.concatenate([[0], np.cumsum(count)])
        arguments = (target.numpy(), *grid, order, start, *(t.numpy() for t in lines), *settings)
        in_threads(lambda begin, end: kernel(*arguments, begin, end), count.astype(float))

    def _windows(
        self,
        pattern: Tensor,
        position: Tensor,
        width: Tensor,
        height: Tensor,
        reach: float,
        shape: Callable[[Tensor], Tensor],
    ) -> None:
        """Add ``height * shape((x - position) / width)`` at the points within ``reach`` widths."""
        flat = self.patterns.view(-1)
        for rows, n_window in self._blocks(width, reach):
            offset = torch.arange(n_window, device=flat.device)
            first = torch.ceil(position[rows] - reach * width[rows]).to(torch.int64).clamp(0, self.n_points - n_window)
            inverse = 1 / width[rows]
            # a straight line in the offset, whose slope and start are rounded but once
            start, slope = ((first - position[rows]) * inverse).to(flat.dtype), inverse.to(flat.dtype)
            value = shape(torch.addcmul(start[:, None], slope[:, None], offset.to(flat.dtype)))
            value *= height[rows, None].to(flat.dtype)
            target = (pattern[rows] * self.n_points + first)[:, None] + offset
            flat.scatter_add_(0, target.view(-1), value.view(-1))

    def _blocks(self, width: Tensor, reach: float) -> Iterator[tuple[Tensor, int]]:
        """Rows of lines and the window that all of them fit in, lines of like width together. Windows come in fixed
        sizes, so that what is drawn of a line does not depend on the other lines."""
        window = (2 * reach * width).to(torch.int64) + 2
        size = torch.log2(window.to(torch.float64)).mul(4).ceil().to(torch.int64)
        for exponent in torch.unique(size).tolist():
            rows = (size == exponent).nonzero().squeeze(1)
            n_window = min(self.n_points, math.floor(2 ** (exponent / 4)) + 1)
            for some in rows.split(max(1, self.budget // (_BYTES_PER_POINT * n_window))):
                yield some, n_window

    def _tails(self, stride: int, pattern: Tensor, position: Tensor, width: Tensor, height: Tensor) -> None:
        """Add the tails of lines through a coarse grid with every ``stride``-th point."""
        n_coarse = (self.n_points - 1) // stride + len(_NODES)
        coarse = self.patterns.new_zeros((len(self.patterns), n_coarse))
        if self.compiled:
            self._run(add_tails, pattern, (position, width, height), (CORE,), coarse, _NODES[0] * stride, stride)
        else:
            point = torch.arange(_NODES[0], n_coarse + _NODES[0], device=coarse.device, dtype=coarse.dtype) * stride
            for some in torch.arange(len(pattern), device=coarse.device).split(
                max(1, self.budget // (_BYTES_PER_POINT * n_coarse))
            ):
                inverse = 1 / width[some]
                start, slope = (-position[some] * inverse).to(coarse.dtype), inverse.to(coarse.dtype)
                u = torch.addcmul(start[:, None], slope[:, None], point)
                coarse.index_add_(0, pattern[some], _tail(u).mul_(height[some, None].to(coarse.dtype)))
        self._interpolate(coarse, stride)

    def _interpolate(self, coarse: Tensor, stride: int) -> None:
        """Add a coarse grid to the patterns, by Lagrange interpolation of fifth degree."""
        t = torch.arange(stride, device=coarse.device, dtype=coarse.dtype) / stride
        weights = [math.prod((t - other) / (node - other) for other in _NODES if other != node) for node in _NODES]
        if self.compiled:
            arguments = (self.patterns.numpy(), coarse.numpy(), stride, torch.stack(weights, 1).numpy())
            in_threads(lambda begin, end: add_interpolated(*arguments, begin, end), np.ones(len(coarse)))
            return
        point = torch.arange(self.n_points, device=coarse.device)
        left, step = point // stride, point % stride
        block = max(1, self.budget // (_BYTES_PER_POINT * self.n_points))
        for few, patterns in zip(coarse.split(block), self.patterns.split(block), strict=True):
            for i, weight in enumerate(weights):
                patterns.addcmul_(few[:, left + i], weight[step])

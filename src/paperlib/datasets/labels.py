"""What a network is asked for: the space group, one of the three schemes of extinction classes, or the crystal family.

One object says how many answers there are, what they are called, which of them a space group is, how probabilities
over fine answers become probabilities over coarse ones or change once a coarse one is known, and how well a model can
do that sees nothing but absences.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from paperlib.symmetry import extinction
from paperlib.symmetry.groups import SPACE_GROUPS, crystal_family, symbol

SCHEMES = ("space_group", *extinction.SCHEMES, "crystal_family")

IMPOSSIBLE = -1e30
"""In place of the logarithm of 0, which no score can be computed from; it fits into single precision."""

_NORMALISED = 1e-3
"""Largest deviation of the sum of a row from 1: float32 stays far below, plain probabilities far above."""


@dataclass(frozen=True)
class Labels:
    """The answers of one ``scheme``: "space_group" (230); the extinction classes "absences" (97), "published" (99)
    or "crystal_system" (101), in the order of :func:`paperlib.symmetry.extinction.extinction_classes`; or
    "crystal_family" (6), trigonal groups being hexagonal.

    Labels of one scheme are equal. Raises ValueError for another scheme.
    """

    scheme: str = "absences"

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(f"unknown scheme {self.scheme!r} of labels; choose one of {', '.join(SCHEMES)}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each class: Hermann–Mauguin symbols of space groups, crystal families, or extinction symbols."""
        if self.scheme == "space_group":
            return tuple(symbol(number) for number in SPACE_GROUPS)
        if self.scheme == "crystal_family":
            return _families()
        return extinction.class_symbols(self.scheme)

    def of(self, space_group: np.ndarray | Sequence[int]) -> np.ndarray:
        """(n,) int64: the class, counted from 0, of each of the ``space_group`` numbers (n,).

        Raises ValueError for what is no (n,) whole numbers, and for a number outside 1-230.
        """
        numbers = np.asarray(space_group)
        if numbers.ndim != 1 or (len(numbers) and not np.issubdtype(numbers.dtype, np.integer)):
            raise ValueError(f"space groups are (n,) whole numbers, got {numbers.dtype} of shape {numbers.shape}")
        if (wrong := np.flatnonzero((numbers < 1) | (numbers > len(SPACE_GROUPS)))).size:
            raise ValueError(f"space group {numbers[wrong[0]]} in row {wrong[0]} does not exist; give 1 to 230")
        return _class_of(self.scheme)[numbers.astype(np.int64) - 1]

    def collapse(self, log_p: np.ndarray, to: Labels | str) -> np.ndarray:
        """Log-probabilities over the coarser labels ``to``, (n, len(to)) float64: the logarithm of the sum over the
        members of each of its classes, from ``log_p`` (n, len(self)).

        Raises ValueError where a class of these labels does not lie within one class of ``to``, for another shape, and
        for rows whose probabilities do not add up to 1.
        """
        coarse = to if isinstance(to, Labels) else Labels(to)
        log_p = self._checked(log_p)
        target = self.classes_in(coarse)
        order = np.argsort(target, kind="stable")
        # every class has a member, so that each of the runs is that of one class
        first = np.searchsorted(target[order], np.arange(len(coarse)))
        with np.errstate(invalid="ignore", over="ignore"):
            summed = np.logaddexp.reduceat(log_p[:, order], first, axis=1)
            total = np.exp(summed).sum(axis=1)
        if (wrong := np.flatnonzero(~(np.abs(total - 1) < _NORMALISED))).size:
            raise ValueError(
                f"row {wrong[0]} is no distribution: its probabilities add up to {total[wrong[0]]:g}; give natural "
                "logarithms of probabilities"
            )
        return summed

    def given(self, log_p: np.ndarray, known: Labels | str, space_group: np.ndarray | Sequence[int]) -> np.ndarray:
        """Log-probabilities (n, len(self)) float64 of one who has ``log_p`` (n, len(self)) and is told the class of the
        coarser labels ``known`` that each item of ``space_group`` (n,) is of: the other classes have
        :data:`IMPOSSIBLE`, and the rest add up to 1 again. Raises ValueError as :meth:`collapse` does.
        """
        coarse = known if isinstance(known, Labels) else Labels(known)
        log_p = self._checked(log_p)
        possible = self.classes_in(coarse) == coarse.of(space_group)[:, None]
        if possible.shape != log_p.shape:
            raise ValueError(f"one space group per row: {log_p.shape=}, {len(space_group)=}")
        kept = np.where(possible, log_p, -np.inf)
        top = kept.max(axis=1, keepdims=True)
        total = top + np.log(np.exp(kept - top).sum(axis=1, keepdims=True))
        return np.where(possible, log_p - total, IMPOSSIBLE)

    def _checked(self, log_p: np.ndarray) -> np.ndarray:
        log_p = np.asarray(log_p, dtype=np.float64)
        if log_p.ndim != 2 or log_p.shape[1] != len(self):
            raise ValueError(f"expected (n, {len(self)}) log-probabilities of {self.scheme}, got {log_p.shape}")
        return log_p

    def classes_in(self, coarse: Labels) -> np.ndarray:
        """(len(self),) int64: the class of ``coarse`` that each class of these labels lies in. Raises ValueError where
        one does not lie within one class."""
        pairs = np.unique(np.stack([_class_of(self.scheme), _class_of(coarse.scheme)]), axis=1)
        if (cut := np.flatnonzero(np.diff(pairs[0]) == 0)).size:
            name = self.names[pairs[0, cut[0]]]
            raise ValueError(
                f"{self.scheme} does not collapse to {coarse.scheme}: the class {name!r} would have to be cut"
            )
        return pairs[1]

    def ceiling(
        self, k: int, seen: Labels | str = "absences", space_groups: np.ndarray | Sequence[int] | None = None
    ) -> float:
        """Best possible top-``k`` accuracy (0-1) of a model that sees the class of the labels ``seen``, and nothing
        more.

        The data are balanced over the classes of these labels, and within each over its space groups; or they are
        data of these ``space_groups`` (n,), whose frequencies the model knows. Raises ValueError for k below 1, no
        data at all and what :meth:`of` refuses.
        """
        if k < 1:
            raise ValueError(f"top-k needs k of at least 1, got {k}")
        seen = seen if isinstance(seen, Labels) else Labels(seen)
        own = _class_of(self.scheme)
        share = 1 / np.bincount(own)[own] / len(self)
        if space_groups is not None:
            counts = np.bincount(SPACE_GROUP_LABELS.of(space_groups), minlength=len(SPACE_GROUPS))
            if not counts.sum():
                raise ValueError("there is no ceiling of no data; give at least one space group")
            share = counts / counts.sum()
        mass = np.zeros((len(seen), len(self)))
        np.add.at(mass, (_class_of(seen.scheme), own), share)
        return float(np.sort(mass, axis=1)[:, -k:].sum())

    def identity(self) -> dict[str, Any]:
        """Plain values that tell these labels from others: scheme, number of classes, and a checksum of the class of
        every space group, in order."""
        table = ",".join(map(str, _class_of(self.scheme).tolist()))
        return {
            "scheme": self.scheme,
            "n_classes": len(self),
            "sha256": hashlib.sha256(table.encode()).hexdigest(),
        }


@functools.cache
def _class_of(scheme: str) -> np.ndarray:
    """(230,) int64: the class of each space group in order; read-only."""
    if scheme == "space_group":
        table = np.arange(len(SPACE_GROUPS), dtype=np.int64)
        table.setflags(write=False)
        return table
    if scheme == "crystal_family":
        table = np.array([_families().index(crystal_family(number)) for number in SPACE_GROUPS], dtype=np.int64)
        table.setflags(write=False)
        return table
    return extinction.class_of_space_group(scheme)[1:]


@functools.cache
def _families() -> tuple[str, ...]:
    """The crystal families in the order of their first space groups."""
    return tuple(dict.fromkeys(crystal_family(number) for number in SPACE_GROUPS))


SPACE_GROUP_LABELS = Labels("space_group")
"""The 230 space groups themselves."""

"""Are these crystals enough to train a network on? Said before anything is trained."""

from __future__ import annotations

import numpy as np

from paperlib.datasets.labels import Labels

LEAST = 100
"""Crystals below which nothing is trained: a tenth of them is the test set, and ten answers say nothing."""


def require_training_set(space_group: np.ndarray, scheme: str, source: object) -> None:
    """Raise ValueError where crystals of ``space_group`` (n,), read from ``source``, are no training set: fewer than
    :data:`LEAST`, or all of one class of the ``scheme``. The message names what answers for few crystals."""
    n, classes = len(space_group), len(np.unique(Labels(scheme).of(space_group)))
    if n >= LEAST and classes > 1:
        return
    held = f"{n} crystal{'s' * (n != 1)} of {classes} class{'es' * (classes != 1)}"
    raise ValueError(
        f"{source} holds {held}, which is no training set (at least {LEAST} crystals of two classes). For the answers "
        f"of the networks that are trained already: paperlib classify '{source}'"
    )

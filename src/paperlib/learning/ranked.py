"""What a training says about a test set, kept small: rank and log-probability of the true class, and the best five.

Scores, paired differences, calibration of the first answer and confusions follow from it; one file of some tens of
kilobytes for each training and test set, published for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paperlib.datasets.labels import Labels
from paperlib.lab.display import counted, one_line
from paperlib.lab.metrics import ranks
from paperlib.lab.store import write_arrays

TOP = 5
GIVEN = "|"
"""Between a scheme and a coarser one in the name of a space: what is asked for, given what is known."""
_WHOLE = "log_p"
"""Name of the log-probabilities of all classes in a file of answers."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """The answers of one training about n items, over the classes of one scheme of labels."""

    target: np.ndarray
    """(n,) int16: the true class."""
    rank: np.ndarray
    """(n,) int16: rank of the true class, 0 for the most probable."""
    log_p: np.ndarray
    """(n,) float32: natural logarithm of the probability of the true class; NaN where ranks alone were kept (answers
    with frequencies exchanged, and trainings of the duplicate study that were published before 2026-11-26)."""
    top: np.ndarray
    """(n, 5) int16: the most probable classes, best first; -1 where they were not kept."""
    top_log_p: np.ndarray
    """(n, 5) float16: their log-probabilities; NaN where they were not kept."""

    def __len__(self) -> int:
        return len(self.rank)

    def __repr__(self) -> str:
        return one_line("Ranked", counted(len(self), "answer"), f"{int(self.hit(1).sum()):,} right first")

    def hit(self, k: int) -> np.ndarray:
        """(n,) float64: 1 where the true class is among the ``k`` most probable, else 0."""
        return (self.rank < k).astype(np.float64)


def ranked(log_p: np.ndarray, target: np.ndarray) -> Ranked:
    """The small form of log-probabilities (n, n_classes) about items of classes ``target`` (n,). Equal probabilities
    are ranked by class index, so that a constant prediction has a definite answer."""
    order = np.argsort(-log_p, axis=1, kind="stable")[:, :TOP]
    here = np.arange(len(target))
    return Ranked(
        target.astype(np.int16),
        ranks(log_p, target).astype(np.int16),
        log_p[here, target].astype(np.float32),
        order.astype(np.int16),
        np.maximum(np.take_along_axis(log_p, order, 1), -1e4).astype(np.float16),
    )


def ranks_alone(log_p: np.ndarray, target: np.ndarray) -> Ranked:
    """:func:`ranked` of which the ranks are kept, a tenth of the size."""
    n = len(target)
    nothing = np.full(n, np.nan, np.float32), np.full((n, TOP), -1, np.int16), np.full((n, TOP), np.nan, np.float16)
    return Ranked(target.astype(np.int16), ranks(log_p, target).astype(np.int16), *nothing)


def ranked_in(log_p: np.ndarray, own: Labels, space_group: np.ndarray, spaces: Sequence[str]) -> dict[str, Ranked]:
    """:func:`ranked` in each of ``spaces``, from log-probabilities over the classes of ``own`` about items of
    ``space_group`` (n,). A space is the name of a scheme, or two of them, as in "published|crystal_family": the answer
    in the first once the class of the coarser second is known. Raises ValueError where a space is not coarser than
    ``own``."""
    answers = {}
    for space in spaces:
        scheme, _, known = space.partition(GIVEN)
        labels = Labels(scheme)
        found = log_p if labels == own else own.collapse(log_p, labels)
        found = labels.given(found, known, space_group) if known else found
        answers[space] = ranked(found, labels.of(space_group))
    return answers


def save_ranked(path: Path, answers: dict[str, Ranked], log_p: np.ndarray | None = None) -> None:
    """Write the answers in several spaces to one ``.npz`` file; with ``log_p`` (n, n_classes) these too, to three
    digits."""
    arrays = {f"{space}.{name}": value for space, r in answers.items() for name, value in vars(r).items()}
    if log_p is not None:
        arrays[_WHOLE] = np.maximum(log_p, -1e4).astype(np.float16)
    write_arrays(path, arrays)


def load_ranked(path: Path) -> dict[str, Ranked]:
    """The answers by space that :func:`save_ranked` wrote. Raises ValueError, naming the file, where it is not that."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            spaces = dict.fromkeys(name.partition(".")[0] for name in archive.files if name != _WHOLE)
            fields = Ranked.__dataclass_fields__
            return {space: Ranked(**{f: archive[f"{space}.{f}"] for f in fields}) for space in spaces}
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged archive fails in zipfile, zlib or numpy
        raise ValueError(f"{path} does not hold answers ({error}); delete it and run again") from error


def load_whole(path: Path) -> np.ndarray | None:
    """(n, n_classes) float64, normalised: the log-probabilities of all classes in a file of :func:`save_ranked`, None
    where they were not kept."""
    with np.load(path, allow_pickle=False) as archive:
        if _WHOLE not in archive.files:
            return None
        log_p = archive[_WHOLE].astype(np.float64)
    return log_p - np.logaddexp.reduce(log_p, axis=1, keepdims=True)

"""What networks answer in trials with lines put in or taken away, and the means of that with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from paperlib.datasets.labels import Labels
from paperlib.lab.metrics import bootstrap
from paperlib.learning.insertions import Trials
from paperlib.learning.models import build_model, describe_model
from paperlib.learning.prediction import predict
from paperlib.learning.trial_worlds import TrialWorld

HEIGHTS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Of the lines that are put in, in units of the strongest point; and what is left of lines that are taken away."""

ANSWERS = ("own", "other", "fits", "neither")
"""Probabilities: of the crystal's own class; of the class of the pair; of all classes that the changed lattice lines
fit, which hold the class of the pair; and of all that are neither the own one nor among these."""

_BLOCK = 512
"""Trials whose patterns are made together."""

Network = Callable[[Tensor], np.ndarray]
"""Patterns (n, n_points) to probabilities (n, 97) of the classes of the scheme "absences"."""


def class_probabilities(model: nn.Module, scheme: str) -> Network:
    """``model``, whose answers are those of ``scheme`` (:class:`paperlib.datasets.labels.Labels`), as a
    :data:`Network`."""
    labels = Labels(scheme)

    def ask(patterns: Tensor) -> np.ndarray:
        return np.exp(labels.collapse(predict(model, patterns).log_probabilities, "absences"))

    return ask


def with_random_weights(model: nn.Module, seed: int) -> nn.Module:
    """A network like ``model`` with fresh weights, in evaluation mode and on its device."""
    device = next(model.parameters()).device
    return build_model(**describe_model(model), seed=seed).eval().to(device)


def answers(
    networks: Mapping[str, Network], world: TrialWorld, trials: Trials, heights: Sequence[float] = HEIGHTS
) -> pd.DataFrame:
    """One row per network, trial and height: the columns of ``trials.table``, ``network``, ``height``, the four
    probabilities :data:`ANSWERS`, and the class that is ``first``."""
    parts = []
    for begin in range(0, len(trials), _BLOCK):
        chosen = np.arange(begin, min(begin + _BLOCK, len(trials)))
        fixed, changed = world.parts(trials, chosen)
        table = trials.table.iloc[chosen].reset_index(drop=True)
        crystal, own, other = (table[name].to_numpy() for name in ("crystal", "own", "other"))
        for height in heights:
            patterns = world.made(fixed, changed, height, crystal)
            for name, ask in networks.items():
                p, row = ask(patterns), np.arange(len(chosen))
                fits = (p * trials.fits[chosen]).sum(1)
                columns = {"own": p[row, own], "other": p[row, other], "fits": fits}
                columns |= {"neither": (1 - p[row, own] - fits).clip(min=0), "first": p.argmax(1)}
                named = table.rename(columns={"own": "own_class", "other": "other_class"})
                parts.append(named.assign(network=name, height=height, **columns))
    return pd.concat(parts, ignore_index=True)


def mean_answers(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Means of the probabilities over crystals, by the columns ``by``: one row for each of them and of :data:`ANSWERS`,
    with the ends ``low`` and ``high`` of the interval over crystals and their number ``n``. The pairs of a crystal are
    averaged first, so that each crystal counts once."""
    rows = []
    for keys, part in table.groupby(list(by), sort=True):
        each = part.groupby("crystal")[list(ANSWERS)].mean()
        for answer in ANSWERS:
            mean = bootstrap(each[answer].to_numpy())
            ends = {"value": mean.value, "low": mean.low, "high": mean.high, "n": mean.n}
            rows.append(dict(zip(by, keys, strict=True)) | {"answer": answer} | ends)
    return pd.DataFrame(rows)


def paired_difference(table: pd.DataFrame, places: tuple[str, str], answer: str = "fits") -> np.ndarray:
    """(n,) by crystal: the mean over its pairs of the probability ``answer`` of trials at the first of ``places`` less
    that at the second."""
    means = table.pivot_table(index="crystal", columns="place", values=answer, aggfunc="mean")
    return (means[places[0]] - means[places[1]]).to_numpy()


def read_right(network: Network, world: TrialWorld, own: np.ndarray) -> np.ndarray:
    """(k,) rows of the crystals whose pattern ``network`` reads right, ``own`` (n,) being their classes."""
    with torch.no_grad():
        return np.flatnonzero(network(world.patterns()).argmax(1) == own)

"""What can be read from the lines of a known cell, as tables: by the rival that is given it, at several limits of
detection; and what stands in the way of networks that are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import Instrument
from paperlib.diffraction.noise import normal_quantile, uniforms
from paperlib.learning.arms import TestItems
from paperlib.learning.comparison import KS, Scored, scored
from paperlib.learning.oracle import NOISE, REASONS, read_absences, reasons
from paperlib.learning.ranked import Ranked, ranked
from paperlib.learning.study import Trained


def detection_table(
    items: TestItems,
    cells: np.ndarray,
    instrument: Instrument,
    labels: Labels,
    noises: Sequence[float] = (NOISE, 1e-3, 1e-2),
    prior: np.ndarray | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, dict[float, Ranked]]:
    """The answers of :func:`paperlib.learning.oracle.read_absences` about ``items`` of known ``cells`` (n, 6), normal
    noise added to each pattern whose standard deviation is the share ``noise`` of its maximum, known to the reader.

    One row per noise: ``noise``; ``top1``, ``low``, ``high``, ``top3``, ``top5`` and ``n``; ``expected``, the top-1
    score that its own probabilities promise; and the share of items for which each of
    :data:`paperlib.learning.oracle.REASONS` holds. Beside the table, the answers by noise.
    """
    n = len(items.patterns)
    draws = normal_quantile(uniforms(seed, "noise beside a known cell", torch.arange(n), instrument.n_points)).numpy()
    truth, rows, answers = labels.of(items.space_group), [], {}
    for noise in noises:
        log_p = read_absences(items.patterns + noise * draws, cells, instrument, labels, noise, prior)
        answers[noise] = found = ranked(log_p, truth)
        score = {k: Scored({"": {(0, -1): found.hit(k)}}, {0: items.clusters}).score("") for k in KS}
        row = {"noise": noise, "top1": score[1].value, "low": score[1].low, "high": score[1].high}
        row |= {"top3": score[3].value, "top5": score[5].value, "n": n}
        why = reasons(log_p.argmax(axis=1), items.space_group, cells, instrument, labels)
        rows.append(row | {"expected": np.exp(log_p.max(axis=1)).mean()} | {x: (why == x).mean() for x in REASONS})
    return pd.DataFrame(rows), answers


def reason_table(trained: Trained, test: str, scheme: str, cells: np.ndarray, instrument: Instrument) -> pd.DataFrame:
    """Why the first answers of every arm that is scored in ``scheme`` are what they are: one row for each arm and each
    of :data:`paperlib.learning.oracle.REASONS`, with the share of items, its interval and n. ``cells`` (n, 6) are those
    of the items of ``test``, the same for all splits."""
    rows, labels = [], Labels(scheme)
    (groups, *others) = [items.space_group for (name, _), items in trained.items.items() if name == test]
    if len(groups) != len(cells) or not all(np.array_equal(groups, more) for more in others):
        raise ValueError(f"one cell per item, and the same items for all splits: {len(cells)=}, {len(groups)=}")

    def why(answers: Ranked) -> np.ndarray:
        return reasons(answers.top[:, 0], groups, cells, instrument, labels)

    found = scored(trained, test, scheme, measure=why)
    for arm, of_arm in found.values.items():
        for reason in REASONS:
            shares = {repeat: (names == reason).astype(float) for repeat, names in of_arm.items()}
            value = Scored({arm: shares}, found.clusters).score(arm)
            numbers = {"value": value.value, "low": value.low, "high": value.high, "n": value.n}
            rows.append({"arm": arm, "reason": reason} | numbers)
    return pd.DataFrame(rows)

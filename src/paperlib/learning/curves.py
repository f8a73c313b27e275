"""Scores against the number of training patterns: the points of the curves, and the laws that are fitted to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import Instrument
from paperlib.learning import comparison
from paperlib.learning.comparison import Scored
from paperlib.learning.families import Rung
from paperlib.learning.models import build_model, count_flops, count_parameters
from paperlib.learning.oracle import REASONS, reasons
from paperlib.learning.scaling_law import ScalingLaw, drawn_laws, fit_law, training_spread
from paperlib.learning.study import Trained

_PLACES = 40
"""Numbers of patterns that a law is drawn at."""


def curve_table(trained: Trained, test: str, scheme: str, rungs: Sequence[Rung]) -> pd.DataFrame:
    """The scores of all ``rungs`` over the classes of ``scheme`` in the schema of :mod:`paperlib.learning.comparison`,
    with what each of them is: ``family``, ``size``, ``items``, ``passes`` and ``rate`` (0: that of the study).

    The arm ``ceiling`` is the best score on these test items of whoever sees nothing but absences, the arm
    ``frequency`` the score of whoever sees no pattern, and knows how frequent classes are.
    """
    labels, (items, *_) = Labels(scheme), [of for (name, _), of in trained.items.items() if name == test]
    table = comparison.score_table(trained, test, (scheme,))
    shares = np.sort(np.bincount(labels.of(items.space_group), minlength=len(labels)))[::-1] / len(items.space_group)
    best = {
        "ceiling": lambda k: labels.ceiling(k, "absences", items.space_group),
        "frequency": lambda k: shares[:k].sum(),
    }
    place = {"space": scheme, "test": test, "split": -1, "seed": -1, "n_trainings": 0}
    rows = [place | {"arm": arm, "k": k, "value": value(k)} for arm, value in best.items() for k in comparison.KS]
    table = pd.concat([table, pd.DataFrame(rows).reindex(columns=comparison.COLUMNS)], ignore_index=True)
    return table.merge(_rung_table(rungs), on="arm", how="left")


def _rung_table(rungs: Sequence[Rung]) -> pd.DataFrame:
    names = ("family", "size", "items", "passes", "rate")
    rows = pd.DataFrame([{"arm": rung.key} | {name: getattr(rung, name) for name in names} for rung in rungs])
    # whole numbers stay whole where an arm is no rung
    return rows.astype({"items": "Int64", "passes": "Int64"})


def network_table(rungs: Sequence[Rung], n_classes: int, n_points: int) -> pd.DataFrame:
    """One row for each network among ``rungs``: ``family``, ``size``, ``parameters``, and ``multiply_adds`` of the
    forward pass of one pattern."""
    networks = {(rung.family, rung.size): rung.network for rung in rungs}
    rows = []
    for (family, size), network in networks.items():
        model = build_model(n_classes=n_classes, n_points=n_points, **network)
        numbers = {"parameters": count_parameters(model), "multiply_adds": count_flops(model)}
        rows.append({"family": family, "size": size} | numbers)
    return pd.DataFrame(rows)


def reason_table(trained: Trained, test: str, scheme: str, cells: np.ndarray, instrument: Instrument) -> pd.DataFrame:
    """One row for each ``arm``, of its first repetition: how many of its first answers are right, and what stands
    behind the others (:func:`paperlib.learning.oracle.reasons`); ``cells`` (n, 6) are those of the test items."""
    rows = {}
    for arm, split, seed in trained.cells:
        if arm not in rows:
            groups = trained.items[test, split].space_group
            first = trained.answers[test, arm, split, seed][scheme].top[:, 0]
            rows[arm] = pd.Series(reasons(first, groups, cells, instrument, Labels(scheme))).value_counts()
    counts = pd.DataFrame(rows).T.reindex(columns=REASONS).fillna(0).astype(int)
    return counts.rename_axis("arm").reset_index()


def law_tables(hits: Scored, rungs: Sequence[Rung], chance: float, least: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The law of each network whose curve of single passes has three points or more, and the score that it stands for.

    ``hits`` are the first answers that are right; ``chance`` and ``least`` the errors without a pattern and at the
    ceiling. The first table has a row for each network: ``family``, ``size``, ``points``, ``half``, ``exponent`` and
    ``limit`` (the score that is left with patterns without end), each with ``_low`` and ``_high``, and ``deviation``,
    the largest of the points from it; the second ``family``, ``size``, ``items``, ``value``, ``low`` and ``high``. The
    intervals (95 %) hold test items and, as far as trainings were repeated, these.
    """
    curves: dict[tuple[str, str], list[Rung]] = {}
    for rung in rungs:
        if rung.passes == 1 and not rung.rate:
            curves.setdefault((rung.family, rung.size), []).append(rung)
    repeated = [[1 - x.mean() for x in of_arm.values()] for of_arm in hits.values.values()]
    spread, freedom = training_spread(repeated)
    laws, lines = [], []
    for (family, size), of_curve in curves.items():
        if len(of_curve) < 3:
            continue
        items = [rung.items for rung in of_curve]
        wrong = 1 - np.stack([next(iter(hits.values[rung.key].values())) for rung in of_curve])
        errors = wrong.mean(1)
        law = fit_law(items, errors, chance, least)
        drawn = drawn_laws(items, wrong, chance, least, spread, freedom)
        place = {"family": family, "size": size}
        laws.append(
            place
            | {"points": len(items)}
            | _numbers(law, drawn)
            | {"deviation": np.abs(law(np.array(items)) - errors).max()}
        )
        lines.append(_line(law, drawn, items).assign(**place))
    columns = ["family", "size", "items", "value", "low", "high"]
    return pd.DataFrame(laws), pd.concat(lines, ignore_index=True)[columns] if lines else pd.DataFrame(columns=columns)


def _numbers(law: ScalingLaw, drawn: Sequence[ScalingLaw]) -> dict[str, float]:
    numbers = {}
    for name in ("half", "exponent", "limit"):
        each = [1 - of.floor if name == "limit" else getattr(of, name) for of in (law, *drawn)]
        low, high = np.quantile(each[1:], (0.025, 0.975))
        numbers |= {name: each[0], f"{name}_low": low, f"{name}_high": high}
    return numbers


def _line(law: ScalingLaw, drawn: Sequence[ScalingLaw], items: Sequence[int]) -> pd.DataFrame:
    at = np.geomspace(min(items), max(items), _PLACES)
    low, high = np.quantile([1 - of(at) for of in drawn], (0.025, 0.975), axis=0)
    return pd.DataFrame({"items": at, "value": 1 - law(at), "low": low, "high": high})

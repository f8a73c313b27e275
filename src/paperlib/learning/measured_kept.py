"""What a study of measured patterns keeps of its tables as numbers for the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from paperlib.datasets.labels import Labels
from paperlib.lab.results import Value
from paperlib.lab.run import Run
from paperlib.learning.measured_study import LIMITS
from paperlib.learning.measured_tables import Calibration, Said, calibrate, refusal_threshold, scores_of


def keep_steps(run: Run, table: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Write the table ``steps`` and, of its pooled rows, the values ``step_<arm>_<kind>_top<k>``; ``kinds`` names the
    spaces. Returns the rows by arm, space and k in columns."""
    pooled = run.table("steps", table)[table["seed"] == -1]
    for row in pooled.itertuples():
        value = Value(row.value, row.low, row.high, int(row.n), kind="share")
        run.value(f"step_{row.arm}_{kinds[row.space]}_top{row.k}", value)
    return pooled.pivot(index="arm", columns=["space", "k"], values="value")


def keep_gap(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    """Write the table ``gap`` and its values ``auc_<world>_<feature>``; return it with worlds in columns."""
    run.table("gap", table)
    for row in table.itertuples():
        run.value(f"auc_{row.world}_{row.feature}", float(row.auc), kind="number")
    return table.pivot(index="feature", columns="world", values="auc")


def keep_calibration(run: Run, *found: Calibration) -> pd.DataFrame:
    """Write the tables ``risk`` and ``reliability`` of calibrations of different tests, the values
    ``ece_<test>_<kind>``, and ``half_refused_<test>``, the share of right answers where the less certain half is
    refused. Returns the first table."""
    run.table("reliability", pd.concat([of.reliability for of in found], ignore_index=True))
    risk = run.table("risk", pd.concat([of.risk for of in found], ignore_index=True))
    for row in pd.concat([of.error for of in found]).itertuples():
        run.value(f"ece_{row.test}_{row.kind}", float(row.ece), n=int(row.n))
    for row in risk[(risk["kind"] == "tempered") & (risk["coverage"] == 0.5)].itertuples():
        run.value(f"half_refused_{row.test}", float(row.right), n=int(row.n), kind="share")
    return risk


RIGHT = 2 / 3
"""Share of the answers of a released network that are to be right."""


def calibrated(labels: Labels, coarse: Labels, simulated: Said, asked: Mapping[str, Said], name: str) -> Calibration:
    """:func:`.measured_tables.calibrate` with the first half of the ``simulated`` items; the other half is judged
    beside ``asked``, as the test ``name``."""
    half = len(simulated.space_group) // 2
    judged = {name: simulated.part(slice(half, None)), **asked}
    return calibrate(labels, coarse, simulated.part(slice(half)), judged)


def keep_card(
    run: Run, found: Calibration, chosen: str, judged: str, scores: pd.DataFrame, arm: str, about: Mapping[str, Any]
) -> dict[str, Any]:
    """What goes on the card of a network, by the names of its fields: the temperature ``found``, the threshold below
    which it refuses, so that of its answers in the test ``chosen`` a share of :data:`RIGHT` is right, and what the
    table ``scores`` says of ``arm``. Temperature and threshold become values, and which share of the test ``judged`` is
    answered at a threshold next to it, and how many of the answers are right (``given``, ``given_right``)."""
    refuse = refusal_threshold(found.risk, chosen, RIGHT)
    rows = found.risk[(found.risk["test"] == judged) & (found.risk["kind"] == "tempered")]
    nearest = rows.iloc[(rows["threshold"] - refuse).abs().argmin()]
    run.value("temperature", found.temperature)
    run.value("refuse_below", refuse)
    run.value("given", float(nearest["coverage"]), kind="share")
    run.value("given_right", float(nearest["right"]), kind="share", n=int(nearest["n"]))
    card = {"temperature": found.temperature, "refuse_below": refuse, "scores": scores_of(scores, arm)}
    return card | {"limits": LIMITS, "about": dict(about)}

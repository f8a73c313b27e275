"""What a study of measured patterns keeps of its tables as numbers for the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from paperlib.answers.card import Card
from paperlib.lab.results import Value
from paperlib.lab.run import Run
from paperlib.learning.measured_study import LIMITS
from paperlib.learning.measured_tables import Calibration, refusal_threshold, scores_of


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


def keep_card(
    run: Run, found: Calibration, test: str, scores: pd.DataFrame, arm: str, about: Mapping[str, Any]
) -> Card:
    """The card of a network: the temperature ``found`` and the threshold of refusing in ``test``, which become values,
    and what the table ``scores`` says of ``arm``."""
    refuse = refusal_threshold(found.risk, test)
    for name, value in {"temperature": found.temperature, "refuse_below": refuse}.items():
        run.value(name, value)
    return Card(found.temperature, refuse, scores_of(scores, arm), LIMITS, dict(about))

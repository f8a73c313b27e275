"""Points of curves in one table with what they are, and laws where there are points enough."""

import numpy as np
import pandas as pd
import pytest

from paperlib.datasets.labels import Labels
from paperlib.diffraction.instrument import Instrument
from paperlib.learning import comparison, curves
from paperlib.learning.arms import TestItems
from paperlib.learning.families import Rung
from paperlib.learning.ranked import ranked
from paperlib.learning.study import Trained

SCHEME, N = "published", 690
GROUPS = np.tile(np.arange(1, 231), 3)
LADDER = [Rung("resnet", n) for n in (1000, 3000, 10_000)]
OTHERS = [Rung("resnet", 1000, passes=3), Rung("mlp", 1000), Rung("mlp", 3000), Rung("resnet", 1000, rate=1e-3)]
RIGHT = {rung.key: share for rung, share in zip(LADDER, (0.4, 0.7, 0.9), strict=True)}


@pytest.fixture(scope="module")
def trained():
    """Every rung is right about a share of the items, more with more patterns; one was trained twice."""
    labels, generator = Labels(SCHEME), np.random.default_rng(1)
    target, cells, answers = labels.of(GROUPS), [], {}
    for rung in (*LADDER, *OTHERS):
        for seed in (0, 1) if rung is LADDER[1] else (0,):
            log_p = np.zeros((N, len(labels)))
            wrong = generator.random(N) > RIGHT.get(rung.key, 0.5)
            log_p[np.arange(N), np.where(wrong, (target + 1) % len(labels), target)] = 9
            cells.append((rung.key, 0, seed))
            answers["line", rung.key, 0, seed] = {SCHEME: ranked(log_p, target)}
    items = {("line", 0): TestItems(np.zeros((N, 1)), GROUPS, np.arange(N), {})}
    empty = pd.DataFrame()
    return Trained(pd.DataFrame(cells, columns=["arm", "split", "seed"]), empty, empty, answers, items)


def test_scores_stand_with_what_was_trained_between_ceiling_and_frequency(trained):
    table = curves.curve_table(trained, "line", SCHEME, [*LADDER, *OTHERS])
    top = table[(table.k == 1) & (table.seed == -1)].set_index("arm")
    again = top.loc["resnet_middle_1000x3"]
    assert (again.family, again["size"], again["items"], again.passes, again.rate) == ("resnet", "middle", 1000, 3, 0)
    assert top.rate["resnet_middle_1000_rate1000"] == 1e-3
    assert top.n_trainings["resnet_middle_3000"] == 2
    # five of the 230 groups are in classes that nobody tells from a larger one
    assert (
        top.value["ceiling"] == pytest.approx(Labels(SCHEME).ceiling(1, "absences", GROUPS)) == pytest.approx(225 / 230)
    )
    largest = np.bincount(Labels(SCHEME).of(np.arange(1, 231))).max()
    assert top.value["frequency"] == pytest.approx(largest / 230)
    assert top.loc[["ceiling", "frequency"], "family"].isna().all()
    assert list(table)[: len(comparison.COLUMNS)] == comparison.COLUMNS


def test_a_law_is_fitted_to_single_passes_of_three_points_and_more(trained):
    hits = comparison.scored(trained, "line", SCHEME)
    laws, lines = curves.law_tables(hits, [*LADDER, *OTHERS], 0.93, 0.02)
    assert laws[["family", "size", "points"]].to_numpy().tolist() == [["resnet", "middle", 3]]
    (law,) = laws.itertuples()
    assert law.half_low < law.half < law.half_high and law.limit_low <= law.limit <= law.limit_high <= 0.98
    assert law.exponent_low < law.exponent < law.exponent_high and law.deviation < 0.05
    assert lines["items"].iloc[[0, -1]].tolist() == pytest.approx([1000, 10_000])
    assert lines.value.is_monotonic_increasing and (lines.low <= lines.high).all()
    measured = [hits.values[rung.key][0, 0].mean() for rung in LADDER]
    assert np.interp([1000, 3000, 10_000], lines["items"], lines.value) == pytest.approx(measured, abs=0.06)
    none, line = curves.law_tables(hits, OTHERS, 0.93, 0.02)
    assert none.empty and line.empty


def test_what_stands_behind_wrong_answers_adds_up(trained):
    cells = np.tile([5.0, 5.0, 5.0, 90.0, 90.0, 90.0], (N, 1))
    table = curves.reason_table(trained, "line", SCHEME, cells, Instrument(n_points=1000)).set_index("arm")
    assert (table.sum(axis=1) == N).all()
    hits = comparison.scored(trained, "line", SCHEME).values
    assert table.right["resnet_middle_3000"] == hits["resnet_middle_3000"][0, 0].sum(), "of the first repetition"
